//! The figures that prompts, reports and the rehearsal rest on. Code computes them, no model.

use std::collections::BTreeMap;

use market::{
    DailyPrice, Market, NoData, figures,
    indicators::{self, Indicator},
};
use protocol::{
    Date, Decimal, Figure, grouped, percent,
    trading::{Confidence, Constraints, Grade, Measured, PortfolioMetrics, Scan, ThesisAngle, Ticker},
};
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};

use super::seen::Served;

/// How a figure is rounded and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// US dollars, 2 decimals.
    Dollars,
    /// A difference of prices in US dollars, 4 decimals.
    Difference,
    /// An index from 0 to 100, 2 decimals.
    Index,
    /// A fraction, shown as a percentage with 2 decimals.
    Fraction,
}

impl Unit {
    fn places(self) -> u32 {
        match self {
            Self::Dollars | Self::Index => 2,
            Self::Difference | Self::Fraction => 4,
        }
    }

    /// The value as it is shown everywhere.
    pub fn show(self, value: Decimal) -> String {
        match self {
            Self::Fraction => percent(value, 2),
            unit => grouped(value, unit.places()),
        }
    }

    /// Rounds once, to what is shown: a second rounding could show another last digit.
    pub fn round(self, value: Decimal) -> Decimal {
        value.round_dp_with_strategy(self.places(), RoundingStrategy::MidpointAwayFromZero)
    }
}

/// A figure that is measured of every stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The day's close.
    Close,
    /// A technical indicator.
    Indicator(Indicator),
    /// A figure of the price history.
    History(figures::Figure),
}

impl Kind {
    /// All of them, in the order of a report.
    pub fn all() -> impl Iterator<Item = Self> {
        let indicators = Indicator::ALL.into_iter().map(Self::Indicator);
        [Self::Close].into_iter().chain(indicators).chain(figures::Figure::ALL.into_iter().map(Self::History))
    }

    /// The name that agents use.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Indicator(indicator) => indicator.slug(),
            Self::History(figure) => figure.slug(),
        }
    }

    /// The name that people use.
    pub fn label(self) -> &'static str {
        match self {
            Self::Close => "Close",
            Self::Indicator(indicator) => indicator.label(),
            Self::History(figure) => figure.label(),
        }
    }

    /// How it is rounded and shown.
    pub fn unit(self) -> Unit {
        match self {
            Self::Indicator(Indicator::Macd | Indicator::Macds | Indicator::Macdh) => Unit::Difference,
            Self::Indicator(Indicator::Rsi) => Unit::Index,
            Self::Close | Self::Indicator(_) => Unit::Dollars,
            Self::History(_) => Unit::Fraction,
        }
    }

    fn measure(self, prices: &[DailyPrice]) -> Measured<Decimal> {
        match self {
            Self::Close => match prices.last() {
                Some(price) => Measured::Known(price.close),
                None => Measured::Unknown("not available: there are no prices".to_owned()),
            },
            Self::Indicator(indicator) => indicators::compute(prices, indicator),
            Self::History(figure) => figures::compute(prices, figure),
        }
    }
}

/// What is measured of one stock as of one day. The values are rounded as they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketFacts {
    /// The stock.
    pub ticker: Ticker,
    /// Its company's name.
    pub name: String,
    /// Its sector.
    pub sector: String,
    /// The last day with a price, at or before the day of the analysis.
    pub as_of: Date,
    /// Who supplied the prices.
    pub source: String,
    /// Values by slug; an unknown one has its reason.
    pub figures: BTreeMap<String, Measured<Decimal>>,
    /// What the figures rest on; logs of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
}

impl MarketFacts {
    /// Measures every figure of `ticker` as of `date`; nothing later is looked at.
    ///
    /// # Errors
    /// The vendor has no prices of the ticker or of the day.
    pub async fn measure(market: &Market, ticker: &Ticker, date: Date) -> Result<Self, NoData> {
        let answer = market.prices(ticker, date).await?;
        let prices = &answer.data.days;
        let instrument = market.instrument(ticker);
        let measured = Kind::all().map(|kind| {
            let value = match kind.measure(prices) {
                Measured::Known(value) => Measured::Known(kind.unit().round(value)),
                unknown => unknown,
            };
            (kind.slug().to_owned(), value)
        });
        Ok(Self {
            ticker: ticker.clone(),
            name: instrument.map_or_else(|| ticker.to_string(), |instrument| instrument.name.clone()),
            sector: instrument.map(|instrument| instrument.sector.clone()).unwrap_or_default(),
            as_of: prices.last().map_or(date, |price| price.date),
            source: answer.source.vendor.clone(),
            figures: measured.collect(),
            served: Some(Served::of_days(answer.source, prices.iter().map(|price| price.date))),
        })
    }

    /// The figure's value, if it is known.
    pub fn value(&self, slug: &str) -> Option<Decimal> {
        self.figures.get(slug).and_then(Measured::known).copied()
    }

    /// The figure as it is shown: its value, or why there is none.
    pub fn shown(&self, slug: &str) -> String {
        let kind = Kind::all().find(|kind| kind.slug() == slug);
        match (self.figures.get(slug), kind) {
            (Some(Measured::Known(value)), Some(kind)) => kind.unit().show(*value),
            (Some(Measured::Unknown(reason)), _) => reason.clone(),
            _ => "not available: it was not measured".to_owned(),
        }
    }

