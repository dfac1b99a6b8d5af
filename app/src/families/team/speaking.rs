//! Beside a team's run: who speaks and why, what everybody has taken, and how far the end is.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{
    Decimal, NodeKind, NodeStatus, NodeView, Product, RunView, WorkflowKind,
    team::{KIND, TeamLimit, TeamPick},
};

use super::going_on::Followers;
use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::{SignLabel, node_sign},
        table::{Cell, DataTable},
    },
    format::{self, Cost},
    pages::run::Shown,
};

/// The role of the node that says who speaks.
const LEAD: &str = "manager";
/// Agents that have a row at most; the timeline has all.
const MOST_ROWS: usize = 64;

/// What stands beside the run of a team.
pub(super) fn beside(kind: &WorkflowKind, view: Shown) -> Option<AnyView> {
    (kind.as_str() == KIND).then(|| view! { <Speaking view /> }.into_any())
}

/// The latest choice, as far as its data are in the log's short form.
fn latest_pick(product: &Product) -> Option<TeamPick> {
    serde_json::from_str(product.data.whole()?).ok()
}

#[component]
fn Speaking(view: Shown) -> impl IntoView {
    let product = Memo::new(move |_| {
        view.with(|view| view.products.iter().rev().find(|product| product.holds::<TeamPick>()).cloned())
    });
    let pick = Memo::new(move |_| product.with(|product| product.as_deref().and_then(latest_pick)));
    let is_over = Memo::new(move |_| view.with(|view| view.summary.status.is_over()));
    // It is named once, when the run begins.
    let team = view.with_untracked(|view| view.summary.request.workflow.document()).map(|team| {
        let version = team.version.map(|version| format!("Made from version {version} of "));
        view! { <p>{version}<a href=at(format!("/teams/{}", team.id))>"the team"</a></p> }
    });
    view! {
        <section class="team-beside" aria-labelledby="team-speaking">
            {team}
            <h3 id="team-speaking">{move || if is_over.get() { "Who spoke last" } else { "Who speaks" }}</h3>
            <Now view pick is_over />
            <Rows view />
            <Limits pick is_over />
            <Followers view />
        </section>
    }
}

/// Who is at work on a turn, with the reason of the choice.
#[component]
fn Now(view: Shown, pick: Memo<Option<TeamPick>>, is_over: Memo<bool>) -> impl IntoView {
    let at_work = Memo::new(move |_| view.with(at_work));
    let lines = move || {
        let nodes = at_work.get();
        if nodes.is_empty() && !is_over.get() {
            return view! { <li class="dim">"Nobody at this moment."</li> }.into_any();
        }
        let rows = nodes.into_iter().map(|node| {
            let words = match (node.plan.role.as_str(), node.status) {
                (LEAD, _) => "The next one is being chosen".to_owned(),
                (_, NodeStatus::Waiting) if node.plan.kind == NodeKind::Person => {
                    format!("{} is asked: a person", node.plan.label)
                }
                (_, NodeStatus::Waiting) => format!("{} waits", node.plan.label),
                _ => format!("{} speaks", node.plan.label),
            };
            view! { <li><strong>{words}</strong> " " <SignLabel sign=node_sign(&node) /></li> }
        });
        rows.collect_view().into_any()
    };
    let why = move || {
        pick.get().map(|pick| {
            let tries = pick.answers.len();
            let replies = (tries > 1).then(|| {
                let answers = pick.answers.iter().map(|answer| view! { <li><pre class="team-answer">{answer.clone()}</pre></li> });
                view! {
                    <details>
                        <summary>{format!("{tries} answers of the model")}</summary>
                        <ol class="team-answers">{answers.collect_view()}</ol>
                    </details>
                }
            });
            let offered = (!pick.candidates.is_empty())
                .then(|| view! { <p class="dim">{format!("Could speak: {}", pick.candidates.join(", "))}</p> });
            view! {
                <p><strong>{pick.speaker}</strong> " " <span class="dim">{format!("in turn {}. {}", pick.turn, pick.reason)}</span></p>
                {offered}
                {replies}
            }
        })
    };
    view! {
        <ul class="team-now" aria-live="polite">{lines}</ul>
        {why}
    }
}

fn at_work(view: &RunView) -> Vec<NodeView> {
    let is_at_work = |node: &&Arc<NodeView>| matches!(node.status, NodeStatus::Running | NodeStatus::Waiting);
    view.nodes.iter().filter(is_at_work).map(|node| NodeView::clone(node)).collect()
}

/// What one node has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    label: String,
    icon: IconName,
    is_within: bool,
    turns: usize,
    tokens: u64,
    cost: Option<Decimal>,
    unknown: u32,
}

impl Taken {
    fn of(node: &Arc<NodeView>) -> Self {
        let icon = match (node.plan.kind, node.plan.role.as_str()) {
            (NodeKind::Person, _) => IconName::Person,
            (_, LEAD) => IconName::Route,
            _ => IconName::Robot,
        };
        Self {
            label: node.plan.label.clone(),
            icon,
            is_within: node.plan.id.as_str().contains('/'),
            turns: node.visits.len(),
            tokens: node.tokens,
            cost: node.cost,
            unknown: node.calls_of_unknown_cost,
        }
    }

    /// What it cost, as far as that is known; a dash for who asks no model.
    fn cost(&self) -> Cost {
        if self.cost.is_none() && self.unknown == 0 {
            return Cost { known: "–".to_owned(), gap: None };
        }
        format::cost_of(self.cost.unwrap_or_default(), self.unknown)
    }
}

#[component]
fn Rows(view: Shown) -> impl IntoView {
    let taken = Memo::new(move |_| {
        view.with(|view| view.nodes.iter().take(MOST_ROWS).map(Taken::of).collect::<Vec<_>>())
    });
    let rows = move || {
        let rows = taken.get().into_iter().map(|taken| {
            let cost = taken.cost();
            let tokens = if taken.tokens > 0 { format::short_count(taken.tokens) } else { "–".to_owned() };
            view! {
                <tr role="row">
                    <Cell label="Agent">
                        <span class="team-who" class:within=taken.is_within><Icon name=taken.icon />{taken.label}</span>
                    </Cell>
                    <Cell label="Turns" numeric=true>{taken.turns}</Cell>
                    <Cell label="Tokens" numeric=true>{tokens}</Cell>
                    <Cell label="Cost" numeric=true>
                        {cost.known}
                        {cost.gap.map(|gap| view! { " " <small class="reason">{gap}</small> })}
                    </Cell>
                </tr>
            }
        });
        rows.collect_view()
    };
    view! {
        <DataTable caption="What everybody has taken" columns=vec!["Agent", "#Turns", "#Tokens", "#Cost"]>{rows}</DataTable>
    }
}

/// How far the end was when the last one was chosen. Once it has come, the result says by what.
#[component]
fn Limits(pick: Memo<Option<TeamPick>>, is_over: Memo<bool>) -> impl IntoView {
    move || {
        let limits = pick.get().map(|pick| pick.limits).unwrap_or_default();
        (!limits.is_empty() && !is_over.get()).then(|| {
            let rows = limits.into_iter().map(|TeamLimit { counted, reached, most }| {
                let words = format!("{} of {} {counted}", format::count(reached), format::count(most));
                view! {
                    <li>
                        <span>{words.clone()}</span>
                        <progress max=most.to_string() value=reached.min(most).to_string() aria-label=words></progress>
                    </li>
                }
            });
            view! {
                <h3>"Ends at the latest after"</h3>
                <ul class="team-limits" title="As it was when the last one was chosen">{rows.collect_view()}</ul>
            }
        })
    }
}
