//! Runs as a page holds them: loaded page by page, kept up to date by the feed.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{ListedRun, ListedRuns, RunFilter, RunId};

use crate::{
    browser::lowercase,
    live::{RunNews, run_feed},
};

/// Runs that match a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunList {
    filter: RunFilter,
    runs: BTreeMap<RunId, ListedRun>,
    more: bool,
}

/// Runs that the feed keeps up to date, as long as the caller's owner lives.
pub fn use_list(filter: RunFilter, page: ListedRuns) -> RwSignal<RunList> {
    let list = RwSignal::new(RunList::new(filter, page));
    run_feed().follow(move |news| {
        list.try_update(|list| list.take(news));
    });
    list
}

impl RunList {
    /// The first page.
    pub fn new(filter: RunFilter, page: ListedRuns) -> Self {
        let mut list = Self { filter, runs: BTreeMap::new(), more: false };
        list.extend(page);
        list
    }

    /// Takes the next page in.
    pub fn extend(&mut self, page: ListedRuns) {
        self.more = page.more;
        for run in page.runs {
            self.keep_newer(run);
        }
    }

    /// Takes in what became of one run: it appears, changes, no longer matches, or was deleted.
    pub fn take(&mut self, news: RunNews) {
        let run = match news {
            RunNews::Stands(told) => match told.read() {
                Some(run) => run,
                None => return,
            },
            RunNews::Removed(run) => {
                self.runs.remove(&run);
                return;
            }
        };
        if !matches(&self.filter, &run) {
            self.runs.remove(&run.run);
        } else if !self.lies_in_pages_to_come(run.run) {
            self.keep_newer(run);
        }
    }

    fn keep_newer(&mut self, run: ListedRun) {
        if self.runs.get(&run.run).is_none_or(|known| known.seq <= run.seq) {
            self.runs.insert(run.run, run);
        }
    }

    /// Run ids sort by creation. One that is older than all that is loaded would leave a gap.
    fn lies_in_pages_to_come(&self, run: RunId) -> bool {
        self.more && self.oldest().is_some_and(|oldest| run < oldest)
    }

    /// Where the next page begins.
    pub fn oldest(&self) -> Option<RunId> {
        self.runs.first_key_value().map(|(run, _)| *run)
    }

    /// The request for the next page.
    pub fn next_page(&self) -> RunFilter {
        RunFilter { before: self.oldest(), ..self.filter.clone() }
    }

    /// Whether there are older runs.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// One run.
    pub fn get(&self, run: RunId) -> Option<&ListedRun> {
        self.runs.get(&run)
    }

    /// The ids of the runs, newest first.
    pub fn ids(&self) -> Vec<RunId> {
        self.newest_first().map(|run| run.run).collect()
    }

    /// All runs, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &ListedRun> {
        self.runs.values().rev()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// The same rule as the server's.
fn matches(filter: &RunFilter, run: &ListedRun) -> bool {
    let title = lowercase(&run.title);
    lowercase(&filter.search).split_whitespace().all(|word| title.contains(word))
        && filter.status.is_none_or(|status| status == run.status)
        && filter.kind.as_ref().is_none_or(|kind| kind == run.kind())
        && filter.flow.as_ref().is_none_or(|flow| flow == run.flow())
        && filter.document.is_none_or(|document| run.document().is_some_and(|named| named.id == document))
        && filter.parent.is_none_or(|parent| run.parent.as_ref().is_some_and(|it| it.run == parent))
        && !(filter.top && run.parent.is_some())
}

#[cfg(test)]
mod tests {
    use protocol::{Heading, RunRequest, RunStatus, RunSummary, Timestamp, Workflow};

    use super::*;

    fn run(number: u8, seq: u64, status: RunStatus) -> RunSummary {
        let request = RunRequest::new(Workflow::bare("essay".parse().unwrap()), "flow".parse().unwrap());
        let run = format!("0197a1b2-0000-7000-8000-0000000000{number:02}").parse().unwrap();
        RunSummary {
            seq,
            status,
            ..RunSummary::new(run, request, Heading::new("Essay · rain"), Timestamp(0))
        }
    }

