//! The lessons of accounts, as the logs of their reflections have them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use database::SearchError;
use journal::{Journal, JournalError};
use protocol::{
    AccountId, Body, Date, ProductData, RunFilter, RunId, RunSummary,
    trading::{Lesson, LessonFilter, LessonPage, Task, Ticker},
};

use super::choice;

/// Runs read in one go.
const PAGE: u32 = 200;
/// Events read in one go.
const EVENTS: u32 = 1000;

/// A lesson with the run that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenLesson {
    /// The run.
    pub run: RunId,
    /// The lesson.
    pub lesson: Lesson,
}

/// Why lessons cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LessonsError {
    /// The logs cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// They cannot be searched.
    #[error("{0}")]
    Search(#[from] SearchError),
}

/// What was read of a run, up to a number.
#[derive(Clone, Default)]
struct Read {
    seq: u64,
    lessons: Arc<Vec<Lesson>>,
}

/// The lessons of all accounts. What was read of a log is kept in memory: logs only grow.
pub struct Lessons {
    journal: Journal,
    read: Mutex<BTreeMap<AccountId, BTreeMap<RunId, Read>>>,
}

impl Lessons {
    /// The lessons in this journal.
    pub fn new(journal: Journal) -> Self {
        Self { journal, read: Mutex::default() }
    }

    /// All lessons of one account, in the order in which the runs began that wrote them. Of each stock and day there is
    /// one: the first that was written. What a reflection has written counts however it ended. What a file says that
    /// was imported is nobody's lesson, nor is a product that holds something else than its kind promises.
    ///
    /// # Errors
    /// The logs cannot be read.
    pub async fn of(&self, owner: &AccountId) -> Result<Vec<WrittenLesson>, JournalError> {
        let mut known =
            self.read.lock().unwrap_or_else(PoisonError::into_inner).remove(owner).unwrap_or_default();
        let mut read = BTreeMap::new();
        let mut filter =
            RunFilter { kind: Task::REFLECT.parse().ok(), limit: Some(PAGE), ..RunFilter::default() };
        loop {
            let page = self.journal.summaries(&filter, Some(owner)).await?;
            filter.before = page.runs.last().map(|run| run.run);
            for run in page.runs.iter().filter(|run| is_own_work(run)) {
                let before = known.remove(&run.run).unwrap_or_default();
                let now = if before.seq == run.seq { before } else { self.read_on(run, before).await? };
                read.insert(run.run, now);
            }
            if !page.more || filter.before.is_none() {
                break;
            }
        }
        let mut taken: BTreeSet<(Ticker, Date)> = BTreeSet::new();
        let mut lessons = Vec::new();
        for (run, Read { lessons: written, .. }) in &read {
            let first = written.iter().filter(|it| taken.insert((it.ticker.clone(), it.decided)));
            lessons.extend(first.map(|lesson| WrittenLesson { run: *run, lesson: lesson.clone() }));
        }
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.clone(), read);
        Ok(lessons)
    }

    /// Reads what a run has written since.
    async fn read_on(&self, run: &RunSummary, before: Read) -> Result<Read, JournalError> {
        let Read { mut seq, lessons } = before;
        let mut lessons = Arc::unwrap_or_clone(lessons);
        loop {
            let events = self.journal.read(run.run, seq, EVENTS).await?;
            let Some(last) = events.last() else {
                return Ok(Read { seq, lessons: Arc::new(lessons) });
            };
            seq = last.seq;
            for event in &events {
                let Body::Produced(product) = &event.body else { continue };
                if product.kind.as_str() == Lesson::KIND {
                    let data = self.journal.resolve(&product.data).await?;
                    lessons.extend(serde_json::from_str::<Lesson>(&data).ok());
                }
            }
        }
    }

    /// The lessons of one account that a page shows.
    ///
    /// # Errors
    /// The logs cannot be read, or not be searched.
    pub async fn page(&self, owner: &AccountId, filter: &LessonFilter) -> Result<LessonPage, LessonsError> {
        Ok(choice::page(self.of(owner).await?, filter).await?)
    }
}

/// Whether what a run says was done here, and can be read.
pub(super) fn is_own_work(run: &RunSummary) -> bool {
    run.imported_from.is_none() && run.unreadable.is_none()
}
