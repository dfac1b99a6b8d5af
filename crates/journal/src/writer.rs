use std::{fs::File, time::Duration};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    JournalError,
    batch::Batch,
    feeds::Feeds,
    request::Request,
    runs::Runs,
    store::{self, Opened, Store, write},
};

/// Requests that may wait; who brings another one waits for a place.
const QUEUE: usize = 1024;
/// The most requests of one transaction.
const LARGEST_BATCH: usize = 512;
/// How long a transaction may wait for requests. Timers count whole milliseconds.
const PATIENCE: Duration = Duration::from_millis(1);
/// After a failure, how long until the file is tried by itself when nobody else tries.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// Starts the writer. It ends when it is asked to close, or when nobody can ask any more.
pub(crate) fn start(opened: Opened, feeds: Feeds) -> mpsc::Sender<Request> {
    let (requests, queue) = mpsc::channel(QUEUE);
    let writer = Writer {
        connection: Some(opened.connection),
        options: opened.options,
        runs: Runs::new(opened.first_epoch),
        feeds,
        store: opened.store,
        lock: opened.lock,
    };
    tokio::spawn(writer.run(queue));
    requests
}

struct Writer {
    /// `None` after a failure, until the next transaction.
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    runs: Runs,
    feeds: Feeds,
    store: Store,
    lock: File,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut closers = Vec::new();
        let mut last_batch = 1;
        loop {
            let longest = self.is_in_trouble().then_some(PROBE_PAUSE);
            let mut requests = match gather(&mut queue, last_batch, longest).await {
                Gathered::Requests(requests) => requests,
                Gathered::TooLate => {
                    self.probe().await;
                    continue;
                }
                Gathered::Over => break,
            };
            last_batch = requests.len();
            let committed = match self.commit(&mut requests).await {
                Ok(batch) => {
                    self.feeds.publish(&batch, &self.runs);
                    self.runs.settle(batch.events.keys());
                    Ok(())
                }
                Err(error) => {
                    self.runs.forget();
                    let error = JournalError::from(error);
                    tracing::error!(%error, requests = last_batch, "the journal could not store");
                    Err(error)
                }
            };
            let committed = match committed {
                Ok(()) => self.remove(&mut requests).await,
                failed => failed,
            };
            match &committed {
                Err(error) => self.note(Some(error)),
                // That there was room for this says nothing about the next one.
                Ok(()) if self.is_in_trouble() => self.probe().await,
                Ok(()) => {}
            }
            for request in requests {
                if let Request::Close(_) = request {
                    // What is queued already is still stored.
                    queue.close();
                    closers.push(request);
                } else {
                    request.answer(committed.clone());
                }
            }
        }
        self.close().await;
        for closer in closers {
            closer.answer(Ok(()));
        }
    }

    fn is_in_trouble(&self) -> bool {
        self.feeds.trouble.borrow().is_some()
    }

    /// Shows what keeps the journal from storing, or that nothing does any more.
    fn note(&self, error: Option<&JournalError>) {
        self.feeds.trouble.send_if_modified(|trouble| {
            let is_news = trouble.is_some() != error.is_some();
            if is_news {
                *trouble = error.cloned();
            }
            is_news
        });
    }

    /// Tries whether something can be stored again.
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

    async fn commit(&mut self, requests: &mut [Request]) -> Result<Batch, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        let result = Batch::perform(requests, &mut self.runs, &mut connection).await;
        if result.is_ok() {
            self.connection = Some(connection);
        } else {
            // Whatever state it is in: a new one begins clean, and finds no lock of this one.
            let _ = connection.close().await;
        }
        result
    }

    /// Does the removals among the requests, each by itself.
    async fn remove(&mut self, requests: &mut [Request]) -> Result<(), JournalError> {
        for request in requests {
            let Request::Remove(call) = request else { continue };
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.options.connect().await?,
            };
            match store::remove::remove(&mut connection, &call.input).await {
                Ok(outcome) => {
                    if let Ok(removed) = &outcome {
                        self.runs.remove(removed.iter().map(|(run, _)| run));
                        self.feeds.publish_removal(removed);
                        if let Err(error) = store::remove::shrink(&mut connection).await {
                            tracing::warn!(%error, "the journal's file did not shrink");
                        }
                    }
                    call.outcome = Some(outcome);
                    self.connection = Some(connection);
                }
                Err(error) => {
                    let _ = connection.close().await;
                    call.outcome = Some(Err(error.into()));
                }
            }
        }
        Ok(())
    }

    /// The readers go first, so that the last connection can fold the write-ahead log into the
    /// database file; the lock goes last.
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

/// What came of waiting for requests.
enum Gathered {
    Requests(Vec<Request>),
    /// None came in time.
    TooLate,
    /// None can come any more.
    Over,
}

/// Waits for a request, `longest` at most, and takes all that are queued. Those who were answered
/// last often come back at once, so it waits a moment for as many as the last time; a lone caller
/// never waits.
async fn gather(
    queue: &mut mpsc::Receiver<Request>,
    last_batch: usize,
    longest: Option<Duration>,
) -> Gathered {
    let mut requests = Vec::with_capacity(last_batch);
    let first = queue.recv_many(&mut requests, LARGEST_BATCH);
    let count = match longest {
        Some(longest) => match timeout(longest, first).await {
            Ok(count) => count,
            Err(_) => return Gathered::TooLate,
        },
        None => first.await,
    };
    if count == 0 {
        return Gathered::Over;
    }
    let deadline = Instant::now() + PATIENCE;
    while requests.len() < last_batch {
        let room = LARGEST_BATCH - requests.len();
        match timeout_at(deadline, queue.recv_many(&mut requests, room)).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
    }
    Gathered::Requests(requests)
}
