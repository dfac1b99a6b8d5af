use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    AccountId, Body, CallFinished, CallId, CallStarted, EdgeAdded, EdgeKind, Heading, InvalidId, LogLevel,
    LogLine, NewEvent, NodeAdded, NodeFinished, NodeId, NodeKind, NodeStarted, NodeStatus, Patch, Prompt,
    Report, RunFinished, RunId, RunRequest, RunStarted, RunStatus, Said, StatusChanged, Text, Tier,
    Timestamp, ToolRequest, Totals, Usage,
    team::{NoProduct, TeamMessage, TeamResult, TeamTurn},
};
use serde_json::{Map, Value};

/// Who writes the records of calls of models among the messages.
const CALLS: &str = "llm_call_event";
/// Under which name whoever starts a run speaks to the team.
const PERSON: &str = "user";
/// The node that says who speaks next.
const LEAD: &str = "lead";
/// What the agents of those who choose a speaker are called in the records of calls.
const MANAGERS: [&str; 4] = [
    "SelectorGroupChatManager",
    "MagenticOneOrchestrator",
    "RoundRobinGroupChatManager",
    "SwarmGroupChatManager",
];
/// The phase of all nodes of a team.
const PHASE: &str = "Team";
/// Letters of a name that stand in the id of its node.
const LETTERS: usize = 24;
/// Bytes of an image within a message that are kept.
const LONGEST_IMAGE: usize = 1024;
/// How runs of Studio end whose page was closed, or lost its connection.
const ENDED_WITH_PAGE: [&str; 2] = ["cancelled by user", "Connection closed"];

/// A run as it stands in a database of AutoGen Studio.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// The id that it has here.
    pub run: RunId,
    /// Whose run it is here.
    pub owner: AccountId,
    /// What it was to do.
    pub request: RunRequest,
    /// What it is called.
    pub heading: Heading,
    /// What people call the team.
    pub team: String,
    /// Who takes part in the team, as far as that is known, in their order; who else spoke follows.
    pub participants: Vec<String>,
    /// What was said and done, in its order.
    pub messages: Vec<PastMessage>,
    /// How it ended.
    pub end: PastEnd,
    /// When it was made.
    pub began: Timestamp,
    /// What is to be said of it first.
    pub remarks: Vec<String>,
}

/// A message of a [`PastRun`].
#[derive(Clone, Debug, PartialEq)]
pub struct PastMessage {
    /// When Studio stored it.
    pub at: Timestamp,
    /// The message, as AutoGen writes it.
    pub message: Map<String, Value>,
}

/// How a [`PastRun`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastEnd {
    /// By itself, for this reason where one is known.
    Complete(Option<String>),
    /// By an error.
    Failed(String),
    /// Somebody or something stopped it, for this reason where one is known.
    Stopped(Option<String>),
    /// The database does not say that it ended.
    Open,
}

