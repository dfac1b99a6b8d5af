//! A text field that completes one of many choices by its word, its title or its detail.
//!
//! Keyboard and roles follow the combobox pattern of the ARIA Authoring Practices.

use leptos::{
    ev::{Event, FocusEvent, KeyboardEvent},
    html,
    prelude::*,
};

use super::{Choice, Field, field::about};
use crate::browser::{self, lowercase};

/// The control. What is typed stands in `value`, also where nothing matches it.
#[component]
pub fn SearchInput(
    /// Its id in the document.
    id: String,
    /// The field's description.
    field: Field,
    /// What can be chosen.
    choices: Vec<Choice>,
    /// The text of the field.
    value: RwSignal<String>,
    /// What is wrong with it.
    fault: Signal<Option<String>>,
) -> impl IntoView {
    let choices = StoredValue::new(choices);
    let (typed, set_typed) = signal(String::new());
    let (open, set_open) = signal(false);
    let (active, set_active) = signal(None::<usize>);
    let list = NodeRef::<html::Ul>::new();
    let found = Memo::new(move |_| choices.with_value(|all| typed.with(|typed| matching(all, typed))));

    let close = move || {
        set_open.set(false);
        set_active.set(None);
    };
    let show_all = move || {
        set_typed.set(String::new());
        set_open.set(true);
    };
    let choose = move |choice: &Choice| {
        value.set(choice.word());
        close();
    };
    let typing = move |event: Event| {
        let text = event_target_value(&event);
        value.set(text.clone());
        set_active.set((!text.trim().is_empty()).then_some(0));
        set_typed.set(text);
        // What was typed before a reload is put back while the person is elsewhere.
        set_open.set(browser::has_focus(&event));
    };
    let go_to = move |index: usize| {
        set_active.set(Some(index));
        if let Some(list) = list.get_untracked() {
            browser::scroll_to_child(&list, index);
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len);
        let at = active.get_untracked();
        match (event.key().as_str(), open.get_untracked()) {
            ("ArrowDown" | "ArrowUp", false) => show_all(),
            ("ArrowDown", true) if count > 0 => go_to(at.map_or(0, |at| (at + 1) % count)),
            ("ArrowUp", true) if count > 0 => go_to(at.map_or(count - 1, |at| (at + count - 1) % count)),
            ("Enter", true) => match at.and_then(|at| found.with_untracked(|found| found.get(at).cloned())) {
                Some(choice) => choose(&choice),
                None => return,
            },
            ("Escape", true) => close(),
            _ => return,
        }
        event.prevent_default();
    };
    let select_text = move |event: FocusEvent| browser::select_text_of(&event);
    let (list_id, prefix) = (format!("{id}-list"), StoredValue::new(id.clone()));
    let option_id = move |choice: &Choice| prefix.with_value(|prefix| format!("{prefix}-{}", choice.word()));
    let active_id = move || {
        found.with(|found| active.get().filter(|_| open.get()).and_then(|at| found.get(at)).map(option_id))
    };

    let none = field.message("search").unwrap_or("Nothing matches.").to_owned();
    view! {
        <div class="combobox">
            <input
                id=id.clone()
                class="input"
                name=field.name
                type="text"
                role="combobox"
                autocomplete="off"
                autocapitalize="characters"
                spellcheck="false"
                placeholder=field.example
                aria-autocomplete="list"
                aria-controls=list_id.clone()
                aria-expanded=move || open.get().to_string()
                aria-activedescendant=active_id
                aria-invalid=move || fault.with(Option::is_some).then_some("true")
                aria-describedby=format!("{id}-note")
                value=value.get_untracked()
                prop:value=value
                on:input=typing
                on:keydown=pressed
                on:click=move |_| show_all()
                on:focus=select_text
                on:blur=move |_| close()
            />
            <ul id=list_id class="options" role="listbox" aria-label=field.list.unwrap_or(field.title) hidden=move || !open.get() node_ref=list>
                <For each=move || if open.get() { found.get() } else { Vec::new() } key=option_id let:choice>
                    <SearchOption
                        id=option_id(&choice)
                        active_id=Signal::derive(active_id)
                        choose=Callback::new(move |choice| choose(&choice))
                        choice
                    />
                </For>
                <Show when=move || open.get() && found.with(Vec::is_empty)>
                    <li role="option" aria-disabled="true" aria-selected="false" class="none">{none.clone()}</li>
                </Show>
            </ul>
        </div>
    }
}

#[component]
fn SearchOption(
    id: String,
    choice: Choice,
    active_id: Signal<Option<String>>,
    choose: Callback<Choice>,
) -> impl IntoView {
    let own_id = id.clone();
    let is_active = Memo::new(move |_| active_id.with(|active| active.as_deref() == Some(own_id.as_str())));
    let (word, about) = (choice.word(), about(&choice));
    view! {
        <li
            id=id
            role="option"
            aria-selected=move || is_active.get().to_string()
            // The field keeps the focus, so that it does not close the list before the click.
            on:mousedown=|event| event.prevent_default()
            on:click=move |_| choose.run(choice.clone())
        >
            <strong>{word}</strong>
            " "
            <span class="dim">{about}</span>
        </li>
    }
}

/// Choices that the text stands for, the best first: the one of this word, words that begin with it, names
/// with a word that begins with it, then such details.
fn matching(choices: &[Choice], typed: &str) -> Vec<Choice> {
    let wanted = lowercase(typed.trim());
    let mut ranked: Vec<(u8, &Choice)> =
        choices.iter().filter_map(|choice| Some((rank(choice, &wanted)?, choice))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, choice)| choice.clone()).collect()
}

fn rank(choice: &Choice, wanted: &str) -> Option<u8> {
    let word = lowercase(&choice.word());
    let begins = |text: &str| lowercase(text).split_whitespace().any(|word| word.starts_with(wanted));
    if wanted.is_empty() || word == wanted {
        Some(0)
    } else if word.trim_start_matches('^').starts_with(wanted) {
        Some(1)
    } else if begins(&choice.title) {
        Some(2)
    } else if choice.detail.as_deref().is_some_and(begins) {
        Some(3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(word: &str, title: &str, detail: &str) -> Choice {
        Choice { value: word.into(), title: title.into(), detail: Some(detail.into()) }
    }

    #[test]
    fn the_word_itself_comes_before_titles_and_details() {
        let all = [
            choice("AMD", "Advanced Micro Devices Inc.", "Technology"),
            choice("MSFT", "Microsoft Corporation", "Technology"),
            choice("MRK", "Merck & Co.", "Healthcare"),
            choice("M", "Macy's", "Consumer Cyclical"),
        ];
        let found = |typed: &str| -> Vec<String> { matching(&all, typed).iter().map(Choice::word).collect() };
        assert_eq!(found("m"), ["M", "MSFT", "MRK", "AMD"]);
        assert_eq!(found("mer"), ["MRK"]);
        assert_eq!(found("tech"), ["AMD", "MSFT"]);
        assert_eq!(found(""), ["AMD", "MSFT", "MRK", "M"]);
        assert!(found("zzz").is_empty());
    }
}
