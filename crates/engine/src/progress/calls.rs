//! What the visits under way have asked of models, tools and other runs, and what came back.

use llm::{Arguments, ChatAnswer, ToolRequest};
use protocol::{CallFinished, CallId, CallStarted, Digest, NodeId, Prompt, RunId, Timestamp};

use super::{Asked, Progress, SubRunEnd};
use crate::{
    NodeError, ToolResult,
    prompt::{LastPrompt, NewPrompt},
    run_graph::Number,
};

impl Progress {
    pub(super) fn note_asked(
        &mut self,
        number: Number,
        at: Timestamp,
        call: &CallId,
        model: &str,
        digest: Option<&Digest>,
    ) {
        self.nodes[number].calls.push(call.clone());
        let (node, model, digest) = (self.graph.id(number).clone(), model.to_owned(), digest.cloned());
        self.asked.insert(call.clone(), Asked { node, at, model, digest });
    }

    pub(super) fn note_prompt(&mut self, number: Number, started: &CallStarted) {
        let (lane, prompts) = (started.call.lane(), &mut self.nodes[number].prompts);
        if let Some(last) = LastPrompt::after(prompts.remove(&lane), started) {
            prompts.insert(lane, last);
        }
    }

    pub(super) fn end_call(&mut self, finished: &CallFinished) {
        if let Some(error) = &finished.error {
            self.answers.insert(finished.call.clone(), Err(error.clone()));
            return;
        }
        let whole = |text: &protocol::Text| text.whole().unwrap_or_default().to_owned();
        let tool_requests = finished.tool_requests.iter().map(|request| ToolRequest {
            id: request.id.clone(),
            name: request.name.clone(),
            arguments: arguments(request),
            echo: request.echo.as_ref().and_then(object),
        });
        let answer = ChatAnswer {
            model: finished.model.clone(),
            text: whole(&finished.answer),
            thoughts: whole(&finished.thoughts),
            tool_requests: tool_requests.collect(),
            echo: finished.echo.as_ref().and_then(object),
            usage: finished.usage,
            cost: finished.cost,
            attempts: finished.attempts.clone(),
        };
        self.answers.insert(finished.call.clone(), Ok(answer));
    }

    /// Drops the visit's calls, which only a repetition would need. A call that is still open was cut off by
    /// a crash and not repeated, and a started run may still be at work; they stay, since the run's end has to
    /// close them.
    pub(super) fn forget_calls(&mut self, number: Number) {
        let mut calls = std::mem::take(&mut self.nodes[number].calls);
        calls.retain(|call| {
            let is_at_work = self.sub_runs.get(call).is_some_and(|sub_run| sub_run.end.is_none());
            let stays = self.open_calls.contains(call) || is_at_work;
            if !stays {
                self.asked.remove(call);
                self.answers.remove(call);
                self.results.remove(call);
                self.questions.remove(call);
                self.received.remove(call);
                self.heard.remove(call);
                self.sub_runs.remove(call);
            }
            stays
        });
        self.nodes[number].calls = calls;
    }

    /// The answer to a call, or why there is none, if that is in the log.
    pub fn answer(&self, call: &CallId) -> Option<Result<ChatAnswer, String>> {
        self.answers.get(call).cloned()
    }

    /// What the log is to have of the prompt of a call that a node is about to make.
    pub fn prompt(&self, node: &NodeId, call: &CallId, prompt: NewPrompt) -> Prompt {
        let last = self.node(node).and_then(|node| node.prompts.get(&call.lane()));
        prompt.after(last, call)
    }

    /// The result of a tool call, if it is in the log.
    pub fn result(&self, call: &CallId) -> Option<ToolResult> {
        self.results.get(call).cloned()
    }

    /// Checks that the log's call of this id asked the same.
    ///
    /// # Errors
    /// [`NodeError::AnotherVersion`].
    pub fn check_asked(&self, call: &CallId, asked: &Digest) -> Result<(), NodeError> {
        let logged = self.asked.get(call).and_then(|asked| asked.digest.as_ref());
        let is_another = self.is_answered(call) && logged.is_some_and(|logged| logged != asked);
        if is_another || self.was_asked(call) || self.heard.contains_key(call) {
            return Err(NodeError::AnotherVersion(call.clone()));
        }
        Ok(())
    }

    pub(super) fn is_answered(&self, call: &CallId) -> bool {
        self.answers.contains_key(call) || self.results.contains_key(call) || self.sub_runs.contains_key(call)
    }

    /// Whether a call or a question of a visit in flight has this id.
    pub fn is_known(&self, call: &CallId) -> bool {
        self.is_answered(call) || self.was_asked(call)
    }

    /// The same check for a run to be started.
    pub fn check_sub_run(&self, call: &CallId, asked: &Digest) -> Result<(), NodeError> {
        let is_another = match self.sub_runs.get(call) {
            Some(sub_run) => sub_run.asked != *asked,
            None => self.is_known(call) || self.heard.contains_key(call),
        };
        if is_another { Err(NodeError::AnotherVersion(call.clone())) } else { Ok(()) }
    }

    /// The run that a visit in flight started in this call, and how it ended, as far as the log has it.
    pub fn sub_run(&self, call: &CallId) -> Option<(RunId, Option<SubRunEnd>)> {
        self.sub_runs.get(call).map(|sub_run| (sub_run.run, sub_run.end.clone()))
    }

    /// What that run asks people, as this run's log has it.
    pub fn asks(&self, call: &CallId) -> Vec<(RunId, CallId, Timestamp)> {
        self.sub_runs.get(call).map(|sub_run| sub_run.asks.clone()).unwrap_or_default()
    }

    /// The node that started it.
    pub fn node_of_sub_run(&self, call: &CallId) -> Option<NodeId> {
        self.sub_runs.get(call).map(|sub_run| sub_run.node.clone())
    }

    /// Runs that were started and whose end is not in the log.
    pub fn open_sub_runs(&self) -> Vec<(CallId, RunId)> {
        let open = self.sub_runs.iter().filter(|(_, sub_run)| sub_run.end.is_none());
        open.map(|(call, sub_run)| (call.clone(), sub_run.run)).collect()
    }

    /// Ends for the calls in flight, for a run that ends without their answers.
    pub fn dropped_calls(&self, now: Timestamp) -> Vec<(NodeId, CallFinished)> {
        let open = self.open_calls.iter().filter_map(|call| Some((call, self.asked.get(call)?)));
        open.map(|(call, asked)| {
            (
                asked.node.clone(),
                CallFinished::dropped(call.clone(), asked.model.clone(), now.since(asked.at)),
            )
        })
        .collect()
    }
}

/// The arguments as the model wrote them.
fn arguments(request: &protocol::ToolRequest) -> Arguments {
    let text = request.arguments.whole().unwrap_or_default();
    match &request.unreadable {
        Some(why) => Arguments::Unreadable { text: text.to_owned(), why: why.clone() },
        None => Arguments::Object(serde_json::from_str(text).unwrap_or_default()),
    }
}

fn object(text: &protocol::Text) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(text.whole()?).ok()
}
