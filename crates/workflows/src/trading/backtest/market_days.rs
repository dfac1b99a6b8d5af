//! The market's days as a portfolio lives through them: prices as they were traded, splits and dividends.

use std::collections::BTreeMap;

use market::{Adjustment, DailyPrice, Market, NoData, PriceHistory, Why};
use portfolio::{Bar, Dividend, PLACES, references::MarketDay};
use protocol::{
    Date, Decimal,
    trading::{Split, Ticker},
};
use serde::{Deserialize, Serialize};

/// Days of the market, and who knew them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Passed {
    /// Days on which anything was traded, oldest first.
    pub days: Vec<MarketDay>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

/// Who supplied prices, in words.
pub(super) struct Gathered {
    pub passed: Passed,
    pub vendors: Vec<String>,
}

/// The days after `after` up to `until`, as they were known on `until`: nothing later is asked for.
///
/// # Errors
/// In a sentence: prices cannot be had at the moment, so that it is not known whether there are any.
pub(super) async fn gather(
    market: &Market,
    tickers: &[Ticker],
    after: Option<Date>,
    until: Date,
) -> Result<Gathered, String> {
    let mut days: BTreeMap<Date, MarketDay> = BTreeMap::new();
    let (mut remarks, mut vendors) = (Vec::new(), Vec::new());
    let is_within = |date: Date| date <= until && after.is_none_or(|after| date > after);
    for ticker in tickers {
        let answer = match market.prices(ticker, until).await {
            Ok(answer) => answer,
            Err(NoData { why: Why::Empty | Why::Unknown | Why::Denied, reason, .. }) => {
                remarks.push(format!("There are no prices of {ticker} up to {until}: {reason}"));
                continue;
            }
            Err(refusal) => return Err(refusal.to_string()),
        };
        if !vendors.contains(&answer.source.vendor) {
            vendors.push(answer.source.vendor.clone());
        }
        let history = answer.data;
        let is_raw = history.adjustment == Adjustment::Splits;
        let entry =
            |days: &mut BTreeMap<Date, MarketDay>, date: Date, change: &mut dyn FnMut(&mut MarketDay)| {
                change(days.entry(date).or_insert_with(|| MarketDay {
                    date,
                    bars: BTreeMap::new(),
                    splits: Vec::new(),
                    dividends: Vec::new(),
                }));
            };
        for price in history.days.iter().filter(|price| is_within(price.date)) {
            let bar = bar(price, &history);
            entry(&mut days, price.date, &mut |day| {
                day.bars.insert(ticker.clone(), bar);
            });
        }
        if !is_raw {
            // The prices contain them.
            continue;
        }
        for split in history.splits.iter().filter(|split| is_within(split.date)) {
            match whole(split.numerator, split.denominator) {
                Some((to, from)) => entry(&mut days, split.date, &mut |day| {
                    day.splits.push(Split { ticker: ticker.clone(), date: split.date, to, from });
                }),
                None => remarks.push(format!(
                    "A split of {ticker} on {} cannot be booked: {} for {}.",
                    split.date, split.numerator, split.denominator
                )),
            }
        }
        for dividend in history.dividends.iter().filter(|dividend| is_within(dividend.date)) {
            let per_share = as_traded(dividend.amount, dividend.date, &history);
            entry(&mut days, dividend.date, &mut |day| {
                day.dividends.push(Dividend { ticker: ticker.clone(), per_share });
            });
        }
    }
    Ok(Gathered { passed: Passed { days: days.into_values().collect(), remarks }, vendors })
}

fn bar(price: &DailyPrice, history: &PriceHistory) -> Bar {
    let traded = |amount: Decimal| as_traded(amount, price.date, history);
    Bar {
        open: price.open.map(traded),
        high: price.high.map(traded),
        low: price.low.map(traded),
        close: traded(price.close),
    }
}

/// An amount a share of the day on which it was paid; the history has it a share of its last day.
fn as_traded(amount: Decimal, date: Date, history: &PriceHistory) -> Decimal {
    let later = history.splits.iter().filter(|split| split.date > date);
    let undone = match history.adjustment {
        Adjustment::Splits => later.fold(amount, |amount, split| {
            let undone = amount.checked_mul(split.numerator).and_then(|it| it.checked_div(split.denominator));
            undone.unwrap_or(amount)
        }),
        Adjustment::SplitsAndDividends | Adjustment::Unknown => amount,
    };
    undone.round_dp(PLACES).normalize()
}

/// A split in whole shares; `None` where it is none of 1 to 10,000 shares.
fn whole(to: Decimal, from: Decimal) -> Option<(u32, u32)> {
    let scale = Decimal::from(10_u32.checked_pow(to.normalize().scale().max(from.normalize().scale()))?);
    let number = |part: Decimal| u64::try_from(part.checked_mul(scale)?).ok();
    let (to, from) = (number(to)?, number(from)?);
    let (mut large, mut small) = (to.max(from), to.min(from));
    while small > 0 {
        (large, small) = (small, large % small);
    }
    let part =
        |number: u64| u32::try_from(number.checked_div(large)?).ok().filter(|it| (1..=10_000).contains(it));
    Some((part(to)?, part(from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn splits_are_whole_shares() {
        assert_eq!(whole(decimal("4"), decimal("1")), Some((4, 1)));
        assert_eq!(whole(decimal("1.5"), decimal("1.0")), Some((3, 2)));
        assert_eq!(whole(decimal("1"), decimal("30")), Some((1, 30)));
        assert_eq!(whole(decimal("0"), decimal("1")), None);
        assert_eq!(whole(decimal("1.00001"), decimal("1")), None);
    }

    #[test]
    fn prices_before_a_split_are_those_that_were_paid() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let price = |day: &str, close: &str| DailyPrice {
            date: date(day),
            open: None,
            high: None,
            low: None,
            close: decimal(close),
            volume: None,
        };
        let mut history = PriceHistory {
            days: vec![price("2021-06-11", "25"), price("2021-06-14", "26")],
            unfinished: None,
            dividends: Vec::new(),
            splits: vec![market::Split {
                date: date("2021-06-14"),
                numerator: decimal("4"),
                denominator: decimal("1"),
            }],
            currency: None,
            adjustment: Adjustment::Splits,
        };
        let closes = |history: &PriceHistory| -> Vec<Decimal> {
            history.days.iter().map(|price| bar(price, history).close).collect()
        };
        assert_eq!(closes(&history), [decimal("100"), decimal("26")]);
        history.adjustment = Adjustment::SplitsAndDividends;
        assert_eq!(closes(&history), [decimal("25"), decimal("26")]);
    }
}
