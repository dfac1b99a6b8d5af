//! The lines between cards, as SVG path data.

use super::layout::Area;

/// Between two edges that join the same cards in both directions.
const PAIR_GAP: i32 = 16;
/// How far a line bows out that passes others of its column.
const BOW: i32 = 34;

/// How a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// To the next card below, beside the line back where there is one.
    Below { is_paired: bool },
    /// To the next card above.
    Above { is_paired: bool },
    /// Past the cards between two of one column, on the right where it leads downwards.
    Around { is_downwards: bool },
    /// To a column further right.
    Across,
    /// The same, but below all cards, at this height.
    Underneath { lane: i32 },
    /// To a column further left.
    Back,
    /// To a band of phases further down.
    Down,
    /// To a band of phases further up.
    Up,
}

impl Route {
    /// The same in a drawing of which its level begins so much further down.
    pub(super) fn lowered(self, by: i32) -> Self {
        match self {
            Self::Underneath { lane } => Self::Underneath { lane: lane + by },
            other => other,
        }
    }

    /// The lowest place that it passes beside the areas that it joins.
    pub(super) fn lowest(self) -> i32 {
        match self {
            Self::Underneath { lane } => lane,
            _ => i32::MIN,
        }
    }
}

/// The line from one area to another, and its head.
pub(super) fn draw(route: Route, from: Area, to: Area) -> (String, String) {
    match route {
        Route::Below { is_paired } => {
            let x = from.at.x + from.width.min(to.width) / 2 + if is_paired { PAIR_GAP } else { 0 };
            let (start, end) = (from.bottom(), to.at.y);
            (format!("M{x} {start}V{end}"), format!("M{} {}l4 6l4 -6", x - 4, end - 6))
        }
        Route::Above { is_paired } => {
            let x = from.at.x + from.width.min(to.width) / 2 - if is_paired { PAIR_GAP } else { 0 };
            let (start, end) = (from.at.y, to.bottom());
            (format!("M{x} {start}V{end}"), format!("M{} {}l4 -6l4 6", x - 4, end + 6))
        }
        Route::Around { is_downwards } => {
            let (edge, direction) =
                if is_downwards { (from.right().max(to.right()), 1) } else { (from.at.x, -1) };
            let (out, back) = if is_downwards { (from.right(), to.right()) } else { (from.at.x, to.at.x) };
            let (start, end, bow) = (from.middle(), to.middle(), edge + direction * BOW);
            (
                format!("M{out} {start}C{bow} {start} {bow} {end} {back} {end}"),
                format!("M{} {}l{} 4l{} 4", back + direction * 6, end - 4, -direction * 6, direction * 6),
            )
        }
        Route::Across => {
            let (start, end) = (from.right(), to.at.x);
            let (high, low) = (from.middle(), to.middle());
            let bend = ((end - start) / 2).max(16);
            (
                format!("M{start} {high}C{} {high} {} {low} {end} {low}", start + bend, end - bend),
                format!("M{} {}l6 4l-6 4", end - 6, low - 4),
            )
        }
        Route::Underneath { lane } => {
            let (start, end) = (from.right(), to.at.x);
            let (high, low) = (from.middle(), to.middle());
            let (down, up) = (start + 19, end - 19);
            (
                format!(
                    "M{start} {high}C{down} {high} {start} {lane} {down} {lane}H{up}C{end} {lane} {up} {low} {end} {low}"
                ),
                format!("M{} {}l6 4l-6 4", end - 6, low - 4),
            )
        }
        Route::Down => {
            let (start, end) = (from.at.x + from.width / 2, to.at.x + to.width / 2);
            let (high, low) = (from.bottom(), to.at.y);
            let bend = ((low - high) / 2).max(16);
            (
                format!("M{start} {high}C{start} {} {end} {} {end} {low}", high + bend, low - bend),
                format!("M{} {}l4 6l4 -6", end - 4, low - 6),
            )
        }
        Route::Up => {
            let (start, end) = (from.at.x + from.width / 2, to.at.x + to.width / 2);
            let (low, high) = (from.at.y, to.bottom());
            let bend = ((low - high) / 2).max(16);
            (
                format!("M{start} {low}C{start} {} {end} {} {end} {high}", low - bend, high + bend),
                format!("M{} {}l4 -6l4 6", end - 4, high + 6),
            )
        }
        Route::Back => {
            let (start, end) = (from.at.x, to.right());
            let (high, low) = (from.middle(), to.middle());
            let bend = ((start - end) / 2).max(16);
            (
                format!("M{start} {high}C{} {high} {} {low} {end} {low}", start - bend, end + bend),
                format!("M{} {}l-6 4l6 4", end + 6, low - 4),
            )
        }
    }
}
