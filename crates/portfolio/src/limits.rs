use std::collections::BTreeMap;
use std::fmt;

use protocol::{
    Decimal, percent,
    trading::{Constraints, Ticker},
};

use crate::amount::{TooLarge, difference, product, sum};
use crate::book::{Book, Refusal, Unvalued};
use crate::error::PortfolioError;
use crate::sector;

/// Decimals of a limit: hundredths of a percent.
const LIMIT_PLACES: u32 = 4;

/// Whether limits can be used: at least one position, fractions within 0 and 1 with at most
/// 4 decimals, and room for one full position beside the cash reserve.
///
/// # Errors
/// [`PortfolioError::InvalidConstraints`] says what is wrong.
pub fn check(constraints: &Constraints) -> Result<(), PortfolioError> {
    let Constraints { max_positions, max_position, max_sector, min_cash } = *constraints;
    let share = |fraction: Decimal| fraction > Decimal::ZERO && fraction <= Decimal::ONE;
    let wrong = if max_positions == 0 {
        "at least one position must be allowed"
    } else if !share(max_position) || !share(max_sector) {
        "the largest position and sector must be above 0 % and at most 100 %"
    } else if min_cash < Decimal::ZERO || min_cash >= Decimal::ONE {
        "the cash reserve must be at least 0 % and below 100 %"
    } else if [max_position, max_sector, min_cash].iter().any(|it| it.normalize().scale() > LIMIT_PLACES) {
        "a limit can be as fine as a hundredth of a percent"
    } else if min_cash + max_position > Decimal::ONE {
        "the cash reserve and one full position come to more than 100 %"
    } else {
        return Ok(());
    };
    Err(PortfolioError::InvalidConstraints(wrong))
}

/// A limit that a purchase would break. Fractions are of the portfolio's total value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Too many positions.
    Positions {
        /// Positions there would be.
        count: usize,
        /// Positions allowed.
        limit: u32,
    },
    /// It costs more than there is.
    InsufficientCash(Refusal),
    /// The cash reserve would be touched.
    MinCash {
        /// Cash there would be.
        cash: Option<Decimal>,
        /// Cash there must be.
        limit: Decimal,
    },
    /// The position would be too large.
    MaxPosition {
        /// The instrument.
        ticker: Ticker,
        /// Weight it would have.
        weight: Option<Decimal>,
        /// Weight allowed.
        limit: Decimal,
    },
    /// The sector would be too large.
    MaxSector {
        /// The sector.
        sector: String,
        /// Weight it would have.
        weight: Option<Decimal>,
        /// Weight allowed.
        limit: Decimal,
    },
}

impl Violation {
    /// Whether more cash would mend it.
    pub(crate) fn is_about_cash(&self) -> bool {
        matches!(self, Self::InsufficientCash(_) | Self::MinCash { .. })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Positions { count, limit } => {
                write!(formatter, "Max positions exceeded: {count} > {limit}")
            }
            Self::InsufficientCash(refusal) => refusal.fmt(formatter),
            Self::MinCash { cash, limit } => {
                let (cash, limit) = distinct(*cash, *limit);
                write!(formatter, "Min cash reserve violated: cash would be {cash} < {limit}")
            }
            Self::MaxPosition { ticker, weight, limit } => {
                let (weight, limit) = distinct(*weight, *limit);
                write!(formatter, "Max position size exceeded for {ticker}: {weight} > {limit}")
            }
            Self::MaxSector { sector, weight, limit } => {
                let (weight, limit) = distinct(*weight, *limit);
                write!(formatter, "Max sector exposure exceeded for {sector}: {weight} > {limit}")
            }
        }
    }
}

/// Both as percentages with one decimal, or with as many as it takes to tell them apart.
fn distinct(value: Option<Decimal>, limit: Decimal) -> (String, String) {
    let Some(value) = value else { return ("undefined".to_owned(), percent(limit, 1)) };
    let differs = |places: &u32| percent(value, *places) != percent(limit, *places);
    let places = (1..=12).find(differs).unwrap_or(1);
    (percent(value, places), percent(limit, places))
}

