//! What a scan of the market brings forth: where the market stands, and which stocks are worth an analysis.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Confidence, Measured, Ticker};
use crate::{Date, Decimal};

/// Where the market as a whole stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Investors take risks.
    RiskOn,
    /// Investors avoid risks.
    RiskOff,
    /// The signals do not agree, or too many are missing.
    Transition,
}

impl fmt::Display for Regime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::RiskOn => "risk-on",
            Self::RiskOff => "risk-off",
            Self::Transition => "transition",
        })
    }
}

/// One of the six signals of the regime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegimeSignal {
    /// What it looks at, such as `VIX level`.
    pub name: String,
    /// The figure that it rests on, with at most 6 decimals; unknown without data.
    #[cfg_attr(feature = "openapi", schema(value_type = Measured<crate::Amount>))]
    pub value: Measured<Decimal>,
    /// Whether the figure is a fraction (0.05 is 5 %); otherwise it is points of an index.
    pub is_fraction: bool,
    /// 1 for risk-on, −1 for risk-off, 0 for neither or without data.
    pub points: i32,
    /// What gives a point, in words.
    pub rule: String,
}

/// Where the market stands as of a day, with what that rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MacroRegime {
    /// The day; nothing later is looked at.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// Risk-on from a score of 3, risk-off down from −3, transition between.
    pub regime: Regime,
    /// High from 4 points either way, medium from 2, low below.
    pub confidence: Confidence,
    /// The sum of the points, −6 to 6.
    pub score: i32,
    /// All six signals, also those without data.
    pub signals: Vec<RegimeSignal>,
}

/// Something that a run did without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingInput {
    /// What it is.
    pub input: String,
    /// Why it is missing.
    pub reason: String,
}

/// What a proposal of a scan rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThesisAngle {
    /// The business grows.
    Growth,
    /// It is cheap.
    Value,
    /// An event is ahead.
    Catalyst,
    /// A bad time ends.
    Turnaround,
    /// It holds when others fall.
    Defensive,
    /// Its price rises.
    Momentum,
}

impl fmt::Display for ThesisAngle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Growth => "growth",
            Self::Value => "value",
            Self::Catalyst => "catalyst",
            Self::Turnaround => "turnaround",
            Self::Defensive => "defensive",
            Self::Momentum => "momentum",
        })
    }
}

/// The economy around the market, as the scan's last agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MacroContext {
    /// Where in its cycle the economy stands.
    pub economic_cycle: String,
    /// What central banks do.
    pub central_bank_stance: String,
    /// Risks of politics; at most 10.
    pub geopolitical_risks: Vec<String>,
}

/// A theme of the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarketTheme {
    /// Its name.
    pub theme: String,
    /// What it is.
    pub description: String,
    /// How sure the scan is of it.
    pub conviction: Confidence,
    /// How long it is expected to last.
    pub timeframe: String,
}

/// A stock that a scan proposes for an analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockProposal {
    /// The stock.
    pub ticker: Ticker,
    /// Its company.
    pub name: String,
    /// Its sector.
    pub sector: String,
    /// Why it is proposed.
    pub rationale: String,
    /// What the proposal rests on.
    pub thesis_angle: ThesisAngle,
    /// How sure the scan is of it.
    pub conviction: Confidence,
    /// What could move it up; at most 10.
    pub key_catalysts: Vec<String>,
    /// What could go wrong; at most 10.
    pub risks: Vec<String>,
}

/// The result of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scan {
    /// The day that it is as of.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// For how long it is meant to hold.
    pub timeframe: String,
    /// A few sentences for a reader in a hurry.
    pub executive_summary: String,
    /// The economy.
    pub macro_context: MacroContext,
    /// Where the market stands, as code computed it.
    pub regime: MacroRegime,
    /// Themes; at most 10.
    pub key_themes: Vec<MarketTheme>,
    /// What to analyse, each stock once, best first; at most as many as were asked for.
    pub stocks_to_investigate: Vec<StockProposal>,
    /// What could prove the scan wrong; at most 10.
    pub risk_factors: Vec<String>,
    /// What it did without.
    pub missing: Vec<MissingInput>,
}
