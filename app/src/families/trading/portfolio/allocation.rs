//! How the portfolio is spread over sectors and cash.

use leptos::prelude::*;
use protocol::{
    Decimal, percent,
    trading::{Constraints, PortfolioView, SectorWeight},
};

use super::lit::use_lit;
use crate::components::table::{Bar, NotKnown};

const CASH: &str = "Cash";

/// A bar for each sector, with the limit marked, and one for cash.
#[component]
pub fn Allocation(view: RwSignal<PortfolioView>, settled: ReadSignal<bool>) -> impl IntoView {
    let sectors = Memo::new(move |_| {
        view.with(|view| view.allocation.iter().map(|part| part.sector.clone()).collect::<Vec<_>>())
    });
    let limits = Memo::new(move |_| view.with(|view| view.constraints.clone()));
    let unknown = move || {
        view.with(|view| {
            sectors
                .with(Vec::is_empty)
                .then(|| view.total.reason().unwrap_or("nothing is held yet").to_owned())
        })
    };
    view! {
        <section class="card" aria-labelledby="allocation-heading">
            <header class="card-head">
                <h2 id="allocation-heading">"Allocation"</h2>
                <span class="dim digits">
                    {move || limits.with(|limits| format!(
                        "sector at most {} · cash at least {}",
                        percent(limits.max_sector, 0),
                        percent(limits.min_cash, 0)
                    ))}
                </span>
            </header>
            {move || unknown().map(|reason| view! { <p class="quiet"><NotKnown reason /></p> })}
            <ul class="allocation" role="list">
                <For each=move || sectors.get() key=String::clone let:sector>
                    <Part sector view limits fresh=settled.get_untracked() />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Part(
    sector: String,
    view: RwSignal<PortfolioView>,
    limits: Memo<Constraints>,
    fresh: bool,
) -> impl IntoView {
    let name = sector.clone();
    let weight = Memo::new(move |_| view.with(|view| weight_of(&view.allocation, &sector)));
    // All bars have one scale, with room beyond the limit.
    let full = Memo::new(move |_| view.with(|view| full(&view.allocation, &view.constraints)));
    let lit = use_lit(weight, fresh);
    let is_cash = name == CASH;
    let class = if is_cash { "cash" } else { "sector" };
    let bar = move || {
        let limits = limits.get();
        let limit = if is_cash { limits.min_cash } else { limits.max_sector };
        view! { <Bar value=weight.get() full=full.get() limit=Some(limit) warns=!is_cash class /> }
    };
    let breach = move || limits.with(|limits| breach(is_cash, weight.get(), limits));
    view! {
        <li class:lit=lit>
            <span class="part-name">{name}</span>
            {bar}
            <span class="digits">{move || percent(weight.get(), 1)}</span>
            {move || breach().map(|words| view! { <span class="over-limit">{words}</span> })}
        </li>
    }
}

fn weight_of(allocation: &[SectorWeight], sector: &str) -> Decimal {
    allocation.iter().find(|part| part.sector == sector).map(|part| part.weight).unwrap_or_default()
}

/// The weight at which a bar is full.
fn full(allocation: &[SectorWeight], limits: &Constraints) -> Decimal {
    let beyond_the_limit = limits.max_sector * Decimal::new(115, 2);
    allocation.iter().map(|part| part.weight).fold(beyond_the_limit, Decimal::max)
}

/// What a weight breaks, in words.
fn breach(is_cash: bool, weight: Decimal, limits: &Constraints) -> Option<&'static str> {
    if is_cash {
        (weight < limits.min_cash).then_some("below the minimum")
    } else {
        (weight > limits.max_sector).then_some("over the limit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_at_its_limit_breaks_nothing() {
        let limits = Constraints::default();
        assert_eq!(breach(false, Decimal::new(35, 2), &limits), None);
        assert_eq!(breach(false, Decimal::new(351, 3), &limits), Some("over the limit"));
        assert_eq!(breach(true, Decimal::new(5, 2), &limits), None);
        assert_eq!(breach(true, Decimal::new(49, 3), &limits), Some("below the minimum"));
    }

    #[test]
    fn the_scale_reaches_beyond_the_limit_and_to_the_largest_part() {
        let part = |weight| vec![SectorWeight { sector: CASH.into(), weight }];
        let limits = Constraints::default();
        assert_eq!(full(&part(Decimal::new(18, 2)), &limits), Decimal::new(4_025, 4));
        assert_eq!(full(&part(Decimal::ONE), &limits), Decimal::ONE);
    }
}
