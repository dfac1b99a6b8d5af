//! The requests that the writer takes, and their replies.

use std::sync::Arc;

use protocol::{AccountId, Event, NewEvent, RunId, document::DocumentSummary, trading::PortfolioId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{DocumentError, Epoch, JournalError, LedgerError, documents::DocumentChange, numbers::Numbering};

/// A request to the writer.
pub(crate) enum Request {
    Claim(Call<RunId, Epoch>),
    Append(Call<Append, Vec<Arc<Event>>>),
    OpenLedger(Call<Opening, (), LedgerError>),
    AppendLedger(Call<Addition, Appended, LedgerError>),
    ChangeDocument(Call<DocumentChange, DocumentSummary, DocumentError>),
    Number(Call<Numbering, Vec<u64>>),
    Remove(Call<Vec<RunId>, Vec<(RunId, AccountId)>>),
    Close(Call<(), ()>),
}

/// An append of events to one run.
pub(crate) struct Append {
    pub run: RunId,
    pub epoch: Epoch,
    pub events: Arc<[NewEvent]>,
}

/// A request's input, its result so far, and the channel for its reply.
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
        // The receiver may have been dropped; what is stored stays stored.
        let _ = self.reply.send(answer);
    }
}

impl Request {
    /// Sets the result to an error.
    pub fn fail(&mut self, error: JournalError) {
        match self {
            Self::Claim(call) => call.fail(error),
            Self::Append(call) => call.fail(error),
            Self::OpenLedger(call) => call.fail(error),
            Self::AppendLedger(call) => call.fail(error),
            Self::ChangeDocument(call) => call.fail(error),
            Self::Number(call) => call.fail(error),
            Self::Remove(call) => call.fail(error),
            Self::Close(call) => call.fail(error),
        }
    }

    /// Sends the result to the caller.
    pub fn answer(self) {
        match self {
            Self::Claim(call) => call.answer(),
            Self::Append(call) => call.answer(),
            Self::OpenLedger(call) => call.answer(),
            Self::AppendLedger(call) => call.answer(),
            Self::ChangeDocument(call) => call.answer(),
            Self::Number(call) => call.answer(),
            Self::Remove(call) => call.answer(),
            Self::Close(call) => call.answer(),
        }
    }
}

/// The sending side of the writer's queue.
#[derive(Clone)]
pub(crate) struct Requests {
    pub queue: mpsc::Sender<Request>,
    /// Why the writer has ended; `None` while it works.
    pub ended: watch::Receiver<Option<JournalError>>,
}

impl Requests {
    /// A queue that no writer takes from: every request is refused with this error.
    pub fn refused(why: JournalError) -> Self {
        let (queue, _) = mpsc::channel(1);
        let (_, ended) = watch::channel(Some(why));
        Self { queue, ended }
    }

    /// Queues a request and waits for its reply. Waits as well while the queue is full (backpressure).
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

    /// Why the writer has ended by itself, if it has.
    pub fn death(&self) -> Option<JournalError> {
        match &*self.ended.borrow() {
            Some(JournalError::Closed) => None,
            None if self.ended.has_changed().is_err() => Some(dropped()),
            why => why.clone(),
        }
    }
}

/// The writer's task was dropped without a reason.
fn dropped() -> JournalError {
    JournalError::Dead("its writer was ended from outside".to_owned())
}

/// The result of an append to a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is stored under this number.
    Added(u64),
    /// An entry with this idempotency key was stored before; this is it, and nothing was appended.
    Known(String),
    /// The ledger has entries after the expected one; nothing was appended.
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
