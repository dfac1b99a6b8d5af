//! Writes one run's log: one task takes what is to be written in the order of the log, as much at a time as
//! has come since the last append.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use journal::{Epoch, Journal, JournalError};
use protocol::{
    Body, CallFinished, NewEvent, NodeFinished, NodeId, NodeStatus, Patch, RunId, Text, Timestamp,
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    live::EndedCall,
    progress::Progress,
    run_log::{leaves_run, now},
};

/// So many bytes of a visit's result or an answer count as one more event that is ahead of the disk.
const BYTES_AS_ONE: usize = 64 * 1024;
/// The most entries that become one append.
const MOST_AT_ONCE: usize = 1024;
/// How long staged events wait for what follows them, to be written together, while nobody waits for them.
const GATHERING: Duration = Duration::from_millis(1);
/// So many staged events do not wait for more.
const ENOUGH: usize = 256;

/// Events of a run, each with the node that it belongs to.
pub(crate) type Events = Vec<(Option<NodeId>, Body)>;
/// Makes a run's end from its final progress.
pub(crate) type End = Box<dyn FnOnce(&Progress) -> Events + Send>;
type Written = Result<(), JournalError>;

/// What is to be written.
enum Entry {
    /// An event that the progress counts already, and the call whose text is live until it is written.
    Staged(Box<NewEvent>, Option<EndedCall>),
    /// Events that the progress counts once they are written, all of them or none.
    Events(Events, oneshot::Sender<Written>),
    /// The same beside the run, which is allowed after its end.
    Beside(Events, oneshot::Sender<Written>),
    /// Nothing; told when everything before it is written and counted.
    Flush(oneshot::Sender<Written>),
    /// The same, without haste.
    Report(oneshot::Sender<Written>),
    /// The run's end.
    End(End, oneshot::Sender<Written>),
}

/// The sending side of a run's log. The task ends when it is dropped, after it has written what it was given.
///
/// The queue needs no bound of its own. No visit begins while `MOST_STAGED` events are ahead of the disk, each call
/// waits until its start is written, and whoever appends waits for the answer: per visit and lane there are a few
/// entries at most.
pub(crate) struct LogWriter {
    entries: mpsc::UnboundedSender<Entry>,
    /// Ends the wait of staged events for what follows them. They do not wake the task themselves: waking it costs
    /// more than most of them.
    haste: Arc<Notify>,
    staged: Arc<AtomicUsize>,
    /// Whether the task has ended by a defect of the progress.
    has_panicked: Arc<AtomicBool>,
}

impl LogWriter {
    /// Begins to write to a run's log, and to count in its progress what was written.
    pub fn start(journal: Journal, run: RunId, epoch: Epoch, progress: Arc<Mutex<Progress>>) -> Self {
        let (entries, queue) = mpsc::unbounded_channel();
        let (staged, has_panicked) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let haste = Arc::<Notify>::default();
        let task = Task {
            journal,
            run,
            epoch,
            progress,
            haste: haste.clone(),
            staged: staged.clone(),
            has_panicked: has_panicked.clone(),
            is_over: false,
            refusal: None,
        };
        tokio::spawn(task.work(queue));
        Self { entries, haste, staged, has_panicked }
    }

    /// Queues an event that the progress counts already. Nothing that is queued after it is written before.
    pub fn stage(&self, event: NewEvent, live: Option<EndedCall>) {
        let weight = weight(&event);
        let before = self.staged.fetch_add(weight, Ordering::Relaxed);
        // Without a receiver the runtime is shutting down.
        let _ = self.entries.send(Entry::Staged(Box::new(event), live));
        if before / ENOUGH != (before + weight) / ENOUGH {
            self.haste.notify_one();
        }
    }

    /// How many staged events are not written yet. A large one counts as many.
    pub fn staged(&self) -> usize {
        self.staged.load(Ordering::Relaxed)
    }

    /// Returns when the events are durable and counted. Dropping the future does not cancel that.
    pub async fn append(&self, events: Events) -> Written {
        self.ask(|reply| Entry::Events(events, reply)).await
    }

    /// The same for events beside the run.
    pub async fn append_beside(&self, events: Events) -> Written {
        self.ask(|reply| Entry::Beside(events, reply)).await
    }

    /// Returns when everything queued so far is written and counted.
    ///
    /// # Errors
    /// A staged event was refused, now or before.
    pub async fn flush(&self) -> Written {
        self.ask(Entry::Flush).await
    }

