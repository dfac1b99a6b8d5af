use std::collections::BTreeMap;

use protocol::{
    Date, Decimal, RunId, Timestamp,
    document::DocumentReference,
    trading::{
        Constraints, Decision, FillPrice, Order, PendingOrder, PortfolioSettings, RejectedOrder, Side,
        Ticker, Trade, TradeCause,
    },
};

use crate::amount::{TooLarge, difference, product, sum, worth};
use crate::book::{Book, Fill, Refusal, check_price, check_quantity};
use crate::charges::{commission, slipped};
use crate::entry::Entry;
use crate::error::PortfolioError;
use crate::ledger::Portfolio;
use crate::limits::{self, Rules, Violation};

/// Attempts to find the number of shares whose sale also pays its own commission.
const FUNDING_STEPS: usize = 8;

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
    /// The day of the decision.
    pub date: Date,
    /// When it is carried out.
    pub at: Timestamp,
    /// The table of own prices that the prices come from, before the shared ones.
    pub price_table: Option<DocumentReference>,
}

/// Executes a decision, as the portfolio's settings say.
///
/// [`FillPrice::NextPrice`]: what is wrong with an order by itself is said at once; all else waits for the
/// first price after the day ([`crate::pass`]).
///
/// [`FillPrice::DecisionClose`]: all sales first, then all purchases, each in the decided order, at the given
/// price with slippage and commission. There are no partial fills: an order is executed as a whole, or
/// rejected with every reason. A purchase that only lacks cash is funded by selling just enough whole shares
/// of the cash equivalent to pay for it and keep the reserve; if there are not enough, none are sold.
///
/// Nothing is changed: the entry takes effect when it is appended to the ledger.
///
/// # Errors
/// If the decision was carried out before, lies before the last entry, or the limits are unusable.
pub fn execute(
    portfolio: &Portfolio,
    decision: &Decision,
    inputs: &ExecutionInputs<'_>,
) -> Result<Entry, PortfolioError> {
    portfolio.accepts(inputs.key, inputs.date)?;
    limits::check(inputs.constraints)?;
    let mut execution = OrderExecution::new(inputs.into(), portfolio);
    let (mut rejected, mut pending) = (Vec::new(), Vec::new());
    let in_order = |side| decision.orders.iter().enumerate().filter(move |(_, order)| order.side == side);
    for (index, order) in in_order(Side::Sell).chain(in_order(Side::Buy)) {
        let key = format!("{}/{index}", inputs.key);
        match portfolio.settings().fill {
            FillPrice::DecisionClose => rejected.extend(execution.place(&key, order, inputs.run)),
            FillPrice::NextPrice => match faults(order) {
                faults if faults.is_empty() => {
                    let (order, run) = (order.clone(), inputs.run);
                    pending.push(PendingOrder { key, decided: inputs.date, order, run });
                }
                reasons => rejected.push(execution.rejected(order, reasons)),
            },
        }
    }
    Ok(Entry::Decided {
        key: inputs.key.to_owned(),
        run: inputs.run,
        date: inputs.date,
        at: inputs.at,
        value: execution.book.total(inputs.prices).ok(),
        trades: execution.trades,
        rejected,
        pending,
        price_table: inputs.price_table,
    })
}

/// What is wrong with an order whatever is held and whatever it costs.
fn faults(order: &Order) -> Vec<String> {
    let mut reasons: Vec<String> =
        check_quantity(order.quantity).err().iter().map(Refusal::to_string).collect();
    if order.side == Side::Buy && order.ticker.as_str().starts_with('^') {
        reasons.push(Refusal::Index(order.ticker.clone()).to_string());
    }
    for (name, trigger) in [("stop loss", order.stop_loss), ("take profit", order.take_profit)] {
        if let Some(trigger) = trigger.filter(|trigger| *trigger <= Decimal::ZERO) {
            reasons
                .push(format!("Invalid {name} for {}: {trigger}; a price above 0 is needed", order.ticker));
        }
    }
    reasons
}

/// What orders are executed at.
#[derive(Clone, Copy)]
pub(crate) struct Market<'a> {
    pub(crate) prices: &'a BTreeMap<Ticker, Decimal>,
    pub(crate) sectors: &'a BTreeMap<Ticker, String>,
    pub(crate) constraints: &'a Constraints,
    pub(crate) cash_equivalent: Option<&'a Ticker>,
    pub(crate) date: Date,
    pub(crate) at: Timestamp,
}

