use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Date, Decimal, RunId, Timestamp,
    trading::{DecisionOutcome, PortfolioId, RejectedOrder, Ticker, Trade},
};
use serde::{Deserialize, Serialize};

use crate::amount::{MAX_AMOUNT, PLACES};
use crate::book::{Book, Position, Refusal};
use crate::error::PortfolioError;

/// One entry of a portfolio's ledger. One decision is one entry, so that all of its trades are
/// recorded or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The portfolio begins.
    Opened {
        /// The portfolio.
        id: PortfolioId,
        /// Its name.
        name: String,
        /// Cash to start with, in US dollars; above zero.
        cash: Decimal,
        /// When it was opened.
        at: Timestamp,
    },
    /// A decision was carried out.
    Decided {
        /// Idempotency key of the decision.
        key: String,
        /// The run that decided, if one did.
        run: Option<RunId>,
        /// The day whose prices were paid.
        date: Date,
        /// When it was carried out.
        at: Timestamp,
        /// What was executed, in this order.
        trades: Vec<Trade>,
        /// What was not.
        rejected: Vec<RejectedOrder>,
        /// Total value afterwards at the day's prices, in US dollars; `None` if a holding had no price.
        value: Option<Decimal>,
    },
}

/// A portfolio as its ledger leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portfolio {
    id: PortfolioId,
    name: String,
    initial_cash: Decimal,
    updated_at: Timestamp,
    pub(crate) book: Book,
    trades: Vec<Trade>,
    last_decision: Option<DecisionOutcome>,
    decisions: BTreeSet<String>,
    orders: BTreeSet<String>,
    first_date: Option<Date>,
    entries: u64,
}

impl Portfolio {
    /// Rebuilds a portfolio from all entries of its ledger, oldest first.
    ///
    /// # Errors
    /// If there is no opening entry at the beginning, a key occurs twice, a decision lies before an
    /// earlier one, or a trade cannot have happened.
    pub fn fold(entries: &[Entry]) -> Result<Self, PortfolioError> {
        let (first, rest) = entries.split_first().ok_or(PortfolioError::NotOpened)?;
        let Entry::Opened { id, name, cash, at } = first else { return Err(PortfolioError::NotOpened) };
        if *cash <= Decimal::ZERO || *cash > MAX_AMOUNT || cash.normalize().scale() > PLACES {
            return Err(PortfolioError::InvalidCash(*cash));
        }
        let mut portfolio = Self {
            id: id.clone(),
            name: name.clone(),
            initial_cash: *cash,
            updated_at: *at,
            book: Book::new(*cash),
            trades: Vec::new(),
            last_decision: None,
            decisions: BTreeSet::new(),
            orders: BTreeSet::new(),
            first_date: None,
            entries: 1,
        };
        for entry in rest {
            portfolio.apply(entry)?;
        }
        Ok(portfolio)
    }

    /// Applies the next entry.
    ///
    /// # Errors
    /// As [`Portfolio::fold`]; then nothing has changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), PortfolioError> {
        let Entry::Decided { key, run, date, at, trades, rejected, .. } = entry else {
            return Err(PortfolioError::OpenedTwice);
        };
        self.accepts(key, *date)?;
        let mut book = self.book.clone();
        let mut orders = BTreeSet::new();
        for trade in trades {
            if self.orders.contains(&trade.key) || !orders.insert(trade.key.clone()) {
                return Err(PortfolioError::Duplicate { key: trade.key.clone() });
            }
            let dated = if trade.date == *date { Ok(()) } else { Err(Refusal::Date) };
            dated
                .and_then(|()| book.repeat(trade))
                .map_err(|refusal| PortfolioError::InvalidTrade { key: trade.key.clone(), refusal })?;
        }

        self.book = book;
        self.orders.append(&mut orders);
        self.decisions.insert(key.clone());
        self.trades.extend_from_slice(trades);
        self.last_decision = Some(DecisionOutcome {
            date: *date,
            run: *run,
            trades: trades.clone(),
            rejected: rejected.clone(),
        });
        self.updated_at = *at;
        self.first_date.get_or_insert(*date);
        self.entries += 1;
        Ok(())
    }

    /// Checks that a decision with this key and day can be the next one.
    pub(crate) fn accepts(&self, key: &str, date: Date) -> Result<(), PortfolioError> {
        if self.decisions.contains(key) {
            return Err(PortfolioError::Duplicate { key: key.to_owned() });
        }
        match self.last_date() {
            Some(last) if date < last => Err(PortfolioError::BackInTime { date, last }),
            _ => Ok(()),
        }
    }

    /// The portfolio's id.
    pub fn id(&self) -> &PortfolioId {
        &self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cash in US dollars; never negative.
    pub fn cash(&self) -> Decimal {
        self.book.cash
    }

    /// Cash it started with, in US dollars.
    pub fn initial_cash(&self) -> Decimal {
        self.initial_cash
    }

    /// What is held.
    pub fn holdings(&self) -> &BTreeMap<Ticker, Position> {
        &self.book.positions
    }

    /// Profit that sales realised, in US dollars; a loss is negative.
    pub fn realised_profit(&self) -> Decimal {
        self.book.realised_profit
    }

    /// All trades, oldest first.
    pub fn trades(&self) -> &[Trade] {
        &self.trades
    }

    /// What became of the last decision.
    pub fn last_decision(&self) -> Option<&DecisionOutcome> {
        self.last_decision.as_ref()
    }

    /// Whether a decision with this idempotency key was executed.
    pub fn knows(&self, key: &str) -> bool {
        self.decisions.contains(key)
    }

    /// The day of the first decision.
    pub fn first_date(&self) -> Option<Date> {
        self.first_date
    }

    /// The day of the last decision; the next one cannot lie before it.
    pub fn last_date(&self) -> Option<Date> {
        self.last_decision.as_ref().map(|decision| decision.date)
    }

    /// When the ledger was last written.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The number of ledger entries.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Every instrument that is or was held: what a valuation needs closes of.
    pub fn tickers(&self) -> BTreeSet<Ticker> {
        self.trades.iter().map(|trade| trade.ticker.clone()).collect()
    }
}
