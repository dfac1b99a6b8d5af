use std::collections::HashMap;

use protocol::{
    Body, CallFinished, CallId, Control, Event, InputRequest, NodeAdded, NodeId, Product, RunFinished, RunId,
    RunStatus, Timestamp,
    team::{LEAD, TeamResult as Came, TeamTurn},
};
use serde_json::{Value, json};

use super::{
    UNEXPLAINED_STOP,
    encoded_message::EncodedMessage,
    frame::{Chunk, Ended, Frame, Moment, NoFields, TaskResult, TeamResult, moment},
};

/// The role of nodes whose answers are what a participant says.
const ASSISTANT: &str = "assistant";

/// Something that was said or done in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The number of its event in the log.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The message.
    pub message: EncodedMessage,
}

/// A node of the run.
#[derive(Clone, Debug)]
struct Agent {
    /// What people call it.
    name: String,
    /// Whether what its model writes is what it says.
    is_model: bool,
}

/// Turns the log of a team's run, from its first event on, into frames, and keeps what stands in rows.
///
/// What a turn holds may be long, so the log's products have to be read with their texts whole.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    run: Option<RunId>,
    /// The number of the latest event.
    seq: u64,
    began: Timestamp,
    task: Vec<EncodedMessage>,
    agents: HashMap<NodeId, Agent>,
    /// The latest call of each agent, which its next text is the answer of.
    calls: HashMap<NodeId, CallId>,
    /// Bytes of the texts of calls in flight whose pieces were given.
    given: HashMap<CallId, usize>,
    told: Vec<Told>,
    asked: Vec<InputRequest>,
    is_told_to_end: bool,
    came: Option<Came>,
    ended: Option<(RunFinished, Timestamp)>,
}