    /// The same, but does not make what is queued be written sooner.
    ///
    /// # Errors
    /// As [`LogWriter::flush`].
    pub async fn written(&self) -> Written {
        self.ask(Entry::Report).await
    }

    /// Writes the run's end. Later events but those beside the run are refused.
    pub async fn end(&self, end: End) -> Written {
        self.ask(|reply| Entry::End(end, reply)).await
    }

    async fn ask(&self, entry: impl FnOnce(oneshot::Sender<Written>) -> Entry) -> Written {
        let (reply, written) = oneshot::channel();
        let entry = entry(reply);
        let is_urgent = entry.is_urgent();
        // What cannot be sent is dropped with its reply.
        let _ = self.entries.send(entry);
        if is_urgent {
            self.haste.notify_one();
        }
        match written.await {
            Ok(written) => written,
            // The panic goes on where the event came from.
            Err(_) if self.has_panicked.load(Ordering::SeqCst) => resume_unwind(Box::new("the progress")),
            Err(_) => Err(JournalError::Closed),
        }
    }
}

struct Task {
    journal: Journal,
    run: RunId,
    epoch: Epoch,
    progress: Arc<Mutex<Progress>>,
    haste: Arc<Notify>,
    staged: Arc<AtomicUsize>,
    has_panicked: Arc<AtomicBool>,
    is_over: bool,
    /// Why the first staged event was refused, if one was: the run fails by it.
    refusal: Option<JournalError>,
}

impl Task {
    async fn work(mut self, mut queue: mpsc::UnboundedReceiver<Entry>) {
        let mut entries = Vec::new();
        while queue.recv_many(&mut entries, MOST_AT_ONCE).await > 0 {
            self.gather(&mut entries, &mut queue).await;
            let at = now();
            let mut batch = Batch::with_capacity(entries.len());
            let mut flushes = Vec::new();
            for entry in entries.drain(..) {
                match entry {
                    Entry::Flush(reply) | Entry::Report(reply) => flushes.push(reply),
                    Entry::End(end, reply) => {
                        self.write(std::mem::take(&mut batch)).await;
                        let ended = self.end(end).await;
                        answer(reply, ended);
                    }
                    Entry::Events(_, reply) if self.is_over => {
                        answer(reply, Err(JournalError::Finished(self.run)));
                    }
                    Entry::Staged(event, live) => batch.add_staged(*event, live),
                    Entry::Events(events, reply) | Entry::Beside(events, reply) => {
                        batch.add(at, events, reply);
                    }
                }
            }
            self.write(batch).await;
            for reply in flushes {
                answer(reply, self.refusal.clone().map_or(Ok(()), Err));
            }
        }
    }

    /// Adds what follows: an answer, the end of its visit, the beginning of the next one and the call in that are one
    /// append.
    async fn gather(&self, entries: &mut Vec<Entry>, queue: &mut mpsc::UnboundedReceiver<Entry>) {
        // A haste of before is about what was taken before, or about what is taken now.
        let _ = self.haste.notified().now_or_never();
        take_queued(queue, entries);
        if entries.len() < ENOUGH && !entries.iter().any(Entry::is_urgent) {
            let _ = tokio::time::timeout(GATHERING, self.haste.notified()).await;
            take_queued(queue, entries);
        }
    }

    /// Writes a batch as one append, or part by part if the journal refuses that.
    async fn write(&mut self, batch: Batch) {
        let Batch { events, parts } = batch;
        let events: Arc<[NewEvent]> = events.into();
        let together = if events.is_empty() { Ok(()) } else { self.append(events.clone()).await };
        let is_one = parts.len() == 1;
        for Part { events: range, then } in parts {
            let own = events.get(range).unwrap_or_default();
            let written = match &together {
                Err(error) if !is_one && !leaves_run(error) => self.append(own.to_vec()).await,
                together => together.clone(),
            };
            match then {
                // The text of a call that has ended is live until here, so that it is in one of the two at each moment.
                Then::Staged(_live) => {
                    for event in own {
                        self.staged.fetch_sub(weight(event), Ordering::Relaxed);
                        if let Err(refusal) = &written {
                            self.write_instead(event, refusal).await;
                        }
                    }
                    if let Err(refusal) = written {
                        self.refusal.get_or_insert(refusal);
                    }
                }
                Then::Count(reply) => {
                    if written.is_ok() {
                        self.count(own);
                    }
                    answer(reply, written);
                }
            }
        }
    }

