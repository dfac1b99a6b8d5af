//! Finds words in all of the transcript, also in what is not drawn at this moment.

use std::time::Duration;

use leptos::{ev, prelude::*};
use protocol::{RunView, Turn, TurnContent};

use super::turn::{edit_in_words, mode_in_words, turn_id};
use crate::{
    browser::lowercase,
    components::{
        icon::{Icon, IconName},
        window::Blocks,
    },
    pages::run::{asks::in_full, screen::Screen},
};

/// The turns in which the words stand, and the one that was gone to.
#[derive(Clone, Copy)]
pub struct Found {
    words: RwSignal<String>,
    turns: Memo<Vec<usize>>,
    /// Which of them.
    at: RwSignal<usize>,
    blocks: Blocks,
}

impl Found {
    pub fn new(screen: Screen, blocks: Blocks) -> Self {
        let words = RwSignal::new(String::new());
        let turns = Memo::new(move |_| {
            words.with(|words| match words.is_empty() {
                true => Vec::new(),
                false => screen.view.with(|view| turns_with(view, words)),
            })
        });
        Self { words, turns, at: RwSignal::new(0), blocks }
    }

    /// Whether this turn is the one that was gone to.
    pub fn is_at(&self, turn: usize) -> bool {
        self.turns.with(|turns| turns.get(self.at.get()) == Some(&turn))
    }

    /// Goes to another of the turns; beyond the last one comes the first.
    fn step(&self, by: isize) {
        let count = self.turns.with_untracked(Vec::len).cast_signed();
        if count > 0 {
            self.go((self.at.get_untracked().cast_signed() + by).rem_euclid(count).cast_unsigned());
        }
    }

    fn go(&self, index: usize) {
        self.at.set(index);
        if let Some(turn) = self.turns.with_untracked(|turns| turns.get(index).copied()) {
            self.blocks.show(turn, turn_id(turn));
        }
    }
}

/// The field for the words, and the way through what is found.
#[component]
pub fn FindBar(found: Found) -> impl IntoView {
    // Looking through all texts takes a moment: not with every key.
    let mut look = debounce(Duration::from_millis(200), move |words: String| {
        if found.words.try_set(words).is_none() {
            found.go(0);
        }
    });
    let key = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            found.step(if event.shift_key() { -1 } else { 1 });
        }
    };
    let count = move || {
        let (count, is_empty) = (found.turns.with(Vec::len), found.words.with(String::is_empty));
        match count {
            _ if is_empty => String::new(),
            0 => "Not found".to_owned(),
            count => format!("{} of {count}", (found.at.get() + 1).min(count)),
        }
    };
    let is_useless = move || found.turns.with(Vec::is_empty);
    view! {
        <div class="find-bar" role="search" aria-label="In the transcript">
            <input
                class="input"
                type="search"
                aria-label="Find in the transcript"
                placeholder="Find in the transcript"
                on:input=move |event| look(lowercase(event_target_value(&event).trim()))
                on:keydown=key
            />
            <span class="dim" aria-live="polite">{count}</span>
            <button type="button" class="icon-button" aria-label="Previous" title="Previous (Shift+Enter)" disabled=is_useless on:click=move |_| found.step(-1)>
                <Icon name=IconName::Up />
            </button>
            <button type="button" class="icon-button" aria-label="Next" title="Next (Enter)" disabled=is_useless on:click=move |_| found.step(1)>
                <Icon name=IconName::Down />
            </button>
        </div>
    }
}

/// The turns in which words in small letters stand.
fn turns_with(view: &RunView, words: &str) -> Vec<usize> {
    let has = |text: &str| contains(text, words);
    let has_words = |turn: &Turn| {
        let speaker = turn.node.as_ref().and_then(|node| view.node(node));
        speaker.is_some_and(|node| has(&node.plan.label))
            || match &turn.content {
                TurnContent::Call { call } => view.call(call).is_some_and(|call| {
                    call.outcome.as_ref().is_some_and(|outcome| {
                        [&outcome.answer, &outcome.thoughts, &outcome.cut_off]
                            .into_iter()
                            .any(|text| has(text.shown()))
                            || outcome.error.as_deref().is_some_and(has)
                            || outcome.tool_requests.iter().any(|request| has(&request.name))
                    })
                }),
                TurnContent::Message(said) => has(said.content.shown()),
                TurnContent::Log(line) => has(&line.message),
                TurnContent::Input { input } => view.input(input).is_some_and(|input| {
                    has(&input.request.prompt)
                        || input.request.reason.as_deref().is_some_and(has)
                        || input.received.as_ref().is_some_and(|received| has(&in_full(&received.answer)))
                }),
                TurnContent::Product { index } => {
                    view.products.get(*index).is_some_and(|product| has(&product.headline))
                }
                TurnContent::Edited(edited) => has(&edit_in_words(edited)),
                TurnContent::ApprovalChanged(changed) => has(&mode_in_words(changed)),
                TurnContent::Unknown { kind } => has(kind),
            }
    };
    view.turns.iter().enumerate().filter(|(_, turn)| has_words(turn)).map(|(place, _)| place).collect()
}

/// Whether a text has words in small letters in it, whatever its letters are.
fn contains(text: &str, words: &str) -> bool {
    // The browser is asked only where it knows more.
    if !words.is_ascii() {
        return lowercase(text).contains(words);
    }
    let (text, words) = (text.as_bytes(), words.as_bytes());
    text.windows(words.len()).any(|part| part.eq_ignore_ascii_case(words))
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn words_are_found_whatever_their_letters() {
        assert!(contains("The Bull says BUY", "bull says buy"));
        assert!(!contains("The Bull", "the bulls"));
        assert!(contains("grüßt", "grü"));
    }
}
