//! The newest analyses of a stock, each with what it saw and what became of the stock afterwards.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::ToSpan;
use journal::{Journal, JournalError};
use protocol::{
    AccountId, ProductData, RunFilter, RunId, RunSummary, RunView,
    trading::{
        AnalysisOutcome, Grade, LessonVerdict, LessonsTold, Measured, PastAnalysis, Rating, SeenData,
        SeenKind, ShortRating, Task, Ticker,
    },
};

use super::StockReports;
use crate::trading::{
    memory::{HORIZON_DAYS, LessonsForCase, NotScored, score_as_of},
    pipeline::state,
    run_state::{items, value},
    seen::Seen,
    tools::Tool,
};

/// Analyses that are told of one stock.
const MOST: usize = 12;
/// Runs that are looked through for them.
const LOOKED_THROUGH: u32 = 200;
/// Characters of a reason that are told.
const LONGEST_REASON: usize = 200;

/// The newest analyses of a stock, by their days, and whether there are older ones. Those that a backtest has made
/// stand on its page.
pub(super) async fn newest(
    reports: &StockReports<'_>,
    owner: &AccountId,
    ticker: &Ticker,
) -> Result<(Vec<PastAnalysis>, bool), JournalError> {
    let filter = RunFilter {
        kind: Task::PIPELINE.parse().ok(),
        search: ticker.to_string(),
        limit: Some(LOOKED_THROUGH),
        ..RunFilter::default()
    };
    let page = reports.journal.summaries(&filter, Some(owner)).await?;
    let mut is_of_backtest = BTreeMap::new();
    let mut runs: Vec<RunSummary> = Vec::new();
    for run in page.runs {
        let is_on_stock = run.subject.as_deref() == Some(ticker.as_str()) && run.as_of.is_some();
        if !is_on_stock || run.unreadable.is_some() {
            continue;
        }
        if let Some(parent) = &run.parent {
            let known = is_of_backtest.get(&parent.run).copied();
            let is_part = match known {
                Some(is_part) => is_part,
                None => is_backtest_day(reports.journal, parent.run).await?,
            };
            is_of_backtest.insert(parent.run, is_part);
            if is_part {
                continue;
            }
        }
        runs.push(run);
    }
    runs.sort_by_key(|run| Reverse((run.as_of, run.run)));
    let has_older = page.more || runs.len() > MOST;
    runs.truncate(MOST);
    let mut analyses = Vec::new();
    for run in runs.into_iter().rev() {
        analyses.extend(analysis(reports, ticker, run).await?);
    }
    Ok((analyses, has_older))
}

async fn is_backtest_day(journal: &Journal, run: RunId) -> Result<bool, JournalError> {
    let summary = journal.summary(run).await?;
    Ok(summary.is_some_and(|summary| summary.request.workflow.kind().as_str() == Task::BACKTEST_DAY))
}

async fn analysis(
    reports: &StockReports<'_>,
    ticker: &Ticker,
    run: RunSummary,
) -> Result<Option<PastAnalysis>, JournalError> {
    let (Some(date), Some(view)) = (run.as_of, reports.journal.fold(run.run, u64::MAX).await?) else {
        return Ok(None);
    };
    let rating = rating(reports.journal, &view).await?;
    let outcome = outcome(reports, ticker, date, rating.known().map(|rating| rating.grade)).await;
    let lessons = match value::<LessonsForCase>(reports.journal, &view, state::LESSONS).await? {
        Some(told) => Measured::Known(LessonsTold {
            on_stock: told
                .chosen
                .iter()
                .filter(|it| it.lesson.ticker == *ticker)
                .map(|it| it.lesson.decided)
                .collect(),
            on_others: count(told.chosen.iter().filter(|it| it.lesson.ticker != *ticker).count()),
        }),
        None => Measured::Unknown("it did not come to look for them".to_owned()),
    };
    let seen: Vec<Seen> =
        items::<Vec<Seen>>(reports.journal, &view, state::SEEN).await?.into_iter().flatten().collect();
    let mut models: Vec<String> = view.calls.iter().map(|call| call.model.clone()).collect();
    models.sort_unstable();
    models.dedup();
    let summary = &view.summary;
    Ok(Some(PastAnalysis {
        run: summary.run,
        flow: summary.request.flow.clone(),
        date,
        status: summary.status,
        phase: summary.phase.clone(),
        is_imported: summary.imported_from.is_some(),
        rating,
        outcome,
        lessons,
        models,
        cost: summary.totals.cost,
        calls_of_unknown_cost: summary.totals.calls_of_unknown_cost,
        saw: by_kind(&seen),
    }))
}

