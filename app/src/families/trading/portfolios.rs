//! `/portfolio` leads to the first portfolio.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Redirect;

use super::api as own_api;
use crate::{
    base::at,
    components::notice::{Notice, ProblemNotice},
};

/// Redirects to the first portfolio, or says that there is none.
#[component]
pub fn FirstPortfolioPage() -> impl IntoView {
    let portfolios = Resource::new(|| (), |()| own_api::portfolios());
    view! {
        <Title text="Portfolio" />
        <Suspense fallback=|| view! { <p class="loading">"Loading the portfolios …"</p> }>
            {move || Suspend::new(async move {
                match portfolios.await {
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(all) => {
                        match all.first() {
                            Some(first) => {
                                view! { <Redirect path=format!("/portfolios/{}", first.id) /> }.into_any()
                            }
                            None => view! { <NoPortfolio /> }.into_any(),
                        }
                    }
                }
            })}
        </Suspense>
    }
}

#[component]
fn NoPortfolio() -> impl IntoView {
    view! {
        <Notice title="There is no portfolio yet">
            <p>
                "A portfolio holds paper money that portfolio runs trade with. Holdings, trades and "
                "risk figures would stand here. Open one from the overview."
            </p>
            <p>
                <a class="button" href=at("/")>
                    "Go to the overview"
                </a>
            </p>
        </Notice>
    }
}