    fn stands(run: RunSummary) -> RunNews {
        RunNews::read(&serde_json::to_string(&run).unwrap()).unwrap()
    }

    fn shown(list: &RunList) -> Vec<(String, u64)> {
        list.newest_first().map(|run| (run.run.to_string()[34..].to_owned(), run.seq)).collect()
    }

    fn page(runs: &[RunSummary], more: bool) -> ListedRuns {
        ListedRuns { runs: runs.iter().cloned().map(ListedRun::from).collect(), more }
    }

    #[test]
    fn a_new_run_comes_first_and_an_older_state_changes_nothing() {
        let mut list = RunList::new(RunFilter::default(), page(&[run(5, 7, RunStatus::Running)], false));
        list.take(stands(run(6, 1, RunStatus::Queued)));
        list.take(stands(run(5, 3, RunStatus::Queued)));
        assert_eq!(shown(&list), [("06".to_owned(), 1), ("05".to_owned(), 7)]);
    }

    #[test]
    fn a_run_that_no_longer_matches_leaves_the_list() {
        let filter = RunFilter { status: Some(RunStatus::Running), ..RunFilter::default() };
        let mut list = RunList::new(filter, page(&[run(5, 7, RunStatus::Running)], false));
        list.take(stands(run(5, 9, RunStatus::Succeeded)));
        assert!(list.is_empty());
    }

    #[test]
    fn a_run_that_was_deleted_leaves_the_list() {
        let mut list = RunList::new(RunFilter::default(), page(&[run(5, 7, RunStatus::Failed)], false));
        list.take(RunNews::Removed(run(4, 1, RunStatus::Failed).run));
        assert!(!list.is_empty());
        list.take(RunNews::Removed(run(5, 7, RunStatus::Failed).run));
        assert!(list.is_empty());
    }

    #[test]
    fn the_feed_leaves_no_gap_before_the_next_page() {
        let mut list = RunList::new(RunFilter::default(), page(&[run(5, 1, RunStatus::Succeeded)], true));
        list.take(stands(run(2, 4, RunStatus::Running)));
        assert_eq!(shown(&list), [("05".to_owned(), 1)]);
        assert_eq!(list.next_page().before, Some(run(5, 1, RunStatus::Queued).run));
        list.extend(page(&[run(4, 1, RunStatus::Failed), run(2, 4, RunStatus::Running)], false));
        assert_eq!(shown(&list).len(), 3);
        assert!(!list.has_more());
    }

    #[test]
    fn the_runs_of_a_document_are_those_that_are_made_from_it() {
        const DOCUMENT: &str = "0197a1b2-0000-7000-8000-000000000001";
        let filter = RunFilter { document: DOCUMENT.parse().ok(), ..RunFilter::default() };
        let made_from = |text: &str| {
            let mut run = run(5, 7, RunStatus::Running);
            run.request.workflow = run.request.workflow.with("made_from", text.into()).unwrap();
            run
        };
        let mut list = RunList::new(filter, page(&[made_from(&format!("{DOCUMENT}@3"))], false));
        list.take(stands(RunSummary { seq: 9, ..made_from(&format!("{DOCUMENT}@3")) }));
        let run = list.newest_first().next().unwrap();
        assert_eq!((run.seq, run.document().and_then(|named| named.version).unwrap().number()), (9, 3));
        // The same when it has gone over the network.
        let sent = serde_json::to_string(run).unwrap();
        assert_eq!(serde_json::from_str::<ListedRun>(&sent).unwrap(), *run);
        list.take(stands(RunSummary { seq: 11, ..made_from("0197a1b2-0000-7000-8000-000000000002@3") }));
        assert!(list.is_empty());
    }

    #[test]
    fn every_word_of_the_search_must_be_in_the_title() {
        let filter = |search: &str| RunFilter { search: search.into(), ..RunFilter::default() };
        let run = ListedRun::from(run(1, 1, RunStatus::Running));
        assert!(matches(&filter("RAIN essay"), &run));
        assert!(!matches(&filter("rain snow"), &run));
        assert!(!matches(&RunFilter { kind: "opera".parse().ok(), ..filter("") }, &run));
    }
}
