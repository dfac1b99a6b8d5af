//! Steps of work, one after the other. Each is given the results that it names, and nothing else that was said.

use serde::{Deserialize, Serialize};

use super::{
    PromptMessage, Question, SpeakingError,
    conversation::{Choice, Member, View},
    mention::mentioned,
    prompts,
};
use crate::{
    message::Message,
    team::{Process, Steps},
    termination::Stop,
};

pub(super) const NAME: &str = "StepsManager";

/// How often the leading model is asked who does a step.
const ATTEMPTS: u32 = 3;

/// Steps at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stepping {
    steps: Steps,
    task: Vec<Message>,
    /// The results of the steps so far.
    results: Vec<String>,
    asked: Option<Question>,
}

impl Stepping {
    pub(super) fn new(steps: &Steps) -> Self {
        Self { steps: steps.clone(), task: Vec::new(), results: Vec::new(), asked: None }
    }

    pub(super) fn begin(&mut self, task: Vec<Message>) {
        self.task = task;
        self.results.clear();
        self.asked = None;
    }

    pub(super) fn hear(&mut self, message: &Message) {
        self.results.push(message.to_text());
    }

    pub(super) fn completion(&self) -> Option<Stop> {
        (self.results.len() >= self.steps.steps.len()).then(complete)
    }

    pub(super) fn choose(&mut self, view: &View<'_>) -> Result<Choice, SpeakingError> {
        let Some(step) = self.steps.steps.get(self.results.len()) else {
            return Ok(Choice::Finish(complete()));
        };
        let lead = match &self.steps.process {
            Process::Sequential => None,
            Process::Hierarchical { lead, .. } => lead.clone(),
        };
        if let Some(speaker) = step.agent.clone().or(lead) {
            return Ok(Choice::Tell(speaker, self.told()));
        }
        if self.steps.process == Process::Sequential {
            return Err(SpeakingError::StepOfNobody(step.name.clone()));
        }
        let candidates: Vec<&Member> = view.members.iter().collect();
        let told = format!("{NAME}: {}", step.instruction());
        let content = prompts::select_speaker(None, &candidates, &told);
        let question = Question { messages: vec![PromptMessage::user(content)], schema: None, attempt: 1 };
        self.asked = Some(question.clone());
        Ok(Choice::Ask(question))
    }

    pub(super) fn replied(&mut self, answer: &str, view: &View<'_>) -> Result<Choice, SpeakingError> {
        let names = view.members.iter().map(|member| member.name.as_str());
        if let Some(speaker) = mentioned(answer, names) {
            self.asked = None;
            return Ok(Choice::Tell(speaker.to_owned(), self.told()));
        }
        match self.asked.take() {
            Some(mut question) if question.attempt < ATTEMPTS => {
                question.attempt += 1;
                question.messages.push(PromptMessage::assistant(answer));
                question.messages.push(PromptMessage::user("Return exactly one of the roles."));
                self.asked = Some(question.clone());
                Ok(Choice::Ask(question))
            }
            _ => {
                let first = view.members.first().ok_or(SpeakingError::Nobody)?;
                Ok(Choice::Tell(first.name.clone(), self.told()))
            }
        }
    }

    /// The task, the results that the step is given, and the step.
    fn told(&self) -> Vec<Message> {
        let Some(step) = self.steps.steps.get(self.results.len()) else { return Vec::new() };
        let earlier =
            self.steps.steps.iter().zip(&self.results).filter(|(earlier, _)| {
                step.inputs.as_ref().is_none_or(|inputs| inputs.contains(&earlier.name))
            });
        let results = earlier.map(|(earlier, result)| {
            let source = earlier.agent.as_deref().unwrap_or(NAME);
            Message::text(source, format!("Result of {}:\n\n{result}", earlier.name))
        });
        self.task.iter().cloned().chain(results).chain([Message::text(NAME, step.instruction())]).collect()
    }
}

fn complete() -> Stop {
    Stop { content: "All steps are done.".to_owned(), source: NAME.to_owned() }
}