    /// Writes that a visit or a call has failed whose end the journal refuses, such as a result that is too large.
    async fn write_instead(&self, event: &NewEvent, refusal: &JournalError) {
        if leaves_run(refusal) {
            return;
        }
        let failed = match &event.body {
            Body::NodeFinished(finished) => Body::NodeFinished(NodeFinished {
                status: NodeStatus::Failed,
                reason: Some(refusal.to_string()),
                patch: Patch::new(),
                next: Vec::new(),
                ..finished.clone()
            }),
            Body::CallFinished(finished) => Body::CallFinished(CallFinished {
                answer: Text::default(),
                thoughts: Text::default(),
                tool_requests: Vec::new(),
                echo: None,
                error: Some(refusal.to_string()),
                ..finished.clone()
            }),
            _ => return,
        };
        // The first refusal is what the run fails by.
        let _ = self.append(vec![NewEvent { at: event.at, node: event.node.clone(), body: failed }]).await;
    }

    async fn end(&mut self, end: End) -> Written {
        let at = now();
        let events = self.counting(|progress| end(progress));
        let events: Arc<[NewEvent]> = made_at(at, events).collect();
        self.append(events.clone()).await?;
        self.count(&events);
        self.is_over = true;
        Ok(())
    }

    fn count(&self, events: &[NewEvent]) {
        self.counting(|progress| {
            for NewEvent { at, node, body } in events {
                progress.apply(*at, node.as_ref(), body);
            }
        });
    }

    /// A panic is told to those who wait, before they notice that this task has ended.
    fn counting<T>(&self, work: impl FnOnce(&mut Progress) -> T) -> T {
        let work = || work(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            self.has_panicked.store(true, Ordering::SeqCst);
            resume_unwind(panic)
        })
    }

    /// While the disk cannot be written, this waits: the run pauses, and nothing is lost.
    async fn append(&self, events: impl Into<Arc<[NewEvent]>>) -> Written {
        self.journal.append_patiently(self.run, self.epoch, events).await.map(drop)
    }
}

impl Entry {
    /// Whether somebody waits for it to be written.
    fn is_urgent(&self) -> bool {
        match self {
            Self::Staged(..) | Self::Report(_) => false,
            Self::Events(..) | Self::Beside(..) | Self::Flush(_) | Self::End(..) => true,
        }
    }
}

/// What is written as one append, and what is done with each part of it after that.
#[derive(Default)]
struct Batch {
    events: Vec<NewEvent>,
    parts: Vec<Part>,
}

/// The events of one entry, by their places in the batch.
struct Part {
    events: Range<usize>,
    then: Then,
}

/// What is done once a part is written.
enum Then {
    /// The progress counts it already. The call's text stays live until then.
    Staged(Option<EndedCall>),
    /// The progress counts it, and whoever waits is told.
    Count(oneshot::Sender<Written>),
}

impl Batch {
    /// An empty one with room for so many entries.
    fn with_capacity(entries: usize) -> Self {
        Self { events: Vec::with_capacity(entries), parts: Vec::with_capacity(entries) }
    }

    fn add_staged(&mut self, event: NewEvent, live: Option<EndedCall>) {
        self.events.push(event);
        let end = self.events.len();
        self.parts.push(Part { events: end - 1..end, then: Then::Staged(live) });
    }

    fn add(&mut self, at: Timestamp, events: Events, reply: oneshot::Sender<Written>) {
        let begin = self.events.len();
        self.events.extend(made_at(at, events));
        self.parts.push(Part { events: begin..self.events.len(), then: Then::Count(reply) });
    }
}

fn made_at(at: Timestamp, events: Events) -> impl Iterator<Item = NewEvent> {
    events.into_iter().map(move |(node, body)| NewEvent { at, node, body })
}

/// Takes what is queued, up to the most of one append.
fn take_queued(queue: &mut mpsc::UnboundedReceiver<Entry>, entries: &mut Vec<Entry>) {
    while entries.len() < MOST_AT_ONCE
        && let Ok(entry) = queue.try_recv()
    {
        entries.push(entry);
    }
}

/// As how many an event counts among those that are ahead of the disk.
fn weight(event: &NewEvent) -> usize {
    let bytes = match &event.body {
        Body::NodeFinished(finished) => finished.patch.values().map(|text| text.shown().len()).sum(),
        Body::CallFinished(finished) => finished.answer.shown().len() + finished.thoughts.shown().len(),
        _ => 0,
    };
    1 + bytes / BYTES_AS_ONE
}

/// The receiver may have been dropped.
fn answer(reply: oneshot::Sender<Written>, written: Written) {
    let _ = reply.send(written);
}
