//! What each protocol of a provider does.

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{ChatError, ChatRequest, draft::Delta};

/// The steps of an answer as they come.
pub(crate) type Deltas = BoxStream<'static, Result<Delta, ChatError>>;

/// There is no answer to read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: ChatError,
    /// Whether it is certain that the provider generated nothing, so that nothing can be charged.
    pub(crate) free: bool,
}

impl Refusal {
    /// The model may have been at work.
    pub(crate) fn after_asking(error: ChatError) -> Self {
        Self { error, free: false }
    }
}

/// One protocol: sends a request and reads the answer, without patience or limits of its own.
#[async_trait]
pub(crate) trait Wire: Send + Sync {
    /// `most_tokens`: of the answer, thoughts included.
    async fn open(&self, model: &str, request: &ChatRequest, most_tokens: u32) -> Result<Deltas, Refusal>;
}
