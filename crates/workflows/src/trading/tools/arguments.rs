//! The arguments of tools as a model writes them, parsed into types.

use jiff::{Span, ToSpan};
use protocol::{Date, trading::Ticker};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Calendar days that a lookup may go back.
pub(super) const MOST_DAYS: u32 = 3660;
/// Characters of a reported reason that are kept.
const LONGEST_REASON: usize = 400;

/// The reason that a call of [`CRITICAL_CONDITION`](super::CRITICAL_CONDITION) carries, in one line of limited length.
pub(in crate::trading) fn reason(arguments: &Value) -> Option<String> {
    let words = arguments.get("reason")?.as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason: String = words.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    (!reason.is_empty()).then_some(reason)
}

#[derive(Deserialize)]
pub(super) struct Prices {
    pub(super) symbol: Ticker,
    pub(super) start_date: Date,
    pub(super) end_date: Date,
}

#[derive(Deserialize)]
pub(super) struct IndicatorOf {
    pub(super) symbol: Ticker,
    pub(super) indicator: String,
    pub(super) curr_date: Date,
    #[serde(default = "month", deserialize_with = "count")]
    pub(super) look_back_days: u32,
}

#[derive(Deserialize)]
pub(super) struct CompanyNews {
    pub(super) ticker: Ticker,
    pub(super) start_date: Date,
    pub(super) end_date: Date,
}

#[derive(Deserialize)]
pub(super) struct WorldNews {
    pub(super) curr_date: Date,
    #[serde(default = "week", deserialize_with = "count")]
    pub(super) look_back_days: u32,
    #[serde(default = "few", deserialize_with = "count")]
    pub(super) limit: u32,
}

#[derive(Deserialize)]
pub(super) struct OfCompany {
    pub(super) ticker: Ticker,
    pub(super) curr_date: Option<Date>,
}

#[derive(Deserialize)]
pub(super) struct Movers {
    pub(super) category: String,
}

#[derive(Deserialize)]
pub(super) struct Between {
    pub(super) ticker: Option<Ticker>,
    pub(super) from_date: Date,
    pub(super) to_date: Date,
}

#[derive(Deserialize)]
pub(super) struct StatementOf {
    pub(super) ticker: Ticker,
    #[serde(default = "quarterly")]
    pub(super) freq: String,
    pub(super) curr_date: Option<Date>,
}

fn month() -> u32 {
    30
}

fn week() -> u32 {
    7
}

fn few() -> u32 {
    5
}

fn quarterly() -> String {
    "quarterly".to_owned()
}

/// A count, also where a model wrote it as text.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u32),
        Text(String),
    }
    match Written::deserialize(deserializer) {
        Ok(Written::Number(number)) => Ok(number),
        Ok(Written::Text(text)) => {
            text.trim().parse().map_err(|_| serde::de::Error::custom("expected a whole number"))
        }
        Err(_) => Err(serde::de::Error::custom("expected a whole number")),
    }
}

pub(super) fn days(count: u32) -> Result<Span, String> {
    if (1..=MOST_DAYS).contains(&count) {
        Ok(i64::from(count).days())
    } else {
        Err(format!("look_back_days must be 1 to {MOST_DAYS}."))
    }
}

pub(super) fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T, String> {
    T::deserialize(arguments).map_err(|error| {
        let error: String = error.to_string().chars().take(200).collect();
        format!("These arguments cannot be used: {error}. Dates are written as YYYY-MM-DD.")
    })
}
