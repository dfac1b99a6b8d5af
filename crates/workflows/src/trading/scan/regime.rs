//! The regime of the market: six signals, each with its figure or without, as of the day of the scan.

use std::collections::BTreeMap;

use jiff::ToSpan;
use market::{DailyPrice, NoData};
use protocol::{
    Date, Decimal,
    trading::{Confidence, MacroRegime, Measured, Regime, RegimeSignal, Ticker},
};
use rust_decimal::RoundingStrategy;

use super::market_day::{self, History, MarketDay};
use crate::trading::seen::Seen;

/// Daily prices up to a day by symbol, or why there are none.
pub type Series = BTreeMap<&'static str, Result<Vec<DailyPrice>, String>>;

/// What all signals together look at.
const SYMBOLS: [&str; 12] =
    ["^VIX", "HYG", "LQD", "TLT", "SHY", "^GSPC", "XLU", "XLP", "XLV", "XLY", "XLK", "XLI"];
const DEFENSIVE: [&str; 3] = ["XLU", "XLP", "XLV"];
const CYCLICAL: [&str; 3] = ["XLY", "XLK", "XLI"];
/// Trading days of a month.
const MONTH: usize = 21;
/// Decimals of a signal's figure.
const PLACES: u32 = 6;
/// Calendar days after which a price says nothing of the day any more: a week and its weekend.
const STALE: i64 = 9;

/// One signal: its figure, and what that gives a point for.
struct Rule {
    name: &'static str,
    rule: &'static str,
    is_fraction: bool,
    figure: fn(&Series) -> Result<Decimal, String>,
    points: fn(Decimal) -> i32,
}

const RULES: [Rule; 6] = [
    Rule {
        name: "VIX level",
        rule: "+1 below 16, \u{2212}1 above 25",
        is_fraction: false,
        figure: |series| Ok(last(series, "^VIX", 1)?[0]),
        points: |level| outside(level, Decimal::from(16), Decimal::from(25)),
    },
    Rule {
        name: "VIX trend",
        rule: "mean of 5 days over mean of 20 days, less one: +1 below 0, \u{2212}1 above 0",
        is_fraction: true,
        // One day more than the longer mean, so that it has changed at least once.
        figure: |series| {
            let closes = last(series, "^VIX", 21)?;
            ratio(mean(&closes[16..])?, mean(&closes[1..])?)
        },
        points: |trend| outside(trend, Decimal::ZERO, Decimal::ZERO),
    },
    Rule {
        name: "Credit",
        rule: "HYG over LQD, change of 21 days: +1 above 0.5 %, \u{2212}1 below \u{2212}0.5 %",
        is_fraction: true,
        figure: credit,
        points: |change| -outside(change, Decimal::new(-5, 3), Decimal::new(5, 3)),
    },
    Rule {
        name: "Treasuries",
        rule: "return of TLT less that of SHY, 21 days: \u{2212}1 above 1 %, +1 below \u{2212}1 %",
        is_fraction: true,
        figure: |series| spread(month(series, "TLT")?, month(series, "SHY")?),
        points: |spread| outside(spread, Decimal::new(-1, 2), Decimal::new(1, 2)),
    },
    Rule {
        name: "Trend of the index",
        rule: "S&P 500 over its mean of 200 days, less one: +1 above 0, \u{2212}1 below 0",
        is_fraction: true,
        figure: |series| {
            let closes = last(series, "^GSPC", 200)?;
            ratio(closes[199], mean(&closes)?)
        },
        points: |distance| -outside(distance, Decimal::ZERO, Decimal::ZERO),
    },
    Rule {
        name: "Rotation",
        rule: "mean return of XLU, XLP, XLV less that of XLY, XLK, XLI, 21 days: \u{2212}1 above 1 %, \
               +1 below \u{2212}1 %",
        is_fraction: true,
        figure: |series| spread(months(series, DEFENSIVE)?, months(series, CYCLICAL)?),
        points: |spread| outside(spread, Decimal::new(-1, 2), Decimal::new(1, 2)),
    },
];

impl MarketDay {
    /// The series that the regime rests on, and what `agent` saw by that.
    pub(super) async fn series(&self, agent: &str) -> (Series, Vec<Seen>) {
        let (mut series, mut seen) = (Series::new(), Vec::new());
        for symbol in SYMBOLS {
            let found = self.recent(symbol).await;
            if let Ok(history) = &found {
                seen.extend(market_day::seen(agent, &format!("prices {symbol}"), std::iter::once(history)));
            }
            series.insert(symbol, found.map(|history| history.days));
        }
        (series, seen)
    }

