use std::collections::BTreeMap;

use protocol::{
    Decimal, grouped,
    trading::{Ticker, Trade},
};
use rust_decimal::RoundingStrategy::MidpointNearestEven;

use crate::amount::{AMOUNT_PLACES, MAX_QUANTITY, PLACES, TooLarge, difference, sum, worth};

/// Shares of one instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Shares; above zero.
    pub quantity: Decimal,
    /// What these shares cost, in US dollars: the exact amount that averages are derived from.
    pub cost_basis: Decimal,
}

impl Position {
    /// Average cost a share in US dollars, rounded to 6 decimals. For display; nothing is computed
    /// from it.
    pub fn average_cost(&self) -> Decimal {
        let average = self.cost_basis.checked_div(self.quantity).unwrap_or_default();
        average.round_dp(PLACES).normalize()
    }
}

/// Why a purchase or a sale cannot be executed, whatever the limits are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The quantity is not positive, or out of range.
    #[error(
        "Invalid ticker or shares: {0} shares; a quantity above 0, at most 1,000,000,000 and with at most 6 decimals is needed"
    )]
    Quantity(Decimal),
    /// An index has no shares.
    #[error("Invalid ticker or shares: {0} is an index, which cannot be bought")]
    Index(Ticker),
    /// The price is not positive, or has too many decimals.
    #[error("Invalid price for {ticker}: {price}; a price above 0 with at most 6 decimals is needed")]
    Price {
        /// The instrument.
        ticker: Ticker,
        /// US dollars a share.
        price: Decimal,
    },
    /// The order costs more than the available cash.
    #[error("Insufficient cash: {} is needed, {} is there", grouped(*cost, 2), grouped(*cash, 2))]
    Cash {
        /// What the order costs, in US dollars.
        cost: Decimal,
        /// The available cash, in US dollars.
        cash: Decimal,
    },
    /// More shares are to be sold than are held.
    #[error("Insufficient shares: {wanted} of {ticker} are to be sold, {held} are held")]
    Shares {
        /// The instrument.
        ticker: Ticker,
        /// Shares to be sold.
        wanted: Decimal,
        /// Shares held.
        held: Decimal,
    },
    /// The recorded profit is not what the sale realised.
    #[error("its recorded profit is not what it realised")]
    Profit,
    /// The trade is dated differently from its decision.
    #[error("its date is not that of its decision")]
    Date,
    /// The amount is beyond what is computed exactly.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Checks a quantity before anything is computed with it.
pub(crate) fn check_quantity(quantity: Decimal) -> Result<(), Refusal> {
    let fits = quantity > Decimal::ZERO && quantity <= MAX_QUANTITY && quantity.normalize().scale() <= PLACES;
    if fits { Ok(()) } else { Err(Refusal::Quantity(quantity)) }
}

/// Checks a price before anything is computed with it.
pub(crate) fn check_price(ticker: &Ticker, price: Decimal) -> Result<(), Refusal> {
    let fits = price > Decimal::ZERO && price.normalize().scale() <= PLACES;
    if fits { Ok(()) } else { Err(Refusal::Price { ticker: ticker.clone(), price }) }
}

/// Why a book has no total value.
pub(crate) enum Unvalued {
    NoPrice(Vec<Ticker>),
    TooLarge(TooLarge),
}

impl From<TooLarge> for Unvalued {
    fn from(error: TooLarge) -> Self {
        Self::TooLarge(error)
    }
}

impl Unvalued {
    /// One sentence for each reason.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::NoPrice(tickers) => tickers
                .iter()
                .map(|ticker| format!("No price found for {ticker}, which is held, so the total is unknown"))
                .collect(),
            Self::TooLarge(error) => vec![error.to_string()],
        }
    }
}

/// Cash and positions; none is ever negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    pub(crate) cash: Decimal,
    pub(crate) positions: BTreeMap<Ticker, Position>,
    pub(crate) realised_profit: Decimal,
}

impl Book {
    pub(crate) fn new(cash: Decimal) -> Self {
        Self { cash, positions: BTreeMap::new(), realised_profit: Decimal::ZERO }
    }

    pub(crate) fn held(&self, ticker: &Ticker) -> Decimal {
        self.positions.get(ticker).map_or(Decimal::ZERO, |position| position.quantity)
    }

