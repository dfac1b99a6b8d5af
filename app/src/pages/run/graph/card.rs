//! A node in the graph: always the same facts in the same corners.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{CallId, NodeId, NodeKind, NodeStatus, NodeView, RunView};

use super::Picture;
use crate::{
    components::{
        icon::{Icon, IconName},
        status::{Sign, Tone, node_sign, sign_word},
    },
    format,
    graph::layout::{CARD_HEIGHT, CARD_WIDTH},
    legible::legible,
    pages::run::{clock::worked_ms, screen::Screen},
};

/// Characters of text in flight that have room on a card.
const TAIL: usize = 31;

/// The id of a node's card in the document.
pub fn card_id(node: &NodeId) -> String {
    format!("card-{node}")
}

/// What a card shows that hangs on other nodes or calls.
#[derive(Clone, Debug, Default, PartialEq)]
struct Surroundings {
    /// The call whose text is being written.
    call: Option<CallId>,
    /// What a node waits for that was not reached yet.
    waits_for: Option<String>,
}

/// The card of the node with this index.
#[component]
pub fn NodeCard(screen: Screen, picture: Picture, node: usize) -> impl IntoView {
    let place = picture.place_of(node);
    let node = screen.node(node);
    // The plan never changes.
    let plan = node.get_untracked().map(|node| node.plan.clone());
    plan.map(|plan| {
        let status =
            Memo::new(move |_| node.with(|node| node.as_ref().map(|node| node.status).unwrap_or_default()));
        let surroundings = Memo::new({
            let id = plan.id.clone();
            move |_| match status.get() {
                NodeStatus::Running => {
                    let call = picture.calls.with(|calls| calls.get(&id).cloned());
                    Surroundings { call, waits_for: None }
                }
                NodeStatus::Pending => {
                    Surroundings { call: None, waits_for: screen.view.with(|view| waits_for(view, &id)) }
                }
                _ => Surroundings::default(),
            }
        });
        let sign = Memo::new(move |_| node.with(|node| node.as_ref().map(|node| node_sign(node))));
        let visit = Memo::new(move |_| {
            node.with(|node| {
                node.as_ref().and_then(|node| node.visits.last()).map_or(0, |visit| visit.number)
            })
        });
        let class = {
            let id = plan.id.clone();
            move || {
                let tone = sign.get().map_or(Tone::Quiet, |sign| sign.tone);
                let selected = if screen.is_selected(&id) { " selected" } else { "" };
                format!("node-card {} node-{}{selected}", tone.class(), stage(status.get()))
            }
        };
        let pressed = {
            let id = plan.id.clone();
            move || screen.is_selected(&id).to_string()
        };
        let select = {
            let id = plan.id.clone();
            move |_| screen.select(Some(id.clone()))
        };
        let in_flight = Memo::new(move |_| {
            let call = surroundings.with(|around| around.call.clone());
            call.and_then(|call| screen.stream(&call)).map_or(0, |stream| stream.tokens())
        });
        let rounds = plan.planned_visits;
        let (icon, is_code) = (icon_of(&plan.role, plan.kind), plan.kind == NodeKind::Code);
        let tier = plan.tier.map(|tier| format!("{} model", tier.label()));
        let model = move || {
            let model = node.with(|node| node.as_ref().and_then(|node| node.model.clone()));
            model
                .or_else(|| tier.clone())
                .unwrap_or_else(|| if is_code { "code".into() } else { String::new() })
        };
        view! {
            <foreignObject
                x=move || place.get().at.x.to_string()
                y=move || place.get().at.y.to_string()
                width=CARD_WIDTH.to_string()
                height=CARD_HEIGHT.to_string()
            >
                <button type="button" class=class id=card_id(&plan.id) aria-pressed=pressed on:click=select>
                    <span class="node-top">
                        <span class="node-role">
                            <Icon name=icon />
                        </span>
                        <span class="node-name">{plan.label.clone()}</span>
                        {move || sign.get().map(|sign| view! { <CardSign sign visit rounds /> })}
                    </span>
                    <Headline screen node surroundings />
                    <span class="node-foot">
                        <span class="node-model">{model}</span>
                        <span>{move || node.get().map(|node| spent(screen, &node, in_flight.get()))}</span>
                    </span>
                </button>
            </foreignObject>
        }
    })
}