impl Stream {
    /// Takes the next event in, and gives the frames that it becomes.
    pub fn apply(&mut self, event: &Event) -> Vec<Frame> {
        self.seq = event.seq;
        match &event.body {
            Body::RunStarted(_) => {
                (self.run, self.began) = (Some(event.run), event.at);
                Vec::new()
            }
            Body::NodeAdded(NodeAdded { id, label, role, .. }) => {
                let agent = Agent { name: label.clone(), is_model: role == ASSISTANT };
                self.agents.insert(id.clone(), agent);
                Vec::new()
            }
            Body::CallStarted(started) => {
                if let Some(node) = &event.node {
                    self.calls.insert(node.clone(), started.call.clone());
                }
                Vec::new()
            }
            Body::CallFinished(finished) => self.call_ended(event, finished).into_iter().collect(),
            Body::Produced(product) => self.produced(event, product),
            Body::InputRequested(request) => vec![self.asks(event, request)],
            Body::InputReceived(received) => {
                self.asked.retain(|asked| asked.input != received.input);
                Vec::new()
            }
            Body::Told(_) => {
                self.is_told_to_end |= event.node.as_ref().is_some_and(|node| node.as_str() == LEAD);
                Vec::new()
            }
            Body::RunFinished(finished) => {
                self.asked.clear();
                self.ended = Some((finished.clone(), event.at));
                self.end(Moment::of(event)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The frame of a piece of text that a model writes; `None` where it is not a participant's.
    #[must_use]
    pub fn piece(&mut self, piece: &Control, at: Timestamp) -> Option<Frame> {
        let Control::Delta { call, from, text } = piece else { return None };
        let data = self.chunk(call, *from, text, at)?;
        self.given.insert(call.clone(), from.saturating_add(text.len()));
        (!text.is_empty()).then(|| Frame::MessageChunk { data, moment: Moment::after(self.seq, at) })
    }

    /// A piece of what a participant's model writes, which begins at this byte of the whole.
    fn chunk(&self, call: &CallId, from: usize, text: &str, at: Timestamp) -> Option<Chunk> {
        let node: NodeId = call.as_str().split(':').next()?.parse().ok()?;
        let source = self.agents.get(&node).filter(|agent| agent.is_model)?.name.clone();
        let full_message_id = self.id_of_call(call);
        Some(Chunk {
            id: format!("{full_message_id}@{from}"),
            source,
            models_usage: None,
            metadata: NoFields {},
            created_at: moment(at),
            content: text.to_owned(),
            full_message_id,
            kind: "ModelClientStreamingChunkEvent",
        })
    }

    /// All that was said and done so far.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// The messages of the task.
    #[must_use]
    pub fn task(&self) -> &[EncodedMessage] {
        &self.task
    }

    /// The question that an answer is to: the one that it names, or else the oldest that is open.
    #[must_use]
    pub fn question(&self, named: Option<&CallId>) -> Option<&CallId> {
        match named {
            Some(input) => self.asked.iter().find(|asked| asked.input == *input),
            None => self.asked.first(),
        }
        .map(|asked| &asked.input)
    }

    /// Whether somebody has told the team that it is to end.
    #[must_use]
    pub fn is_told_to_end(&self) -> bool {
        self.is_told_to_end
    }

    /// What came of the run; `None` before its end.
    #[must_use]
    pub fn result(&self) -> Option<TeamResult> {
        let (finished, at) = self.ended.as_ref()?;
        let duration = at.since(self.began) as f64 / 1_000.0;
        let usage = self.usage(finished);
        let ended = |how, reason: &str| TeamResult::of_ended(how, reason, *at, usage.clone(), duration);
        Some(match finished.status {
            RunStatus::Cancelled => {
                let reason = finished.stopped.as_ref().and_then(|stopped| stopped.reason.as_deref());
                ended(Ended::Cancelled, reason.unwrap_or(UNEXPLAINED_STOP))
            }
            RunStatus::Succeeded => {
                let messages = self.told.iter().map(|told| told.message.clone()).collect();
                let stop_reason = self.came.as_ref().map(|came| came.stop_reason.clone());
                TeamResult { task_result: TaskResult { messages, stop_reason }, usage, duration }
            }
            _ => ended(Ended::Error, finished.error.as_deref().unwrap_or("No reason was recorded.")),
        })
    }

    /// What was written of an answer that was cut off is kept as one piece of a message that never came. A client is
    /// sent what it has not seen of it.
    fn call_ended(&mut self, event: &Event, finished: &CallFinished) -> Option<Frame> {
        let given = self.given.remove(&finished.call).unwrap_or_default();
        let text = finished.cut_off.whole().filter(|text| !text.is_empty())?;
        let message = EncodedMessage::of(&self.chunk(&finished.call, 0, text, event.at)?)?;
        self.told.push(Told { seq: event.seq, at: event.at, message });
        let data =
            self.chunk(&finished.call, given, text.get(given..).filter(|rest| !rest.is_empty())?, event.at)?;
        Some(Frame::MessageChunk { data, moment: Moment::of(event) })
    }

    fn produced(&mut self, event: &Event, product: &Product) -> Vec<Frame> {
        if let Some(came) = product.document::<Came>() {
            self.came = Some(came);
        }
        let Some(TeamTurn { messages }) = product.document::<TeamTurn>() else { return Vec::new() };
        let is_task = self.told.is_empty();
        // The last text with tokens is what the agent's last call answered.
        let is_answer = |message: &Value| {
            message.get("type").is_some_and(|kind| kind == "TextMessage")
                && message.get("models_usage").is_some_and(|usage| !usage.is_null())
        };
        let answer = messages.iter().rposition(is_answer);
        let call = event.node.as_ref().and_then(|node| self.calls.remove(node));
        let moment = Moment::of(event);
        let mut frames = Vec::with_capacity(messages.len());
        for (number, mut message) in messages.into_iter().enumerate() {
            let id = match &call {
                Some(call) if answer == Some(number) => self.id_of_call(call),
                _ => format!("{}:{}.{number}", event.run, event.seq),
            };
            if let Value::Object(fields) = &mut message {
                fields.insert("id".to_owned(), id.into());
                fields.insert("created_at".to_owned(), moment.timestamp().into());
                fields.entry("metadata").or_insert_with(|| json!({}));
                fields.entry("models_usage").or_insert(Value::Null);
            }
            // A JSON value always encodes.
            let Some(message) = EncodedMessage::of(&message) else { continue };
            if is_task {
                self.task.push(message.clone());
            }
            self.told.push(Told { seq: event.seq, at: event.at, message: message.clone() });
            frames.push(Frame::Message { data: message, moment: moment.clone() });
        }
        frames
    }

    fn asks(&mut self, event: &Event, request: &InputRequest) -> Frame {
        self.asked.retain(|asked| asked.input != request.input);
        self.asked.push(request.clone());
        let agent = event.node.as_ref().and_then(|node| self.agents.get(node));
        Frame::InputRequest {
            prompt: request.prompt.clone(),
            data: json!({ "source": "system", "content": request.prompt }),
            input: request.input.clone(),
            agent: agent.map(|agent| agent.name.clone()),
            deadline: request.deadline.map(moment),
            moment: Moment::of(event),
        }
    }

    fn end(&self, moment: Moment) -> Option<Frame> {
        let (finished, _) = self.ended.as_ref()?;
        let data = self.result()?;
        let how = match finished.status {
            RunStatus::Succeeded => return Some(Frame::Result { data, status: "complete", moment }),
            RunStatus::Cancelled => Ended::Cancelled,
            _ => Ended::Error,
        };
        Some(Frame::Completion { status: how, data, moment })
    }

    /// What a message is called that a call of a model answers, known before the answer is there.
    fn id_of_call(&self, call: &CallId) -> String {
        match self.run {
            Some(run) => format!("{run}:{call}"),
            None => call.to_string(),
        }
    }

    fn usage(&self, finished: &RunFinished) -> String {
        let (prompt, answer) = match &self.came {
            Some(came) => (came.tokens_in, came.tokens_out),
            None => (finished.totals.tokens_in, finished.totals.tokens_out),
        };
        match (prompt, answer) {
            (0, 0) => String::new(),
            (prompt, answer) => format!("{prompt} prompt tokens, {answer} completion tokens"),
        }
    }
}
