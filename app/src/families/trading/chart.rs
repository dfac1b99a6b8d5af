//! The portfolio's value over time beside the benchmark's, with the trades marked.

mod drawing;
pub(super) mod scale;
pub(super) mod stage;

use leptos::{ev::KeyboardEvent, html, prelude::*, web_sys::PointerEvent};
use protocol::{
    grouped,
    trading::{Side, Trade, ValuePoint},
};

use self::drawing::{Drawing, HEIGHT, Marker, Point, WIDTH};
use crate::{
    browser,
    components::table::{Cell, DataTable},
    format,
};

/// Days that the page keys move by.
const PAGE: usize = 20;

/// Where a key moves what is read off of a chart: from one place to another, at most `newest`, or to none. `None` for a
/// key that means something else.
pub(super) fn place_by_key(
    key: &str,
    at: usize,
    newest: usize,
    step: usize,
    page: usize,
) -> Option<Option<usize>> {
    let next = match key {
        "ArrowLeft" | "ArrowDown" => at.saturating_sub(step),
        "ArrowRight" | "ArrowUp" => at + step,
        "PageDown" => at.saturating_sub(page),
        "PageUp" => at + page,
        "Home" => 0,
        "End" => newest,
        "Escape" => return Some(None),
        _ => return None,
    };
    Some(Some(next.min(newest)))
}

/// Says how many of all days a chart draws.
pub(super) fn days_drawn(shown: usize, all: usize) -> String {
    if shown < all {
        format!("{shown} of {all} days are drawn: of each stretch the lowest and the highest")
    } else {
        format!("{all} days, each drawn")
    }
}

/// What the benchmark is called.
const BENCHMARK: &str = "S&P 500";

/// The chart, or a sentence about what is missing for one.
///
/// A day can be read off with the pointer or with the arrow keys; the figures are also there
/// as a table.
#[component]
pub fn ValueChart(
    /// Total value over time, oldest first.
    #[prop(into)]
    history: Signal<Vec<ValuePoint>>,
    /// The trades to mark.
    #[prop(into)]
    trades: Signal<Vec<Trade>>,
) -> impl IntoView {
    let stage = NodeRef::<html::Div>::new();
    let width = width_of(stage);
    let drawing = Memo::new(move |_| {
        history.with(|history| trades.with(|trades| Drawing::new(history, trades, width.get())))
    });
    let days = Memo::new(move |_| history.with(Vec::len));
    view! {
        <section class="card value-chart" aria-labelledby="value-heading">
            <header class="card-head">
                <h2 id="value-heading">"Value"</h2>
                <Legend />
            </header>
            {move || match days.get() {
                0 => view! { <p class="empty-state">"The value of each day will be drawn here, once there are prices to value the portfolio at."</p> }.into_any(),
                1 => view! { <p class="empty-state">"There is one day so far. The line begins with the second one."</p> }.into_any(),
                _ => view! { <Stage stage drawing /> }.into_any(),
            }}
        </section>
    }
}

/// The width of the element, measured in the browser and followed when the window changes.
pub(super) fn width_of(stage: NodeRef<html::Div>) -> ReadSignal<f64> {
    let (width, set_width) = signal(WIDTH);
    let measure = move || {
        if let Some(stage) = stage.try_get_untracked().flatten() {
            let measured = browser::bounds_of(&stage).width.round();
            if measured > 0.0 && measured != width.get_untracked() {
                set_width.set(measured);
            }
        }
    };
    Effect::new(move || {
        stage.track();
        measure();
    });
    Effect::new(move || {
        let listener = window_event_listener(leptos::ev::resize, move |_| measure());
        on_cleanup(move || listener.remove());
    });
    width
}

#[component]
fn Legend() -> impl IntoView {
    view! {
        <ul class="legend">
            <li><span class="key-line portfolio" aria-hidden="true"></span>"portfolio"</li>
            <li><span class="key-line benchmark" aria-hidden="true"></span>{BENCHMARK}</li>
            <li><span class="key-buy" aria-hidden="true">"▲"</span>" buy"</li>
            <li><span class="key-sell" aria-hidden="true">"▼"</span>" sell"</li>
        </ul>
    }
}

