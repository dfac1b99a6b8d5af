//! The lesson from one decision. One that fails stops no other.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::{
    LogLevel, RunId,
    trading::{Lesson, LessonVerdict, ReflectedDecision, ReflectionEnd},
};
use serde_json::json;

use super::{
    Hindsight,
    answer::{lesson_schema, read_lesson},
    facts::LessonFacts,
    state,
};
use crate::{
    agent::{Brief, NoTools, ask},
    node::{brief, log, product},
    trading::{
        measured::{Found, measure},
        memory::due::DueDecision,
        prompts::{prompt, roles},
    },
};

/// The agent that writes lessons.
pub(in crate::trading) const AUTHOR: &str = "lesson_author";
/// The tool by which code looks for a lesson that another run has written.
const LOOK: &str = "find_lesson";

/// Has a lesson written.
pub(super) struct WriteLesson {
    pub(super) hindsight: Hindsight,
    pub(super) due: DueDecision,
}

#[async_trait]
impl Work for WriteLesson {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let rating = &self.due.rating;
        let end = match self.known(node).await? {
            Some(run) => {
                let text = format!("The run {run} has written this lesson in the meantime.");
                node.emit(vec![log(LogLevel::Info, text)]).await?;
                ReflectionEnd::Known
            }
            None => match self.written(node).await {
                Ok(verdict) => ReflectionEnd::Written { verdict },
                Err(NodeError::Failed(reason) | NodeError::Model(reason)) => ReflectionEnd::Failed { reason },
                // The whole run has to end: it was stopped, has reached a limit, or its log cannot be used.
                Err(error) => return Err(error),
            },
        };
        let failed = match &end {
            ReflectionEnd::Failed { reason } => Some(reason.clone()),
            ReflectionEnd::Written { .. } | ReflectionEnd::Known => None,
        };
        let reflected = ReflectedDecision {
            ticker: rating.ticker.clone(),
            decided: rating.date,
            decided_by: self.due.run,
            end,
        };
        let outcome = Outcome::default().set(state::REFLECTED, reflected)?;
        Ok(match failed {
            Some(reason) => outcome.failed(reason),
            None => outcome,
        })
    }
}

impl WriteLesson {
    /// The run that has written this lesson since the decisions were found.
    async fn known(&self, node: &NodeContext) -> Result<Option<RunId>, NodeError> {
        let (ticker, decided) = (&self.due.rating.ticker, self.due.rating.date);
        let looking = Box::pin(async {
            let lessons = self.hindsight.lessons.of(node.owner()).await.map_err(|error| error.to_string())?;
            let same = |it: &&_| is_on(it, self);
            let value = lessons.iter().find(same).map(|written| written.run);
            Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
        });
        measure(node, LOOK, &json!({ "ticker": ticker, "decided": decided }), looking).await
    }

    /// Asks for the lesson and puts it into the log.
    async fn written(&self, node: &NodeContext) -> Result<LessonVerdict, NodeError> {
        let DueDecision { run, rating, sector, score } = &self.due;
        let facts = LessonFacts::of(&self.due);
        let case = format!(
            "Stock: {}. Day of the rating: {}. Day on which its outcome became known: {}.",
            rating.ticker, rating.date, score.until
        );
        let messages = prompt(roles::LESSON_AUTHOR, case)
            .section("The rating in short", &rating.summary)
            .section("Its reasons", &rating.thesis)
            .facts(&facts);
        let request = Brief { agent: AUTHOR.to_owned(), ..brief(node, messages, Some(lesson_schema())) };
        let answer = ask(node, request, &NoTools, read_lesson).await?.answer;
        let verdict = facts.verdict;
        let lesson = Lesson {
            ticker: rating.ticker.clone(),
            sector: sector.clone(),
            decided: rating.date,
            grade: rating.grade,
            confidence: rating.confidence,
            decided_by: *run,
            summary: rating.summary.clone(),
            score: score.clone(),
            verdict,
            situation: answer.situation,
            entry_advice: answer.entry_advice,
            exit_advice: answer.exit_advice,
        };
        node.emit(vec![product(lesson.product())?]).await?;
        Ok(verdict)
    }
}

fn is_on(written: &crate::trading::memory::WrittenLesson, work: &WriteLesson) -> bool {
    written.lesson.ticker == work.due.rating.ticker && written.lesson.decided == work.due.rating.date
}
