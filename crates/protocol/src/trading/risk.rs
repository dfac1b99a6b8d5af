//! How much a portfolio may lose, as its past days say.

use serde::{Deserialize, Serialize};

use super::{Drawdown, Figure, UnderwaterPoint};
use crate::{Date, Decimal};

/// Risk figures of a portfolio over all its days. A loss is negative in each of them. Fractions are of 1 and rounded
/// to 6 decimals, ratios to 4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskReport {
    /// Number of ledger entries that it rests on.
    pub entries: u64,
    /// The last day that it rests on.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(default, deserialize_with = "crate::date::deserialize_option")]
    pub as_of: Option<Date>,
    /// Daily returns that the figures rest on.
    pub returns: u32,
    /// Volatility of a year, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub volatility: Figure<Decimal>,
    /// Value at risk of one day at 5 %, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub value_at_risk: Figure<Decimal>,
    /// Expected shortfall of one day at 5 %, as a fraction.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub expected_shortfall: Figure<Decimal>,
    /// Sensitivity to the benchmark.
    #[cfg_attr(feature = "openapi", schema(value_type = Figure<crate::Amount>))]
    pub beta: Figure<Decimal>,
    /// The largest fall from a peak.
    pub max_drawdown: Figure<Drawdown>,
    /// How far below its highest value until then each day was, oldest first. Where there are more days than a chart
    /// can show, of each stretch the lowest and the highest.
    pub underwater: Vec<UnderwaterPoint>,
    /// Days that have such a depth.
    pub days: u32,
}
