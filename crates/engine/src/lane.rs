use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use llm::{Arguments, ChatAnswer, ChatFailure, ChatModel, ChatRequest};
use protocol::{
    AccountId, Answer, Attempt, Body, CallFinished, CallId, CallStarted, Decimal, InputForm, InputReceived,
    InputRequest, InvalidId, LaneId, NodeAdded, RunId, RunRequest, Text, Timestamp, ToolInvoked,
    ToolReturned, Totals,
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    Engine, LiveCalls, NodeError, Question, State, ToolResult, asked,
    command::Commands,
    input::value_of,
    prompt::NewPrompt,
    run_log::{RunLog, now},
};

/// What an agent of a node can read of the run, and what it can ask for: calls one after the other, side by side
/// with those of other lanes of the same visit.
pub struct Lane {
    visit: Arc<Visit>,
    /// `None` outside of all lanes.
    id: Option<LaneId>,
    calls: AtomicU32,
}

/// What all lanes of a visit share.
pub(crate) struct Visit {
    pub log: Arc<RunLog>,
    pub model: Arc<dyn ChatModel>,
    pub live: Arc<LiveCalls>,
    pub engine: Engine,
    pub commands: Commands,
    /// Cancelled when no further call or question may begin.
    pub stop: CancellationToken,
    pub plan: NodeAdded,
    pub number: u32,
    pub state: State,
    pub comments: Vec<String>,
    pub lanes: Mutex<BTreeSet<LaneId>>,
}

impl Lane {
    /// Where a visit makes its calls outside of all lanes.
    pub(crate) fn outside(visit: Visit) -> Self {
        Self { visit: Arc::new(visit), id: None, calls: AtomicU32::new(0) }
    }

    /// A lane of this name, once in a visit. Its calls are numbered for themselves, so that they can be made at the
    /// same time as those of other lanes: what each asks must depend on its own calls, and on what was known when
    /// it began.
    ///
    /// # Errors
    /// The visit has this lane already, or it has no such name.
    pub fn lane(&self, name: &str) -> Result<Self, NodeError> {
        let id = self.id.as_ref().map_or_else(|| name.parse(), |outer| outer.within(name));
        let id: LaneId = id.map_err(|error: InvalidId| NodeError::failed(error.to_string()))?;
        let is_new = self.visit.lanes.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        if !is_new {
            return Err(NodeError::failed(format!("The visit has a lane \"{id}\" already.")));
        }
        Ok(Self { visit: self.visit.clone(), id: Some(id), calls: AtomicU32::new(0) })
    }

    /// The run's id.
    pub fn run(&self) -> RunId {
        self.visit.log.run
    }

    /// The account that owns the run.
    pub fn owner(&self) -> &AccountId {
        &self.visit.log.account.id
    }

    /// The request that the run was started with.
    pub fn request(&self) -> &RunRequest {
        &self.visit.log.request
    }

    /// What the run and the ended runs that it has started have used until now. It is no part of the visit's state: a
    /// visit that is repeated may see more, so that what is made of it belongs into a tool's result.
    pub fn used(&self) -> Totals {
        self.visit.log.progress().used()
    }

    /// The node's place in the plan.
    pub fn plan(&self) -> &NodeAdded {
        &self.visit.plan
    }

    /// The number of this visit, from 1.
    pub fn visit(&self) -> u32 {
        self.visit.number
    }

    /// The run's state when the visit began.
    pub fn state(&self) -> &State {
        &self.visit.state
    }

    /// The comments of people who sent this node's work back.
    pub fn comments(&self) -> &[String] {
        &self.visit.comments
    }

