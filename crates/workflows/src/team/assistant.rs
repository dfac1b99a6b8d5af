//! An assistant's turn: its model answers, calls tools, or hands over.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, ToolResult, Work};
use futures::future::try_join_all;
use llm::{Arguments, ChatAnswer, ToolRequest};
use protocol::{Tier, ToolStatus};
use serde_json::{Value, json};
use teamfile::{
    Body, Message, ToolCall,
    team::{Answering, Assistant, Handoff},
};

use super::{
    course::Spoke,
    crew::{Crew, line, now},
    memory,
    said::{turn, turn_of_model},
    toolset::Toolset,
    voice::{self, Asked, Wanted},
};
use crate::agent::SENT_BACK;

/// The most rounds of tool calls in a turn, whatever a file says.
const MOST_ROUNDS: u32 = 16;
/// Tool calls that are run of one answer; the rest are refused.
const MOST_CALLS: usize = 16;
/// How often an empty answer is sent back.
const CORRECTIONS: u32 = 2;

/// A turn of one assistant.
pub(super) struct AssistantWork {
    pub(super) crew: Arc<Crew>,
    pub(super) name: String,
    pub(super) assistant: Assistant,
}

/// A turn that is being taken.
#[derive(Default)]
struct Turn {
    said: Vec<Message>,
    remembered: Vec<llm::Message>,
    /// How often the model was asked before this turn, and in it.
    before: u32,
    asked: u32,
}

/// An answer of the model, with the thought that came with it.
struct Answered {
    answer: ChatAnswer,
    thought: Option<String>,
}

/// A call that was made, with what came of it.
struct Made {
    request: ToolRequest,
    result: ToolResult,
}

#[async_trait]
impl Work for AssistantWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let course = self.crew.course(node.state())?;
        let tools = Toolset::of(&self.assistant, &self.crew.tools).await;
        let remembered =
            self.assistant.memories().map(|contents| Body::MemoryQuery { content: contents.to_vec() });
        let said = remembered.map(|body| self.message(None, body)).collect();
        let mut taken = Turn { said, before: course.asked(&self.name), ..Turn::default() };
        self.take(node, course.memory(&self.name), &tools, &mut taken).await?;
        let Turn { said, remembered, asked, .. } = taken;
        node.note(if self.is_replayed() { turn(&said)? } else { turn_of_model(&said)? });
        let speaker = self.name.clone();
        self.crew.turn_over(Spoke { speaker, said, remembered, asked, at: now(), inner: Vec::new() })
    }
}

impl AssistantWork {
    fn is_replayed(&self) -> bool {
        matches!(self.assistant.answering(), Answering::Replay(_))
    }

    async fn take(
        &self,
        node: &NodeContext,
        memory: &[llm::Message],
        tools: &Toolset,
        turn: &mut Turn,
    ) -> Result<(), NodeError> {
        let mut made = Vec::new();
        for _ in 0..self.assistant.max_tool_iterations.clamp(1, MOST_ROUNDS) {
            let Answered { answer, thought } = self.ask(node, memory, turn, tools).await?;
            if answer.tool_requests.is_empty() {
                self.text(answer, turn);
                return Ok(());
            }
            made = self.call(node, answer, tools, turn).await?;
            let handoff = made.iter().find_map(|made| {
                (made.result.status == ToolStatus::Success).then(|| tools.handoff(&made.request.name))?
            });
            if let Some(handoff) = handoff {
                turn.said.push(self.hand_over(handoff, &made, thought.as_deref(), tools));
                return Ok(());
            }
        }
        if self.assistant.reflect_on_tool_use {
            let Answered { answer, .. } = self.ask(node, memory, turn, &Toolset::default()).await?;
            self.text(answer, turn);
        } else {
            let format = &self.assistant.tool_call_summary_format;
            let lines: Vec<String> = made.iter().map(|made| made.summary(format)).collect();
            turn.said.push(self.message(None, Body::ToolCallSummary { content: lines.join("\n") }));
        }
        Ok(())
    }

    /// Asks until there is an answer that is not empty.
    async fn ask(
        &self,
        node: &NodeContext,
        memory: &[llm::Message],
        turn: &mut Turn,
        tools: &Toolset,
    ) -> Result<Answered, NodeError> {
        let answering = self.assistant.answering();
        let is_replayed = matches!(answering, Answering::Replay(_));
        let told = self.assistant.instructions().map(llm::Message::System);
        let mut read: Vec<Cow<'_, llm::Message>> = told.map(Cow::Owned).into_iter().collect();
        let known: Vec<&llm::Message> = memory.iter().chain(&turn.remembered).collect();
        read.extend(memory::read(&known, &self.assistant.context).into_iter().map(Cow::Borrowed));
        let comments = node.comments().iter().map(|comment| format!("{SENT_BACK} {comment}"));
        read.extend(comments.map(llm::Message::User).map(Cow::Owned));
        for _ in 0..=CORRECTIONS {
            let before = Asked(turn.before.saturating_add(turn.asked));
            let wanted = Wanted { tier: Tier::Quick, tools, schema: None };
            let mut answer = voice::ask(node, &answering, before, &read, wanted).await?;
            turn.asked = turn.asked.saturating_add(1);
            if tools.is_empty() {
                answer.tool_requests.clear();
            }
            // What is said beside calls of tools is a thought: the turn's message comes after them.
            let beside = if answer.tool_requests.is_empty() { "" } else { answer.text.trim() };
            let thoughts = [answer.thoughts.trim(), beside];
            let thoughts: Vec<&str> = thoughts.into_iter().filter(|text| !text.is_empty()).collect();
            let thought = (!thoughts.is_empty()).then(|| thoughts.join("\n\n"));
            turn.said.extend(thought.clone().map(|content| self.message(None, Body::Thought { content })));
            if is_replayed || !answer.text.trim().is_empty() || !answer.tool_requests.is_empty() {
                return Ok(Answered { answer, thought });
            }
            read.push(Cow::Owned(llm::Message::User("Your answer was empty. Answer again.".to_owned())));
        }
        Err(NodeError::failed(format!(
            "The model of “{}” gave an empty answer {} times.",
            line(&self.name, 60),
            CORRECTIONS + 1
        )))
    }

