//! The plan of the run, and what happens on it.

pub mod card;
mod cells;
mod drawn;
mod find;
pub mod folds;
mod group;
mod map;
mod path;
mod standing;
mod viewport;

use std::collections::{BTreeMap, BTreeSet};

use leptos::{ev, prelude::*, svg};
use protocol::{CallId, EdgeKind, NodeId, NodeStatus, RunView};

use self::{
    card::{NodeCard, card_id},
    cells::Cells,
    drawn::Drawn,
    find::NodeFind,
    folds::groups_at_work,
    group::{GroupCard, GroupFrame},
    map::Map,
    path::GroupPath,
    standing::{Standing, standings},
    viewport::Viewport,
};
use super::screen::{Screen, calls_in_flight};
use crate::{
    browser,
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
        status::{Tone, node_sign},
    },
    graph::{
        camera::Camera,
        layout::{Area, Layout, Side},
        tree::Tree,
    },
};

/// From so many nodes on, there is a map, and nodes are found by their names.
const MANY: usize = 60;

/// What is drawn of the graph, for all that draws it.
#[derive(Clone, Copy)]
pub struct Picture {
    tree: Memo<Tree>,
    layout: Memo<Layout>,
    /// How each node stands, and what is within it; empty where there are no groups.
    standings: Memo<Vec<Standing>>,
    /// The tone of every card of the layout.
    tones: Memo<Vec<Tone>>,
    /// The model call in flight of each node.
    calls: Memo<BTreeMap<NodeId, CallId>>,
    following: RwSignal<bool>,
}

impl Picture {
    fn of(screen: Screen, following: RwSignal<bool>) -> Self {
        let view = screen.view;
        // Plans are never changed, only added to. It is read where it is followed: a memo that nobody has read follows
        // nothing itself, and tells of no change.
        let shape = Memo::new(move |_| view.with(|view| (view.nodes.len(), view.edges.len())));
        let tree = Memo::new(move |_| {
            shape.get();
            view.with_untracked(|view| {
                Tree::new(&view.nodes.iter().map(|node| &node.plan).collect::<Vec<_>>())
            })
        });
        let at_work = Memo::new(move |before: Option<&BTreeSet<usize>>| {
            let has_groups = tree.with(Tree::has_groups);
            match before {
                // Where nobody wants to follow, nothing opens and folds by itself.
                Some(before) if !following.get() => before.clone(),
                _ if has_groups => view.with(|view| tree.with(|tree| groups_at_work(view, tree))),
                _ => BTreeSet::new(),
            }
        });
        let open = Memo::new(move |_| {
            screen.folds.track();
            let at_work = at_work.get();
            tree.with(|tree| view.with_untracked(|view| screen.folds.open(view, tree, &at_work)))
        });
        let layout = Memo::new(move |_| {
            shape.get();
            tree.with(|tree| open.with(|open| view.with_untracked(|view| lay_out(view, tree, open))))
        });
        let standings = Memo::new(move |_| {
            tree.with(|tree| match tree.has_groups() {
                true => view.with(|view| standings(view, tree)),
                false => Vec::new(),
            })
        });
        let tones = Memo::new(move |_| {
            let tone = |view: &RunView, node: usize| {
                let of_group = tree.with(|tree| tree.is_group(node));
                match standings.with(|standings| standings.get(node).map(Standing::tone)) {
                    Some(tone) if of_group => tone,
                    _ => view.nodes.get(node).map_or(Tone::Quiet, |node| node_sign(node).tone),
                }
            };
            layout.with(|layout| {
                view.with(|view| layout.cards.iter().map(|card| tone(view, card.node)).collect())
            })
        });
        let calls = Memo::new(move |_| view.with(calls_in_flight));
        Self { tree, layout, standings, tones, calls, following }
    }

    /// Where a node is seen.
    fn place_of(self, node: usize) -> Memo<Area> {
        Memo::new(move |_| self.layout.with(|layout| layout.area_of(node).unwrap_or_default()))
    }

