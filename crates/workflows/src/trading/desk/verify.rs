//! A decision's place in a ledger, and what stands around it, made again by the rules that made it.

use std::collections::BTreeMap;

use market::Market;
use portfolio::{Entry, ExecutionInputs, Portfolio, PortfolioError};
use protocol::{
    Date, Decimal, RunId, Timestamp,
    document::DocumentReference,
    trading::{Decision, PortfolioId, Ticker},
};

use super::{Desk, DeskError, days, is_keyed, market_days::Rules};
use crate::Check;

/// A ledger with the place of one decision in it.
pub(in crate::trading) struct LedgerPlace {
    entries: Vec<Entry>,
    place: usize,
}

impl LedgerPlace {
    /// How many entries stand before the decision.
    pub(in crate::trading) fn number(&self) -> usize {
        self.place
    }

    /// The decision's entry.
    pub(in crate::trading) fn entry(&self) -> &Entry {
        &self.entries[self.place]
    }

    /// The portfolio before the decision.
    ///
    /// # Errors
    /// What is recorded cannot have happened.
    pub(in crate::trading) fn before(&self) -> Result<Portfolio, PortfolioError> {
        self.until(self.place)
    }

    /// The portfolio after so many entries.
    ///
    /// # Errors
    /// What is recorded cannot have happened.
    pub(in crate::trading) fn until(&self, entries: usize) -> Result<Portfolio, PortfolioError> {
        Portfolio::fold(self.entries.get(..entries).unwrap_or(&self.entries))
    }
}

/// What a decision is carried out with.
pub(in crate::trading) struct Carrying<'a> {
    /// Its idempotency key.
    pub key: &'a str,
    /// The run that decided.
    pub run: Option<RunId>,
    /// Its day.
    pub date: Date,
    /// When it is carried out.
    pub at: Timestamp,
    /// The prices of the day, in US dollars.
    pub prices: &'a BTreeMap<Ticker, Decimal>,
    /// The table of own prices that they come from, before the shared ones.
    pub price_table: Option<DocumentReference>,
}

impl Desk {
    /// The place of the entry with this key; `None` if the ledger has none.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], or the ledger cannot be read.
    pub(in crate::trading) async fn place_of(
        &self,
        id: &PortfolioId,
        key: &str,
    ) -> Result<Option<LedgerPlace>, DeskError> {
        let entries = self.entries(id).await?;
        let place = entries.iter().position(|entry| is_keyed(entry, key));
        Ok(place.map(|place| LedgerPlace { entries, place }))
    }

    /// The entry that a decision makes of a portfolio, with what becomes of the spare cash.
    ///
    /// # Errors
    /// See [`portfolio::execute`].
    pub(in crate::trading) fn execute(
        &self,
        portfolio: &Portfolio,
        decision: &Decision,
        carrying: &Carrying<'_>,
    ) -> Result<Entry, PortfolioError> {
        let Carrying { key, run, date, at, prices, price_table } = *carrying;
        let inputs = ExecutionInputs {
            prices,
            sectors: &self.sectors(),
            constraints: &portfolio.settings().limits,
            cash_equivalent: self.cash_equivalent.as_ref(),
            key,
            run,
            date,
            at,
            price_table,
        };
        let entry = portfolio::execute(portfolio, decision, &inputs)?;
        Ok(portfolio::sweep(portfolio, entry, &inputs)?.0)
    }

    /// Lets the market's days around a decision pass again: those since the entry before it that is no day, and those
    /// up to the entry behind it that is none. Their prices are those of the market: the run's log does not have them.
    /// `None`: none are recorded, and only a vendor over a network, which is not asked, knows whether any should be.
    ///
    /// # Errors
    /// The prices cannot be had, or what is recorded cannot have happened.
    pub(in crate::trading) async fn verify_days(
        &self,
        place: &LedgerPlace,
    ) -> Result<Option<Check>, DeskError> {
        let what = "what the market did before the decision, and to its orders, from the prices";
        let after = place.until(place.place + 1)?;
        let LedgerPlace { entries, place } = place;
        let is_day = |entry: &&Entry| matches!(entry, Entry::Passed { .. });
        let first = place - entries[..*place].iter().rev().take_while(is_day).count();
        let end = place + 1 + entries[place + 1..].iter().take_while(is_day).count();
        let (days_before, days_behind) = (&entries[first..*place], &entries[place + 1..end]);
        let prices = match self.prices_of(&after).await? {
            prices if prices.table == decided_at(&entries[*place]) => prices,
            _ => {
                let reason = "The table of own prices that it was decided at is not there any more.";
                return Ok(Some(Check::unknown(what, reason)));
            }
        };
        if prices.market.is_live() {
            let reason = "Their prices come from a vendor over a network, which is not asked.";
            let is_none = days_before.is_empty() && days_behind.is_empty();
            return Ok((!is_none).then(|| Check::unknown(what, reason)));
        }
        let decided = entries[*place].date();
        // What changes the rules belongs to no day: up to when days were to pass is not known then.
        let until = entries.get(end).and_then(Entry::date).or(entries[end - 1].date());
        let before =
            (self.days_again(&prices.market, &entries[..first], decided).await?, without_time(days_before));
        let behind =
            (self.days_again(&prices.market, &entries[..=*place], until).await?, without_time(days_behind));
        Ok(Some(Check::equal(what, &(&before.0, &behind.0), &(&before.1, &behind.1))))
    }

    /// What the days up to `until` do after some entries.
    async fn days_again(
        &self,
        market: &Market,
        entries: &[Entry],
        until: Option<Date>,
    ) -> Result<Vec<Entry>, DeskError> {
        let mut portfolio = Portfolio::fold(entries)?;
        let Some(until) = until else { return Ok(Vec::new()) };
        let tickers = portfolio.tickers().into_iter().chain(self.cash_equivalent.clone());
        let days = days(market, tickers, until).await?;
        let sectors = &self.sectors();
        let cash_equivalent = self.cash_equivalent.as_ref();
        let rules = Rules { sectors, cash_equivalent, at: Timestamp(0) };
        Ok(days.pass(&mut portfolio, until, &rules)?)
    }
}

/// The table of own prices that a decision was taken at.
fn decided_at(entry: &Entry) -> Option<DocumentReference> {
    match entry {
        Entry::Decided { price_table, .. } => *price_table,
        _ => None,
    }
}

/// Days without when they were recorded.
fn without_time(entries: &[Entry]) -> Vec<Entry> {
    let mut entries = entries.to_vec();
    for entry in &mut entries {
        if let Entry::Passed { at, trades, .. } = entry {
            *at = Timestamp(0);
            trades.iter_mut().for_each(|trade| trade.executed_at = Timestamp(0));
        }
    }
    entries
}
