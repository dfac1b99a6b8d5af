//! Groups: folded ones as cards, open ones as frames around what is within.

use leptos::{ev, prelude::*};
use protocol::NodeId;

use super::{
    Picture,
    card::card_id,
    standing::{Standing, StandingBar},
};
use crate::{
    components::icon::{Icon, IconName},
    graph::layout::{CARD_HEIGHT, CARD_WIDTH, FRAME_HEAD},
    pages::run::screen::Screen,
};

/// A group that is not open.
#[component]
pub fn GroupCard(screen: Screen, picture: Picture, node: usize) -> impl IntoView {
    let plan = screen.node(node).get_untracked().map(|node| node.plan.clone());
    plan.map(|plan| {
        let place = picture.place_of(node);
        let standing = picture.standing_of(node);
        let class = {
            let id = plan.id.clone();
            move || {
                let selected = if screen.is_selected(&id) { " selected" } else { "" };
                let stage = match standing.get() {
                    Standing { at_work: 1.., .. } => "working",
                    Standing { done: 0, failed: 0, .. } => "planned",
                    _ => "settled",
                };
                format!("node-card group-card {} node-{stage}{selected}", standing.get().tone().class())
            }
        };
        let pressed = {
            let id = plan.id.clone();
            move || screen.is_selected(&id).to_string()
        };
        let (chosen, opened) = (plan.id.clone(), plan.id.clone());
        view! {
            <foreignObject
                x=move || place.get().at.x.to_string()
                y=move || place.get().at.y.to_string()
                width=CARD_WIDTH.to_string()
                height=CARD_HEIGHT.to_string()
            >
                <div class="group-place">
                    <button
                        type="button"
                        class=class
                        id=card_id(&plan.id)
                        aria-pressed=pressed
                        on:click=move |_| screen.select(Some(chosen.clone()))
                        on:dblclick={
                            let id = plan.id.clone();
                            move |_| picture.fold(screen, id.clone(), true)
                        }
                    >
                        <span class="node-top">
                            <span class="node-role">
                                <Icon name=IconName::Group />
                            </span>
                            <span class="node-name">{plan.label.clone()}</span>
                        </span>
                        <StandingBar standing />
                        <span class="node-foot">
                            <span class="node-model">{move || standing.with(Standing::words)}</span>
                            <span>{move || standing.with(Standing::cost)}</span>
                        </span>
                    </button>
                    <FoldButton screen picture group=opened label=plan.label.clone() is_open=false />
                </div>
            </foreignObject>
        }
    })
}

/// A group that is open: its name above, and room for what is within.
#[component]
pub fn GroupFrame(screen: Screen, picture: Picture, node: usize) -> impl IntoView {
    let plan = screen.node(node).get_untracked().map(|node| node.plan.clone());
    plan.map(|plan| {
        let area = picture.frame_of(node);
        let standing = picture.standing_of(node);
        let class = {
            let id = plan.id.clone();
            move || if screen.is_selected(&id) { "group-frame selected" } else { "group-frame" }
        };
        let pressed = {
            let id = plan.id.clone();
            move || screen.is_selected(&id).to_string()
        };
        let chosen = plan.id.clone();
        view! {
            <rect
                class=class
                x=move || area.get().at.x.to_string()
                y=move || area.get().at.y.to_string()
                width=move || area.get().width.to_string()
                height=move || area.get().height.to_string()
                rx="8"
            ></rect>
            <foreignObject
                x=move || area.get().at.x.to_string()
                y=move || area.get().at.y.to_string()
                width=move || area.get().width.to_string()
                height=FRAME_HEAD.to_string()
            >
                <div class="group-head">
                    <FoldButton screen picture group=plan.id.clone() label=plan.label.clone() is_open=true />
                    <button
                        type="button"
                        class="group-name"
                        id=card_id(&plan.id)
                        aria-pressed=pressed
                        on:click=move |_| screen.select(Some(chosen.clone()))
                    >
                        <span class="node-name">{plan.label.clone()}</span>
                        <span class="dim">{move || standing.with(Standing::words)}</span>
                        <span class="dim mono">{move || standing.with(Standing::cost)}</span>
                    </button>
                </div>
            </foreignObject>
        }
    })
}

/// Opens a group, or folds it.
#[component]
fn FoldButton(
    screen: Screen,
    picture: Picture,
    group: NodeId,
    label: String,
    is_open: bool,
) -> impl IntoView {
    let (act, icon) = if is_open { ("Fold", IconName::Minus) } else { ("Open", IconName::Plus) };
    let words = format!("{act} {label}");
    view! {
        <button
            type="button"
            class="icon-button fold-button"
            aria-expanded=is_open.to_string()
            aria-label=words.clone()
            title=format!("{words} (O)")
            // A press here is no drag of the picture.
            on:pointerdown=|event: ev::PointerEvent| event.stop_propagation()
            on:click=move |_| picture.fold(screen, group.clone(), !is_open)
        >
            <Icon name=icon />
        </button>
    }
}
