//! A person's turn: the run waits for what they say.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{AnswerForm, NodeContext, NodeError, Outcome, Question, Work};
use protocol::CallId;
use teamfile::{Body, Message};

use super::{
    course::Spoke,
    crew::{Crew, line, now},
    said::turn,
};

/// Characters of what the person answers to that the question shows; all of it is in the transcript.
const LONGEST_PROMPT: usize = 2000;

/// A turn of a person.
pub(super) struct PersonWork {
    pub(super) crew: Arc<Crew>,
    pub(super) name: String,
}

#[async_trait]
impl Work for PersonWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let course = self.crew.course(node.state())?;
        let last = course.inbox(&self.name).last();
        let handed_over_by = self.handed_over_by(last)?;
        let heard = last.map(Message::to_text).filter(|text| !text.trim().is_empty());
        let prompt: String =
            heard.unwrap_or_else(|| "It is your turn.".to_owned()).chars().take(LONGEST_PROMPT).collect();
        let (name, team) = (line(&self.name, 60), line(&self.crew.team.name, 60));
        let answer = node
            .ask(Question {
                prompt,
                reason: Some(format!("You speak as “{name}” in the team “{team}”.")),
                form: AnswerForm::Text,
                patience: Some(self.crew.patience),
                default: None,
            })
            .await?;
        let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        let request_id = CallId::new(&node.plan().id, node.visit(), 1).to_string();
        let asked = Body::UserInputRequested { request_id };
        let said = vec![
            Message { source: self.name.clone(), usage: None, body: asked },
            match handed_over_by {
                Some(source) => Message::handoff(&self.name, source, text),
                None => Message::text(&self.name, text),
            },
        ];
        node.note(turn(&said)?);
        let speaker = self.name.clone();
        self.crew.turn_over(Spoke { speaker, said, at: now(), ..Spoke::default() })
    }
}

impl PersonWork {
    /// Who has handed over to the person and gets the work back with the answer, if somebody has.
    fn handed_over_by<'a>(&self, last: Option<&'a Message>) -> Result<Option<&'a str>, NodeError> {
        match last {
            Some(Message { source, body: Body::Handoff { target, .. }, .. }) if *target == self.name => {
                Ok(Some(source))
            }
            Some(Message { source, body: Body::Handoff { target, .. }, .. }) => {
                Err(NodeError::failed(format!(
                    "“{}” handed over to “{}”, and it is the turn of “{}”. Let handoffs say who speaks, or take them out.",
                    line(source, 60),
                    line(target, 60),
                    line(&self.name, 60)
                )))
            }
            _ => Ok(None),
        }
    }
}
