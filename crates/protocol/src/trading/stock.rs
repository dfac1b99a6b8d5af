//! What is known of one stock: its prices, what was thought of it and when, what was done, and what was learnt.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    Confidence, DecisionScore, Grade, HoldingView, LessonVerdict, ListedLesson, Measured, Order, PortfolioId,
    Ticker, Trade,
};
use crate::{Date, Decimal, FlowId, RunId, RunStatus};

/// How far back the prices of a stock are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PriceSpan {
    /// Three months.
    #[serde(rename = "3m")]
    ThreeMonths,
    /// A year.
    #[default]
    #[serde(rename = "1y")]
    Year,
    /// All that there are.
    #[serde(rename = "all")]
    All,
}

impl PriceSpan {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::ThreeMonths, Self::Year, Self::All];

    /// Its name in addresses.
    pub fn slug(self) -> &'static str {
        match self {
            Self::ThreeMonths => "3m",
            Self::Year => "1y",
            Self::All => "all",
        }
    }

    /// The words on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::ThreeMonths => "3 months",
            Self::Year => "1 year",
            Self::All => "All",
        }
    }
}

impl fmt::Display for PriceSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

impl FromStr for PriceSpan {
    type Err = UnknownSpan;

    fn from_str(text: &str) -> Result<Self, UnknownSpan> {
        Self::ALL.into_iter().find(|span| span.slug() == text).ok_or(UnknownSpan)
    }
}

/// No span is called that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A span is 3m, 1y or all.")]
pub struct UnknownSpan;

/// One stock, as one account knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockReport {
    /// The stock.
    pub ticker: Ticker,
    /// The company's name; empty if the stock is not listed.
    pub name: String,
    /// Its sector; empty if it is not known.
    pub sector: String,
    /// How far back the prices go.
    pub span: PriceSpan,
    /// Its closes over the span, or why there are none.
    pub prices: Measured<PriceCourse>,
    /// The newest analyses, oldest first.
    pub analyses: Vec<PastAnalysis>,
    /// Whether there are older ones.
    pub has_older_analyses: bool,
    /// The newest lessons on it, those that became known first before the others.
    pub lessons: Vec<ListedLesson>,
    /// How many lessons there are on it.
    pub all_lessons: u32,
    /// What each portfolio that has traded or ordered it has of it, by id.
    pub positions: Vec<StockPosition>,
}

/// Closes of a stock over a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceCourse {
    /// Closes, oldest first, at least one. Where there are more than a chart can show, of each stretch the lowest and
    /// the highest.
    pub closes: Vec<DayClose>,
    /// Days that the span has closes of.
    pub days: u32,
    /// The stock's return from the first close to the last, a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub stock_return: Measured<Decimal>,
    /// The index's return over the same days, a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub index_return: Measured<Decimal>,
    /// Whose prices they are, and what these are adjusted for.
    pub source: String,
}

/// A close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayClose {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The price, in the currency of the prices.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub close: Decimal,
}

/// An analysis of a stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PastAnalysis {
    /// The run.
    pub run: RunId,
    /// Its flow.
    pub flow: FlowId,
    /// The day that it is as of.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// Where the run stands.
    pub status: RunStatus,
    /// The phase that works now.
    pub phase: Option<String>,
    /// Whether it was done elsewhere: a file says what it came to.
    pub is_imported: bool,
    /// What it came to, or why there is nothing.
    pub rating: Measured<ShortRating>,
    /// What became of the stock afterwards.
    pub outcome: AnalysisOutcome,
    /// The lessons that it was told of, or why that is not known.
    pub lessons: Measured<LessonsTold>,
    /// The models that were asked.
    pub models: Vec<String>,
    /// What it cost as far as that is known, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cost: Decimal,
    /// Model calls whose cost is not known.
    pub calls_of_unknown_cost: u32,
    /// What it saw, in the order of [`SeenKind`].
    pub saw: Vec<SeenData>,
}

/// A rating in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShortRating {
    /// The grade.
    pub grade: Grade,
    /// How sure it is.
    pub confidence: Confidence,
    /// One or two sentences.
    pub summary: String,
}

