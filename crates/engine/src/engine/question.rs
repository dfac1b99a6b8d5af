//! Questions beside a run.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak, atomic::AtomicU32},
};

use journal::JournalError;
use protocol::{AccountId, Body, ChatAnswered, NewEvent, RunId, RunSummary, Text, Tier, Usage};
use tokio::sync::OnceCell;

use super::{Engine, EngineError};
use crate::{allowance, chat::RunChat, run_log::now};

impl Engine {
    /// Asks a question beside a run and returns its number. The answer follows in the log.
    ///
    /// # Errors
    /// There is no such run, or the log cannot be written.
    pub async fn chat(&self, run: RunId, question: &str, by: AccountId) -> Result<u32, EngineError> {
        let summary = self.0.journal.summary(run).await?.ok_or(JournalError::NoSuchRun(run))?;
        let cell = self.run_chat(run);
        cell.get_or_try_init(|| self.open_chat(&summary)).await?;
        let model = self.0.workflows.model(&summary.request);
        let allowance = self.0.allowances.of(&summary.owner);
        let refusal = allowance::limit_reached(&self.0.journal, &summary.owner, &allowance).await?;
        let chat = match cell.get() {
            Some(run_chat) => run_chat.ask(question, by).await?,
            None => return Err(EngineError::NotActive),
        };
        let question = question.to_owned();
        let shutdown = self.0.shutdown.clone();
        self.0.tasks.spawn(async move {
            let Some(run_chat) = cell.get() else { return };
            let answered = tokio::select! {
                answered = run_chat.answer(chat, &question, model.as_ref(), refusal) => answered,
                () = shutdown.cancelled() => Ok(()),
            };
            if let Err(error) = answered {
                tracing::error!(%run, %error, "an answer beside the run cannot be written");
            }
        });
        Ok(chat)
    }

    fn run_chat(&self, run: RunId) -> Arc<OnceCell<RunChat>> {
        let mut chats = self.chats();
        chats.retain(|_, cell| cell.strong_count() > 0);
        if let Some(cell) = chats.get(&run).and_then(Weak::upgrade) {
            return cell;
        }
        let cell = Arc::new(OnceCell::new());
        chats.insert(run, Arc::downgrade(&cell));
        cell
    }

    async fn open_chat(&self, summary: &RunSummary) -> Result<RunChat, JournalError> {
        let run = summary.run;
        let active = self.active().get(&run).cloned();
        let (epoch, live, log) = match active {
            Some(active) => (active.log.epoch(), active.live, Arc::downgrade(&active.log)),
            None => (self.0.journal.claim(run).await?, Arc::default(), Weak::new()),
        };
        let events = self.0.journal.whole(run).await?;
        let asked = events.iter().filter(|event| matches!(event.body, Body::ChatAsked(_))).count();
        let next = AtomicU32::new(u32::try_from(asked).unwrap_or(u32::MAX).saturating_add(1));
        Ok(RunChat { run, epoch, next, journal: self.0.journal.clone(), live, log })
    }

    /// Ends questions beside a run whose answers were lost when the process ended.
    pub(super) async fn close_questions(&self, summary: &RunSummary) -> Result<(), EngineError> {
        if summary.open_chats == 0 {
            return Ok(());
        }
        let events = self.0.journal.whole(summary.run).await?;
        let mut open = BTreeSet::new();
        for event in &events {
            match &event.body {
                Body::ChatAsked(asked) => drop(open.insert(asked.chat)),
                Body::ChatAnswered(answered) => drop(open.remove(&answered.chat)),
                _ => {}
            }
        }
        let model = self.0.workflows.model(&summary.request).model(Tier::Quick);
        let answered = open.into_iter().map(|chat| ChatAnswered {
            chat,
            model: model.clone(),
            answer: Text::default(),
            usage: Usage::default(),
            cost: None,
            latency_ms: 0,
            attempts: Vec::new(),
            error: Some("The server was restarted before the answer was there. Ask again.".to_owned()),
        });
        let events = answered.map(|it| NewEvent { at: now(), node: None, body: Body::ChatAnswered(it) });
        let epoch = self.0.journal.claim(summary.run).await?;
        self.0.journal.append(summary.run, epoch, events.collect::<Vec<_>>()).await?;
        Ok(())
    }
}
