//! How many runs wait for a person, for the title of the browser's tab.

use std::collections::BTreeSet;

use leptos::prelude::*;
use protocol::RunId;

use crate::live::{RunFeed, RunNews};

/// The runs that wait for a person. The server makes the title of a page when the page's own
/// signals are gone, so these belong to nobody.
#[derive(Clone)]
pub struct NeedsYou {
    waiting: ArcRwSignal<BTreeSet<RunId>>,
    feed: RunFeed,
}

impl NeedsYou {
    /// Follows all runs, for as long as the caller's owner lives.
    pub fn follow(feed: &RunFeed) -> Self {
        let waiting = ArcRwSignal::new(BTreeSet::new());
        let heard = waiting.clone();
        feed.follow(move |news| {
            let run = news.run();
            let waits = matches!(news, RunNews::Stands(told) if told.waits);
            if heard.with_untracked(|waiting: &BTreeSet<RunId>| waiting.contains(&run)) != waits {
                heard.update(|waiting| {
                    if waits {
                        waiting.insert(run);
                    } else {
                        waiting.remove(&run);
                    }
                });
            }
        });
        Self { waiting, feed: feed.clone() }
    }

    /// The title of the tab, with the count before it; what is no longer heard is said to be past.
    pub fn title(&self, title: &str) -> String {
        titled(title, self.waiting.with(BTreeSet::len), self.feed.is_old())
    }
}

fn titled(title: &str, waiting: usize, is_old: bool) -> String {
    let name = if title.is_empty() { "Pitwall".to_owned() } else { format!("{title} · Pitwall") };
    match (waiting, is_old) {
        (0, _) => name,
        (count, false) => format!("({count}) {name}"),
        (count, true) => format!("(was {count}) {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::titled;

    #[test]
    fn a_count_that_may_be_over_is_not_said_to_be_so_now() {
        assert_eq!(titled("Runs", 2, false), "(2) Runs · Pitwall");
        assert_eq!(titled("Runs", 2, true), "(was 2) Runs · Pitwall");
        assert_eq!(titled("", 0, true), "Pitwall");
    }
}