    /// The frame of an open group.
    fn frame_of(self, node: usize) -> Memo<Area> {
        Memo::new(move |_| self.layout.with(|layout| layout.frame_of(node).unwrap_or_default()))
    }

    /// How what is within a group stands.
    fn standing_of(self, node: usize) -> Memo<Standing> {
        Memo::new(move |_| self.standings.with(|standings| standings.get(node).copied().unwrap_or_default()))
    }

    /// Opens a group or folds it, by hand: from then on nothing opens by itself.
    fn fold(self, screen: Screen, group: NodeId, open: bool) {
        self.following.set(false);
        screen.folds.set(group, open);
    }
}

/// The graph with all that moves it.
#[component]
pub fn GraphView(screen: Screen) -> impl IntoView {
    let following = RwSignal::new(true);
    let picture = Picture::of(screen, following);
    let layout = picture.layout;
    let canvas = NodeRef::<svg::Svg>::new();
    let viewport = Viewport::new(canvas, layout, following);
    follow(screen, viewport, layout);
    let drawn = Memo::new(move |_| layout.with(|layout| Drawn::of(layout, || viewport.near())));
    let go_to = move |node: NodeId| {
        screen.view.with_untracked(|view| screen.folds.open_around(view, &node));
        let place = screen.view.with_untracked(|view| view.nodes.place(&node));
        screen.select(Some(node));
        if let Some(place) = place {
            viewport.reveal(place);
        }
    };

    on_page_key(move |event| {
        let side = match event.key().as_str() {
            "+" | "=" => return viewport.zoom_in(),
            "-" => return viewport.zoom_out(),
            "0" => return viewport.fit(),
            "f" => return viewport.following.set(true),
            "o" => return turn_group(screen, picture),
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
    let is_group = move |node: usize| picture.tree.with_untracked(|tree| tree.is_group(node));
    let is_large = Memo::new(move |_| picture.tree.with(|tree| tree.len() > MANY));
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
                <g>
                    <For each=move || drawn.with(|drawn| drawn.frames.clone()) key=|node| *node let:node>
                        <GroupFrame screen picture node />
                    </For>
                </g>
                <g>{move || layout.with(|layout| drawn.with(|drawn| phase_names(layout, drawn)))}</g>
                {move || drawn.with(|drawn| drawn.is_far).then(|| view! { <Cells picture /> })}
                <g>
                    <For each=move || drawn.with(|drawn| drawn.wires.clone()) key=|edge| *edge let:edge>
                        <WireView screen layout edge />
                    </For>
                </g>
                <g>
                    <For each=move || drawn.with(|drawn| drawn.cards.clone()) key=|node| *node let:node>
                        {if is_group(node) {
                            view! { <GroupCard screen picture node /> }.into_any()
                        } else {
                            view! { <NodeCard screen picture node /> }.into_any()
                        }}
                    </For>
                </g>
            </svg>
            {move || {
                layout
                    .with(|layout| layout.cards.is_empty())
                    .then(|| view! { <p class="empty">"The plan appears here as soon as the run begins."</p> })
            }}
            <FollowChip screen viewport />
            <GroupPath screen picture go=go_to />
            <Show when=move || is_large.get()>
                <NodeFind screen picture go=go_to />
                <Map picture viewport />
            </Show>
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

fn lay_out(view: &RunView, tree: &Tree, open: &BTreeSet<usize>) -> Layout {
    let nodes: Vec<_> = view.nodes.iter().map(|node| &node.plan).collect();
    let edges: Vec<_> = view.edges.iter().map(|edge| &edge.plan).collect();
    Layout::new(&nodes, &edges, tree, open)
}

fn phase_names(layout: &Layout, drawn: &Drawn) -> AnyView {
    let names = drawn.phases.iter().filter_map(|phase| layout.phases.get(*phase)).map(|phase| {
        view! {
            <text class="phase-name" x=phase.at.x.to_string() y=phase.at.y.to_string()>
                {phase.name.clone()}
            </text>
        }
    });
    names.collect_view().into_any()
}

/// Opens the selected group or folds it; of a node, the group that it is within.
fn turn_group(screen: Screen, picture: Picture) {
    let Some(selected) = selected_node(screen) else { return };
    let group = picture.tree.with_untracked(|tree| match tree.is_group(selected) {
        true => Some(selected),
        false => tree.parent(selected),
    });
    let Some(group) = group else { return };
    let is_open = picture.layout.with_untracked(|layout| layout.frame_of(group).is_some());
    let id = screen.view.with_untracked(|view| view.nodes.get(group).map(|node| node.plan.id.clone()));
    if let Some(id) = id {
        picture.fold(screen, id.clone(), !is_open);
        screen.select(Some(id));
    }
}

/// Moves the selection to the node on one side; `false` if nothing is there to move.
fn move_selection(screen: Screen, layout: Memo<Layout>, viewport: Viewport, side: Side) -> bool {
    let Some(node) = selected_node(screen) else {
        screen.step(1);
        return true;
    };
    let Some(next) = layout.with_untracked(|layout| layout.neighbour(node, side)) else { return true };
    let id = screen.view.with_untracked(|view| view.nodes.get(next).map(|node| node.plan.id.clone()));
    if let Some(id) = id {
        viewport.reveal(next);
        browser::focus_id(&card_id(&id));
        screen.select(Some(id));
    }
    true
}

fn selected_node(screen: Screen) -> Option<usize> {
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
            // Moments of the past are far from each other: what lies between would be drawn for nothing.
            let is_moved = before.is_some() && untrack(|| !screen.travel.is_past());
            viewport.follow(target, selected_node(screen), is_moved);
        }
    });
}

/// The node that began last and works still; `None` if none does. What is within a group begins after the group.
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

/// A line, by its first edge: done where work passed, live where it was just passed on.
#[component]
fn WireView(screen: Screen, layout: Memo<Layout>, edge: usize) -> impl IntoView {
    let drawn = Memo::new(move |_| layout.with(|layout| layout.wire_of(edge).cloned()));
    let class = Memo::new(move |_| {
        drawn.with(|drawn| {
            let edges = drawn.as_ref().map_or(&[][..], |wire| wire.edges.as_slice());
            screen.view.with(|view| wire_class(view, edges))
        })
    });
    let title = move || {
        let others = drawn.with(|drawn| drawn.as_ref().map_or(0, |wire| wire.edges.len().saturating_sub(1)));
        let title = screen.view.with_untracked(|view| wire_title(view, edge));
        if others == 0 { title } else { format!("{title}, and {others} more") }
    };
    view! {
        <g class=class>
            <title>{title}</title>
            <path class="wire-line" d=move || drawn.get().map(|wire| wire.line) />
            <path class="wire-head" d=move || drawn.get().map(|wire| wire.head) />
        </g>
    }
}

fn wire_class(view: &RunView, edges: &[usize]) -> &'static str {
    let edges = || edges.iter().filter_map(|edge| view.edges.get(*edge));
    let works = |node: &NodeId| view.node(node).is_some_and(|node| node.status == NodeStatus::Running);
    let was_taken = edges().any(|edge| edge.taken > 0);
    if edges().any(|edge| edge.taken > 0 && works(&edge.plan.to)) {
        "wire wire-live"
    } else if was_taken {
        "wire wire-done"
    } else if edges().all(|edge| edge.plan.kind == EdgeKind::Conditional) {
        "wire wire-conditional"
    } else {
        "wire"
    }
}

fn wire_title(view: &RunView, edge: usize) -> String {
    let Some(edge) = view.edges.get(edge) else { return String::new() };
    let name = |id| view.node(id).map_or_else(String::new, |node| node.plan.label.clone());
    let condition = edge.plan.condition.as_ref().map(|condition| format!(", if: {condition}"));
    format!("{} to {}{}", name(&edge.plan.from), name(&edge.plan.to), condition.unwrap_or_default())
}
