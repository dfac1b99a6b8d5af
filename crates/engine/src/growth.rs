//! Nodes that appear while their run is at work.

use async_trait::async_trait;
use protocol::{Body, Growth};

use crate::{NodeContext, NodeError, Outcome, Work};

impl NodeContext {
    /// Adds nodes and edges to the run's graph: all of them or none, and once, also when the visit is repeated
    /// after a crash. New nodes to which no new edge leads begin at once; this node's own edges deliver at the end
    /// of its visit, as always.
    ///
    /// The graph must have been planned with [`Graph::growing`](crate::Graph::growing), which makes the work of
    /// each new node from its plan and its spec.
    ///
    /// # Errors
    /// The graph would be invalid, or the log cannot be written.
    pub async fn grow(&self, growth: Growth) -> Result<(), NodeError> {
        if self.is_emitted_next() {
            return self.emit(vec![Body::Grown(growth)]).await;
        }
        self.count_emitted(1);
        let grown = self.shared().log.grow(&self.shared().plan.id, growth);
        grown.map_err(|error| NodeError::failed(format!("The graph cannot grow like this. {error}")))?;
        Ok(self.shared().log.flush().await?)
    }
}

/// The work of a node that this version cannot do.
pub(crate) struct Unknown(pub String);

#[async_trait]
impl Work for Unknown {
    async fn run(&self, _: &NodeContext) -> Result<Outcome, NodeError> {
        Err(NodeError::failed(format!(
            "This version of Pitwall does not know how to do its work. {}",
            self.0
        )))
    }
}
