//! Where a run can be continued in a new one.

use leptos::prelude::*;
use protocol::{ForkPoint, KindSpec, NodeId, RunStatus, RunView};

/// Where the run is to be continued, while the dialog asks for the rest.
#[derive(Clone, Copy, Default)]
pub struct ForkDraft {
    /// Whether the dialog is there.
    pub open: RwSignal<bool>,
    /// The place that was chosen.
    pub point: RwSignal<Option<ForkPoint>>,
}

impl ForkDraft {
    /// Asks how to continue from a place.
    pub fn open(&self, point: ForkPoint) {
        self.point.set(Some(point));
        self.open.set(true);
    }
}

/// A place to continue from, as the menu offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPlace {
    /// Its name.
    pub title: String,
    /// What that means.
    pub hint: String,
    /// The place.
    pub point: ForkPoint,
}

/// Why a run cannot be continued at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// It was taken in from a file.
    Imported,
    /// This version does not know its workflow.
    UnknownWorkflow,
}

impl Barrier {
    /// What it is, and what follows.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Imported => (
                "Imported:",
                "this run was taken in from a file, and what it says was not done here. It can be read, compared \
                 and exported. It cannot be continued, and its figures count for no budget.",
            ),
            Self::UnknownWorkflow => (
                "Made by another version:",
                "this version of Pitwall does not know the run's workflow. It can be read, exported and deleted, \
                 but not continued.",
            ),
        }
    }
}

/// What keeps a run from being continued, if something does.
pub fn barrier(view: &RunView, spec: Option<&KindSpec>) -> Option<Barrier> {
    let summary = &view.summary;
    if summary.imported_from.is_some() {
        Some(Barrier::Imported)
    } else if spec.is_none() {
        Some(Barrier::UnknownWorkflow)
    } else {
        None
    }
}

/// The places that the menu offers: those that the kind's family names, or else every phase that was
/// reached. What lies between them is found in the dialog and at the nodes.
pub fn named_places(view: &RunView, spec: Option<&KindSpec>) -> Vec<NamedPlace> {
    let phases = spec.map_or(&[][..], |spec| &spec.phases);
    let named = |point: ForkPoint| {
        let (title, hint) = match &point {
            ForkPoint::End => ("Where it ended", "What succeeded stands; the rest is done"),
            ForkPoint::Phase { phase } if phases.is_empty() => (phase.as_str(), "What came before stands"),
            ForkPoint::Phase { phase } => {
                let named = phases.iter().find(|known| known.phase == *phase)?;
                (named.title.as_str(), named.hint.as_str())
            }
            ForkPoint::Before { .. } | ForkPoint::After { .. } => return None,
        };
        let (title, hint) = (title.to_owned(), hint.to_owned());
        Some(NamedPlace { title, hint, point })
    };
    places(view, spec).into_iter().filter_map(named).collect()
}

/// The places where a run can be continued without naming a node: its end, and each phase that was reached.
pub fn places(view: &RunView, spec: Option<&KindSpec>) -> Vec<ForkPoint> {
    let mut places = Vec::new();
    if barrier(view, spec).is_some() {
        return places;
    }
    if can_go_on(view) {
        places.push(ForkPoint::End);
    }
    for node in view.nodes.iter().filter(|node| !node.visits.is_empty()) {
        let place = ForkPoint::Phase { phase: node.plan.phase.clone() };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// Whether the run ended before its work was done.
pub fn can_go_on(view: &RunView) -> bool {
    matches!(view.summary.status, RunStatus::Failed | RunStatus::Cancelled)
}

/// A place in words, as the end of "continues …".
pub fn in_words(point: &ForkPoint, view: &RunView) -> String {
    let label =
        |node: &NodeId| view.node(node).map_or_else(|| node.to_string(), |node| node.plan.label.clone());
    let visited = |node: &NodeId, visit: u32| match visit {
        1 => label(node),
        visit => format!("{}, visit {visit}", label(node)),
    };
    match point {
        ForkPoint::Before { node, visit } => format!("from {} on", visited(node, *visit)),
        ForkPoint::After { node, visit } => format!("after {}", visited(node, *visit)),
        ForkPoint::Phase { phase } => format!("from the phase {phase} on"),
        ForkPoint::End => "where it ended".to_owned(),
    }
}
