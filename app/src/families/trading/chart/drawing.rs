//! What the value chart draws: computed once for each change of its data or its width.

use protocol::{
    Date, Decimal,
    trading::{Side, Trade, ValuePoint, thinned},
};
use rust_decimal::prelude::ToPrimitive;

use super::scale::{Scale, date_ticks, days_since, tick_label, value_range, value_ticks};

/// Height of the chart, in pixels.
pub const HEIGHT: f64 = 250.0;
/// Width until the page has measured it, in pixels.
pub const WIDTH: f64 = 920.0;
/// Points that are drawn at most.
const MOST_POINTS: usize = 500;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 28.0;
const SIDE: f64 = 6.0;

/// A finished drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width, in pixels.
    pub width: f64,
    /// Points that are drawn and can be read off, oldest first.
    pub points: Vec<Point>,
    /// Days that the history has, drawn or not.
    pub days: usize,
    /// The portfolio's line, as SVG path data.
    pub portfolio: String,
    /// The benchmark's line, as SVG path data; empty without any value.
    pub benchmark: String,
    /// Trades, one marker a day and side.
    pub markers: Vec<Marker>,
    /// Heights with their amounts.
    pub value_ticks: Vec<(f64, String)>,
    /// Places with their days.
    pub date_ticks: Vec<(f64, String)>,
}

/// A day that can be read off.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The day.
    pub date: Date,
    /// The portfolio's value, in US dollars.
    pub total: Decimal,
    /// The benchmark's value, in US dollars.
    pub benchmark: Option<Decimal>,
    /// Trades of the day, and of the days since the point before.
    pub trades: Vec<Trade>,
    /// Place from the left, in pixels.
    pub x: f64,
    /// Place from the top, in pixels.
    pub y: f64,
}

/// Trades of one day and side.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    /// Bought or sold.
    pub side: Side,
    /// Place from the left, in pixels.
    pub x: f64,
    /// Place from the top, in pixels: the value of that day.
    pub y: f64,
}

impl Drawing {
    /// Draws a history; `None` if it is empty.
    pub fn new(history: &[ValuePoint], trades: &[Trade], width: f64) -> Option<Self> {
        let (first, last) = (history.first()?.date, history.last()?.date);
        let amounts = history.iter().flat_map(|point| [Some(point.total), point.benchmark]).flatten();
        let range = value_range(amounts.map(pixels))?;
        let horizontal =
            Scale { values: (0.0, days_since(last, first)), places: (SIDE, (width - SIDE).max(SIDE + 1.0)) };
        let vertical = Scale { values: range, places: (HEIGHT - BOTTOM, TOP) };
        let x = |date| horizontal.place(days_since(date, first));
        let y = |amount| vertical.place(pixels(amount));

        let shown: Vec<&ValuePoint> = thinned(history.len(), MOST_POINTS, |index| history[index].total).into_iter().map(|index| &history[index]).collect();
        let (ticks, step) = value_ticks(range.0, range.1, 4);
        let room = ((width / 64.0) as usize).clamp(3, 10);
        let mut before = None;
        let points = shown
            .iter()
            .map(|point| {
                let since = before.replace(point.date);
                Point {
                    date: point.date,
                    total: point.total,
                    benchmark: point.benchmark,
                    trades: trades_between(trades, since, point.date),
                    x: x(point.date),
                    y: y(point.total),
                }
            })
            .collect();
        Some(Self {
            width,
            points,
            days: history.len(),
            portfolio: line(shown.iter().map(|point| Some((x(point.date), y(point.total))))),
            benchmark: line(shown.iter().map(|point| Some((x(point.date), y(point.benchmark?))))),
            markers: markers(trades, history, x, y),
            value_ticks: ticks
                .into_iter()
                .map(|tick| (vertical.place(tick), tick_label(tick, step)))
                .collect(),
            date_ticks: date_ticks(first, last, room).into_iter().map(|(day, name)| (x(day), name)).collect(),
        })
    }

    /// The point nearest to a place from the left.
    pub fn nearest(&self, x: f64) -> usize {
        let after = self.points.partition_point(|point| point.x < x);
        match (after.checked_sub(1), self.points.get(after)) {
            (Some(before), Some(next)) if x - self.points[before].x > next.x - x => after,
            (Some(before), _) => before,
            (None, _) => 0,
        }
    }
}

/// For geometry only: what is shown as a number stays a [`Decimal`].
fn pixels(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(0.0)
}

fn trades_between(trades: &[Trade], after: Option<Date>, until: Date) -> Vec<Trade> {
    let falls_here = |trade: &&Trade| trade.date <= until && after.is_none_or(|after| trade.date > after);
    trades.iter().filter(falls_here).cloned().collect()
}

/// A line through the places that are known; it is broken where one is not.
fn line(places: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut command = 'M';
    for place in places {
        match place {
            Some((x, y)) => {
                path.push_str(&format!("{command}{x:.1} {y:.1}"));
                command = 'L';
            }
            None => command = 'M',
        }
    }
    path
}

fn markers(
    trades: &[Trade],
    history: &[ValuePoint],
    x: impl Fn(Date) -> f64,
    y: impl Fn(Decimal) -> f64,
) -> Vec<Marker> {
    let mut days: Vec<(Date, Side)> = trades.iter().map(|trade| (trade.date, trade.side)).collect();
    days.sort_unstable();
    days.dedup();
    let on_the_line = |(date, side): (Date, Side)| {
        let index = history.partition_point(|point| point.date < date);
        let point = history.get(index).or(history.last())?;
        Some(Marker { side, x: x(point.date), y: y(point.total) })
    };
    days.into_iter().filter_map(on_the_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(days: i64) -> Vec<ValuePoint> {
        let mut date: Date = "2016-01-04".parse().unwrap();
        (0..days)
            .map(|day| {
                let total = Decimal::from(100_000 + (day * 37) % 1000);
                date = date.tomorrow().unwrap();
                ValuePoint { date, total, benchmark: None, flow: Decimal::ZERO, invested: None }
            })
            .collect()
    }

    #[test]
    fn an_empty_history_draws_nothing() {
        assert_eq!(Drawing::new(&[], &[], WIDTH), None);
    }

    #[test]
    fn a_long_history_is_thinned_and_keeps_its_deepest_fall() {
        let mut history = history(1800);
        history[777].total = Decimal::from(50_000);
        let drawing = Drawing::new(&history, &[], WIDTH).unwrap();
        assert!(drawing.points.len() <= MOST_POINTS + 2);
        assert_eq!(drawing.days, 1800);
        assert!(drawing.points.iter().any(|point| point.total == Decimal::from(50_000)));
        assert_eq!(drawing.points.first().unwrap().date, history.first().unwrap().date);
        assert_eq!(drawing.points.last().unwrap().date, history.last().unwrap().date);
    }

    #[test]
    fn the_nearest_day_is_read_off() {
        let drawing = Drawing::new(&history(3), &[], 100.0 + 2.0 * SIDE).unwrap();
        assert_eq!(drawing.nearest(-5.0), 0);
        assert_eq!(drawing.nearest(SIDE + 20.0), 0);
        assert_eq!(drawing.nearest(SIDE + 30.0), 1);
        assert_eq!(drawing.nearest(500.0), 2);
    }

    #[test]
    fn a_day_without_a_benchmark_breaks_its_line() {
        let mut history = history(4);
        for index in [0, 1, 3] {
            history[index].benchmark = Some(Decimal::from(100_000));
        }
        let drawing = Drawing::new(&history, &[], WIDTH).unwrap();
        assert_eq!(drawing.benchmark.matches('M').count(), 2);
    }
}
