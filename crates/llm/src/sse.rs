//! The events in the body of a response: server-sent ones, or whatever a server sends instead.

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};

use crate::{failure::root_cause, nesting::Nesting};

/// The most of a text that is no event which is kept to tell of it, in bytes.
const STRAY_BYTES: usize = 16 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Something whole in a body. Bytes that are no UTF-8 have become U+FFFD.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The data of a server-sent event.
    Data(String),
    /// A JSON value that stands in the body as it is, alone or one after the other.
    Json(String),
    /// A body that is neither: a web page, or words.
    Stray(String),
}

/// Why no further event can be read.
#[derive(Debug)]
pub(crate) enum EventError {
    /// An event is larger than the limit.
    TooLarge,
    /// The connection broke.
    Broken(String),
}

/// The events of a body, in order. Comments, names and ids of events are left out: the protocols read
/// here do not use them. No event larger than `limit` bytes is collected.
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
    /// So many bytes of the buffer are known not to end what is being read.
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

    /// Drops what means nothing before or between values.
    fn skip_blanks(&mut self) {
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.advance(BYTE_ORDER_MARK.len());
        }
        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let blanks = self.buffer.iter().take_while(|byte| blank(byte)).count();
        self.buffer.advance(blanks);
    }

    /// The value that begins here; what there is of it, if the body ends before.
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
                // What is no field can only be the rest of a text with a raw line break in it.
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

    /// Waits for more of the body.
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

/// What a line of an event says.
enum Field<'a> {
    /// Nothing: the event ends.
    End,
    Data(&'a str),
    /// A comment, or a field that nothing depends on.
    Other,
    /// No field at all.
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
