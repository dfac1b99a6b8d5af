//! The return of each month: the number says it, colour only repeats.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped, signed,
    trading::{BacktestReport, BacktestResult, MonthReturn, ReferenceKind},
};

const NAMES: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The table.
#[component]
pub fn Months(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || report.with(|report| report.result.as_ref().map(drawn))
}

/// The table of a result.
pub(super) fn drawn(result: &BacktestResult) -> AnyView {
    let of =
        |kind| result.references.iter().find(|it| it.kind == kind).map(|it| it.figures.months.as_slice());
    let mut whose = vec![("This run", result.figures.months.as_slice())];
    whose.extend(of(ReferenceKind::BuyAndHold).map(|months| ("Buy and hold", months)));
    whose.extend(of(ReferenceKind::Index).map(|months| ("S&P 500", months)));
    let mut years: Vec<i16> = result.figures.months.iter().map(|month| month.year).collect();
    years.dedup();
    let rows = years.iter().flat_map(|year| {
        let each = whose.iter().map(|(name, months)| {
            let of_year: Vec<&MonthReturn> = months.iter().filter(|month| month.year == *year).collect();
            let cells = (1..=12_i8).map(|month| {
                let found = of_year.iter().find(|it| it.month == month).map(|it| it.fraction);
                cell(found)
            });
            let grown =
                of_year.iter().fold(Decimal::ONE, |grown, month| grown * (Decimal::ONE + month.fraction));
            let label = if *name == "This run" { format!("{name} {year}") } else { (*name).to_owned() };
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    {cells.collect::<Vec<_>>()}
                    {cell((!of_year.is_empty()).then_some(grown - Decimal::ONE))}
                </tr>
            }
        });
        each.collect::<Vec<_>>()
    });
    let heads = NAMES.into_iter().chain(["Year"]).map(|name| view! { <th scope="col">{name}</th> });
    view! {
        <section class="card" aria-labelledby="months-heading">
            <header class="card-head">
                <h2 id="months-heading">"Months"</h2>
                <span class="dim">"return in %, after costs"</span>
            </header>
            <div class="backtest-table" tabindex="0" role="region" aria-labelledby="months-heading">
                <table class="months">
                    <thead><tr><td></td>{heads.collect_view()}</tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn cell(fraction: Option<Decimal>) -> AnyView {
    match fraction {
        Some(fraction) => {
            let class = match fraction {
                loss if loss.is_sign_negative() && !loss.is_zero() => "month down",
                none if none.is_zero() => "month",
                _ => "month up",
            };
            let shown = signed(grouped(fraction * Decimal::ONE_HUNDRED, 1), fraction);
            view! { <td class=class>{shown}</td> }.into_any()
        }
        None => view! { <td class="month dim">"–"</td> }.into_any(),
    }
}
