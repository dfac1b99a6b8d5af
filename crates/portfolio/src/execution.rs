use std::collections::BTreeMap;

use protocol::{
    Date, Decimal, RunId, Timestamp,
    trading::{Constraints, Decision, Order, RejectedOrder, Side, Ticker, Trade},
};

use crate::amount::{difference, product, sum, worth};
use crate::book::{Book, Refusal, check_price, check_quantity};
use crate::error::PortfolioError;
use crate::ledger::{Entry, Portfolio};
use crate::limits::{self, Rules, Violation};

/// The inputs of executing a decision.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionInputs<'a> {
    /// US dollars a share, for everything held or ordered. A missing price is never assumed.
    pub prices: &'a BTreeMap<Ticker, Decimal>,
    /// Sectors; case and white space do not count.
    pub sectors: &'a BTreeMap<Ticker, String>,
    /// The limits that purchases respect.
    pub constraints: &'a Constraints,
    /// The instrument that spare cash is kept in, if any. It is sold where a purchase needs cash, and
    /// is exempt from all limits but the cash reserve.
    pub cash_equivalent: Option<&'a Ticker>,
    /// Idempotency key of the decision; each order's is `{key}/{index}`.
    pub key: &'a str,
    /// The run that decided, if one did.
    pub run: Option<RunId>,
    /// The day whose prices are paid.
    pub date: Date,
    /// When it is carried out.
    pub at: Timestamp,
}

/// Executes a decision: all sales first, then all purchases, each in the decided order and at the given
/// price. There are no fees and no partial fills: an order is executed as a whole, or rejected with every
/// reason.
///
/// A purchase that only lacks cash is funded by selling just enough whole shares of the cash
/// equivalent to pay for it and keep the reserve; if there are not enough, none are sold.
///
/// Nothing is changed: the entry takes effect when it is appended to the ledger.
///
/// # Errors
/// If the decision was carried out before, lies before the last one, or the limits are unusable.
pub fn execute(
    portfolio: &Portfolio,
    decision: &Decision,
    inputs: &ExecutionInputs<'_>,
) -> Result<Entry, PortfolioError> {
    portfolio.accepts(inputs.key, inputs.date)?;
    limits::check(inputs.constraints)?;
    let mut execution = OrderExecution::new(inputs, portfolio.book.clone());
    for side in [Side::Sell, Side::Buy] {
        for (index, order) in decision.orders.iter().enumerate().filter(|(_, order)| order.side == side) {
            execution.place(&format!("{}/{index}", inputs.key), order);
        }
    }
    Ok(Entry::Decided {
        key: inputs.key.to_owned(),
        run: inputs.run,
        date: inputs.date,
        at: inputs.at,
        value: execution.book.total(inputs.prices).ok(),
        trades: execution.trades,
        rejected: execution.rejected,
    })
}

/// Executes the orders of a decision one after the other.
pub(crate) struct OrderExecution<'a> {
    inputs: &'a ExecutionInputs<'a>,
    pub(crate) book: Book,
    pub(crate) trades: Vec<Trade>,
    pub(crate) rejected: Vec<RejectedOrder>,
}

impl<'a> OrderExecution<'a> {
    pub(crate) fn new(inputs: &'a ExecutionInputs<'a>, book: Book) -> Self {
        Self { inputs, book, trades: Vec::new(), rejected: Vec::new() }
    }

    pub(crate) fn place(&mut self, key: &str, order: &Order) {
        match self.attempt(key, order) {
            Ok((book, mut trades)) => {
                self.book = book;
                self.trades.append(&mut trades);
            }
            Err(reasons) => self.rejected.push(RejectedOrder {
                order: order.clone(),
                price: self.inputs.prices.get(&order.ticker).copied(),
                reasons,
            }),
        }
    }

    /// The book after the order with the trades that were made, or every reason against it.
    fn attempt(&self, key: &str, order: &Order) -> Result<(Book, Vec<Trade>), Vec<String>> {
        let price = self.checked_price(order)?;
        let mut book = self.book.clone();
        let funding = match order.side {
            Side::Buy => self.admit(&mut book, key, order, price)?,
            Side::Sell => None,
        };
        let trade = self.fill(&mut book, key, order, price).map_err(one_reason)?;
        Ok((book, funding.into_iter().chain([trade]).collect()))
    }

