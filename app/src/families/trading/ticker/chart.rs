//! The price of a stock with what was decided, traded, held and learnt. One crosshair; what is read off stands beneath.

use leptos::{html, prelude::*};
use protocol::{
    grouped,
    trading::{PriceSpan, Side, StockReport},
};

use super::{
    address,
    drawing::{Day, Drawing, FLOOR, HEIGHT, LABEL, LESSONS},
    grade_class,
};
use crate::{
    base::at,
    components::table::{Cell, DataTable},
    families::trading::chart::{days_drawn, stage::{ChartStage, place_of}, width_of},
    format,
};

/// The chart, or why there is none.
#[component]
pub fn PriceChart(
    /// The stock.
    report: Memo<StockReport>,
    /// Which of its positions is drawn.
    shown: RwSignal<usize>,
    /// Which of its analyses is selected.
    selected: RwSignal<Option<usize>>,
) -> impl IntoView {
    let stage = NodeRef::<html::Div>::new();
    let width = width_of(stage);
    let drawing = Memo::new(move |_| {
        report.with(|report| Drawing::new(report, report.positions.get(shown.get()), width.get()))
    });
    let is_drawn = Memo::new(move |_| drawing.with(Option::is_some));
    let remark = move || {
        report.with(|report| {
            let course = report.prices.known()?;
            Some(format!("daily close, {}", days_drawn(course.closes.len(), course.days as usize)))
        })
    };
    let why_not = move || {
        report.with(|report| match report.prices.reason() {
            Some(reason) => format!("There are no prices. {reason}"),
            None => "There is one close so far. The line begins with the second one.".to_owned(),
        })
    };
    view! {
        <section class="card ticker-chart" aria-labelledby="prices-heading">
            <header class="card-head">
                <h2 id="prices-heading">"Price, decisions, trades and lessons"</h2>
                <span class="dim">{remark}</span>
                <SpanLinks report />
            </header>
            <Show when=move || is_drawn.get() fallback=move || view! { <p class="empty-state">{why_not}</p> }>
                <Stage stage drawing selected />
            </Show>
        </section>
    }
}

#[component]
fn SpanLinks(report: Memo<StockReport>) -> impl IntoView {
    let links = PriceSpan::ALL.map(|span| {
        let current = move || report.with(|report| (report.span == span).then_some("true"));
        let href = move || at(report.with(|report| address(&report.ticker, span)));
        view! { <a href=href aria-current=current>{span.label()}</a> }
    });
    view! { <nav class="span-links" aria-label="How far back">{links.into_iter().collect_view()}</nav> }
}

#[component]
fn Stage(
    stage: NodeRef<html::Div>,
    drawing: Memo<Option<Drawing>>,
    selected: RwSignal<Option<usize>>,
) -> impl IntoView {
    let cursor = RwSignal::new(None::<usize>);
    let newest =
        Memo::new(move |_| drawing.with(|it| it.as_ref().map_or(0, |it| it.days.len().saturating_sub(1))));
    let nearest = move |x| drawing.with_untracked(|drawing| drawing.as_ref().map(|drawing| drawing.nearest(x)));
    let place_by_mark = move |key: &str, at| {
        let to_mark = |is_forward| {
            drawing.with_untracked(|drawing| drawing.as_ref().and_then(|it| it.next_mark(at, is_forward)))
        };
        match key {
            "[" => Some(to_mark(false).unwrap_or(at)),
            "]" => Some(to_mark(true).unwrap_or(at)),
            _ => None,
        }
    };
    let place = place_of(cursor, newest);
    let day = Memo::new(move |_| {
        drawing.with(|drawing| drawing.as_ref().and_then(|drawing| drawing.days.get(place.get()).cloned()))
    });
    let words = Signal::derive(move || day.with(|day| day.as_ref().map(in_words)));
    view! {
        <ChartStage
            stage
            class="chart-stage ticker-stage"
            label="Day to read off; arrow keys move, with Shift by a month, brackets to what happened"
            cursor
            newest
            nearest
            place_by_mark
            words
        >
            {move || drawing.get().map(|drawing| view! { <Picture drawing selected /> })}
            <svg class="chart overlay" aria-hidden="true">
                {move || cursor.get().and_then(|_| day.get()).map(|day| {
                    let x = px(day.x);
                    view! {
                        <line class="crosshair" x1=x.clone() x2=x.clone() y1="8" y2=px(HEIGHT - 22.0) />
                        <circle class="read-off" cx=x cy=px(day.y) r="4" />
                    }
                })}
            </svg>
        </ChartStage>
        <p class="ticker-reading digits">
            {words}
            <span class="dim">" · " <span class="key-buy">"▲"</span> " buy " <span class="key-sell">"▼"</span> " sell"</span>
        </p>
        <Values drawing />
    }
}

