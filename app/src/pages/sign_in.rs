//! Where a person says who they are.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::{AccessMode, SignInRefusal};

use crate::{
    base::at,
    components::{access::identity, notice::FormError},
};

/// The form, for an account or, where there are none, for the server's token.
#[component]
pub fn SignInPage() -> impl IntoView {
    view! {
        <Title text="Sign in" />
        <Suspense fallback=|| view! { <p class="loading">"Loading …"</p> }>
            {Suspend::new(async move {
                let mode = identity().await.map_or(AccessMode::Accounts, |identity| identity.mode);
                view! { <SignInForm has_accounts=mode == AccessMode::Accounts /> }
            })}
        </Suspense>
    }
}

/// Sent by the browser itself: it works without scripts, and leads to a page that is loaded as
/// whoever came in.
#[component]
fn SignInForm(has_accounts: bool) -> impl IntoView {
    let query = use_query_map().get_untracked();
    let refusal = query.get("refused").and_then(|refusal| refusal.parse().ok());
    let (label, hint) = if has_accounts {
        ("Password", "An administrator makes accounts: pitwall account add NAME.")
    } else {
        ("Token", "It stands in the address that the server printed at its start.")
    };
    view! {
        <form class="card sign-in" method="post" action=at("/sign-in") aria-labelledby="sign-in-heading">
            <h1 id="sign-in-heading">"Sign in to Pitwall"</h1>
            <input type="hidden" name="next" value=query.get("next").unwrap_or_default() />
            {has_accounts
                .then(|| view! {
                    <div class="field">
                        <label for="name">"Name"</label>
                        <input class="input" id="name" name="name" autocomplete="username" autofocus=true autocapitalize="none" spellcheck="false" required=true maxlength="64" />
                    </div>
                })}
            <div class="field">
                <label for="password">{label}</label>
                <input class="input" id="password" name="password" type="password" autofocus=!has_accounts autocomplete="current-password" required=true maxlength="256" aria-describedby="password-note" />
                <p class="note" id="password-note">{hint}</p>
            </div>
            <FormError text=Signal::stored(refusal.map(|refusal| sentence(refusal, has_accounts))) />
            <button type="submit" class="button primary">
                "Sign in"
            </button>
        </form>
    }
}

fn sentence(refusal: SignInRefusal, has_accounts: bool) -> String {
    match refusal {
        SignInRefusal::Wrong if !has_accounts => {
            "This is not the token that the server printed at its start.".to_owned()
        }
        refusal => refusal.sentence(),
    }
}
