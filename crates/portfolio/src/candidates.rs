//! The priority of candidates for research.

use std::cmp::Reverse;

use protocol::{
    Decimal, percent,
    trading::{PortfolioView, Ticker},
};
use serde::{Deserialize, Serialize};

use crate::sector;

/// A stock that a scan proposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The stock.
    pub ticker: Ticker,
    /// Its sector.
    pub sector: String,
    /// `high`, `medium` or `low`.
    pub conviction: String,
    /// `growth`, `momentum`, `catalyst`, `value`, `turnaround` or `defensive`.
    pub thesis: String,
    /// The reasons for the candidate.
    pub rationale: String,
}

/// A candidate with its priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prioritised {
    /// The candidate.
    pub candidate: Candidate,
    /// 0 to 18.
    pub score: Decimal,
    /// Why it should not be bought now.
    pub skip_reason: Option<String>,
}

/// Scores candidates against what is held, highest first; equal scores keep their order, and at most
/// `top` are returned if it is given.
///
/// The score is conviction (high 3, medium 2, else 1) × thesis (growth 3, momentum and catalyst 2.5,
/// value 2, turnaround 1.5, else 1) × diversification (0 where the sector is at or above its limit,
/// 0.5 from 70 % of the limit, 1 where the sector is held, 2 where it is new) × 0.5 if the stock is
/// held. Where the portfolio's weights are unknown, a sector that is held counts 1.
pub fn prioritise(
    candidates: Vec<Candidate>,
    portfolio: &PortfolioView,
    top: Option<usize>,
) -> Vec<Prioritised> {
    let mut prioritised: Vec<Prioritised> =
        candidates.into_iter().map(|candidate| score(candidate, portfolio)).collect();
    prioritised.sort_by_key(|it| Reverse(it.score));
    prioritised.truncate(top.unwrap_or(usize::MAX));
    prioritised
}

fn score(candidate: Candidate, portfolio: &PortfolioView) -> Prioritised {
    let held = portfolio.holdings.iter().any(|holding| holding.ticker == candidate.ticker);
    let diversification = diversification(&candidate.sector, portfolio);
    let score = conviction(&candidate.conviction)
        * thesis(&candidate.thesis)
        * diversification
        * if held { half() } else { Decimal::ONE };
    let skip_reason = diversification.is_zero().then(|| {
        let limit = portfolio.constraints.max_sector;
        let places = (limit * Decimal::ONE_HUNDRED).normalize().scale();
        let (sector, limit) = (sector::shown(&candidate.sector), percent(limit, places));
        format!("Sector '{sector}' is at or above max exposure limit ({limit})")
    });
    Prioritised { candidate, score: score.normalize(), skip_reason }
}

fn half() -> Decimal {
    Decimal::new(5, 1)
}

fn conviction(word: &str) -> Decimal {
    match word.trim().to_lowercase().as_str() {
        "high" => Decimal::from(3),
        "medium" => Decimal::TWO,
        _ => Decimal::ONE,
    }
}

fn thesis(word: &str) -> Decimal {
    match word.trim().to_lowercase().as_str() {
        "growth" => Decimal::from(3),
        "momentum" | "catalyst" => Decimal::new(25, 1),
        "value" => Decimal::TWO,
        "turnaround" => Decimal::new(15, 1),
        _ => Decimal::ONE,
    }
}

fn diversification(name: &str, portfolio: &PortfolioView) -> Decimal {
    let sector = sector::normal(sector::shown(name));
    let same = |name: &str| sector::normal(name) == sector;
    if !portfolio.holdings.iter().any(|holding| same(&holding.sector)) {
        return Decimal::TWO;
    }
    let weight = portfolio
        .holdings
        .iter()
        .filter(|holding| same(&holding.sector))
        .try_fold(Decimal::ZERO, |sum, holding| Some(sum + holding.weight?));
    let limit = portfolio.constraints.max_sector;
    match weight {
        Some(weight) if weight >= limit => Decimal::ZERO,
        Some(weight) if weight >= limit * Decimal::new(7, 1) => half(),
        _ => Decimal::ONE,
    }
}
