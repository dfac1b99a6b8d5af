//! How much the portfolio may lose: how it stands against its limits, and what its past days say.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped, percent,
    trading::{Constraints, Figure, PortfolioView, RiskReport, UnderwaterPoint},
};
use rust_decimal::prelude::ToPrimitive;

use super::figures::{signed_percent, signed_usd};
use crate::{
    components::{
        later::Later,
        notice::InlineProblem,
        table::{Bar, NotKnown},
    },
    families::trading::{api as own_api, chart::scale::days_since, ticker::TickerLink},
    format,
};

/// What cash is called among the parts of a portfolio.
const CASH: &str = "Cash";
/// Height of the drawdown, in pixels of a picture that is as wide.
const HEIGHT: f64 = 64.0;
/// Width that the drawdown is drawn in; it is stretched to where it stands.
const WIDTH: f64 = 400.0;

/// The panel. Its figures are asked for anew when the ledger or its day has changed.
#[component]
pub fn Risk(view: RwSignal<PortfolioView>) -> impl IntoView {
    let id = view.with_untracked(|view| view.id.clone());
    let state = Memo::new(move |_| view.with(|view| (view.entries, view.as_of)));
    let figures = Resource::new(move || state.get(), move |_| own_api::risk(id.clone()));
    view! {
        <section class="card risk" aria-labelledby="risk-heading">
            <header class="card-head">
                <h2 id="risk-heading">"Risk"</h2>
                <span class="dim">"against the limits, and from past days"</span>
            </header>
            <Later><Concentration view /></Later>
            <Transition fallback=|| view! { <p class="loading">"Computing the risk figures …"</p> }>
                {move || Suspend::new(async move {
                    match figures.await {
                        Ok(report) => view! { <Later><Figures view report /></Later> }.into_any(),
                        Err(error) => view! { <InlineProblem text=error.to_string() /> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
}

/// How a part stands to its limit.
#[derive(Clone, Debug, PartialEq)]
struct Standing {
    name: &'static str,
    whose: String,
    value: Decimal,
    limit: Decimal,
    /// Whether the limit is the least that there must be, rather than the most.
    is_least: bool,
}

impl Standing {
    fn is_breached(&self) -> bool {
        if self.is_least { self.value < self.limit } else { self.value > self.limit }
    }
}

/// The largest position, the largest sector and the cash; nothing where weights are not known.
fn standings(view: &PortfolioView, limits: &Constraints) -> Vec<Standing> {
    let position = view.holdings.iter().filter_map(|it| Some((it.weight?, it.ticker.to_string()))).max();
    let sector = view.allocation.iter().filter(|it| it.sector != CASH).map(|it| (it.weight, it.sector.clone())).max();
    let cash = view.allocation.iter().find(|it| it.sector == CASH).map(|it| (it.weight, String::new()));
    let of = |name, part: Option<(Decimal, String)>, limit, is_least| {
        part.map(|(value, whose)| Standing { name, whose, value, limit, is_least })
    };
    [
        of("Largest position", position, limits.max_position, false),
        of("Largest sector", sector, limits.max_sector, false),
        of("Cash", cash, limits.min_cash, true),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How many equal positions would be as concentrated: one over the sum of the squares of their parts of what is
/// invested (the inverse of the Herfindahl–Hirschman index). `None` where a weight is not known.
fn equal_positions(view: &PortfolioView) -> Option<Decimal> {
    let weights: Option<Vec<Decimal>> = view.holdings.iter().map(|holding| holding.weight).collect();
    let weights = weights.filter(|weights| !weights.is_empty())?;
    let sum: Decimal = weights.iter().sum();
    let squares: Decimal = weights.iter().map(|weight| *weight * *weight).sum();
    (sum * sum).checked_div(squares)
}

#[component]
fn Concentration(view: RwSignal<PortfolioView>) -> impl IntoView {
    let rows = move || {
        view.with(|view| {
            let limits = &view.constraints;
            let rows = standings(view, limits).into_iter().map(|standing| view! { <StandingRow standing /> });
            rows.collect_view()
        })
    };
    let spread = move || {
        view.with(|view| {
            let largest = view.holdings.first().filter(|it| it.weight.is_some()).map(|it| it.ticker.clone());
            let count = view.holdings.len();
            equal_positions(view).map(|equal| {
                let words = format!(
                    "{count} of at most {} positions, as concentrated as {} equal ones",
                    view.constraints.max_positions,
                    grouped(equal, 1)
                );
                view! { <p class="dim">{words} {largest.map(|ticker| view! { "; the largest is " <TickerLink ticker /> })}"."</p> }
            })
        })
    };
    let unknown = move || {
        view.with(|view| {
            let reason = view.total.reason()?.to_owned();
            Some(view! { <p>"Concentration: " <NotKnown reason /></p> })
        })
    };
    view! { {unknown} <ul class="risk-standings" role="list">{rows}</ul> {spread} }
}

#[component]
fn StandingRow(standing: Standing) -> impl IntoView {
    let is_breached = standing.is_breached();
    let Standing { name, whose, value, limit, is_least } = standing;
    let of = if is_least { "at least" } else { "at most" };
    let figure = format!("{} of {of} {}", percent(value, 1), percent(limit, 0));
    let full = value.max(limit) * Decimal::new(115, 2);
    let breach = match (is_breached, is_least) {
        (true, true) => Some("below the minimum"),
        (true, false) => Some("over the limit"),
        (false, _) => None,
    };
    view! {
        <li>
            <span>{name} <span class="dim">{(!whose.is_empty()).then(|| format!(" · {whose}"))}</span></span>
            <span class="digits">{figure}</span>
            <Bar value full limit=Some(limit) warns=is_breached />
            {breach.map(|breach| view! { <span class="over-limit">{breach}</span> })}
        </li>
    }
}

#[component]
fn Figures(view: RwSignal<PortfolioView>, report: RiskReport) -> impl IntoView {
    let total = Memo::new(move |_| view.with(|view| view.total.known().copied()));
    let cell = |name: &'static str, title: &'static str, shown: AnyView| {
        view! { <div class="figure" title=title><dt>{name}</dt><dd>{shown}</dd></div> }
    };
    let known = |figure: &Figure<Decimal>, show: &dyn Fn(Decimal) -> AnyView| match figure {
        Figure::Known(value) => show(*value),
        Figure::NotAvailable(reason) => view! { <NotKnown reason=reason.to_string() /> }.into_any(),
    };
    // A loss of one day is told in money as well.
    let loss = move |fraction: Decimal| {
        let money = move || total.get().map(|total| format!(" · {}", signed_usd(total * fraction)));
        view! { {signed_percent(fraction)} <span class="dim">{money}</span> }.into_any()
    };
    let fall = match &report.max_drawdown {
        Figure::Known(fall) => {
            let (depth, days) = (signed_percent(fall.depth), fall.days);
            let words = match (fall.depth.is_zero(), fall.recovered) {
                (true, _) => "it never fell".to_owned(),
                (false, Some(day)) => format!("{} to {}, back on {}, {days} days", format::day(fall.peak), format::day(fall.trough), format::day(day)),
                (false, None) => format!("{} to {}, not back yet, {days} days", format::day(fall.peak), format::day(fall.trough)),
            };
            view! { {depth} " " <span class="dim">{words}</span> }.into_any()
        }
        Figure::NotAvailable(reason) => view! { <NotKnown reason=reason.to_string() /> }.into_any(),
    };
    let now = report.underwater.last().map(|point| cell("Drawdown now", "How far the value is below its highest", signed_percent(point.depth).into_any()));
    let ratio = |value| grouped(value, 2).into_any();
    let share = |value| percent(value, 1).into_any();
    view! {
        <dl class="risk-figures">
            {cell("VaR 95 %, a day", "A day as bad as this or worse is expected once in twenty", known(&report.value_at_risk, &loss))}
            {cell("CVaR 95 %, a day", "The mean of the days that are as bad as the value at risk or worse", known(&report.expected_shortfall, &loss))}
            {cell("Beta", "How much the value moves where the S&P 500 moves by one", known(&report.beta, &ratio))}
            {cell("Volatility, a year", "The spread of daily returns, for a year", known(&report.volatility, &share))}
            {now}
            {cell("Max drawdown", "The largest fall from a peak", fall)}
        </dl>
        <Underwater points=report.underwater days=report.days />
        <p class="dim">{format!("From {} daily returns; a loss is negative.", report.returns)}</p>
    }
}

/// How far below its highest value the portfolio was.
#[component]
fn Underwater(points: Vec<UnderwaterPoint>, days: u32) -> impl IntoView {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return ().into_any() };
    if points.len() < 2 {
        return ().into_any();
    }
    let deepest = points.iter().map(|point| point.depth).min().unwrap_or_default();
    let floor = pixels(deepest).min(-0.01);
    let span = days_since(last.date, first.date).max(1.0);
    let place = |point: &UnderwaterPoint| {
        let x = days_since(point.date, first.date) / span * WIDTH;
        (x, pixels(point.depth) / floor * (HEIGHT - 2.0))
    };
    let mut area = "M0 0".to_owned();
    for point in &points {
        let (x, y) = place(point);
        area.push_str(&format!("L{x:.1} {y:.1}"));
    }
    area.push_str(&format!("L{WIDTH} 0Z"));
    let drawn = points.len();
    let thinned = if drawn < days as usize {
        format!("; {drawn} of {days} days are drawn, of each stretch the lowest and the highest")
    } else {
        String::new()
    };
    let words = format!(
        "Drawdown from {} to {}, the deepest {}{thinned}.",
        format::day(first.date),
        format::day(last.date),
        signed_percent(deepest)
    );
    view! {
        <figure class="underwater">
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                <path d=area />
            </svg>
            <figcaption class="dim">{words}</figcaption>
        </figure>
    }
    .into_any()
}

/// For geometry only: what is shown as a number stays a [`Decimal`].
fn pixels(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(value: i64, limit: i64, is_least: bool) -> Standing {
        let (value, limit) = (Decimal::new(value, 2), Decimal::new(limit, 2));
        Standing { name: "", whose: String::new(), value, limit, is_least }
    }

    #[test]
    fn a_limit_is_breached_beyond_it_and_a_minimum_below_it() {
        assert!(standing(16, 15, false).is_breached() && !standing(15, 15, false).is_breached());
        assert!(standing(4, 5, true).is_breached() && !standing(5, 5, true).is_breached());
    }
}
