//! What an account's owner may do with it: sessions, tokens, shared runs, password; and for
//! administrators all accounts.

mod accounts;
mod credentials;
mod models;
mod password;
mod tools;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    AccessMode, AccountId, AccountSummary, CredentialId, Identity, ModelProfile, Role, SessionSummary,
    ShareSummary, TokenSummary, ToolServer,
};
use serde::{Deserialize, Serialize};

use self::{
    accounts::Accounts,
    credentials::{Sessions, Shares, Tokens},
    models::Models,
    password::PasswordForm,
    tools::Tools,
};
use crate::{
    api::{self, ApiError, access},
    base::at,
    browser,
    components::notice::{ProblemNotice, Refusal},
};

/// What the page needs to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    identity: Identity,
    sessions: Vec<SessionSummary>,
    shares: Vec<ShareSummary>,
    /// `None` where there are no accounts.
    tokens: Option<Vec<TokenSummary>>,
    /// `None` for who starts no runs.
    models: Option<Vec<ModelProfile>>,
    /// `None` for those who only follow a link.
    tools: Option<Vec<ToolServer>>,
    /// `None` for all but administrators.
    accounts: Option<Vec<AccountSummary>>,
}

/// The page.
#[component]
pub fn AccountPage() -> impl IntoView {
    let data = Resource::new(|| (), |()| read());
    let office = Office::new(move || data.refetch());
    view! {
        <Title text="Account" />
        <Transition fallback=|| view! { <p class="loading">"Loading the account …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(data) => view! { <Account data office /> }.into_any(),
                }
            })}
        </Transition>
    }
}

async fn read() -> Result<PageData, ApiError> {
    let identity = access::identity().await?;
    let has_accounts = identity.mode == AccessMode::Accounts;
    Ok(PageData {
        sessions: access::sessions().await?,
        shares: access::shares().await?,
        tokens: if has_accounts { Some(access::tokens().await?) } else { None },
        models: if identity.may_write() { Some(api::models().await?) } else { None },
        tools: if identity.role.is_some() { Some(api::tool_servers().await?) } else { None },
        accounts: if identity.role == Some(Role::Administrator) {
            Some(access::accounts().await?)
        } else {
            None
        },
        identity,
    })
}

/// What takes something away.
#[derive(Clone, Debug)]
enum Act {
    SignOut,
    EndSession(CredentialId),
    RevokeToken(CredentialId),
    RevokeShare(CredentialId),
    RemoveAccount(AccountId),
}

/// Performs acts, and has the page read again what they changed.
#[derive(Clone, Copy)]
struct Office {
    act: Action<Act, Result<(), ApiError>>,
    changed: Callback<()>,
}

impl Office {
    fn new(changed: impl Fn() + Send + Sync + 'static) -> Self {
        let changed = Callback::new(move |()| changed());
        let act = Action::new(move |act: &Act| {
            let act = act.clone();
            async move {
                match act {
                    Act::SignOut => {
                        // Before: when the session ends this page is led away at once.
                        browser::drafts::sign_out();
                        access::sign_out().await?;
                        browser::load(&at("/sign-in"));
                    }
                    Act::EndSession(id) => access::end_session(id).await?,
                    Act::RevokeToken(id) => access::revoke_token(id).await?,
                    Act::RevokeShare(id) => access::revoke_share(id).await?,
                    Act::RemoveAccount(id) => access::remove_account(id).await?,
                }
                changed.run(());
                Ok(())
            }
        });
        Self { act, changed }
    }
}

/// A button that performs an act.
#[component]
fn ActButton(
    office: Office,
    act: Act,
    /// What it says.
    word: &'static str,
    /// To what it is done, for who does not see the row.
    #[prop(into)]
    of: String,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="quiet-button"
            disabled=move || office.act.pending().get()
            on:click=move |_| drop(office.act.dispatch(act.clone()))
        >
            {word}
            <span class="visually-hidden">{format!(" {of}")}</span>
        </button>
    }
}

#[component]
fn Account(data: PageData, office: Office) -> impl IntoView {
    let PageData { identity, sessions, shares, tokens, models, tools, accounts } = data;
    let has_accounts = identity.mode == AccessMode::Accounts;
    let name = identity.account.clone().map(|account| account.to_string()).unwrap_or_default();
    let role = identity.role.map(Role::label).unwrap_or_default();
    let may_write = identity.may_write();
    view! {
        <div class="page account">
            <header class="page-head">
                <h1>"Account"</h1>
                {has_accounts.then(|| view! { <span class="dim">{name} " · " {role}</span> })}
                {(identity.mode != AccessMode::Open)
                    .then(|| view! {
                        <button type="button" class="button" on:click=move |_| drop(office.act.dispatch(Act::SignOut))>
                            "Sign out"
                        </button>
                    })}
            </header>
            <Refusal act=office.act />
            {(!has_accounts)
                .then(|| view! {
                    <p class="card account-lead">
                        "This server has no accounts: whoever has its token is you. The command "
                        <code>"pitwall account add NAME --role administrator"</code> " makes one."
                    </p>
                })}
            <Sessions sessions office />
            {tokens.map(|tokens| view! { <Tokens tokens office /> })}
            {may_write.then(|| view! { <Shares shares office /> })}
            {models.map(|models| view! { <Models models /> })}
            {tools.map(|servers| view! { <Tools servers office /> })}
            {has_accounts.then(|| view! { <PasswordForm office /> })}
            {accounts.map(|accounts| view! { <Accounts accounts own=identity.account office /> })}
        </div>
    }
}
