//! What changes a portfolio beside the trades of its decisions.

use serde::{Deserialize, Serialize};

use super::{Order, Ticker};
use crate::{Date, Decimal, RunId};

/// Money that was paid in or taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transfer {
    /// The day, after whose close the money moved.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// US dollars; negative where money was taken out.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub amount: Decimal,
    /// What it was for.
    pub note: String,
}

/// A dividend that a holding brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DividendIncome {
    /// The stock.
    pub ticker: Ticker,
    /// The first day on which the stock traded without the dividend. It is booked on this day.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// US dollars a share.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub per_share: Decimal,
    /// Shares held before that day's trades.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub quantity: Decimal,
    /// US dollars that were paid.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub amount: Decimal,
}

/// A split of a stock: `to` new shares for each `from` old ones. A reverse split has the smaller number first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Split {
    /// The stock.
    pub ticker: Ticker,
    /// The first day on which the new shares traded.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub date: Date,
    /// New shares; 1 to 10,000.
    pub to: u32,
    /// Old shares; 1 to 10,000.
    pub from: u32,
}

/// An order that waits for the first price after its decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PendingOrder {
    /// Idempotency key of the order, which its trade will have.
    pub key: String,
    /// The day of the decision.
    #[serde(deserialize_with = "crate::date::deserialize")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub decided: Date,
    /// The order.
    pub order: Order,
    /// The run that decided it.
    pub run: Option<RunId>,
}

/// Money that came and went beside purchases and sales, in US dollars, and what moved it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bookings {
    /// Paid in since the portfolio was opened, without the cash it started with.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub deposits: Decimal,
    /// Taken out; zero or above.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub withdrawals: Decimal,
    /// Dividends received.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub dividends: Decimal,
    /// Commissions paid; zero or above. They are contained in costs and in realised profits.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub commissions: Decimal,
    /// What slippage cost; zero or above. It is contained in the prices paid.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub slippage: Decimal,
    /// Money paid in and taken out, newest first.
    pub transfers: Vec<Transfer>,
    /// Dividends, newest first.
    pub income: Vec<DividendIncome>,
    /// Splits of what was held, newest first.
    pub splits: Vec<Split>,
}
