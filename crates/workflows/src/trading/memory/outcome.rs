//! How a rating turned out: the stock and the index over the horizon.

use jiff::ToSpan;
use market::{DailyPrice, Market, NoData, Why};
use protocol::{
    Date, Decimal,
    trading::{DayMove, DecisionScore, Measured, Ticker},
};
use rust_decimal::RoundingStrategy;

use crate::trading::desk::BENCHMARK;

/// Calendar days from the first close after a decision to the close that it is scored by: the first of AgentOS's two
/// horizons (30 and 90). A decision is scored once, so that one of them has to be enough.
pub const HORIZON_DAYS: u32 = 30;
/// Calendar days beyond the horizon after which a close is waited for no more.
const GRACE_DAYS: i32 = 14;
/// Calendar days that a close of the index may be older than the stock's: exchanges have holidays of their own.
const INDEX_LAG_DAYS: i32 = 7;
/// Decimals of a return.
const PLACES: u32 = 6;
/// Changes from day to day that are kept.
const MOVES: usize = 3;

/// Why a decision has no score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotScored {
    /// The horizon has not passed yet.
    #[error("The horizon of {HORIZON_DAYS} days has not passed yet.")]
    NotYet,
    /// It has passed, and there are no prices to score it by.
    #[error("{0}")]
    NoPrices(String),
}

/// Scores a decision of the day `decided` by daily closes, oldest first. Days up to `decided` are not looked at, nor
/// those after the day on which the outcome became known. `index` has the closes that the stock is compared with, or
/// why there are none; `source` says whose prices they are.
///
/// # Errors
/// [`NotScored::NotYet`]: the prices do not reach beyond the horizon. [`NotScored::NoPrices`]: a close is no amount
/// that a return can be computed of.
pub fn score(
    stock: &[DailyPrice],
    index: Result<&[DailyPrice], String>,
    decided: Date,
    source: String,
) -> Result<DecisionScore, NotScored> {
    let days = window(stock, decided).ok_or(NotScored::NotYet)?;
    let [first, .., last] = days else { return Err(NotScored::NotYet) };
    let change = |from: Decimal, to: Decimal| {
        change(from, to).ok_or_else(|| NotScored::NoPrices("A close is no price above zero.".to_owned()))
    };
    let stock_return = change(first.close, last.close)?;
    let (mut best, mut worst, mut days_to_peak) = (Decimal::ZERO, Decimal::ZERO, 0);
    for (day, price) in (0_u32..).zip(days) {
        let change = change(first.close, price.close)?;
        if change > best {
            (best, days_to_peak) = (change, day);
        }
        worst = worst.min(change);
    }
    let mut largest_moves = Vec::new();
    for pair in days.windows(2) {
        let [before, after] = pair else { continue };
        largest_moves.push(DayMove { date: after.date, change: change(before.close, after.close)? });
    }
    largest_moves.sort_by_key(|it| (std::cmp::Reverse(it.change.abs()), it.date));
    largest_moves.truncate(MOVES);
    let index_return = match index {
        Ok(index) => index_return(index, first.date, last.date),
        Err(reason) => Measured::Unknown(reason),
    };
    let excess = match &index_return {
        Measured::Known(index) => Measured::Known(stock_return - index),
        Measured::Unknown(reason) => Measured::Unknown(reason.clone()),
    };
    Ok(DecisionScore {
        horizon_days: HORIZON_DAYS,
        from: first.date,
        from_close: first.close,
        until: last.date,
        until_close: last.close,
        stock_return,
        index_return,
        excess,
        best,
        worst,
        days_to_peak,
        largest_moves,
        source,
    })
}

/// The days from the first close after the decision to the first one on which the horizon has passed.
fn window(days: &[DailyPrice], decided: Date) -> Option<&[DailyPrice]> {
    let days = &days[days.partition_point(|day| day.date <= decided)..];
    let end = days.first()?.date.checked_add(i64::from(HORIZON_DAYS).days()).ok()?;
    let last = days.partition_point(|day| day.date < end);
    days.get(..=last)
}

