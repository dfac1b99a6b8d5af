//! Who asks, for everything that depends on it.

use leptos::prelude::*;
use protocol::{AccessMode, Identity};

use super::icon::{Icon, IconName};
use crate::{
    api::{ApiError, access},
    base::at,
    browser::drafts,
};

type Asked = Resource<Result<Identity, ApiError>>;

/// Asks who opens the pages, once for all of them.
pub fn provide_identity() {
    provide_context::<Asked>(Resource::new(|| (), |()| access::identity()));
}

/// Who opens the pages; `None` where the server did not say.
pub async fn identity() -> Option<Identity> {
    use_context::<Asked>()?.await.ok()
}

/// Does something in the browser once it is known that whoever opens the pages may read anything.
pub fn once_in(act: impl Fn() + 'static) {
    let asked = use_context::<Asked>();
    Effect::new(move |_| {
        if asked.and_then(|asked| asked.get()?.ok()).is_some_and(|identity| identity.may_read()) {
            act();
        }
    });
}

/// Lets whoever opens the pages find their own drafts there, and nobody else's.
pub fn keep_drafts_apart() {
    let asked = use_context::<Asked>();
    Effect::new(move |_| {
        let Some(Ok(identity)) = asked.and_then(|asked| asked.get()) else { return };
        let account = identity.account.as_ref().map_or("", |account| account.as_str());
        drafts::belong_to(identity.may_read().then_some(account));
    });
}

/// What a person should know of how they came in.
#[component]
pub fn AccessNote() -> impl IntoView {
    let asked = use_context::<Asked>();
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match asked?.await {
                    Ok(identity) if identity.mode == AccessMode::Open => Some(view! { <OpenToAll /> }.into_any()),
                    Ok(identity) if is_reader(&identity) => Some(view! { <OnlyReads identity /> }.into_any()),
                    _ => None,
                }
            })}
        </Suspense>
    }
}

/// Whether there is something that may be read, and nothing that may be changed.
fn is_reader(identity: &Identity) -> bool {
    identity.may_read() && !identity.may_write()
}

#[component]
fn OpenToAll() -> impl IntoView {
    view! {
        <p class="banner tone-attention access-note" role="status">
            <Icon name=IconName::Alert />
            <span>
                "Pitwall was started with --no-auth: every program and every person on this machine may use it."
            </span>
        </p>
    }
}

#[component]
fn OnlyReads(identity: Identity) -> impl IntoView {
    view! {
        <p class="banner tone-quiet access-note read-only" role="status">
            <Icon name=IconName::Shield />
            <span>"You can read what is shared with you here, and change nothing."</span>
            {identity.account.is_none().then(|| view! { <a href=at("/sign-in") rel="external">"Sign in"</a> })}
        </p>
    }
}

/// Leads to the page with what the account's owner may do with it.
#[component]
pub fn AccountLink() -> impl IntoView {
    view! {
        <a class="icon-button account-link" href=at("/account") aria-label="Account" title="Account">
            <Icon name=IconName::Person />
        </a>
    }
}
