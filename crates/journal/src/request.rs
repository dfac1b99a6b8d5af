//! What the writer is asked, and its answers.

use std::sync::Arc;

use protocol::{AccountId, Event, NewEvent, PortfolioId, RunId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{Epoch, JournalError, LedgerError};

/// Something that the writer is asked to do.
pub(crate) enum Request {
    Claim(Call<RunId, Epoch>),
    Append(Call<Append, Vec<Arc<Event>>>),
    OpenLedger(Call<Opening, (), LedgerError>),
    AppendLedger(Call<Addition, Appended, LedgerError>),
    Remove(Call<Vec<RunId>, Vec<(RunId, AccountId)>>),
    Close(Call<(), ()>),
}

/// Events for one run.
pub(crate) struct Append {
    pub run: RunId,
    pub epoch: Epoch,
    pub events: Vec<NewEvent>,
}

/// A request's input, what came of it, and who waits for that.
pub(crate) struct Call<I, T, E = JournalError> {
    pub input: I,
    pub outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<I, T, E: From<JournalError>> Call<I, T, E> {
    fn fail(&mut self, error: JournalError) {
        self.outcome = Some(Err(error.into()));
    }

    fn answer(self) {
        let answer = self.outcome.unwrap_or_else(|| Err(JournalError::Closed.into()));
        // Who asked may have gone; what is stored stays stored.
        let _ = self.reply.send(answer);
    }
}

impl Request {
    /// Nothing came of it.
    pub fn fail(&mut self, error: JournalError) {
        match self {
            Self::Claim(call) => call.fail(error),
            Self::Append(call) => call.fail(error),
            Self::OpenLedger(call) => call.fail(error),
            Self::AppendLedger(call) => call.fail(error),
            Self::Remove(call) => call.fail(error),
            Self::Close(call) => call.fail(error),
        }
    }

    /// Tells who asked what came of it.
    pub fn answer(self) {
        match self {
            Self::Claim(call) => call.answer(),
            Self::Append(call) => call.answer(),
            Self::OpenLedger(call) => call.answer(),
            Self::AppendLedger(call) => call.answer(),
            Self::Remove(call) => call.answer(),
            Self::Close(call) => call.answer(),
        }
    }
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Requests {
    pub queue: mpsc::Sender<Request>,
    /// Why the writer takes no more; `None` as long as it does.
    pub ended: watch::Receiver<Option<JournalError>>,
}

impl Requests {
    /// Queues a request and waits for its answer.
    pub async fn ask<I, T, E: From<JournalError>>(
        &self,
        input: I,
        request: impl FnOnce(Call<I, T, E>) -> Request,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        let call = Call { input, outcome: None, reply };
        if self.queue.send(request(call)).await.is_err() {
            return Err(self.ended().await.into());
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.ended().await.into()),
        }
    }

    /// Waits until the writer has ended, and says why.
    pub async fn ended(&self) -> JournalError {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            Ok(None) | Err(_) => dropped(),
        }
    }

    /// Whether the writer has ended without being asked to, and why.
    pub fn death(&self) -> Option<JournalError> {
        match &*self.ended.borrow() {
            Some(JournalError::Closed) => None,
            None if self.ended.has_changed().is_err() => Some(dropped()),
            why => why.clone(),
        }
    }
}

/// The writer's task is gone without a word.
fn dropped() -> JournalError {
    JournalError::Dead("its writer was ended from outside".to_owned())
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is stored under this number.
    Added(u64),
    /// An entry with this key was stored before; here it is, and nothing was added.
    Known(String),
    /// The portfolio has other entries by now than the caller has seen; nothing was added.
    Conflict,
}

/// A portfolio's first entry.
pub(crate) struct Opening {
    pub portfolio: PortfolioId,
    pub entry: String,
}

/// A later entry.
pub(crate) struct Addition {
    pub portfolio: PortfolioId,
    pub expected: u64,
    pub key: String,
    pub entry: String,
}
