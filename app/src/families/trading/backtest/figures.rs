//! The key figures: this run beside all that it is compared with. Losses are negative in each.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped, percent, signed,
    trading::{BacktestReport, BacktestResult, Figure, NotAvailable, ReferenceKind, Statistics},
};

/// How a figure is shown.
#[derive(Clone, Copy)]
enum Unit {
    /// A fraction that is a gain or a loss, in per cent.
    Gain,
    /// A fraction, in per cent.
    Share,
    /// A ratio.
    Ratio,
    /// A number of days.
    Days,
}

impl Unit {
    fn show(self, value: Decimal) -> String {
        match self {
            Self::Gain => signed(percent(value, 1), value),
            Self::Share => percent(value, 1),
            Self::Ratio => grouped(value, 2),
            Self::Days => grouped(value, 0),
        }
    }
}

/// A row: its name, how it is shown, and where it stands.
type Row = (&'static str, Unit, fn(&Statistics) -> Figure<Decimal>);

const ROWS: [Row; 18] = [
    ("Return", Unit::Gain, |it| it.total_return.clone()),
    ("CAGR", Unit::Gain, |it| it.cagr.clone()),
    ("Volatility, a year", Unit::Share, |it| it.volatility.clone()),
    ("Sharpe ratio", Unit::Ratio, |it| it.sharpe.clone()),
    ("Sortino ratio", Unit::Ratio, |it| it.sortino.clone()),
    ("Max drawdown", Unit::Gain, |it| of_fall(it, |fall| fall.depth)),
    ("its calendar days", Unit::Days, |it| of_fall(it, |fall| fall.days.into())),
    ("Calmar ratio", Unit::Ratio, |it| it.calmar.clone()),
    ("Alpha, a year", Unit::Gain, |it| it.alpha.clone()),
    ("Beta", Unit::Ratio, |it| it.beta.clone()),
    ("Information ratio", Unit::Ratio, |it| it.information_ratio.clone()),
    ("VaR 95 %, a day", Unit::Gain, |it| it.value_at_risk.clone()),
    ("CVaR 95 %, a day", Unit::Gain, |it| it.expected_shortfall.clone()),
    ("Win rate", Unit::Share, |it| it.win_rate.clone()),
    ("Profit factor", Unit::Ratio, |it| it.profit_factor.clone()),
    ("Exposure", Unit::Share, |it| it.exposure.clone()),
    ("Turnover, a year", Unit::Ratio, |it| it.turnover.clone()),
    ("Cost drag, a year", Unit::Gain, |it| it.cost_drag.clone()),
];

fn of_fall(figures: &Statistics, read: fn(&protocol::trading::Drawdown) -> Decimal) -> Figure<Decimal> {
    match &figures.max_drawdown {
        Figure::Known(fall) => Figure::Known(read(fall)),
        Figure::NotAvailable(reason) => Figure::NotAvailable(*reason),
    }
}

/// The table, with each reason for a missing figure beneath it.
#[component]
pub fn KeyFigures(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || report.with(|report| report.result.as_ref().map(drawn))
}

/// The table of a result.
pub(super) fn drawn(result: &BacktestResult) -> AnyView {
    let short = |kind| match kind {
        ReferenceKind::BuyAndHold => "Hold",
        ReferenceKind::EqualWeight => "Equal w.",
        ReferenceKind::Index => "S&P",
        ReferenceKind::AverageCross => "SMA",
    };
    let mut columns = vec![("This run", &result.figures)];
    columns.extend(result.references.iter().map(|reference| (short(reference.kind), &reference.figures)));
    let mut reasons: Vec<NotAvailable> = Vec::new();
    let mut rows = Vec::new();
    for (name, unit, read) in ROWS {
        let cells: Vec<_> = columns
            .iter()
            .map(|(_, figures)| match read(figures) {
                Figure::Known(value) => view! { <td class="numeric">{unit.show(value)}</td> }.into_any(),
                Figure::NotAvailable(reason) => {
                    let place = reasons.iter().position(|known| *known == reason).unwrap_or_else(|| {
                        reasons.push(reason);
                        reasons.len() - 1
                    });
                    let letter = letter(place);
                    view! {
                        <td class="numeric not-known" title=reason.to_string()>"n/a" <sup>{letter}</sup></td>
                    }
                    .into_any()
                }
            })
            .collect();
        rows.push(view! { <tr><th scope="row">{name}</th> {cells}</tr> });
        if name == "Sharpe ratio"
            && let Figure::Known(interval) = &result.figures.sharpe_interval
        {
            let shown = format!("{} to {}", grouped(interval.low, 2), grouped(interval.high, 2));
            let rest: Vec<_> = columns.iter().skip(1).map(|_| view! { <td></td> }.into_any()).collect();
            rows.push(view! {
                <tr>
                    <th scope="row">"its 95 % interval"</th>
                    {std::iter::once(view! { <td class="numeric">{shown}</td> }.into_any()).chain(rest).collect::<Vec<_>>()}
                </tr>
            });
        }
    }
    let notes = reasons.iter().enumerate().map(|(place, reason)| {
        view! { <li><sup>{letter(place)}</sup> " " {reason.to_string()}</li> }
    });
    let heads = columns.iter().map(|(name, _)| view! { <th scope="col" class="numeric">{*name}</th> });
    view! {
        <section class="card" aria-labelledby="figures-heading">
            <header class="card-head">
                <h2 id="figures-heading">"Key figures"</h2>
                <span class="dim">
                    {format!("{} daily returns · risk-free rate 0 % · a loss is negative", result.figures.returns)}
                </span>
            </header>
            // Wide tables move within themselves; the keyboard has to reach that.
            <div class="backtest-table" tabindex="0" role="region" aria-labelledby="figures-heading">
                <table>
                    <thead><tr><td></td>{heads.collect_view()}</tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <ul class="backtest-notes dim" role="list">{notes.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// `a`, `b` … for a note.
fn letter(place: usize) -> String {
    let letter =
        u8::try_from(place).ok().and_then(|place| b'a'.checked_add(place)).filter(u8::is_ascii_lowercase);
    letter.map_or_else(|| (place + 1).to_string(), |letter| char::from(letter).to_string())
}