    /// Asks the run's model. What the log holds of this call is returned from there, be it an answer
    /// or a failure, so that a visit that is repeated takes the same path.
    ///
    /// Calls are numbered in the order in which they are made: make them in the same order, and ask
    /// the same, in every execution of a visit. Those that are made side by side need a lane each.
    ///
    /// # Errors
    /// The model cannot answer, a limit is reached, the log holds the answer to another question, or
    /// it cannot be written. Limits are checked before a call: those under way then come to their end,
    /// so that calls at the same time can go beyond a limit together.
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatAnswer, NodeError> {
        let call = self.next_call();
        let request = self.visit.model.adapt(request);
        let asked = asked::of_chat(&request)?;
        let known = {
            let progress = self.visit.log.progress();
            progress.check_asked(&call, &asked)?;
            progress.answer(&call)
        };
        if let Some(answer) = known {
            return answer.map_err(NodeError::Model);
        }
        let _calling = self.visit.log.waits.call(&self.visit.plan.id);
        self.check_going_on()?;
        if let Some(limit) = self.visit.log.limit_reached().await? {
            return Err(NodeError::Limit(limit));
        }
        let model = self.visit.model.model_of(&request);
        let prompt = NewPrompt::of(&request.messages)?;
        let prompt = self.visit.log.progress().prompt(&self.visit.plan.id, &call, prompt);
        let started = CallStarted {
            call: call.clone(),
            model: model.clone(),
            tier: request.tier,
            profile: request.profile.clone(),
            prompt,
            tools: request.tools.iter().map(|tool| tool.name.clone()).collect(),
            asked: Some(asked),
        };
        self.append(vec![Body::CallStarted(started)]).await?;
        let open = self.visit.live.open(call.clone());
        let clock = Instant::now();
        let answer = {
            let mut push = |piece: llm::Piece<'_>| open.push(piece);
            let answering = pin!(self.visit.model.chat(&request, &mut push));
            self.unless_stopped(answering).await?
        };
        let latency_ms = milliseconds(clock);
        let finished = match answer {
            Ok(answer) => finished_call(call.clone(), answer, latency_ms),
            Err(failure) => failed_call(call.clone(), model, failure, latency_ms),
        };
        // What the node makes of the answer does not wait for the disk; what leaves the process does.
        self.visit.log.stage_answer(&self.visit.plan.id, finished, open);
        // Read back from the progress, so that a repeated visit gets exactly the same value.
        let logged = self.visit.log.progress().answer(&call);
        let answer = logged.unwrap_or_else(|| Err("The answer is not in the log.".to_owned()));
        answer.map_err(NodeError::Model)
    }

