//! What the pages of sessions ask of the server.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::{FlowId, Problem, resolver::TaskConversation};

/// The sessions of whoever asks.
#[async_trait]
pub trait ResolverBackend: Send + Sync {
    /// A session in which something was asked for, by its name or the id of one of its runs.
    async fn conversation(&self, name: FlowId) -> Result<TaskConversation, Problem>;
}

/// It as it stands in the context.
pub type SharedSessions = Arc<dyn ResolverBackend>;
