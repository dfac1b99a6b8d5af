//! The value over time beside what it is compared with, and the drawdown beneath. One crosshair crosses both; what is
//! read off stands under the chart.

use leptos::{html, prelude::*};
use protocol::{
    Date, Decimal, grouped, percent, signed,
    trading::{BacktestReport, Side},
};

use super::drawing::{Drawing, HEIGHT};
use crate::{
    components::table::{Cell, DataTable},
    families::trading::chart::{days_drawn, stage::{ChartStage, place_of}, width_of},
    format,
};

/// The chart, or a sentence about what is missing for one.
#[component]
pub fn Equity(report: RwSignal<BacktestReport>) -> impl IntoView {
    let stage = NodeRef::<html::Div>::new();
    let width = width_of(stage);
    let drawing = Memo::new(move |_| report.with(|report| Drawing::new(report, width.get())));
    let is_drawn = Memo::new(move |_| drawing.with(Option::is_some));
    let remark = move || {
        let has_result = report.with(|report| report.result.is_some());
        drawing.with(|drawing| {
            let drawing = drawing.as_ref()?;
            let days = days_drawn(drawing.days.len(), drawing.all_days);
            Some(if has_result { days } else { format!("{days} · the other comparisons come at the end") })
        })
    };
    view! {
        <section class="card backtest-equity" aria-labelledby="equity-heading">
            <header class="card-head">
                <h2 id="equity-heading">"Equity and drawdown"</h2>
                <span class="dim">{remark}</span>
            </header>
            <Show
                when=move || is_drawn.get()
                fallback=|| view! { <p class="empty-state">"The value of each day will be drawn here, from the second day on."</p> }
            >
                <Stage stage drawing />
            </Show>
        </section>
    }
}

#[component]
fn Stage(stage: NodeRef<html::Div>, drawing: Memo<Option<Drawing>>) -> impl IntoView {
    let cursor = RwSignal::new(None::<usize>);
    let newest =
        Memo::new(move |_| drawing.with(|it| it.as_ref().map_or(0, |it| it.days.len().saturating_sub(1))));
    let nearest = move |x| drawing.with_untracked(|drawing| drawing.as_ref().map(|drawing| drawing.nearest(x)));
    let place = place_of(cursor, newest);
    let words = Signal::derive(move || {
        drawing.with(|drawing| drawing.as_ref().and_then(|it| in_words(it, place.get())))
    });
    view! {
        <ChartStage
            stage
            class="chart-stage backtest-stage"
            label="Day to read off; arrow keys move, with Shift by a month"
            cursor
            newest
            nearest
            place_by_mark=|_, _| None
            words
        >
            {move || drawing.get().map(|drawing| view! { <Picture drawing /> })}
            <svg class="chart overlay" aria-hidden="true">
                {move || cursor.get().and_then(|_| drawing.with(|drawing| {
                    let drawing = drawing.as_ref()?;
                    let at = place.get();
                    let (_, x) = drawing.days.get(at)?;
                    let x = px(*x);
                    let own = drawing.own.get(at).copied().flatten();
                    Some(view! {
                        <line class="crosshair" x1=x.clone() x2=x.clone() y1="8" y2=px(HEIGHT - 22.0) />
                        {own.map(|y| view! { <circle class="read-off" cx=x.clone() cy=px(y) r="4" /> })}
                    })
                }))}
            </svg>
        </ChartStage>
        {move || drawing.with(|drawing| drawing.as_ref().and_then(|it| read_off(it, place.get())))}
        <Values drawing />
    }
}

/// The drawing.
#[component]
pub(super) fn Picture(drawing: Drawing) -> impl IntoView {
    let width = drawing.width;
    let edge = px(width);
    let level = |ticks: Vec<(f64, String)>| {
        let edge = edge.clone();
        let drawn = ticks.into_iter().map(move |(y, amount)| {
            view! {
                <line class="grid" x1="0" x2=edge.clone() y1=px(y) y2=px(y) />
                <text class="tick" x="0" y=px(y - 4.0)>{amount}</text>
            }
        });
        drawn.collect_view()
    };
    view! {
        <svg class="chart" viewBox=format!("0 0 {width} {HEIGHT}") aria-hidden="true">
            {drawing.band.map(|(area, middle)| view! {
                <path class="band" d=area />
                <path class="line random" d=middle />
            })}
            {level(drawing.value_ticks)}
            {level(drawing.depth_ticks)}
            {drawing.date_ticks.into_iter().map(|(x, day)| view! {
                <text class="tick" x=px(x.clamp(18.0, width - 18.0)) y=px(HEIGHT - 6.0) text-anchor="middle">{day}</text>
            }).collect_view()}
            {drawing.lines.into_iter().map(|line| {
                let class = format!("line {}", line.whose.class());
                // Of the drawdowns only those are drawn that can be told apart.
                let is_deep = matches!(line.whose.class(), "run" | "hold" | "index");
                view! {
                    <path class=class.clone() d=line.values />
                    {is_deep.then(|| view! { <path class=class d=line.depths /> })}
                }
            }).collect_view()}
            {drawing.markers.into_iter().map(|(side, x, y)| {
                let (class, tip, base) = match side {
                    Side::Buy => ("marker buy", y + 4.0, y + 12.0),
                    Side::Sell => ("marker sell", y - 4.0, y - 12.0),
                };
                view! { <path class=class d=format!("M{x:.1} {tip:.1}L{:.1} {base:.1}L{:.1} {base:.1}Z", x - 5.0, x + 5.0) /> }
            }).collect_view()}
        </svg>
    }
}

