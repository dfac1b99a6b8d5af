//! What a day of the market does to a portfolio.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Date, Decimal, Timestamp,
    trading::{
        Constraints, DividendIncome, Order, PendingOrder, RejectedOrder, Side, Split, Ticker, TradeCause,
    },
};
use serde::{Deserialize, Serialize};

use crate::amount::{PLACES, worth};
use crate::book::{Book, Refusal, check_price};
use crate::entry::{Entry, Refused};
use crate::error::PortfolioError;
use crate::execution::{Filling, Market, OrderExecution};
use crate::ledger::Portfolio;
use crate::limits;
use crate::position::{Position, split_price};
use crate::state::{Added, State};

/// Calendar days that an order waits for a price of its instrument. A week of closed markets is shorter.
pub const LONGEST_WAIT: i32 = 10;

/// Prices of one instrument on one day, in US dollars, as they were traded: adjusted neither for later splits
/// nor for dividends. (Where prices are adjusted for one of them, leave those splits or dividends out: the
/// prices contain them.)
///
/// A half day is a day like any other; on a holiday, or while trading is suspended, there is no bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// The first price; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Decimal>,
    /// The highest price; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Decimal>,
    /// The lowest price; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Decimal>,
    /// The last price.
    pub close: Decimal,
}

impl Bar {
    /// A day of which only the close is known.
    pub fn of_close(close: Decimal) -> Self {
        Self { open: None, high: None, low: None, close }
    }

    /// The first price of the day that is known.
    pub fn first_price(&self) -> Decimal {
        self.open.unwrap_or(self.close)
    }
}

/// A dividend that a stock pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dividend {
    /// The stock.
    pub ticker: Ticker,
    /// US dollars a share, for shares as they are after a split on the same day. Rounded to 6 decimals.
    pub per_share: Decimal,
}

/// The inputs of a day.
#[derive(Clone, Copy, Debug)]
pub struct DayInputs<'a> {
    /// The day.
    pub date: Date,
    /// What was traded on it.
    pub bars: &'a BTreeMap<Ticker, Bar>,
    /// The last price before the day of what has no bar on it, in US dollars.
    pub before: &'a BTreeMap<Ticker, Decimal>,
    /// Splits whose new shares are traded from this day on.
    pub splits: &'a [Split],
    /// Dividends without which the stock is traded from this day on.
    pub dividends: &'a [Dividend],
    /// Sectors; case and white space do not count.
    pub sectors: &'a BTreeMap<Ticker, String>,
    /// The limits that purchases respect.
    pub constraints: &'a Constraints,
    /// The instrument that spare cash is kept in, if any.
    pub cash_equivalent: Option<&'a Ticker>,
    /// When it is recorded.
    pub at: Timestamp,
}

/// What a day of the market does to a portfolio, in this order:
///
/// 1. Splits change the shares held, the shares ordered and the triggers.
/// 2. Dividends are paid on what is held. They are income of the day, though the money comes weeks later.
/// 3. Orders that wait are filled at the first price of the day, all sales before all purchases. An order
///    whose instrument is not traded goes on waiting, for at most [`LONGEST_WAIT`] days. Once none waits,
///    cash above the reserve goes into the cash equivalent.
/// 4. Standing orders: where a price reaches a stop loss or a take profit, the whole position is sold. Both
///    reached on one day count as the stop loss, as the order of a day's prices is not known. A price that
///    opens beyond a trigger is the price of the sale; a stop loss that is only seen at the close is filled
///    at the close. Shares that were bought at a close are not looked at before the next day.
///
/// `None`: nothing happened. Nothing is changed: the entry takes effect when it is appended to the ledger.
///
/// # Errors
/// [`PortfolioError::DayOver`] if the ledger has reached the day already; a split or a dividend that cannot
/// be; unusable limits.
pub fn pass(portfolio: &Portfolio, day: &DayInputs<'_>) -> Result<Option<Entry>, PortfolioError> {
    portfolio.accepts_day(day.date)?;
    limits::check(day.constraints)?;
    let mut state = portfolio.state.clone();
    let mut added = Added::default();
    let splits = split(&mut state, day.date, day.splits, &mut added)?;
    let dividends = receive(&mut state, day.date, day.dividends, &mut added)?;

    let prices = first_prices(day, &splits);
    let DayInputs { sectors, constraints, cash_equivalent, date, at, .. } = *day;
    let market = Market { prices: &prices, sectors, constraints, cash_equivalent, date, at };
    let mut execution = OrderExecution::with_book(market, portfolio.settings(), state.book.clone());
    let (refused, waiting) = fill(&mut execution, &state.pending, day);
    let has_price = cash_equivalent.is_some_and(|ticker| day.bars.contains_key(ticker));
    let is_swept = state.sweep_due && waiting == 0 && has_price;
    if is_swept {
        execution.sweep(&format!("day/{date}/sweep"), None);
    }
    if portfolio.settings().standing_orders {
        stand(&mut execution, day);
    }

    let trades = execution.trades;
    let is_quiet = splits.is_empty() && dividends.is_empty() && trades.is_empty() && refused.is_empty();
    if is_quiet && !is_swept {
        return Ok(None);
    }
    Ok(Some(Entry::Passed { date, at, splits, dividends, trades, refused }))
}

/// Splits what is held or ordered; returns the splits that concerned something.
pub(crate) fn split(
    state: &mut State,
    date: Date,
    splits: &[Split],
    added: &mut Added,
) -> Result<Vec<Split>, PortfolioError> {
    let mut concerned = Vec::new();
    for split in splits.iter().filter(|split| split.date == date) {
        let is_ordered = state.pending.iter().any(|pending| pending.order.ticker == split.ticker);
        if is_ordered || state.book.positions.contains_key(&split.ticker) {
            state.split(split, date, added)?;
            concerned.push(split.clone());
        }
    }
    Ok(concerned)
}

