//! The tool servers that the settings name, how they stand, and what agents can call there.

use leptos::prelude::*;
use protocol::{ToolServer, ToolServerReach, ToolServerState, ToolSummary};

use super::Office;
use crate::{
    components::{
        icon::IconName,
        status::{Sign, SignLabel, Tone},
        table::Empty,
    },
    format,
};

/// All of them, without their keys.
#[component]
pub fn Tools(servers: Vec<ToolServer>, office: Office) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="tools">
            <header class="card-head">
                <h2 id="tools">"Tools"</h2>
                {(!servers.is_empty())
                    .then(|| view! {
                        <button type="button" class="quiet-button" on:click=move |_| office.changed.run(())>
                            "Look again"
                        </button>
                    })}
            </header>
            <p class="dim">
                "Servers of tools by the Model Context Protocol, as " <code>"pitwall.toml"</code>
                " names them. Agents can be offered what they have. What they say of themselves was not checked."
            </p>
            {if servers.is_empty() {
                view! {
                    <Empty title="No tool servers">
                        <p>
                            "Add one to " <code>"pitwall.toml"</code> " in the data folder and start the server again: "
                            <code>"[tools.files]"</code> " with the absolute path of a " <code>"command"</code>
                            ", or with a " <code>"url"</code> ". The README shows both."
                        </p>
                    </Empty>
                }
                    .into_any()
            } else {
                servers.into_iter().map(|server| view! { <Server server /> }).collect_view().into_any()
            }}
        </section>
    }
}

#[component]
fn Server(server: ToolServer) -> impl IntoView {
    let ToolServer { name, reached, state, tools, left_out } = server;
    let id = format!("tools-{name}");
    let labelled_by = id.clone();
    let place = match reached {
        ToolServerReach::Program { file } => format!("runs {file}"),
        ToolServerReach::Network { host } => format!("at {host}"),
    };
    view! {
        <section class="tool-server" aria-labelledby=labelled_by>
            <header>
                <h3 id=id>{name.to_string()}</h3>
                <span class="dim">{place}</span>
                <SignLabel sign=sign(&state) />
            </header>
            {said(state).map(|said| view! { <p>{said}</p> })}
            {left_out.into_iter().map(|sentence| view! { <p class="dim">{sentence}</p> }).collect_view()}
            {(!tools.is_empty()).then(|| view! { <ToolList tools /> })}
        </section>
    }
}

#[component]
fn ToolList(tools: Vec<ToolSummary>) -> impl IntoView {
    let count = match tools.len() {
        1 => "1 tool".to_owned(),
        count => format!("{count} tools"),
    };
    view! {
        <details>
            <summary>{count}</summary>
            <dl class="tool-list">
                {tools
                    .into_iter()
                    .map(|ToolSummary { name, description }| view! {
                        <dt class="mono">{name.to_string()}</dt>
                        <dd>{if description.is_empty() { "It does not say what it does.".to_owned() } else { description }}</dd>
                    })
                    .collect_view()}
            </dl>
        </details>
    }
}

fn sign(state: &ToolServerState) -> Sign {
    match state {
        ToolServerState::Starting => {
            Sign { icon: IconName::Hourglass, word: "Being started", tone: Tone::Quiet }
        }
        ToolServerState::Ready { .. } => Sign { icon: IconName::Check, word: "Ready", tone: Tone::Done },
        ToolServerState::Failed { .. } => {
            Sign { icon: IconName::Cross, word: "Not available", tone: Tone::Failed }
        }
    }
}

fn said(state: ToolServerState) -> Option<String> {
    match state {
        ToolServerState::Starting => None,
        ToolServerState::Ready { since } => Some(format!("Since {} (UTC).", format::moment(since))),
        ToolServerState::Failed { reason, again_at } => {
            let again = format::moment(again_at);
            Some(format!("{reason} It is tried again by itself, next at {again} (UTC)."))
        }
    }
}
