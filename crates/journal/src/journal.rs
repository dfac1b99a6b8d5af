use std::{path::Path, sync::Arc};

use bytes::Bytes;
use protocol::{
    AccountId, Digest, Event, NewEvent, RunFilter, RunId, RunPage, RunSummary, RunView, Text, Timestamp,
    Totals, trading::PortfolioId,
};
use tokio::sync::{broadcast, watch};

use crate::{
    DocumentLimits, Documents, JournalError, Ledger, Numbers, Subscription,
    feeds::{self, Feeds, RunChange},
    request::{Append, Request, Requests},
    store::{self, Store},
    tail::Tails,
    writer,
};

/// A fencing token: the proof of a claim on a run. A later claim has a greater one and fences off all earlier
/// ones; no value is given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub(crate) i64);

/// An event as it is stored and sent.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Its number.
    pub seq: u64,
    /// The event as JSON; all readers share the bytes.
    pub json: Bytes,
    /// The same as a value, where this process has just written it.
    written: Option<Arc<Event>>,
}

impl Encoded {
    /// An event that was read from a file.
    pub(crate) fn stored(seq: u64, json: Bytes) -> Self {
        Self { seq, json, written: None }
    }

    /// An event that is about to be written.
    pub(crate) fn written(event: Arc<Event>, json: Bytes) -> Self {
        Self { seq: event.seq, json, written: Some(event) }
    }

    /// The event itself. All readers share one that was written just now.
    ///
    /// # Errors
    /// [`JournalError::Unreadable`] if the bytes are no event.
    pub fn event(&self) -> Result<Arc<Event>, JournalError> {
        match &self.written {
            Some(event) => Ok(event.clone()),
            None => self.parsed().map(Arc::new),
        }
    }

    /// The event itself, to be changed.
    ///
    /// # Errors
    /// [`JournalError::Unreadable`] if the bytes are no event.
    pub fn decode(&self) -> Result<Event, JournalError> {
        match &self.written {
            Some(event) => Ok(event.as_ref().clone()),
            None => self.parsed(),
        }
    }

    fn parsed(&self) -> Result<Event, JournalError> {
        serde_json::from_slice(&self.json)
            .map_err(|error| JournalError::Unreadable(format!("its event {} is none: {error}", self.seq)))
    }
}

/// By what is stored, whether or not it was written just now.
impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        self.seq == other.seq && self.json == other.json
    }
}

impl Eq for Encoded {}

/// Events per read where a whole log is wanted.
const PAGE: u32 = 1000;

/// How a journal is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The most bytes that the database file may have, rounded up to whole pages of 4096.
    /// Appends that would need more fail with [`JournalError::Full`]. `None`: the disk's size.
    pub size_limit: Option<u64>,
    /// How many documents one account may keep.
    pub documents: DocumentLimits,
}

/// A handle of the event log. Clones share one writer, which ends when the last of them is dropped.
#[derive(Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    requests: Requests,
    store: Store,
    tails: Arc<Tails>,
    changes: broadcast::WeakSender<RunChange>,
    trouble: watch::Receiver<Option<JournalError>>,
    ledger: Ledger,
    documents: Documents,
    numbers: Numbers,
}