/// Why there is no log of a run.
#[derive(Debug, thiserror::Error)]
pub enum NoHistory {
    /// What was said has no JSON form.
    #[error(transparent)]
    Product(#[from] NoProduct),
    /// A name is no id.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// The log of a run of AutoGen Studio, as a run of a team has it, marked as imported: it is looked at and never
/// continued.
///
/// A visit lasts from the message before it to its own last one, and so does a call of a model: Studio keeps nothing
/// but the times at which it stored messages. Calls whose agent took no part are left out: Studio stores calls of
/// other runs that work at the same time. A remark says how many.
///
/// # Errors
/// See [`NoHistory`].
pub fn history(past: PastRun) -> Result<Vec<NewEvent>, NoHistory> {
    let PastRun { run, owner, request, heading, team, participants, messages, end, began, remarks } = past;
    let mut told = Vec::new();
    let mut calls = Vec::new();
    for (number, PastMessage { at, mut message }) in messages.into_iter().enumerate() {
        if source(&message) == CALLS {
            calls.extend(RecordedCall::read(number, at, &message));
        } else {
            message.values_mut().for_each(without_images);
            told.push((number, at, message));
        }
    }
    let speakers = told.iter().map(|(_, _, message)| source(message).to_owned());
    let mut log = Log::new(participants.into_iter().chain(speakers), began)?;
    let foreign = calls.iter().filter(|call| log.node_of(&call.agent).is_none()).count();
    calls.retain(|call| log.node_of(&call.agent).is_some());
    let started = RunStarted { owner, imported_from: Some(run), ..RunStarted::new(request, heading) };
    log.write(None, Body::RunStarted(started));
    log.write(None, Body::StatusChanged(StatusChanged { status: RunStatus::Running, reason: None }));
    for remark in remarks.into_iter().chain(remark_of(foreign, &end)) {
        log.write(None, Body::Logged(LogLine { level: LogLevel::Info, message: remark }));
    }
    log.draw();
    let turns = turns(told);
    let count = turns.iter().filter(|turn| turn.source != PERSON).count();
    let mut result = TeamResult {
        team,
        stop_reason: String::new(),
        stopped_by: String::new(),
        messages: Vec::new(),
        turns: u32::try_from(count).unwrap_or(u32::MAX),
        tokens_in: 0,
        tokens_out: 0,
    };
    let lead = log.lead.clone();
    let mut turns = turns.into_iter().peekable();
    // Who leads takes the task and says who is first in one visit, as in a run of ours.
    let mut has_led = false;
    while let Some(turn) = turns.next() {
        turn.messages.iter().for_each(|message| count_in(&mut result, message));
        let node = log.node_of(&turn.source).unwrap_or_else(|| lead.clone());
        let is_of = |call: &RecordedCall, node: &NodeId| log.node_of(&call.agent).as_ref() == Some(node);
        let (own, later): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .partition(|call| call.number < turn.last && (is_of(call, &node) || is_of(call, &lead)));
        let (of_lead, of_node): (Vec<_>, Vec<_>) = own.into_iter().partition(|call| is_of(call, &lead));
        calls = later;
        if node == lead {
            let next = turns.peek().and_then(|next| log.node_of(&next.source));
            has_led = next.is_some();
            log.visit(&lead, turn.at, of_lead, Some(turn.messages), next.into_iter().collect())?;
            continue;
        }
        if !has_led || !of_lead.is_empty() {
            let chosen_at = of_lead.last().map_or(log.now, |call| call.at);
            log.visit(&lead, chosen_at, of_lead, None, vec![node.clone()])?;
        }
        has_led = false;
        log.visit(&node, turn.at, of_node, Some(turn.messages), vec![lead.clone()])?;
    }
    // What was asked in a turn that did not come to an end.
    for call in calls {
        if let Some(node) = log.node_of(&call.agent) {
            log.visit(&node, call.at, vec![call], None, Vec::new())?;
        }
    }
    log.finish(end, result)
}

/// Who said a message.
fn source(message: &Map<String, Value>) -> &str {
    message.get("source").and_then(Value::as_str).filter(|source| !source.is_empty()).unwrap_or("unknown")
}

fn kind(message: &Map<String, Value>) -> &str {
    message.get("type").and_then(Value::as_str).unwrap_or("TextMessage")
}

/// Whether a message goes to the other participants, as opposed to what is only seen from outside.
fn is_chat(message: &Map<String, Value>) -> bool {
    let kind = kind(message);
    matches!(
        kind,
        "TextMessage" | "MultiModalMessage" | "StopMessage" | "HandoffMessage" | "ToolCallSummaryMessage"
    ) || kind.starts_with("StructuredMessage")
}

/// What a message says, in words.
fn words(message: &Map<String, Value>) -> String {
    match message.get("content") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let words = parts.iter().map(|part| match part {
                Value::String(text) => text.clone(),
                Value::Object(fields) if fields.contains_key("url") => "(an image)".to_owned(),
                other => other.to_string(),
            });
            words.collect::<Vec<_>>().join("\n\n")
        }
        Some(other) => other.to_string(),
    }
}

