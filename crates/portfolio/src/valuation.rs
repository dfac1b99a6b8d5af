use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Date, Decimal,
    trading::{
        Constraints, HoldingView, Instrument, LotView, Measured, PortfolioView, SectorWeight, Ticker,
        ValuePoint,
    },
};

use crate::amount::{PLACES, TooLarge, difference, fraction, sum, worth};
use crate::book::{Book, Unvalued};
use crate::error::PortfolioError;
use crate::ledger::Portfolio;
use crate::position::{Lot, Position};
use crate::state::Movement;
use crate::{sector, statistics};

/// Daily closes in US dollars.
pub type Closes = BTreeMap<Ticker, BTreeMap<Date, Decimal>>;

/// What a portfolio is valued with.
#[derive(Clone, Copy, Debug)]
pub struct Quotes<'a> {
    /// Names and sectors.
    pub instruments: &'a [Instrument],
    /// Closes of every instrument that is or was held ([`Portfolio::tickers`]) and of the benchmark.
    /// Those after the day of the valuation are not looked at.
    pub closes: &'a Closes,
    /// What the value is compared with, such as `^GSPC`.
    pub benchmark: &'a Ticker,
}

/// The price of each instrument on `date`: its last close on or before that day.
pub fn prices_at(closes: &Closes, date: Date) -> BTreeMap<Ticker, Decimal> {
    closes.keys().filter_map(|ticker| Some((ticker.clone(), close_at(closes, ticker, date)?))).collect()
}

fn close_at(closes: &Closes, ticker: &Ticker, date: Date) -> Option<Decimal> {
    let (_, close) = closes.get(ticker)?.range(..=date).next_back()?;
    (*close > Decimal::ZERO).then_some(*close)
}

/// Shows the portfolio at the prices of `as_of`, with its value on every trading day since its first
/// entry. What cannot be known for lack of a price is unknown and names the holding.
///
/// Money is exact. Weights are rounded to 8 decimals, average costs and the scaled benchmark to 6.
///
/// # Errors
/// [`PortfolioError::BackInTime`] if `as_of` lies before the last entry (fold fewer entries to see
/// an earlier state); [`PortfolioError::TooLarge`] if an amount cannot be computed exactly.
pub fn value(
    portfolio: &Portfolio,
    quotes: &Quotes<'_>,
    constraints: &Constraints,
    as_of: Date,
) -> Result<PortfolioView, PortfolioError> {
    if let Some(last) = portfolio.last_date().filter(|last| as_of < *last) {
        return Err(PortfolioError::BackInTime { date: as_of, last });
    }
    let book = &portfolio.state.book;
    let prices = prices_at(quotes.closes, as_of);
    let total = measured(book.total(&prices))?;
    let mut holdings = book
        .positions
        .iter()
        .map(|(ticker, position)| {
            holding(ticker, position, &prices, total.known().copied(), quotes.instruments)
        })
        .collect::<Result<Vec<_>, _>>()?;
    holdings.sort_by(|a, b| b.market_value.cmp(&a.market_value).then_with(|| a.ticker.cmp(&b.ticker)));
    let (history, metrics) = match history(portfolio, quotes, as_of)? {
        Ok(history) => {
            let metrics = statistics::metrics(&history);
            (history, metrics)
        }
        Err(reason) => (Vec::new(), statistics::no_metrics(&reason)),
    };
    Ok(PortfolioView {
        id: portfolio.id().clone(),
        name: portfolio.name().to_owned(),
        entries: portfolio.entries(),
        as_of: Some(as_of),
        cash: book.cash,
        initial_cash: portfolio.initial_cash(),
        equity: measured(equity(book, &prices))?,
        unrealised_profit: measured(unrealised_profit(book, &prices))?,
        realised_profit: book.realised_profit,
        allocation: allocation(book.cash, &holdings, total.known().copied())?,
        total,
        holdings,
        trades: portfolio.trades().iter().rev().cloned().collect(),
        last_decision: portfolio.last_decision().cloned(),
        history,
        metrics,
        constraints: constraints.clone(),
        updated_at: portfolio.updated_at(),
        opened_at: Some(portfolio.opened_at()),
        settings: portfolio.settings().clone(),
        bookings: portfolio.bookings(),
        pending: portfolio.pending().to_vec(),
        price_table: portfolio.price_table(),
    })
}

