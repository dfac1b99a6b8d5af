//! The decision of a day and the ratings that it rests on, derived again.

use journal::{Journal, JournalError};
use protocol::trading::{AnalysisEnd, BacktestDay, DayAnalyses, Rating};

use crate::{
    Check, Recorded,
    trading::{flow::last_of_run, portfolio_run},
};

/// Derives the ratings of a day, from the runs that made them, and its decision again.
///
/// # Errors
/// The journal cannot be read.
pub(in crate::trading) async fn verify(
    run: &Recorded,
    day: &BacktestDay,
    journal: &Journal,
) -> Result<Vec<Check>, JournalError> {
    Ok(vec![verify_ratings(run, day, journal).await?, portfolio_run::verify_decision(run)])
}

async fn verify_ratings(run: &Recorded, day: &BacktestDay, journal: &Journal) -> Result<Check, JournalError> {
    let what = "the ratings that the decision rests on, from the runs that made them";
    let visits = run.visits("collect");
    let Some(visit) = visits.last() else { return Ok(Check::unknown(what, run.unreached())) };
    let Some(DayAnalyses { analyses }) = visit.products::<DayAnalyses>().pop() else {
        return Ok(Check::unknown(what, "The log does not say what the analyses came to."));
    };
    let mut derived = Vec::new();
    for analysis in &analyses {
        let AnalysisEnd::Rated { run, .. } = &analysis.end else { continue };
        let Some(data) = last_of_run::<Rating>(journal, *run).await? else {
            return Ok(Check::unknown(
                what,
                format!("The run {run} that rated {} is not there.", analysis.ticker),
            ));
        };
        derived.extend(serde_json::from_str::<Rating>(&journal.resolve(&data).await?).ok());
    }
    let tickers: Vec<_> = analyses.iter().map(|analysis| &analysis.ticker).collect();
    let recorded: Option<Vec<Rating>> = visit.set(portfolio_run::state::RATINGS);
    Ok(Check::equal(what, &(Some(derived), day.tickers.iter().collect::<Vec<_>>()), &(recorded, tickers)))
}
