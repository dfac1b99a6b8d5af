//! What the market did, day by day, to what a portfolio holds or has ordered.

use std::collections::{BTreeMap, BTreeSet};

use market::{Adjustment, Market, NoData, PriceHistory, Why};
use portfolio::{Bar, Closes, DayInputs, Dividend, Entry, Portfolio, PortfolioError};
use protocol::{
    Date, Decimal, Timestamp,
    trading::{Split, Ticker},
};
use rust_decimal::prelude::ToPrimitive;

/// The currency of all portfolios. What is traded in another one has no price here.
const CURRENCY: &str = "USD";
/// Decimals of a price as it was traded.
const PLACES: u32 = 6;

/// What does not change from day to day while the market does its part.
pub(super) struct Rules<'a> {
    /// The sectors of the instruments.
    pub(super) sectors: &'a BTreeMap<Ticker, String>,
    /// What spare cash is kept in.
    pub(super) cash_equivalent: Option<&'a Ticker>,
    /// When it is recorded.
    pub(super) at: Timestamp,
}

/// The days of some instruments up to one day, at the prices that were paid then.
#[derive(Default)]
pub(super) struct MarketDays(BTreeMap<Ticker, Traded>);

#[derive(Default)]
struct Traded {
    bars: BTreeMap<Date, Bar>,
    splits: Vec<Split>,
    dividends: BTreeMap<Date, Decimal>,
}

impl MarketDays {
    /// Reads the days up to `until`. An instrument that there are no prices of in US dollars has none.
    ///
    /// # Errors
    /// Prices cannot be had at the moment: whether there are any is then not known, and nobody may decide as if there
    /// were none.
    pub(super) async fn read(
        market: &Market,
        tickers: impl IntoIterator<Item = Ticker>,
        until: Date,
    ) -> Result<Self, NoData> {
        let mut days = Self::default();
        for ticker in tickers.into_iter().collect::<BTreeSet<_>>() {
            match market.prices(&ticker, until).await {
                Ok(answer) if is_in_dollars(answer.data.currency.as_deref()) => {
                    let traded = Traded::new(&ticker, answer.data);
                    days.0.insert(ticker, traded);
                }
                Ok(_) | Err(NoData { why: Why::Empty | Why::Unknown | Why::Denied, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(days)
    }

    /// The closing prices.
    pub(super) fn closes(&self) -> Closes {
        let closes = |traded: &Traded| traded.bars.iter().map(|(date, bar)| (*date, bar.close)).collect();
        self.0.iter().map(|(ticker, traded)| (ticker.clone(), closes(traded))).collect()
    }

    /// The first day after `after` on which the market has prices.
    pub(super) fn next(&self, after: Date) -> Option<Date> {
        let after = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        self.0.values().filter_map(|traded| traded.bars.range(after).next().map(|(date, _)| *date)).min()
    }

    /// Lets each day after the portfolio's last one do its part, up to `until`. The portfolio is then as it was at the
    /// close of that day; its new entries are returned, oldest first.
    ///
    /// # Errors
    /// See [`portfolio::pass`].
    pub(super) fn pass(
        &self,
        portfolio: &mut Portfolio,
        until: Date,
        rules: &Rules<'_>,
    ) -> Result<Vec<Entry>, PortfolioError> {
        let mut entries = Vec::new();
        let mut reached = portfolio.last_date();
        while let Some(date) = reached.and_then(|after| self.next(after)).filter(|date| *date <= until) {
            if let Some(entry) = self.pass_day(portfolio, date, rules)? {
                portfolio.apply(&entry)?;
                entries.push(entry);
            }
            reached = Some(date);
        }
        Ok(entries)
    }

    fn pass_day(
        &self,
        portfolio: &Portfolio,
        date: Date,
        rules: &Rules<'_>,
    ) -> Result<Option<Entry>, PortfolioError> {
        let (mut bars, mut before) = (BTreeMap::new(), BTreeMap::new());
        let (mut splits, mut dividends) = (Vec::new(), Vec::new());
        for (ticker, traded) in &self.0 {
            if let Some(bar) = traded.bars.get(&date) {
                bars.insert(ticker.clone(), *bar);
            } else if let Some((_, bar)) = traded.bars.range(..date).next_back() {
                before.insert(ticker.clone(), bar.close);
            }
            splits.extend(traded.splits.iter().filter(|split| split.date == date).cloned());
            let per_share = traded.dividends.get(&date);
            dividends.extend(
                per_share.map(|per_share| Dividend { ticker: ticker.clone(), per_share: *per_share }),
            );
        }
        let Rules { sectors, cash_equivalent, at } = *rules;
        let constraints = &portfolio.settings().limits;
        let (bars, before, splits, dividends) = (&bars, &before, &splits, &dividends);
        let day =
            DayInputs { date, bars, before, splits, dividends, sectors, constraints, cash_equivalent, at };
        portfolio::pass(portfolio, &day)
    }
}

/// A currency that nobody names is taken for that of the portfolios: no vendor leaves it out but for files of a
/// person's own.
fn is_in_dollars(currency: Option<&str>) -> bool {
    currency.is_none_or(|currency| currency == CURRENCY)
}

impl Traded {
    /// Vendors give prices in shares of the last day; a ledger counts shares as they were.
    fn new(ticker: &Ticker, history: PriceHistory) -> Self {
        let has_actions = match history.adjustment {
            Adjustment::Splits => true,
            // The prices contain them, or it is not known whether they do.
            Adjustment::SplitsAndDividends | Adjustment::Unknown => false,
        };
        let mut traded = Self::default();
        if has_actions {
            let splits = history.splits.iter().filter_map(|split| booked(ticker, split));
            traded.splits = splits.collect();
        }
        let as_paid = |date: Date, amount: Decimal| {
            let mut later = traded.splits.iter().filter(|split| split.date > date);
            let paid = later.try_fold(amount, |amount, split| {
                amount.checked_mul(split.to.into())?.checked_div(split.from.into())
            });
            paid.unwrap_or(amount).round_dp(PLACES)
        };
        if has_actions {
            let dividends = history.dividends.iter().filter(|it| is_in_dollars(it.currency.as_deref()));
            traded.dividends = dividends.map(|it| (it.date, as_paid(it.date, it.amount))).collect();
        }
        let bars = history.days.iter().map(|day| {
            let price = |price: Option<Decimal>| price.map(|price| as_paid(day.date, price));
            let close = as_paid(day.date, day.close);
            (day.date, Bar { open: price(day.open), high: price(day.high), low: price(day.low), close })
        });
        traded.bars = bars.collect();
        traded
    }
}

/// A split in whole shares; `None` for one that no exchange would carry out.
fn booked(ticker: &Ticker, split: &market::Split) -> Option<Split> {
    let scale = split.numerator.normalize().scale().max(split.denominator.normalize().scale());
    let whole = |shares: Decimal| {
        let shares = shares.checked_mul(Decimal::from(10_u64.checked_pow(scale)?))?;
        shares.to_u32().filter(|shares| (1..=10_000).contains(shares))
    };
    Some(Split {
        ticker: ticker.clone(),
        date: split.date,
        to: whole(split.numerator)?,
        from: whole(split.denominator)?,
    })
}
