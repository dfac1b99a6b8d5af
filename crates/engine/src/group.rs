//! Nodes whose inside is a graph.

use async_trait::async_trait;

use crate::{NodeContext, NodeError, Outcome, State, Work};

/// The work of a node that consists of the nodes within it.
pub(crate) struct Group<F>(pub F);

#[async_trait]
impl<F: Fn(&State) -> Result<Outcome, NodeError> + Send + Sync> Work for Group<F> {
    async fn run(&self, _: &NodeContext) -> Result<Outcome, NodeError> {
        Ok(Outcome::default())
    }

    fn conclude(&self, _: Outcome, inside: &State) -> Result<Outcome, NodeError> {
        (self.0)(inside)
    }
}
