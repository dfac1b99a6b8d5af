use std::{any::Any, fs::File, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;

use protocol::{AccountId, RunId, document::DocumentSummary};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    DocumentError, DocumentLimits, JournalError,
    batch::Batch,
    documents::{DocumentAct, DocumentChange},
    feeds::Feeds,
    numbers::Numbering,
    request::{Request, Requests},
    runs::Runs,
    store::{self, Opened, Store, write},
};

/// Capacity of the queue of requests; beyond it, callers wait (backpressure).
const QUEUE: usize = 1024;
/// The most requests of one transaction.
const LARGEST_BATCH: usize = 512;
/// How long a batch waits for further requests (group commit). Timers count whole milliseconds.
const GATHERING_TIME: Duration = Duration::from_millis(1);
/// After a failure, the time between two probes of the file, if no request comes.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// Starts the writer's task. It ends on a close request, or when all senders are dropped. If it ends by a
/// panic, callers get [`JournalError::Dead`].
pub(crate) fn start(opened: Opened, feeds: Feeds, documents: DocumentLimits) -> Requests {
    let (requests, queue) = mpsc::channel(QUEUE);
    let (end, ended) = watch::channel(None);
    let writer = Writer {
        connection: Some(opened.connection),
        options: opened.options,
        runs: Runs::new(opened.first_epoch),
        feeds,
        documents,
        store: opened.store,
        lock: opened.lock,
    };
    tokio::spawn(async move {
        let why = match AssertUnwindSafe(writer.run(queue)).catch_unwind().await {
            Ok(()) => JournalError::Closed,
            Err(panic) => JournalError::Dead(panic_message(&*panic)),
        };
        if let JournalError::Dead(_) = why {
            tracing::error!(%why, "the journal's writer has ended");
        }
        end.send_replace(Some(why));
    });
    Requests { queue: requests, ended }
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// Turns a panic into the error of the request that caused it.
async fn caught<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, JournalError> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done.map_err(JournalError::from),
        Err(panic) => Err(JournalError::Panicked(panic_message(&*panic))),
    }
}

