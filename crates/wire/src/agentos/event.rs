use std::collections::HashMap;

use protocol::{
    Body, CallFinished, CallId, CallStarted, Event, LaneId, LogLevel, NodeFinished, NodeId, NodeKind,
    NodeStatus, NodeStatusChanged, Product, Prompt, RunFinished, RunId, RunStatus, Timestamp, ToolInvoked,
    ToolReturned, ToolStatus, WorkflowKind, grouped,
    trading::{Decision, PortfolioView, Rating, RejectedOrder, Task, Trade},
};
use serde::Serialize;

use super::record::failure;
use crate::excerpt::{LONGEST_ERROR, LONGEST_SNIPPET, LONGEST_TEXT, available, capped, cut, snippet};

/// A message of `WS /ws/stream/{run_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Frame {
    /// Something happened in the run.
    Event(Box<SocketEvent>),
    /// The end of the stream. The server closes the socket after it, with code 1000.
    System(SystemFrame),
}

impl Frame {
    /// The message as JSON text.
    pub fn encode(&self) -> String {
        // Texts and integers always encode.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A frame with nothing but a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "system")]
pub struct SystemFrame {
    message: String,
}

impl SystemFrame {
    /// The only frame for a run that does not exist.
    pub fn run_not_found(run: &str) -> Self {
        Self { message: format!("Error: Run {} not found.", cut(run, 40)) }
    }

    /// The last frame of a stream that the server cannot continue.
    pub fn error(reason: &str) -> Self {
        Self { message: format!("Error: {reason}") }
    }

    fn run_finished(finished: &RunFinished) -> Self {
        let message = match failure(finished.status, finished.error.as_deref()) {
            Some(error) => format!("Error: Run failed: {error}"),
            None => "Run completed.".to_owned(),
        };
        Self { message }
    }
}

/// An event in AgentOS's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SocketEvent {
    id: String,
    node_id: String,
    agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    message: String,
    /// `HH:MM:SS` in UTC, of the moment when it happened.
    timestamp: String,
    /// Number of the event in the log of the run that it happened in.
    seq: u64,
    /// Milliseconds since 1970.
    at: Timestamp,
    #[serde(flatten)]
    detail: Detail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Detail {
    Thought {
        parent_node_id: &'static str,
        prompt: String,
        metrics: Asked,
    },
    Tool {
        parent_node_id: String,
        prompt: String,
        service: String,
        status: Status,
        metrics: NoMetrics,
    },
    ToolResult {
        parent_node_id: String,
        response: String,
        service: String,
        status: Status,
        error: Option<String>,
        metrics: NoMetrics,
    },
    Result {
        prompt: String,
        response: String,
        metrics: Answered,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<Status>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    Log {
        metrics: NoMetrics,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Running,
    Success,
    Error,
    GracefulSkip,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Asked {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Answered {
    model: String,
    /// `null` if the provider did not report it.
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    latency_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct NoMetrics {}

/// Turns a run's log, from its first event on, into AgentOS's frames.
///
/// It remembers what later events refer to: what the run is about, what the nodes are, and the
/// calls in flight. Texts that are only a preview are sent as such, so the log should be
/// read with its texts whole.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    task: Option<Task>,
    subject: Option<String>,
    nodes: HashMap<NodeId, NodeKind>,
    /// The prompts of calls in flight.
    asked: HashMap<CallId, String>,
    /// The last call of each lane of a node, with its whole prompt: the lane's next one may begin with it.
    prompts: HashMap<(Option<NodeId>, Option<LaneId>), (CallId, Prompt)>,
    tools: HashMap<CallId, String>,
    /// The run, where another one has started it, whose stream it is a part of.
    below: Option<RunId>,
}

impl Stream {
    /// For the log of a run that another one has started: AgentOS knows one stream for all of it. Its ids are apart
    /// from those of the other logs, and its end is not the stream's.
    pub fn of_run_below(run: RunId) -> Self {
        Self { below: Some(run), ..Self::default() }
    }

    /// Takes the next event in and gives the frame that it becomes, if it becomes one.
    pub fn apply(&mut self, event: &Event) -> Option<Frame> {
        match (self.frame_of(event)?, self.below) {
            (frame, None) => Some(frame),
            (Frame::System(_), Some(_)) => None,
            (Frame::Event(mut told), Some(run)) => {
                told.id = format!("{run}/{}", told.id);
                Some(Frame::Event(told))
            }
        }
    }

    fn frame_of(&mut self, event: &Event) -> Option<Frame> {
        match &event.body {
            Body::RunStarted(started) => {
                let workflow = &started.request.workflow;
                self.task = Task::of(workflow);
                let subject = match &self.task {
                    Some(Task::Scan { .. }) => Some(MARKET.to_owned()),
                    _ => started.heading.subject.clone(),
                };
                self.subject = Some(subject.unwrap_or_else(|| workflow.kind().to_string()));
                log(event, None, greeting(self.task.as_ref(), workflow.kind()))
            }
            Body::RunFinished(finished) => Some(Frame::System(SystemFrame::run_finished(finished))),
            Body::NodeAdded(node) => {
                self.nodes.insert(node.id.clone(), node.kind);
                None
            }
            Body::Grown(growth) => {
                let nodes = growth.nodes.iter().map(|node| (node.plan.id.clone(), node.plan.kind));
                self.nodes.extend(nodes);
                None
            }
            Body::CallStarted(started) => self.call_started(event, started),
            Body::CallFinished(finished) => Some(self.call_finished(event, finished)),
            Body::ToolInvoked(invoked) => self.tool_invoked(event, invoked),
            Body::ToolReturned(returned) => Some(self.tool_returned(event, returned)),
            other => self.line(event, other).and_then(|(level, line)| log(event, level, line)),
        }
    }

    /// The log line that an event without a form of its own becomes.
    fn line(&self, event: &Event, body: &Body) -> Option<(Option<LogLevel>, String)> {
        let info = |line: String| Some((None, line));
        match body {
            Body::StatusChanged(changed) => match (&changed.reason, changed.status) {
                (Some(reason), _) => info(format!("{}: {reason}", changed.status.label())),
                (None, RunStatus::Waiting) => info("Waiting for a person".to_owned()),
                (None, _) => None,
            },
            Body::NodeStarted(started) => {
                // A model's node announces itself by asking.
                let visit =
                    if started.visit > 1 { format!(" (visit {})", started.visit) } else { String::new() };
                self.asks_no_model(event).then(|| (None, format!("{} started{visit}", self.name(event))))
            }
            Body::NodeFinished(finished) => self.node_finished(event, finished),
            Body::NodeStatusChanged(changed) => self.node_status(event, changed),
            Body::Said(said) => info(format!("{}: {}", said.source, snippet(&said.content))),
            Body::Told(told) => info(format!("{}: {}", told.by, snippet(&told.content))),
            Body::Reported(report) => info(format!("Report complete: {}", report.title)),
            Body::Produced(product) => self::product(product),
            Body::Logged(line) => Some((Some(line.level), cut(&line.message, LONGEST_SNIPPET))),
            Body::Unknown(unknown) => info(format!("Event of an unknown kind: {}", cut(&unknown.kind, 40))),
            _ => None,
        }
    }

    fn call_started(&mut self, event: &Event, started: &CallStarted) -> Option<Frame> {
        let prompt = self.whole_prompt(event, started);
        // Asked again after a crash: for the client it is the call that it sees already.
        if self.asked.insert(started.call.clone(), prompt.clone()).is_some() {
            return None;
        }
        let node = self.name(event);
        let detail = Detail::Thought {
            parent_node_id: "start",
            prompt: prompt.clone(),
            metrics: Asked { model: started.model.clone() },
        };
        let message = format!("Prompting {}... | {}", started.model, cut(&prompt, LONGEST_SNIPPET));
        Some(self.frame(event, started.call.to_string(), node.clone(), &node, message, detail))
    }

    /// Prompts are the one text that AgentOS does not cut.
    fn whole_prompt(&mut self, event: &Event, started: &CallStarted) -> String {
        let lane = (event.node.clone(), started.call.lane());
        let before = self.prompts.get(&lane);
        let whole = started.prompt.whole(|earlier| {
            let (call, prompt) = before?;
            // A call that is repeated begins as it did at first.
            (call == earlier || *call == started.call).then_some(prompt)
        });
        let missing = whole.missing;
        let left_out =
            (missing > 0).then(|| format!("[{missing} earlier messages, which the log does not have]"));
        let messages = whole.messages.iter().map(|message| available(message, usize::MAX));
        let text = left_out.into_iter().chain(messages).collect::<Vec<_>>().join("\n\n");
        let prompt = whole.messages.into_iter().cloned().collect();
        self.prompts.insert(lane, (started.call.clone(), prompt));
        text
    }

    fn call_finished(&mut self, event: &Event, finished: &CallFinished) -> Frame {
        let prompt = self.asked.remove(&finished.call).unwrap_or_default();
        let beginning = snippet(&finished.answer);
        let message = match (&finished.error, finished.fallback_note()) {
            (Some(error), _) => {
                format!("✗ {} did not answer: {}", finished.model, cut(error, LONGEST_SNIPPET))
            }
            (None, Some(note)) => format!("⚠ {}", cut(&note, LONGEST_SNIPPET)),
            (None, None) if beginning.is_empty() => "Completed.".to_owned(),
            (None, None) => beginning,
        };
        let node = self.name(event);
        let detail = Detail::Result {
            prompt,
            response: available(&finished.answer, LONGEST_TEXT),
            metrics: Answered {
                model: finished.model.clone(),
                tokens_in: finished.usage.tokens_in,
                tokens_out: finished.usage.tokens_out,
                latency_ms: finished.latency_ms,
            },
            status: finished.error.as_ref().map(|_| Status::Error),
            error: finished.error.as_deref().map(|error| capped(error, LONGEST_ERROR)),
        };
        self.frame(event, format!("{}_{}", finished.call, event.seq), node.clone(), &node, message, detail)
    }

    fn tool_invoked(&mut self, event: &Event, invoked: &ToolInvoked) -> Option<Frame> {
        if self.tools.insert(invoked.call.clone(), invoked.tool.clone()).is_some() {
            return None;
        }
        let caller = self.name(event);
        let message = format!("▶ Tool: {} | {}", invoked.tool, snippet(&invoked.arguments));
        let detail = Detail::Tool {
            parent_node_id: caller.clone(),
            prompt: available(&invoked.arguments, LONGEST_TEXT),
            service: String::new(),
            status: Status::Running,
            metrics: NoMetrics {},
        };
        let node = format!("tool_{}", invoked.tool);
        Some(self.frame(event, invoked.call.to_string(), node, &caller, message, detail))
    }

    fn tool_returned(&mut self, event: &Event, returned: &ToolReturned) -> Frame {
        let tool = self.tools.remove(&returned.call).unwrap_or_else(|| "unknown".to_owned());
        let caller = self.name(event);
        let (icon, status) = match returned.status {
            ToolStatus::Success => ('✓', Status::Success),
            ToolStatus::Error => ('✗', Status::Error),
            ToolStatus::Degraded => ('⚠', Status::GracefulSkip),
        };
        let message = format!("{icon} Tool result: {tool} | {}", snippet(&returned.result));
        let detail = Detail::ToolResult {
            parent_node_id: caller.clone(),
            response: available(&returned.result, LONGEST_TEXT),
            service: returned.vendor.clone().unwrap_or_default(),
            status,
            error: (status == Status::Error).then(|| match available(&returned.result, LONGEST_ERROR) {
                nothing if nothing.is_empty() => "Unknown tool error".to_owned(),
                error => error,
            }),
            metrics: NoMetrics {},
        };
        let id = format!("{}_{}", returned.call, event.seq);
        self.frame(event, id, format!("tool_{tool}"), &caller, message, detail)
    }

    fn node_finished(&self, event: &Event, finished: &NodeFinished) -> Option<(Option<LogLevel>, String)> {
        let name = self.name(event);
        if finished.status == NodeStatus::Failed {
            let reason = finished.reason.as_deref().unwrap_or("no reason was recorded");
            return Some((Some(LogLevel::Error), format!("{name} failed: {}", cut(reason, LONGEST_SNIPPET))));
        }
        if let Some(missing) = &finished.degraded {
            let missing = cut(missing, LONGEST_SNIPPET);
            return Some((Some(LogLevel::Warning), format!("{name} finished without everything: {missing}")));
        }
        self.asks_no_model(event)
            .then(|| (None, format!("{name} finished after {} ms", finished.duration_ms)))
    }

    fn node_status(&self, event: &Event, changed: &NodeStatusChanged) -> Option<(Option<LogLevel>, String)> {
        let (level, verb) = match changed.status {
            NodeStatus::Skipped => (None, "was skipped"),
            NodeStatus::Failed => (Some(LogLevel::Error), "failed"),
            NodeStatus::Waiting => (None, "waits for a person"),
            _ => return None,
        };
        let reason = changed.reason.as_deref().map(|reason| format!(": {}", cut(reason, LONGEST_SNIPPET)));
        Some((level, format!("{} {verb}{}", self.name(event), reason.unwrap_or_default())))
    }

    fn asks_no_model(&self, event: &Event) -> bool {
        let kind = event.node.as_ref().and_then(|node| self.nodes.get(node));
        matches!(kind, Some(NodeKind::Code | NodeKind::Person))
    }

    /// The name under which AgentOS's clients know the event's node.
    fn name(&self, event: &Event) -> String {
        match &event.node {
            Some(node) => agentos_name(self.task.as_ref(), node),
            None => SYSTEM_NODE.to_owned(),
        }
    }

    fn frame(
        &self,
        event: &Event,
        id: String,
        node: String,
        agent: &str,
        message: String,
        detail: Detail,
    ) -> Frame {
        let subject = self.subject.clone();
        Frame::Event(Box::new(SocketEvent {
            id,
            node_id: node,
            agent: agent.to_uppercase(),
            identifier: Some(subject.unwrap_or_default()),
            message,
            timestamp: event.at.clock(),
            seq: event.seq,
            at: event.at,
            detail,
        }))
    }
}

const SYSTEM_NODE: &str = "__system__";

/// What stands in AgentOS for the stock of an event where it is the market's: its page knows a scan by it.
const MARKET: &str = "MARKET";

/// The pipeline's nodes are called by their titles in AgentOS, all others by their ids. Its page knows a portfolio's
/// decision by the id that it has there.
fn agentos_name(task: Option<&Task>, node: &NodeId) -> String {
    match (task, node.as_str()) {
        (Some(Task::Pipeline { .. }), _) => {}
        (Some(Task::Portfolio { .. }), "make_decision") => return "make_pm_decision".to_owned(),
        (Some(Task::Portfolio { .. }), "prioritise_candidates") => {
            return "prioritize_candidates".to_owned();
        }
        _ => return node.to_string(),
    }
    let mut name = String::with_capacity(node.as_str().len());
    for word in node.as_str().split(['_', '-']).filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

fn log(event: &Event, level: Option<LogLevel>, line: String) -> Option<Frame> {
    let message = match level {
        None | Some(LogLevel::Info) => line,
        Some(LogLevel::Warning) => format!("Warning: {line}"),
        Some(LogLevel::Error) => format!("Error: {line}"),
    };
    Some(Frame::Event(Box::new(SocketEvent {
        id: format!("log_{}", event.seq),
        node_id: SYSTEM_NODE.to_owned(),
        agent: "SYSTEM".to_owned(),
        identifier: None,
        message,
        timestamp: event.at.clock(),
        seq: event.seq,
        at: event.at,
        detail: Detail::Log { metrics: NoMetrics {} },
    })))
}

fn greeting(task: Option<&Task>, kind: &WorkflowKind) -> String {
    match task {
        Some(Task::Pipeline { ticker, date, .. }) => {
            format!("Starting analysis pipeline for {ticker} on {date}")
        }
        Some(Task::Portfolio { portfolio, date, .. }) => {
            format!("Starting portfolio manager for {portfolio} on {date}")
        }
        Some(Task::Scan { date, .. }) => format!("Starting market scan on {date}"),
        Some(Task::Auto { portfolio, date, .. }) => {
            format!("Starting auto run for {portfolio} on {date}")
        }
        Some(Task::Reflect { date, .. }) => format!("Starting reflection on {date}"),
        // The original has no backtests.
        Some(Task::Backtest(_) | Task::BacktestDay(_)) | None => format!("Starting {kind}"),
    }
}

/// The line of something that a run has brought forth.
fn product(product: &Product) -> Option<(Option<LogLevel>, String)> {
    let info = |line: String| Some((None, line));
    if let Some(rating) = product.document::<Rating>() {
        let summary = cut(&rating.summary, LONGEST_SNIPPET);
        return info(format!("Rating of {}: {}. {summary}", rating.ticker, product.headline));
    }
    if let Some(decision) = product.document::<Decision>() {
        let thesis = cut(&decision.thesis, LONGEST_SNIPPET);
        return info(format!("Decision: {}, {} confidence. {thesis}", product.headline, decision.confidence));
    }
    if let Some(trade) = product.document() {
        return info(executed(&trade));
    }
    if let Some(rejected) = product.document() {
        return Some((Some(LogLevel::Warning), refused(&rejected)));
    }
    if let Some(view) = product.document() {
        return info(valued(&view));
    }
    info(cut(&product.headline, LONGEST_SNIPPET))
}

fn executed(trade: &Trade) -> String {
    let price = grouped(trade.price, 2);
    format!("Executed: {} {} {} at ${price}", trade.side, trade.quantity.normalize(), trade.ticker)
}

fn refused(rejected: &RejectedOrder) -> String {
    let order = &rejected.order;
    let reasons = cut(&rejected.reasons.join("; "), LONGEST_SNIPPET);
    format!("Order refused: {} {} {}: {reasons}", order.side, order.quantity.normalize(), order.ticker)
}

fn valued(view: &PortfolioView) -> String {
    match (view.total.known(), view.total.reason()) {
        (Some(total), _) => format!("Portfolio {} is worth ${}", view.id, grouped(*total, 2)),
        (None, reason) => {
            let reason = reason.unwrap_or("no reason was recorded");
            format!("Portfolio {} has no known value: {}", view.id, cut(reason, LONGEST_SNIPPET))
        }
    }
}
