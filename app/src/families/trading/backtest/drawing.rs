//! What the equity chart draws: computed once for each change of its data or its width.

use std::collections::BTreeMap;

use protocol::{
    Date, Decimal,
    trading::{BacktestReport, BandPoint, Side, thinned},
};
use rust_decimal::prelude::ToPrimitive;

use super::series::{Series, Whose, all};
use crate::families::trading::chart::scale::{
    Scale, date_ticks, days_since, tick_label, value_range, value_ticks,
};

/// Height of the values and of the drawdown together, in pixels.
pub const HEIGHT: f64 = 400.0;
/// Where the values end.
const VALUES_END: f64 = 270.0;
/// Where the drawdown begins and ends.
const DEPTHS: (f64, f64) = (292.0, 372.0);
const TOP: f64 = 14.0;
const SIDE: f64 = 6.0;
/// Days that are drawn at most.
const MOST_DAYS: usize = 500;

/// A finished drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width, in pixels.
    pub width: f64,
    /// Days that can be read off, oldest first, with their places from the left.
    pub days: Vec<(Date, f64)>,
    /// Days that the run has, drawn or not.
    pub all_days: usize,
    /// The series, the run's own last, so that it lies above the others.
    pub lines: Vec<Line>,
    /// The area of nine of ten random agents and the line of their middle, as SVG path data.
    pub band: Option<(String, String)>,
    /// Trades of the run: what was done, and where.
    pub markers: Vec<(Side, f64, f64)>,
    /// Heights with their amounts.
    pub value_ticks: Vec<(f64, String)>,
    /// Heights with their depths.
    pub depth_ticks: Vec<(f64, String)>,
    /// Places with their days.
    pub date_ticks: Vec<(f64, String)>,
    /// The values, for what is read off.
    pub series: Vec<Series>,
    /// The depth of each series by day.
    pub depths: Vec<BTreeMap<Date, Decimal>>,
    /// The random agents by day.
    pub random: BTreeMap<Date, BandPoint>,
    /// Where the run's own value of a day stands from the top, by the places of `days`.
    pub own: Vec<Option<f64>>,
}

/// The lines of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whose.
    pub whose: Whose,
    /// Its values, as SVG path data.
    pub values: String,
    /// How far it was below its highest value, as SVG path data.
    pub depths: String,
}

impl Drawing {
    /// Draws a backtest as far as it has come; `None` before there are two days.
    pub fn new(report: &BacktestReport, width: f64) -> Option<Self> {
        let series = all(report);
        let own = series.first().filter(|series| series.whose == Whose::Run && series.values.len() > 1)?;
        let random: BTreeMap<Date, BandPoint> = report
            .result
            .iter()
            .flat_map(|result| &result.random)
            .flat_map(|band| &band.points)
            .map(|point| (point.date, *point))
            .collect();
        let all_days: Vec<(Date, Decimal)> = own.values.iter().map(|(date, value)| (*date, *value)).collect();
        let shown = thinned(all_days.len(), MOST_DAYS, |place| all_days[place].1);
        let days: Vec<Date> = shown.into_iter().map(|place| all_days[place].0).collect();
        let (first, _) = own.values.first_key_value()?;
        let planned = report.schedule.as_ref().and_then(|schedule| schedule.days.last());
        let last = (*planned.unwrap_or(first)).max(*own.values.last_key_value()?.0);
        let amounts = series.iter().flat_map(|series| series.values.values().copied());
        let bounds = random.values().flat_map(|point| [point.low, point.high]);
        let range = value_range(amounts.chain(bounds).map(pixels))?;
        let depths: Vec<BTreeMap<Date, Decimal>> =
            series.iter().map(|series| series.depths().collect()).collect();
        let deepest = depths.iter().flat_map(BTreeMap::values).copied().map(pixels).fold(-0.01, f64::min);

        let across =
            Scale { values: (0.0, days_since(last, *first)), places: (SIDE, (width - SIDE).max(SIDE + 1.0)) };
        let up = Scale { values: range, places: (VALUES_END, TOP) };
        let down = Scale { values: (deepest, 0.0), places: (DEPTHS.1, DEPTHS.0) };
        let x = |date: Date| across.place(days_since(date, *first));
        let place = |scale: Scale, values: &BTreeMap<Date, Decimal>| {
            let at = |date: &Date| Some((x(*date), scale.place(pixels(*values.get(date)?))));
            path(days.iter().filter_map(at))
        };
        let mut lines: Vec<Line> = series
            .iter()
            .zip(&depths)
            .map(|(series, depths)| Line {
                whose: series.whose,
                values: place(up, &series.values),
                depths: place(down, depths),
            })
            .collect();
        lines.reverse();
        let of_band = |bound: fn(&BandPoint) -> Decimal| {
            let at = |date: &Date| Some((x(*date), up.place(pixels(bound(random.get(date)?)))));
            days.iter().filter_map(at).collect::<Vec<_>>()
        };
        let (mut edge, lower, middle) =
            (of_band(|point| point.high), of_band(|point| point.low), of_band(|point| point.middle));
        edge.extend(lower.into_iter().rev());
        let band =
            (!edge.is_empty()).then(|| (format!("{}Z", path(edge.into_iter())), path(middle.into_iter())));
        let mut traded: Vec<(Date, Side)> = match &report.result {
            Some(result) => result.trades.iter().map(|trade| (trade.date, trade.side)).collect(),
            None => {
                let trades = report.steps.iter().flat_map(|step| &step.trades);
                trades.map(|trade| (trade.date, trade.side)).collect()
            }
        };
        traded.sort_unstable();
        traded.dedup();
        let on_the_line = |(date, side): (Date, Side)| {
            let (date, value) = own.values.range(date..).next()?;
            Some((side, x(*date), up.place(pixels(*value))))
        };
        let (ticks, step) = value_ticks(range.0, range.1, 4);
        let (falls, _) = value_ticks(deepest * 100.0, 0.0, 4);
        let room = ((width / 64.0) as usize).clamp(3, 12);
        Some(Self {
            width,
            all_days: own.values.len(),
            own: days.iter().map(|date| own.values.get(date).map(|value| up.place(pixels(*value)))).collect(),
            markers: traded.into_iter().filter_map(on_the_line).collect(),
            value_ticks: ticks.into_iter().map(|tick| (up.place(tick), tick_label(tick, step))).collect(),
            depth_ticks: falls
                .into_iter()
                .map(|tick| (down.place(tick / 100.0), format!("{} %", tick_label(tick, 1.0))))
                .collect(),
            date_ticks: date_ticks(*first, last, room)
                .into_iter()
                .map(|(day, name)| (x(day), name))
                .collect(),
            days: days.iter().map(|date| (*date, x(*date))).collect(),
            lines,
            band,
            depths,
            random,
            series,
        })
    }

    /// The place among the days that is nearest to one from the left.
    pub fn nearest(&self, x: f64) -> usize {
        let after = self.days.partition_point(|(_, place)| *place < x);
        match (after.checked_sub(1), self.days.get(after)) {
            (Some(before), Some((_, next))) if x - self.days[before].1 > next - x => after,
            (Some(before), _) => before,
            (None, _) => 0,
        }
    }
}

/// For geometry only: what is shown as a number stays a [`Decimal`].
fn pixels(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(0.0)
}

fn path(places: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in places {
        let command = if path.is_empty() { 'M' } else { 'L' };
        path.push_str(&format!("{command}{x:.1} {y:.1}"));
    }
    path
}
