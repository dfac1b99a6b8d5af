//! Agents that trade as often and know nothing.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Date, Decimal,
    trading::{BandPoint, RandomBand, Ticker},
};
use rust_decimal::prelude::FromPrimitive;

use super::simulation::{Weights, follow};
use super::{Course, Reference};
use crate::error::PortfolioError;
use crate::statistics::Trading;

/// An agent that makes `trades` trades (or as many as there are days and tickers, if those are fewer): on
/// days and in tickers that are drawn, it sells all of a ticker that it holds, and buys an equal part of
/// one that it does not. The same seed always gives the same trades.
///
/// # Errors
/// The start, the settings or a split cannot be.
pub fn random(course: &Course<'_>, trades: u32, seed: u64) -> Result<Reference, PortfolioError> {
    let drawn = draw(course, trades, seed);
    follow(course, |place, book| {
        let tickers = drawn.get(&place).into_iter().flatten();
        let wish = |ticker: &&Ticker| {
            let is_held = book.positions.contains_key(*ticker);
            ((*ticker).clone(), if is_held { Decimal::ZERO } else { course.equal_part() })
        };
        tickers.map(wish).collect::<Weights>()
    })
}

/// The tickers to trade after each day, by the day's place. No ticker is drawn twice on one day, and none on
/// the last day, after which there is no price.
fn draw<'a>(course: &Course<'a>, trades: u32, seed: u64) -> BTreeMap<usize, BTreeSet<&'a Ticker>> {
    let mut slots: Vec<(usize, &Ticker)> = course
        .played()
        .filter(|(place, _)| place + 1 < course.days.len())
        .flat_map(|(place, _)| course.tickers.iter().map(move |ticker| (place, ticker)))
        .collect();
    let mut numbers = SplitMix(seed);
    let mut drawn: BTreeMap<usize, BTreeSet<&Ticker>> = BTreeMap::new();
    for _ in 0..trades {
        if slots.is_empty() {
            break;
        }
        let (place, ticker) = slots.swap_remove(numbers.below(slots.len()));
        drawn.entry(place).or_default().insert(ticker);
    }
    drawn
}

/// What `seeds` random agents with this many trades come to, each from a seed of its own: 0, 1, 2 …
///
/// # Errors
/// As [`random`].
pub fn random_band(course: &Course<'_>, trades: u32, seeds: u32) -> Result<RandomBand, PortfolioError> {
    let mut totals: BTreeMap<Date, Vec<Decimal>> = BTreeMap::new();
    let (mut finals, mut exposures) = (Vec::new(), Vec::new());
    for seed in 0..u64::from(seeds) {
        let reference = random(course, trades, seed)?;
        exposures.extend(Trading::new(&reference.curve, &reference.trades).exposure().ok());
        finals.extend(reference.curve.last().map(|point| point.total));
        for point in reference.curve {
            totals.entry(point.date).or_default().push(point.total);
        }
    }
    finals.sort_unstable();
    let points = totals.into_iter().filter_map(|(date, mut totals)| {
        totals.sort_unstable();
        let at = |percent| rank(&totals, percent);
        Some(BandPoint { date, low: at(5)?, middle: at(50)?, high: at(95)? })
    });
    let points = points.collect();
    let exposure = Decimal::from_f64(exposures.iter().sum::<f64>() / exposures.len().max(1) as f64);
    let exposure = exposure.filter(|_| !exposures.is_empty()).map(|mean| mean.round_dp(crate::PLACES));
    Ok(RandomBand { seeds, trades, points, finals, exposure })
}

/// The value at this percentile of sorted ones by the nearest rank: the first that at least so many percent do
/// not exceed.
fn rank(sorted: &[Decimal], percent: usize) -> Option<Decimal> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// `SplitMix64`, whose numbers are the same wherever and whenever it is built. (Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", 2014.)
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `count`. (For counts of days and tickers its bias is below 1e-12.)
    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first numbers of the reference implementation for the seed 1234567.
        let mut numbers = SplitMix(1_234_567);
        let first = [numbers.next(), numbers.next(), numbers.next()];
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let sorted: Vec<Decimal> = (1..=200).map(Decimal::from).collect();
        let at = |percent| rank(&sorted, percent).unwrap();
        assert_eq!((at(5), at(50), at(95)), (10.into(), 100.into(), 190.into()));
        assert_eq!(rank(&sorted[..1], 5), Some(Decimal::ONE));
        assert_eq!(rank(&[], 5), None);
    }
}
