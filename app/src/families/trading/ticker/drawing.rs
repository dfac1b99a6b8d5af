//! What the chart of a stock draws: decisions above, trades on the line, what is held along the floor, lessons beneath
//! on the day on which they became known. Computed once for each change of its data or its width.

use std::collections::BTreeMap;

use protocol::{
    Date, Decimal, grouped,
    trading::{DayClose, Grade, HeldFrom, Side, StockPosition, StockReport, Trade},
};
use rust_decimal::prelude::ToPrimitive;

use crate::families::trading::chart::scale::{
    Scale, date_ticks, days_since, tick_label, value_range, value_ticks,
};

/// Height of the chart, in pixels.
pub const HEIGHT: f64 = 340.0;
/// Where labels of decisions stand, from the top: each in the first row in which it has room.
const LABEL_ROWS: [f64; 2] = [6.0, 28.0];
/// Height of a label.
pub const LABEL: f64 = 18.0;
/// Where the prices begin and end.
const PRICES: (f64, f64) = (62.0, 254.0);
/// Where the bar of what is held stands.
pub const FLOOR: f64 = 276.0;
/// Where lessons stand.
pub const LESSONS: f64 = 300.0;
const SIDE: f64 = 6.0;
/// Below this width, labels name the analysis alone.
const NARROW: f64 = 560.0;

/// A finished drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width, in pixels.
    pub width: f64,
    /// Days that can be read off, oldest first.
    pub days: Vec<Day>,
    /// The line of closes, as SVG path data.
    pub line: String,
    /// Analyses within the span.
    pub decisions: Vec<DecisionMark>,
    /// Trades within the span, one marker a day and side.
    pub trades: Vec<TradeMark>,
    /// Stretches in which shares were held.
    pub held: Vec<HeldMark>,
    /// Prices at which something is to happen, with their names.
    pub levels: Vec<Level>,
    /// Lessons that became known within the span.
    pub lessons: Vec<LessonMark>,
    /// Heights with their prices.
    pub price_ticks: Vec<(f64, String)>,
    /// Places with their days.
    pub date_ticks: Vec<(f64, String)>,
}

/// A day that can be read off.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// Its close.
    pub close: DayClose,
    /// Place from the left, in pixels.
    pub x: f64,
    /// Place from the top, in pixels.
    pub y: f64,
    /// Shares that were held after it, in the portfolio that is shown.
    pub held: Option<Decimal>,
    /// What happened on it, and since the day before, in words.
    pub marks: Vec<String>,
}

/// An analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionMark {
    /// Its number: A1 is the oldest.
    pub number: usize,
    /// Its grade; `None` where there is no rating.
    pub grade: Option<Grade>,
    /// Place of its day from the left, in pixels.
    pub x: f64,
    /// Its label; `None` where there is no room for one.
    pub label: Option<Label>,
}

/// A label in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its words.
    pub text: String,
    /// Place of the frame from the left, in pixels.
    pub x: f64,
    /// Place of the frame from the top, in pixels.
    pub y: f64,
    /// Width of the frame, in pixels.
    pub width: f64,
}

/// Trades of a day and side.
#[derive(Clone, Debug, PartialEq)]
pub struct TradeMark {
    /// Bought or sold.
    pub side: Side,
    /// Shares with a sign, such as `+100`.
    pub text: String,
    /// Place from the left, in pixels.
    pub x: f64,
    /// Place from the top, in pixels.
    pub y: f64,
}

/// A stretch of time in which shares were held.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldMark {
    /// Where it begins and ends, from the left, in pixels.
    pub from: f64,
    /// See `from`.
    pub until: f64,
    /// Such as `held 100`; empty where there is no room.
    pub text: String,
}

/// A price at which something is to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What, with the price.
    pub text: String,
    /// Where it begins from the left, in pixels.
    pub from: f64,
    /// Place from the top, in pixels.
    pub y: f64,
}

/// A lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonMark {
    /// Its number: L1 is the one that was known first.
    pub number: usize,
    /// Place from the left, in pixels.
    pub x: f64,
}

