//! Ratings of stocks, and who and what they rest on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Ticker;
use crate::Date;

/// The portfolio manager's five grades, and what stands where none could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The model's answer could not be read as a rating: a person looks at it, and nothing is traded on it. No model
    /// gives this grade.
    Review,
    /// Leave or avoid.
    Sell,
    /// Hold less than usual.
    Underweight,
    /// Keep what is held.
    Hold,
    /// Hold more than usual.
    Overweight,
    /// Enter or add.
    Buy,
}

impl fmt::Display for Grade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Review => "REVIEW",
            Self::Sell => "Sell",
            Self::Underweight => "Underweight",
            Self::Hold => "Hold",
            Self::Overweight => "Overweight",
            Self::Buy => "Buy",
        })
    }
}

impl Grade {
    /// The grade with how sure it is, such as `Overweight, medium confidence`.
    pub fn with_confidence(self, confidence: Confidence) -> String {
        match self {
            Self::Review => "REVIEW, the rating could not be read".to_owned(),
            grade => format!("{grade}, {confidence} confidence"),
        }
    }
}

/// How sure a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Much is missing or contradicts.
    Low,
    /// Some is missing.
    Medium,
    /// The evidence is complete and agrees.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The result of a pipeline run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rating {
    /// The stock.
    pub ticker: Ticker,
    /// The day that the rating is as of.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The grade.
    pub grade: Grade,
    /// How sure the rating is.
    pub confidence: Confidence,
    /// One or two sentences.
    pub summary: String,
    /// The reasons.
    pub thesis: String,
    /// Why the analysis was cut short, if an analyst found a critical condition.
    #[serde(default)]
    pub abort: Option<String>,
}

impl Rating {
    /// `Overweight, medium confidence`.
    pub fn headline(&self) -> String {
        self.grade.with_confidence(self.confidence)
    }
}

/// One of the four analysts of a pipeline run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Analyst {
    /// Prices and indicators.
    Market,
    /// What people say about the stock.
    Social,
    /// Company and world news.
    News,
    /// Statements and ratios.
    Fundamentals,
}

impl Analyst {
    /// All four, in the order of the page.
    pub fn all() -> Vec<Self> {
        vec![Self::Market, Self::Social, Self::News, Self::Fundamentals]
    }

    /// Its name in JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Social => "social",
            Self::News => "news",
            Self::Fundamentals => "fundamentals",
        }
    }

    /// The word on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Market => "Market",
            Self::Social => "Social",
            Self::News => "News",
            Self::Fundamentals => "Fundamentals",
        }
    }
}