/// What a run came to.
async fn rating(journal: &Journal, view: &RunView) -> Result<Measured<ShortRating>, JournalError> {
    let Some(product) = view.products.iter().rfind(|product| product.kind.as_str() == Rating::KIND) else {
        let summary = &view.summary;
        let reason = match (&summary.error, summary.status.is_over()) {
            (Some(error), _) => error.clone(),
            (None, true) => format!("it ended without a rating: {}", summary.status.label().to_lowercase()),
            (None, false) => "it has not come to a rating yet".to_owned(),
        };
        return Ok(Measured::Unknown(reason));
    };
    Ok(match serde_json::from_str::<Rating>(&journal.resolve(&product.data).await?) {
        Ok(Rating { grade, confidence, summary, .. }) => {
            Measured::Known(ShortRating { grade, confidence, summary })
        }
        Err(error) => Measured::Unknown(format!("its rating cannot be read: {error}")),
    })
}

/// What became of the stock since, by the rule that lessons are written by.
async fn outcome(
    reports: &StockReports<'_>,
    ticker: &Ticker,
    date: protocol::Date,
    grade: Option<Grade>,
) -> AnalysisOutcome {
    let Some(grade) = grade else {
        return AnalysisOutcome::Unknown { reason: "there is no rating to hold against it".to_owned() };
    };
    match score_as_of(reports.market, ticker, date, reports.market.last_date()).await {
        Ok(score) => {
            let verdict = LessonVerdict::of(grade, &score.excess);
            AnalysisOutcome::Known { score: Box::new(score), verdict }
        }
        // The horizon runs from the first close after the decision, a day later at the earliest.
        Err(NotScored::NotYet) => {
            AnalysisOutcome::Open { known_from: date.saturating_add((i64::from(HORIZON_DAYS) + 1).days()) }
        }
        Err(NotScored::NoPrices(reason)) => AnalysisOutcome::Unknown { reason },
    }
}

/// What was seen, by kind of data.
fn by_kind(seen: &[Seen]) -> Vec<SeenData> {
    let mut kinds: BTreeMap<SeenKind, SeenData> = BTreeMap::new();
    for seen in seen {
        let Some(kind) = kind_of(&seen.asked) else { continue };
        let data = kinds.entry(kind).or_insert_with(|| SeenData {
            kind,
            vendors: Vec::new(),
            rows: 0,
            from: None,
            to: None,
            missing: Vec::new(),
        });
        if let Some(served) = &seen.served {
            if !data.vendors.contains(&served.source.vendor) {
                data.vendors.push(served.source.vendor.clone());
            }
            data.rows += served.rows as u64;
            data.from = data.from.into_iter().chain(served.from).min();
            data.to = data.to.into_iter().chain(served.to).max();
        }
        if let Some(missing) = &seen.missing {
            let reason: String = missing.chars().take(LONGEST_REASON).collect();
            if !data.missing.contains(&reason) {
                data.missing.push(reason);
            }
        }
    }
    kinds.into_values().collect()
}

/// The kind of data that was asked for: `get_news AAPL`, or `prices AAPL` of what code looks up.
fn kind_of(asked: &str) -> Option<SeenKind> {
    let name = asked.split(' ').next()?;
    if name == "prices" {
        return Some(SeenKind::Prices);
    }
    match Tool::named(name)? {
        Tool::StockData => Some(SeenKind::Prices),
        Tool::Indicators => Some(SeenKind::Indicators),
        Tool::News => Some(SeenKind::News),
        Tool::GlobalNews => Some(SeenKind::WorldNews),
        Tool::Fundamentals | Tool::BalanceSheet | Tool::Cashflow | Tool::IncomeStatement => {
            Some(SeenKind::Fundamentals)
        }
        Tool::InsiderTransactions => Some(SeenKind::Insiders),
        Tool::MarketMovers => Some(SeenKind::Movers),
        Tool::EarningsCalendar | Tool::EconomicCalendar => Some(SeenKind::Calendars),
        Tool::CriticalCondition => None,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_agents_saw_of_a_kind_is_one_row() {
        let seen = |asked: &str, missing: Option<&str>| Seen {
            agent: "Market analyst".to_owned(),
            asked: asked.to_owned(),
            served: None,
            missing: missing.map(str::to_owned),
        };
        let rows = by_kind(&[
            seen("get_news AAPL", Some("no news")),
            seen("get_stock_data AAPL", None),
            seen("get_news AAPL", Some("no news")),
            seen("get_cashflow AAPL", Some("no statements")),
            seen("report_critical_condition", None),
            seen("get_weather AAPL", None),
        ]);
        let kinds: Vec<_> = rows.iter().map(|row| (row.kind, row.missing.len())).collect();
        assert_eq!(kinds, [(SeenKind::Prices, 0), (SeenKind::Fundamentals, 1), (SeenKind::News, 1)]);
    }
}
