//! A run as one HTML file that opens without a server: no script, no address of anything.

use leptos::prelude::*;
use protocol::{CallOutcome, CallView, NodeView, RunView, Text, Turn, TurnContent};

use crate::{
    components::{answer::Answer, verbatim::Verbatim},
    format,
    legible::legible_document,
    markdown::Markdown,
};

const STYLE: &str = include_str!("export/export.css");

/// The whole file. Texts must be whole in `view`; `log` is the run as JSON Lines.
pub fn document(view: RunView, log: String) -> String {
    let view = &legible_document(view, usize::MAX);
    let summary = &view.summary;
    let totals = &summary.used();
    let cost = format::cost(totals);
    let ended = summary.finished_at.map(|end| format::duration(end.since(summary.created_at)));
    let facts = [
        ("Run", summary.run.to_string()),
        ("State", summary.status.label().to_owned()),
        ("Result", summary.result.clone().unwrap_or_else(|| "none".to_owned())),
        ("Started", summary.created_at.to_string()),
        ("Duration", ended.unwrap_or_else(|| "not over when this was exported".to_owned())),
        ("Model calls", totals.model_calls.to_string()),
        (
            "Tokens",
            format!("{} in, {} out", format::count(totals.tokens_in), format::count(totals.tokens_out)),
        ),
        ("Cost", [Some(cost.known), cost.gap].into_iter().flatten().collect::<Vec<_>>().join(", ")),
    ];
    let facts = facts.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> });
    let why = view.status_reason.clone().map(|reason| view! { <p class="reason">{reason}</p> });
    let nodes = view.nodes.iter().map(|node| row_of(node)).collect_view();
    let turns = view.turns.iter().map(|turn| turn_of(view, turn)).collect_view();
    let reports = view.reports.iter().map(|report| {
        view! {
            <details>
                <summary>{report.title.clone()}</summary>
                <Markdown text=report.markdown.shown() />
            </details>
        }
    });
    let state = view.state.iter().map(|(key, entries)| {
        let values = entries.iter().map(|entry| view! { <Verbatim text=entry.value.shown().to_owned() /> });
        view! { <details><summary class="mono">{key.clone()}</summary>{values.collect_view()}</details> }
    });
    let title = summary.title.clone();
    let body = view! {
        <header>
            <h1>{title.clone()}</h1>
            {why}
            <dl>{facts.collect_view()}</dl>
        </header>
        <main>
            <section>
                <h2>"Agents"</h2>
                <table>
                    <thead><tr><th>"Node"</th><th>"Phase"</th><th>"State"</th><th>"Visits"</th><th>"Worked"</th><th>"Tokens"</th></tr></thead>
                    <tbody>{nodes}</tbody>
                </table>
            </section>
            <section><h2>"Transcript"</h2>{turns}</section>
            <section><h2>"Reports"</h2>{reports.collect_view()}</section>
            <section><h2>"Final state"</h2>{state.collect_view()}</section>
            <section>
                <h2>"Log"</h2>
                <details><summary>"Every event, as JSON Lines"</summary><Verbatim text=log /></details>
            </section>
        </main>
    };
    offline_page(&title, STYLE, body)
}

/// A whole HTML file with no script and no address of anything, so that it opens without a server.
pub(crate) fn offline_page(title: &str, style: &'static str, body: impl IntoView) -> String {
    let head = view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>{title.to_owned()}</title>
        <style inner_html=style></style>
    };
    let (head, body) = (head.to_html(), body.into_view().to_html());
    format!("<!doctype html>\n<html lang=\"en\"><head>{head}</head><body>{body}</body></html>\n")
}

fn row_of(node: &NodeView) -> impl IntoView + use<> {
    view! {
        <tr>
            <td>{node.plan.label.clone()}</td>
            <td>{node.plan.phase.clone()}</td>
            <td>{node.status.label()}</td>
            <td>{node.visits.len()}</td>
            <td>{format::duration(node.worked_ms())}</td>
            <td>{format::count(node.tokens)}</td>
        </tr>
    }
}

