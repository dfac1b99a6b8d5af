use std::fmt;

use protocol::{
    Decimal,
    trading::{Order, Side, Ticker},
};

use crate::amount::{TooLarge, difference, product};
use crate::book::{Book, Unvalued};
use crate::error::PortfolioError;
use crate::execution::{ExecutionInputs, OrderExecution};
use crate::ledger::{Entry, Portfolio};
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
    /// Nothing was bought, for these reasons.
    NotPossible(Vec<String>),
}

impl fmt::Display for SweepOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swept { ticker, quantity } => write!(formatter, "Swept {quantity} shares of {ticker}"),
            Self::NotNeeded => formatter.write_str("No sweep needed"),
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
    let Some(ticker) = inputs.cash_equivalent else { return Ok((entry, SweepOutcome::NotNeeded)) };
    let Some(price) = inputs.prices.get(ticker).copied() else {
        return Ok((entry, SweepOutcome::NotPossible(vec![format!("No price found for {ticker}")])));
    };
    let quantity = match spare_shares(&after.book, price, inputs) {
        Ok(quantity) => quantity,
        Err(unvalued) => return Ok((entry, SweepOutcome::NotPossible(unvalued.reasons()))),
    };
    if quantity <= Decimal::ZERO {
        return Ok((entry, SweepOutcome::NotNeeded));
    }

    let order = Order {
        side: Side::Buy,
        ticker: ticker.clone(),
        quantity,
        rationale: "Spare cash is put aside".to_owned(),
        stop_loss: None,
        take_profit: None,
    };
    let mut execution = OrderExecution::new(inputs, after.book);
    execution.place(&format!("{}/sweep", inputs.key), &order);
    if let Some(rejected) = execution.rejected.pop() {
        return Ok((entry, SweepOutcome::NotPossible(rejected.reasons)));
    }
    if let Entry::Decided { trades, .. } = &mut entry {
        trades.append(&mut execution.trades);
    }
    Ok((entry, SweepOutcome::Swept { ticker: ticker.clone(), quantity }))
}

/// Whole shares that the cash above the reserve buys.
fn spare_shares(book: &Book, price: Decimal, inputs: &ExecutionInputs<'_>) -> Result<Decimal, Unvalued> {
    let reserve = product(inputs.constraints.min_cash, book.total(inputs.prices)?)?;
    let spare = difference(book.cash, reserve)?;
    Ok(spare.checked_div(price).ok_or(TooLarge)?.floor())
}
