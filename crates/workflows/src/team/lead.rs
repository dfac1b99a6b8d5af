//! Who speaks next, and the end.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use llm::AnswerSchema;
use protocol::{
    Body, LogLevel, Tier,
    team::{TeamMessage, TeamResult},
};
use teamfile::{
    Message,
    speaking::{Next, PromptMessage, PromptRole, Question},
    team::{Answering, Asking},
    termination::Stop,
};

use super::{
    course::{Course, Happened},
    crew::{Crew, Given, line, now},
    earlier_run::{EarlierRun, Told},
    graph::voice_id,
    memory,
    pick::pick,
    said::{product, turn},
    toolset::Toolset,
    voice::{self, Asked, Wanted},
};
use crate::node::{log, report};

/// How often the model that leads is asked before it has to say who speaks, whatever a file says.
const MOST_QUESTIONS: usize = 64;

/// Says who speaks next, or ends the team.
pub(super) struct LeadWork(pub(super) Arc<Crew>);

#[async_trait]
impl Work for LeadWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let crew = &self.0;
        let mut hand = crew.course_in_hand(node.state())?;
        if crew.has_decided(node.state(), hand.course())? {
            return Ok(crew.led(hand)?.to([]));
        }
        let (mut written, mut within) = (Vec::new(), Told::new());
        let mut said = hand.course().told().to_vec();
        if !crew.has_begun(node.state())? {
            // What was told before a team within another went on belongs to its turn before.
            said.clear();
            if let Some(earlier) = crew.after() {
                let mut told = Box::pin(earlier.look(node)).await?;
                hand.recall(told.remove(crew.course_key()).unwrap_or_default());
                written.push(went_on(earlier, hand.course()));
                within = told;
            }
            let Given { earlier, task } = crew.given(node.state())?;
            let task = hand.course().handed_back(task);
            if crew.is_outermost() {
                written.extend(other_models(crew));
                written.extend(own_models(crew));
                written.extend(turn(&[earlier.as_slice(), &task].concat())?);
            }
            said.extend_from_slice(hand.tell(Happened::Began { earlier, task, at: now() })?);
        }
        let is_between_turns = matches!(hand.course().next(), Some(Next::Speak(_) | Next::Ask(_)));
        if is_between_turns && crew.hears_outside() && !node.inbox().await?.is_empty() {
            hand.tell(Happened::ToldToEnd { at: now() })?;
            if matches!(hand.course().next(), Some(Next::Stop(_))) {
                // What was told was of the next turn, which nobody takes.
                said.clear();
            }
        }
        let mut answers = Vec::new();
        while let Some(Next::Ask(question)) = hand.course().next() {
            if answers.len() == MOST_QUESTIONS {
                return Err(NodeError::failed(format!(
                    "The model that leads was asked {MOST_QUESTIONS} times and has not said who speaks."
                )));
            }
            let (answer, usage) = self.ask(node, question, hand.course().replies()).await?;
            answers.push(answer.clone());
            said.extend_from_slice(hand.tell(Happened::Replied { answer, usage })?);
        }
        written.extend(turn(&said)?);
        let course = hand.course();
        let next = match course.next() {
            Some(Next::Speak(turns)) => {
                let mut next = Vec::new();
                for turn in turns {
                    next.push(crew.node(&turn.speaker)?);
                    written.push(product(pick(crew, course, &turn.speaker, &answers).product())?);
                }
                next
            }
            Some(Next::Stop(stop)) => self.end(course, stop, &mut written)?,
            Some(Next::Wait) => Vec::new(),
            Some(Next::Ask(_)) | None => return Err(NodeError::failed("The team has no task.")),
        };
        let is_waiting = matches!(course.next(), Some(Next::Wait));
        node.note(written);
        let steps = course.steps();
        let outcome = Crew::recalled(crew.led(hand)?, within)?;
        let outcome = if is_waiting { outcome } else { crew.decided(outcome, steps)? };
        Ok(outcome.to(next))
    }
}

impl LeadWork {
    async fn ask(
        &self,
        node: &NodeContext,
        question: &Question,
        replies: u32,
    ) -> Result<(String, teamfile::Usage), NodeError> {
        let schema = question.schema.clone();
        let read: Vec<_> = question.messages.iter().filter_map(sent).map(Cow::Owned).collect();
        let wanted = Wanted {
            tier: Tier::Quick,
            tools: &Toolset::default(),
            schema: schema.map(|schema| AnswerSchema { name: "progress".to_owned(), schema }),
        };
        let answering = self.0.team.conduct.answering().unwrap_or(Answering::Run);
        let answer = voice::ask(node, &answering, Asked(replies), &read, wanted).await?;
        Ok((answer.text, memory::usage(&answer.usage)))
    }

    /// The result of the run; of a team within another, who speaks for it.
    fn end(
        &self,
        course: &Course,
        stop: &Stop,
        written: &mut Vec<Body>,
    ) -> Result<Vec<protocol::NodeId>, NodeError> {
        let crew = &self.0;
        if crew.is_outermost() {
            let result = result(&crew.team.name, course, stop);
            let last = result.messages.last().map(|last| last.content.clone()).unwrap_or_default();
            written.push(report("result", "Last message", &last, Vec::new()));
            written.push(product(result.product())?);
            return Ok(Vec::new());
        }
        let name = line(&crew.team.name, 60);
        written.push(log(LogLevel::Info, format!("The team “{name}” has ended: {}", stop.content)));
        let is_voiced = crew.society().is_some() && !course.answer().is_empty();
        Ok(if is_voiced { voice_id().into_iter().collect() } else { Vec::new() })
    }
}

/// After which run this one goes on, and what is known from there.
fn went_on(earlier: &EarlierRun, course: &Course) -> Body {
    let said = course.thread().filter(|message| message.is_chat()).count();
    let messages = if said == 1 { "one message".to_owned() } else { format!("{said} messages") };
    log(LogLevel::Info, format!("Goes on after the run {}: the team remembers {messages}.", earlier.run))
}

/// Which models the file names that are not asked: those of the run are.
fn other_models(crew: &Crew) -> Option<Body> {
    let mut names: Vec<String> = Vec::new();
    crew.team.for_each_model(&mut |model| {
        let name = line(&model.model, 60);
        if model.replay().is_none() && !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    });
    let names = names.join(", ");
    (!names.is_empty()).then(|| {
        let told =
            format!("The team names the models {names}. This run asks the model that it was started with for all agents that have none of their own.");
        log(LogLevel::Info, told)
    })
}

/// Who asks a model of their own, in inner teams as well.
fn own_models(crew: &Crew) -> Option<Body> {
    let mut own = Vec::new();
    crew.team.for_each_asking(&mut |asking, answering| {
        let Answering::Profile(profile) = answering else { return };
        let who = match asking {
            Asking::Participant(name) => line(name, 60),
            Asking::Lead(team) => format!("whoever leads “{}”", line(team, 60)),
        };
        own.push(format!("{who} asks {}", line(profile, 60)));
    });
    (!own.is_empty()).then(|| {
        let told = format!("Models of their own, unless the run is rehearsed: {}.", own.join(", "));
        log(LogLevel::Info, told)
    })
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

fn result(team: &str, course: &Course, stop: &Stop) -> TeamResult {
    let tokens = course.tokens();
    let chat = course.on_task().filter(|message| message.is_chat());
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
