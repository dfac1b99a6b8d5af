//! Where prices, news and fundamentals come from, and the figures computed from prices.
//!
//! A vendor answers as of a day: nothing that happened after that day is ever part of an
//! answer, so that a run on a past date cannot look ahead.
//!
//! [`Sample`] is the vendor that is built in: real daily closes of 26 instruments.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod error;
pub mod figures;
pub mod indicators;
mod rounding;
mod sample;
mod vendor;

pub use error::MarketError;
pub use sample::Sample;
pub use vendor::{Article, DailyPrice, Fundamentals, FundamentalsVendor, NewsVendor, PriceVendor};
