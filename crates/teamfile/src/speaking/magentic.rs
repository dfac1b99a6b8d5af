//! A model plans, and leads by a ledger of the progress.

use serde::{Deserialize, Serialize};

use super::{
    PromptMessage, Question, SpeakingError,
    conversation::{Choice, View},
    ledger::Ledger,
    prompts,
};
use crate::{message::Message, team::MagenticOne, termination::Stop};

pub(super) const NAME: &str = "MagenticOneOrchestrator";

/// How often the model is asked for one ledger.
const LEDGER_ATTEMPTS: u32 = 10;
/// Rounds of a team that names no number.
const USUAL_ROUNDS: u32 = 20;

/// A leading model at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Magentic {
    max_stalls: u32,
    max_rounds: u32,
    final_answer_prompt: Option<String>,
    task: String,
    facts: String,
    plan: String,
    rounds: u32,
    stalls: u32,
    /// Where in the thread the present plan begins.
    since: usize,
    stage: Stage,
    asked: Option<Question>,
}

/// What the model was asked for, or is to be asked for next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Facts,
    Plan,
    Progress,
    FactsAgain,
    PlanAgain,
    FinalAnswer { reason: String },
}

impl Magentic {
    pub(super) fn new(magentic: &MagenticOne, max_turns: Option<u32>) -> Self {
        Self {
            max_stalls: magentic.max_stalls,
            max_rounds: max_turns.unwrap_or(USUAL_ROUNDS),
            final_answer_prompt: magentic.final_answer_prompt.clone(),
            task: String::new(),
            facts: String::new(),
            plan: String::new(),
            rounds: 0,
            stalls: 0,
            since: 0,
            stage: Stage::Facts,
            asked: None,
        }
    }

    /// What was said earlier is told with the task, since the plan makes all participants forget what was before it.
    pub(super) fn begin(&mut self, earlier: &[Message], task: &[Message]) {
        let earlier = earlier.iter().map(|message| format!("{}: {}", message.source, message.to_text()));
        let task = task.iter().map(Message::to_text);
        self.task = earlier.chain(task).collect::<Vec<_>>().join("\n");
        (self.rounds, self.stalls, self.stage, self.asked) = (0, 0, Stage::Facts, None);
    }

    pub(super) fn choose(&mut self, view: &View<'_>) -> Result<Choice, SpeakingError> {
        Ok(match self.stage {
            Stage::Facts => self.ask(vec![PromptMessage::user(prompts::facts(&self.task))]),
            _ => self.round(view),
        })
    }

    /// One round: where there were too many, the final answer; else the ledger.
    fn round(&mut self, view: &View<'_>) -> Choice {
        if self.rounds > self.max_rounds {
            return self.finish("Max rounds reached.".to_owned(), view);
        }
        self.rounds += 1;
        self.stage = Stage::Progress;
        let names: Vec<&str> = view.members.iter().map(|member| member.name.as_str()).collect();
        let mut messages = self.thread(view);
        let question = prompts::progress(&self.task, &team(view), &names.join(", "));
        messages.push(PromptMessage::user(question));
        self.ask_with(messages, Some(Ledger::schema(&names)))
    }

    pub(super) fn replied(&mut self, answer: &str, view: &View<'_>) -> Result<Choice, SpeakingError> {
        match std::mem::replace(&mut self.stage, Stage::Progress) {
            Stage::Facts => {
                answer.clone_into(&mut self.facts);
                self.stage = Stage::Plan;
                Ok(self.go_on(answer, prompts::plan(&team(view))))
            }
            Stage::FactsAgain => {
                answer.clone_into(&mut self.facts);
                self.stage = Stage::PlanAgain;
                Ok(self.go_on(answer, prompts::plan_again(&team(view))))
            }
            Stage::Plan | Stage::PlanAgain => {
                answer.clone_into(&mut self.plan);
                Ok(self.announce(view))
            }
            Stage::Progress => self.lead(answer, view),
            Stage::FinalAnswer { reason } => {
                let then = Box::new(Choice::Finish(Stop { content: reason, source: NAME.to_owned() }));
                Ok(Choice::Say { messages: vec![Message::text(NAME, answer)], forgets: false, then })
            }
        }
    }