    fn text(&self, answer: ChatAnswer, turn: &mut Turn) {
        let usage = Some(memory::usage(&answer.usage));
        turn.said.push(self.message(usage, Body::Text { content: answer.text.clone() }));
        let (text, echo) = (answer.text, answer.echo);
        turn.remembered.push(llm::Message::Assistant { text, tool_requests: Vec::new(), echo });
    }

    async fn call(
        &self,
        node: &NodeContext,
        answer: ChatAnswer,
        tools: &Toolset,
        turn: &mut Turn,
    ) -> Result<Vec<Made>, NodeError> {
        let requests = answer.tool_requests;
        let body = Body::ToolCallRequest { content: requests.iter().map(call).collect() };
        turn.said.push(self.message(Some(memory::usage(&answer.usage)), body));
        turn.remembered.push(llm::Message::Assistant {
            text: answer.text,
            tool_requests: requests.clone(),
            echo: answer.echo,
        });
        let question = turn.asked;
        let calls = requests.into_iter().enumerate().map(async |(number, request)| {
            // Calls of one answer are made at the same time, each in a lane of its own.
            let lane = node.lane(&format!("call_{question}_{}", number + 1))?;
            let work = async {
                match &request.arguments {
                    _ if number >= MOST_CALLS => ToolResult::error(format!(
                        "Too many calls at once: at most {MOST_CALLS} are run. Ask again."
                    )),
                    Arguments::Object(arguments) => {
                        tools.call(&request.name, &Value::Object(arguments.clone())).await
                    }
                    Arguments::Unreadable { why, .. } => ToolResult::error(format!(
                        "The arguments of this call cannot be read: {why}. Call it again with a JSON object."
                    )),
                }
            };
            let result = lane.tool(&line(&request.name, 64), &request.arguments, work).await?;
            Ok::<_, NodeError>(Made { request, result })
        });
        let all = try_join_all(calls).await?;
        turn.remembered.extend(all.iter().map(|made| llm::Message::Tool {
            request: made.request.id.clone(),
            name: made.request.name.clone(),
            content: made.result.text.clone(),
        }));
        let content = all.iter().map(Made::result).collect();
        turn.said.push(self.message(None, Body::ToolCallExecution { content }));
        Ok(all)
    }

    /// The first handoff of an answer holds. Whoever takes over is told what other calls of it gave, or, where there
    /// are none, what the model thought.
    fn hand_over(&self, handoff: &Handoff, made: &[Made], thought: Option<&str>, tools: &Toolset) -> Message {
        let others: Vec<&Made> =
            made.iter().filter(|made| tools.handoff(&made.request.name).is_none()).collect();
        let said =
            |content: Value| json!({ "type": "AssistantMessage", "source": self.name, "content": content });
        let context = if others.is_empty() {
            thought.map(|thought| said(thought.into())).into_iter().collect()
        } else {
            let calls: Vec<ToolCall> = others.iter().map(|made| call(&made.request)).collect();
            let results: Vec<teamfile::ToolResult> = others.iter().map(|made| made.result()).collect();
            let mut calling = said(json!(calls));
            if let Some(thought) = thought {
                calling["thought"] = thought.into();
            }
            vec![calling, json!({ "type": "FunctionExecutionResultMessage", "content": results })]
        };
        let (target, content) = (handoff.target.clone(), handoff.message.clone());
        self.message(None, Body::Handoff { target, content, context })
    }

    fn message(&self, usage: Option<teamfile::Usage>, body: Body) -> Message {
        Message { source: self.name.clone(), usage, body }
    }
}

fn call(request: &ToolRequest) -> ToolCall {
    ToolCall { id: request.id.clone(), name: request.name.clone(), arguments: request.arguments.text() }
}

impl Made {
    fn result(&self) -> teamfile::ToolResult {
        teamfile::ToolResult {
            call_id: self.request.id.clone(),
            name: self.request.name.clone(),
            content: self.result.text.clone(),
            is_error: self.result.status == ToolStatus::Error,
        }
    }

    /// A call in the words of a format. It is gone through once, so that no result can bring in places of its own.
    fn summary(&self, format: &str) -> String {
        let is_error = if self.result.status == ToolStatus::Error { "True" } else { "False" };
        let arguments = self.request.arguments.text();
        let places = [
            ("{tool_name}", self.request.name.as_str()),
            ("{arguments}", arguments.as_str()),
            ("{result}", self.result.text.as_str()),
            ("{is_error}", is_error),
        ];
        let (mut summary, mut rest) = (String::new(), format);
        while let Some(letter) = rest.chars().next() {
            if let Some((place, value)) = places.iter().find(|(place, _)| rest.starts_with(place)) {
                summary.push_str(value);
                rest = &rest[place.len()..];
            } else {
                summary.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
        summary
    }
}
