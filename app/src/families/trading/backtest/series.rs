//! What a backtest's charts and tables have in common: its own values and those of what it is compared with.

use std::collections::BTreeMap;

use protocol::{
    Date, Decimal,
    trading::{BacktestReport, ReferenceKind, ValuePoint},
};

/// Whose values they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// The run's own.
    Run,
    /// Those of a simple way to invest.
    Of(Kind),
}

/// A simple way to invest, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Hold,
    Equal,
    Index,
    Cross,
}

impl Kind {
    fn of(kind: ReferenceKind) -> Self {
        match kind {
            ReferenceKind::BuyAndHold => Self::Hold,
            ReferenceKind::EqualWeight => Self::Equal,
            ReferenceKind::Index => Self::Index,
            ReferenceKind::AverageCross => Self::Cross,
        }
    }
}

impl Whose {
    /// The name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Run => "This run",
            Self::Of(Kind::Hold) => ReferenceKind::BuyAndHold.label(),
            Self::Of(Kind::Equal) => ReferenceKind::EqualWeight.label(),
            Self::Of(Kind::Index) => ReferenceKind::Index.label(),
            Self::Of(Kind::Cross) => ReferenceKind::AverageCross.label(),
        }
    }

    /// The class that its line is drawn by.
    pub fn class(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Of(Kind::Hold) => "hold",
            Self::Of(Kind::Equal) => "equal",
            Self::Of(Kind::Index) => "index",
            Self::Of(Kind::Cross) => "cross",
        }
    }
}

/// Values by day.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Whose.
    pub whose: Whose,
    /// US dollars by day.
    pub values: BTreeMap<Date, Decimal>,
}

impl Series {
    /// The return from the first day until this one, as a fraction.
    pub fn gain(&self, until: Date) -> Option<Decimal> {
        let (_, first) = self.values.first_key_value()?;
        let (_, last) = self.values.range(..=until).next_back()?;
        last.checked_div(*first)?.checked_sub(Decimal::ONE)
    }

    /// How far below its highest value before it each day was, as a fraction; zero or below.
    pub fn depths(&self) -> impl Iterator<Item = (Date, Decimal)> {
        let mut peak = Decimal::ZERO;
        self.values.iter().map(move |(date, value)| {
            peak = peak.max(*value);
            (*date, value.checked_div(peak).map_or(Decimal::ZERO, |share| share - Decimal::ONE))
        })
    }
}

/// The run's own values so far.
pub fn own_points(report: &BacktestReport) -> Vec<ValuePoint> {
    match &report.result {
        Some(result) => result.curve.clone(),
        None => report.steps.iter().flat_map(|step| step.points.clone()).collect(),
    }
}

/// All that is known, the run's own first. Before the end only the index is there to compare with.
pub fn all(report: &BacktestReport) -> Vec<Series> {
    let own = own_points(report);
    let of = |whose, values: BTreeMap<Date, Decimal>| Series { whose, values };
    let mut series = vec![of(Whose::Run, own.iter().map(|point| (point.date, point.total)).collect())];
    match &report.result {
        Some(result) => series.extend(result.references.iter().map(|reference| {
            let points = reference.curve.iter().map(|point| (point.date, point.value));
            of(Whose::Of(Kind::of(reference.kind)), points.collect())
        })),
        None => {
            let index = own.iter().filter_map(|point| Some((point.date, point.benchmark?)));
            series.push(of(Whose::Of(Kind::Index), index.collect()));
        }
    }
    series.retain(|series| !series.values.is_empty());
    series.sort_by_key(|series| series.whose);
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_and_depths_are_of_the_highest_value_until_then() {
        let date = |day: i8| Date::constant(2021, 1, day);
        let values = [(1, 100), (2, 120), (3, 90)].map(|(day, value)| (date(day), Decimal::from(value)));
        let series = Series { whose: Whose::Run, values: values.into() };
        assert_eq!(series.gain(date(2)), Some(Decimal::new(2, 1)));
        assert_eq!(series.gain(date(9)), Some(Decimal::new(-1, 1)));
        let depths: Vec<_> = series.depths().map(|(_, depth)| depth).collect();
        assert_eq!(depths, [Decimal::ZERO, Decimal::ZERO, Decimal::new(-25, 2)]);
    }
}
