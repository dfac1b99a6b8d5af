//! The part of a view that is as large as the run's graph, whatever happens on it.

use std::{collections::BTreeSet, sync::Arc};

use super::{Entries, RunView};
use crate::{Product, ProductKind, Standing};

impl RunView {
    /// Lets go of what only a look at one node, at the transcript or at the past needs: calls that ended, turns,
    /// reports, the state, answered questions, runs started that ended, the talk beside the run, and products that are not shown in short.
    /// Further events can be applied: what the outline has of the run stays right.
    pub fn keep_outline(&mut self) {
        self.calls.retain(|call| call.outcome.is_none());
        self.tools.retain(|tool| tool.outcome.is_none());
        self.inputs.retain(|input| input.received.is_none());
        self.sub_runs.retain(|sub_run| sub_run.outcome.is_none());
        self.turns = Entries::default();
        self.reports.clear();
        self.state.clear();
        self.chats.clear();
        self.products = self.products_in_short();
    }

    /// What the run has brought forth, in short and in order: of results of one kind the last one, and every step.
    pub fn products_in_short(&self) -> Vec<Arc<Product>> {
        let mut known: BTreeSet<&ProductKind> = BTreeSet::new();
        let mut shown: Vec<_> = (self.products.iter().rev())
            .filter(|product| match product.standing {
                Standing::Result => known.insert(&product.kind),
                Standing::Step => true,
                Standing::Data => false,
            })
            .cloned()
            .collect();
        shown.reverse();
        shown
    }
}
