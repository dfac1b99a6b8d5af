//! How much of what is within a group is done.

use leptos::prelude::*;
use protocol::{Decimal, NodeStatus, NodeView, RunView};

use crate::{components::status::Tone, format, graph::tree::Tree};

/// The nodes within a group that are no groups themselves, by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// All of them.
    pub all: usize,
    /// Those that are done or were skipped.
    pub done: usize,
    /// Those that work or wait for somebody.
    pub at_work: usize,
    /// Those that failed.
    pub failed: usize,
    cost: Decimal,
    calls_of_unknown_cost: u32,
}

impl Standing {
    fn of(node: &NodeView) -> Self {
        let count = |is_it| usize::from(is_it);
        Self {
            all: 1,
            done: count(matches!(node.status, NodeStatus::Succeeded | NodeStatus::Skipped)),
            at_work: count(matches!(node.status, NodeStatus::Running | NodeStatus::Waiting)),
            failed: count(node.status == NodeStatus::Failed),
            ..Self::own(node)
        }
    }

    /// What a node cost by itself.
    fn own(node: &NodeView) -> Self {
        Self {
            cost: node.cost.unwrap_or_default(),
            calls_of_unknown_cost: node.calls_of_unknown_cost,
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        self.all += other.all;
        self.done += other.done;
        self.at_work += other.at_work;
        self.failed += other.failed;
        // A sum of prices that is too large to be held stands still.
        self.cost = self.cost.checked_add(other.cost).unwrap_or(self.cost);
        self.calls_of_unknown_cost = self.calls_of_unknown_cost.saturating_add(other.calls_of_unknown_cost);
    }

    /// In words: `24 of 68 · 5 at work · 1 failed`.
    pub fn words(&self) -> String {
        let some =
            |count: usize, what: &str| (count > 0).then(|| format!("{} {what}", format::count(count as u64)));
        let done = format!("{} of {} done", format::count(self.done as u64), format::count(self.all as u64));
        let parts = [some(self.at_work, "at work"), some(self.failed, "failed")];
        std::iter::once(done).chain(parts.into_iter().flatten()).collect::<Vec<_>>().join(" · ")
    }

    /// What it cost so far, if anything is known of it.
    pub fn cost(&self) -> Option<String> {
        let is_known = self.cost > Decimal::ZERO || self.calls_of_unknown_cost > 0;
        is_known.then(|| format::cost_of(self.cost, self.calls_of_unknown_cost).known)
    }

    /// The tone of the whole: what failed stands out, then what works.
    pub fn tone(&self) -> Tone {
        match self {
            Self { failed: 1.., .. } => Tone::Failed,
            Self { at_work: 1.., .. } => Tone::Live,
            Self { all, done, .. } if all == done => Tone::Done,
            _ => Tone::Quiet,
        }
    }
}

/// How each group stands, by its place among the nodes; of what is no group, how it stands itself.
pub fn standings(view: &RunView, tree: &Tree) -> Vec<Standing> {
    let mut standings: Vec<Standing> = view
        .nodes
        .iter()
        .enumerate()
        .map(|(place, node)| if tree.is_group(place) { Standing::own(node) } else { Standing::of(node) })
        .collect();
    // From the innermost outwards: a group has the longer path, the deeper it is.
    let mut groups: Vec<(usize, usize)> = (0..standings.len())
        .filter(|node| tree.parent(*node).is_some())
        .map(|node| (tree.around(node).count(), node))
        .collect();
    groups.sort_unstable_by(|one, other| other.cmp(one));
    for (_, node) in groups {
        let own = standings[node];
        if let Some(parent) = tree.parent(node) {
            standings[parent].add(&own);
        }
    }
    standings
}

/// The parts of a whole as a bar.
#[component]
pub fn StandingBar(
    /// The whole.
    standing: Memo<Standing>,
) -> impl IntoView {
    let part = move |of: fn(&Standing) -> (usize, usize)| {
        standing.with(|standing| {
            let (before, length) = of(standing);
            let percent = |count: usize| format!("{:.1}%", count as f64 * 100.0 / standing.all.max(1) as f64);
            (percent(before), percent(length))
        })
    };
    let rect = move |class: &'static str, of: fn(&Standing) -> (usize, usize)| {
        view! {
            <rect class=class x=move || part(of).0 width=move || part(of).1 height="6"></rect>
        }
    };
    view! {
        <svg class="standing-bar" width="100%" height="6" aria-hidden="true">
            <rect class="standing-planned" width="100%" height="6"></rect>
            {rect("standing-done", |standing| (0, standing.done))}
            {rect("standing-failed", |standing| (standing.done, standing.failed))}
            {rect("standing-live", |standing| (standing.done + standing.failed, standing.at_work))}
        </svg>
    }
}
