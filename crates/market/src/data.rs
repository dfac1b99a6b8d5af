//! What vendors serve, in one form for all of them.

use protocol::{Date, Decimal, trading::Ticker};
use serde::{Deserialize, Serialize};

use crate::{Answer, NoData, Outcome, Source};

/// One trading day of one instrument, in the currency of its [`PriceHistory`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyPrice {
    /// The trading day in the zone of the exchange.
    pub date: Date,
    /// First price of the day; `None` if the vendor has none.
    pub open: Option<Decimal>,
    /// Highest price of the day; `None` if the vendor has none.
    pub high: Option<Decimal>,
    /// Lowest price of the day; `None` if the vendor has none.
    pub low: Option<Decimal>,
    /// Closing price.
    pub close: Decimal,
    /// Shares traded; `None` if the vendor does not say.
    pub volume: Option<Decimal>,
}

/// The prices of an instrument as they were known on a day, and what happened to its shares up to then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceHistory {
    /// Days whose session has ended, oldest first, one row a day. Days without prices are left out.
    pub days: Vec<DailyPrice>,
    /// The day that still goes on, where the vendor shows it: its close is the last price by now.
    pub unfinished: Option<DailyPrice>,
    /// Dividends by ex-day, oldest first, a share of the as-of day.
    pub dividends: Vec<Dividend>,
    /// Splits, oldest first.
    pub splits: Vec<Split>,
    /// ISO 4217 code of the prices; `None` if the vendor does not say.
    pub currency: Option<String>,
    /// What the prices are adjusted for.
    pub adjustment: Adjustment,
}

/// What prices are adjusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// For splits up to the as-of day: prices are of one share as it was then.
    Splits,
    /// For splits and dividends up to the end of the data, which may lie after the as-of day: changes are right,
    /// amounts are not those that were paid.
    SplitsAndDividends,
    /// It is not known: prices of a file that does not say.
    Unknown,
}

impl Adjustment {
    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Splits => "adjusted for splits",
            Self::SplitsAndDividends => "adjusted for splits and dividends",
            Self::Unknown => "adjustment not known",
        }
    }
}

/// A dividend in cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dividend {
    /// The first day on which shares trade without it.
    pub date: Date,
    /// Amount a share.
    pub amount: Decimal,
    /// ISO 4217 code, which may differ from that of the prices; `None` if the vendor does not say.
    pub currency: Option<String>,
}

/// A split: for each `denominator` old shares there are `numerator` new ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The first day on which new shares trade.
    pub date: Date,
    /// New shares.
    pub numerator: Decimal,
    /// Old shares; never 0.
    pub denominator: Decimal,
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

/// A statement of a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// What it owns and owes.
    BalanceSheet,
    /// Where cash came from and went.
    CashFlow,
    /// What it earned.
    Income,
}

impl PriceHistory {
    /// The history as an answer of this vendor; none if no day is in it.
    pub(crate) fn answered(self, vendor: &str, ticker: &Ticker, as_of: Date) -> Outcome<Self> {
        let Some(last) = self.days.last() else {
            return Err(NoData::empty(vendor, format!("there are no prices of {ticker} up to {as_of}.")));
        };
        let currency = self.currency.as_deref().unwrap_or("currency not known");
        let mut source = Source::new(vendor, as_of);
        source.published = Some(last.date);
        source.unit = Some(format!("{currency}, {}", self.adjustment.label()));
        if let Some(unfinished) = &self.unfinished {
            source.notes.push(format!("{} was not over and is left out", unfinished.date));
        }
        Ok(Answer { data: self, source })
    }
}

/// How long the periods of statements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Three months.
    Quarterly,
    /// A year.
    Annual,
}

impl Frequency {
    /// How many periods of a statement are given.
    pub(crate) fn most_periods(self) -> usize {
        match self {
            Self::Quarterly => 8,
            Self::Annual => 5,
        }
    }
}

/// A figure of a statement as it stood on the as-of day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementFigure {
    /// What it is called: `Revenue`.
    pub label: String,
    /// The vendor's own name of it: `Revenues`.
    pub concept: String,
    /// First day of the period; `None` for an amount at a moment.
    pub start: Option<Date>,
    /// Last day of the period, or the day of the amount.
    pub end: Date,
    /// The figure.
    pub value: Decimal,
    /// `USD`, `USD/shares`, `shares`.
    pub unit: String,
    /// The day on which this value became public: of the first filing with it, or of its restatement.
    pub published: Date,
    /// How it was computed, where it was not reported as such.
    pub derived: Option<String>,
}

/// What a company is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Fields with their values: sector, industry, ratios.
    pub fields: Vec<(String, String)>,
}

/// A trade of an insider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsiderTrade {
    /// Who.
    pub name: String,
    /// Position; empty if it is not known.
    pub role: String,
    /// The day of the trade.
    pub date: Date,
    /// The day of the filing.
    pub published: Date,
    /// Shares; negative for what was given away.
    pub change: Decimal,
    /// Price a share; `None` if there is none.
    pub price: Option<Decimal>,
    /// The code of form 4: `P` and `S` are trades on the market.
    pub code: String,
}

/// Which instruments move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoverKind {
    /// Largest rises.
    Gainers,
    /// Largest falls.
    Losers,
    /// Most shares traded.
    MostActive,
}

/// An instrument that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mover {
    /// The symbol as the vendor writes it.
    pub symbol: String,
    /// Last price.
    pub price: Option<Decimal>,
    /// Change of the day as a fraction: 0.05 is 5 %.
    pub change: Option<Decimal>,
    /// Shares traded.
    pub volume: Option<Decimal>,
}

/// A report of earnings that is expected or has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarningsDate {
    /// The symbol as the vendor writes it.
    pub symbol: String,
    /// The day; of a report that is still to come it is projected, and may move.
    pub date: Date,
    /// Whether the report has not come yet.
    pub projected: bool,
    /// The company's own fiscal quarter, such as `Q3 of fiscal 2021`, which is none of the calendar.
    pub period: String,
    /// Earnings a share that are expected.
    pub estimate: Option<Decimal>,
    /// Earnings a share that were reported.
    pub actual: Option<Decimal>,
}

/// An economic figure that is expected or has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EconomicEvent {
    /// The day of the release, in UTC.
    pub date: Date,
    /// Country code.
    pub country: String,
    /// What is released.
    pub event: String,
    /// What was released.
    pub actual: Option<Decimal>,
    /// What was expected.
    pub estimate: Option<Decimal>,
    /// The figure before.
    pub previous: Option<Decimal>,
    /// Unit of the three.
    pub unit: String,
}

/// What news are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewsAbout {
    /// One company.
    Company(Ticker),
    /// The markets as a whole.
    Markets,
}
