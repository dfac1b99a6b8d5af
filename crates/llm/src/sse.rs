//! Server-sent events from the body of a response.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio_util::{
    codec::{FramedRead, LinesCodec, LinesCodecError},
    io::StreamReader,
};

use crate::failure::root_cause;

/// Why no further event can be read.
#[derive(Debug)]
pub(crate) enum EventError {
    /// An event is larger than the limit.
    TooLarge,
    /// The connection or the text broke.
    Broken(String),
}

/// The data of each event, in order. Comments, names and ids of events are left out: the protocols
/// read here do not use them. No event larger than `limit` bytes is collected.
pub(crate) fn events<B>(body: B, limit: usize) -> impl Stream<Item = Result<String, EventError>> + Send
where
    B: Stream<Item = Result<Bytes, reqwest::Error>> + Send + 'static,
{
    let reader = StreamReader::new(body.map_err(io::Error::other).boxed());
    let lines = FramedRead::new(reader, LinesCodec::new_with_max_length(limit));
    stream::try_unfold(lines, move |mut lines| async move {
        let mut data: Option<String> = None;
        while let Some(line) = lines.next().await {
            let line = line.map_err(|error| match error {
                LinesCodecError::MaxLineLengthExceeded => EventError::TooLarge,
                LinesCodecError::Io(error) => EventError::Broken(root_cause(&error)),
            })?;
            if line.is_empty() {
                if let Some(data) = data.take() {
                    return Ok(Some((data, lines)));
                }
            } else if let Some(value) = line.strip_prefix("data:") {
                let value = value.strip_prefix(' ').unwrap_or(value);
                let size = data.as_ref().map_or(0, String::len) + value.len();
                if size > limit {
                    return Err(EventError::TooLarge);
                }
                match &mut data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => data = Some(value.to_owned()),
                }
            }
        }
        // Some servers leave out the empty line after their last event.
        Ok(data.map(|data| (data, lines)))
    })
}
