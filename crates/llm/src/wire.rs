//! The interface of a provider's protocol.

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{ChatError, ChatRequest, partial_answer::Delta};

/// The streamed steps of an answer.
pub(crate) type Deltas = BoxStream<'static, Result<Delta, ChatError>>;

/// The request was refused, or failed before an answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: ChatError,
    /// Whether the provider certainly generated nothing, so that nothing is charged.
    pub(crate) free: bool,
}

impl Refusal {
    /// A failure after which the model may have been at work.
    pub(crate) fn after_asking(error: ChatError) -> Self {
        Self { error, free: false }
    }
}

/// One protocol: sends a request and reads the answer, without timeouts or limits.
#[async_trait]
pub(crate) trait Wire: Send + Sync {
    /// `most_tokens`: the limit of the answer, thoughts included.
    async fn open(&self, model: &str, request: &ChatRequest, most_tokens: u32) -> Result<Deltas, Refusal>;
}