    /// The task, the facts and the plan are told to all, who forget what was before.
    fn announce(&mut self, view: &View<'_>) -> Choice {
        let text = prompts::ledger_text(&self.task, &team(view), &self.facts, &self.plan);
        (self.since, self.stalls) = (view.thread.len(), 0);
        let message = Message::text(NAME, text.clone());
        // The message is no part of the thread yet that the next question is made of.
        let mut then = self.round(view);
        if let Choice::Ask(question) = &mut then {
            question.messages.insert(0, PromptMessage::assistant(text));
            self.asked = Some(question.clone());
        }
        Choice::Say { messages: vec![message], forgets: true, then: Box::new(then) }
    }

    fn lead(&mut self, answer: &str, view: &View<'_>) -> Result<Choice, SpeakingError> {
        let names: Vec<&str> = view.members.iter().map(|member| member.name.as_str()).collect();
        let ledger = match Ledger::read(answer, &names) {
            Ok(ledger) => ledger,
            Err(reason) => {
                let Some(mut question) = self.asked.take() else { return Err(SpeakingError::NoQuestion) };
                if question.attempt >= LEDGER_ATTEMPTS {
                    return Err(SpeakingError::Ledger { attempts: question.attempt, reason });
                }
                question.attempt += 1;
                self.asked = Some(question.clone());
                return Ok(Choice::Ask(question));
            }
        };
        if ledger.is_request_satisfied {
            return Ok(self.finish(ledger.satisfied_reason, view));
        }
        self.stalls = if !ledger.is_progress_being_made || ledger.is_in_loop {
            self.stalls.saturating_add(1)
        } else {
            self.stalls.saturating_sub(1)
        };
        if self.stalls >= self.max_stalls {
            self.stage = Stage::FactsAgain;
            let mut messages = self.thread(view);
            messages.push(PromptMessage::user(prompts::facts_again(&self.task, &self.facts)));
            return Ok(self.ask(messages));
        }
        let messages = vec![Message::text(NAME, ledger.instruction)];
        let then = Box::new(Choice::Speak(vec![ledger.next_speaker]));
        Ok(Choice::Say { messages, forgets: false, then })
    }

    fn finish(&mut self, reason: String, view: &View<'_>) -> Choice {
        self.stage = Stage::FinalAnswer { reason };
        let mut messages = self.thread(view);
        let question = prompts::final_answer(self.final_answer_prompt.as_deref(), &self.task);
        messages.push(PromptMessage::user(question));
        self.ask(messages)
    }

    /// The next question in the same conversation with the model.
    fn go_on(&mut self, answer: &str, question: String) -> Choice {
        let mut messages = self.asked.take().map(|asked| asked.messages).unwrap_or_default();
        messages.push(PromptMessage::assistant(answer));
        messages.push(PromptMessage::user(question));
        self.ask(messages)
    }

    fn ask(&mut self, messages: Vec<PromptMessage>) -> Choice {
        self.ask_with(messages, None)
    }

    fn ask_with(&mut self, messages: Vec<PromptMessage>, schema: Option<serde_json::Value>) -> Choice {
        let question = Question { messages, schema, attempt: 1 };
        self.asked = Some(question.clone());
        Choice::Ask(question)
    }

    /// What was said under the present plan, as a conversation with the model.
    fn thread(&self, view: &View<'_>) -> Vec<PromptMessage> {
        let since = view.thread.get(self.since..).unwrap_or_default();
        let said = since.iter().map(|entry| &entry.message).filter(|message| message.is_chat());
        said.map(|message| {
            if message.source == NAME {
                PromptMessage::assistant(message.to_text())
            } else {
                PromptMessage::user(format!("{}: {}", message.source, message.to_text()))
            }
        })
        .collect()
    }
}

fn team(view: &View<'_>) -> String {
    view.members.iter().map(prompts::role).collect::<Vec<_>>().join("\n")
}
