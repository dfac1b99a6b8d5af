//! Who speaks next, and the end.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use llm::{AnswerSchema, ChatRequest};
use protocol::{
    Body, Said, Tier,
    team::{NoProduct, TeamMessage, TeamPick, TeamResult},
};
use teamfile::{
    Message,
    speaking::{Next, PromptMessage, PromptRole, Question},
    termination::Stop,
};

use super::{
    course::{Course, Happened},
    crew::{COURSE, Crew},
    memory,
};
use crate::node::report;

/// Chooses who speaks next, or ends the team.
pub(super) struct ManagerWork(pub(super) Arc<Crew>);

#[async_trait]
impl Work for ManagerWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let crew = &self.0;
        let mut course = crew.course(node.state())?;
        let mut written = Vec::new();
        if node.visit() == 1 {
            written.push(Body::Said(Said { source: "user".to_owned(), content: crew.task.as_str().into() }));
        }
        let mut replies = Vec::new();
        while let Next::Ask(question) = course.next() {
            let reply = reply(node, question).await?;
            replies.push(reply.clone());
            course.tell(reply).map_err(|error| NodeError::failed(error.to_string()))?;
        }
        let next = match course.next() {
            Next::Speak(turns) => {
                let mut next = Vec::new();
                for turn in turns {
                    next.push(crew.node(&turn.speaker)?);
                    written.push(product(pick(&course, &turn.speaker, &replies).product())?);
                }
                next
            }
            Next::Stop(stop) => {
                let result = result(&crew.team.name, &course, stop);
                let last = result.messages.last().map(|last| last.content.clone()).unwrap_or_default();
                written.push(report("result", "Last message", &last, Vec::new()));
                written.push(product(result.product())?);
                Vec::new()
            }
            Next::Ask(_) | Next::Wait => {
                return Err(NodeError::failed("Nobody can be chosen while others speak."));
            }
        };
        node.emit(written).await?;
        let outcome = Outcome::default().to(next);
        if replies.is_empty() { Ok(outcome) } else { outcome.set(COURSE, replies) }
    }
}

async fn reply(node: &NodeContext, question: &Question) -> Result<Happened, NodeError> {
    let schema = question.schema.clone();
    let answer = node
        .chat(ChatRequest {
            agent: node.plan().id.to_string(),
            run: Some(node.run()),
            tier: node.plan().tier.unwrap_or(Tier::Quick),
            messages: question.messages.iter().filter_map(sent).collect(),
            tools: Vec::new(),
            schema: schema.map(|schema| AnswerSchema { name: "choice".to_owned(), schema }),
        })
        .await?;
    Ok(Happened::Replied { answer: answer.text, usage: memory::usage(&answer.usage) })
}

/// A message as it is sent; `None` for one without text, which providers refuse.
fn sent(message: &PromptMessage) -> Option<llm::Message> {
    let content = message.content.clone();
    (!content.trim().is_empty()).then(|| match message.role {
        PromptRole::System => llm::Message::System(content),
        PromptRole::User => llm::Message::User(content),
        PromptRole::Assistant => {
            llm::Message::Assistant { text: content, tool_requests: Vec::new(), echo: None }
        }
    })
}

fn pick(course: &Course, speaker: &str, replies: &[Happened]) -> TeamPick {
    let answers = replies.iter().filter_map(|reply| match reply {
        Happened::Replied { answer, .. } => Some(answer.clone()),
        Happened::Spoke { .. } => None,
    });
    TeamPick {
        turn: course.turns().saturating_add(1),
        speaker: speaker.to_owned(),
        answers: answers.collect(),
    }
}

fn result(team: &str, course: &Course, stop: &Stop) -> TeamResult {
    let tokens = course.tokens();
    let chat = course.thread().filter(|message| message.is_chat());
    TeamResult {
        team: team.to_owned(),
        stop_reason: stop.content.clone(),
        stopped_by: stop.source.clone(),
        messages: chat.map(message).collect(),
        turns: course.turns(),
        tokens_in: tokens.prompt,
        tokens_out: tokens.completion,
    }
}

fn message(message: &Message) -> TeamMessage {
    let kind = match message.body {
        teamfile::Body::MultiModal { .. } => "MultiModalMessage",
        teamfile::Body::Stop { .. } => "StopMessage",
        teamfile::Body::Handoff { .. } => "HandoffMessage",
        teamfile::Body::ToolCallSummary { .. } => "ToolCallSummaryMessage",
        teamfile::Body::Structured { .. } => "StructuredMessage",
        _ => "TextMessage",
    };
    TeamMessage { source: message.source.clone(), kind: kind.to_owned(), content: message.to_text() }
}

fn product(made: Result<protocol::Product, NoProduct>) -> Result<Body, NodeError> {
    made.map(Body::Produced)
        .map_err(|error| NodeError::failed(format!("What was brought forth cannot be kept: {error}.")))
}
