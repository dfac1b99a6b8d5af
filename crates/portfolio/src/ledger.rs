use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Date, Decimal, Timestamp,
    document::DocumentReference,
    trading::{
        Bookings, DecisionOutcome, HeldFrom, PendingOrder, PortfolioId, PortfolioSettings, Ticker, Trade,
    },
};

use crate::amount::{MAX_AMOUNT, PLACES};
use crate::charges::check_settings;
use crate::entry::Entry;
use crate::error::PortfolioError;
use crate::position::Position;
use crate::state::{Added, Movement, State};

/// A portfolio as its ledger leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portfolio {
    id: PortfolioId,
    name: String,
    initial_cash: Decimal,
    opened_at: Timestamp,
    updated_at: Timestamp,
    entries: u64,
    first_date: Option<Date>,
    last_date: Option<Date>,
    pub(crate) state: State,
    /// All that entries added, oldest first. It only grows, so that applying an entry copies none of it.
    added: Added,
}

impl Portfolio {
    /// Rebuilds a portfolio from all entries of its ledger, oldest first.
    ///
    /// # Errors
    /// If there is no opening entry at the beginning, a key occurs twice, an entry lies before an
    /// earlier one, or something recorded cannot have happened.
    pub fn fold(entries: &[Entry]) -> Result<Self, PortfolioError> {
        let (first, rest) = entries.split_first().ok_or(PortfolioError::NotOpened)?;
        let Entry::Opened { id, name, cash, at, settings, holdings } = first else {
            return Err(PortfolioError::NotOpened);
        };
        let is_empty = *cash < Decimal::ZERO || (cash.is_zero() && holdings.is_none());
        if is_empty || *cash > MAX_AMOUNT || cash.normalize().scale() > PLACES {
            return Err(PortfolioError::InvalidCash(*cash));
        }
        check_settings(settings)?;
        let mut portfolio = Self {
            id: id.clone(),
            name: name.clone(),
            initial_cash: *cash,
            opened_at: *at,
            updated_at: *at,
            entries: 1,
            first_date: first.date(),
            last_date: first.date(),
            state: State::new(*cash, settings.clone()),
            added: Added::default(),
        };
        if let Some(holdings) = holdings {
            portfolio.state.begin_with(holdings, &mut portfolio.added)?;
        }
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
        let (mut state, mut added) = (self.state.clone(), Added::default());
        let at = match entry {
            Entry::Opened { .. } => return Err(PortfolioError::OpenedTwice),
            Entry::Configured { key, settings, at } => {
                self.accepts_key(key)?;
                state.configure(settings)?;
                at
            }
            Entry::Transferred { key, amount, date, at, note } => {
                self.accepts(key, *date)?;
                state.transfer(*amount, *date, note, &mut added)?;
                at
            }
            Entry::Decided { key, run, date, at, trades, rejected, pending, price_table, .. } => {
                self.accepts(key, *date)?;
                state.trade(trades, *date, &mut added)?;
                let outcome = DecisionOutcome {
                    date: *date,
                    run: *run,
                    trades: trades.clone(),
                    rejected: rejected.clone(),
                    pending: pending.clone(),
                };
                state.decide(outcome, *price_table)?;
                at
            }
            Entry::Passed { date, at, splits, dividends, trades, refused } => {
                self.accepts_day(*date)?;
                for split in splits {
                    state.split(split, *date, &mut added)?;
                }
                for dividend in dividends {
                    state.receive(dividend, *date, &mut added)?;
                }
                state.trade(trades, *date, &mut added)?;
                state.settle(trades, refused);
                at
            }
        };
        if let Some(key) = added.trade_keys.iter().find(|key| self.added.trade_keys.contains(*key)) {
            return Err(PortfolioError::Duplicate { key: key.clone() });
        }
        added.keys.extend(entry.key());

        self.state = state;
        self.added.append(added);
        self.first_date = self.first_date.or(entry.date());
        self.last_date = entry.date().or(self.last_date);
        self.updated_at = *at;
        self.entries += 1;
        Ok(())
    }

