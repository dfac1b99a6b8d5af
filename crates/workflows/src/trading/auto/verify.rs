//! What an automatic run says of the runs that it started or found, derived again from their logs.

use journal::{Journal, JournalError};
use protocol::{
    ProductData, RunView,
    trading::{AnalysisEnd, AutoResult, Decision, PendingOrder, Rating, RejectedOrder, Trade},
};

use crate::{Check, Recorded, trading::flow::last_of_run};

/// Derives what an automatic run says of its analyses and of its portfolio's run again.
///
/// # Errors
/// The journal cannot be read.
pub(in crate::trading) async fn verify(
    run: &Recorded,
    journal: &Journal,
) -> Result<Vec<Check>, JournalError> {
    let what = "the result";
    let visits = run.visits("result");
    let Some(visit) = visits.last() else { return Ok(vec![Check::unknown(what, run.unreached())]) };
    let Some(result) = visit.products::<AutoResult>().pop() else {
        return Ok(vec![Check::unknown(what, "The log does not hold it.")]);
    };
    let mut checks = Vec::new();
    for analysis in &result.analyses {
        let (AnalysisEnd::Rated { run, grade, confidence } | AnalysisEnd::Known { run, grade, confidence }) =
            &analysis.end
        else {
            continue;
        };
        let what = format!("the rating of {}, from the run that made it", analysis.ticker);
        checks.push(match last_of_run::<Rating>(journal, *run).await? {
            Some(data) => {
                let rating: Option<Rating> = serde_json::from_str(&journal.resolve(&data).await?).ok();
                let derived = rating.map(|rating| (rating.grade, rating.confidence));
                Check::equal(what, &derived, &Some((grade, confidence)))
            }
            None => Check::unknown(what, format!("The run {run} is not there, or has no rating.")),
        });
    }
    checks.push(verify_portfolio(&result, journal).await?);
    Ok(checks)
}

async fn verify_portfolio(result: &AutoResult, journal: &Journal) -> Result<Check, JournalError> {
    let what = "what the portfolio decided and traded, from its run";
    let run = result.portfolio_run;
    let Some(view) = journal.fold(run, u64::MAX).await? else {
        return Ok(Check::unknown(what, format!("The run {run} is not there.")));
    };
    let decision = match last_of_run::<Decision>(journal, run).await? {
        Some(data) => serde_json::from_str::<Decision>(&journal.resolve(&data).await?).ok(),
        None => None,
    };
    let derived = (
        decision.map(|decision| decision.headline()),
        count::<Trade>(&view),
        count::<PendingOrder>(&view),
        count::<RejectedOrder>(&view),
    );
    let recorded = (Some(&result.decision), result.trades, result.waiting, result.rejected);
    Ok(Check::equal(what, &derived, &recorded))
}

fn count<D: ProductData>(view: &RunView) -> u32 {
    let products = view.products.iter().filter(|product| product.holds::<D>());
    u32::try_from(products.count()).unwrap_or(u32::MAX)
}
