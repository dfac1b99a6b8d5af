//! How a portfolio trades: what it pays for a trade, at which price, and how the cost of shares is counted.

use serde::{Deserialize, Serialize};

use super::Constraints;
use crate::Decimal;

/// The rules that a portfolio trades by. What a request leaves out is as in [`PortfolioSettings::default`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PortfolioSettings {
    /// What a broker takes for each trade.
    pub commission: Commission,
    /// How much worse than the quoted price a trade is filled, as a fraction of that price: 0.0005 is five
    /// hundredths of a percent. From 0 to 0.1, with at most 6 decimals.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub slippage: Decimal,
    /// Which cost a sale is held against.
    pub cost_method: CostMethod,
    /// At which price an order is filled.
    pub fill: FillPrice,
    /// Whether a stop loss and a take profit are orders that stand, and are carried out when a day's prices
    /// reach them; otherwise they are only notes.
    pub standing_orders: bool,
    /// The limits that purchases respect.
    pub limits: Constraints,
}

impl Default for PortfolioSettings {
    fn default() -> Self {
        Self {
            commission: Commission::default(),
            slippage: Decimal::ZERO,
            cost_method: CostMethod::default(),
            fill: FillPrice::default(),
            standing_orders: true,
            limits: Constraints::default(),
        }
    }
}

impl PortfolioSettings {
    /// The rules of portfolios that were opened before there were settings: no costs, average cost, filled at
    /// the decision's close, and triggers that are only notes.
    pub fn before_settings() -> Self {
        Self { fill: FillPrice::DecisionClose, standing_orders: false, ..Self::default() }
    }
}

/// What a broker takes for one trade, in US dollars: `fixed + per_share × shares + rate × amount`, but at
/// least `minimum`, rounded to the cent, halves up. None of the four is negative.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Commission {
    /// US dollars a trade; at most 1,000.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub fixed: Decimal,
    /// US dollars a share; at most 10.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub per_share: Decimal,
    /// Fraction of the traded amount: 0.001 is a tenth of a percent; at most 0.1.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub rate: Decimal,
    /// US dollars a trade at least; at most 1,000.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub minimum: Decimal,
}

/// Which cost a sale is held against. Both are kept for each holding; this one decides the realised profit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CostMethod {
    /// The average cost of all shares held.
    #[default]
    AverageCost,
    /// What the shares that were bought first have cost.
    FirstInFirstOut,
}

/// At which price an order is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FillPrice {
    /// The first price after the day of the decision: the next opening price, or the next close where
    /// opening prices are not known.
    #[default]
    NextPrice,
    /// The close of the decision's own day. This flatters: a decision that has seen a close cannot trade at
    /// it any more.
    DecisionClose,
}
