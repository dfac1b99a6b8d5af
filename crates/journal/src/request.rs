//! What the writer is asked, and its answers.

use std::sync::Arc;

use protocol::{AccountId, Event, NewEvent, PortfolioId, RunId};
use tokio::sync::{mpsc, oneshot};

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
    fn answer(self, committed: Result<(), JournalError>) {
        let answer = match committed {
            Ok(()) => self.outcome.unwrap_or_else(|| Err(JournalError::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // Who asked may have gone; what is stored stays stored.
        let _ = self.reply.send(answer);
    }
}

impl Request {
    pub fn answer(self, committed: Result<(), JournalError>) {
        match self {
            Self::Claim(call) => call.answer(committed),
            Self::Append(call) => call.answer(committed),
            Self::OpenLedger(call) => call.answer(committed),
            Self::AppendLedger(call) => call.answer(committed),
            Self::Remove(call) => call.answer(committed),
            Self::Close(call) => call.answer(committed),
        }
    }
}

/// Queues a request and waits for its answer.
pub(crate) async fn ask<I, T, E: From<JournalError>>(
    requests: &mpsc::Sender<Request>,
    input: I,
    request: impl FnOnce(Call<I, T, E>) -> Request,
) -> Result<T, E> {
    let (reply, answer) = oneshot::channel();
    let call = Call { input, outcome: None, reply };
    requests.send(request(call)).await.map_err(|_| JournalError::Closed)?;
    answer.await.map_err(|_| JournalError::Closed)?
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
