//! Returns by calendar month.

use protocol::trading::MonthReturn;

use super::{Curve, FRACTION_PLACES, rounded};

/// The return of each month, oldest first: its daily returns compounded. A return belongs to the month in
/// which it ends.
pub fn months(curve: &Curve<'_>) -> Vec<MonthReturn> {
    let mut months: Vec<((i16, i8), f64)> = Vec::new();
    for (point, value) in curve.points().iter().skip(1).zip(curve.returns()) {
        let month = (point.date.year(), point.date.month());
        match months.last_mut().filter(|(last, _)| *last == month) {
            Some((_, growth)) => *growth *= 1.0 + value,
            None => months.push((month, 1.0 + value)),
        }
    }
    months
        .into_iter()
        .filter_map(|((year, month), growth)| {
            Some(MonthReturn { year, month, fraction: rounded(growth - 1.0, FRACTION_PLACES).ok()? })
        })
        .collect()
}
