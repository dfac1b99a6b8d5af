//! The form in which the log has prompts: each message of a conversation once.

use journal::JournalError;
use llm::Message;
use protocol::{Beginning, CallId, CallStarted, Digest, Prompt, Text};

/// What a lane of a node was asked last, as digests. The next prompt of a conversation begins with it.
#[derive(Debug)]
pub(crate) struct LastPrompt {
    call: CallId,
    begins: Option<Beginning>,
    messages: Vec<Digest>,
}

/// A prompt that is about to be asked.
pub(crate) struct NewPrompt(Vec<(Digest, String)>);

impl NewPrompt {
    pub fn of(messages: &[Message]) -> Result<Self, JournalError> {
        let blocks = messages.iter().map(llm::render_message);
        blocks.map(|block| Ok((journal::digest(&block)?, block))).collect::<Result<_, _>>().map(Self)
    }

    /// What the log is to have of it, after `last` in the same lane. A call that is repeated after a crash finds
    /// itself there, and begins with no more than it did at first.
    pub fn after(self, last: Option<&LastPrompt>, call: &CallId) -> Prompt {
        let Self(blocks) = self;
        let begins = last.and_then(|last| {
            let known = last.messages.iter().zip(&blocks);
            let shared = known.take_while(|(known, (digest, _))| *known == digest).count();
            let shared = u32::try_from(shared).unwrap_or(u32::MAX);
            if last.call == *call {
                let Beginning { call, messages } = last.begins.clone()?;
                return Some(Beginning { call, messages: messages.min(shared) });
            }
            Some(Beginning { call: last.call.clone(), messages: shared })
        });
        let begins = begins.filter(|begins| begins.messages > 0);
        let known = begins.as_ref().map_or(0, |begins| begins.messages);
        let messages = blocks.into_iter().skip(known as usize).map(|(_, block)| Text::from(block)).collect();
        Prompt::Messages { begins, messages }
    }
}

impl LastPrompt {
    /// The lane's last prompt after this call; `None` if it cannot be told from the log what all of it was.
    pub fn after(last: Option<Self>, started: &CallStarted) -> Option<Self> {
        let Prompt::Messages { begins, messages } = &started.prompt else { return None };
        let mut digests = match (begins, last) {
            (None, _) => Vec::new(),
            (Some(begins), Some(last)) if last.call == begins.call || last.call == started.call => {
                let mut digests = last.messages;
                digests.truncate(begins.messages as usize);
                (digests.len() == begins.messages as usize).then_some(digests)?
            }
            (Some(_), _) => return None,
        };
        for text in messages {
            digests.push(match text {
                Text::Whole(whole) => journal::digest(whole).ok()?,
                Text::Preview { digest, .. } => digest.clone(),
            });
        }
        Some(Self { call: started.call.clone(), begins: begins.clone(), messages: digests })
    }
}
