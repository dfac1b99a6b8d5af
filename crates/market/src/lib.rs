//! Where prices, news, fundamentals and the like come from, and the figures computed from prices.
//!
//! A vendor answers as of a day: nothing that became public after that day is ever part of an answer, so that a run
//! on a past day cannot look ahead. Each answer says where it is from; no data have one of four reasons.
//!
//! - [`Market`]: all vendors together, and who is asked first for which kind of data
//! - [`Vendor`]: what a vendor can be asked; [`Outcome`]: what comes of it
//! - [`Sample`]: the vendor that is built in: real daily closes of 26 instruments
//! - [`Yahoo`], [`Edgar`], [`AlphaVantage`], [`Finnhub`]: vendors over a network, which share a [`Network`] with its clock and cache
//! - [`OwnData`]: a person's own prices, read from CSV
//! - [`indicators`], [`figures`]: what is computed from prices

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod access;
mod adjust;
mod alpha_vantage;
mod clock;
mod currency;
mod data;
mod edgar;
pub mod figures;
mod finnhub;
pub mod indicators;
mod market;
mod news;
mod outcome;
mod own;
mod rounding;
mod sample;
mod session;
pub mod table;
mod vendor;
mod written;
mod yahoo;

pub use access::{Cache, Network};
pub use alpha_vantage::AlphaVantage;
pub use clock::{Clock, SystemClock};
pub use data::*;
pub use edgar::{Edgar, EdgarAddresses};
pub use finnhub::Finnhub;
pub use market::Market;
pub use outcome::{Answer, Damaged, NoData, Outcome, Source, Why};
pub use own::OwnData;
pub use reqwest::Url;
pub use sample::Sample;
pub use vendor::{DataKind, Vendor};
pub use yahoo::{Yahoo, YahooAddresses};
