//! The rating, derived again from the portfolio manager's recorded answer.

use protocol::{
    Date, NodeStatus,
    trading::{Analyst, Rating, Ticker},
};

use super::{
    rating::RatingAnswer,
    screen::{Screened, screened},
    state,
};
use crate::{Check, Recorded, trading::facts::Missing};

const RATING: &str = "the rating, from the portfolio manager's last answer";

/// Derives the screen and the rating of a run again.
pub(in crate::trading) fn verify(
    run: &Recorded,
    ticker: &Ticker,
    date: Date,
    analysts: &[Analyst],
) -> Vec<Check> {
    vec![verify_screen(run, analysts), verify_rating(run, ticker, date)]
}

fn verify_screen(run: &Recorded, analysts: &[Analyst]) -> Check {
    let what = "what is missing and whether the analysis ends early, from what the analysts reported";
    let visits = run.visits("screen");
    let Some(visit) = visits.last() else {
        return Check::unknown(what, run.unreached());
    };
    let selected: Vec<Analyst> = Analyst::all().into_iter().filter(|it| analysts.contains(it)).collect();
    match screened(&selected, &visit.state) {
        Ok(Screened { missing, abort }) => {
            let recorded =
                (visit.set::<Vec<Missing>>(state::MISSING), visit.set::<Option<String>>(state::ABORT));
            Check::equal(what, &(Some(missing), Some(abort)), &recorded)
        }
        Err(error) => Check::unknown(what, error.to_string()),
    }
}

fn verify_rating(run: &Recorded, ticker: &Ticker, date: Date) -> Check {
    let visits = run.visits("portfolio_manager");
    let Some(visit) = visits.last() else {
        return Check::unknown(RATING, run.unreached());
    };
    if visit.finished.status == NodeStatus::Failed {
        return Check::unknown(RATING, visit.failure());
    }
    let Some(answer) = visit.last_answer() else {
        return Check::unknown(RATING, "The log holds no answer of the portfolio manager.");
    };
    let known = visit.state.get::<Vec<Missing>>(state::MISSING).and_then(|missing| {
        Ok((missing.unwrap_or_default(), visit.state.get::<Option<String>>(state::ABORT)?.flatten()))
    });
    let (missing, abort) = match known {
        Ok(known) => known,
        Err(error) => return Check::unknown(RATING, error.to_string()),
    };
    let text = answer.answer.whole().unwrap_or_default();
    let answer = RatingAnswer::of_last(text, !answer.tool_requests.is_empty(), abort.is_some());
    let rating = Some(answer.rating(ticker, date, &missing, abort));
    let recorded = (visit.products::<Rating>().pop(), visit.set::<Rating>(state::RATING));
    Check::equal(RATING, &(rating.clone(), rating), &recorded)
}