    /// The order's price, if the order makes sense by itself.
    fn checked_price(&self, order: &Order) -> Result<Decimal, Vec<String>> {
        let ticker = &order.ticker;
        let mut refusals = vec![check_quantity(order.quantity)];
        match order.side {
            Side::Sell => refusals.push(self.book.check_sale(ticker, order.quantity).map(|_| ())),
            Side::Buy if ticker.as_str().starts_with('^') => {
                refusals.push(Err(Refusal::Index(ticker.clone())))
            }
            Side::Buy => {}
        }
        let price = self.inputs.prices.get(ticker).copied();
        refusals.extend(price.map(|price| check_price(ticker, price)));
        let mut reasons: Vec<String> =
            refusals.into_iter().filter_map(Result::err).map(|refusal| refusal.to_string()).collect();
        if price.is_none() {
            reasons.push(format!("No price found for {ticker}"));
        }
        for (name, trigger) in [("stop loss", order.stop_loss), ("take profit", order.take_profit)] {
            if let Some(trigger) = trigger.filter(|trigger| *trigger <= Decimal::ZERO) {
                reasons.push(format!("Invalid {name} for {ticker}: {trigger}; a price above 0 is needed"));
            }
        }
        match price {
            Some(price) if reasons.is_empty() => Ok(price),
            _ => Err(reasons),
        }
    }

    /// Checks a purchase against the limits; returns the sale that funds it, if one was needed.
    fn admit(
        &self,
        book: &mut Book,
        key: &str,
        order: &Order,
        price: Decimal,
    ) -> Result<Option<Trade>, Vec<String>> {
        let cost = worth(order.quantity, price).map_err(one_reason)?;
        let violations = self.violations(book, &order.ticker, cost)?;
        if violations.is_empty() {
            return Ok(None);
        }
        if violations.iter().all(Violation::is_about_cash)
            && let Some((funded, trade)) = self.fund(book, key, order, cost)
            && self.violations(&funded, &order.ticker, cost)?.is_empty()
        {
            *book = funded;
            return Ok(Some(trade));
        }
        Err(violations.iter().map(ToString::to_string).collect())
    }

    fn violations(&self, book: &Book, ticker: &Ticker, cost: Decimal) -> Result<Vec<Violation>, Vec<String>> {
        let ExecutionInputs { prices, sectors, constraints, cash_equivalent, .. } = *self.inputs;
        Rules { constraints, prices, sectors, cash_equivalent }
            .violations(book, ticker, cost)
            .map_err(|unvalued| unvalued.reasons())
    }

    /// Sells as few whole shares of the cash equivalent as pay for `cost` and keep the reserve.
    /// `None` if that is not possible.
    fn fund(&self, book: &Book, key: &str, order: &Order, cost: Decimal) -> Option<(Book, Trade)> {
        let ticker = self.inputs.cash_equivalent.filter(|ticker| **ticker != order.ticker)?;
        let price = self.inputs.prices.get(ticker).copied()?;
        let reserve = product(self.inputs.constraints.min_cash, book.total(self.inputs.prices).ok()?).ok()?;
        let missing = sum(cost, reserve).and_then(|needed| difference(needed, book.cash)).ok()?;
        let sale = Order {
            side: Side::Sell,
            ticker: ticker.clone(),
            quantity: missing.checked_div(price)?.ceil(),
            rationale: format!("Pays for the purchase of {}", order.ticker),
            stop_loss: None,
            take_profit: None,
        };
        let mut funded = book.clone();
        let trade = self.fill(&mut funded, &format!("{key}/funding"), &sale, price).ok()?;
        Some((funded, trade))
    }

    fn fill(&self, book: &mut Book, key: &str, order: &Order, price: Decimal) -> Result<Trade, Refusal> {
        let realised_profit = match order.side {
            Side::Buy => {
                book.buy(&order.ticker, order.quantity, price)?;
                None
            }
            Side::Sell => Some(book.sell(&order.ticker, order.quantity, price)?),
        };
        Ok(Trade {
            key: key.to_owned(),
            side: order.side,
            ticker: order.ticker.clone(),
            quantity: order.quantity,
            price,
            date: self.inputs.date,
            executed_at: self.inputs.at,
            rationale: order.rationale.clone(),
            stop_loss: order.stop_loss,
            take_profit: order.take_profit,
            realised_profit,
            run: self.inputs.run,
        })
    }
}

fn one_reason(reason: impl ToString) -> Vec<String> {
    vec![reason.to_string()]
}