impl Drawing {
    /// Draws a stock, with what the portfolio `shown` has of it; `None` before there are two closes.
    pub fn new(report: &StockReport, shown: Option<&StockPosition>, width: f64) -> Option<Self> {
        let closes = &report.prices.known()?.closes;
        let [first, .., last] = closes.as_slice() else { return None };
        let holding = shown.and_then(|position| position.holding.as_ref());
        let levels = [
            ("take profit", holding.and_then(|it| it.take_profit)),
            ("average cost", holding.map(|it| it.average_cost)),
            ("stop loss", holding.and_then(|it| it.stop_loss)),
        ];
        let levels: Vec<(&str, Decimal)> =
            levels.into_iter().filter_map(|(name, price)| Some((name, price?))).collect();
        let prices = closes.iter().map(|it| it.close).chain(levels.iter().map(|(_, price)| *price));
        let range = value_range(prices.map(pixels))?;
        let across = Scale {
            values: (0.0, days_since(last.date, first.date)),
            places: (SIDE, (width - SIDE).max(SIDE + 1.0)),
        };
        let up = Scale { values: range, places: (PRICES.1, PRICES.0) };
        let x = |date: Date| across.place(days_since(date, first.date));
        let is_within = |date: Date| date >= first.date && date <= last.date;

        let decisions = decisions(report, width, is_within, x);
        let held = shown.map(|position| position.held.as_slice()).unwrap_or_default();
        let traded = shown.map(|position| position.trades.as_slice()).unwrap_or_default();
        let stretches = stretches(held, last.date);
        let holds_since = stretches.last().filter(|(_, until, _)| *until >= last.date).map(|(from, ..)| *from);
        let mut marks = marks(report, traded);
        let days = closes
            .iter()
            .map(|close| {
                // What happened since the close before, such as on a Sunday, is told with this one.
                let later = marks.split_off(&(close.date, usize::MAX));
                let now = std::mem::replace(&mut marks, later);
                let marks = now.into_iter().filter(|((date, _), _)| *date >= first.date).map(|(_, words)| words);
                Day {
                    close: *close,
                    x: x(close.date),
                    y: up.place(pixels(close.close)),
                    held: shown.map(|_| held_on(held, close.date)),
                    marks: marks.collect(),
                }
            })
            .collect::<Vec<_>>();
        let (ticks, step) = value_ticks(range.0, range.1, 4);
        let room = ((width / 64.0) as usize).clamp(3, 12);
        Some(Self {
            width,
            line: path(&days),
            trades: trade_marks(traded, &days, is_within),
            held: stretches
                .into_iter()
                .filter(|(_, until, _)| *until >= first.date)
                .map(|(from, until, quantity)| held_mark(x(from.max(first.date)), x(until.min(last.date)), quantity))
                .collect(),
            levels: levels
                .into_iter()
                .map(|(name, price)| Level {
                    text: format!("{name} {}", grouped(price, 2)),
                    from: holds_since.map_or(SIDE, |since| x(since.max(first.date))),
                    y: up.place(pixels(price)),
                })
                .collect(),
            lessons: report
                .lessons
                .iter()
                .enumerate()
                .filter(|(_, listed)| is_within(listed.lesson.known()))
                .map(|(place, listed)| LessonMark { number: place + 1, x: x(listed.lesson.known()) })
                .collect(),
            decisions,
            price_ticks: ticks.into_iter().map(|tick| (up.place(tick), tick_label(tick, step))).collect(),
            date_ticks: date_ticks(first.date, last.date, room)
                .into_iter()
                .map(|(day, name)| (x(day), name))
                .collect(),
            days,
        })
    }

    /// The place among the days that is nearest to one from the left.
    pub fn nearest(&self, x: f64) -> usize {
        let after = self.days.partition_point(|day| day.x < x);
        match (after.checked_sub(1), self.days.get(after)) {
            (Some(before), Some(next)) if x - self.days[before].x > next.x - x => after,
            (Some(before), _) => before,
            (None, _) => 0,
        }
    }

