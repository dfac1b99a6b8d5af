//! The plan of the run, and what happens on it.

pub mod card;
mod viewport;

use leptos::{ev, prelude::*, svg};
use protocol::{EdgeKind, NodeStatus, RunView};

use self::{
    card::{NodeCard, card_id},
    viewport::Viewport,
};
use super::screen::Screen;
use crate::{
    browser,
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
    },
    graph::{
        camera::Camera,
        layout::{Layout, Side},
    },
};

/// The graph with all that moves it.
#[component]
pub fn GraphView(screen: Screen) -> impl IntoView {
    let view = screen.view;
    // Plans are never changed, only added to.
    let shape = Memo::new(move |_| view.with(|view| (view.nodes.len(), view.edges.len())));
    let layout = Memo::new(move |_| {
        shape.track();
        view.with_untracked(lay_out)
    });
    let canvas = NodeRef::<svg::Svg>::new();
    let viewport = Viewport::new(canvas, layout);
    follow(screen, viewport, layout);

    on_page_key(move |event| {
        let side = match event.key().as_str() {
            "+" | "=" => return viewport.zoom_in(),
            "-" => return viewport.zoom_out(),
            "0" => return viewport.fit(),
            "f" => return viewport.following.set(true),
            "ArrowLeft" => Side::Left,
            "ArrowRight" => Side::Right,
            "ArrowUp" => Side::Up,
            "ArrowDown" => Side::Down,
            _ => return,
        };
        // Elsewhere arrow keys scroll or choose.
        if browser::is_free_or_in(event, ".graph") && move_selection(screen, layout, viewport, side) {
            event.prevent_default();
        }
    });

    let view_box = move || viewport.camera.get().unwrap_or_else(|| layout.with(Camera::fit)).view_box();
    view! {
        <div class="graph">
            <svg
                node_ref=canvas
                class="graph-canvas"
                viewBox=view_box
                role="group"
                aria-label="Graph of the run. Arrow keys move between nodes."
                on:wheel=move |event: ev::WheelEvent| viewport.wheel(&event)
                on:pointerdown=move |event| viewport.press(&event)
                on:pointermove=move |event| viewport.drag(&event)
                on:pointerup=move |event| viewport.release(&event)
                on:pointercancel=move |event| viewport.release(&event)
            >
                <g>{move || layout.with(phase_names)}</g>
                <g>
                    <For each=move || 0..layout.with(|layout| layout.wires.len()) key=|wire| *wire let:wire>
                        <WireView screen layout wire />
                    </For>
                </g>
                <g>
                    <For each=move || 0..layout.with(|layout| layout.cards.len()) key=|card| *card let:card>
                        <NodeCard screen layout card />
                    </For>
                </g>
            </svg>
            {move || {
                layout
                    .with(|layout| layout.cards.is_empty())
                    .then(|| view! { <p class="empty">"The plan appears here as soon as the run begins."</p> })
            }}
            <FollowChip screen viewport />
            <div class="graph-acts" role="group" aria-label="Size of the graph">
                <button type="button" class="icon-button" aria-label="Larger" title="Larger (+)" on:click=move |_| viewport.zoom_in()>
                    <Icon name=IconName::Plus />
                </button>
                <button type="button" class="icon-button" aria-label="Smaller" title="Smaller (\u{2212})" on:click=move |_| viewport.zoom_out()>
                    <Icon name=IconName::Minus />
                </button>
                <button type="button" class="icon-button" aria-label="Fit" title="Fit (0)" on:click=move |_| viewport.fit()>
                    <Icon name=IconName::Fit />
                </button>
            </div>
        </div>
    }
}

fn lay_out(view: &RunView) -> Layout {
    let nodes: Vec<_> = view.nodes.iter().map(|node| &node.plan).collect();
    let edges: Vec<_> = view.edges.iter().map(|edge| &edge.plan).collect();
    Layout::new(&nodes, &edges)
}

fn phase_names(layout: &Layout) -> AnyView {
    let names = layout.phases.iter().map(|phase| {
        view! {
            <text class="phase-name" x=phase.at.x.to_string() y=phase.at.y.to_string()>
                {phase.name.clone()}
            </text>
        }
    });
    names.collect_view().into_any()
}