    /// All figures with their source, for a report.
    pub fn report(&self) -> Vec<Figure> {
        let source = format!("{}, as of {}", self.source, self.as_of);
        Kind::all()
            .map(|kind| Figure {
                label: kind.label().to_owned(),
                value: self.shown(kind.slug()),
                source: source.clone(),
            })
            .collect()
    }
}

/// An input that the analysis does without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The input: `market`, `social`, `news` or `fundamentals`.
    pub input: String,
    /// The reason why it is missing.
    pub reason: String,
}

/// What every role of a pipeline run is told about the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// The stock.
    pub ticker: Ticker,
    /// The day of the analysis.
    pub date: Date,
    /// 1 in the first round of a debate.
    pub round: u32,
    /// The price figures; none if the market analyst was not selected.
    pub market: Option<MarketFacts>,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// The critical condition that an analyst reported.
    pub abort: Option<String>,
    /// What was said last, and by whom.
    pub last_point: Option<LastPoint>,
}

/// The headline of what another voice said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPoint {
    /// The role that spoke.
    pub speaker: String,
    /// The first sentence.
    pub text: String,
}

/// A stock that the portfolio may buy, as the decision maker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateFacts {
    /// The stock.
    pub ticker: Ticker,
    /// Its sector.
    pub sector: String,
    /// The rating's grade.
    pub grade: Grade,
    /// The rating's confidence.
    pub confidence: Confidence,
    /// `high`, `medium` or `low`, from grade and confidence.
    pub conviction: Confidence,
    /// What the flow's scan rests its proposal on; `None` where no scan proposes the stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thesis: Option<ThesisAngle>,
    /// The day of the rating.
    pub rated_on: Date,
    /// The rating's summary.
    pub summary: String,
    /// Priority; 0 means that it must not be bought.
    pub priority: Decimal,
    /// Why the priority is 0.
    pub skip: Option<String>,
    /// The day's closing price; `None` if there is none.
    pub price: Option<Decimal>,
}

/// A holding, as the reviewer and the decision maker see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingFacts {
    /// The stock.
    pub ticker: Ticker,
    /// Its sector.
    pub sector: String,
    /// Shares.
    pub quantity: Decimal,
    /// Average cost a share.
    pub average_cost: Decimal,
    /// The day's closing price.
    pub price: Option<Decimal>,
    /// Market value.
    pub market_value: Option<Decimal>,
    /// Fraction of the portfolio's total value.
    pub weight: Option<Decimal>,
    /// Unrealised profit.
    pub unrealised_profit: Option<Decimal>,
    /// The grade of the flow's latest analysis, if there is one.
    pub grade: Option<Grade>,
    /// Price figures, if there are any.
    pub market: Option<MarketFacts>,
}

/// What the reviewer of holdings decided about one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The holding.
    pub ticker: Ticker,
    /// Keep or sell.
    pub recommendation: Recommendation,
    /// How sure the reviewer is.
    pub confidence: Confidence,
    /// The reason for the recommendation.
    pub rationale: String,
    /// What could go wrong.
    pub risks: Vec<String>,
}

/// Keep or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    /// Keep.
    Hold,
    /// Sell.
    Sell,
}

impl Recommendation {
    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Sell => "sell",
        }
    }
}

/// What the reviewer of the holdings is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewFacts {
    /// The day of the decision.
    pub date: Date,
    /// The holdings.
    pub holdings: Vec<HoldingFacts>,
}

/// What the macro brief rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacroFacts {
    /// The day of the decision.
    pub date: Date,
    /// The market index, if there are prices of it.
    pub index: Option<MarketFacts>,
    /// Factor funds.
    pub factors: Vec<MarketFacts>,
    /// The flow's scan of the market, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// What is missing.
    pub missing: Vec<Missing>,
}

impl MacroFacts {
    /// Whether there is nothing that a brief could rest on.
    pub fn is_empty(&self) -> bool {
        self.index.is_none() && self.factors.is_empty() && self.scan.is_none()
    }
}

/// What the micro brief rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MicroFacts {
    /// The day of the decision.
    pub date: Date,
    /// The holdings.
    pub holdings: Vec<HoldingFacts>,
    /// Their reviews.
    pub reviews: Vec<Review>,
    /// What may be bought, by priority.
    pub candidates: Vec<CandidateFacts>,
}

/// What the decision rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionFacts {
    /// The day of the decision and of its prices.
    pub date: Date,
    /// Cash in US dollars.
    pub cash: Decimal,
    /// Cash and holdings in US dollars; unknown if a holding has no price.
    pub total: Measured<Decimal>,
    /// Unrealised profit in US dollars.
    pub unrealised_profit: Measured<Decimal>,
    /// Realised profit in US dollars.
    pub realised_profit: Decimal,
    /// Risk figures.
    pub risk: PortfolioMetrics,
    /// Limits for purchases.
    pub limits: Constraints,
    /// The market index, if there are prices of it.
    pub index: Option<MarketFacts>,
    /// The holdings.
    pub holdings: Vec<HoldingFacts>,
    /// Their reviews.
    pub reviews: Vec<Review>,
    /// What may be bought, by priority.
    pub candidates: Vec<CandidateFacts>,
}
