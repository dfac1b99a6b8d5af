//! Finds a node by its name, wherever it is folded away.

use std::time::Duration;

use leptos::{ev, html, prelude::*};
use protocol::{NodeId, RunView};

use super::Picture;
use crate::{
    browser::{self, lowercase},
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
        status::{SignLabel, node_sign},
    },
    graph::tree::Tree,
    pages::run::screen::Screen,
};

/// Found nodes that are listed at once.
const MOST_LISTED: usize = 8;
/// The id of the list in the document.
const LIST: &str = "found-nodes";
/// The id of the field.
const FIELD: &str = "find-node";

/// A node that was found.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    place: usize,
    node: NodeId,
    label: String,
    path: String,
}

/// The field, and below it what is found. `go` brings a node into the picture.
#[component]
pub fn NodeFind<F: Fn(NodeId) + Copy + Send + Sync + 'static>(
    screen: Screen,
    picture: Picture,
    go: F,
) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let words = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let found = Memo::new(move |_| {
        let words = words.get();
        match words.is_empty() {
            true => (Vec::new(), 0),
            false => screen.view.with(|view| picture.tree.with(|tree| nodes_with(view, tree, &words))),
        }
    });
    on_page_key(move |event| {
        if event.key() == "n" {
            event.prevent_default();
            browser::focus_id(FIELD);
        }
    });
    // Not with every key: all names are looked through.
    let mut look = debounce(Duration::from_millis(120), move |typed: String| {
        if words.try_set(typed).is_none() {
            chosen.set(0);
        }
    });
    let close = move || {
        words.set(String::new());
        if let Some(field) = field.try_get_untracked().flatten() {
            field.set_value("");
        }
    };
    let choose = move |node: NodeId| {
        close();
        go(node);
    };
    let key = move |event: ev::KeyboardEvent| {
        let count = found.with_untracked(|(found, _)| found.len());
        match event.key().as_str() {
            "ArrowDown" if count > 0 => chosen.update(|chosen| *chosen = (*chosen + 1) % count),
            "ArrowUp" if count > 0 => chosen.update(|chosen| *chosen = (*chosen + count - 1) % count),
            "Enter" => {
                let node = found.with_untracked(|(found, _)| {
                    found.get(chosen.get_untracked()).map(|found| found.node.clone())
                });
                if let Some(node) = node {
                    choose(node);
                }
            }
            "Escape" => close(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let is_open = move || words.with(|words| !words.is_empty());
    let row = move |(place, found): (usize, Found)| {
        let node = found.node.clone();
        let sign = screen.node(found.place);
        view! {
            <li
                role="option"
                id=format!("{LIST}-{place}")
                class="found-node"
                aria-selected=move || (chosen.get() == place).to_string()
                // Before the field loses the focus.
                on:mousedown=move |event| {
                    event.prevent_default();
                    choose(node.clone());
                }
            >
                <span class="found-name">{found.label}</span>
                {move || sign.get().map(|node| view! { <SignLabel sign=node_sign(&node) /> })}
                <span class="found-path dim">{found.path}</span>
            </li>
        }
    };
    let rows = move || {
        let (listed, all) = found.get();
        let more = all.saturating_sub(listed.len());
        let note = match (all, more) {
            (0, _) => Some("No node has this in its name.".to_owned()),
            (_, 0) => None,
            (_, more) => Some(format!("and {more} more: type more of the name")),
        };
        view! {
            <ul class="found-nodes" id=LIST role="listbox" aria-label="Found nodes">
                {listed.into_iter().enumerate().map(row).collect_view()}
            </ul>
            {note.map(|note| view! { <p class="found-note dim" role="status">{note}</p> })}
        }
    };
    view! {
        <div class="node-find" class:is-open=is_open>
            <label class="find-field">
                <Icon name=IconName::Search />
                <input
                    node_ref=field
                    id=FIELD
                    class="input"
                    type="search"
                    role="combobox"
                    aria-label="Find a node"
                    aria-controls=LIST
                    aria-expanded=move || is_open().to_string()
                    aria-activedescendant=move || is_open().then(|| format!("{LIST}-{}", chosen.get()))
                    placeholder="Find a node"
                    autocomplete="off"
                    on:input=move |event| look(lowercase(event_target_value(&event).trim()))
                    on:keydown=key
                />
                <kbd>"N"</kbd>
            </label>
            <Show when=is_open>{rows}</Show>
        </div>
    }
}

/// The first nodes that have these words, in lower case, in their name, and how many have.
fn nodes_with(view: &RunView, tree: &Tree, words: &str) -> (Vec<Found>, usize) {
    let has = |label: &str, id: &str| lowercase(label).contains(words) || id.contains(words);
    let found =
        view.nodes.iter().enumerate().filter(|(_, node)| has(&node.plan.label, node.plan.id.as_str()));
    let mut listed = Vec::new();
    let mut all = 0;
    for (place, node) in found {
        all += 1;
        if listed.len() < MOST_LISTED {
            listed.push(Found {
                place,
                node: node.plan.id.clone(),
                label: node.plan.label.clone(),
                path: path_of(view, tree, place),
            });
        }
    }
    (listed, all)
}

/// What a node is within, the outermost first; of one that is within none, its phase.
fn path_of(view: &RunView, tree: &Tree, node: usize) -> String {
    let label = |place: usize| view.nodes.get(place).map(|node| node.plan.label.clone());
    let mut around: Vec<_> = tree.around(node).filter_map(label).collect();
    around.reverse();
    match around.is_empty() {
        true => view.nodes.get(node).map(|node| node.plan.phase.clone()).unwrap_or_default(),
        false => around.join(" › "),
    }
}