/// What a purchase is checked against.
pub(crate) struct Rules<'a> {
    pub(crate) constraints: &'a Constraints,
    pub(crate) prices: &'a BTreeMap<Ticker, Decimal>,
    pub(crate) sectors: &'a BTreeMap<Ticker, String>,
    /// Counts as cash put aside: exempt from all limits but the cash reserve.
    pub(crate) cash_equivalent: Option<&'a Ticker>,
}

impl Rules<'_> {
    /// Every limit that spending `cost` on `ticker` would break. A value equal to a limit is allowed.
    /// All comparisons are exact.
    pub(crate) fn violations(
        &self,
        book: &Book,
        ticker: &Ticker,
        cost: Decimal,
    ) -> Result<Vec<Violation>, Unvalued> {
        let values = book.market_values(self.prices)?;
        let total = book.total(self.prices)?;
        let mut violations = Vec::new();
        if self.cash_equivalent != Some(ticker) {
            violations.extend(self.too_many_positions(book, ticker));
        }
        violations.extend(self.too_little_cash(book, cost, total)?);
        if self.cash_equivalent != Some(ticker) {
            violations.extend(self.too_large_position(&values, ticker, cost, total)?);
            violations.extend(self.too_large_sector(&values, ticker, cost, total)?);
        }
        Ok(violations)
    }

    fn too_many_positions(&self, book: &Book, ticker: &Ticker) -> Option<Violation> {
        if book.positions.contains_key(ticker) {
            return None;
        }
        let counted = book.positions.keys().filter(|held| self.cash_equivalent != Some(held)).count();
        let (count, limit) = (counted + 1, self.constraints.max_positions);
        (count > limit as usize).then_some(Violation::Positions { count, limit })
    }

    fn too_little_cash(
        &self,
        book: &Book,
        cost: Decimal,
        total: Decimal,
    ) -> Result<Vec<Violation>, TooLarge> {
        let limit = self.constraints.min_cash;
        let cash = difference(book.cash, cost)?;
        let mut violations = Vec::new();
        if cash < Decimal::ZERO {
            violations.push(Violation::InsufficientCash(Refusal::Cash { cost, cash: book.cash }));
        }
        if cash < product(limit, total)? {
            violations.push(Violation::MinCash { cash: cash.checked_div(total), limit });
        }
        Ok(violations)
    }

    fn too_large_position(
        &self,
        values: &BTreeMap<&Ticker, Decimal>,
        ticker: &Ticker,
        cost: Decimal,
        total: Decimal,
    ) -> Result<Option<Violation>, TooLarge> {
        let limit = self.constraints.max_position;
        let size = sum(values.get(ticker).copied().unwrap_or_default(), cost)?;
        let exceeded = size > product(limit, total)?;
        Ok(exceeded.then(|| Violation::MaxPosition {
            ticker: ticker.clone(),
            weight: size.checked_div(total),
            limit,
        }))
    }

    /// An instrument without a sector is in none, so no limit applies to it.
    fn too_large_sector(
        &self,
        values: &BTreeMap<&Ticker, Decimal>,
        ticker: &Ticker,
        cost: Decimal,
        total: Decimal,
    ) -> Result<Option<Violation>, TooLarge> {
        let sector_of = |ticker: &Ticker| {
            self.sectors.get(ticker).map(|name| sector::normal(name)).filter(|name| !name.is_empty())
        };
        let Some(sector) = sector_of(ticker) else { return Ok(None) };
        let limit = self.constraints.max_sector;
        let size = values
            .iter()
            .filter(|(held, _)| {
                self.cash_equivalent != Some(held) && sector_of(held).as_ref() == Some(&sector)
            })
            .try_fold(cost, |size, (_, value)| sum(size, *value))?;
        let exceeded = size > product(limit, total)?;
        Ok(exceeded.then(|| Violation::MaxSector {
            sector: self.sectors.get(ticker).map_or_else(String::new, |name| name.trim().to_owned()),
            weight: size.checked_div(total),
            limit,
        }))
    }
}
