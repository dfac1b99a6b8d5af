//! Answers that a person had begun when their question went away: they were not sent, and are not lost.

use std::{collections::BTreeMap, time::Duration};

use leptos::prelude::*;
use protocol::{CallId, Timestamp};

use super::{in_full, outcome};
use crate::{
    browser::drafts::{drafts_of, forget_draft, forget_drafts_of},
    components::{
        copy::CopyButton,
        draft::once_drafts_are_known,
        icon::{Icon, IconName},
    },
    pages::run::screen::Screen,
};

/// The log may tell of an answer before the server says to who gave it that it was taken.
const PATIENCE: Duration = Duration::from_secs(1);

/// An answer that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Left {
    /// How the names of its drafts begin.
    drafts: String,
    /// What was asked.
    prompt: String,
    /// What became of the question.
    outcome: String,
    /// What was typed.
    words: String,
}

/// What was typed for questions that are not open any more. `sent` counts the answers that were taken.
#[component]
pub fn LeftDrafts(
    screen: Screen,
    open: Memo<Vec<(CallId, Timestamp)>>,
    sent: RwSignal<u32>,
) -> impl IntoView {
    let left = RwSignal::new(Vec::<Left>::new());
    let look = move || {
        if let Some(open) = open.try_get_untracked() {
            left.try_set(find(screen, &open));
        }
    };
    Effect::new(move |_| {
        open.track();
        sent.track();
        set_timeout(move || once_drafts_are_known(look), PATIENCE);
    });
    let card = move |left_one: Left| {
        let Left { drafts, prompt, outcome, words } = left_one;
        let copied = words.clone();
        let discard = move |_| {
            forget_drafts_of(&drafts);
            look();
        };
        view! {
            <article class="ask left-draft">
                <p role="status">
                    <strong>"Your answer was not sent. "</strong>
                    {outcome}
                </p>
                <div class="ask-question"><h2>{prompt}</h2></div>
                <p class="left-words">{words}</p>
                <div class="ask-acts">
                    <CopyButton text=move |()| copied.clone() />
                    <button type="button" class="quiet-button" on:click=discard>
                        <Icon name=IconName::Trash />
                        "Discard"
                    </button>
                </div>
            </article>
        }
    };
    view! {
        <Show when=move || !left.with(Vec::is_empty)>
            <section class="asks" aria-label="Not sent" hidden=move || screen.travel.is_past()>
                {move || left.get().into_iter().map(card).collect_view()}
            </section>
        </Show>
    }
}

fn find(screen: Screen, open: &[(CallId, Timestamp)]) -> Vec<Left> {
    let beginning = format!("ask {} ", screen.id);
    let mut left = BTreeMap::<String, Left>::new();
    for draft in drafts_of(&beginning) {
        let Some((input, asked_at)) = question_of(&draft.form, &beginning) else { continue };
        if open.contains(&(input.clone(), asked_at)) {
            continue;
        }
        let drafts = super::draft_name(screen, &input, asked_at);
        let words = draft.words();
        let asked = screen.live.view.with_untracked(|view| view.input(&input).cloned());
        let answer = asked.as_ref().and_then(|asked| asked.received.as_ref()).map(|it| in_full(&it.answer));
        // What was typed has come through, though the page did not live to hear of it.
        if words.is_empty() || answer.is_some_and(|answer| answer.contains(&words)) {
            forget_draft(&draft.form);
            continue;
        }
        let known = left.entry(drafts.clone()).or_insert_with(|| Left {
            drafts,
            prompt: asked.as_ref().map(|asked| asked.request.prompt.clone()).unwrap_or_default(),
            outcome: asked
                .as_ref()
                .and_then(|asked| outcome(asked))
                .unwrap_or_else(|| "What was asked is not open any more, or was asked anew.".to_owned()),
            words: String::new(),
        });
        if !known.words.is_empty() {
            known.words.push_str("\n\n");
        }
        known.words.push_str(&words);
    }
    left.into_values().collect()
}

/// The question that a draft answers.
fn question_of(form: &str, beginning: &str) -> Option<(CallId, Timestamp)> {
    let mut parts = form.strip_prefix(beginning)?.split(' ');
    Some((parts.next()?.parse().ok()?, Timestamp(parts.next()?.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_says_which_question_it_answers() {
        let (input, asked_at) = question_of("ask 1 trader:1:2 42 send-back", "ask 1 ").unwrap();
        assert_eq!((input.as_str(), asked_at), ("trader:1:2", Timestamp(42)));
        assert_eq!(question_of("ask 2 trader:1:2 42 value", "ask 1 "), None);
        assert_eq!(question_of("ask 1 ", "ask 1 "), None);
    }
}