/// The drawing, the day that is read off, and the table.
#[component]
fn Stage(stage: NodeRef<html::Div>, drawing: Memo<Option<Drawing>>) -> impl IntoView {
    let cursor = RwSignal::new(None::<usize>);
    let newest =
        Memo::new(move |_| drawing.with(|drawing| drawing.as_ref().map_or(0, |d| d.points.len() - 1)));
    let read_off = Memo::new(move |_| {
        let index = cursor.get()?.min(newest.get());
        drawing.with(|drawing| drawing.as_ref()?.points.get(index).cloned())
    });
    let words = move || {
        let newest_day = || drawing.with(|drawing| drawing.as_ref()?.points.last().cloned());
        read_off.get().or_else(newest_day).map(|point| in_words(&point))
    };
    let point_at = move |event: PointerEvent| {
        let x = f64::from(event.offset_x());
        cursor.set(drawing.with_untracked(|drawing| drawing.as_ref().map(|drawing| drawing.nearest(x))));
    };
    let step = move |event: KeyboardEvent| {
        let at = cursor.get_untracked().unwrap_or(newest.get_untracked());
        let Some(next) = place_by_key(&event.key(), at, newest.get_untracked(), 1, PAGE) else { return };
        event.prevent_default();
        cursor.set(next);
    };
    view! {
        <div
            class="chart-stage"
            node_ref=stage
            tabindex="0"
            role="slider"
            aria-label="Day to read off; arrow keys move"
            aria-valuemin="0"
            aria-valuemax=move || newest.get().to_string()
            aria-valuenow=move || cursor.get().unwrap_or(newest.get()).min(newest.get()).to_string()
            aria-valuetext=words
            on:pointermove=point_at
            on:pointerdown=point_at
            on:pointerleave=move |_| cursor.set(None)
            on:focus=move |_| cursor.update(|at| *at = at.or(Some(newest.get_untracked())))
            on:blur=move |_| cursor.set(None)
            on:keydown=step
        >
            {move || drawing.get().map(|drawing| view! { <Picture drawing read_off /> })}
            {move || drawing.with(|drawing| {
                let middle = drawing.as_ref()?.width / 2.0;
                let point = read_off.get()?;
                let at_right = point.x > middle;
                Some(view! { <Readout point at_right /> })
            })}
        </div>
        <Figures drawing />
    }
}

#[component]
fn Picture(drawing: Drawing, read_off: Memo<Option<Point>>) -> impl IntoView {
    let width = drawing.width;
    let last = drawing
        .points
        .last()
        .map(|point| view! { <circle class="newest" cx=px(point.x) cy=px(point.y) r="3" /> });
    view! {
        <svg class="chart" viewBox=format!("0 0 {width} {HEIGHT}") aria-hidden="true">
            {drawing.value_ticks.into_iter().map(|(y, amount)| view! {
                <line class="grid" x1="0" x2=px(width) y1=px(y) y2=px(y) />
                <text class="tick" x="0" y=px(y - 5.0)>{amount}</text>
            }).collect_view()}
            {drawing.date_ticks.into_iter().map(|(x, day)| view! {
                <text class="tick" x=px(x.clamp(24.0, width - 24.0)) y=px(HEIGHT - 6.0) text-anchor="middle">{day}</text>
            }).collect_view()}
            <path class="line benchmark" d=drawing.benchmark />
            <path class="line portfolio" d=drawing.portfolio />
            {last}
            {drawing.markers.into_iter().map(|marker| view! { <TradeMarker marker /> }).collect_view()}
            {move || read_off.get().map(|point| view! {
                <line class="crosshair" x1=px(point.x) x2=px(point.x) y1="8" y2=px(HEIGHT - 22.0) />
                <circle class="read-off" cx=px(point.x) cy=px(point.y) r="4" />
            })}
        </svg>
    }
}