    /// Fails without a change if there is not enough cash.
    pub(crate) fn buy(&mut self, ticker: &Ticker, quantity: Decimal, price: Decimal) -> Result<(), Refusal> {
        check_quantity(quantity)?;
        check_price(ticker, price)?;
        let cost = worth(quantity, price)?;
        if cost > self.cash {
            return Err(Refusal::Cash { cost, cash: self.cash });
        }
        let position = match self.positions.get(ticker) {
            None => Position { quantity, cost_basis: cost },
            Some(held) => {
                Position { quantity: sum(held.quantity, quantity)?, cost_basis: sum(held.cost_basis, cost)? }
            }
        };
        self.cash = difference(self.cash, cost)?;
        self.positions.insert(ticker.clone(), position);
        Ok(())
    }

    /// The position, if it holds that many shares.
    pub(crate) fn check_sale(&self, ticker: &Ticker, quantity: Decimal) -> Result<&Position, Refusal> {
        self.positions.get(ticker).filter(|position| quantity <= position.quantity).ok_or_else(|| {
            Refusal::Shares { ticker: ticker.clone(), wanted: quantity, held: self.held(ticker) }
        })
    }

    /// Returns the realised profit: proceeds less the cost of the shares sold. Fails, and changes
    /// nothing, if fewer shares are held.
    ///
    /// The cost of a part is its share of the cost basis rounded to 12 decimals; exactly what is
    /// taken from the basis enters the profit, so that nothing is lost to rounding.
    pub(crate) fn sell(
        &mut self,
        ticker: &Ticker,
        quantity: Decimal,
        price: Decimal,
    ) -> Result<Decimal, Refusal> {
        check_quantity(quantity)?;
        check_price(ticker, price)?;
        let held = self.check_sale(ticker, quantity)?;
        let proceeds = worth(quantity, price)?;
        let cost = if quantity == held.quantity { held.cost_basis } else { part_of_cost(held, quantity)? };
        let profit = difference(proceeds, cost)?;
        let rest = Position {
            quantity: difference(held.quantity, quantity)?,
            cost_basis: difference(held.cost_basis, cost)?,
        };
        let cash = sum(self.cash, proceeds)?;
        self.realised_profit = sum(self.realised_profit, profit)?;
        self.cash = cash;
        if rest.quantity.is_zero() {
            self.positions.remove(ticker);
        } else {
            self.positions.insert(ticker.clone(), rest);
        }
        Ok(profit)
    }

    /// Applies a recorded trade again.
    pub(crate) fn repeat(&mut self, trade: &Trade) -> Result<(), Refusal> {
        let profit = match trade.side {
            protocol::trading::Side::Buy => {
                self.buy(&trade.ticker, trade.quantity, trade.price)?;
                None
            }
            protocol::trading::Side::Sell => Some(self.sell(&trade.ticker, trade.quantity, trade.price)?),
        };
        if profit == trade.realised_profit { Ok(()) } else { Err(Refusal::Profit) }
    }

    /// Market value of each position; an error names every position without a price.
    pub(crate) fn market_values(
        &self,
        prices: &BTreeMap<Ticker, Decimal>,
    ) -> Result<BTreeMap<&Ticker, Decimal>, Unvalued> {
        let unpriced: Vec<Ticker> =
            self.positions.keys().filter(|ticker| !prices.contains_key(*ticker)).cloned().collect();
        if !unpriced.is_empty() {
            return Err(Unvalued::NoPrice(unpriced));
        }
        self.positions
            .iter()
            .filter_map(|(ticker, position)| {
                prices.get(ticker).map(|price| (ticker, position.quantity, *price))
            })
            .map(|(ticker, quantity, price)| Ok((ticker, worth(quantity, price)?)))
            .collect()
    }

    /// Cash and the market value of all positions.
    pub(crate) fn total(&self, prices: &BTreeMap<Ticker, Decimal>) -> Result<Decimal, Unvalued> {
        let values = self.market_values(prices)?;
        Ok(values.into_values().try_fold(self.cash, sum)?)
    }
}

fn part_of_cost(held: &Position, quantity: Decimal) -> Result<Decimal, TooLarge> {
    held.cost_basis
        .checked_mul(quantity)
        .and_then(|product| product.checked_div(held.quantity))
        .map(|cost| cost.round_dp_with_strategy(AMOUNT_PLACES, MidpointNearestEven).min(held.cost_basis))
        .ok_or(TooLarge)
}