/// What became of a stock after an analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AnalysisOutcome {
    /// The horizon has passed.
    Known {
        /// The stock beside the index.
        score: Box<DecisionScore>,
        /// What that says of the rating.
        verdict: LessonVerdict,
    },
    /// The horizon has not passed yet.
    Open {
        /// The first day on which the outcome can be known.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
        #[serde(deserialize_with = "crate::date::deserialize")]
        known_from: Date,
    },
    /// It cannot be told.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// The lessons that an analysis was told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessonsTold {
    /// The days of the decisions on the same stock that they are on.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    #[serde(deserialize_with = "crate::date::deserialize_all")]
    pub on_stock: Vec<Date>,
    /// How many were on other stocks.
    pub on_others: u32,
}

/// A kind of data that an analysis rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SeenKind {
    /// Daily prices.
    Prices,
    /// Technical indicators.
    Indicators,
    /// Profile, statements and ratios.
    Fundamentals,
    /// News of the stock.
    News,
    /// News of the world.
    WorldNews,
    /// Trades of insiders.
    Insiders,
    /// Dates of earnings and of the economy.
    Calendars,
    /// The stocks that moved most.
    Movers,
}

impl SeenKind {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 8] = [
        Self::Prices,
        Self::Indicators,
        Self::Fundamentals,
        Self::News,
        Self::WorldNews,
        Self::Insiders,
        Self::Calendars,
        Self::Movers,
    ];

    /// The words on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Prices => "Prices",
            Self::Indicators => "Indicators",
            Self::Fundamentals => "Fundamentals",
            Self::News => "News",
            Self::WorldNews => "World news",
            Self::Insiders => "Insider trades",
            Self::Calendars => "Calendars",
            Self::Movers => "Movers",
        }
    }
}

/// What an analysis saw of a kind of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenData {
    /// The kind.
    pub kind: SeenKind,
    /// Who served them, each once.
    pub vendors: Vec<String>,
    /// Rows that were served.
    pub rows: u64,
    /// The first day in them.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize_option")]
    pub from: Option<Date>,
    /// The last day in them.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize_option")]
    pub to: Option<Date>,
    /// What was missing, each reason once.
    pub missing: Vec<String>,
}

/// What a portfolio has of a stock, and what was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockPosition {
    /// The portfolio.
    pub portfolio: PortfolioId,
    /// Its name.
    pub name: String,
    /// The day of the holding's price.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize_option")]
    pub as_of: Option<Date>,
    /// What is held; `None` if nothing is.
    pub holding: Option<HoldingView>,
    /// How much of the portfolio's value one stock may be, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub limit: Decimal,
    /// What sales of it realised, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub realised_profit: Decimal,
    /// How many shares were held from when on, the newest changes, oldest first.
    pub held: Vec<HeldFrom>,
    /// The newest trades of it, oldest first.
    pub trades: Vec<Trade>,
    /// The newest orders of it and what became of each, oldest first.
    pub orders: Vec<FlowOrder>,
}

/// How many shares are held from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldFrom {
    /// The day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// Shares; zero where all were sold.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
}

/// An order with the flow of the run that decided it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowOrder {
    /// The flow; `None` where no run is known.
    pub flow: Option<FlowId>,
    /// The order.
    pub order: OrderCourse,
}

/// What became of an order of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderCourse {
    /// Its idempotency key; `None` for one that was refused at once, which has none.
    pub key: Option<String>,
    /// The run that decided it.
    pub run: Option<RunId>,
    /// The day of the decision.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub decided: Date,
    /// The order. Of one that was filled at once, what was traded.
    pub order: Order,
    /// What became of it.
    pub end: OrderEnd,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderEnd {
    /// It was executed.
    Filled {
        /// The trade.
        trade: Box<Trade>,
    },
    /// It waits for the first price after its decision.
    Waits,
    /// It was refused.
    Rejected {
        /// The day on which it was.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// Price it would have had, in US dollars; `None` if there was none.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
        price: Option<Decimal>,
        /// Every reason.
        reasons: Vec<String>,
    },
}