#[component]
fn Picture(drawing: Drawing, selected: RwSignal<Option<usize>>) -> impl IntoView {
    let width = drawing.width;
    let edge = px(width);
    let last = drawing.days.last().map(|day| view! { <circle class="newest" cx=px(day.x) cy=px(day.y) r="3" /> });
    view! {
        <svg class="chart" viewBox=format!("0 0 {width} {HEIGHT}") aria-hidden="true">
            {drawing.price_ticks.into_iter().map(|(y, price)| view! {
                <line class="grid" x1="0" x2=edge.clone() y1=px(y) y2=px(y) />
                <text class="tick" x="0" y=px(y - 5.0)>{price}</text>
            }).collect_view()}
            {drawing.date_ticks.into_iter().map(|(x, day)| view! {
                <text class="tick" x=px(x.clamp(24.0, width - 24.0)) y=px(HEIGHT - 6.0) text-anchor="middle">{day}</text>
            }).collect_view()}
            {drawing.levels.into_iter().map(|level| view! {
                <line class="level" x1=px(level.from) x2=edge.clone() y1=px(level.y) y2=px(level.y) />
                <text class="tick" x=edge.clone() y=px(level.y - 4.0) text-anchor="end">{level.text}</text>
            }).collect_view()}
            {drawing.decisions.into_iter().map(|mark| {
                let number = mark.number;
                let is_selected = move || selected.get() == Some(number);
                let tone = mark.grade.map_or("tone-quiet", grade_class);
                let from = mark.label.as_ref().map_or(46.0, |label| label.y + LABEL);
                view! {
                    <g class=format!("decision-mark {tone}") class:selected=is_selected>
                        <line x1=px(mark.x) x2=px(mark.x) y1=px(from) y2=px(FLOOR - 8.0) />
                        {mark.label.map(|label| view! {
                            <rect x=px(label.x) y=px(label.y) width=px(label.width) height=px(LABEL) rx="4" />
                            <text x=px(label.x + label.width / 2.0) y=px(label.y + 13.0) text-anchor="middle">{label.text}</text>
                        })}
                    </g>
                }
            }).collect_view()}
            <path class="line close" d=drawing.line />
            {last}
            {drawing.trades.into_iter().map(|mark| {
                let (class, tip, base, text) = match mark.side {
                    Side::Buy => ("marker buy", mark.y + 4.0, mark.y + 12.0, mark.y + 24.0),
                    Side::Sell => ("marker sell", mark.y - 4.0, mark.y - 12.0, mark.y - 16.0),
                };
                let x = mark.x;
                view! {
                    <path class=class d=format!("M{x:.1} {tip:.1}L{:.1} {base:.1}L{:.1} {base:.1}Z", x - 5.0, x + 5.0) />
                    <text class="tick" x=px(x.clamp(24.0, width - 24.0)) y=px(text) text-anchor="middle">{mark.text}</text>
                }
            }).collect_view()}
            {drawing.held.into_iter().map(|held| view! {
                <line class="held" x1=px(held.from) x2=px(held.until) y1=px(FLOOR) y2=px(FLOOR) />
                <text class="tick" x=px(held.from) y=px(FLOOR - 6.0)>{held.text}</text>
            }).collect_view()}
            {drawing.lessons.into_iter().map(|lesson| {
                let (x, y) = (lesson.x, LESSONS);
                view! {
                    <path class="lesson-mark" d=format!("M{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}Z", y - 5.0, x + 5.0, y + 5.0, x - 5.0) />
                    <text class="tick" x=px((x + 8.0).min(width - 18.0)) y=px(y + 4.0)>{format!("L{}", lesson.number)}</text>
                }
            }).collect_view()}
        </svg>
    }
}

/// A place in pixels, short.
fn px(place: f64) -> String {
    format!("{place:.1}")
}

fn in_words(day: &Day) -> String {
    let mut words = format!("{}: close {}", format::day(day.close.date), grouped(day.close.close, 2));
    if let Some(held) = day.held {
        words.push_str(&format!(", held {}", held.normalize()));
    }
    for mark in &day.marks {
        words.push_str(&format!(", {mark}"));
    }
    words
}

/// The same figures as a table; its rows are made when it is opened.
#[component]
fn Values(drawing: Memo<Option<Drawing>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let rows = move || {
        drawing.with(|drawing| {
            let days: Vec<Day> = drawing.iter().flat_map(|drawing| drawing.days.iter().rev().cloned()).collect();
            let rows = days.into_iter().map(|day| {
                let held = day.held.map_or_else(|| "n/a".to_owned(), |held| held.normalize().to_string());
                view! {
                    <tr role="row">
                        <Cell label="Day">{day.close.date.to_string()}</Cell>
                        <Cell label="Close" numeric=true>{grouped(day.close.close, 2)}</Cell>
                        <Cell label="Held" numeric=true>{held}</Cell>
                        <Cell label="What happened">{day.marks.join(", ")}</Cell>
                    </tr>
                }
            });
            rows.collect_view()
        })
    };
    view! {
        <details class="chart-table" on:toggle=move |_| open.update(|open| *open = !*open)>
            <summary>"Closes as a table"</summary>
            <Show when=move || open.get()>
                <DataTable caption="Close by day, newest first" columns=vec!["Day", "#Close", "#Held", "What happened"]>
                    {rows}
                </DataTable>
            </Show>
        </details>
    }
}
