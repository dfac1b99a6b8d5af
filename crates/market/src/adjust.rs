//! From what vendors store to prices as they were known on a day.
//!
//! Later splits rewrite the prices of all days before them, so that a series fetched today holds what nobody knew
//! then. Prices as of a day are of one share as it was on that day: adjusted for splits up to it, and for none after.

use protocol::{Date, Decimal};

use crate::{Adjustment, DailyPrice, Dividend, PriceHistory, Split, rounding::round};

/// How the prices of a vendor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// As they were paid.
    AsPaid,
    /// Divided by all splits after each day that are listed.
    SplitsApplied,
}

/// The whole of what a vendor has of an instrument.
pub(crate) struct Series {
    /// Oldest first, one row a day.
    pub days: Vec<DailyPrice>,
    pub unfinished: Option<DailyPrice>,
    pub dividends: Vec<Dividend>,
    pub splits: Vec<Split>,
    pub currency: Option<String>,
    pub stored: Stored,
}

impl Series {
    /// What was known on a day, in shares of that day.
    pub(crate) fn known_on(mut self, as_of: Date) -> PriceHistory {
        self.splits.sort_by_key(|split| split.date);
        self.dividends.sort_by_key(|dividend| dividend.date);
        self.days.retain(|price| price.date <= as_of);
        self.dividends.retain(|dividend| dividend.date <= as_of);
        let (known, later): (Vec<_>, Vec<_>) = self.splits.into_iter().partition(|split| split.date <= as_of);
        let unfinished = self.unfinished.filter(|price| price.date <= as_of);
        let in_shares_of_the_day = |date: Date| match self.stored {
            Stored::AsPaid => factor(known.iter().filter(|split| split.date > date), false),
            Stored::SplitsApplied => factor(later.iter(), true),
        };
        let adjusted = |price: DailyPrice| in_shares_of_the_day(price.date).price(price);
        let dividend = |dividend: Dividend| {
            let amount = in_shares_of_the_day(dividend.date).amount(dividend.amount);
            Dividend { amount, ..dividend }
        };
        PriceHistory {
            days: self.days.into_iter().map(adjusted).collect(),
            unfinished: unfinished.map(adjusted),
            dividends: self.dividends.into_iter().map(dividend).collect(),
            currency: self.currency,
            adjustment: Adjustment::Splits,
            splits: known,
        }
    }
}

/// What a price is multiplied with, as a fraction that stays exact.
struct Factor {
    times: Decimal,
    over: Decimal,
}

fn factor<'s>(splits: impl Iterator<Item = &'s Split>, undone: bool) -> Factor {
    let one = Factor { times: Decimal::ONE, over: Decimal::ONE };
    splits.fold(one, |Factor { times, over }, split| {
        let (up, down) =
            if undone { (split.numerator, split.denominator) } else { (split.denominator, split.numerator) };
        // What overflows is no split that ever was.
        Factor { times: times.checked_mul(up).unwrap_or(times), over: over.checked_mul(down).unwrap_or(over) }
    })
}

impl Factor {
    fn amount(&self, amount: Decimal) -> Decimal {
        if self.times == self.over {
            return amount;
        }
        let places = if amount.abs() >= Decimal::ONE { 4 } else { 6 };
        let exact = amount.checked_mul(self.times).and_then(|amount| amount.checked_div(self.over));
        exact.map_or(amount, |exact| round(exact, places))
    }

    fn price(&self, price: DailyPrice) -> DailyPrice {
        let volume = |volume: Decimal| {
            let exact = volume.checked_mul(self.over).and_then(|volume| volume.checked_div(self.times));
            exact.map_or(volume, |exact| round(exact, 0))
        };
        DailyPrice {
            date: price.date,
            open: price.open.map(|open| self.amount(open)),
            high: price.high.map(|high| self.amount(high)),
            low: price.low.map(|low| self.amount(low)),
            close: self.amount(price.close),
            volume: price.volume.map(volume),
        }
    }
}

/// A split, if it can be one.
pub(crate) fn split(date: Date, numerator: Decimal, denominator: Decimal) -> Option<Split> {
    let possible = |part: Decimal| part > Decimal::ZERO && part <= Decimal::from(1_000_000);
    (possible(numerator) && possible(denominator)).then_some(Split { date, numerator, denominator })
}