/// Takes images out of what stands in a message: the log has texts.
fn without_images(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_IMAGE && text.starts_with("data:") => {
            "data:,left%20out".clone_into(text);
        }
        Value::Array(values) => values.iter_mut().for_each(without_images),
        Value::Object(fields) => fields.values_mut().for_each(without_images),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn tokens(message: &Map<String, Value>, name: &str) -> u64 {
    message.get("models_usage").and_then(|usage| usage.get(name)).and_then(Value::as_u64).unwrap_or_default()
}

fn count_in(result: &mut TeamResult, message: &Map<String, Value>) {
    result.tokens_in = result.tokens_in.saturating_add(tokens(message, "prompt_tokens"));
    result.tokens_out = result.tokens_out.saturating_add(tokens(message, "completion_tokens"));
    if is_chat(message) {
        result.messages.push(TeamMessage {
            source: source(message).to_owned(),
            kind: kind(message).to_owned(),
            content: words(message),
        });
    }
}

/// What has to be said of a run beside what whoever read it knows.
fn remark_of(foreign: usize, end: &PastEnd) -> Vec<String> {
    let mut remarks = Vec::new();
    if foreign > 0 {
        remarks.push(format!(
            "{foreign} calls of models were left out: their agents took no part in this run. Studio stores calls of \
             other runs here that worked at the same time."
        ));
    }
    if let PastEnd::Stopped(Some(reason)) = end
        && ENDED_WITH_PAGE.contains(&reason.as_str())
    {
        remarks.push(
            "Studio says so as well of runs that had come to their end when their page was closed: whether this one \
             was stopped is not known."
                .to_owned(),
        );
    }
    remarks
}

/// What one participant said and did until the next one spoke.
struct PastTurn {
    source: String,
    messages: Vec<Map<String, Value>>,
    /// When its last message was stored.
    at: Timestamp,
    /// The number of its last message among all.
    last: usize,
}

/// Messages as turns: each ends with what goes to the others.
fn turns(told: Vec<(usize, Timestamp, Map<String, Value>)>) -> Vec<PastTurn> {
    let mut turns: Vec<PastTurn> = Vec::new();
    let mut is_over = true;
    for (number, at, message) in told {
        let source = source(&message).to_owned();
        let is_task = source == PERSON && turns.len() == 1;
        let ends = is_chat(&message);
        match turns.last_mut() {
            Some(turn) if turn.source == source && (!is_over || is_task) => {
                turn.messages.push(message);
                (turn.at, turn.last) = (at, number);
            }
            _ => turns.push(PastTurn { source, messages: vec![message], at, last: number }),
        }
        is_over = ends;
    }
    turns
}

/// A call of a model, as Studio stores it among the messages.
struct RecordedCall {
    /// Its number among all messages.
    number: usize,
    at: Timestamp,
    agent: String,
    model: String,
    prompt: Vec<Text>,
    tools: Vec<String>,
    answer: String,
    requests: Vec<ToolRequest>,
    usage: Usage,
}

impl RecordedCall {
    fn read(number: usize, at: Timestamp, message: &Map<String, Value>) -> Option<Self> {
        let record: Value = serde_json::from_str(message.get("content")?.as_str()?).ok()?;
        // The team's id follows the agent's name.
        let agent = record.get("agent_id")?.as_str()?.split('/').next()?.rsplit_once('_')?.0.to_owned();
        let response = record.get("response").unwrap_or(&Value::Null);
        let model = response.get("model").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        let said = response.pointer("/choices/0/message").unwrap_or(response);
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let prompt = record.get("messages").and_then(Value::as_array).into_iter().flatten().map(|message| {
            let role = message.get("role").and_then(Value::as_str).unwrap_or("unknown");
            format!("[{role}]\n{}", text(message.get("content").unwrap_or(&Value::Null))).into()
        });
        let named = |tool: &Value| tool.pointer("/function/name").and_then(Value::as_str).map(str::to_owned);
        let tools = record.get("tools").and_then(Value::as_array).into_iter().flatten().filter_map(named);
        let requests = said.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
        let requests = requests.filter_map(|request| {
            let function = request.get("function")?;
            Some(ToolRequest {
                id: request.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
                name: function.get("name")?.as_str()?.to_owned(),
                arguments: function.get("arguments").map(text).unwrap_or_default().into(),
                unreadable: None,
                echo: None,
            })
        });
        let usage = |name: &str| record.get(name).and_then(Value::as_u64);
        Some(Self {
            number,
            at,
            agent,
            model,
            prompt: prompt.collect(),
            tools: tools.collect(),
            answer: said.get("content").map(text).unwrap_or_default(),
            requests: requests.collect(),
            usage: Usage { tokens_in: usage("prompt_tokens"), tokens_out: usage("completion_tokens") },
        })
    }
}

/// A log that is being written.
struct Log {
    lead: NodeId,
    /// The participants with their nodes, in their order.
    nodes: Vec<(String, NodeId)>,
    visits: BTreeMap<NodeId, u32>,
    events: Vec<NewEvent>,
    now: Timestamp,
    totals: Totals,
    open: BTreeSet<CallId>,
}

impl Log {
    fn new(names: impl Iterator<Item = String>, began: Timestamp) -> Result<Self, InvalidId> {
        let mut nodes: Vec<(String, NodeId)> = Vec::new();
        let mut known = BTreeSet::new();
        for name in names {
            if name == PERSON || !known.insert(name.clone()) {
                continue;
            }
            let letters = name.chars().filter(char::is_ascii_alphanumeric).take(LETTERS);
            let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
            let id = format!("{}_{letters}", nodes.len() + 1).parse()?;
            nodes.push((name, id));
        }
        Ok(Self {
            lead: LEAD.parse()?,
            nodes,
            visits: BTreeMap::new(),
            events: Vec::new(),
            now: began,
            totals: Totals::default(),
            open: BTreeSet::new(),
        })
    }

    /// The node of whoever has this name.
    fn node_of(&self, name: &str) -> Option<NodeId> {
        if MANAGERS.contains(&name) {
            return Some(self.lead.clone());
        }
        self.nodes.iter().find(|(known, _)| known == name).map(|(_, node)| node.clone())
    }

    fn write(&mut self, node: Option<&NodeId>, body: Body) {
        self.totals.count(&mut self.open, &body);
        self.events.push(NewEvent { at: self.now, node: node.cloned(), body });
    }

    /// The nodes, and who may follow whom.
    fn draw(&mut self) {
        let plan = |id: &NodeId, label: &str, role: &str, kind: NodeKind| {
            Body::NodeAdded(NodeAdded {
                id: id.clone(),
                label: label.to_owned(),
                role: role.to_owned(),
                kind,
                phase: PHASE.to_owned(),
                scope: None,
                owner: None,
                tier: None,
                planned_visits: 1,
            })
        };
        let (lead, nodes) = (self.lead.clone(), self.nodes.clone());
        self.write(None, plan(&lead, "Who speaks next", "manager", NodeKind::Code));
        for (name, node) in &nodes {
            self.write(None, plan(node, name, "assistant", NodeKind::Agent));
        }
        for (_, node) in nodes {
            let edge = |from: &NodeId, to: &NodeId, kind, condition: &str| {
                let condition = Some(condition.to_owned());
                Body::EdgeAdded(EdgeAdded { from: from.clone(), to: to.clone(), kind, condition })
            };
            self.write(None, edge(&lead, &node, EdgeKind::Conditional, "speaks next"));
            self.write(None, edge(&node, &lead, EdgeKind::Loop, "the turn is over"));
        }
    }

    /// A visit until this moment, with its calls and what was said in it.
    fn visit(
        &mut self,
        node: &NodeId,
        until: Timestamp,
        calls: Vec<RecordedCall>,
        said: Option<Vec<Map<String, Value>>>,
        next: Vec<NodeId>,
    ) -> Result<(), NoProduct> {
        let began = self.now;
        let visit = self.visits.entry(node.clone()).or_default();
        *visit = visit.saturating_add(1);
        let visit = *visit;
        self.write(Some(node), Body::NodeStarted(NodeStarted { visit, phase: PHASE.to_owned() }));
        for (number, call) in (1..).zip(calls) {
            self.call(node, CallId::new(node, visit, number), call);
        }
        self.now = self.now.max(until);
        if let Some(messages) = said {
            for message in messages.iter().filter(|message| is_chat(message)) {
                let said = Said { source: source(message).to_owned(), content: words(message).into() };
                self.write(Some(node), Body::Said(said));
            }
            let turn = TeamTurn { messages: messages.into_iter().map(Value::Object).collect() };
            self.write(Some(node), Body::Produced(turn.product()?));
        }
        let finished = NodeFinished {
            visit,
            status: NodeStatus::Succeeded,
            reason: None,
            degraded: None,
            duration_ms: self.now.since(began),
            patch: Patch::new(),
            appended: BTreeSet::new(),
            next,
            complete: true,
            anew: false,
        };
        self.write(Some(node), Body::NodeFinished(finished));
        Ok(())
    }

    fn call(&mut self, node: &NodeId, id: CallId, call: RecordedCall) {
        let RecordedCall { at, model, prompt, tools, answer, requests, usage, .. } = call;
        let began = self.now;
        let started = CallStarted {
            call: id.clone(),
            model: model.clone(),
            tier: Tier::Mid,
            profile: None,
            prompt: Prompt::from_iter(prompt),
            tools,
            asked: None,
        };
        self.write(Some(node), Body::CallStarted(started));
        self.now = self.now.max(at);
        let finished = CallFinished {
            answer: answer.into(),
            tool_requests: requests,
            usage,
            error: None,
            ..CallFinished::dropped(id, model, self.now.since(began))
        };
        self.write(Some(node), Body::CallFinished(finished));
    }

    fn finish(mut self, end: PastEnd, mut result: TeamResult) -> Result<Vec<NewEvent>, NoHistory> {
        let (status, error) = match end {
            PastEnd::Complete(reason) => {
                result.stop_reason =
                    reason.unwrap_or_else(|| "The file does not say why it ended.".to_owned());
                let last = result.messages.last().map(|last| last.content.clone()).unwrap_or_default();
                let lead = self.lead.clone();
                let report = Report {
                    name: "result".to_owned(),
                    title: "Last message".to_owned(),
                    markdown: last.into(),
                    figures: Vec::new(),
                };
                self.write(Some(&lead), Body::Reported(report));
                self.write(Some(&lead), Body::Produced(result.product()?));
                (RunStatus::Succeeded, None)
            }
            PastEnd::Failed(why) => (RunStatus::Failed, Some(why)),
            PastEnd::Stopped(Some(reason)) => {
                (RunStatus::Cancelled, Some(format!("It was stopped in AutoGen Studio: {reason}")))
            }
            PastEnd::Stopped(None) => {
                (RunStatus::Cancelled, Some("It was stopped in AutoGen Studio.".to_owned()))
            }
            PastEnd::Open => {
                let why = "AutoGen Studio had not noted its end: the run was at work when the file was copied, or \
                           Studio itself ended.";
                (RunStatus::Cancelled, Some(why.to_owned()))
            }
        };
        let finished = RunFinished { status, error, stopped: None, totals: self.totals.clone() };
        self.write(None, Body::RunFinished(finished));
        let through = self.events.len() as u64;
        if let Some(NewEvent { body: Body::RunStarted(started), .. }) = self.events.first_mut() {
            started.imported_through = Some(through);
        }
        Ok(self.events)
    }
}
