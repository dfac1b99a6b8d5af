use std::fmt;

use protocol::{
    Decimal, RunId,
    trading::{FillPrice, Order, Side, Ticker, TradeCause},
};

use crate::amount::{TooLarge, difference, product, worth};
use crate::book::Unvalued;
use crate::entry::Entry;
use crate::error::PortfolioError;
use crate::execution::{ExecutionInputs, OrderExecution};
use crate::ledger::Portfolio;
use crate::limits;

/// The result of a sweep of the cash above the reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepOutcome {
    /// Whole shares were bought.
    Swept {
        /// The cash equivalent.
        ticker: Ticker,
        /// Shares.
        quantity: Decimal,
    },
    /// The cash above the reserve buys no share, or no cash equivalent is set.
    NotNeeded,
    /// The decision's orders wait for their prices; the cash is swept with them.
    Waits,
    /// Nothing was bought, for these reasons.
    NotPossible(Vec<String>),
}

impl fmt::Display for SweepOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swept { ticker, quantity } => write!(formatter, "Swept {quantity} shares of {ticker}"),
            Self::NotNeeded => formatter.write_str("No sweep needed"),
            Self::Waits => formatter.write_str("Spare cash is swept when the orders are filled"),
            Self::NotPossible(reasons) => write!(formatter, "Nothing was swept: {}", reasons.join("; ")),
        }
    }
}

/// Puts the cash that an executed decision leaves above the reserve (the limits' `min_cash`) into
/// whole shares of the cash equivalent of the inputs. The trade, with key `{key}/sweep`, is added to the
/// decision's own entry, so that both are recorded together. Position and sector limits do not apply.
///
/// Without a price for the cash equivalent nothing is swept, and the outcome says so.
///
/// # Errors
/// If `entry` is not a decision that fits `portfolio`, or the limits are unusable.
pub fn sweep(
    portfolio: &Portfolio,
    mut entry: Entry,
    inputs: &ExecutionInputs<'_>,
) -> Result<(Entry, SweepOutcome), PortfolioError> {
    limits::check(inputs.constraints)?;
    let mut after = portfolio.clone();
    after.apply(&entry)?;
    if inputs.cash_equivalent.is_none() {
        return Ok((entry, SweepOutcome::NotNeeded));
    }
    if portfolio.settings().fill == FillPrice::NextPrice {
        return Ok((entry, SweepOutcome::Waits));
    }
    let mut execution = OrderExecution::new(inputs.into(), &after);
    let outcome = execution.sweep(&format!("{}/sweep", inputs.key), inputs.run);
    if let Entry::Decided { trades, .. } = &mut entry {
        trades.append(&mut execution.trades);
    }
    Ok((entry, outcome))
}

impl OrderExecution<'_> {
    /// Puts the cash above the reserve into whole shares of the cash equivalent.
    pub(crate) fn sweep(&mut self, key: &str, run: Option<RunId>) -> SweepOutcome {
        let Some(ticker) = self.market.cash_equivalent else { return SweepOutcome::NotNeeded };
        let Some(quoted) = self.market.prices.get(ticker).copied() else {
            return SweepOutcome::NotPossible(vec![format!("No price found for {ticker}")]);
        };
        let quantity = match self.spare_shares(quoted) {
            Ok(quantity) => quantity,
            Err(unvalued) => return SweepOutcome::NotPossible(unvalued.reasons()),
        };
        if quantity <= Decimal::ZERO {
            return SweepOutcome::NotNeeded;
        }
        let order = Order {
            side: Side::Buy,
            ticker: ticker.clone(),
            quantity,
            rationale: "Spare cash is put aside".to_owned(),
            stop_loss: None,
            take_profit: None,
        };
        match self.attempt(key, &order, run, TradeCause::Sweep) {
            Ok(()) => SweepOutcome::Swept { ticker: order.ticker, quantity },
            Err(reasons) => SweepOutcome::NotPossible(reasons),
        }
    }

    /// Whole shares that the cash above the reserve buys, commission included.
    fn spare_shares(&self, quoted: Decimal) -> Result<Decimal, Unvalued> {
        let reserve = product(self.market.constraints.min_cash, self.book.total(self.market.prices)?)?;
        let spare = difference(self.book.cash, reserve)?;
        let mut left = spare;
        loop {
            let (price, _) = self.terms(TradeCause::Sweep, Side::Buy, Decimal::ONE, quoted)?;
            let quantity = left.checked_div(price).ok_or(TooLarge)?.floor();
            if quantity <= Decimal::ZERO || self.cost(TradeCause::Sweep, quantity, quoted)? <= spare {
                return Ok(quantity);
            }
            let (_, commission) = self.terms(TradeCause::Sweep, Side::Buy, quantity, quoted)?;
            // Leaves room for the commission, and at least one share less than before.
            left = difference(spare, commission)?.min(worth(quantity - Decimal::ONE, price)?);
        }
    }
}
