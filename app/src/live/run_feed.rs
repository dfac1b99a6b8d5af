//! The feed of all runs: one socket for the whole tab, which every part of a page may follow.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;
use protocol::{Control, RunId, RunStatus};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{Connection, feed::use_feed};

/// Runs that are kept for who begins to follow later; the page asks the server for older ones.
const KEPT: usize = 500;

/// What the feed tells of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunNews {
    /// How it stands now.
    Stands(ToldRun),
    /// It was deleted.
    Removed(RunId),
}

impl RunNews {
    /// The run.
    pub fn run(&self) -> RunId {
        match self {
            Self::Stands(told) => told.run,
            Self::Removed(run) => *run,
        }
    }

    /// Reads a message of the feed.
    pub fn read(text: &str) -> Option<Self> {
        if text.starts_with(r#"{"control":"#) {
            return match serde_json::from_str(text) {
                Ok(Control::Removed { run }) => Some(Self::Removed(run)),
                _ => None,
            };
        }
        ToldRun::new(text).map(Self::Stands)
    }
}

/// A run as the feed tells of it, understood as far as every page needs it. All pages load what stands here: the code
/// that reads the rest is loaded with the pages that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldRun {
    /// The run.
    pub run: RunId,
    /// Number of the last event that this contains.
    pub seq: u64,
    /// Where it stands.
    pub status: RunStatus,
    /// Whether it waits for a person.
    pub waits: bool,
    summary: Arc<str>,
}

impl ToldRun {
    fn new(summary: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Head {
            run: RunId,
            seq: u64,
            status: RunStatus,
            #[serde(default)]
            awaited: Vec<IgnoredAny>,
        }
        let Head { run, seq, status, awaited } = serde_json::from_str(summary).ok()?;
        Some(Self { run, seq, status, waits: !awaited.is_empty(), summary: summary.into() })
    }

    /// The run's summary, or a part of it; `None` where this page cannot read it.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.summary).ok()
    }
}

/// What the feed has told. Signals that belong to nobody: the server makes the title of a page when
/// the page's own are gone.
#[derive(Clone, Default)]
pub struct RunFeed {
    told: ArcRwSignal<Told>,
    connection: ArcRwSignal<Connection>,
}

impl RunFeed {
    /// A feed that [`run_feed`] finds everywhere below.
    pub fn provide() -> Self {
        let feed = Self::default();
        provide_context(feed.clone());
        feed
    }

    /// Begins to listen, for as long as the caller's owner lives.
    pub fn listen(&self) {
        let told = self.told.clone();
        let connection =
            use_feed("/ws/v1/feed", RunNews::read, move |news| told.update(|told| told.add(news)));
        let known = self.connection.clone();
        Effect::new(move |_| known.set(connection.get()));
    }

    /// Calls `take` with how each run stands, as far as it is known, and again whenever one changes or
    /// is deleted, for as long as the caller's owner lives.
    pub fn follow(&self, take: impl Fn(RunNews) + 'static) {
        let told = self.told.clone();
        Effect::new(move |heard: Option<u64>| {
            let news = told.with(|told| told.after(heard.unwrap_or_default()));
            let last = news.last().map(|(number, _)| *number);
            untrack(|| news.into_iter().for_each(|(_, news)| take(news)));
            last.or(heard).unwrap_or_default()
        });
    }

    /// Whether what it has told may not hold any more: the server is not heard.
    pub fn is_old(&self) -> bool {
        self.connection.with(|connection| connection.as_of().is_some())
    }

    /// The state of its socket. To a page that is being taken over it is what the server rendered,
    /// however far the socket has come.
    pub fn connection(&self) -> Signal<Connection> {
        let shown = RwSignal::new(Connection::default());
        let now = self.connection.clone();
        Effect::new(move |_| shown.set(now.get()));
        shown.into()
    }
}

/// The tab's feed.
pub fn run_feed() -> RunFeed {
    use_context().unwrap_or_default()
}

