//! What a run did, as its log has it: the visits to its nodes, each with the state that it began with.

use std::collections::BTreeSet;

use engine::State;
use journal::{Journal, JournalError};
use protocol::{
    Body, CallFinished, Digest, Event, NodeFinished, Product, ProductData, RunId, RunStatus, RunSummary,
    ToolStatus,
};
use serde::de::DeserializeOwned;

/// The log of a run, with its texts whole.
pub struct Recorded {
    summary: RunSummary,
    events: Vec<Event>,
    long_texts: BTreeSet<Digest>,
}

impl Recorded {
    /// Reads the log of a run; `None` if there is no such run.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn read(journal: &Journal, run: RunId) -> Result<Option<Self>, JournalError> {
        let Some(summary) = journal.summary(run).await? else { return Ok(None) };
        let mut events = journal.whole(run).await?;
        let mut long_texts = BTreeSet::new();
        for event in &mut events {
            // The whole prompts are not needed: what was answered decides.
            let is_prompt = matches!(event.body, Body::CallStarted(_));
            for text in event.body.texts_mut() {
                let Some(digest) = text.stored().cloned() else { continue };
                if !is_prompt {
                    *text = journal.resolve(text).await?.into();
                }
                long_texts.insert(digest);
            }
        }
        Ok(Some(Self { summary, events, long_texts }))
    }

    /// The run as lists show it.
    pub fn summary(&self) -> &RunSummary {
        &self.summary
    }

    /// All events.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The texts that are stored beside the events.
    pub(crate) fn long_texts(&self) -> &BTreeSet<Digest> {
        &self.long_texts
    }

    /// Why there is nothing of a node that was not reached.
    pub(crate) fn unreached(&self) -> String {
        let status = self.summary.status.label().to_lowercase();
        match &self.summary.error {
            Some(error) => format!("The run ended before ({status}): {error}"),
            None => format!("The run ended before ({status})."),
        }
    }

    /// The runs that this one started, in order, each with how it ended as this run was told; `None` where it was not.
    pub(crate) fn sub_runs(&self) -> Vec<(RunId, Option<RunStatus>)> {
        let mut started: Vec<(RunId, Option<RunStatus>)> = Vec::new();
        for event in &self.events {
            match &event.body {
                Body::SubRunStarted(sub_run) if !started.iter().any(|(run, _)| *run == sub_run.run) => {
                    started.push((sub_run.run, None));
                }
                Body::SubRunFinished(finished) => {
                    let known = started.iter_mut().find(|(run, _)| *run == finished.run);
                    known.into_iter().for_each(|(_, told)| *told = Some(finished.status));
                }
                _ => {}
            }
        }
        started
    }

    /// The visits to a node that ended, oldest first. `node` is within no other.
    pub(crate) fn visits(&self, node: &str) -> Vec<RecordedVisit<'_>> {
        self.visits_of(&[node])
    }

    /// The visits to some nodes that ended, in the order in which they ended.
    pub(crate) fn visits_of(&self, nodes: &[&str]) -> Vec<RecordedVisit<'_>> {
        let mut begun: Vec<(&str, u32, usize, State)> = Vec::new();
        let (mut state, mut ended) = (State::default(), Vec::new());
        for (place, event) in self.events.iter().enumerate() {
            let node = event.node.as_ref().map(|node| node.as_str()).filter(|node| nodes.contains(node));
            match (node, &event.body) {
                // A visit that is repeated after a crash begins with what it began with at first.
                (Some(node), Body::NodeStarted(started))
                    if !begun.iter().any(|it| (it.0, it.1) == (node, started.visit)) =>
                {
                    begun.retain(|it| it.0 != node);
                    begun.push((node, started.visit, place, state.clone()));
                }
                (Some(node), Body::NodeFinished(finished)) => {
                    if let Some(at) = begun.iter().position(|it| it.0 == node) {
                        let (_, _, from, state) = begun.swap_remove(at);
                        let events = self.events.get(from..place).unwrap_or_default();
                        ended.push(RecordedVisit { node: event.node.as_ref(), events, state, finished });
                    }
                }
                _ => {}
            }
            state.apply(event);
        }
        ended
    }
}

/// A visit to a node that ended.
pub(crate) struct RecordedVisit<'r> {
    node: Option<&'r protocol::NodeId>,
    /// All events from its beginning to its end, those of other nodes among them.
    events: &'r [Event],
    /// The state that it began with.
    pub(crate) state: State,
    /// Its end.
    pub(crate) finished: &'r NodeFinished,
}

impl<'r> RecordedVisit<'r> {
    fn bodies(&self) -> impl Iterator<Item = &'r Body> + '_ {
        self.events.iter().filter(|event| event.node.as_ref() == self.node).map(|event| &event.body)
    }

    /// The id of its node.
    pub(crate) fn node(&self) -> &'r str {
        self.node.map(|node| node.as_str()).unwrap_or_default()
    }

    /// Why a visit that failed came to nothing.
    pub(crate) fn failure(&self) -> String {
        let reason = self.finished.reason.as_deref().unwrap_or("no reason is recorded.");
        format!("The step came to nothing: {reason}")
    }

    /// The last answer of a model; `None` where none answered.
    pub(crate) fn last_answer(&self) -> Option<&'r CallFinished> {
        let answers = self.bodies().filter_map(|body| match body {
            Body::CallFinished(finished) if finished.error.is_none() => Some(finished),
            _ => None,
        });
        answers.last()
    }

    /// What it brought forth of one kind, in order.
    pub(crate) fn products<D: ProductData>(&self) -> Vec<D> {
        let products = self.bodies().filter_map(|body| match body {
            Body::Produced(product) => Product::document(product),
            _ => None,
        });
        products.collect()
    }

    /// What code found out by a tool of this name, the last time; `None` where that is not in the log.
    pub(crate) fn measured<T: DeserializeOwned>(&self, tool: &str) -> Option<T> {
        let call = self.bodies().filter_map(|body| match body {
            Body::ToolInvoked(invoked) if invoked.tool == tool => Some(&invoked.call),
            _ => None,
        });
        let call = call.last()?;
        let returned = self.bodies().find_map(|body| match body {
            Body::ToolReturned(returned) if returned.call == *call => Some(returned),
            _ => None,
        })?;
        let is_there = returned.status != ToolStatus::Error;
        is_there.then(|| serde_json::from_str(returned.result.whole()?).ok())?
    }

    /// The runs that it started, in order.
    pub(crate) fn sub_runs(&self) -> Vec<RunId> {
        let runs = self.bodies().filter_map(|body| match body {
            Body::SubRunStarted(started) => Some(started.run),
            _ => None,
        });
        runs.collect()
    }

    /// What it set under a key of the state, or appended to it; `None` where it did not, or something else.
    pub(crate) fn set<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.finished.patch.get(key)?.whole()?).ok()
    }
}
