//! What is traded.

use serde::{Deserialize, Serialize};

use super::Ticker;

/// An instrument that prices exist for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instrument {
    /// The symbol.
    pub ticker: Ticker,
    /// Its name.
    pub name: String,
    /// Sector; empty for indices and funds.
    pub sector: String,
    /// Industry; empty for indices and funds.
    pub industry: String,
}
