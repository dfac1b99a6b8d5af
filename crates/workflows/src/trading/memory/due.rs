//! The decisions that there is something to learn from by a day, and no lesson yet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use journal::{Journal, JournalError};
use market::Market;
use protocol::{
    AccountId, Date, RunFilter, RunId, RunStatus, RunSummary,
    trading::{DecisionScore, Grade, Rating, Task, Ticker, UnscoredDecision},
};
use serde::{Deserialize, Serialize};

use super::{
    lessons::{Lessons, is_own_work},
    outcome::{HORIZON_DAYS, NotScored, score_as_of},
};
use crate::trading::{flow::last_of_run, own_prices};

/// Runs read in one go.
const PAGE: u32 = 200;
/// Characters of a rating's summary that a lesson keeps.
const LONGEST_SUMMARY: usize = 600;
/// Characters of a rating's reasons that the lesson's author reads.
const LONGEST_THESIS: usize = 4000;

/// A decision whose outcome is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::trading) struct DueDecision {
    /// The run that rated.
    pub run: RunId,
    /// What it came to; long texts are cut.
    pub rating: Rating,
    /// The stock's sector; empty if it is not known.
    pub sector: String,
    /// What became of it.
    pub score: DecisionScore,
}

/// What a look back finds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::trading) struct DueDecisions {
    /// Decisions to learn from, the oldest first.
    pub due: Vec<DueDecision>,
    /// Decisions that cannot be scored.
    pub unscored: Vec<UnscoredDecision>,
    /// Decisions that are not looked at, as there are enough.
    pub left: u32,
}

/// Where decisions are looked for.
pub(in crate::trading) struct LookBack<'l> {
    pub journal: &'l Journal,
    pub lessons: &'l Lessons,
    pub market: &'l Market,
    pub owner: &'l AccountId,
    /// The day as of which it looks back.
    pub today: Date,
    /// Decisions at most.
    pub most: usize,
}

impl LookBack<'_> {
    /// The account's ratings whose horizon has passed and that have no lesson. Of several ratings of a stock as of one
    /// day the newest counts.
    ///
    /// # Errors
    /// The logs cannot be read.
    pub(in crate::trading) async fn due(&self) -> Result<DueDecisions, JournalError> {
        let mut found = DueDecisions::default();
        for ((decided, ticker), run) in self.candidates().await? {
            if found.due.len() == self.most {
                found.left = found.left.saturating_add(1);
                continue;
            }
            // What could not be read was no decision.
            let rating = self.rating(run).await?.filter(|rating| rating.grade != Grade::Review);
            let Some(rating) = rating else { continue };
            match score_as_of(self.market, &ticker, decided, self.today).await {
                Ok(score) => {
                    let instrument = self.market.instrument(&ticker);
                    let sector = instrument.map(|known| known.sector.clone()).unwrap_or_default();
                    found.due.push(DueDecision { run, rating, sector, score });
                }
                Err(NotScored::NotYet) => {}
                Err(NotScored::NoPrices(reason)) => {
                    found.unscored.push(UnscoredDecision { ticker, decided, reason });
                }
            }
        }
        Ok(found)
    }

    /// The newest rating run of each stock and day that may be due, by day: the first close after a decision is a day
    /// later at the earliest.
    async fn candidates(&self) -> Result<BTreeMap<(Date, Ticker), RunId>, JournalError> {
        let known: BTreeSet<(Date, Ticker)> = self
            .lessons
            .of(self.owner)
            .await?
            .into_iter()
            .map(|it| (it.lesson.decided, it.lesson.ticker))
            .collect();
        let last = self.today.saturating_sub((i64::from(HORIZON_DAYS) + 1).days());
        let mut candidates = BTreeMap::new();
        let mut filter = RunFilter {
            kind: Task::PIPELINE.parse().ok(),
            status: Some(RunStatus::Succeeded),
            limit: Some(PAGE),
            ..RunFilter::default()
        };
        loop {
            let page = self.journal.summaries(&filter, Some(self.owner)).await?;
            filter.before = page.runs.last().map(|run| run.run);
            for run in page.runs.iter().filter(|run| is_own_work(run) && own_prices::table_of(run).is_none())
            {
                let Some((decided, ticker)) = decision(run).filter(|(decided, _)| *decided <= last) else {
                    continue;
                };
                if !known.contains(&(decided, ticker.clone())) {
                    // The newest comes first.
                    candidates.entry((decided, ticker)).or_insert(run.run);
                }
            }
            if !page.more || filter.before.is_none() {
                return Ok(candidates);
            }
        }
    }

    /// The rating that a run ended with.
    async fn rating(&self, run: RunId) -> Result<Option<Rating>, JournalError> {
        let Some(data) = last_of_run::<Rating>(self.journal, run).await? else { return Ok(None) };
        let rating = serde_json::from_str::<Rating>(&self.journal.resolve(&data).await?).ok();
        Ok(rating.map(|rating| Rating {
            summary: beginning(&rating.summary, LONGEST_SUMMARY),
            thesis: beginning(&rating.thesis, LONGEST_THESIS),
            ..rating
        }))
    }
}

/// What a run rated, as its row says.
fn decision(run: &RunSummary) -> Option<(Date, Ticker)> {
    Some((run.as_of?, run.subject.as_deref()?.parse().ok()?))
}

fn beginning(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
