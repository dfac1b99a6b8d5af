//! What people have said: answers, approvals, comments and messages.

use protocol::{Answer, CallId, Digest, Heard, InputForm, InputReceived, InputRequest, NodeId, Stopped};

use super::Progress;
use crate::{Message, NodeError, run_graph::Number};

impl Progress {
    pub(super) fn receive(&mut self, number: Number, received: &InputReceived) {
        let asked = self.open.remove(&received.input).map(|(_, request)| request.form);
        self.answered.insert(received.input.clone());
        self.received.insert(received.input.clone(), received.answer.clone());
        match (&received.answer, asked) {
            (Answer::Approved { digest, edits }, Some(InputForm::Approval(form))) => {
                self.nodes[number].approved = Some((form.visit, digest.clone()));
                self.level_mut(self.graph.owner(number)).state.merge(edits, |_| false);
            }
            (Answer::SentBack { to, comment }, _) => {
                let to = self.graph.number(to);
                self.withdraw(number, to);
                if let Some(to) = to {
                    self.nodes[to].comments.push(comment.clone());
                    self.trigger(to);
                }
            }
            (Answer::Rerouted { to }, _) => {
                self.withdraw(number, None);
                if let Some(to) = self.graph.number(to) {
                    self.trigger(to);
                }
            }
            (Answer::Rejected { reason }, _) => {
                let by = received.by.clone().unwrap_or_default();
                self.rejected = Some(Stopped { by, reason: reason.clone() });
            }
            _ => {}
        }
    }

    pub(super) fn hear(&mut self, number: Number, heard: &Heard) {
        let node = &mut self.nodes[number];
        let messages = node.inbox.len().min(heard.messages as usize);
        let taken = node.inbox.drain(..messages).collect();
        node.calls.push(heard.look.clone());
        self.heard.insert(heard.look.clone(), taken);
    }

    /// The same check for a question to a person.
    pub fn check_question(&self, input: &CallId, prompt: &str, form: &InputForm) -> Result<(), NodeError> {
        let is_another =
            self.questions.get(input).is_some_and(|logged| logged.prompt != prompt || logged.form != *form);
        if is_another || self.is_answered(input) || self.heard.contains_key(input) {
            return Err(NodeError::AnotherVersion(input.clone()));
        }
        Ok(())
    }

    /// The answer of a person to a question of a visit in flight, if it is in the log.
    pub fn received(&self, input: &CallId) -> Option<Answer> {
        self.received.get(input).cloned()
    }

    /// An open question, and the node that asks.
    pub fn open(&self, input: &CallId) -> Option<&(NodeId, InputRequest)> {
        self.open.get(input)
    }

    /// Whether the question exists, open or answered.
    pub fn was_asked(&self, input: &CallId) -> bool {
        self.open.contains_key(input) || self.answered.contains(input)
    }

    /// Whether this visit was approved with this digest.
    pub fn is_approved(&self, node: &NodeId, visit: u32, digest: &Digest) -> bool {
        let approved = self.node(node).and_then(|node| node.approved.as_ref());
        approved.is_some_and(|(number, shown)| *number == visit && shown == digest)
    }

    /// How many messages to a node no visit has taken.
    pub fn waiting_messages(&self, node: &NodeId) -> usize {
        self.node(node).map_or(0, |node| node.inbox.len())
    }

    /// What a visit in flight took from its inbox at this place, if it is in the log.
    pub fn heard(&self, look: &CallId) -> Option<Vec<Message>> {
        self.heard.get(look).cloned()
    }

    /// What people want the node's next visit to do differently.
    pub fn comments(&self, node: &NodeId) -> Vec<String> {
        self.node(node).map(|node| node.comments.clone()).unwrap_or_default()
    }
}
