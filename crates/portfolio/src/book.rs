use std::collections::BTreeMap;

use protocol::{
    Date, Decimal, grouped,
    trading::{CostMethod, Side, Split, StartingLot, Ticker, Trade},
};

use crate::amount::{
    AMOUNT_PLACES, MAX_AMOUNT, MAX_QUANTITY, PLACES, TooLarge, bounded, difference, sum, worth,
};
use crate::position::{Lot, Position};

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
    /// The trade is dated differently from its entry.
    #[error("its date is not that of its entry")]
    Date,
    /// The recorded commission cannot be.
    #[error("its commission of {0} cannot be")]
    Commission(Decimal),
    /// A recorded dividend is not what the shares brought.
    #[error("the dividend of {0} is not what the shares held brought")]
    Dividend(Ticker),
    /// A split cannot be: both numbers of shares are from 1 to 10,000.
    #[error("{0} cannot be split so; both numbers of shares must be from 1 to 10,000")]
    Split(Ticker),
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

/// Shares that change hands at a price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill<'a> {
    pub(crate) ticker: &'a Ticker,
    pub(crate) quantity: Decimal,
    /// US dollars a share, with the slippage in it.
    pub(crate) price: Decimal,
    /// US dollars.
    pub(crate) commission: Decimal,
    pub(crate) date: Date,
}

impl Fill<'_> {
    fn amount(&self) -> Result<Decimal, Refusal> {
        check_quantity(self.quantity)?;
        check_price(self.ticker, self.price)?;
        let fits = self.commission >= Decimal::ZERO
            && self.commission <= MAX_AMOUNT
            && self.commission.normalize().scale() <= AMOUNT_PLACES;
        if !fits {
            return Err(Refusal::Commission(self.commission));
        }
        Ok(worth(self.quantity, self.price)?)
    }
}

/// Cash and positions; none is ever negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    pub(crate) cash: Decimal,
    pub(crate) positions: BTreeMap<Ticker, Position>,
    pub(crate) realised_profit: Decimal,
    method: CostMethod,
}

impl Book {
    pub(crate) fn new(cash: Decimal, method: CostMethod) -> Self {
        Self { cash, positions: BTreeMap::new(), realised_profit: Decimal::ZERO, method }
    }

    pub(crate) fn held(&self, ticker: &Ticker) -> Decimal {
        self.positions.get(ticker).map_or(Decimal::ZERO, |position| position.quantity)
    }

    /// Fails without a change if there is not enough cash. The commission is part of what the shares cost.
    pub(crate) fn buy(&mut self, fill: &Fill<'_>) -> Result<(), Refusal> {
        let cost = sum(fill.amount()?, fill.commission)?;
        if cost > self.cash {
            return Err(Refusal::Cash { cost, cash: self.cash });
        }
        let lot = Lot { bought: fill.date, quantity: fill.quantity, cost };
        let cash = difference(self.cash, cost)?;
        self.put(fill.ticker, lot)?;
        self.cash = cash;
        Ok(())
    }

    /// Takes in shares that were bought before there was a book.
    pub(crate) fn hold(&mut self, lot: &StartingLot) -> Result<(), Refusal> {
        let StartingLot { ticker, quantity, cost, bought } = lot;
        check_quantity(*quantity)?;
        if ticker.as_str().starts_with('^') {
            return Err(Refusal::Index(ticker.clone()));
        }
        let cost = bounded(*cost)?;
        if cost <= Decimal::ZERO {
            return Err(Refusal::Price { ticker: ticker.clone(), price: cost });
        }
        Ok(self.put(ticker, Lot { bought: *bought, quantity: *quantity, cost })?)
    }

    fn put(&mut self, ticker: &Ticker, lot: Lot) -> Result<(), TooLarge> {
        match self.positions.get_mut(ticker) {
            Some(held) => held.add(lot)?,
            None => {
                self.positions.insert(ticker.clone(), Position::new(lot));
            }
        }
        Ok(())
    }

    /// The position, if it holds that many shares.
    pub(crate) fn check_sale(&self, ticker: &Ticker, quantity: Decimal) -> Result<&Position, Refusal> {
        self.positions.get(ticker).filter(|position| quantity <= position.quantity).ok_or_else(|| {
            Refusal::Shares { ticker: ticker.clone(), wanted: quantity, held: self.held(ticker) }
        })
    }

    /// Returns the realised profit: proceeds less the commission and the cost of the shares sold. Fails, and
    /// changes nothing, if fewer shares are held, or if a commission beyond the proceeds cannot be paid.
    pub(crate) fn sell(&mut self, fill: &Fill<'_>) -> Result<Decimal, Refusal> {
        let proceeds = fill.amount()?;
        let mut rest = self.check_sale(fill.ticker, fill.quantity)?.clone();
        let cost = rest.take(fill.quantity, self.method)?;
        let received = difference(proceeds, fill.commission)?;
        let cash = sum(self.cash, received)?;
        if cash < Decimal::ZERO {
            return Err(Refusal::Cash { cost: -received, cash: self.cash });
        }
        let profit = difference(received, cost)?;
        self.realised_profit = sum(self.realised_profit, profit)?;
        self.cash = cash;
        if rest.quantity.is_zero() {
            self.positions.remove(fill.ticker);
        } else {
            self.positions.insert(fill.ticker.clone(), rest);
        }
        Ok(profit)
    }

    /// The triggers of a purchase hold for all shares of its instrument from then on.
    pub(crate) fn set_triggers(&mut self, ticker: &Ticker, stop: Option<Decimal>, profit: Option<Decimal>) {
        if let Some(position) = self.positions.get_mut(ticker) {
            position.stop_loss = stop.or(position.stop_loss);
            position.take_profit = profit.or(position.take_profit);
        }
    }

    /// Splits the shares held, if there are any.
    pub(crate) fn split(&mut self, split: &Split) -> Result<(), Refusal> {
        let fits = |shares: u32| (1..=10_000).contains(&shares);
        if !fits(split.to) || !fits(split.from) {
            return Err(Refusal::Split(split.ticker.clone()));
        }
        match self.positions.get_mut(&split.ticker) {
            Some(position) => Ok(position.split(split)?),
            None => Ok(()),
        }
    }

    /// Applies a recorded trade again.
    pub(crate) fn repeat(&mut self, trade: &Trade) -> Result<(), Refusal> {
        let Trade { ticker, quantity, price, commission, date, .. } = trade;
        let fill = Fill { ticker, quantity: *quantity, price: *price, commission: *commission, date: *date };
        let profit = match trade.side {
            Side::Buy => {
                self.buy(&fill)?;
                self.set_triggers(ticker, trade.stop_loss, trade.take_profit);
                None
            }
            Side::Sell => Some(self.sell(&fill)?),
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