    /// The nearest day with a mark before or after a place.
    pub fn next_mark(&self, from: usize, is_forward: bool) -> Option<usize> {
        let has_mark = |place: &usize| self.days.get(*place).is_some_and(|day| !day.marks.is_empty());
        if is_forward { (from + 1..self.days.len()).find(has_mark) } else { (0..from).rev().find(has_mark) }
    }
}

/// For geometry only: what is shown as a number stays a [`Decimal`].
fn pixels(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(0.0)
}

fn path(days: &[Day]) -> String {
    let mut path = String::new();
    for Day { x, y, .. } in days {
        let command = if path.is_empty() { 'M' } else { 'L' };
        path.push_str(&format!("{command}{x:.1} {y:.1}"));
    }
    path
}

/// The analyses, each with a label where there is room for one.
fn decisions(
    report: &StockReport,
    width: f64,
    is_within: impl Fn(Date) -> bool,
    x: impl Fn(Date) -> f64,
) -> Vec<DecisionMark> {
    // Where each row of labels is taken up to.
    let mut taken = [f64::MIN; LABEL_ROWS.len()];
    let analyses = report.analyses.iter().enumerate().filter(|(_, analysis)| is_within(analysis.date));
    let marked = analyses.map(|(place, analysis)| {
        let number = place + 1;
        let grade = analysis.rating.known().map(|rating| rating.grade);
        let x = x(analysis.date);
        let long = match grade {
            Some(grade) if width >= NARROW => vec![format!("A{number} {grade}")],
            _ => Vec::new(),
        };
        let texts = long.into_iter().chain([format!("A{number}")]);
        let label = texts.into_iter().find_map(|text| {
            let wide = 12.0 + 7.0 * text.chars().count() as f64;
            let left = (x - wide / 2.0).clamp(0.0, (width - wide).max(0.0));
            let row = taken.iter().position(|taken| left > taken + 4.0)?;
            taken[row] = left + wide;
            Some(Label { text, x: left, y: LABEL_ROWS[row], width: wide })
        });
        DecisionMark { number, grade, x, label }
    });
    marked.collect()
}

/// From when until when how many shares were held; what is held now is held until `today`.
fn stretches(held: &[HeldFrom], today: Date) -> Vec<(Date, Date, Decimal)> {
    let ends = held.iter().skip(1).map(|next| next.date).chain([today]);
    let each = held.iter().zip(ends).filter(|(from, until)| !from.quantity.is_zero() && *until >= from.date);
    each.map(|(from, until)| (from.date, until, from.quantity)).collect()
}

fn held_on(held: &[HeldFrom], date: Date) -> Decimal {
    held.iter().rfind(|from| from.date <= date).map_or(Decimal::ZERO, |from| from.quantity)
}

fn held_mark(from: f64, until: f64, quantity: Decimal) -> HeldMark {
    let text = format!("held {}", quantity.normalize());
    let has_room = until - from > 7.0 * text.chars().count() as f64;
    HeldMark { from, until, text: if has_room { text } else { String::new() } }
}

/// Trades on the line, those of one day and side together.
fn trade_marks(trades: &[Trade], days: &[Day], is_within: impl Fn(Date) -> bool) -> Vec<TradeMark> {
    let mut by_day: BTreeMap<(Date, Side), Decimal> = BTreeMap::new();
    for trade in trades.iter().filter(|trade| is_within(trade.date)) {
        *by_day.entry((trade.date, trade.side)).or_default() += trade.quantity;
    }
    let on_the_line = |((date, side), quantity): ((Date, Side), Decimal)| {
        let place = days.partition_point(|day| day.close.date < date);
        let day = days.get(place).or(days.last())?;
        let sign = if side == Side::Buy { "+" } else { "\u{2212}" };
        Some(TradeMark { side, text: format!("{sign}{}", quantity.normalize()), x: day.x, y: day.y })
    };
    by_day.into_iter().filter_map(on_the_line).collect()
}

