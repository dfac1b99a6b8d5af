//! A person's own prices: what a table of them holds, and how one is kept.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use super::Ticker;
use crate::{
    Date, InvalidId,
    document::{DocumentKind, DocumentReference},
};

/// What the prices of a table are adjusted for, as the person says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnAdjustment {
    /// For nothing: the prices that were paid. Splits of the table are applied as of each day.
    Raw,
    /// For all splits of the table.
    Splits,
    /// For splits and dividends.
    SplitsAndDividends,
    /// The person does not know.
    #[default]
    Unknown,
}

impl OwnAdjustment {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Raw, Self::Splits, Self::SplitsAndDividends];

    /// The words on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unknown => "Not known",
            Self::Raw => "Nothing: the prices that were paid",
            Self::Splits => "Splits",
            Self::SplitsAndDividends => "Splits and dividends",
        }
    }
}

/// Own prices and dividends as CSV: the content of a document, which runs name as what their prices come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceTable {
    /// What its prices are adjusted for.
    #[serde(default)]
    pub adjustment: OwnAdjustment,
    /// The table with its header.
    pub csv: String,
}

impl PriceTable {
    /// The kind of document that it is.
    pub const KIND: &'static str = "prices";

    /// The kind of document that it is; `None`, never: it is a slug.
    pub fn kind() -> Option<DocumentKind> {
        Self::KIND.parse().ok()
    }
}

/// The prices that a run trades at, as its parameters name them: `shared`, or a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub enum TradingPrices {
    /// Those that all accounts share.
    Shared,
    /// The table of own prices, before those that are shared.
    Own(DocumentReference),
}

impl TradingPrices {
    /// How the shared prices are named.
    pub const SHARED: &'static str = "shared";

    /// The table, if one is named.
    pub fn table(self) -> Option<DocumentReference> {
        match self {
            Self::Shared => None,
            Self::Own(table) => Some(table),
        }
    }
}

impl From<Option<DocumentReference>> for TradingPrices {
    fn from(table: Option<DocumentReference>) -> Self {
        table.map_or(Self::Shared, Self::Own)
    }
}

impl fmt::Display for TradingPrices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => formatter.write_str(Self::SHARED),
            Self::Own(table) => table.fmt(formatter),
        }
    }
}

impl TryFrom<Cow<'_, str>> for TradingPrices {
    type Error = InvalidId;

    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidId> {
        if text == Self::SHARED { Ok(Self::Shared) } else { text.parse().map(Self::Own) }
    }
}

impl From<TradingPrices> for String {
    fn from(prices: TradingPrices) -> Self {
        prices.to_string()
    }
}

/// A table as it was read: what is in it, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TablePreview {
    /// Instruments with what there is of each, by ticker.
    pub instruments: Vec<InstrumentPreview>,
    /// What is wrong, by line; there are at most 50. A table with errors is not used.
    pub errors: Vec<LineError>,
    /// Errors beyond those that are told.
    pub more_errors: u64,
}

/// What a table has of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstrumentPreview {
    /// The ticker.
    pub ticker: Ticker,
    /// Days with a price.
    pub days: u64,
    /// The first of them.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(default, deserialize_with = "crate::date::deserialize_option")]
    pub from: Option<Date>,
    /// The last of them.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    #[serde(default, deserialize_with = "crate::date::deserialize_option")]
    pub to: Option<Date>,
    /// Dividends.
    pub dividends: u64,
    /// Splits.
    pub splits: u64,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("Line {line}: {reason}")]
pub struct LineError {
    /// Its number; the header is line 1.
    pub line: u64,
    /// What is wrong with it and what to write, in a sentence.
    pub reason: String,
}
