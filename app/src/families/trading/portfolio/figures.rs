//! The figures of the portfolio's header.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped, percent,
    trading::{Measured, PortfolioView},
};

use super::lit::use_lit;
use crate::components::table::{NotKnown, gain_class};

/// A figure as it stands in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Figure {
    text: Measured<String>,
    class: &'static str,
}

impl Figure {
    fn plain(text: String) -> Self {
        Self { text: Measured::Known(text), class: "" }
    }

    fn of(value: &Measured<Decimal>, show: impl Fn(Decimal) -> String) -> Self {
        Self { text: value.map(|amount| show(*amount)), class: "" }
    }
}

/// `$104,218.40`, with a minus before the dollar.
pub fn usd(amount: Decimal) -> String {
    let shown = grouped(amount, 2);
    match shown.strip_prefix('\u{2212}') {
        Some(digits) => format!("\u{2212}${digits}"),
        None => format!("${shown}"),
    }
}

/// An amount of US dollars as people type it: `$250,000.50`; `None` if it is none.
pub fn read_usd(typed: &str) -> Option<Decimal> {
    let digits: String = typed.chars().filter(|letter| !matches!(letter, ',' | '$' | ' ')).collect();
    digits.parse().ok()
}

/// The same as [`usd`] with a sign on gains too.
pub fn signed_usd(amount: Decimal) -> String {
    protocol::signed(usd(amount), amount)
}

/// `+4.2 %`.
pub fn signed_percent(fraction: Decimal) -> String {
    protocol::signed(percent(fraction, 1), fraction)
}

fn cash(view: &PortfolioView) -> Figure {
    let share = view.total.known().and_then(|total| view.cash.checked_div(*total));
    Figure::plain(match share {
        Some(share) => format!("{} · {}", usd(view.cash), percent(share, 1)),
        None => usd(view.cash),
    })
}

fn unrealised(view: &PortfolioView) -> Figure {
    let cost: Decimal = view.holdings.iter().map(|holding| holding.cost_basis).sum();
    let text = view.unrealised_profit.map(|profit| match profit.checked_div(cost) {
        Some(fraction) => format!("{} · {}", signed_usd(*profit), signed_percent(fraction)),
        None => signed_usd(*profit),
    });
    Figure { text, class: gain_class(view.unrealised_profit.known().copied()) }
}

/// Total value, cash, profit and risk.
#[component]
pub fn Figures(view: RwSignal<PortfolioView>) -> impl IntoView {
    let figure = move |read: fn(&PortfolioView) -> Figure| Memo::new(move |_| view.with(read));
    let ratio = |value| grouped(value, 2);
    let days = move || view.with(|view| format!("Computed from {} daily returns", view.metrics.days));
    view! {
        <dl class="portfolio-figures">
            <FigureCell label="Total value" figure=figure(|view| Figure::of(&view.total, usd)) />
            <FigureCell label="Cash" figure=figure(cash) />
            <FigureCell label="Unrealised P&L" title="Market value less cost; in per cent of the cost of the holdings" figure=figure(unrealised) />
            <FigureCell label="Realised P&L" figure=figure(|view| Figure {
                class: gain_class(Some(view.realised_profit)),
                ..Figure::plain(signed_usd(view.realised_profit))
            }) />
            <FigureCell label="Sharpe ratio" title=days figure=Memo::new(move |_| view.with(|view| Figure::of(&view.metrics.sharpe, ratio))) />
            <FigureCell label="Sortino ratio" title=days figure=Memo::new(move |_| view.with(|view| Figure::of(&view.metrics.sortino, ratio))) />
            <FigureCell label="Max drawdown" title=days figure=figure(|view| Figure::of(&view.metrics.max_drawdown, |fall| percent(fall, 1))) />
            <FigureCell label="Beta" title=days figure=Memo::new(move |_| view.with(|view| Figure::of(&view.metrics.beta, ratio))) />
        </dl>
    }
}

#[component]
fn FigureCell(
    label: &'static str,
    figure: Memo<Figure>,
    #[prop(optional, into)] title: Signal<String>,
) -> impl IntoView {
    // Another reason for not knowing is no news.
    let known = Memo::new(move |_| figure.with(|figure| figure.text.known().cloned()));
    let lit = use_lit(known, false);
    view! {
        <div class="figure" class:lit=lit title=move || title.with(|title| (!title.is_empty()).then(|| title.clone()))>
            <dt>{label}</dt>
            <dd class=move || figure.with(|figure| figure.class)>
                {move || match figure.get().text {
                    Measured::Known(text) => text.into_any(),
                    Measured::Unknown(reason) => view! { <NotKnown reason /> }.into_any(),
                }}
            </dd>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_stands_before_the_dollar() {
        assert_eq!(signed_usd(Decimal::new(421_840, 2)), "+$4,218.40");
        assert_eq!(signed_usd(Decimal::new(-13_727, 2)), "\u{2212}$137.27");
        assert_eq!(signed_usd(Decimal::ZERO), "$0.00");
    }
}
