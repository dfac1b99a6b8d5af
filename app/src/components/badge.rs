//! How many runs wait for a person, for the title of the browser's tab.

use std::collections::BTreeSet;

use leptos::prelude::*;
use protocol::RunId;

use crate::live::{RunFeed, RunNews};

/// The runs that wait for a person. The server makes the title of a page when the page's own
/// signals are gone, so this one belongs to nobody.
#[derive(Clone)]
pub struct NeedsYou(ArcRwSignal<BTreeSet<RunId>>);

impl NeedsYou {
    /// Follows all runs, for as long as the caller's owner lives.
    pub fn follow(feed: &RunFeed) -> Self {
        let waiting = ArcRwSignal::new(BTreeSet::new());
        let heard = waiting.clone();
        feed.follow(move |news| {
            let run = news.run();
            let waits = matches!(news, RunNews::Stands(summary) if !summary.awaited.is_empty());
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
        Self(waiting)
    }

    /// The title of the tab, with the count before it.
    pub fn title(&self, title: &str) -> String {
        let name = if title.is_empty() { "Pitwall".to_owned() } else { format!("{title} · Pitwall") };
        match self.0.with(BTreeSet::len) {
            0 => name,
            count => format!("({count}) {name}"),
        }
    }
}