struct Writer {
    /// `None` after a failure; the next transaction connects again.
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    runs: Runs,
    feeds: Feeds,
    documents: DocumentLimits,
    store: Store,
    lock: File,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut closers = Vec::new();
        let mut last_batch = 1;
        loop {
            let time_limit = self.is_in_trouble().then_some(PROBE_PAUSE);
            let mut requests = match gather(&mut queue, last_batch, time_limit).await {
                Gathered::Requests(requests) => requests,
                Gathered::TimedOut => {
                    self.probe().await;
                    continue;
                }
                Gathered::NoSenders => break,
            };
            last_batch = requests.len();
            self.serve(&mut requests).await;
            self.change_documents(&mut requests).await;
            self.number(&mut requests).await;
            self.remove(&mut requests).await;
            for request in requests {
                if let Request::Close(_) = request {
                    // Requests that are queued already are still served.
                    queue.close();
                    closers.push(request);
                } else {
                    request.answer();
                }
            }
        }
        self.close().await;
        closers.into_iter().for_each(Request::answer);
    }

    /// Serves the requests in one transaction. If one of them makes it fail, the batch is split in halves, so
    /// that this one fails alone.
    async fn serve(&mut self, requests: &mut [Request]) {
        let mut parts = vec![requests];
        while let Some(part) = parts.pop() {
            match self.commit(part).await {
                Ok(batch) => {
                    self.feeds.publish(&batch, &self.runs);
                    self.runs.note_committed(batch.events.keys());
                    // This transaction fitted, which does not mean that the next one does.
                    if self.is_in_trouble() {
                        self.probe().await;
                    }
                }
                Err(error) => {
                    self.runs.forget();
                    if error.is_of_one_request() && part.len() > 1 {
                        let (first, rest) = part.split_at_mut(part.len() / 2);
                        parts.extend([rest, first]);
                        continue;
                    }
                    tracing::error!(%error, requests = part.len(), "the journal could not store");
                    if !error.is_of_one_request() {
                        self.note(Some(&error));
                    }
                    part.iter_mut().for_each(|request| request.fail(error.clone()));
                }
            }
        }
    }

    fn is_in_trouble(&self) -> bool {
        self.feeds.trouble.borrow().is_some()
    }

    /// Publishes what keeps the journal from storing, or that nothing does.
    fn note(&self, error: Option<&JournalError>) {
        self.feeds.trouble.send_if_modified(|trouble| {
            let is_news = trouble.is_some() != error.is_some();
            if is_news {
                *trouble = error.cloned();
            }
            is_news
        });
    }

    /// Probes whether a long event can be stored again.
    async fn probe(&mut self) {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match self.options.connect().await {
                Ok(connection) => connection,
                Err(_) => return,
            },
        };
        match write::probe(&mut connection).await {
            Ok(()) => {
                self.connection = Some(connection);
                tracing::info!("the journal can store again");
                self.note(None);
            }
            Err(_) => drop(connection.close().await),
        }
    }

    async fn commit(&mut self, requests: &mut [Request]) -> Result<Batch, JournalError> {
        let mut connection = self.connection().await?;
        let result = caught(Batch::perform(requests, &mut self.runs, &mut connection)).await;
        if result.is_ok() {
            self.connection = Some(connection);
        } else {
            // The state of the connection is unknown. A new one starts clean and meets none of its locks.
            let _ = connection.close().await;
        }
        result
    }

    async fn connection(&mut self) -> Result<SqliteConnection, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.options.connect().await,
        }
    }

    /// Serves the changes of documents, each in a transaction of its own: people make them, one at a time.
    async fn change_documents(&mut self, requests: &mut [Request]) {
        for request in requests {
            let Request::ChangeDocument(call) = request else { continue };
            call.outcome = Some(self.change_document(&call.input).await);
        }
    }

    async fn change_document(&mut self, change: &DocumentChange) -> Result<DocumentSummary, DocumentError> {
        let mut connection = self.connection().await?;
        let changed = match caught(store::documents::change(&mut connection, change, &self.documents)).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let _ = connection.close().await;
                return Err(error.into());
            }
        };
        if changed.is_ok() && matches!(change.act, DocumentAct::Delete { .. }) {
            self.shrink(&mut connection).await;
        }
        self.connection = Some(connection);
        changed
    }

    /// Serves the wishes for numbers, each in a transaction of its own.
    async fn number(&mut self, requests: &mut [Request]) {
        for request in requests {
            let Request::Number(call) = request else { continue };
            call.outcome = Some(self.give_numbers(&call.input).await);
        }
    }

    async fn give_numbers(&mut self, numbering: &Numbering) -> Result<Vec<u64>, JournalError> {
        let mut connection = self.connection().await?;
        let given = match caught(store::numbers::give(&mut connection, numbering)).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let _ = connection.close().await;
                return Err(error);
            }
        };
        self.connection = Some(connection);
        given
    }

    /// Serves the removals, each in a transaction of its own.
    async fn remove(&mut self, requests: &mut [Request]) {
        for request in requests {
            let Request::Remove(call) = request else { continue };
            call.outcome = Some(self.remove_runs(&call.input).await);
        }
    }

    async fn remove_runs(&mut self, runs: &[RunId]) -> Result<Vec<(RunId, AccountId)>, JournalError> {
        let mut connection = self.connection().await?;
        let removed = match caught(store::remove::remove(&mut connection, runs)).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let _ = connection.close().await;
                return Err(error);
            }
        };
        if let Ok(removed) = &removed {
            self.runs.remove(removed.iter().map(|(run, _)| run));
            self.feeds.publish_removal(removed);
            self.shrink(&mut connection).await;
        }
        self.connection = Some(connection);
        removed
    }

    async fn shrink(&self, connection: &mut SqliteConnection) {
        if let Err(error) = store::remove::shrink(connection).await {
            tracing::warn!(%error, "the journal's file did not shrink");
        }
    }

    /// Closes the readers first, so that the last connection checkpoints the write-ahead log into the
    /// database file; the lock is released last.
    async fn close(self) {
        drop(self.feeds);
        self.store.close().await;
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the journal's file could not be closed in order");
        }
        drop(self.lock);
    }
}

/// The result of waiting for requests.
enum Gathered {
    Requests(Vec<Request>),
    /// The timeout passed.
    TimedOut,
    /// All senders are dropped.
    NoSenders,
}

/// Waits at most `time_limit` for a request, and takes all that are queued. Callers that were answered last
/// often come back at once, so it waits a moment for as many as in the last batch; a lone caller never waits.
async fn gather(
    queue: &mut mpsc::Receiver<Request>,
    last_batch: usize,
    time_limit: Option<Duration>,
) -> Gathered {
    let mut requests = Vec::with_capacity(last_batch);
    let first = queue.recv_many(&mut requests, LARGEST_BATCH);
    let count = match time_limit {
        Some(time_limit) => match timeout(time_limit, first).await {
            Ok(count) => count,
            Err(_) => return Gathered::TimedOut,
        },
        None => first.await,
    };
    if count == 0 {
        return Gathered::NoSenders;
    }
    let deadline = Instant::now() + GATHERING_TIME;
    while requests.len() < last_batch {
        let room = LARGEST_BATCH - requests.len();
        match timeout_at(deadline, queue.recv_many(&mut requests, room)).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
    }
    Gathered::Requests(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_and_ends_nothing_else() {
        let work = async {
            if u8::from_str_radix("1", 2) == Ok(1) { panic!("addition overflowed") } else { Ok(()) }
        };
        let error = caught(work).await.unwrap_err();
        assert!(matches!(&error, JournalError::Panicked(said) if said == "addition overflowed"), "{error:?}");
        assert!(error.is_of_one_request() && !error.may_pass());
    }
}