    /// Calls a tool. A result that is in the log is returned from there, and `work` is not run.
    ///
    /// # Errors
    /// The log cannot be written. A tool's own error is a [`ToolResult`].
    pub async fn tool(
        &self,
        name: &str,
        arguments: &Arguments,
        work: impl Future<Output = ToolResult> + Send,
    ) -> Result<ToolResult, NodeError> {
        let call = self.next_call();
        let asked = asked::of_tool(name, arguments)?;
        let known = {
            let progress = self.visit.log.progress();
            progress.check_asked(&call, &asked)?;
            progress.result(&call)
        };
        if let Some(result) = known {
            return Ok(result);
        }
        let _calling = self.visit.log.waits.call(&self.visit.plan.id);
        self.check_going_on()?;
        let (arguments, asked) = (Text::from(arguments.text()), Some(asked));
        let invoked = ToolInvoked { call: call.clone(), tool: name.to_owned(), arguments, asked };
        self.append(vec![Body::ToolInvoked(invoked)]).await?;
        let clock = Instant::now();
        let result = self.unless_stopped(work).await?;
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

    /// Asks a person and waits for the answer, also across restarts of the server.
    ///
    /// # Errors
    /// Nobody answered in time and there is no default, or the log cannot be written.
    pub async fn ask(&self, question: Question) -> Result<Value, NodeError> {
        let input = self.next_call();
        let form = InputForm::from(question.form);
        let (known, was_asked) = {
            let progress = self.visit.log.progress();
            progress.check_question(&input, &question.prompt, &form)?;
            (progress.received(&input), progress.was_asked(&input))
        };
        if let Some(answer) = known {
            return value_of(&answer);
        }
        if !was_asked {
            self.check_going_on()?;
            let patience = question.patience.and_then(|patience| i64::try_from(patience.as_millis()).ok());
            let request = InputRequest {
                input: input.clone(),
                prompt: question.prompt,
                reason: question.reason,
                form,
                deadline: patience.map(|patience| Timestamp(now().0.saturating_add(patience))),
                default: question.default.map(|default| default.to_string().into()),
            };
            self.append(vec![Body::InputRequested(request)]).await?;
        }
        let answer = self.wait_for_answer(&input).await?;
        self.visit.log.slot.take().await;
        value_of(&answer)
    }

    async fn wait_for_answer(&self, input: &CallId) -> Result<Answer, NodeError> {
        let _waiting = self.visit.log.waits.question(&self.visit.plan.id);
        let request = self.visit.log.progress().open(input).map(|(_, request)| request.clone());
        let (deadline, default) = request.map_or((None, None), |request| (request.deadline, request.default));
        let mut answered = self.visit.log.answers.subscribe();
        loop {
            if let Some(answer) = self.visit.log.progress().received(input) {
                return Ok(answer);
            }
            let left = deadline.map(|deadline| Duration::from_millis(deadline.since(now())));
            let overdue = async {
                match left {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = answered.changed() => changed.map_err(|_| NodeError::Stopped)?,
                () = overdue => {
                    let answer = match &default {
                        Some(json) => Answer::Value { json: json.clone() },
                        None => Answer::Expired,
                    };
                    let received = InputReceived { input: input.clone(), answer, by: None };
                    // Refused if another answer came first; then that answer is used.
                    let _ = self.visit.commands.answer(received).await;
                }
            }
        }
    }

    pub(crate) fn shared(&self) -> &Visit {
        &self.visit
    }

    pub(crate) fn check_going_on(&self) -> Result<(), NodeError> {
        if self.visit.stop.is_cancelled() { Err(NodeError::Stopped) } else { Ok(()) }
    }

    /// Runs the work, and drops it when the run is stopped.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, NodeError> {
        tokio::select! {
            biased;
            () = self.visit.stop.cancelled() => Err(NodeError::Stopped),
            done = work => Ok(done),
        }
    }

    pub(crate) fn next_call(&self) -> CallId {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let (node, visit) = (&self.visit.plan.id, self.visit.number);
        match &self.id {
            None => CallId::new(node, visit, number),
            Some(lane) => CallId::in_lane(node, visit, lane, number),
        }
    }

    pub(crate) async fn append(&self, bodies: Vec<Body>) -> Result<(), NodeError> {
        Ok(self.visit.log.append(Some(&self.visit.plan.id), bodies).await?)
    }
}

fn finished_call(call: CallId, answer: ChatAnswer, latency_ms: u64) -> CallFinished {
    let tool_requests = answer.tool_requests.into_iter().map(|request| protocol::ToolRequest {
        id: request.id,
        name: request.name,
        arguments: request.arguments.text().into(),
        unreadable: match request.arguments {
            Arguments::Object(_) => None,
            Arguments::Unreadable { why, .. } => Some(why),
        },
        echo: request.echo.as_ref().map(object),
    });
    CallFinished {
        call,
        model: answer.model,
        answer: answer.text.into(),
        thoughts: answer.thoughts.into(),
        cut_off: Text::default(),
        tool_requests: tool_requests.collect(),
        echo: answer.echo.as_ref().map(object),
        usage: answer.usage,
        cost: answer.cost,
        latency_ms,
        retries: count(&answer.attempts),
        attempts: answer.attempts,
        error: None,
    }
}

/// A JSON object as text.
fn object(object: &Map<String, Value>) -> Text {
    serde_json::to_string(object).unwrap_or_default().into()
}

fn count(attempts: &[Attempt]) -> u32 {
    u32::try_from(attempts.len()).unwrap_or(u32::MAX)
}

/// The end of a call without an answer. Its tokens and costs stand at its attempts.
fn failed_call(call: CallId, model: String, failure: ChatFailure, latency_ms: u64) -> CallFinished {
    CallFinished {
        call,
        model,
        answer: Text::default(),
        thoughts: Text::default(),
        cut_off: Text::default(),
        tool_requests: Vec::new(),
        echo: None,
        usage: protocol::Usage::default(),
        cost: Some(Decimal::ZERO),
        latency_ms,
        retries: count(&failure.attempts),
        attempts: failure.attempts,
        error: Some(failure.error.to_string()),
    }
}

pub(crate) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
