//! A book that follows a rule day by day.

use std::collections::BTreeMap;

use protocol::{
    Decimal, Timestamp,
    trading::{Constraints, Order, Side, Ticker, Trade, TradeCause, ValuePoint},
};

use super::{Course, MarketDay, Reference};
use crate::amount::{MAX_AMOUNT, PLACES, TooLarge, difference, worth};
use crate::book::Book;
use crate::charges::check_settings;
use crate::day::{receive, split};
use crate::error::PortfolioError;
use crate::execution::{Market, OrderExecution};
use crate::state::{Added, State};

/// The fraction of the value that each of these is to have from the next first price on; others stay as they
/// are.
pub(super) type Weights = BTreeMap<Ticker, Decimal>;

/// Follows `rule`, which is asked after the close of each day, with the day's place among all days.
pub(super) fn follow(
    course: &Course<'_>,
    mut rule: impl FnMut(usize, &Book) -> Weights,
) -> Result<Reference, PortfolioError> {
    let mut simulation = Simulation::new(course)?;
    let (mut wanted, mut curve) = (Weights::new(), Vec::new());
    for (place, day) in course.played() {
        split(&mut simulation.state, day.date, &day.splits, &mut Added::default())?;
        receive(&mut simulation.state, day.date, &day.dividends, &mut Added::default())?;
        let (now, later): (Weights, Weights) =
            wanted.into_iter().partition(|(ticker, _)| day.bars.contains_key(ticker));
        simulation.trade(day, &now)?;
        curve.extend(simulation.close(day)?);
        wanted = later;
        wanted.extend(rule(place, &simulation.state.book));
    }
    Ok(Reference { curve, trades: simulation.trades })
}

struct Simulation<'a> {
    course: &'a Course<'a>,
    state: State,
    trades: Vec<Trade>,
    /// There are none: a reference may hold what it will.
    constraints: Constraints,
    sectors: BTreeMap<Ticker, String>,
    /// The last close of each instrument until now.
    closes: BTreeMap<Ticker, Decimal>,
    /// The benchmark's close on the first day.
    first_benchmark: Option<Decimal>,
}

impl<'a> Simulation<'a> {
    fn new(course: &'a Course<'a>) -> Result<Self, PortfolioError> {
        if course.cash <= Decimal::ZERO
            || course.cash > MAX_AMOUNT
            || course.cash.normalize().scale() > PLACES
        {
            return Err(PortfolioError::InvalidCash(course.cash));
        }
        check_settings(course.settings)?;
        let mut closes = BTreeMap::new();
        for day in course.days.iter().take_while(|day| day.date < course.start) {
            closes.extend(day.bars.iter().map(|(ticker, bar)| (ticker.clone(), bar.close)));
        }
        let constraints = Constraints {
            max_positions: u32::MAX,
            max_position: Decimal::ONE,
            max_sector: Decimal::ONE,
            min_cash: Decimal::ZERO,
        };
        Ok(Self {
            course,
            state: State::new(course.cash, course.settings.clone()),
            trades: Vec::new(),
            constraints,
            sectors: BTreeMap::new(),
            closes,
            first_benchmark: None,
        })
    }

    /// Brings what is wanted to its weight at the day's first prices: first what is to be sold, then what is
    /// to be bought.
    fn trade(&mut self, day: &MarketDay, wanted: &Weights) -> Result<(), PortfolioError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let mut prices = self.closes.clone();
        prices.extend(day.bars.iter().map(|(ticker, bar)| (ticker.clone(), bar.first_price())));
        let market = Market {
            prices: &prices,
            sectors: &self.sectors,
            constraints: &self.constraints,
            cash_equivalent: None,
            date: day.date,
            at: Timestamp(0),
        };
        let mut execution = OrderExecution::with_book(market, self.course.settings, self.state.book.clone());
        let Ok(total) = execution.book.total(&prices) else { return Ok(()) };
        for side in [Side::Sell, Side::Buy] {
            for (ticker, weight) in wanted {
                let Some(price) = prices.get(ticker).copied() else { continue };
                let held = execution.book.held(ticker);
                let target = weight.checked_mul(total).ok_or(TooLarge)?.round_dp(PLACES);
                let surplus = difference(worth(held, price)?, target)?;
                let quantity = match side {
                    Side::Sell if weight.is_zero() => held,
                    Side::Sell => shares(surplus, price),
                    Side::Buy => affordable(&execution, shares(-surplus, price), price)?,
                };
                if quantity > Decimal::ZERO {
                    let key = format!("{}/{side}/{ticker}", day.date);
                    // What is refused, such as an absurd price, is not traded.
                    let _ = execution.attempt(&key, &order(side, ticker, quantity), None, TradeCause::Order);
                }
            }
        }
        self.trades.append(&mut execution.trades);
        self.state.book = execution.book;
        Ok(())
    }

    /// The value at the day's close; `None` while something held has no price.
    fn close(&mut self, day: &MarketDay) -> Result<Option<ValuePoint>, PortfolioError> {
        self.closes.extend(day.bars.iter().map(|(ticker, bar)| (ticker.clone(), bar.close)));
        let Ok(total) = self.state.book.total(&self.closes) else { return Ok(None) };
        let benchmark = self.closes.get(self.course.benchmark).copied();
        self.first_benchmark = self.first_benchmark.or(benchmark);
        let scaled = benchmark
            .zip(self.first_benchmark)
            .and_then(|(now, then)| now.checked_div(then)?.checked_mul(self.course.cash))
            .map(|value| value.round_dp(PLACES).normalize());
        Ok(Some(ValuePoint {
            date: day.date,
            total,
            benchmark: scaled,
            flow: Decimal::ZERO,
            invested: Some(difference(total, self.state.book.cash)?),
        }))
    }
}

/// As many of the wanted shares as the cash pays for, commission included.
fn affordable(
    execution: &OrderExecution<'_>,
    wanted: Decimal,
    quoted: Decimal,
) -> Result<Decimal, PortfolioError> {
    let cash = execution.book.cash;
    if wanted <= Decimal::ZERO || execution.cost(TradeCause::Order, wanted, quoted)? <= cash {
        return Ok(wanted);
    }
    // The commission of fewer shares is no larger, so what is left after that of all pays for them.
    let (price, commission) = execution.terms(TradeCause::Order, Side::Buy, wanted, quoted)?;
    Ok(shares(difference(cash, commission)?, price))
}

fn order(side: Side, ticker: &Ticker, quantity: Decimal) -> Order {
    Order {
        side,
        ticker: ticker.clone(),
        quantity,
        rationale: String::new(),
        stop_loss: None,
        take_profit: None,
    }
}

/// Shares that an amount buys, rounded down to 6 decimals; zero or below where the amount is.
fn shares(amount: Decimal, price: Decimal) -> Decimal {
    amount.checked_div(price).unwrap_or_default().trunc_with_scale(PLACES)
}
