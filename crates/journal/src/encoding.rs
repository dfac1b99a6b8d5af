use std::sync::Arc;

use bytes::Bytes;
use protocol::{Digest, Event, NewEvent, RunId, Text};
use sha2::{Digest as _, Sha256};

use crate::{Encoded, JournalError};

/// Texts with more bytes than this are stored beside their event.
const LONGEST_INLINE: usize = 4096;
/// Characters of a preview.
const PREVIEW: usize = 400;
/// The most bytes that an encoded event or a long text may have.
const LARGEST: usize = 64 << 20;

/// Events of one append, numbered and encoded, with the texts that were moved out of them.
#[derive(Default)]
pub(crate) struct Entries {
    pub events: Vec<Arc<Event>>,
    pub encoded: Vec<Encoded>,
    /// Long texts to store, by digest.
    pub texts: Vec<(Digest, Arc<str>)>,
    /// Digests of texts that must be stored already, since the events came with previews.
    pub references: Vec<Digest>,
}

impl Entries {
    /// Numbers the events from `first` on. Borrows them, since they are encoded again if another request of
    /// the same transaction fails.
    pub fn encode(run: RunId, first: u64, events: &[NewEvent]) -> Result<Self, JournalError> {
        let mut entries = Self::default();
        let (mut lines, mut ends) = (Vec::new(), Vec::with_capacity(events.len()));
        for (seq, NewEvent { at, node, body }) in (first..).zip(events) {
            let mut event = Event { run, seq, at: *at, node: node.clone(), body: body.clone() };
            for text in event.body.texts_mut() {
                entries.move_out(run, text)?;
            }
            let begin = lines.len();
            serde_json::to_writer(&mut lines, &event)
                .map_err(|error| JournalError::Refused(Arc::new(sqlx::Error::Encode(error.into()))))?;
            check_size(run, lines.len() - begin)?;
            ends.push(begin..lines.len());
            entries.events.push(Arc::new(event));
        }
        // The events of an append share one allocation.
        let lines = Bytes::from(lines);
        let written = entries.events.iter().cloned().zip(ends);
        entries.encoded = written.map(|(event, part)| Encoded::written(event, lines.slice(part))).collect();
        Ok(entries)
    }

    fn move_out(&mut self, run: RunId, text: &mut Text) -> Result<(), JournalError> {
        match text {
            Text::Preview { digest, .. } => self.references.push(digest.clone()),
            Text::Whole(whole) if whole.len() > LONGEST_INLINE => {
                check_size(run, whole.len())?;
                let digest = digest(whole)?;
                let preview = Text::Preview {
                    preview: beginning(whole).into(),
                    bytes: whole.len() as u64,
                    digest: digest.clone(),
                };
                self.texts.push((digest, whole.clone()));
                *text = preview;
            }
            Text::Whole(_) => {}
        }
        Ok(())
    }
}

fn check_size(run: RunId, bytes: usize) -> Result<(), JournalError> {
    if bytes > LARGEST {
        return Err(JournalError::TooLarge { run, bytes, limit: LARGEST });
    }
    Ok(())
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(PREVIEW).map_or(text, |(end, _)| &text[..end])
}

/// The SHA-256 of a text.
///
/// # Errors
/// Never: the digits always make a digest.
pub fn digest(text: &str) -> Result<Digest, JournalError> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hexadecimal: String = Sha256::digest(text)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect();
    hexadecimal.parse().map_err(|error| JournalError::Refused(Arc::new(sqlx::Error::Encode(Box::new(error)))))
}