    /// Checks that an entry with this key and day can be the next one.
    pub(crate) fn accepts(&self, key: &str, date: Date) -> Result<(), PortfolioError> {
        self.accepts_key(key)?;
        match self.last_date {
            Some(last) if date < last => Err(PortfolioError::BackInTime { date, last }),
            _ => Ok(()),
        }
    }

    /// Checks that the market of this day can be the next entry: a day's market comes before all else on it.
    pub(crate) fn accepts_day(&self, date: Date) -> Result<(), PortfolioError> {
        match self.last_date {
            Some(last) if date <= last => Err(PortfolioError::DayOver { date, last }),
            _ => Ok(()),
        }
    }

    fn accepts_key(&self, key: &str) -> Result<(), PortfolioError> {
        if self.knows(key) { Err(PortfolioError::Duplicate { key: key.to_owned() }) } else { Ok(()) }
    }

    /// The portfolio's id.
    pub fn id(&self) -> &PortfolioId {
        &self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules that it trades by.
    pub fn settings(&self) -> &PortfolioSettings {
        &self.state.settings
    }

    /// The table of own prices that it is valued by, before the shared ones: that of its last decision.
    pub fn price_table(&self) -> Option<DocumentReference> {
        self.state.price_table
    }

    /// Cash in US dollars; never negative.
    pub fn cash(&self) -> Decimal {
        self.state.book.cash
    }

    /// Cash it started with, in US dollars.
    pub fn initial_cash(&self) -> Decimal {
        self.initial_cash
    }

    /// What is held.
    pub fn holdings(&self) -> &BTreeMap<Ticker, Position> {
        &self.state.book.positions
    }

    /// Profit that sales realised, in US dollars; a loss is negative.
    pub fn realised_profit(&self) -> Decimal {
        self.state.book.realised_profit
    }

    /// Money that came and went beside purchases and sales.
    pub fn bookings(&self) -> Bookings {
        let totals = &self.state.totals;
        Bookings {
            deposits: totals.deposits,
            withdrawals: totals.withdrawals,
            dividends: totals.dividends,
            commissions: totals.commissions,
            slippage: totals.slippage,
            transfers: self.added.transfers.iter().rev().cloned().collect(),
            income: self.added.income.iter().rev().cloned().collect(),
            splits: self.added.splits.iter().rev().cloned().collect(),
        }
    }

    /// All trades, oldest first.
    pub fn trades(&self) -> &[Trade] {
        &self.added.trades
    }

    /// How many shares of an instrument were held from when on, oldest first.
    pub fn held<'p>(&'p self, ticker: &'p Ticker) -> impl Iterator<Item = HeldFrom> + 'p {
        self.added.movements.iter().filter_map(move |movement| {
            let (held, quantity) = movement.held.as_ref()?;
            (held == ticker).then_some(HeldFrom { date: movement.date, quantity: *quantity })
        })
    }

    /// All changes of cash and holdings, oldest first.
    pub(crate) fn movements(&self) -> &[Movement] {
        &self.added.movements
    }

    /// Orders that wait for the first price after their decision, oldest first.
    pub fn pending(&self) -> &[PendingOrder] {
        &self.state.pending
    }

    /// What became of the last decision.
    pub fn last_decision(&self) -> Option<&DecisionOutcome> {
        self.state.last_decision.as_ref()
    }

    /// Whether an entry with this idempotency key is in the ledger.
    pub fn knows(&self, key: &str) -> bool {
        self.added.keys.contains(key)
    }

    /// The day of the first entry that belongs to one.
    pub fn first_date(&self) -> Option<Date> {
        self.first_date
    }

    /// The day of the last entry that belongs to one; the next one cannot lie before it.
    pub fn last_date(&self) -> Option<Date> {
        self.last_date
    }

    /// When the ledger was begun.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// When the ledger was last written.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The number of ledger entries.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Every instrument that is or was held, or is ordered: what a valuation needs closes of.
    pub fn tickers(&self) -> BTreeSet<Ticker> {
        let ordered = self.state.pending.iter().map(|pending| &pending.order.ticker);
        let held = self.added.movements.iter().filter_map(|movement| Some(&movement.held.as_ref()?.0));
        held.chain(ordered).cloned().collect()
    }
}