impl<'a> From<&ExecutionInputs<'a>> for Market<'a> {
    fn from(inputs: &ExecutionInputs<'a>) -> Self {
        let ExecutionInputs { prices, sectors, constraints, cash_equivalent, date, at, .. } = *inputs;
        Self { prices, sectors, constraints, cash_equivalent, date, at }
    }
}

/// Executes orders one after the other.
pub(crate) struct OrderExecution<'a> {
    pub(crate) market: Market<'a>,
    settings: &'a PortfolioSettings,
    pub(crate) book: Book,
    pub(crate) trades: Vec<Trade>,
}

/// A sale or a purchase that is to be filled at a quoted price.
pub(crate) struct Filling<'a> {
    pub(crate) key: String,
    pub(crate) order: &'a Order,
    pub(crate) run: Option<RunId>,
    pub(crate) cause: TradeCause,
    /// US dollars a share, without slippage.
    pub(crate) quoted: Decimal,
}

impl<'a> OrderExecution<'a> {
    pub(crate) fn new(market: Market<'a>, portfolio: &'a Portfolio) -> Self {
        Self::with_book(market, portfolio.settings(), portfolio.state.book.clone())
    }

    pub(crate) fn with_book(market: Market<'a>, settings: &'a PortfolioSettings, book: Book) -> Self {
        Self { market, settings, book, trades: Vec::new() }
    }

    /// Executes an order as a whole, with the sale that funds it; returns it with every reason if it cannot.
    pub(crate) fn place(&mut self, key: &str, order: &Order, run: Option<RunId>) -> Option<RejectedOrder> {
        let reasons = self.attempt(key, order, run, TradeCause::Order).err()?;
        Some(self.rejected(order, reasons))
    }

    pub(crate) fn attempt(
        &mut self,
        key: &str,
        order: &Order,
        run: Option<RunId>,
        cause: TradeCause,
    ) -> Result<(), Vec<String>> {
        let quoted = self.checked_price(order)?;
        let filling = Filling { key: key.to_owned(), order, run, cause, quoted };
        let mut book = self.book.clone();
        let funding = match order.side {
            Side::Buy => self.admit(&mut book, &filling)?,
            Side::Sell => None,
        };
        let trade = self.fill(&mut book, &filling).map_err(one_reason)?;
        self.book = book;
        self.trades.extend(funding.into_iter().chain([trade]));
        Ok(())
    }

    pub(crate) fn rejected(&self, order: &Order, reasons: Vec<String>) -> RejectedOrder {
        let price = self.market.prices.get(&order.ticker).copied();
        RejectedOrder { order: order.clone(), price, reasons }
    }

    /// The order's price, if the order makes sense.
    fn checked_price(&self, order: &Order) -> Result<Decimal, Vec<String>> {
        let ticker = &order.ticker;
        let mut reasons = faults(order);
        if order.side == Side::Sell {
            let refused = self.book.check_sale(ticker, order.quantity).err();
            reasons.extend(refused.iter().map(Refusal::to_string));
        }
        let Some(price) = self.market.prices.get(ticker).copied() else {
            reasons.push(format!("No price found for {ticker}"));
            return Err(reasons);
        };
        reasons.extend(check_price(ticker, price).err().iter().map(Refusal::to_string));
        if reasons.is_empty() { Ok(price) } else { Err(reasons) }
    }

    /// The price with slippage, and the commission. A take profit is a limit: it is filled at its price or
    /// at a better one.
    pub(crate) fn terms(
        &self,
        cause: TradeCause,
        side: Side,
        quantity: Decimal,
        quoted: Decimal,
    ) -> Result<(Decimal, Decimal), TooLarge> {
        let price = match cause {
            TradeCause::TakeProfit => quoted,
            _ => slipped(side, quoted, self.settings.slippage)?,
        };
        Ok((price, commission(&self.settings.commission, quantity, price)?))
    }

    /// What a purchase takes from the cash.
    pub(crate) fn cost(
        &self,
        cause: TradeCause,
        quantity: Decimal,
        quoted: Decimal,
    ) -> Result<Decimal, TooLarge> {
        let (price, commission) = self.terms(cause, Side::Buy, quantity, quoted)?;
        sum(worth(quantity, price)?, commission)
    }

