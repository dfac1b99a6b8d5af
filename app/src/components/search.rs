//! The search box above every page. Where words lead to (`found`) is in a part of the program that is loaded when the
//! box is first used: what is typed before it has come is searched for as soon as it has.

pub mod found;

use leptos::{ev, html, prelude::*, task::spawn_local};

use super::{
    icon::{Icon, IconName},
    keys::on_page_key,
};
use crate::{browser, pages::lazy};

/// The box, as what is found below it sees it.
#[derive(Clone, Copy)]
pub struct SearchField {
    /// The words.
    pub words: RwSignal<String>,
    /// Whether what is found is in sight.
    pub is_open: RwSignal<bool>,
    /// The id of the hit that Enter goes to.
    pub chosen: RwSignal<Option<String>>,
    /// What the arrow keys and Enter do.
    pub keys: RwSignal<Option<Callback<ev::KeyboardEvent>>>,
    input: NodeRef<html::Input>,
}

impl SearchField {
    fn new() -> Self {
        Self {
            words: RwSignal::new(String::new()),
            is_open: RwSignal::new(false),
            chosen: RwSignal::new(None),
            keys: RwSignal::new(None),
            input: NodeRef::new(),
        }
    }

    fn focus(self) -> bool {
        let Some(input) = self.input.try_get_untracked().flatten() else { return false };
        browser::focus(&input);
        browser::select_text(&input);
        true
    }

    /// Closes what is found, and gives the focus back to the page.
    pub fn leave(self) {
        self.is_open.set(false);
        if let Some(input) = self.input.try_get_untracked().flatten() {
            browser::leave(&input);
        }
    }
}

/// Finds places by words. `/` brings the focus here; arrow keys choose, Enter goes.
#[component]
pub fn SearchBox() -> impl IntoView {
    let field = SearchField::new();
    let SearchField { words, is_open, chosen, keys, input } = field;
    on_page_key(move |event| {
        if event.key() == "/" && field.focus() {
            event.prevent_default();
        }
    });

    let draw = RwSignal::new(None::<fn(SearchField) -> AnyView>);
    let is_asked_for = StoredValue::new(false);
    // Also when something is typed: the focus may have come before the program.
    let take_up = move || {
        is_open.set(words.with_untracked(|words| !words.trim().is_empty()));
        if is_asked_for.try_update_value(|asked| std::mem::replace(asked, true)) == Some(false) {
            spawn_local(async move {
                let part = lazy::search_found().await;
                draw.try_set(Some(part));
            });
        }
    };
    let type_words = move |event: ev::Event| {
        words.set(event_target_value(&event));
        take_up();
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            field.leave();
            event.prevent_default();
        } else if let Some(keys) = keys.get_untracked() {
            keys.run(event);
        }
    };

    view! {
        <div class="search" role="search">
            <Icon name=IconName::Search />
            <input
                node_ref=input
                type="text"
                role="combobox"
                autocomplete="off"
                spellcheck="false"
                aria-label="Search runs, tickers and pages"
                aria-autocomplete="list"
                aria-controls="search-hits"
                aria-expanded=move || is_open.get().to_string()
                aria-activedescendant=move || chosen.get().filter(|_| is_open.get())
                placeholder="Search runs, tickers, pages"
                prop:value=words
                on:input=type_words
                on:keydown=on_key
                on:focus=move |_| take_up()
                on:blur=move |_| is_open.set(false)
            />
            <kbd>"/"</kbd>
            <div class="search-hits" class:open=is_open id="search-hits" role="listbox" aria-label="Found">
                {move || match draw.get() {
                    Some(draw) => draw(field),
                    None => found_note("Searching …"),
                }}
            </div>
        </div>
    }
}

/// A remark in the place of hits.
fn found_note(text: impl Into<String>) -> AnyView {
    view! {
        <p class="search-note" role="option" aria-disabled="true" aria-selected="false">
            {text.into()}
        </p>
    }
    .into_any()
}
