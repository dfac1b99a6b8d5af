use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Body, CallId, ChatAnswered, Control, Event, FlowId, NodeAdded, NodeFinished, NodeId, NodeStatus, Product,
    RunFinished, RunId, RunStatus, Timestamp, ToolStatus,
    resolver::{NotDone, SessionState, StepEnd, StepResult, TaskPhase, TaskPlan, TaskReport, TaskRequest},
};
use serde::Serialize;

use super::position::Position;
use crate::excerpt::{LONGEST_TEXT, available};

/// A message of `WS /ws/{session_id}` to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// What it says.
    #[serde(flatten)]
    pub message: Message,
    /// The place after which a client that comes back goes on; text in flight has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// What a message says; its tag is the field `type`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum Message {
    /// The first message of a connection.
    #[serde(rename = "SESSION")]
    Session {
        /// The session's id.
        session: FlowId,
        /// Where it stands at this moment; what led there follows.
        state: SessionState,
    },
    /// The session stands somewhere else from here on.
    #[serde(rename = "STATE")]
    State {
        /// The run that it follows from.
        run: RunId,
        /// Where it stands.
        state: SessionState,
    },
    /// What a person said, on this connection or another one.
    #[serde(rename = "MESSAGE")]
    Said {
        /// The run that it began, or that it is a question to.
        run: RunId,
        /// What it was taken as.
        #[serde(flatten)]
        meaning: Meaning,
        /// The words.
        text: String,
        /// When it was said, in milliseconds since 1970.
        at: Timestamp,
    },
    /// What planner, executors and aggregator do.
    #[serde(rename = "AGENT STREAM")]
    AgentStream {
        /// The run.
        run: RunId,
        /// Who works.
        agent: Agent,
        /// The node of the run, which tells executors apart.
        node: NodeId,
        /// Its name for people.
        label: String,
        /// What it does.
        #[serde(flatten)]
        progress: Progress,
    },
    /// What the clarifier says: pieces while it writes, and then the whole answer.
    #[serde(rename = "CHAT_RESPONSE")]
    ChatResponse {
        /// The run that was asked about.
        run: RunId,
        /// The number of the question.
        question: u32,
        /// Bytes of the answer before this text; 0 begins anew.
        from: usize,
        /// A piece of the answer, or all of it where it is done.
        text: String,
        /// Whether this is the whole answer.
        done: bool,
        /// Why there is no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A run has failed, or was stopped. What was found before stays.
    #[serde(rename = "ERROR")]
    Error {
        /// The run.
        run: RunId,
        /// What happened, in a sentence.
        message: String,
    },
    /// The client's last message was not taken.
    #[serde(rename = "REFUSED")]
    Refused {
        /// Why, and what to do, in a sentence.
        message: String,
    },
}

/// What the words of a person were taken as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Meaning {
    /// A task.
    Task,
    /// A question to the clarifier.
    Question {
        /// Its number, which the answer has as well.
        question: u32,
    },
    /// What is to be different in a report.
    Refinement {
        /// The run of the report.
        of: RunId,
    },
}

