//! What lets somebody in: sessions, tokens, shared runs.

use leptos::{ev::SubmitEvent, html, prelude::*};
use protocol::{Audience, NewToken, SessionSummary, ShareSummary, Timestamp, TokenSummary};

use super::{Act, ActButton, Office};
use crate::{
    api::{ApiError, access},
    base::at,
    components::{
        copy::CopyButton,
        notice::Refusal,
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// Lives of a token that can be chosen, in seconds.
const LIVES: [(u64, &str); 3] = [(3_600, "1 hour"), (28_800, "8 hours"), (86_400, "1 day")];

#[component]
fn Moment(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.to_string()>{format::moment(at)}</time> }
}

/// Browsers that are signed in.
#[component]
pub fn Sessions(sessions: Vec<SessionSummary>, office: Office) -> impl IntoView {
    let row = move |session: SessionSummary| {
        let SessionSummary { id, is_this, created_at, expires_at } = session;
        view! {
            <tr role="row">
                <Cell label="Begun (UTC)">
                    <span><Moment at=created_at />{is_this.then_some(" (this browser)")}</span>
                </Cell>
                <Cell label="Ends (UTC)"><Moment at=expires_at /></Cell>
                <Cell label="">
                    {(!is_this)
                        .then(|| view! {
                            <ActButton office act=Act::EndSession(id) word="End" of=format!("the session of {}", format::moment(created_at)) />
                        })}
                </Cell>
            </tr>
        }
    };
    view! {
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">"Sessions"</h2>
            <p class="dim">"Browsers that are signed in. Ending one closes its live connections at once."</p>
            <DataTable caption="Sessions" columns=vec!["Begun (UTC)", "Ends (UTC)", ""]>
                {sessions.into_iter().map(row).collect_view()}
            </DataTable>
        </section>
    }
}

/// Tokens for programs, and the form that makes one.
#[component]
pub fn Tokens(tokens: Vec<TokenSummary>, office: Office) -> impl IntoView {
    let row = move |token: TokenSummary| {
        let of = format!("the token {}", token.label);
        view! {
            <tr role="row">
                <Cell label="For">{token.label.clone()}</Cell>
                <Cell label="Made (UTC)"><Moment at=token.created_at /></Cell>
                <Cell label="Ends (UTC)"><Moment at=token.expires_at /></Cell>
                <Cell label=""><ActButton office act=Act::RevokeToken(token.id) word="Revoke" of /></Cell>
            </tr>
        }
    };
    view! {
        <section class="card" aria-labelledby="tokens">
            <h2 id="tokens">"Tokens for programs"</h2>
            <p class="dim">
                "A program sends one as " <code>"Authorization: Bearer …"</code> ", or as " <code>"?token=…"</code>
                " on a socket. It may do what you may do."
            </p>
            {if tokens.is_empty() {
                view! { <Empty title="No tokens">"One that is made here is listed until it ends."</Empty> }.into_any()
            } else {
                view! {
                    <DataTable caption="Tokens" columns=vec!["For", "Made (UTC)", "Ends (UTC)", ""]>
                        {tokens.into_iter().map(row).collect_view()}
                    </DataTable>
                }
                    .into_any()
            }}
            <NewTokenForm office />
        </section>
    }
}

#[component]
fn NewTokenForm(office: Office) -> impl IntoView {
    let label = NodeRef::<html::Input>::new();
    let life = NodeRef::<html::Select>::new();
    // Kept here: the table below is drawn anew once the token is made.
    let made = RwSignal::new(Vec::<NewToken>::new());
    let make = Action::new(move |(label, seconds): &(String, Option<u64>)| {
        let (label, seconds) = (label.clone(), *seconds);
        async move {
            let token = access::make_token(label, seconds).await?;
            // One that is shown already is shown this once, too.
            made.try_update(|made| made.push(token));
            Ok::<(), ApiError>(())
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if make.pending().get_untracked() {
            return;
        }
        let label = label.try_get_untracked().flatten().map(|field| field.value()).unwrap_or_default();
        let seconds = life.try_get_untracked().flatten().and_then(|field| field.value().parse().ok());
        make.dispatch((label, seconds));
    };
    let shown = move |made: NewToken| {
        let token = made.token.clone();
        view! {
            <div class="secret" role="status">
                <p>"This token is shown this once. Keep it where only you can read it."</p>
                <code class="verbatim">{made.token}</code>
                <div class="text-acts">
                    <CopyButton text=Callback::new(move |()| token.clone()) />
                    <button type="button" class="quiet-button" on:click=move |_| office.changed.run(())>
                        "Done"
                    </button>
                </div>
            </div>
        }
    };
    view! {
        <form class="row-form" on:submit=submit>
            <label>
                "For"
                <input class="input" name="label" node_ref=label required=true maxlength="80" autocomplete="off" />
            </label>
            <label>
                "Lives"
                <select class="input" name="life" node_ref=life>
                    {LIVES.map(|(seconds, name)| view! { <option value=seconds.to_string()>{name}</option> }).collect_view()}
                </select>
            </label>
            <button type="submit" class="button" disabled=make.pending()>"Make a token"</button>
        </form>
        <Refusal act=make />
        {move || made.get().into_iter().map(shown).collect_view()}
    }
}

/// Runs that others may read.
#[component]
pub fn Shares(shares: Vec<ShareSummary>, office: Office) -> impl IntoView {
    let row = move |share: ShareSummary| {
        let audience = match share.audience {
            Audience::Link => "Whoever has the link",
            Audience::Viewers => "This server's viewers",
        };
        let run = share.run.to_string();
        let (href, of) = (at(format!("/runs/{run}")), format!("the share of run {run}"));
        view! {
            <tr role="row">
                <Cell label="Run"><a class="mono" href=href>{run}</a></Cell>
                <Cell label="For">{audience}</Cell>
                <Cell label="Shared (UTC)"><Moment at=share.created_at /></Cell>
                <Cell label="Ends (UTC)">
                    {match share.expires_at {
                        Some(at) => view! { <Moment at /> }.into_any(),
                        None => "when it is revoked".into_any(),
                    }}
                </Cell>
                <Cell label="">
                    <ActButton office act=Act::RevokeShare(share.id) word="Revoke" of />
                </Cell>
            </tr>
        }
    };
    view! {
        <section class="card" aria-labelledby="shares">
            <h2 id="shares">"Shared runs"</h2>
            {if shares.is_empty() {
                view! {
                    <Empty title="Nothing is shared">"A run that is shared can be read, live too, and not be changed."</Empty>
                }
                    .into_any()
            } else {
                view! {
                    <DataTable caption="Shared runs" columns=vec!["Run", "For", "Shared (UTC)", "Ends (UTC)", ""]>
                        {shares.into_iter().map(row).collect_view()}
                    </DataTable>
                }
                    .into_any()
            }}
        </section>
    }
}