    /// Checks a purchase against the limits; returns the sale that funds it, if one was needed.
    fn admit(&self, book: &mut Book, filling: &Filling<'_>) -> Result<Option<Trade>, Vec<String>> {
        let Filling { order, cause, quoted, .. } = filling;
        let cost = self.cost(*cause, order.quantity, *quoted).map_err(one_reason)?;
        let violations = self.violations(book, &order.ticker, cost)?;
        if violations.is_empty() {
            return Ok(None);
        }
        if violations.iter().all(Violation::is_about_cash)
            && let Some((funded, trade)) = self.fund(book, filling, cost)
            && self.violations(&funded, &order.ticker, cost)?.is_empty()
        {
            *book = funded;
            return Ok(Some(trade));
        }
        Err(violations.iter().map(ToString::to_string).collect())
    }

    fn violations(&self, book: &Book, ticker: &Ticker, cost: Decimal) -> Result<Vec<Violation>, Vec<String>> {
        let Market { prices, sectors, constraints, cash_equivalent, .. } = self.market;
        Rules { constraints, prices, sectors, cash_equivalent }
            .violations(book, ticker, cost)
            .map_err(|unvalued| unvalued.reasons())
    }

    /// Sells as few whole shares of the cash equivalent as pay for `cost` and keep the reserve.
    /// `None` if that is not possible.
    fn fund(&self, book: &Book, funded: &Filling<'_>, cost: Decimal) -> Option<(Book, Trade)> {
        let ticker = self.market.cash_equivalent.filter(|ticker| **ticker != funded.order.ticker)?;
        let quoted = self.market.prices.get(ticker).copied()?;
        let reserve = product(self.market.constraints.min_cash, book.total(self.market.prices).ok()?).ok()?;
        let missing = sum(cost, reserve).and_then(|needed| difference(needed, book.cash)).ok()?;
        let order = Order {
            side: Side::Sell,
            ticker: ticker.clone(),
            quantity: self.shares_that_bring(missing, quoted)?,
            rationale: format!("Pays for the purchase of {}", funded.order.ticker),
            stop_loss: None,
            take_profit: None,
        };
        let (key, run) = (format!("{}/funding", funded.key), funded.run);
        let sale = Filling { key, order: &order, run, cause: TradeCause::Funding, quoted };
        let mut book = book.clone();
        let trade = self.fill(&mut book, &sale).ok()?;
        Some((book, trade))
    }

    /// As few whole shares as bring `amount` after their own commission; `None` if that is not found.
    fn shares_that_bring(&self, amount: Decimal, quoted: Decimal) -> Option<Decimal> {
        let mut needed = amount;
        for _ in 0..FUNDING_STEPS {
            let (price, _) = self.terms(TradeCause::Funding, Side::Sell, Decimal::ONE, quoted).ok()?;
            let quantity = needed.checked_div(price)?.ceil();
            let (_, commission) = self.terms(TradeCause::Funding, Side::Sell, quantity, quoted).ok()?;
            if difference(worth(quantity, price).ok()?, commission).ok()? >= amount {
                return Some(quantity);
            }
            needed = sum(amount, commission).ok()?;
        }
        None
    }

    pub(crate) fn fill(&self, book: &mut Book, filling: &Filling<'_>) -> Result<Trade, Refusal> {
        let Filling { key, order, run, cause, quoted } = filling;
        let Order { side, ticker, quantity, .. } = order;
        let (price, commission) = self.terms(*cause, *side, *quantity, *quoted)?;
        let fill = Fill { ticker, quantity: *quantity, price, commission, date: self.market.date };
        let realised_profit = match side {
            Side::Buy => {
                book.buy(&fill)?;
                book.set_triggers(ticker, order.stop_loss, order.take_profit);
                None
            }
            Side::Sell => Some(book.sell(&fill)?),
        };
        Ok(Trade {
            key: key.clone(),
            side: *side,
            ticker: ticker.clone(),
            quantity: *quantity,
            price,
            date: self.market.date,
            executed_at: self.market.at,
            rationale: order.rationale.clone(),
            stop_loss: order.stop_loss,
            take_profit: order.take_profit,
            realised_profit,
            run: *run,
            commission,
            quoted: (price != *quoted).then_some(*quoted),
            cause: *cause,
        })
    }
}

fn one_reason(reason: impl ToString) -> Vec<String> {
    vec![reason.to_string()]
}
