//! Decisions, the orders that they give, and the trades that come of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Confidence, PendingOrder, Ticker};
use crate::{Date, Decimal, RunId, Timestamp};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// Shares are bought.
    Buy,
    /// Shares are sold.
    Sell,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        })
    }
}

/// An order of a decision, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    /// Buy or sell.
    pub side: Side,
    /// The stock.
    pub ticker: Ticker,
    /// Shares.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// The reason for the order.
    pub rationale: String,
    /// Price below which to sell, in US dollars.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub stop_loss: Option<Decimal>,
    /// Price above which to sell, in US dollars.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub take_profit: Option<Decimal>,
}

/// A portfolio run's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Orders, in the order in which they were decided.
    pub orders: Vec<Order>,
    /// What is kept, each with its reason.
    pub holds: Vec<Hold>,
    /// How sure the decision is.
    pub confidence: Confidence,
    /// `risk-on`, `risk-off`, `neutral` or `transition`.
    pub regime: String,
    /// The reasons for the whole.
    pub thesis: String,
    /// The risks that were weighed.
    pub risk_summary: String,
}

impl Decision {
    /// `2 sells, 3 buys`.
    pub fn headline(&self) -> String {
        let sells = self.orders.iter().filter(|order| order.side == Side::Sell).count();
        let buys = self.orders.len() - sells;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        format!("{sells} sell{}, {buys} buy{}", plural(sells), plural(buys))
    }
}

/// A holding that a decision keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hold {
    /// The stock.
    pub ticker: Ticker,
    /// Why it is kept.
    pub rationale: String,
}

/// An executed order. Never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trade {
    /// Idempotency key of the order: the same order is never executed twice.
    pub key: String,
    /// Buy or sell.
    pub side: Side,
    /// The stock.
    pub ticker: Ticker,
    /// Shares.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// US dollars a share.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub price: Decimal,
    /// The day whose price was paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// When it was executed.
    pub executed_at: Timestamp,
    /// The reason for the order.
    pub rationale: String,
    /// Price below which to sell, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub stop_loss: Option<Decimal>,
    /// Price above which to sell, in US dollars.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub take_profit: Option<Decimal>,
    /// Profit that a sale realised, in US dollars; `None` for a purchase.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub realised_profit: Option<Decimal>,
    /// The run that decided it.
    pub run: Option<RunId>,
    /// What the broker took, in US dollars; zero or above.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub commission: Decimal,
    /// US dollars a share before slippage; `None` where the quoted price was paid.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub quoted: Option<Decimal>,
    /// What brought it about. Earlier versions wrote none, which reads as an order.
    #[serde(default)]
    pub cause: TradeCause,
}

impl Trade {
    /// The order that it executed, as far as the trade says.
    pub fn order(&self) -> Order {
        Order {
            side: self.side,
            ticker: self.ticker.clone(),
            quantity: self.quantity,
            rationale: self.rationale.clone(),
            stop_loss: self.stop_loss,
            take_profit: self.take_profit,
        }
    }
}

/// What brings a trade about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TradeCause {
    /// An order of a decision.
    #[default]
    Order,
    /// The cash equivalent is sold to pay for a purchase.
    Funding,
    /// Spare cash is put into the cash equivalent.
    Sweep,
    /// The price fell to the stop loss.
    StopLoss,
    /// The price rose to the take profit.
    TakeProfit,
}

/// An order that was not executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedOrder {
    /// The order.
    pub order: Order,
    /// Price it would have had, in US dollars; `None` if there was none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub price: Option<Decimal>,
    /// Every reason, not only the first.
    pub reasons: Vec<String>,
}

/// What became of a decision's orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionOutcome {
    /// The day whose prices were paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    #[serde(deserialize_with = "crate::date::deserialize")]
    pub date: Date,
    /// The run that decided, if one did.
    pub run: Option<RunId>,
    /// What was executed, in this order.
    pub trades: Vec<Trade>,
    /// What was refused.
    pub rejected: Vec<RejectedOrder>,
    /// What waits for the first price after the decision.
    #[serde(default)]
    pub pending: Vec<PendingOrder>,
}