/// What happened on each day, in words.
fn marks(report: &StockReport, trades: &[Trade]) -> BTreeMap<(Date, usize), String> {
    let analyses = report.analyses.iter().enumerate().map(|(place, analysis)| {
        let grade = analysis.rating.known().map_or_else(|| "no rating".to_owned(), |it| it.grade.to_string());
        (analysis.date, format!("A{} {grade}", place + 1))
    });
    let lessons = report
        .lessons
        .iter()
        .enumerate()
        .map(|(place, listed)| (listed.lesson.known(), format!("L{} became known", place + 1)));
    let trades = trades.iter().map(|trade| {
        let act = if trade.side == Side::Buy { "bought" } else { "sold" };
        (trade.date, format!("{act} {} at {}", trade.quantity.normalize(), grouped(trade.price, 2)))
    });
    let all = analyses.chain(trades).chain(lessons).enumerate();
    all.map(|(place, (date, words))| ((date, place), words)).collect()
}

#[cfg(test)]
mod tests {
    use protocol::trading::{Measured, PriceCourse, PriceSpan};

    use super::*;

    fn date(text: &str) -> Date {
        protocol::parse_date(text).unwrap()
    }

    /// A close on each day of June 2022, rising by a dollar a day.
    fn report() -> StockReport {
        let closes = (1..=30_i8).map(|day| DayClose { date: Date::constant(2022, 6, day), close: day.into() });
        StockReport {
            ticker: "XOM".parse().unwrap(),
            name: String::new(),
            sector: String::new(),
            span: PriceSpan::Year,
            prices: Measured::Known(PriceCourse {
                closes: closes.collect(),
                days: 30,
                stock_return: Measured::Known(Decimal::ONE),
                index_return: Measured::Unknown("none".to_owned()),
                source: "test".to_owned(),
            }),
            analyses: Vec::new(),
            has_older_analyses: false,
            lessons: Vec::new(),
            all_lessons: 0,
            positions: Vec::new(),
        }
    }

    fn position(held: &[(&str, i64)]) -> StockPosition {
        let held = held.iter().map(|(day, quantity)| HeldFrom { date: date(day), quantity: (*quantity).into() });
        StockPosition {
            portfolio: "main".parse().unwrap(),
            name: "Main".to_owned(),
            as_of: None,
            holding: None,
            limit: Decimal::ONE,
            realised_profit: Decimal::ZERO,
            held: held.collect(),
            trades: Vec::new(),
            orders: Vec::new(),
        }
    }

    #[test]
    fn what_is_held_is_drawn_from_purchase_to_sale_and_on_to_the_last_day() {
        let position = position(&[("2022-05-10", 5), ("2022-06-11", 0), ("2022-06-21", 7)]);
        let drawing = Drawing::new(&report(), Some(&position), 302.0).unwrap();
        // 10 pixels a day: the line runs from 6 to 296 over 29 days.
        let held: Vec<_> = drawing.held.iter().map(|held| (held.from, held.until)).collect();
        assert_eq!(held, [(6.0, 106.0), (206.0, 296.0)]);
        let on = |day: usize| drawing.days[day - 1].held;
        assert_eq!([on(1), on(11), on(30)], [Some(5.into()), Some(Decimal::ZERO), Some(7.into())]);
        assert_eq!(Drawing::new(&report(), None, 302.0).unwrap().days[0].held, None);
    }

    #[test]
    fn without_two_closes_nothing_is_drawn() {
        let prices = Measured::Unknown("The sample has no prices of it.".to_owned());
        assert_eq!(Drawing::new(&StockReport { prices, ..report() }, None, 302.0), None);
    }

    #[test]
    fn the_nearest_day_is_read_off() {
        let drawing = Drawing::new(&report(), None, 302.0).unwrap();
        assert_eq!([-5.0, 10.0, 12.0, 900.0].map(|x| drawing.nearest(x)), [0, 0, 1, 29]);
        assert_eq!(drawing.next_mark(0, true), None);
    }
}
