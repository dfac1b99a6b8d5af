//! Whoever speaks hands over to the next one.

use serde::{Deserialize, Serialize};

use super::{
    SpeakingError,
    conversation::{Entry, View},
};
use crate::message::{Body, Message};

/// Who speaks at the moment; the first participant in the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Swarm {
    current: Option<String>,
}

impl Swarm {
    /// Where the work was handed over to somebody outside, a task has to hand it back.
    pub(super) fn check_task(task: &[Message], view: &View<'_>) -> Result<(), SpeakingError> {
        let in_task: Vec<&str> = task.iter().filter_map(target).collect();
        if let Some(outside) = in_task.iter().find(|target| !takes_part(view, target)) {
            return Err(SpeakingError::HandoffOutside((*outside).to_owned()));
        }
        match latest(view.thread) {
            Some((_, target)) if in_task.is_empty() && !takes_part(view, target) => {
                Err(SpeakingError::HandoffOutside(target.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whoever handed over last, where that was to somebody who takes no part.
    pub(super) fn handed_outside<'v>(view: &View<'v>) -> Option<&'v str> {
        let (source, target) = latest(view.thread)?;
        (!takes_part(view, target)).then_some(source)
    }

    /// The target of the latest handoff; without one, whoever spoke goes on.
    pub(super) fn choose(&mut self, view: &View<'_>) -> Result<String, SpeakingError> {
        if let Some((_, target)) = latest(view.thread) {
            if !takes_part(view, target) {
                return Err(SpeakingError::HandoffOutside(target.to_owned()));
            }
            self.current = Some(target.to_owned());
        }
        let first = view.members.first().map(|member| member.name.clone());
        let current = self.current.get_or_insert(first.ok_or(SpeakingError::Nobody)?);
        Ok(current.clone())
    }
}

/// Who handed over last, and to whom.
fn latest(thread: &[Entry]) -> Option<(&str, &str)> {
    let mut entries = thread.iter().rev().map(|entry| &entry.message);
    entries.find_map(|message| Some((message.source.as_str(), target(message)?)))
}

fn target(message: &Message) -> Option<&str> {
    match &message.body {
        Body::Handoff { target, .. } => Some(target),
        _ => None,
    }
}

fn takes_part(view: &View<'_>, name: &str) -> bool {
    view.members.iter().any(|member| member.name == name)
}