fn turn_of(view: &RunView, turn: &Turn) -> AnyView {
    let label = |id| view.node(id).map(|node| node.plan.label.clone());
    let node = turn.node.as_ref().and_then(label).unwrap_or_else(|| "Run".to_owned());
    let who = turn.other_speaker(&node).map(format::speaker).unwrap_or(node);
    let content = match &turn.content {
        TurnContent::Call { call } => view.call(call).map(|call| call_of(call)).into_any(),
        TurnContent::Message(said) => prose(&said.content).into_any(),
        TurnContent::Log(line) => view! { <p>{line.message.clone()}</p> }.into_any(),
        TurnContent::Input { input } => view
            .input(input)
            .map(|input| {
                let answer =
                    input.received.as_ref().map_or("not answered".to_owned(), |it| it.answer.label());
                view! { <p><strong>{input.request.prompt.clone()}</strong>" "{answer}</p> }
            })
            .into_any(),
        TurnContent::Edited(edited) => {
            let keys: Vec<_> = edited.patch.keys().cloned().collect();
            view! { <p>{format!("{} changed the state: {}.", edited.by, keys.join(", "))}</p> }.into_any()
        }
        TurnContent::ApprovalChanged(changed) => {
            view! { <p>{format!("{}: {}.", changed.by, changed.approval.label())}</p> }.into_any()
        }
        TurnContent::Product { index } => view
            .products
            .get(*index)
            .map(|product| {
                view! { <p><strong>{product.headline.clone()}</strong></p> {prose(&product.data)} }
            })
            .into_any(),
        TurnContent::Unknown { kind } => {
            view! { <p>{format!("An event of the kind {kind}.")}</p> }.into_any()
        }
    };
    view! {
        <article>
            <h3>{who}<time>{turn.at.to_string()}</time></h3>
            {content}
        </article>
    }
    .into_any()
}

fn call_of(call: &CallView) -> impl IntoView + use<> {
    let outcome = call.outcome.clone();
    let answer = match outcome {
        None => view! { <p>"No answer yet."</p> }.into_any(),
        Some(outcome) => {
            let thoughts = (!outcome.thoughts.is_empty()).then(|| {
                let title = format::thoughts(&outcome.thoughts);
                view! { <details><summary>{title}</summary>{prose(&outcome.thoughts)}</details> }
            });
            let attempts = attempts_of(&outcome);
            let answer = match outcome.error {
                Some(error) => view! { <p class="reason">{error}</p> }.into_any(),
                None => prose(&outcome.answer).into_any(),
            };
            let cut_off = (!outcome.cut_off.is_empty())
                .then(|| view! { <p class="quiet">{format::CUT_OFF}</p> {prose(&outcome.cut_off)} });
            view! { {thoughts} {answer} {cut_off} {attempts} }.into_any()
        }
    };
    // Those of an earlier call stand there.
    let known = call.prompt.begins().map(|begins| {
        let count = begins.messages;
        view! { <p class="quiet">{format!("After the first {count} messages of an earlier call of this agent:")}</p> }
    });
    let messages = call.prompt.own().iter().map(|text| view! { <Verbatim text=text.shown().to_owned() /> });
    view! {
        <p class="quiet">{format!("{} ({})", call.model, call.tier.label())}</p>
        {answer}
        <details><summary>"Prompt"</summary>{known} {messages.collect_view()}</details>
    }
}

fn attempts_of(outcome: &CallOutcome) -> impl IntoView + use<> {
    let failed = &outcome.attempts;
    (!failed.is_empty()).then(|| {
        let title = format::attempts(failed.len(), outcome.error.is_none());
        let rows = failed.iter().map(|attempt| {
            view! { <li>{attempt.error.clone()}" "<span class="quiet">{format::attempt(attempt)}</span></li> }
        });
        view! { <details><summary>{title}</summary><ol>{rows.collect_view()}</ol></details> }
    })
}

fn prose(text: &Text) -> impl IntoView + use<> {
    view! { <Answer text=text.shown() /> }
}