/// Who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    /// Makes the plan.
    Planner,
    /// Carries out one step.
    Executor,
    /// Writes the report, for the first time or anew.
    Aggregator,
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Progress {
    /// It begins.
    Started,
    /// It writes.
    Text {
        /// Bytes of this answer before the piece; 0 begins anew.
        from: usize,
        /// The piece.
        text: String,
    },
    /// It calls a tool.
    Tool {
        /// Pairs call and result.
        call: CallId,
        /// The tool.
        tool: String,
        /// The arguments, as JSON text.
        arguments: String,
    },
    /// A tool has answered.
    ToolResult {
        /// Pairs call and result.
        call: CallId,
        /// How it ended.
        status: ToolStatus,
        /// What it gave, or its error.
        result: String,
    },
    /// There is a plan.
    Plan {
        /// What is to be done, in order.
        steps: Vec<PlannedStep>,
    },
    /// A step has come to a result.
    Result {
        /// What the plan calls the step.
        step: String,
        /// The result, as Markdown.
        text: String,
    },
    /// A step has come to nothing.
    NotDone {
        /// What the plan calls the step.
        step: String,
        /// Why.
        reason: String,
    },
    /// There is a report.
    Report {
        /// The report, as Markdown.
        text: String,
        /// How many steps have a result.
        done: usize,
        /// The steps that have none, each with its reason.
        not_done: Vec<NotDone>,
    },
    /// It waits for a person, who answers on the run's own page.
    Waits {
        /// The question.
        prompt: String,
    },
    /// It is done.
    Finished {
        /// How long it took.
        duration_ms: u64,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// What the plan calls it.
    id: String,
    /// The node that does it.
    node: NodeId,
    /// What it is about.
    title: String,
    /// What is to be done.
    instruction: String,
    /// The steps whose results it needs.
    depends_on: Vec<String>,
}

impl Frame {
    /// A message that stands in no log.
    pub fn passing(message: Message) -> Self {
        Self { message, position: None }
    }

    /// The message as JSON text.
    pub fn encode(&self) -> String {
        // Texts and integers always encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Turns the log of one run into messages.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    request: Option<TaskRequest>,
    state: Option<SessionState>,
    nodes: BTreeMap<NodeId, (Agent, String)>,
    /// What is told once, although a run that is taken up after a crash repeats it.
    visits: BTreeSet<(NodeId, u32)>,
    tools: BTreeSet<CallId>,
}

impl Stream {
    /// Takes the next event in and gives the messages that it becomes, with long texts where the event has them whole.
    pub fn apply(&mut self, event: &Event) -> Vec<Frame> {
        let at = |part| Some(Position { run: event.run, seq: event.seq, part });
        let parts = self.messages(event).into_iter().zip(1..);
        parts.map(|(message, part)| Frame { message, position: at(part) }).collect()
    }

    /// The message of a piece of text in flight.
    pub fn in_flight(&self, run: RunId, control: &Control) -> Option<Frame> {
        let Control::Delta { call, from, text } = control else { return None };
        let (from, text) = (*from, text.clone());
        let message = match call.visit()? {
            // The answer to a question beside the run belongs to no visit.
            0 => {
                Message::ChatResponse { run, question: call.number()?, from, text, done: false, error: None }
            }
            _ => self.progress(run, Some(&call.node()?), Progress::Text { from, text })?,
        };
        Some(Frame::passing(message))
    }

    fn messages(&mut self, event: &Event) -> Vec<Message> {
        let (run, node) = (event.run, event.node.as_ref());
        let progress = |stream: &Self, progress| stream.progress(run, node, progress).into_iter().collect();
        match &event.body {
            Body::RunStarted(started) => {
                self.request = TaskRequest::read(&started.request.workflow).and_then(Result::ok);
                let said = self.request.as_ref().map(|request| Message::Said {
                    run,
                    meaning: match request {
                        TaskRequest::Task { .. } => Meaning::Task,
                        TaskRequest::Refinement { of, .. } => Meaning::Refinement { of: *of },
                    },
                    text: request.words().to_owned(),
                    at: event.at,
                });
                said.into_iter().chain(self.stands(run, RunStatus::Queued, None)).collect()
            }
            Body::NodeAdded(node) => {
                self.add(node);
                Vec::new()
            }
            Body::Grown(growth) => {
                growth.nodes.iter().for_each(|node| self.add(&node.plan));
                Vec::new()
            }
            Body::NodeStarted(started) => {
                let is_new = node.is_some_and(|node| self.visits.insert((node.clone(), started.visit)));
                let begins = is_new.then(|| self.progress(run, node, Progress::Started)).flatten();
                let phase = TaskPhase::named(&started.phase);
                self.stands(run, RunStatus::Running, phase).into_iter().chain(begins).collect()
            }
            Body::ToolInvoked(invoked) if self.tools.insert(invoked.call.clone()) => {
                let arguments = available(&invoked.arguments, LONGEST_TEXT);
                let (call, tool) = (invoked.call.clone(), invoked.tool.clone());
                progress(self, Progress::Tool { call, tool, arguments })
            }
            Body::ToolReturned(returned) => {
                let result = available(&returned.result, LONGEST_TEXT);
                let (call, status) = (returned.call.clone(), returned.status);
                progress(self, Progress::ToolResult { call, status, result })
            }
            Body::Produced(product) => produced(product).map_or_else(Vec::new, |it| progress(self, it)),
            Body::InputRequested(request) => {
                progress(self, Progress::Waits { prompt: request.prompt.clone() })
            }
            Body::NodeFinished(finished) => progress(self, end_of(finished)),
            Body::ChatAsked(asked) => vec![Message::Said {
                run,
                meaning: Meaning::Question { question: asked.chat },
                text: available(&asked.question, LONGEST_TEXT),
                at: event.at,
            }],
            Body::ChatAnswered(answered) => vec![answer(run, answered)],
            Body::RunFinished(finished) => {
                failure(run, finished).into_iter().chain(self.stands(run, finished.status, None)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn add(&mut self, node: &NodeAdded) {
        let agent = match TaskPhase::named(&node.phase) {
            Some(TaskPhase::Plan) => Agent::Planner,
            Some(TaskPhase::Steps) => Agent::Executor,
            Some(TaskPhase::Report | TaskPhase::Refinement) => Agent::Aggregator,
            None => return,
        };
        self.nodes.insert(node.id.clone(), (agent, node.label.clone()));
    }

    /// Says where the session stands, if that is somewhere else than before.
    fn stands(&mut self, run: RunId, status: RunStatus, phase: Option<TaskPhase>) -> Option<Message> {
        let state = SessionState::of(status, phase, self.request.as_ref()?);
        (self.state.replace(state) != Some(state)).then_some(Message::State { run, state })
    }

    fn progress(&self, run: RunId, node: Option<&NodeId>, progress: Progress) -> Option<Message> {
        let node = node?;
        let (agent, label) = self.nodes.get(node)?;
        let (agent, label, node) = (*agent, label.clone(), node.clone());
        Some(Message::AgentStream { run, agent, node, label, progress })
    }
}

fn produced(product: &Product) -> Option<Progress> {
    if let Some(plan) = product.document::<TaskPlan>() {
        let steps = plan.steps.into_iter().map(|step| PlannedStep {
            id: step.id,
            node: step.node,
            title: step.title,
            instruction: step.instruction,
            depends_on: step.depends_on,
        });
        return Some(Progress::Plan { steps: steps.collect() });
    }
    if let Some(StepResult { step, end, .. }) = product.document() {
        return Some(match end {
            StepEnd::Done { text } => Progress::Result { step, text },
            StepEnd::Failed { reason } => Progress::NotDone { step, reason },
        });
    }
    let TaskReport { markdown, done, not_done, .. } = product.document()?;
    Some(Progress::Report { text: markdown, done, not_done })
}

fn end_of(finished: &NodeFinished) -> Progress {
    match finished.status {
        NodeStatus::Failed => {
            let reason = finished.reason.clone();
            Progress::Failed { reason: reason.unwrap_or_else(|| "No reason was recorded.".to_owned()) }
        }
        _ => Progress::Finished { duration_ms: finished.duration_ms },
    }
}

fn answer(run: RunId, answered: &ChatAnswered) -> Message {
    Message::ChatResponse {
        run,
        question: answered.chat,
        from: 0,
        text: available(&answered.answer, LONGEST_TEXT),
        done: true,
        error: answered.error.clone(),
    }
}

fn failure(run: RunId, finished: &RunFinished) -> Option<Message> {
    let sentence = || {
        let stopped = finished.stopped.as_ref().map(protocol::Stopped::sentence);
        finished.error.clone().or(stopped).unwrap_or_else(|| "No reason was recorded.".to_owned())
    };
    match finished.status {
        RunStatus::Failed | RunStatus::Cancelled => Some(Message::Error { run, message: sentence() }),
        _ => None,
    }
}
