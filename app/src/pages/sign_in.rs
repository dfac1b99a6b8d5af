//! Where a person says who they are.

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::AccessMode;

use crate::{
    api::{self, ApiError},
    components::{
        access::{go_as_somebody_else, identity},
        icon::{Icon, IconName},
    },
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

#[component]
fn SignInForm(has_accounts: bool) -> impl IntoView {
    let query = use_query_map();
    let (name, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let typed = |field: NodeRef<html::Input>| field.try_get_untracked().flatten().map(|field| field.value());
    let sign_in = Action::new(move |(name, password): &(String, String)| {
        let (name, password) = (name.clone(), password.clone());
        async move {
            api::access::sign_in(name, password).await?;
            let next = query.try_with_untracked(|query| query.get("next")).flatten();
            go_as_somebody_else(next.as_deref().unwrap_or("/"));
            Ok::<(), ApiError>(())
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        sign_in.dispatch((typed(name).unwrap_or_default(), typed(password).unwrap_or_default()));
    };
    // Until the page is alive a submit would only reload it.
    let alive = RwSignal::new(false);
    Effect::new(move || alive.set(true));
    let refused =
        move || sign_in.value().with(|answer| answer.as_ref()?.as_ref().err().map(ToString::to_string));
    let (label, hint) = if has_accounts {
        ("Password", "An administrator makes accounts: pitwall account add NAME.")
    } else {
        ("Token", "It stands in the address that the server printed at its start.")
    };
    view! {
        <form class="card sign-in" aria-labelledby="sign-in-heading" on:submit=submit>
            <h1 id="sign-in-heading">"Sign in to Pitwall"</h1>
            {has_accounts
                .then(|| view! {
                    <div class="field">
                        <label for="name">"Name"</label>
                        <input class="input" id="name" name="name" node_ref=name autocomplete="username" autocapitalize="none" spellcheck="false" required=true maxlength="64" />
                    </div>
                })}
            <div class="field">
                <label for="password">{label}</label>
                <input class="input" id="password" name="password" type="password" node_ref=password autocomplete="current-password" required=true maxlength="256" aria-describedby="password-note" />
                <p class="note" id="password-note">{hint}</p>
            </div>
            <Show when=move || refused().is_some()>
                <p class="form-error" role="alert">
                    <Icon name=IconName::Alert />
                    <span>{refused}</span>
                </p>
            </Show>
            <button type="submit" class="button primary" disabled=move || !alive.get() || sign_in.pending().get()>
                "Sign in"
            </button>
        </form>
    }
}
