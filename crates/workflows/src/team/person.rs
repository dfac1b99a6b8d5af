//! A person's turn: the run waits for what they say.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::{AnswerForm, NodeContext, NodeError, Outcome, Question, Work};
use protocol::{Body as Logged, Said};
use teamfile::{Body, Message};

use super::{
    course::Happened,
    crew::{COURSE, Crew, line},
};

/// How long a person is waited for. The run fails at the deadline: nobody else can say what they would have said.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
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
        let heard = last.map(Message::to_text).filter(|text| !text.trim().is_empty());
        let prompt: String =
            heard.unwrap_or_else(|| "It is your turn.".to_owned()).chars().take(LONGEST_PROMPT).collect();
        let (name, team) = (line(&self.name, 60), line(&self.crew.team.name, 60));
        let answer = node
            .ask(Question {
                prompt,
                reason: Some(format!("You speak as “{name}” in the team “{team}”.")),
                form: AnswerForm::Text,
                patience: Some(PATIENCE),
                default: None,
            })
            .await?;
        let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        node.emit(vec![Logged::Said(Said { source: self.name.clone(), content: text.as_str().into() })])
            .await?;
        // Whoever handed over to a person gets the work back with the answer.
        let said = match last {
            Some(Message { source, body: Body::Handoff { target, .. }, .. }) if *target == self.name => {
                Message::handoff(&self.name, source, text)
            }
            _ => Message::text(&self.name, text),
        };
        let speaker = self.name.clone();
        Outcome::default()
            .set(COURSE, [Happened::Spoke { speaker, said: vec![said], remembered: Vec::new() }])
    }
}
