//! Where in the groups the picture is.

use leptos::prelude::*;
use protocol::NodeId;

use super::{Picture, newest_work};
use crate::{graph::tree::Tree, pages::run::screen::Screen};

/// The groups around the selected node, or else around what works, each leading to it; and what folds all of them.
#[component]
pub fn GroupPath<F: Fn(NodeId) + Copy + Send + Sync + 'static>(
    screen: Screen,
    picture: Picture,
    go: F,
) -> impl IntoView {
    let view = screen.view;
    let has_groups = Memo::new(move |_| picture.tree.with(Tree::has_groups));
    let has_open = Memo::new(move |_| picture.layout.with(|layout| !layout.frames.is_empty()));
    let node = Memo::new(move |_| match screen.selected() {
        Some(selected) => view.with(|view| view.nodes.place(&selected)),
        None => view.with(newest_work),
    });
    let steps = move || {
        let Some(node) = node.get() else { return Vec::new() };
        let mut path: Vec<usize> =
            picture.tree.with(|tree| std::iter::once(node).chain(tree.around(node)).collect());
        path.reverse();
        view.with_untracked(|view| {
            path.into_iter()
                .filter_map(|node| view.nodes.get(node))
                .map(|node| (node.plan.id.clone(), node.plan.label.clone()))
                .collect()
        })
    };
    let step = move |(id, label): (NodeId, String)| {
        view! {
            <li>
                <button type="button" class="quiet-button" on:click=move |_| go(id.clone())>
                    {label}
                </button>
            </li>
        }
    };
    let fold_all = move |_| {
        picture.following.set(false);
        view.with_untracked(|view| picture.tree.with_untracked(|tree| screen.folds.fold_all(view, tree)));
    };
    view! {
        <Show when=move || has_groups.get()>
            <nav class="group-path" aria-label="Groups">
                <ol>{move || steps().into_iter().map(step).collect_view()}</ol>
                <Show when=move || has_open.get()>
                    <button type="button" class="quiet-button" on:click=fold_all>"Fold all"</button>
                </Show>
            </nav>
        </Show>
    }
}
