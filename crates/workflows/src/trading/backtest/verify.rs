//! A backtest, derived again: its days, each entry of its portfolio, and its result.

use engine::NodeError;
use journal::{Journal, JournalError};
use portfolio::Entry;
use protocol::{
    Date, NodeStatus, RunId, RunStatus, Totals,
    trading::{BacktestResult, Decision},
};

use super::{
    assignment::Backtest, book::Book, market_days::Passed, pass_days, plan_days, result::COUNT,
    schedule::Schedule, state,
};
use crate::{Check, Recorded, node::needed, recorded::RecordedVisit, trading::flow::last_of_run};

/// Derives a backtest again: its trading days from those that the log has of the market, what was booked from the days'
/// prices and the decisions of the runs that it started, its result from all of it.
///
/// # Errors
/// The journal cannot be read.
pub(in crate::trading) async fn verify(
    run: &Recorded,
    backtest: &Backtest,
    journal: &Journal,
) -> Result<Vec<Check>, JournalError> {
    let mut checks = Vec::new();
    for visit in run.visits_of(&["plan_days", "pass_days", "decide", "result"]) {
        // A decision that came to nothing is shown as failed, and is booked all the same.
        if visit.finished.status == NodeStatus::Failed && visit.node() != "decide" {
            checks.push(Check::unknown(format!("the step {}", visit.node()), visit.failure()));
            continue;
        }
        let check = match visit.node() {
            "plan_days" => verify_plan(backtest, &visit),
            "pass_days" => verify_days(backtest, &visit),
            "decide" => verify_decision(backtest, &visit, journal).await?,
            _ => verify_result(backtest, &visit).await,
        };
        checks.push(match check {
            Ok(check) => check,
            Err(error) => Check::unknown(format!("the step {}", visit.node()), error.to_string()),
        });
    }
    if run.visits("result").is_empty() {
        checks.push(Check::unknown("the result", run.unreached()));
    }
    Ok(checks)
}

fn verify_plan(backtest: &Backtest, visit: &RecordedVisit<'_>) -> Result<Check, NodeError> {
    let what =
        "the days of the decisions and the portfolio at the start, from the market's days and the request";
    let days: Vec<Date> = visit.measured(plan_days::LOOK).ok_or_else(|| missing("the trading days"))?;
    let schedule = Schedule::new(days, backtest.plan.rhythm).map_err(NodeError::Failed)?;
    let opened = plan_days::opened(&backtest.plan, &schedule)?;
    let recorded = (visit.set::<Schedule>(state::SCHEDULE), visit.set::<Vec<Entry>>(state::ENTRIES));
    Ok(Check::equal(what, &(Some(schedule), Some(vec![opened])), &recorded))
}

fn verify_days(backtest: &Backtest, visit: &RecordedVisit<'_>) -> Result<Check, NodeError> {
    let Passed { days, .. } = visit.measured(pass_days::LOOK).ok_or_else(|| missing("the market's days"))?;
    let mut book = Book::read(backtest, &visit.state)?;
    for day in &days {
        book.pass(day)?;
    }
    let span = match (days.first(), days.last()) {
        (Some(first), Some(last)) => format!("{} to {}", first.date, last.date),
        _ => "no days".to_owned(),
    };
    let what = format!("what the market's days did to the portfolio, {span}");
    Ok(Check::equal(what, &Some(book.into_booked()), &visit.set::<Vec<Entry>>(state::ENTRIES)))
}

/// The decision is that of the run that was started for the day.
async fn verify_decision(
    backtest: &Backtest,
    visit: &RecordedVisit<'_>,
    journal: &Journal,
) -> Result<Result<Check, NodeError>, JournalError> {
    let Some(run) = visit.sub_runs().pop() else {
        return Ok(Err(missing("which run decided")));
    };
    let Some(summary) = journal.summary(run).await? else {
        return Ok(Err(NodeError::failed(format!("The run {run} that decided was deleted."))));
    };
    let decision = match last_of_run::<Decision>(journal, run).await? {
        Some(data) if summary.status == RunStatus::Succeeded => {
            serde_json::from_str::<Decision>(&journal.resolve(&data).await?).ok()
        }
        _ => None,
    };
    Ok(booked(backtest, visit, run, decision.as_ref()))
}

fn booked(
    backtest: &Backtest,
    visit: &RecordedVisit<'_>,
    run: RunId,
    decision: Option<&Decision>,
) -> Result<Check, NodeError> {
    let schedule: Schedule = needed(&visit.state, state::SCHEDULE)?;
    let decided: usize = needed(&visit.state, state::DECIDED)?;
    let date = schedule.decisions.get(decided).ok_or_else(|| missing("the day of the decision"))?;
    let mut book = Book::read(backtest, &visit.state)?;
    book.decide(*date, run, decision)?;
    let what = format!("what was booked of the decision of {date}");
    Ok(Check::equal(what, &Some(book.into_booked()), &visit.set::<Vec<Entry>>(state::ENTRIES)))
}

async fn verify_result(backtest: &Backtest, visit: &RecordedVisit<'_>) -> Result<Check, NodeError> {
    let what = "the result: value, trades, figures and what it is compared with";
    let used: Totals = visit.measured(COUNT).ok_or_else(|| missing("what models cost"))?;
    let recorded = visit.products::<BacktestResult>().pop().ok_or_else(|| missing("the result"))?;
    // A run that continues this one after its end has its result, with this one's id.
    let derived = backtest.result(recorded.run, &visit.state, &used).await?;
    Ok(Check::equal(what, &derived, &recorded))
}

fn missing(what: &str) -> NodeError {
    NodeError::failed(format!("The log does not say {what}."))
}
