//! Writes one run's log: one task takes what is to be written in the order of the log, as much at a time as
//! has come since the last append.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use journal::{Epoch, Journal, JournalError};
use protocol::{
    Body, CallFinished, NewEvent, NodeFinished, NodeId, NodeStatus, Patch, RunId, Text, Timestamp,
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    live::OpenGuard,
    progress::Progress,
    run_log::{leaves_run, now},
};

/// So many bytes of a visit's result or an answer count as one more event that is ahead of the disk.
const BYTES_AS_ONE: usize = 64 * 1024;
/// The most entries that become one append.
const MOST_AT_ONCE: usize = 1024;
/// How long staged events wait for what follows them, to be written together, while nobody waits for them.
const GATHERING: Duration = Duration::from_millis(1);
/// So many entries do not wait for more.
const ENOUGH: usize = 256;

/// Events of a run, each with the node that it belongs to.
pub(crate) type Events = Vec<(Option<NodeId>, Body)>;
/// Makes a run's end from its final progress.
pub(crate) type End = Box<dyn FnOnce(&Progress) -> Events + Send>;
type Written = Result<(), JournalError>;

/// What is to be written.
enum Entry {
    /// An event that the progress counts already, and the call whose text is live until it is written.
    Staged(Box<NewEvent>, Option<OpenGuard>),
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
    staged: Arc<AtomicUsize>,
    /// Whether the task has ended by a defect of the progress.
    has_panicked: Arc<AtomicBool>,
}

impl LogWriter {
    /// Begins to write to a run's log, and to count in its progress what was written.
    pub fn start(journal: Journal, run: RunId, epoch: Epoch, progress: Arc<Mutex<Progress>>) -> Self {
        let (entries, queue) = mpsc::unbounded_channel();
        let (staged, has_panicked) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let task = Task {
            journal,
            run,
            epoch,
            progress,
            staged: staged.clone(),
            has_panicked: has_panicked.clone(),
            is_over: false,
            refusal: None,
        };
        tokio::spawn(task.work(queue));
        Self { entries, staged, has_panicked }
    }

    /// Queues an event that the progress counts already. Nothing that is queued after it is written before.
    pub fn stage(&self, at: Timestamp, node: NodeId, body: Body, live: Option<OpenGuard>) {
        let event = NewEvent { at, node: Some(node), body };
        self.staged.fetch_add(weight(&event), Ordering::Relaxed);
        // Without a receiver the runtime is shutting down.
        let _ = self.entries.send(Entry::Staged(Box::new(event), live));
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
        // What cannot be sent is dropped with its reply.
        let _ = self.entries.send(entry(reply));
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
            // An answer, the end of its visit, the beginning of the next one and the call in that are one append.
            let gathering = async {
                while entries.len() < ENOUGH && !entries.iter().any(Entry::is_urgent) {
                    if queue.recv_many(&mut entries, MOST_AT_ONCE).await == 0 {
                        break;
                    }
                }
            };
            // At the end of the time, what has come by then is written.
            let _ = tokio::time::timeout(GATHERING, gathering).await;
            let mut together = Vec::new();
            let mut flushes = Vec::new();
            for entry in entries.drain(..) {
                match entry {
                    Entry::Flush(reply) | Entry::Report(reply) => flushes.push(reply),
                    Entry::End(end, reply) => {
                        self.write_together(std::mem::take(&mut together)).await;
                        let ended = self.end(end).await;
                        answer(reply, ended);
                    }
                    Entry::Events(_, reply) if self.is_over => {
                        answer(reply, Err(JournalError::Finished(self.run)));
                    }
                    entry => together.push(entry),
                }
            }
            self.write_together(together).await;
            for reply in flushes {
                answer(reply, self.refusal.clone().map_or(Ok(()), Err));
            }
        }
    }

    /// Writes entries as one append, or one by one if the journal refuses that.
    async fn write_together(&mut self, entries: Vec<Entry>) {
        let at = now();
        let events: Vec<NewEvent> = entries.iter().flat_map(|entry| entry.events(at)).collect();
        let written = if events.is_empty() { Ok(()) } else { self.append(events).await };
        match written {
            Ok(()) => entries.into_iter().for_each(|entry| self.take(entry, at, Ok(()))),
            Err(error) if leaves_run(&error) || entries.len() == 1 => {
                for entry in entries {
                    let entry = self.instead_of(entry, &error).await;
                    self.take(entry, at, Err(error.clone()));
                }
            }
            Err(_) => {
                for entry in entries {
                    let written = self.append(entry.events(at).collect()).await;
                    let entry = match &written {
                        Ok(()) => entry,
                        Err(error) => self.instead_of(entry, error).await,
                    };
                    self.take(entry, at, written);
                }
            }
        }
    }

    /// Writes that a visit or a call has failed whose end the journal refuses, such as a result that is too large.
    async fn instead_of(&self, entry: Entry, refusal: &JournalError) -> Entry {
        let Entry::Staged(event, _) = &entry else { return entry };
        if leaves_run(refusal) {
            return entry;
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
            _ => return entry,
        };
        // The first refusal is what the run fails by.
        let _ = self.append(vec![NewEvent { at: event.at, node: event.node.clone(), body: failed }]).await;
        entry
    }

    /// Counts what was written, and tells who waits for it.
    fn take(&mut self, entry: Entry, at: Timestamp, written: Written) {
        match entry {
            // The text of a call that has ended is live until here, so that it is in one of the two at each moment.
            Entry::Staged(event, _live) => {
                self.staged.fetch_sub(weight(&event), Ordering::Relaxed);
                if let Err(refusal) = written {
                    self.refusal.get_or_insert(refusal);
                }
            }
            Entry::Events(events, reply) | Entry::Beside(events, reply) => {
                if written.is_ok() {
                    self.count(at, &events);
                }
                answer(reply, written);
            }
            Entry::Flush(reply) | Entry::Report(reply) | Entry::End(_, reply) => answer(reply, written),
        }
    }

    async fn end(&mut self, end: End) -> Written {
        let at = now();
        let events = self.counting(|progress| end(progress));
        let new = events.iter().map(|(node, body)| NewEvent { at, node: node.clone(), body: body.clone() });
        self.append(new.collect()).await?;
        self.count(at, &events);
        self.is_over = true;
        Ok(())
    }

    fn count(&self, at: Timestamp, events: &Events) {
        self.counting(|progress| {
            for (node, body) in events {
                progress.apply(at, node.as_ref(), body);
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
    async fn append(&self, events: Vec<NewEvent>) -> Written {
        self.journal.append_patiently(self.run, self.epoch, || events.clone()).await.map(drop)
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

    fn events(&self, at: Timestamp) -> impl Iterator<Item = NewEvent> {
        let (staged, events) = match self {
            Self::Staged(event, _) => (Some(event.as_ref().clone()), &[][..]),
            Self::Events(events, _) | Self::Beside(events, _) => (None, &events[..]),
            Self::Flush(_) | Self::Report(_) | Self::End(..) => (None, &[][..]),
        };
        let events =
            events.iter().map(move |(node, body)| NewEvent { at, node: node.clone(), body: body.clone() });
        staged.into_iter().chain(events)
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