/// The relative change between two prices, to six decimals; `None` where one is no price above zero.
pub(in crate::trading) fn change(from: Decimal, to: Decimal) -> Option<Decimal> {
    if from <= Decimal::ZERO || to <= Decimal::ZERO {
        return None;
    }
    let change = to.checked_div(from)?.checked_sub(Decimal::ONE)?;
    Some(change.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// The index's return between the closes of two days, or those shortly before.
pub(in crate::trading) fn index_return(index: &[DailyPrice], from: Date, until: Date) -> Measured<Decimal> {
    let close = |date: Date| {
        let last = index[..index.partition_point(|day| day.date <= date)].last()?;
        (last.date >= date.saturating_sub(INDEX_LAG_DAYS.days())).then_some(last.close)
    };
    let Some((first, last)) = close(from).zip(close(until)) else {
        return Measured::Unknown(format!("{BENCHMARK} has no closes from {from} to {until}"));
    };
    match change(first, last) {
        Some(change) => Measured::Known(change),
        None => Measured::Unknown(format!("a close of {BENCHMARK} is no price above zero")),
    }
}

/// The score of a rating as of the day `today`. It is the same on whichever later day it is asked for: prices are those
/// that were known when the outcome became known.
pub(in crate::trading) async fn score_as_of(
    market: &Market,
    ticker: &Ticker,
    decided: Date,
    today: Date,
) -> Result<DecisionScore, NotScored> {
    let known = market.prices(ticker, today).await.map_err(no_prices)?;
    let Some([.., last]) = window(&known.data.days, decided) else {
        let waited = decided.saturating_add((i64::from(HORIZON_DAYS) + i64::from(GRACE_DAYS)).days());
        if today <= waited {
            return Err(NotScored::NotYet);
        }
        return Err(NotScored::NoPrices(format!(
            "{ticker} has no close on which {HORIZON_DAYS} days had passed since the decision, up to {today}."
        )));
    };
    let until = last.date;
    let stock = market.prices(ticker, until).await.map_err(no_prices)?;
    let index = match BENCHMARK.parse::<Ticker>() {
        Ok(index) => market.prices(&index, until).await.map_err(|refusal| refusal.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let index = index.as_ref().map(|answer| answer.data.days.as_slice()).map_err(Clone::clone);
    let unit = stock.source.unit.as_deref().unwrap_or("unit not known");
    let source = format!("{}: {unit}", stock.source.vendor);
    score(&stock.data.days, index, decided, source)
}

fn no_prices(refusal: NoData) -> NotScored {
    NotScored::NoPrices(match refusal.why {
        Why::Later(_) => format!("{refusal} The next reflection tries again."),
        Why::Empty | Why::Unknown | Why::Denied => refusal.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// A close each `step` days from a day on.
    fn closes(from: &str, step: i64, closes: &[&str]) -> Vec<DailyPrice> {
        let days = (0_i64..).zip(closes).map(|(number, close)| DailyPrice {
            date: date(from).saturating_add((number * step).days()),
            open: None,
            high: None,
            low: None,
            close: close.parse().unwrap(),
            volume: None,
        });
        days.collect()
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Statement 7.6.8 of AgentOS's specification.
    #[test]
    fn a_price_trend_is_scored_as_agentos_scores_it() {
        let stock = closes("2022-01-03", 10, &["100", "110", "105", "90", "85"]);
        let index = closes("2022-01-03", 10, &["400", "402", "405", "407", "410"]);
        // The fourth close is 30 days after the first; what follows it is not looked at.
        let score = |stock: &[DailyPrice], decided: &str| {
            super::score(stock, Ok(&index), date(decided), "test".to_owned())
        };
        let scored = score(&stock, "2022-01-02").unwrap();
        assert_eq!((scored.from, scored.until), (date("2022-01-03"), date("2022-02-02")));
        assert_eq!(scored.stock_return, decimal("-0.1"));
        assert_eq!(scored.index_return, Measured::Known(decimal("0.0175")));
        assert_eq!(scored.excess, Measured::Known(decimal("-0.1175")));
        assert_eq!((scored.best, scored.worst, scored.days_to_peak), (decimal("0.1"), decimal("-0.1"), 1));
        // 90 / 105 - 1, 110 / 100 - 1, 105 / 110 - 1
        let moves: Vec<_> = scored.largest_moves.iter().map(|it| it.change).collect();
        assert_eq!(moves, [decimal("-0.142857"), decimal("0.1"), decimal("-0.045455")]);
        assert_eq!(score(&stock[..1], "2022-01-02"), Err(NotScored::NotYet));
        // With the days of the specification's example 7.5 days apart, its figures come out.
        let stock = closes("2022-01-03", 8, &["100", "110", "105", "90", "85"]);
        let index = closes("2022-01-03", 8, &["400", "402", "405", "407", "410"]);
        let scored = super::score(&stock, Ok(&index), date("2022-01-02"), String::new()).unwrap();
        assert_eq!(scored.stock_return, decimal("-0.15"));
        assert_eq!(scored.index_return, Measured::Known(decimal("0.025")));
        assert_eq!((scored.best, scored.worst, scored.days_to_peak), (decimal("0.1"), decimal("-0.15"), 1));
        assert_eq!(scored.largest_moves.len(), 3);
    }

    #[test]
    fn the_close_of_the_decision_counts_for_nothing() {
        let mut stock = closes("2022-01-03", 1, &["100"; 40]);
        stock[0].close = decimal("1");
        let scored = score(&stock, Err("none".to_owned()), date("2022-01-03"), String::new()).unwrap();
        assert_eq!((scored.from, scored.until), (date("2022-01-04"), date("2022-02-03")));
        assert_eq!((scored.stock_return, scored.excess.reason()), (Decimal::ZERO, Some("none")));
    }

    #[test]
    fn it_is_scored_only_once_the_whole_horizon_has_passed() {
        let stock = closes("2022-01-03", 1, &["100"; 60]);
        let known = |days: usize| score(&stock[..days], Ok(&stock), date("2022-01-02"), String::new());
        assert_eq!(known(30), Err(NotScored::NotYet));
        let then = known(31).unwrap();
        // Nothing later changes it.
        assert_eq!(known(60).unwrap(), then);
    }
}