/// Icon and word; where rounds are counted, the count with it.
#[component]
fn CardSign(sign: Sign, visit: Memo<u32>, rounds: u32) -> impl IntoView {
    let word = sign_word(sign);
    let counted = rounds > 1;
    view! {
        <span class="node-sign">
            <Icon name=sign.icon />
            {if counted {
                view! {
                    <span class="visually-hidden">{move || format!("{}, visit ", word())}</span>
                    <span>{move || format!("{}/{rounds}", visit.get())}</span>
                }
                    .into_any()
            } else {
                view! { <span>{word}</span> }.into_any()
            }}
        </span>
    }
}

/// What the node says now, said last, or waits for.
#[component]
fn Headline(
    screen: Screen,
    node: Memo<Option<Arc<NodeView>>>,
    surroundings: Memo<Surroundings>,
) -> impl IntoView {
    let writing = move || {
        let call = surroundings.with(|around| around.call.clone())?;
        let stream = screen.stream(&call)?;
        Some(match stream.text.with(|text| tail(&legible(text))) {
            text if text.is_empty() => format::before_answer(stream.before.get()),
            text => text,
        })
    };
    let is_writing = move || {
        surroundings.with(|around| around.call.as_ref().and_then(|call| screen.stream(call))).is_some()
    };
    let line = move || {
        writing().or_else(|| {
            let said = node.with(|node| node.as_ref().and_then(|node| said(node)));
            said.or_else(|| surroundings.with(|around| around.waits_for.clone()))
        })
    };
    view! {
        <span class="node-line" class:caret=is_writing>
            {line}
        </span>
    }
}

fn said(node: &NodeView) -> Option<String> {
    let first = match node.status {
        NodeStatus::Failed | NodeStatus::Waiting | NodeStatus::Skipped => &node.reason,
        NodeStatus::Succeeded => &node.degraded,
        _ => &None,
    };
    first.clone().or_else(|| node.headline.clone())
}

fn waits_for(view: &RunView, node: &NodeId) -> Option<String> {
    let before = view
        .edges
        .of_node(node)
        .filter(|edge| edge.plan.to == *node && edge.plan.kind != protocol::EdgeKind::Loop)
        .filter_map(|edge| view.node(&edge.plan.from))
        .filter(|node| node.status != NodeStatus::Succeeded);
    let names: Vec<_> = before.map(|node| node.plan.label.as_str()).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("waits for {one}")),
        [one, other] => Some(format!("waits for {one}, {other}")),
        many => Some(format!("waits for {} nodes", many.len())),
    }
}

/// Time and tokens; nothing for a node that has not begun. Tokens in flight are estimated.
fn spent(screen: Screen, node: &NodeView, in_flight: u64) -> String {
    if node.visits.is_empty() {
        return String::new();
    }
    // Only a card at work goes with the clock.
    let now = node.working_since().and_then(|_| screen.now.get());
    let worked = worked_ms(node, now);
    // A visit that was cut off has no length.
    let is_timed = worked > 0 || node.visits.iter().all(|visit| visit.duration_ms.is_some());
    let time = is_timed.then(|| format::duration(worked));
    let tokens = node.tokens.saturating_add(in_flight);
    let tokens = (tokens > 0).then(|| format::estimate(format::short_count(tokens), in_flight > 0));
    time.into_iter().chain(tokens).collect::<Vec<_>>().join(" · ")
}

fn stage(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Pending | NodeStatus::Ready | NodeStatus::Skipped => "planned",
        NodeStatus::Running => "working",
        _ => "settled",
    }
}

/// The icon of what does a node's work.
pub fn icon_of(role: &str, kind: NodeKind) -> IconName {
    match (kind, IconName::of_role(role)) {
        (NodeKind::Person, _) => IconName::Person,
        (NodeKind::Code, IconName::Robot) => IconName::Code,
        (_, icon) => icon,
    }
}

/// The end of a text, from the beginning of a word where that is near.
fn tail(text: &str) -> String {
    let line = text.trim_end();
    let skipped = line.chars().count().saturating_sub(TAIL);
    let end: String = line.chars().skip(skipped).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    match end.split_once(' ') {
        Some((cut, rest)) if skipped > 0 && cut.len() < 12 => rest.to_owned(),
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::tail;

    #[test]
    fn the_tail_ends_with_the_newest_words() {
        assert_eq!(tail("short"), "short");
        assert_eq!(tail("The multiple still prices growth that is gone"), "prices growth that is gone");
        assert_eq!(tail("One\ntwo"), "One two");
    }
}
