//! How values and days become places on the chart. Places are `f64`: they are pixels, not money.

use protocol::{Date, month_name};

/// A linear map from an interval of values to an interval of places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// First and last value.
    pub values: (f64, f64),
    /// Their places.
    pub places: (f64, f64),
}

impl Scale {
    /// The place of a value; the middle where the interval of values is empty.
    pub fn place(self, value: f64) -> f64 {
        let (low, high) = self.values;
        let (start, end) = self.places;
        if high == low {
            return f64::midpoint(start, end);
        }
        start + (value - low) / (high - low) * (end - start)
    }
}

/// The interval of values that the chart shows: what occurs, with a little air on both sides.
pub fn value_range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .into_iter()
        .map(|value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))?;
    let air = if high > low { (high - low) * 0.08 } else { high.abs().max(1.0) * 0.01 };
    Some((low - air, high + air))
}

/// Round values inside `low..=high`, at most `most` + 1 of them, with their distance.
pub fn value_ticks(low: f64, high: f64, most: u32) -> (Vec<f64>, f64) {
    let step = round_step((high - low) / f64::from(most.max(1)));
    let first = (low / step).ceil();
    let ticks = (0_u32..)
        .map(|index| (first + f64::from(index)) * step)
        .take_while(|tick| *tick <= high)
        .take(most as usize + 1)
        .collect();
    (ticks, step)
}

/// The next 1, 2 or 5 times a power of ten. By multiplication alone: logarithms may differ
/// between server and browser, and then the two would draw different ticks.
fn round_step(least: f64) -> f64 {
    let least = least.max(0.01);
    let mut power = 0.01;
    while power * 10.0 <= least {
        power *= 10.0;
    }
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least)
        .unwrap_or(power * 10.0)
}

/// An amount in dollars, short: `98k`, `1.25M`, `950`. As exact as the distance of the ticks asks.
pub fn tick_label(value: f64, step: f64) -> String {
    let (unit, suffix) = match value.abs() {
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let places = match step / unit {
        size if size >= 1.0 => 0,
        size if size >= 0.1 => 1,
        _ => 2,
    };
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    format!("{sign}{:.places$}{suffix}", value.abs() / unit)
}

/// Days since `first`.
pub fn days_since(date: Date, first: Date) -> f64 {
    (date.duration_since(first).as_hours() / 24) as f64
}

/// Days to mark between `first` and `last`, at most `most`, with their names: days where the span
/// is short, else the first of a month; January shows the year.
pub fn date_ticks(first: Date, last: Date, most: usize) -> Vec<(Date, String)> {
    let most = most.max(1);
    let span = days_since(last, first) as usize;
    if span < 75 {
        let every = (span / most + 1).max(1);
        return days(first).take_while(|day| *day <= last).step_by(every).map(day_tick).collect();
    }
    let months: Vec<Date> = first_of_months(first).take_while(|day| *day <= last).collect();
    let every = [1, 2, 3, 6, 12, 24, 60, 120]
        .into_iter()
        .find(|every| months.len().div_ceil(*every) <= most)
        .unwrap_or(months.len());
    months.into_iter().filter(|day| month_number(*day).is_multiple_of(every)).map(month_tick).collect()
}

/// Months since year 0, so that steps of a quarter or a year begin in January.
fn month_number(day: Date) -> usize {
    usize::try_from(i32::from(day.year()) * 12 + i32::from(day.month()) - 1).unwrap_or(0)
}

fn day_tick(day: Date) -> (Date, String) {
    (day, format!("{} {:.3}", day.day(), month_name(day)))
}

fn month_tick(day: Date) -> (Date, String) {
    (day, if day.month() == 1 { day.year().to_string() } else { format!("{:.3}", month_name(day)) })
}

fn days(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
}

fn first_of_months(first: Date) -> impl Iterator<Item = Date> {
    let next = |day: &Date| day.last_of_month().tomorrow().ok();
    let start = if first.day() == 1 { Some(first) } else { next(&first) };
    std::iter::successors(start, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn names(first: &str, last: &str, most: usize) -> Vec<String> {
        date_ticks(date(first), date(last), most).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(value_ticks(96_400.0, 107_100.0, 4), (vec![100_000.0, 105_000.0], 5_000.0));
        assert_eq!(value_ticks(97.0, 103.5, 4), (vec![98.0, 100.0, 102.0], 2.0));
    }

    #[test]
    fn amounts_are_shortened_without_losing_the_difference_between_ticks() {
        assert_eq!(tick_label(98_000.0, 2_000.0), "98k");
        assert_eq!(tick_label(98_500.0, 500.0), "98.5k");
        assert_eq!(tick_label(1_250_000.0, 50_000.0), "1.25M");
        assert_eq!(tick_label(950.0, 50.0), "950");
    }

    #[test]
    fn a_flat_series_stands_in_the_middle() {
        let values = value_range([100.0, 100.0]).unwrap();
        assert_eq!(Scale { values, places: (200.0, 0.0) }.place(100.0), 100.0);
        assert_eq!(value_range([]), None);
    }

    #[test]
    fn months_are_marked_and_january_shows_the_year() {
        assert_eq!(
            names("2022-06-30", "2023-02-15", 8),
            ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "2023", "Feb"]
        );
        assert_eq!(names("2022-06-30", "2023-02-15", 4), ["Jul", "Sep", "Nov", "2023"]);
        assert_eq!(names("2016-01-04", "2022-12-30", 7), ["2017", "2018", "2019", "2020", "2021", "2022"]);
    }

    #[test]
    fn a_short_span_is_marked_by_days() {
        assert_eq!(names("2022-12-27", "2022-12-29", 6), ["27 Dec", "28 Dec", "29 Dec"]);
    }
}