/// A place in pixels, short.
fn px(place: f64) -> String {
    format!("{place:.1}")
}

fn gain(fraction: Option<Decimal>) -> String {
    fraction.map_or_else(|| "n/a".to_owned(), |fraction| signed(percent(fraction, 1), fraction))
}

fn day_at(drawing: &Drawing, place: usize) -> Option<Date> {
    drawing.days.get(place).map(|(date, _)| *date)
}

/// The figures of a day, by value, highest first. They are the legend as well.
fn read_off(drawing: &Drawing, place: usize) -> Option<AnyView> {
    let date = day_at(drawing, place)?;
    let mut rows: Vec<_> = drawing
        .series
        .iter()
        .zip(&drawing.depths)
        .filter_map(|(series, depths)| {
            Some((series.whose, *series.values.get(&date)?, series.gain(date), depths.get(&date).copied()))
        })
        .collect();
    rows.sort_by_key(|(_, value, ..)| std::cmp::Reverse(*value));
    let rows = rows.into_iter().map(|(whose, value, change, depth)| {
        view! {
            <li class=format!("backtest-reading {}", whose.class())>
                <span class=format!("key-line {}", whose.class()) aria-hidden="true"></span>
                <span class="whose">{whose.label()}</span>
                <span class="digits">{format!("${}", grouped(value, 0))}</span>
                <span class="digits">{gain(change)}</span>
                <span class="digits dim" title="Drawdown">{gain(depth)}</span>
            </li>
        }
    });
    let random = drawing.random.get(&date).map(|point| {
        view! {
            <li class="backtest-reading">
                <span class="key-line random" aria-hidden="true"></span>
                <span class="whose">"Random agents, 5 to 95 %"</span>
                <span class="digits band-range">{format!("${} to ${}", grouped(point.low, 0), grouped(point.high, 0))}</span>
            </li>
        }
    });
    Some(
        view! {
            <div class="backtest-readings">
                <p class="dim">
                    <strong>{format::day(date)}</strong> " · value, return, drawdown · "
                    <span class="key-buy">"▲"</span> " buy " <span class="key-sell">"▼"</span> " sell"
                </p>
                <ul role="list">{rows.collect_view()} {random}</ul>
            </div>
        }
        .into_any(),
    )
}

fn in_words(drawing: &Drawing, place: usize) -> Option<String> {
    let date = day_at(drawing, place)?;
    let each = drawing.series.iter().filter_map(|series| {
        Some(format!(
            "{} ${}, {}",
            series.whose.label(),
            grouped(*series.values.get(&date)?, 0),
            gain(series.gain(date))
        ))
    });
    Some(format!("{}: {}", format::long_day(date), each.collect::<Vec<_>>().join("; ")))
}

/// The same figures as a table; its rows are made when it is opened.
#[component]
fn Values(drawing: Memo<Option<Drawing>>) -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <details class="chart-table" on:toggle=move |_| open.update(|open| *open = !*open)>
            <summary>"Values as a table"</summary>
            <Show when=move || open.get()>
                <DataTable caption="Value by day, newest first" columns=vec!["Day", "Whose", "#Value", "#Drawdown"]>
                    {move || drawing.with(|drawing| drawing.as_ref().map(rows))}
                </DataTable>
            </Show>
        </details>
    }
}

fn rows(drawing: &Drawing) -> AnyView {
    let rows = drawing.days.iter().rev().flat_map(|(date, _)| {
        let each = drawing.series.iter().zip(&drawing.depths).filter_map(|(series, depths)| {
            let value = grouped(*series.values.get(date)?, 2);
            let (day, whose) = (date.to_string(), series.whose.label());
            let depth = gain(depths.get(date).copied());
            Some(view! {
                <tr role="row">
                    <Cell label="Day">{day}</Cell>
                    <Cell label="Whose">{whose}</Cell>
                    <Cell label="Value" numeric=true>{value}</Cell>
                    <Cell label="Drawdown" numeric=true>{depth}</Cell>
                </tr>
            })
        });
        each.collect::<Vec<_>>()
    });
    rows.collect_view().into_any()
}