    async fn recent(&self, symbol: &str) -> Result<History, String> {
        let ticker: Ticker = symbol.parse().map_err(|error| format!("{error}"))?;
        let history = self.history(&ticker).await.map_err(|refusal: NoData| refusal.to_string())?;
        let oldest = self.date.saturating_sub(STALE.days());
        match history.days.last() {
            Some(day) if day.date < oldest => Err(format!("The last price of {symbol} is of {}.", day.date)),
            _ => Ok(history),
        }
    }
}

/// Reads the six signals off the series, which have nothing after `date`, and adds them up. A signal without data
/// counts 0 and says so.
pub fn judge(date: Date, series: &Series) -> MacroRegime {
    let signals: Vec<RegimeSignal> = RULES.iter().map(|rule| rule.signal(series)).collect();
    let score: i32 = signals.iter().map(|signal| signal.points).sum();
    let regime = match score {
        3.. => Regime::RiskOn,
        ..=-3 => Regime::RiskOff,
        _ => Regime::Transition,
    };
    let confidence = match score.abs() {
        4.. => Confidence::High,
        2..=3 => Confidence::Medium,
        _ => Confidence::Low,
    };
    MacroRegime { date, regime, confidence, score, signals }
}

impl Rule {
    fn signal(&self, series: &Series) -> RegimeSignal {
        let value = (self.figure)(series)
            .map(|value| value.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointAwayFromZero));
        RegimeSignal {
            name: self.name.to_owned(),
            points: value.as_ref().map_or(0, |value| (self.points)(*value)),
            value: value.map_or_else(Measured::Unknown, Measured::Known),
            is_fraction: self.is_fraction,
            rule: self.rule.to_owned(),
        }
    }
}

/// 1 below the lower bound, −1 above the upper one, 0 from one to the other.
fn outside(value: Decimal, lower: Decimal, upper: Decimal) -> i32 {
    i32::from(value < lower) - i32::from(value > upper)
}

fn days<'s>(series: &'s Series, symbol: &str) -> Result<&'s [DailyPrice], String> {
    match series.get(symbol) {
        Some(Ok(days)) => Ok(days),
        Some(Err(reason)) => Err(reason.clone()),
        None => Err(format!("There are no prices of {symbol}.")),
    }
}

/// The last closes, oldest first, each above zero.
fn last(series: &Series, symbol: &str, count: usize) -> Result<Vec<Decimal>, String> {
    let days = days(series, symbol)?;
    let Some(from) = days.len().checked_sub(count) else {
        return Err(format!(
            "Insufficient history of {symbol}: {count} days are needed, there are {}.",
            days.len()
        ));
    };
    let closes: Vec<Decimal> = days[from..].iter().map(|day| day.close).collect();
    if closes.iter().any(|close| *close <= Decimal::ZERO) {
        return Err(format!("A price of {symbol} is zero or negative."));
    }
    Ok(closes)
}

fn month(series: &Series, symbol: &str) -> Result<Decimal, String> {
    let closes = last(series, symbol, MONTH + 1)?;
    ratio(closes[MONTH], closes[0])
}

/// The mean return of a month.
fn months(series: &Series, symbols: [&str; 3]) -> Result<Decimal, String> {
    let returns = symbols.iter().map(|symbol| month(series, symbol)).collect::<Result<Vec<_>, _>>()?;
    mean(&returns)
}

/// The change of HYG over LQD in a month, on the days that both have.
fn credit(series: &Series) -> Result<Decimal, String> {
    let (high_yield, grade) = (days(series, "HYG")?, days(series, "LQD")?);
    let grade: BTreeMap<Date, Decimal> = grade.iter().map(|day| (day.date, day.close)).collect();
    let ratios: Vec<(Decimal, Decimal)> =
        high_yield.iter().filter_map(|day| Some((day.close, *grade.get(&day.date)?))).collect();
    let Some(first) = ratios.len().checked_sub(MONTH + 1) else {
        return Err(format!(
            "Insufficient history of HYG and LQD: {} days are needed, there are {}.",
            MONTH + 1,
            ratios.len()
        ));
    };
    let (before, now) = (ratios[first], ratios[first + MONTH]);
    ratio(divided(now.0, now.1)?, divided(before.0, before.1)?)
}

fn mean(values: &[Decimal]) -> Result<Decimal, String> {
    let sum = values.iter().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value));
    divided(sum.ok_or_else(undefined)?, Decimal::from(values.len()))
}

fn spread(one: Decimal, other: Decimal) -> Result<Decimal, String> {
    one.checked_sub(other).ok_or_else(undefined)
}

/// `now / before - 1`.
fn ratio(now: Decimal, before: Decimal) -> Result<Decimal, String> {
    spread(divided(now, before)?, Decimal::ONE)
}

fn divided(value: Decimal, by: Decimal) -> Result<Decimal, String> {
    value.checked_div(by).ok_or_else(undefined)
}

fn undefined() -> String {
    "A price is zero or too large.".to_owned()
}
