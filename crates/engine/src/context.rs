use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Instant,
};

use llm::{ChatAnswer, ChatModel, ChatRequest};
use protocol::{
    Body, CallFinished, CallId, CallStarted, NodeAdded, RunId, RunRequest, Text, ToolInvoked, ToolReturned,
};
use serde_json::Value;

use crate::{LiveCalls, NodeError, State, ToolResult, run_log::RunLog};

/// What a node sees of its run, and what it may ask for.
pub struct NodeContext {
    log: Arc<RunLog>,
    model: Arc<dyn ChatModel>,
    live: Arc<LiveCalls>,
    plan: NodeAdded,
    visit: u32,
    state: State,
    calls: AtomicU32,
    emitted: AtomicUsize,
}

impl NodeContext {
    pub(crate) fn new(
        log: Arc<RunLog>,
        model: Arc<dyn ChatModel>,
        live: Arc<LiveCalls>,
        plan: NodeAdded,
        visit: u32,
    ) -> Self {
        let state = log.progress().state.clone();
        Self { log, model, live, plan, visit, state, calls: AtomicU32::new(0), emitted: AtomicUsize::new(0) }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.log.run
    }

    /// What was asked for.
    pub fn request(&self) -> &RunRequest {
        &self.log.request
    }

    /// The node's place in the plan.
    pub fn plan(&self) -> &NodeAdded {
        &self.plan
    }

    /// 1 in the first visit.
    pub fn visit(&self) -> u32 {
        self.visit
    }

    /// The run's state when the visit began.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Asks the run's model. An answer that is in the log is returned from there.
    ///
    /// Calls are numbered in the order in which they are made: make them in the same order
    /// in every execution of a visit.
    ///
    /// # Errors
    /// The model cannot answer, a limit is reached, or the log cannot be written.
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatAnswer, NodeError> {
        let call = self.next_call();
        let known = self.log.progress().answer(&call);
        if let Some(answer) = known {
            return Ok(answer);
        }
        if let Some(limit) = self.log.limit_reached() {
            return Err(NodeError::Limit(limit));
        }
        let model = self.model.model(request.tier);
        let started = CallStarted {
            call: call.clone(),
            model: model.clone(),
            tier: request.tier,
            prompt: llm::render(&request.messages).into(),
            tools: request.tools.iter().map(|tool| tool.name.clone()).collect(),
        };
        self.append(vec![Body::CallStarted(started)]).await?;
        let open = self.live.open(call.clone());
        let clock = Instant::now();
        let answer = self.model.chat(&request, &mut |piece| open.push(piece)).await;
        let latency_ms = milliseconds(clock);
        let finished = match &answer {
            Ok(answer) => finished_call(call, answer, latency_ms),
            Err(error) => failed_call(call, model, error, latency_ms),
        };
        // The call stays open until its answer is in the log, so that its text is always somewhere.
        self.append(vec![Body::CallFinished(finished)]).await?;
        drop(open);
        Ok(answer?)
    }

    /// Calls a tool. A result that is in the log is returned from there, and `work` is not run.
    ///
    /// # Errors
    /// The log cannot be written. A tool's own error is a [`ToolResult`].
    pub async fn tool(
        &self,
        name: &str,
        arguments: Value,
        work: impl Future<Output = ToolResult> + Send,
    ) -> Result<ToolResult, NodeError> {
        let call = self.next_call();
        let known = self.log.progress().result(&call);
        if let Some(result) = known {
            return Ok(result);
        }
        let arguments = Text::from(arguments.to_string());
        let invoked = ToolInvoked { call: call.clone(), tool: name.to_owned(), arguments };
        self.append(vec![Body::ToolInvoked(invoked)]).await?;
        let clock = Instant::now();
        let result = work.await;
        let returned = ToolReturned {
            call,
            status: result.status,
            result: result.text.as_str().into(),
            vendor: result.vendor.clone(),
            latency_ms: milliseconds(clock),
        };
        self.append(vec![Body::ToolReturned(returned)]).await?;
        Ok(result)
    }

    /// Writes messages, reports, results or log lines: all of them or none, and once, also
    /// when the visit is repeated after a crash.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn emit(&self, bodies: Vec<Body>) -> Result<(), NodeError> {
        let before = self.emitted.fetch_add(bodies.len(), Ordering::Relaxed);
        let in_log = self.log.progress().emitted(&self.plan.id);
        let new: Vec<Body> = bodies.into_iter().skip(in_log.saturating_sub(before)).collect();
        if new.is_empty() { Ok(()) } else { self.append(new).await }
    }

    fn next_call(&self) -> CallId {
        CallId::new(&self.plan.id, self.visit, self.calls.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn append(&self, bodies: Vec<Body>) -> Result<(), NodeError> {
        Ok(self.log.append(Some(&self.plan.id), bodies).await?)
    }
}

fn finished_call(call: CallId, answer: &ChatAnswer, latency_ms: u64) -> CallFinished {
    let tool_requests = answer.tool_requests.iter().map(|request| protocol::ToolRequest {
        id: request.id.clone(),
        name: request.name.clone(),
        arguments: request.arguments.to_string().into(),
    });
    CallFinished {
        call,
        model: answer.model.clone(),
        answer: answer.text.as_str().into(),
        tool_requests: tool_requests.collect(),
        usage: answer.usage,
        cost: answer.cost,
        latency_ms,
        retries: answer.retries,
        error: None,
    }
}

fn failed_call(call: CallId, model: String, error: &llm::ChatError, latency_ms: u64) -> CallFinished {
    CallFinished {
        call,
        model,
        answer: Text::default(),
        tool_requests: Vec::new(),
        usage: protocol::Usage::default(),
        cost: None,
        latency_ms,
        retries: 0,
        error: Some(error.to_string()),
    }
}

pub(crate) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
