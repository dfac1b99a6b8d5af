//! The portfolios in short.

use leptos::prelude::*;
use protocol::{PortfolioSummary, grouped};

use crate::{components::table::Empty, pages::portfolio::new_portfolio::NewPortfolio};

/// A card for each portfolio, and the act that opens another.
#[component]
pub fn PortfolioCards(portfolios: Vec<PortfolioSummary>) -> impl IntoView {
    let cards = if portfolios.is_empty() {
        view! {
            <Empty title="There is no portfolio yet">
                <p>
                    "A portfolio holds paper money. Portfolio runs decide what it buys and sells. "
                    "Open one to begin."
                </p>
            </Empty>
        }
        .into_any()
    } else {
        let cards = portfolios.into_iter().map(|portfolio| view! { <PortfolioCard portfolio /> });
        view! {
            <ul class="portfolio-cards" role="list">
                {cards.collect_view()}
            </ul>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="portfolios-heading">
            <header class="card-head">
                <h2 id="portfolios-heading">"Portfolios"</h2>
                <NewPortfolio />
            </header>
            {cards}
        </section>
    }
}

#[component]
fn PortfolioCard(portfolio: PortfolioSummary) -> impl IntoView {
    let PortfolioSummary { id, name, cash, positions } = portfolio;
    let held = match positions {
        0 => "no positions".to_owned(),
        1 => "1 position".to_owned(),
        many => format!("{many} positions"),
    };
    view! {
        <li class="portfolio-card">
            <a class="row-link" href=format!("/portfolios/{id}")>{name}</a>
            <span class="dim">{held}</span>
            <span class="figures">{format!("${} cash", grouped(cash, 2))}</span>
            <a class="quiet-button above-row" href=format!("/?type=portfolio&portfolio={id}#start")>"New run"</a>
        </li>
    }
}
