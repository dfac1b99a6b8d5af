//! What every vendor can be asked.

use async_trait::async_trait;
use protocol::{Date, trading::Ticker};
use serde::{Deserialize, Serialize};

use crate::{
    Article, EarningsDate, EconomicEvent, Frequency, InsiderTrade, Mover, MoverKind, NewsAbout, NoData,
    Outcome, PriceHistory, Profile, Statement, StatementFigure, Why,
};

/// A kind of data. Each has an order of vendors of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// Daily prices, dividends and splits.
    Prices,
    /// Statements and profiles.
    Fundamentals,
    /// News.
    News,
    /// Trades of insiders.
    Insiders,
    /// What moves most.
    Movers,
    /// Days of earnings and of economic figures.
    Calendars,
}

impl DataKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Prices, Self::Fundamentals, Self::News, Self::Insiders, Self::Movers, Self::Calendars];

    /// In words: `insider trades`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Fundamentals => "fundamentals",
            Self::News => "news",
            Self::Insiders => "insider trades",
            Self::Movers => "market movers",
            Self::Calendars => "calendars",
        }
    }
}

/// A source of data. It is asked as of a day, and nothing that became public after that day is ever part of an
/// answer. What it does not offer is [`Why::Empty`].
#[async_trait]
pub trait Vendor: Send + Sync {
    /// The vendor's name, as shown beside its data.
    fn name(&self) -> &str;

    /// All daily prices up to `as_of`. The last one is of `as_of` itself or, where that is no trading day or is not
    /// over, of the last trading day before it.
    async fn prices(&self, _ticker: &Ticker, _as_of: Date) -> Outcome<PriceHistory> {
        Err(self.without(DataKind::Prices))
    }

    /// The figures of a statement, newest period first, each as it stood on `as_of`.
    async fn statement(
        &self,
        _ticker: &Ticker,
        _statement: Statement,
        _frequency: Frequency,
        _as_of: Date,
    ) -> Outcome<Vec<StatementFigure>> {
        Err(self.without(DataKind::Fundamentals))
    }

    /// What the company is.
    async fn profile(&self, _ticker: &Ticker, _as_of: Date) -> Outcome<Profile> {
        Err(self.without(DataKind::Fundamentals))
    }

    /// Articles that were published from `from` to `as_of`, newest first.
    async fn news(&self, _about: &NewsAbout, _from: Date, _as_of: Date) -> Outcome<Vec<Article>> {
        Err(self.without(DataKind::News))
    }

    /// Trades of insiders that were public on `as_of`, newest first.
    async fn insider_trades(&self, _ticker: &Ticker, _as_of: Date) -> Outcome<Vec<InsiderTrade>> {
        Err(self.without(DataKind::Insiders))
    }

    /// What moves most on `as_of`.
    async fn movers(&self, _kind: MoverKind, _as_of: Date) -> Outcome<Vec<Mover>> {
        Err(self.without(DataKind::Movers))
    }

    /// Reports of earnings from `from` to `to` as they were known on `as_of`, of one company or of all.
    async fn earnings(
        &self,
        _ticker: Option<&Ticker>,
        _from: Date,
        _to: Date,
        _as_of: Date,
    ) -> Outcome<Vec<EarningsDate>> {
        Err(self.without(DataKind::Calendars))
    }

    /// Economic figures from `from` to `to` as they were known on `as_of`.
    async fn economic(&self, _from: Date, _to: Date, _as_of: Date) -> Outcome<Vec<EconomicEvent>> {
        Err(self.without(DataKind::Calendars))
    }

    /// That it has no data of this kind.
    fn without(&self, kind: DataKind) -> NoData {
        NoData::new(self.name(), Why::Empty, format!("it has no {}.", kind.label()))
    }
}