/// Receives the dividends on what is held.
pub(crate) fn receive(
    state: &mut State,
    date: Date,
    dividends: &[Dividend],
    added: &mut Added,
) -> Result<Vec<DividendIncome>, PortfolioError> {
    let mut income = Vec::new();
    for Dividend { ticker, per_share } in dividends {
        let quantity = state.book.held(ticker);
        let per_share = per_share.round_dp(PLACES).normalize();
        if quantity.is_zero() || per_share.is_zero() {
            continue;
        }
        let amount = worth(quantity, per_share)?;
        let dividend = DividendIncome { ticker: ticker.clone(), date, per_share, quantity, amount };
        state.receive(&dividend, date, added)?;
        income.push(dividend);
    }
    Ok(income)
}

/// The first price of the day, or the last one before it in shares of today; a price that is too large for
/// that is none.
fn first_prices(day: &DayInputs<'_>, splits: &[Split]) -> BTreeMap<Ticker, Decimal> {
    let mut prices = day.before.clone();
    for split in splits {
        if let Some((ticker, price)) = prices.remove_entry(&split.ticker) {
            prices.extend(split_price(price, split).ok().map(|price| (ticker, price)));
        }
    }
    prices.extend(day.bars.iter().map(|(ticker, bar)| (ticker.clone(), bar.first_price())));
    prices
}

/// Fills the orders that wait; returns those that were refused, and how many still wait.
fn fill(
    execution: &mut OrderExecution<'_>,
    pending: &[PendingOrder],
    day: &DayInputs<'_>,
) -> (Vec<Refused>, usize) {
    let (mut refused, mut waiting) = (Vec::new(), 0);
    let of_side = |side| pending.iter().filter(move |pending| pending.order.side == side);
    for PendingOrder { key, decided, order, run } in of_side(Side::Sell).chain(of_side(Side::Buy)) {
        let outcome = if day.bars.contains_key(&order.ticker) {
            execution.place(key, order, *run)
        } else if days_between(*decided, day.date) > LONGEST_WAIT {
            let reason =
                format!("No price found for {} in {LONGEST_WAIT} days after {decided}", order.ticker);
            Some(RejectedOrder { order: order.clone(), price: None, reasons: vec![reason] })
        } else {
            waiting += 1;
            None
        };
        refused.extend(outcome.map(|rejected| Refused { key: key.clone(), rejected }));
    }
    (refused, waiting)
}

/// Calendar days from one day to a later one.
fn days_between(earlier: Date, later: Date) -> i32 {
    later.since(earlier).map_or(i32::MAX, |span| span.get_days())
}

/// Sells what has reached its stop loss or its take profit.
fn stand(execution: &mut OrderExecution<'_>, day: &DayInputs<'_>) {
    let bought: BTreeSet<Ticker> = execution
        .trades
        .iter()
        .filter(|trade| {
            trade.side == Side::Buy && day.bars.get(&trade.ticker).is_some_and(|it| it.open.is_none())
        })
        .map(|trade| trade.ticker.clone())
        .collect();
    let reached: Vec<_> = execution
        .book
        .positions
        .iter()
        .filter(|(ticker, _)| !bought.contains(*ticker))
        .filter_map(|(ticker, position)| {
            Some((order(ticker, position), exit(position, day.bars.get(ticker)?)?))
        })
        .collect();
    for (mut order, (cause, quoted)) in reached {
        let (name, word) = match cause {
            TradeCause::StopLoss => ("stop loss", "stop"),
            _ => ("take profit", "profit"),
        };
        order.rationale = format!("The price reached the {name}");
        let key = format!("day/{}/{word}/{}", day.date, order.ticker);
        let filling = Filling { key, order: &order, run: None, cause, quoted };
        // What cannot be sold, such as shares worth less than their commission, goes on standing.
        let mut book: Book = execution.book.clone();
        let sold = check_price(&order.ticker, quoted).and_then(|()| execution.fill(&mut book, &filling));
        if let Ok::<_, Refusal>(trade) = sold {
            execution.book = book;
            execution.trades.push(trade);
        }
    }
}

fn order(ticker: &Ticker, position: &Position) -> Order {
    Order {
        side: Side::Sell,
        ticker: ticker.clone(),
        quantity: position.quantity,
        rationale: String::new(),
        stop_loss: None,
        take_profit: None,
    }
}

/// Which trigger a day's prices reach, and the price that is quoted then.
fn exit(position: &Position, bar: &Bar) -> Option<(TradeCause, Decimal)> {
    let stop = |price: Decimal| position.stop_loss.filter(|stop| price <= *stop);
    let profit = |price: Decimal| position.take_profit.filter(|profit| price >= *profit);
    if let Some(open) = bar.open {
        if stop(open).is_some() {
            return Some((TradeCause::StopLoss, open));
        }
        if profit(open).is_some() {
            return Some((TradeCause::TakeProfit, open));
        }
    }
    let low = bar.low.unwrap_or(bar.close).min(bar.close);
    if let Some(stop) = stop(low) {
        // Without an opening price it is not known whether there was a price at the stop.
        let quoted = if bar.open.is_some() { stop } else { stop.min(bar.close) };
        return Some((TradeCause::StopLoss, quoted));
    }
    let high = bar.high.unwrap_or(bar.close).max(bar.close);
    profit(high).map(|profit| (TradeCause::TakeProfit, profit))
}
