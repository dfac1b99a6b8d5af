//! The events in a response's body: server-sent events, or JSON or text in their place.

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};

use crate::{failure::root_cause, nesting::Nesting};

/// The most bytes of a text that is no event which are kept for the error.
const STRAY_BYTES: usize = 16 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// One complete unit of a body. Invalid UTF-8 is replaced by U+FFFD.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The data of a server-sent event.
    Data(String),
    /// A JSON value without the framing of an event; there may be several in a row.
    Json(String),
    /// A body that is neither: a web page, or text.
    Stray(String),
}

/// Why the stream of events ends early.
#[derive(Debug)]
pub(crate) enum EventError {
    /// An event is larger than the limit.
    TooLarge,
    /// The connection broke.
    Broken(String),
}

/// The events of a body, in order. Comments, names and ids of events are dropped, since the protocols read
/// here do not use them. No event of more than `limit` bytes is buffered.
pub(crate) fn events<B>(body: B, limit: usize) -> impl Stream<Item = Result<Event, EventError>> + Send
where
    B: Stream<Item = Result<Bytes, reqwest::Error>> + Send + 'static,
{
    let reader = Reader {
        body: body.boxed(),
        limit,
        buffer: BytesMut::new(),
        searched: 0,
        ended: false,
        lines: false,
        any: false,
        stray: String::new(),
        nesting: Nesting::default(),
    };
    stream::try_unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Ok(event.map(|event| (event, reader)))
    })
}

struct Reader<B> {
    body: B,
    limit: usize,
    buffer: BytesMut,
    /// Bytes of the buffer that are known to hold no end of the present event.
    searched: usize,
    ended: bool,
    /// Whether the body has the lines of server-sent events.
    lines: bool,
    any: bool,
    stray: String,
    nesting: Nesting,
}

impl<B: Stream<Item = Result<Bytes, reqwest::Error>> + Unpin> Reader<B> {
    async fn next(&mut self) -> Result<Option<Event>, EventError> {
        while !self.lines {
            self.skip_blanks();
            match self.buffer.first() {
                None if self.ended => return Ok(None),
                None => self.fill().await?,
                Some(b'{' | b'[') => return self.json().await,
                Some(_) if !self.ended && BYTE_ORDER_MARK.starts_with(&self.buffer) => self.fill().await?,
                Some(_) => self.lines = true,
            }
        }
        self.event().await
    }

    /// Skips white space before and between values.
    fn skip_blanks(&mut self) {
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.advance(BYTE_ORDER_MARK.len());
        }
        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let blanks = self.buffer.iter().take_while(|byte| blank(byte)).count();
        self.buffer.advance(blanks);
    }

    /// The JSON value that begins here; a partial one if the body ends within it.
    async fn json(&mut self) -> Result<Option<Event>, EventError> {
        self.nesting = Nesting::default();
        self.searched = 0;
        self.any = true;
        loop {
            if let Some(length) = self.nesting.take(&self.buffer[self.searched..]) {
                let value = self.buffer.split_to(self.searched + length);
                return Ok(Some(Event::Json(text(&value))));
            }
            self.searched = self.buffer.len();
            if self.ended {
                let value = self.buffer.split();
                return Ok(Some(Event::Json(text(&value))));
            }
            self.fill().await?;
        }
    }

    /// The next server-sent event.
    async fn event(&mut self) -> Result<Option<Event>, EventError> {
        let mut data: Option<String> = None;
        while let Some(line) = self.line().await? {
            let size = data.as_ref().map_or(0, String::len) + line.len();
            if size > self.limit {
                return Err(EventError::TooLarge);
            }
            match (field(&line), &mut data) {
                (Field::End, data) => {
                    if let Some(data) = data.take().filter(|data| !data.trim().is_empty()) {
                        self.any = true;
                        return Ok(Some(Event::Data(data)));
                    }
                }
                (Field::Data(value), None) => data = Some(value.to_owned()),
                // A line that is no field can only continue a text with a raw line break in it.
                (Field::Data(value) | Field::Unknown(value), Some(data)) => {
                    data.push('\n');
                    data.push_str(value);
                }
                (Field::Unknown(words), None) if self.stray.len() < STRAY_BYTES => {
                    self.stray.push_str(words);
                    self.stray.push('\n');
                }
                (Field::Unknown(_) | Field::Other, _) => {}
            }
        }
        // Some servers leave out the empty line after their last event.
        if let Some(data) = data.filter(|data| !data.trim().is_empty()) {
            self.any = true;
            return Ok(Some(Event::Data(data)));
        }
        let stray = std::mem::take(&mut self.stray);
        Ok((!self.any && !stray.is_empty()).then_some(Event::Stray(stray)))
    }

    /// The next line without its end; `None` at the end of the body.
    async fn line(&mut self) -> Result<Option<String>, EventError> {
        self.searched = 0;
        loop {
            let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.buffer.split_to(self.searched + end);
                self.buffer.advance(1);
                return Ok(Some(text(line.strip_suffix(b"\r").unwrap_or(&line))));
            }
            self.searched = self.buffer.len();
            if self.ended {
                let line = self.buffer.split();
                return Ok((!line.is_empty()).then(|| text(&line)));
            }
            self.fill().await?;
        }
    }

    /// Reads more of the body.
    async fn fill(&mut self) -> Result<(), EventError> {
        if self.buffer.len() > self.limit {
            return Err(EventError::TooLarge);
        }
        match self.body.next().await {
            Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
            Some(Err(error)) => return Err(EventError::Broken(root_cause(&error))),
            None => self.ended = true,
        }
        Ok(())
    }
}

/// The content of an event's line.
enum Field<'a> {
    /// The empty line that ends an event.
    End,
    Data(&'a str),
    /// A comment, or a field that is not used.
    Other,
    /// Not a field.
    Unknown(&'a str),
}

fn field(line: &str) -> Field<'_> {
    if line.is_empty() {
        return Field::End;
    }
    if let Some(value) = line.strip_prefix("data:") {
        return Field::Data(value.strip_prefix(' ').unwrap_or(value));
    }
    let other = [":", "event:", "id:", "retry:"];
    let bare = ["data", "event", "id", "retry"];
    if other.iter().any(|start| line.starts_with(start)) || bare.contains(&line) {
        Field::Other
    } else {
        Field::Unknown(line)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