fn measured(value: Result<Decimal, Unvalued>) -> Result<Measured<Decimal>, TooLarge> {
    match value {
        Ok(value) => Ok(Measured::Known(value)),
        Err(Unvalued::TooLarge(error)) => Err(error),
        Err(unvalued) => Ok(Measured::Unknown(unvalued.reasons().join("; "))),
    }
}

fn equity(book: &Book, prices: &BTreeMap<Ticker, Decimal>) -> Result<Decimal, Unvalued> {
    Ok(book.market_values(prices)?.into_values().try_fold(Decimal::ZERO, sum)?)
}

fn unrealised_profit(book: &Book, prices: &BTreeMap<Ticker, Decimal>) -> Result<Decimal, Unvalued> {
    let cost = book.positions.values().try_fold(Decimal::ZERO, |cost, it| sum(cost, it.cost_basis))?;
    Ok(difference(equity(book, prices)?, cost)?)
}

fn holding(
    ticker: &Ticker,
    position: &Position,
    prices: &BTreeMap<Ticker, Decimal>,
    total: Option<Decimal>,
    instruments: &[Instrument],
) -> Result<HoldingView, TooLarge> {
    let instrument = instruments.iter().find(|instrument| instrument.ticker == *ticker);
    let price = prices.get(ticker).copied();
    let market_value = price.map(|price| worth(position.quantity, price)).transpose()?;
    let unrealised_profit = market_value.map(|value| difference(value, position.cost_basis)).transpose()?;
    Ok(HoldingView {
        ticker: ticker.clone(),
        name: instrument.map_or_else(|| ticker.to_string(), |instrument| instrument.name.clone()),
        sector: sector::shown(instrument.map_or("", |instrument| &instrument.sector)).to_owned(),
        quantity: position.quantity,
        average_cost: position.average_cost(),
        cost_basis: position.cost_basis,
        price,
        market_value,
        unrealised_profit,
        unrealised_fraction: unrealised_profit.and_then(|profit| fraction(profit, position.cost_basis)),
        weight: market_value.zip(total).and_then(|(value, total)| fraction(value, total)),
        lots: position.lots.iter().map(lot).collect(),
        stop_loss: position.stop_loss,
        take_profit: position.take_profit,
    })
}

fn lot(lot: &Lot) -> LotView {
    LotView { bought: lot.bought, quantity: lot.quantity, cost: lot.cost }
}

/// The weight of each sector and of cash, largest first; empty if the total is unknown.
fn allocation(
    cash: Decimal,
    holdings: &[HoldingView],
    total: Option<Decimal>,
) -> Result<Vec<SectorWeight>, TooLarge> {
    let Some(total) = total else { return Ok(Vec::new()) };
    let mut sectors: BTreeMap<String, (&str, Decimal)> = BTreeMap::new();
    for holding in holdings {
        let (_, value) =
            sectors.entry(sector::normal(&holding.sector)).or_insert((&holding.sector, Decimal::ZERO));
        *value = sum(*value, holding.market_value.unwrap_or_default())?;
    }
    let mut allocation: Vec<SectorWeight> = sectors
        .into_values()
        .chain([("Cash", cash)])
        .filter_map(|(sector, value)| {
            Some(SectorWeight { sector: sector.to_owned(), weight: fraction(value, total)? })
        })
        .collect();
    allocation.sort_by_key(|it| Reverse(it.weight));
    Ok(allocation)
}

