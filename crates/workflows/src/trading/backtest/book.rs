//! The portfolio of a backtest, as its run's state has it.

use std::collections::BTreeMap;

use engine::{NodeError, State};
use portfolio::{
    Closes, DayInputs, Entry, ExecutionInputs, Portfolio, PortfolioError, Quotes, prices_at,
    references::MarketDay,
};
use protocol::{
    Date, Decimal, RunId, Timestamp,
    trading::{Bookings, Decision, PortfolioView, Ticker},
};

use super::{
    assignment::{Backtest, benchmark},
    state,
};

/// Milliseconds of a day.
const DAY: i64 = 24 * 3600 * 1000;
/// The day from which time is counted.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A portfolio, and the market that it has lived through.
pub(super) struct Book<'a> {
    backtest: &'a Backtest,
    portfolio: Portfolio,
    /// What was booked since it was read.
    booked: Vec<Entry>,
    closes: Closes,
}

impl<'a> Book<'a> {
    /// The portfolio as the state before a visit has it.
    ///
    /// # Errors
    /// The state is not as the run's nodes leave it.
    pub fn read(backtest: &'a Backtest, state: &State) -> Result<Self, NodeError> {
        let entries: Vec<Vec<Entry>> = state.get(state::ENTRIES)?.unwrap_or_default();
        let days: Vec<Vec<MarketDay>> = state.get(state::DAYS)?.unwrap_or_default();
        let portfolio =
            Portfolio::fold(&entries.into_iter().flatten().collect::<Vec<_>>()).map_err(unbookable)?;
        let mut book = Self { backtest, portfolio, booked: Vec::new(), closes: Closes::new() };
        days.iter().flatten().for_each(|day| book.see(day));
        Ok(book)
    }

    fn see(&mut self, day: &MarketDay) {
        for (ticker, bar) in &day.bars {
            self.closes.entry(ticker.clone()).or_default().insert(day.date, bar.close);
        }
    }

    /// The portfolio.
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// What was booked since it was read.
    pub fn into_booked(self) -> Vec<Entry> {
        self.booked
    }

    /// The same, not taken away.
    pub fn booked(&self) -> &[Entry] {
        &self.booked
    }

    /// Lets a day of the market pass.
    ///
    /// # Errors
    /// It cannot be booked, in a sentence.
    pub fn pass(&mut self, day: &MarketDay) -> Result<(), NodeError> {
        let yesterday = day.date.yesterday().map_err(|error| NodeError::failed(error.to_string()))?;
        let before: BTreeMap<Ticker, Decimal> = prices_at(&self.closes, yesterday);
        self.see(day);
        let sectors = self.backtest.sectors();
        let inputs = DayInputs {
            date: day.date,
            bars: &day.bars,
            before: &before,
            splits: &day.splits,
            dividends: &day.dividends,
            sectors: &sectors,
            constraints: &self.backtest.constraints,
            cash_equivalent: None,
            at: midnight(day.date),
        };
        match portfolio::pass(&self.portfolio, &inputs).map_err(unbookable)? {
            Some(entry) => self.append(entry),
            None => Ok(()),
        }
    }

    /// Books a decision of a day, after its close. One that came to nothing orders nothing.
    ///
    /// # Errors
    /// It cannot be booked, in a sentence.
    pub fn decide(&mut self, date: Date, run: RunId, decision: Option<&Decision>) -> Result<(), NodeError> {
        let nothing = Decision {
            orders: Vec::new(),
            holds: Vec::new(),
            confidence: protocol::trading::Confidence::Low,
            regime: String::new(),
            thesis: String::new(),
            risk_summary: String::new(),
        };
        let sectors = self.backtest.sectors();
        let inputs = ExecutionInputs {
            prices: &prices_at(&self.closes, date),
            sectors: &sectors,
            constraints: &self.backtest.constraints,
            cash_equivalent: None,
            key: &format!("decision/{date}"),
            run: Some(run),
            date,
            at: midnight(date),
            // The backtest names its own for all of its days.
            price_table: None,
        };
        let entry =
            portfolio::execute(&self.portfolio, decision.unwrap_or(&nothing), &inputs).map_err(unbookable)?;
        self.append(entry)
    }

    fn append(&mut self, entry: Entry) -> Result<(), NodeError> {
        self.portfolio.apply(&entry).map_err(unbookable)?;
        self.booked.push(entry);
        Ok(())
    }

    /// The portfolio at the closes of a day, with its value on each day until then.
    ///
    /// # Errors
    /// An amount is too large.
    pub fn view(&self, date: Date) -> Result<PortfolioView, NodeError> {
        let benchmark = benchmark().ok_or_else(|| NodeError::failed("There is no benchmark."))?;
        let instruments = self.backtest.market.instruments();
        let quotes = Quotes { instruments, closes: &self.closes, benchmark: &benchmark };
        portfolio::value(&self.portfolio, &quotes, &self.backtest.constraints, date).map_err(unbookable)
    }
}

/// What agents read of a portfolio: its past and the single purchases are left out.
pub(super) fn without_past(view: PortfolioView) -> PortfolioView {
    let holdings = view.holdings.into_iter().map(|mut holding| {
        holding.lots = Vec::new();
        holding
    });
    PortfolioView {
        holdings: holdings.collect(),
        trades: Vec::new(),
        history: Vec::new(),
        last_decision: None,
        bookings: Bookings::default(),
        pending: Vec::new(),
        ..view
    }
}

/// The moment under which what belongs to a day is recorded, so that the same backtest books the same.
pub(super) fn midnight(date: Date) -> Timestamp {
    let days = date.since(EPOCH).map_or(0, |span| i64::from(span.get_days()));
    Timestamp(days * DAY)
}

pub(super) fn unbookable(error: PortfolioError) -> NodeError {
    NodeError::failed(error.to_string())
}
