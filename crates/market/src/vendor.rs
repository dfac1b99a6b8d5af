use async_trait::async_trait;
use protocol::{
    Date, Decimal,
    trading::{Instrument, Ticker},
};
use serde::{Deserialize, Serialize};

use crate::MarketError;

/// One trading day of one instrument, in US dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyPrice {
    /// The trading day.
    pub date: Date,
    /// Closing price, adjusted for splits and dividends where the vendor says so.
    pub close: Decimal,
    /// Highest price of the day; `None` if the vendor has closes only.
    pub high: Option<Decimal>,
    /// Lowest price of the day; `None` if the vendor has closes only.
    pub low: Option<Decimal>,
    /// Shares traded; `None` if the vendor has closes only.
    pub volume: Option<Decimal>,
}

/// A source of daily prices.
#[async_trait]
pub trait PriceVendor: Send + Sync {
    /// The vendor's name, as shown beside its data.
    fn name(&self) -> &str;

    /// What prices exist for.
    fn instruments(&self) -> &[Instrument];

    /// The first day with prices.
    fn first_date(&self) -> Date;

    /// The last day with prices.
    fn last_date(&self) -> Date;

    /// All daily prices up to `as_of`, oldest first. The last one is of `as_of` itself or, where that
    /// is no trading day, of the last trading day before it. Nothing after `as_of` is ever returned.
    ///
    /// # Errors
    /// [`MarketError::UnknownTicker`]; [`MarketError::OutOfRange`] for a day before the first or after
    /// the last day with prices; [`MarketError::Vendor`] where a network is involved.
    async fn history(&self, ticker: &Ticker, as_of: Date) -> Result<Vec<DailyPrice>, MarketError>;

    /// The instrument, if prices exist for it.
    fn instrument(&self, ticker: &Ticker) -> Option<&Instrument> {
        self.instruments().iter().find(|instrument| instrument.ticker == *ticker)
    }
}

/// A news article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// The day of publication, in UTC.
    pub date: Date,
    /// The headline.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// A few sentences; empty if there are none.
    pub summary: String,
    /// Where to read it.
    pub link: Option<String>,
}

/// A source of news.
#[async_trait]
pub trait NewsVendor: Send + Sync {
    /// The vendor's name, as shown beside its data.
    fn name(&self) -> &str;

    /// Articles about one instrument, or about the market as a whole for `None`, that were published
    /// in the `days` days up to and including `as_of`, newest first.
    ///
    /// # Errors
    /// [`MarketError::NotAvailable`] if the vendor has no news, which is a degraded result and no
    /// failure; [`MarketError::Vendor`] where a network is involved.
    async fn news(
        &self,
        ticker: Option<&Ticker>,
        as_of: Date,
        days: u32,
    ) -> Result<Vec<Article>, MarketError>;
}

/// A kind of fundamental data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fundamentals {
    /// Profile and key ratios.
    Overview,
    /// Balance sheets.
    BalanceSheet,
    /// Cash flow statements.
    CashFlow,
    /// Income statements.
    IncomeStatement,
}

/// A source of fundamental data.
#[async_trait]
pub trait FundamentalsVendor: Send + Sync {
    /// The vendor's name, as shown beside its data.
    fn name(&self) -> &str;

    /// The data as Markdown, with nothing that was published after `as_of`.
    ///
    /// # Errors
    /// [`MarketError::NotAvailable`] if the vendor has no such data, which is a degraded result and no
    /// failure; [`MarketError::Vendor`] where a network is involved.
    async fn fundamentals(
        &self,
        kind: Fundamentals,
        ticker: &Ticker,
        as_of: Date,
    ) -> Result<String, MarketError>;
}
