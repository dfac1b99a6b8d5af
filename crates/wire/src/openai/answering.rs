use protocol::{
    Body, Event, RunFinished, RunStatus, Totals,
    team::{TeamResult, TeamTurn},
};
use serde_json::Value;

use super::{Code, Error};

/// Turns the log of a team's run, from its first event on, into what whoever waits for its answer is told.
///
/// What a turn holds may be long, so the log's products have to be read with their texts whole.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    has_task: bool,
    came: Option<TeamResult>,
}

/// What a client is told of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Agents have said this, in Markdown.
    OnTheWay(String),
    /// The run has ended with this answer.
    Answered(Answer),
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The last message of the team; empty where nobody spoke.
    pub content: String,
    /// Why there is no more of it.
    pub finish: Finish,
    /// What the run used.
    pub used: Totals,
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The team was done.
    Stop,
    /// Nothing but a limit of messages or tokens has ended the team.
    Length,
}

impl Answering {
    /// Takes the next event in, and gives what is told of it.
    ///
    /// # Errors
    /// The run has ended without an answer.
    pub fn apply(&mut self, event: &Event) -> Result<Option<Told>, Error> {
        match &event.body {
            Body::Produced(product) => {
                if let Some(came) = product.document() {
                    self.came = Some(came);
                }
                Ok(product.document().and_then(|turn| self.turn(turn)))
            }
            Body::RunFinished(finished) => {
                self.end(event, finished).map(|answer| Some(Told::Answered(answer)))
            }
            _ => Ok(None),
        }
    }

    /// What was said in a turn. The first one is the task.
    fn turn(&mut self, turn: TeamTurn) -> Option<Told> {
        if !std::mem::replace(&mut self.has_task, true) {
            return None;
        }
        let text =
            |message: &Value, field: &str| message.get(field).and_then(Value::as_str).map(str::to_owned);
        let is_message =
            |message: &&Value| text(message, "type").is_some_and(|kind| kind.ends_with("Message"));
        let said = turn.messages.iter().filter(is_message).filter_map(|message| {
            Some(format!("**{}**: {}\n\n", text(message, "source")?, text(message, "content")?))
        });
        let said: String = said.collect();
        (!said.is_empty()).then_some(Told::OnTheWay(said))
    }

    fn end(&mut self, event: &Event, finished: &RunFinished) -> Result<Answer, Error> {
        let run = event.run;
        match (finished.status, self.came.take()) {
            (RunStatus::Succeeded, Some(came)) => Ok(Answer {
                finish: finish(&came),
                // What was said before anybody spoke is the task.
                content: came
                    .messages
                    .into_iter()
                    .next_back()
                    .filter(|_| came.turns > 0)
                    .map(|last| last.content)
                    .unwrap_or_default(),
                used: finished.totals.clone(),
            }),
            (RunStatus::Cancelled, _) => {
                let why = finished.error.as_deref().unwrap_or("It was stopped.");
                Err(Error::of_run(409, Code::RunStopped, format!("The run {run} was stopped: {why}")))
            }
            _ => {
                let why = finished.error.as_deref().unwrap_or("No reason was recorded.");
                Err(Error::of_run(500, Code::RunFailed, format!("The run {run} failed: {why}")))
            }
        }
    }
}

fn finish(came: &TeamResult) -> Finish {
    let is_limit = |condition: &str| matches!(condition, "MaxMessageTermination" | "TokenUsageTermination");
    if came.stopped_by.split(", ").all(is_limit) { Finish::Length } else { Finish::Stop }
}