/// How each run stands, in the order in which it was told.
#[derive(Default)]
struct Told {
    count: u64,
    runs: BTreeMap<u64, RunNews>,
    numbers: BTreeMap<RunId, u64>,
}

impl Told {
    fn add(&mut self, news: Vec<RunNews>) {
        for news in news {
            self.count += 1;
            if let Some(earlier) = self.numbers.insert(news.run(), self.count) {
                self.runs.remove(&earlier);
            }
            self.runs.insert(self.count, news);
        }
        while self.runs.len() > KEPT
            && let Some((_, oldest)) = self.runs.pop_first()
        {
            self.numbers.remove(&oldest.run());
        }
    }

    fn after(&self, heard: u64) -> Vec<(u64, RunNews)> {
        self.runs.range(heard + 1..).map(|(number, news)| (*number, news.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Awaited, Heading, ListedRun, RunRequest, RunSummary, Timestamp, Workflow};

    use super::*;

    fn summary(number: usize, seq: u64) -> RunSummary {
        let request = RunRequest::new(Workflow::bare("essay".parse().unwrap()), "flow".parse().unwrap());
        let run = format!("0197a1b2-0000-7000-8000-{number:012}").parse().unwrap();
        RunSummary { seq, ..RunSummary::new(run, request, Heading::new("Essay · rain"), Timestamp(0)) }
    }

    fn told(summary: &RunSummary) -> RunNews {
        RunNews::read(&serde_json::to_string(summary).unwrap()).unwrap()
    }

    fn run(number: usize, seq: u64) -> RunNews {
        told(&summary(number, seq))
    }

    fn heard(told: &Told, after: u64) -> Vec<(u64, u64)> {
        let seq = |news: &RunNews| match news {
            RunNews::Stands(told) => told.seq,
            RunNews::Removed(_) => 0,
        };
        told.after(after).iter().map(|(number, news)| (*number, seq(news))).collect()
    }

    #[test]
    fn who_comes_later_hears_how_each_run_stands_once() {
        let mut told = Told::default();
        told.add(vec![run(1, 1), run(2, 1), run(1, 5)]);
        assert_eq!(heard(&told, 0), [(2, 1), (3, 5)]);
        told.add(vec![run(2, 9)]);
        assert_eq!(heard(&told, 3), [(4, 9)]);
        assert_eq!(heard(&told, 4), []);
    }

    #[test]
    fn a_tab_that_stays_open_keeps_no_more_than_it_needs() {
        let mut told = Told::default();
        told.add((0..KEPT + 10).map(|number| run(number, 1)).collect());
        assert_eq!((told.runs.len(), told.numbers.len()), (KEPT, KEPT));
        assert_eq!(told.after(0)[0].1.run(), run(10, 1).run(), "the longest unchanged goes first");
    }

    #[test]
    fn a_page_reads_as_much_of_a_run_as_it_shows() {
        let mut waiting = summary(1, 3);
        waiting.awaited.push(Awaited {
            input: "trader:1:1".parse().unwrap(),
            node: None,
            prompt: "Which of them?".into(),
            since: Timestamp(1),
            deadline: None,
        });
        let RunNews::Stands(run) = told(&waiting) else { panic!("it was not deleted") };
        assert_eq!((run.seq, run.waits), (3, true));
        assert_eq!(run.read::<RunSummary>().as_ref(), Some(&waiting));
        assert_eq!(run.read(), Some(ListedRun::from(waiting)));
        assert_eq!(RunNews::read(r#"{"control":"of a later version"}"#), None);
    }

    #[test]
    fn a_run_that_was_deleted_is_told_of_as_such() {
        let mut told = Told::default();
        let gone = run(1, 4).run();
        let message = Control::Removed { run: gone }.encode();
        told.add(vec![run(1, 4), run(2, 1)]);
        told.add(RunNews::read(&message).into_iter().collect());
        assert_eq!(told.after(0).last(), Some(&(3, RunNews::Removed(gone))));
        assert_eq!(heard(&told, 0).len(), 2);
    }
}