/// The value at the close of each trading day from the first dated entry to `as_of`, or why it is not
/// known.
fn history(
    portfolio: &Portfolio,
    quotes: &Quotes<'_>,
    as_of: Date,
) -> Result<Result<Vec<ValuePoint>, String>, TooLarge> {
    let Some(first) = portfolio.first_date() else {
        return Ok(Err("not enough history: nothing was decided yet".to_owned()));
    };
    let mut replay = Replay::new(portfolio);
    let mut benchmark = Benchmark::default();
    let mut points: Vec<ValuePoint> = Vec::new();
    for date in trading_days(portfolio, quotes, first, as_of) {
        let flow = replay.advance(date)?;
        let invested = match replay.invested(quotes.closes, date)? {
            Ok(invested) => invested,
            Err(ticker) => {
                return Ok(Err(format!("No price found for {ticker} on {date}, when it was held")));
            }
        };
        let total = sum(replay.cash, invested)?;
        let paid_in = if points.is_empty() { total } else { flow };
        let benchmark = benchmark.value(paid_in, close_at(quotes.closes, quotes.benchmark, date));
        points.push(ValuePoint { date, total, benchmark, flow, invested: Some(invested) });
    }
    Ok(Ok(points))
}

/// The first entry's day and every day since on which something relevant was traded.
fn trading_days(portfolio: &Portfolio, quotes: &Quotes<'_>, first: Date, last: Date) -> BTreeSet<Date> {
    portfolio
        .tickers()
        .iter()
        .chain([quotes.benchmark])
        .filter_map(|ticker| quotes.closes.get(ticker))
        .flat_map(|closes| closes.range(first..=last).map(|(date, _)| *date))
        .chain([first])
        .collect()
}

/// What the same money would be worth in the benchmark: each payment buys it at the close of its day.
#[derive(Default)]
struct Benchmark {
    /// US dollars, and the benchmark's close when they were paid in.
    payments: Vec<(Decimal, Decimal)>,
    is_broken: bool,
}

impl Benchmark {
    /// Its value after a payment; `None` if one of the payments found no price.
    fn value(&mut self, payment: Decimal, close: Option<Decimal>) -> Option<Decimal> {
        if !payment.is_zero() {
            match close {
                Some(close) => self.payments.push((payment, close)),
                None => self.is_broken = true,
            }
        }
        let close = close.filter(|_| !self.is_broken)?;
        let values =
            self.payments.iter().map(|(amount, then)| close.checked_div(*then)?.checked_mul(*amount));
        let value = values.into_iter().try_fold(Decimal::ZERO, |total, value| total.checked_add(value?))?;
        Some(value.round_dp(PLACES).normalize())
    }
}

/// Cash and quantities, replayed day by day.
struct Replay<'a> {
    cash: Decimal,
    quantities: BTreeMap<&'a Ticker, Decimal>,
    coming: &'a [Movement],
}

impl<'a> Replay<'a> {
    fn new(portfolio: &'a Portfolio) -> Self {
        Self { cash: portfolio.initial_cash(), quantities: BTreeMap::new(), coming: portfolio.movements() }
    }

    /// Repeats all that happened up to the end of `date`; returns the money that came from outside, less
    /// what went there.
    fn advance(&mut self, date: Date) -> Result<Decimal, TooLarge> {
        let mut flow = Decimal::ZERO;
        while let Some((movement, coming)) = self.coming.split_first().filter(|(next, _)| next.date <= date) {
            self.cash = sum(self.cash, movement.cash)?;
            if movement.is_transfer {
                flow = sum(flow, movement.cash)?;
            }
            if let Some((ticker, quantity)) = &movement.held {
                self.quantities.insert(ticker, *quantity);
            }
            self.coming = coming;
        }
        self.quantities.retain(|_, quantity| !quantity.is_zero());
        Ok(flow)
    }

    /// The market value of what is held, or the holding that has no price.
    fn invested(&self, closes: &Closes, date: Date) -> Result<Result<Decimal, &'a Ticker>, TooLarge> {
        let mut invested = Decimal::ZERO;
        for (ticker, quantity) in &self.quantities {
            let Some(close) = close_at(closes, ticker, date) else { return Ok(Err(*ticker)) };
            invested = sum(invested, worth(*quantity, close)?)?;
        }
        Ok(Ok(invested))
    }
}