/// Moves the selection to the card on one side; `false` if nothing is there to move.
fn move_selection(screen: Screen, layout: Memo<Layout>, viewport: Viewport, side: Side) -> bool {
    let Some(card) = selected_card(screen) else {
        screen.step(1);
        return true;
    };
    let Some(next) = layout.with_untracked(|layout| layout.neighbour(card, side)) else { return true };
    let node = screen.view.with_untracked(|view| view.nodes.get(next).map(|node| node.plan.id.clone()));
    if let Some(node) = node {
        browser::focus_id(&card_id(&node));
        screen.select(Some(node));
        viewport.reveal(next);
    }
    true
}

fn selected_card(screen: Screen) -> Option<usize> {
    let selected = untrack(|| screen.selected())?;
    screen.view.with_untracked(|view| view.nodes.place(&selected))
}

/// Keeps what works in the picture, until the person moves it.
fn follow(screen: Screen, viewport: Viewport, layout: Memo<Layout>) {
    let target = Memo::new(move |_| screen.view.with(newest_work));
    Effect::new(move |before: Option<()>| {
        let target = target.get();
        layout.track();
        if viewport.following.get() {
            viewport.follow(target, selected_card(screen), before.is_some());
        }
    });
}

/// The node that began last and works still; `None` if none does.
fn newest_work(view: &RunView) -> Option<usize> {
    let working = view.nodes.iter().enumerate().filter(|(_, node)| node.status == NodeStatus::Running);
    working.max_by_key(|(_, node)| node.visits.last().map(|visit| visit.started_at)).map(|(index, _)| index)
}

#[component]
fn FollowChip(screen: Screen, viewport: Viewport) -> impl IntoView {
    let is_working = Memo::new(move |_| screen.view.with(|view| !view.summary.status.is_over()));
    let following = viewport.following;
    view! {
        <Show when=move || is_working.get()>
            <button
                type="button"
                class="follow-chip"
                aria-pressed=move || following.get().to_string()
                on:click=move |_| following.update(|following| *following = !*following)
            >
                <Icon name=IconName::Follow />
                <span>{move || if following.get() { "Following" } else { "Follow live" }}</span>
                <kbd>"F"</kbd>
            </button>
        </Show>
    }
}

/// An edge: done where work passed, live where it was just passed on.
#[component]
fn WireView(screen: Screen, layout: Memo<Layout>, wire: usize) -> impl IntoView {
    let drawn = Memo::new(move |_| layout.with(|layout| layout.wires.get(wire).cloned()));
    let edge = move || drawn.with(|drawn| drawn.as_ref().map(|wire| wire.edge));
    let class =
        Memo::new(move |_| screen.view.with(|view| edge().map_or("wire", |edge| wire_class(view, edge))));
    let title = move || screen.view.with_untracked(|view| edge().map(|edge| wire_title(view, edge)));
    view! {
        <g class=class>
            <title>{title}</title>
            <path class="wire-line" d=move || drawn.get().map(|wire| wire.line) />
            <path class="wire-head" d=move || drawn.get().map(|wire| wire.head) />
        </g>
    }
}

fn wire_class(view: &RunView, edge: usize) -> &'static str {
    let Some(edge) = view.edges.get(edge) else { return "wire" };
    let target = view.node(&edge.plan.to);
    let is_live = edge.taken > 0 && target.is_some_and(|node| node.status == NodeStatus::Running);
    match (edge.plan.kind == EdgeKind::Conditional, is_live, edge.taken > 0) {
        (_, true, _) => "wire wire-live",
        (_, _, true) => "wire wire-done",
        (true, ..) => "wire wire-conditional",
        _ => "wire",
    }
}

fn wire_title(view: &RunView, edge: usize) -> String {
    let Some(edge) = view.edges.get(edge) else { return String::new() };
    let name = |id| view.node(id).map_or_else(String::new, |node| node.plan.label.clone());
    let condition = edge.plan.condition.as_ref().map(|condition| format!(", if: {condition}"));
    format!("{} to {}{}", name(&edge.plan.from), name(&edge.plan.to), condition.unwrap_or_default())
}