/// A purchase points up from below the line, a sale down from above it.
#[component]
fn TradeMarker(marker: Marker) -> impl IntoView {
    let Marker { side, x, y } = marker;
    let (class, tip, base) = match side {
        Side::Buy => ("marker buy", y + 4.0, y + 12.0),
        Side::Sell => ("marker sell", y - 4.0, y - 12.0),
    };
    view! { <path class=class d=format!("M{x:.1} {tip:.1}L{:.1} {base:.1}L{:.1} {base:.1}Z", x - 5.0, x + 5.0) /> }
}

/// A place in pixels, short.
fn px(place: f64) -> String {
    format!("{place:.1}")
}

/// The figures of one day, on the side where they do not cover it.
#[component]
fn Readout(point: Point, at_right: bool) -> impl IntoView {
    let class = if at_right { "readout at-left" } else { "readout at-right" };
    view! {
        <dl class=class aria-hidden="true">
            <dt class="day">{format::day(point.date)}</dt>
            <dd></dd>
            <dt>"Portfolio"</dt>
            <dd>{format!("${}", grouped(point.total, 2))}</dd>
            <dt>{BENCHMARK}</dt>
            <dd>{point.benchmark.map_or_else(|| "n/a".to_owned(), |value| format!("${}", grouped(value, 2)))}</dd>
            {point.trades.iter().map(|trade| view! {
                <dt class=side_class(trade.side)>{trade_glyph(trade.side)} " " {trade.ticker.to_string()}</dt>
                <dd>{deal(trade)}</dd>
            }).collect_view()}
        </dl>
    }
}

fn side_class(side: Side) -> &'static str {
    match side {
        Side::Buy => "key-buy",
        Side::Sell => "key-sell",
    }
}

fn trade_glyph(side: Side) -> &'static str {
    match side {
        Side::Buy => "▲",
        Side::Sell => "▼",
    }
}

/// `20 @ 524.42`.
fn deal(trade: &Trade) -> String {
    format!("{} @ {}", trade.quantity.normalize(), grouped(trade.price, 2))
}

fn in_words(point: &Point) -> String {
    let mut words = format!("{}: portfolio ${}", format::long_day(point.date), grouped(point.total, 2));
    match point.benchmark {
        Some(value) => words.push_str(&format!(", {BENCHMARK} ${}", grouped(value, 2))),
        None => words.push_str(&format!(", {BENCHMARK} not known")),
    }
    for trade in &point.trades {
        let act = if trade.side == Side::Buy { "bought" } else { "sold" };
        words.push_str(&format!(
            ", {act} {} {} at ${}",
            trade.quantity.normalize(),
            trade.ticker,
            grouped(trade.price, 2)
        ));
    }
    words
}

/// The same figures as a table; its rows are made when it is opened.
#[component]
fn Figures(drawing: Memo<Option<Drawing>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let summary = move || {
        drawing.with(|drawing| match drawing {
            Some(drawing) if drawing.days > drawing.points.len() => format!(
                "Figures as a table: {} of {} days, of each stretch the lowest and the highest",
                drawing.points.len(),
                drawing.days
            ),
            _ => "Figures as a table".to_owned(),
        })
    };
    let rows = move || {
        drawing.with(|drawing| drawing.as_ref().map(|drawing| drawing.points.clone()).unwrap_or_default())
    };
    view! {
        <details class="chart-table" on:toggle=move |_| open.update(|open| *open = !*open)>
            <summary>{summary}</summary>
            <Show when=move || open.get()>
                <DataTable caption="Value by day, newest first" columns=vec!["Day", "#Portfolio", "#S&P 500"]>
                    {move || rows().into_iter().rev().map(|point| view! {
                        <tr role="row">
                            <Cell label="Day">{point.date.to_string()}</Cell>
                            <Cell label="Portfolio" numeric=true>{grouped(point.total, 2)}</Cell>
                            <Cell label="S&P 500" numeric=true>{point.benchmark.map_or_else(|| "n/a".to_owned(), |value| grouped(value, 2))}</Cell>
                        </tr>
                    }).collect_view()}
                </DataTable>
            </Show>
        </details>
    }
}
