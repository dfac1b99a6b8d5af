//! Shares of one instrument, by purchase.

use protocol::{
    Date, Decimal,
    trading::{CostMethod, Split},
};
use rust_decimal::RoundingStrategy::{MidpointNearestEven, ToZero};

use crate::amount::{AMOUNT_PLACES, PLACES, TooLarge, bounded, difference, sum};

/// The smallest number of shares there is: a millionth.
const SMALLEST: Decimal = Decimal::from_parts(1, 0, 0, false, PLACES);

/// Shares of one instrument. Two costs are kept: that of each purchase, and that of all shares together by
/// the portfolio's method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Shares; above zero. The sum of the lots' shares.
    pub quantity: Decimal,
    /// What these shares cost by the portfolio's method, in US dollars, commissions included: the exact
    /// amount that averages are derived from.
    pub cost_basis: Decimal,
    /// What is left of each purchase, oldest first. Sales take the oldest shares first.
    pub lots: Vec<Lot>,
    /// Price at or below which all shares are sold, in US dollars: that of the last purchase that had one.
    pub stop_loss: Option<Decimal>,
    /// Price at or above which all shares are sold, in US dollars: that of the last purchase that had one.
    pub take_profit: Option<Decimal>,
}

/// What is left of one purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The day of the purchase.
    pub bought: Date,
    /// Shares left; above zero.
    pub quantity: Decimal,
    /// What these shares cost, commission included, in US dollars.
    pub cost: Decimal,
}

impl Position {
    pub(crate) fn new(lot: Lot) -> Self {
        Self {
            quantity: lot.quantity,
            cost_basis: lot.cost,
            lots: vec![lot],
            stop_loss: None,
            take_profit: None,
        }
    }

    pub(crate) fn add(&mut self, lot: Lot) -> Result<(), TooLarge> {
        let (quantity, cost) = (sum(self.quantity, lot.quantity)?, sum(self.cost_basis, lot.cost)?);
        (self.quantity, self.cost_basis) = (quantity, cost);
        self.lots.push(lot);
        Ok(())
    }

    /// Average cost a share in US dollars, rounded to 6 decimals. For display; nothing is computed
    /// from it.
    pub fn average_cost(&self) -> Decimal {
        let average = self.cost_basis.checked_div(self.quantity).unwrap_or_default();
        average.round_dp(PLACES).normalize()
    }

    /// Takes `quantity` shares, at most those that are held, and returns their cost by the method.
    pub(crate) fn take(&mut self, quantity: Decimal, method: CostMethod) -> Result<Decimal, TooLarge> {
        let first_in = self.take_from_lots(quantity)?;
        let cost = match method {
            CostMethod::FirstInFirstOut => first_in,
            CostMethod::AverageCost => part(self.cost_basis, quantity, self.quantity)?,
        };
        self.quantity = difference(self.quantity, quantity)?;
        self.cost_basis = difference(self.cost_basis, cost)?;
        Ok(cost)
    }

    fn take_from_lots(&mut self, quantity: Decimal) -> Result<Decimal, TooLarge> {
        let (mut wanted, mut cost) = (quantity, Decimal::ZERO);
        let mut emptied = 0;
        for lot in &mut self.lots {
            if wanted.is_zero() {
                break;
            }
            let taken = wanted.min(lot.quantity);
            let taken_cost = part(lot.cost, taken, lot.quantity)?;
            lot.quantity = difference(lot.quantity, taken)?;
            lot.cost = difference(lot.cost, taken_cost)?;
            (wanted, cost) = (difference(wanted, taken)?, sum(cost, taken_cost)?);
            emptied += usize::from(lot.quantity.is_zero());
        }
        self.lots.drain(..emptied);
        Ok(cost)
    }

    /// The same shares after a split. What they cost stays; a fraction of a share below a millionth is
    /// dropped, as there is none so small, but never the last millionth of a position.
    pub(crate) fn split(&mut self, split: &Split) -> Result<(), TooLarge> {
        let quantity = split_shares(self.quantity, split)?.max(SMALLEST);
        let mut lots: Vec<Lot> = Vec::with_capacity(self.lots.len());
        let (mut carried, mut left) = (Decimal::ZERO, quantity);
        for lot in &self.lots {
            carried = sum(carried, lot.cost)?;
            let shares = split_shares(lot.quantity, split)?;
            if !shares.is_zero() {
                lots.push(Lot { bought: lot.bought, quantity: shares, cost: carried });
                (carried, left) = (Decimal::ZERO, difference(left, shares)?);
            }
        }
        // What rounding took from the single lots belongs to the last one.
        match lots.last_mut() {
            Some(last) => {
                last.quantity = sum(last.quantity, left)?;
                last.cost = sum(last.cost, carried)?;
            }
            None => {
                let bought = self.lots.last().map(|lot| lot.bought);
                lots.extend(bought.map(|bought| Lot { bought, quantity: left, cost: carried }));
            }
        }
        self.stop_loss = self.stop_loss.map(|price| split_price(price, split)).transpose()?;
        self.take_profit = self.take_profit.map(|price| split_price(price, split)).transpose()?;
        (self.quantity, self.lots) = (quantity, lots);
        Ok(())
    }
}

/// The part of `cost` that falls to `quantity` of `whole`, rounded to 12 decimals. Exactly this part is taken
/// from the cost and enters the profit, so that nothing is lost to rounding.
fn part(cost: Decimal, quantity: Decimal, whole: Decimal) -> Result<Decimal, TooLarge> {
    if quantity == whole {
        return Ok(cost);
    }
    cost.checked_mul(quantity)
        .and_then(|product| product.checked_div(whole))
        .map(|part| part.round_dp_with_strategy(AMOUNT_PLACES, MidpointNearestEven).min(cost))
        .ok_or(TooLarge)
}

/// Shares after a split, to whole millionths of a share.
pub(crate) fn split_shares(quantity: Decimal, split: &Split) -> Result<Decimal, TooLarge> {
    let shares = quantity.checked_mul(split.to.into()).and_then(|it| it.checked_div(split.from.into()));
    bounded(shares.ok_or(TooLarge)?.round_dp_with_strategy(PLACES, ToZero))
}

/// A price after a split, to 6 decimals; never zero.
pub(crate) fn split_price(price: Decimal, split: &Split) -> Result<Decimal, TooLarge> {
    let price = price.checked_mul(split.from.into()).and_then(|it| it.checked_div(split.to.into()));
    Ok(price.ok_or(TooLarge)?.round_dp_with_strategy(PLACES, MidpointNearestEven).normalize().max(SMALLEST))
}