impl Journal {
    /// Opens the database file, or creates it, and starts the writer on the current runtime.
    /// Keeps `<path>.lock` locked until the journal is closed.
    ///
    /// # Errors
    /// [`JournalError::InUse`], [`JournalError::File`]: the file is left as it was found.
    /// [`JournalError::Full`], [`JournalError::Database`]: it cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_with(path, &Options::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub async fn open_with(path: &Path, options: &Options) -> Result<Self, JournalError> {
        let opened = store::open(path, options).await?;
        let store = opened.store.clone();
        let tails = Arc::new(Tails::default());
        let feeds = Feeds::new(tails.clone());
        let changes = feeds.runs.downgrade();
        let ledger_changes = feeds.ledger.downgrade();
        let trouble = feeds.trouble.subscribe();
        let requests = writer::start(opened, feeds, options.documents);
        Ok(Self::of(requests, store, tails, changes, ledger_changes, trouble))
    }

    /// Opens an existing file to read it, also while another process serves it. Nothing is written, and whoever wants
    /// to store something is refused.
    ///
    /// # Errors
    /// [`JournalError::File`]: the file is missing, or not of this version. [`JournalError::Database`].
    pub async fn open_to_read(path: &Path) -> Result<Self, JournalError> {
        let store = store::open_to_read(path).await?;
        let tails = Arc::new(Tails::default());
        let feeds = Feeds::new(tails.clone());
        let (changes, ledger_changes) = (feeds.runs.downgrade(), feeds.ledger.downgrade());
        let trouble = feeds.trouble.subscribe();
        let requests = Requests::refused(JournalError::OpenedToRead);
        Ok(Self::of(requests, store, tails, changes, ledger_changes, trouble))
    }

    fn of(
        requests: Requests,
        store: Store,
        tails: Arc<Tails>,
        changes: broadcast::WeakSender<RunChange>,
        ledger_changes: broadcast::WeakSender<PortfolioId>,
        trouble: watch::Receiver<Option<JournalError>>,
    ) -> Self {
        let ledger = Ledger::new(requests.clone(), store.clone(), ledger_changes);
        let documents = Documents::new(requests.clone(), store.clone());
        let numbers = Numbers::new(requests.clone(), store.clone());
        Self(Arc::new(Shared { requests, store, tails, changes, trouble, ledger, documents, numbers }))
    }

    /// Claims a run: its earlier epochs are fenced off and can no longer append. A run without events can be
    /// claimed as well; its first append creates it.
    ///
    /// # Errors
    /// The claim could not be stored; earlier epochs of an existing run stay valid.
    pub async fn claim(&self, run: RunId) -> Result<Epoch, JournalError> {
        self.0.requests.ask(run, Request::Claim).await
    }

    /// Appends events to a run, all of them or none. On return they are numbered, durable and visible. They
    /// are returned as stored, with previews of long texts. Dropping the future does not cancel the append.
    ///
    /// # Errors
    /// [`JournalError::Fenced`], [`JournalError::Finished`], [`JournalError::OutOfOrder`],
    /// [`JournalError::NoSuchText`], [`JournalError::TooLarge`]: these events are refused.
    /// [`JournalError::Refused`], [`JournalError::Panicked`]: they cannot be stored; others can.
    /// [`JournalError::Full`] and [`JournalError::Database`]: they could not be stored; later
    /// appends may work.
    pub async fn append(
        &self,
        run: RunId,
        epoch: Epoch,
        events: impl Into<Arc<[NewEvent]>>,
    ) -> Result<Vec<Arc<Event>>, JournalError> {
        self.0.requests.ask(Append { run, epoch, events: events.into() }, Request::Append).await
    }

    /// Appends like [`Journal::append`], but waits while the journal cannot store, as with a full disk, and then
    /// tries again.
    ///
    /// # Errors
    /// As [`Journal::append`], but for what may pass.
    pub async fn append_patiently(
        &self,
        run: RunId,
        epoch: Epoch,
        events: impl Into<Arc<[NewEvent]>>,
    ) -> Result<Vec<Arc<Event>>, JournalError> {
        let events = events.into();
        loop {
            match self.append(run, epoch, events.clone()).await {
                Err(error) if error.may_pass() => {
                    tracing::warn!(%run, %error, "the log cannot be written; the run waits");
                    self.writable().await;
                }
                other => return other,
            }
        }
    }

    /// At most `limit` events after number `after`, in order; empty if there is no such run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn read(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, JournalError> {
        self.0.store.read(run, after, limit).await?.iter().map(Encoded::decode).collect()
    }

    /// The same, encoded as stored: includes events that this version cannot read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn read_stored(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Encoded>, JournalError> {
        self.0.store.read(run, after, limit).await
    }

    /// The whole log of a run, in order; empty if there is no such run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn whole(&self, run: RunId) -> Result<Vec<Event>, JournalError> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.seq);
            let more = self.read(run, after, PAGE).await?;
            if more.is_empty() {
                return Ok(events);
            }
            events.extend(more);
        }
    }

    /// The fold of a run's log up to event `seq`; the first event is always part of it. `None` if
    /// there is no such run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn fold(&self, run: RunId, seq: u64) -> Result<Option<RunView>, JournalError> {
        self.fold_and(run, seq, |_| {}).await
    }

    /// The outline of the same, [`RunView::keep_outline`]. It takes as much memory as the run's graph, not as its log.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn fold_outline(&self, run: RunId, seq: u64) -> Result<Option<RunView>, JournalError> {
        self.fold_and(run, seq, RunView::keep_outline).await
    }

    /// Folds page by page, with `after_page` on what is folded so far.
    async fn fold_and(
        &self,
        run: RunId,
        seq: u64,
        after_page: impl Fn(&mut RunView),
    ) -> Result<Option<RunView>, JournalError> {
        let mut view: Option<RunView> = None;
        loop {
            let after = view.as_ref().map_or(0, RunView::seq);
            let events = self.read(run, after, PAGE).await?;
            let is_end = events.is_empty();
            for event in &events {
                match &mut view {
                    Some(view) if event.seq <= seq => drop(view.apply(event)),
                    Some(_) => break,
                    None => view = RunView::begin(event),
                }
            }
            let is_end = is_end || events.last().is_some_and(|event| event.seq >= seq);
            view.as_mut().into_iter().for_each(&after_page);
            if is_end || view.is_none() {
                return Ok(view);
            }
        }
    }

    /// A cursor after number `after`; 0 is the beginning.
    ///
    /// # Errors
    /// [`JournalError::NoSuchRun`] if the run has no events, or the database cannot be read.
    pub async fn subscribe(&self, run: RunId, after: u64) -> Result<Subscription, JournalError> {
        Subscription::open(run, after, &self.0.tails, self.0.store.clone()).await
    }

    /// A cursor at the beginning of a run that may not have started: its first events are waited for.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn subscribe_before_start(&self, run: RunId) -> Result<Subscription, JournalError> {
        Subscription::open_before_start(run, &self.0.tails, self.0.store.clone()).await
    }

    /// Number of the run's last event; `None` if there is no such run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn last_seq(&self, run: RunId) -> Result<Option<u64>, JournalError> {
        Ok(self.0.store.reach(run).await?.map(|(seq, _)| seq))
    }

    /// A long text of the run's events; `None` if none of them has such a text.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn text(&self, run: RunId, digest: &Digest) -> Result<Option<String>, JournalError> {
        self.0.store.text_of_run(run, digest).await
    }

    /// The whole of a text, whichever run references it.
    ///
    /// # Errors
    /// [`JournalError::NoSuchText`], or the database cannot be read.
    pub async fn resolve(&self, text: &Text) -> Result<String, JournalError> {
        match text {
            Text::Whole(whole) => Ok(whole.to_string()),
            Text::Preview { digest, .. } => {
                self.0.store.text(digest).await?.ok_or_else(|| JournalError::NoSuchText(digest.clone()))
            }
        }
    }

    /// Replaces the previews in an event by the whole texts.
    ///
    /// # Errors
    /// As [`Journal::resolve`].
    pub async fn load_texts(&self, event: &mut Event) -> Result<(), JournalError> {
        for text in event.body.texts_mut() {
            if text.stored().is_some() {
                *text = self.resolve(text).await?.into();
            }
        }
        Ok(())
    }

    /// Runs of one account, or of all, that match, newest first: 50 unless the filter says otherwise, 200 at most.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn summaries(
        &self,
        filter: &RunFilter,
        owner: Option<&AccountId>,
    ) -> Result<RunPage, JournalError> {
        self.0.store.summaries(filter, owner).await
    }

    /// One run's summary; `None` if there is no such run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn summary(&self, run: RunId) -> Result<Option<RunSummary>, JournalError> {
        self.0.store.summary(run).await
    }

    /// All runs without an end, oldest first. For one that this version cannot read, `unreadable` is set.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unfinished(&self) -> Result<Vec<RunSummary>, JournalError> {
        self.0.store.unfinished().await
    }

    /// The spend of an account over all its runs, including those deleted since. What a run took over from
    /// another, and imported events, are not part of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn spent(&self, owner: &AccountId) -> Result<Totals, JournalError> {
        self.0.store.spent(owner).await
    }

    /// At most `most` runs that ended before this moment, those that ended first before others.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn oldest_over(&self, before: Timestamp, most: u32) -> Result<Vec<RunId>, JournalError> {
        self.0.store.oldest_over(before, most).await
    }

    /// Bytes in use in the file; free pages are not counted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn bytes(&self) -> Result<u64, JournalError> {
        self.0.store.bytes().await
    }

    /// Changes of all runs, after each commit. A receiver that lags loses the oldest ones and gets an error
    /// for that; it ends when the journal is closed.
    pub fn changes(&self) -> broadcast::Receiver<RunChange> {
        feeds::receiver(&self.0.changes)
    }

    /// Deletes runs that are over, all or none of them, with the texts that no other run references. Runs
    /// that continue one of them keep what they took over, and portfolio entries stay. Readers of a deleted
    /// run get [`JournalError::NoSuchRun`].
    ///
    /// # Errors
    /// [`JournalError::NoSuchRun`], [`JournalError::AtWork`]: one of the runs is not there, or not over.
    /// Or the file cannot be written.
    pub async fn remove(&self, runs: Vec<RunId>) -> Result<(), JournalError> {
        self.0.requests.ask(runs, Request::Remove).await.map(drop)
    }

    /// What keeps the journal from storing, while something does. The writer probes by itself whether it has
    /// passed.
    pub fn trouble(&self) -> watch::Receiver<Option<JournalError>> {
        self.0.trouble.clone()
    }

    /// Why the writer has ended by itself; `None` while it works, and once the journal is closed.
    pub fn death(&self) -> Option<JournalError> {
        self.0.requests.death()
    }

    /// Waits until the writer has ended: [`JournalError::Closed`] or [`JournalError::Dead`].
    pub async fn ended(&self) -> JournalError {
        self.0.requests.ended().await
    }

    /// Waits until the journal can store again; returns at once if it can.
    pub async fn writable(&self) {
        // An error means that the journal is closed, which the next request reports.
        let _ = self.trouble().wait_for(Option::is_none).await;
    }

    /// The entries of portfolios.
    pub fn ledger(&self) -> Ledger {
        self.0.ledger.clone()
    }

    /// The documents of accounts.
    pub fn documents(&self) -> Documents {
        self.0.documents.clone()
    }

    /// The numbers under which other systems know runs and documents.
    pub fn numbers(&self) -> Numbers {
        self.0.numbers.clone()
    }

    /// Stores what is queued, then closes the file and releases its lock. Subscriptions and later calls fail
    /// with [`JournalError::Closed`].
    pub async fn close(&self) {
        // Without an answer, the writer has ended already.
        let _: Result<(), JournalError> = self.0.requests.ask((), Request::Close).await;
    }
}
