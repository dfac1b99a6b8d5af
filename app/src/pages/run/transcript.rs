//! What was said, in order.

mod find;
mod turn;

use leptos::{html, prelude::*};
use protocol::{RunSummary, RunView};

pub use self::turn::{InFlight, Writing, kept, once_let_go};
use self::{
    find::{FindBar, Found},
    turn::TurnView,
};
use super::screen::Screen;
use crate::{
    browser,
    components::{
        icon::{Icon, IconName},
        paper::PaperNote,
        status::{SignLabel, run_sign},
        window::{Blocks, MOST_PRINTED, MOST_SENT},
    },
    families::{self, OfRun, Views},
};

/// Within this many pixels of the end, the reader is at the end.
const AT_END: i32 = 48;

/// All turns. While the reader is at the end, the end stays in sight.
#[component]
pub fn Transcript(screen: Screen) -> impl IntoView {
    let view = screen.view;
    let frame = NodeRef::<html::Div>::new();
    let count = Memo::new(move |_| view.with(|view: &RunView| view.turns.len()));
    // What is loaded so far does not tell.
    let is_over = Memo::new(move |_| match screen.travel.is_past() {
        true => view.with(|view| view.summary.status.is_over()),
        false => screen.live.view.with(|view| view.summary.status.is_over()),
    });
    let blocks = Blocks::new(frame, count.into());
    let found = Found::new(screen, blocks);
    // A run that is over is read from its beginning.
    let at_end = RwSignal::new(!is_over.get_untracked());

    let to_end = move || {
        if let Some(frame) = frame.try_get_untracked().flatten() {
            browser::scroll_to_end(&frame);
        }
    };
    let look = move |_| {
        if let Some(frame) = frame.try_get_untracked().flatten() {
            let now_at_end = browser::sight_of(&frame).below <= AT_END;
            if at_end.get_untracked() != now_at_end {
                at_end.set(now_at_end);
            }
        }
        blocks.look();
    };
    Effect::new(move |_| {
        count.track();
        screen.live.streams.track_all();
        if frame.get().is_some()
            && at_end.get_untracked()
            && !is_over.get_untracked()
            && !browser::is_hidden()
        {
            // After what changed is drawn.
            request_animation_frame(to_end);
        }
    });
    let cut = move || {
        let all = count.get();
        (all > MOST_PRINTED).then(|| {
            let text = format!("The first {MOST_PRINTED} of {all} entries. The run's export has all.");
            view! { <PaperNote text /> }
        })
    };
    let all = count.get_untracked();
    let cut_without_scripts = (all > MOST_SENT).then(|| {
        let text = format!(
            "Without scripts, only the first {MOST_SENT} of {all} entries are shown. The run's export has all."
        );
        view! { <noscript><p class="dim">{text}</p></noscript> }
    });
    let family =
        screen.spec.with_value(|spec| spec.as_ref().map_or_else(String::new, |spec| spec.family.clone()));
    let kind = StoredValue::new(view.with_untracked(|view| view.summary.request.workflow.kind().clone()));
    let views = families::views(&family);
    let of_family = move |part: fn(&Views) -> Option<OfRun>| {
        move || views.get().and_then(|views| kind.with_value(|kind| part(&views)?(kind, view)))
    };
    view! {
        <div class="transcript-view">
            {of_family(|views| views.above_transcript)}
            <FindBar found />
            {cut}
            {cut_without_scripts}
            <div class="transcript" node_ref=frame on:scroll=look tabindex="0" role="log" aria-live="off" aria-label="Transcript">
                <h2 class="visually-hidden">"Transcript"</h2>
                // An SVG takes its height from an attribute: styles in the document are forbidden.
                <svg class="spacer" width="1" height=move || blocks.above() aria-hidden="true"></svg>
                <For each=move || blocks.range() key=|block| *block let:block>
                    <ol class="turns" data-block=block>
                        <For each=move || blocks.entries(block) key=|turn| *turn let:turn>
                            <TurnView screen found count turn />
                        </For>
                    </ol>
                </For>
                <svg class="spacer" width="1" height=move || blocks.below() aria-hidden="true"></svg>
                <Ending screen />
                {move || {
                    (count.get() == 0).then(|| {
                        view! {
                            <p class="empty">
                                "Nobody has said anything yet. Answers appear here as they are written."
                            </p>
                        }
                    })
                }}
                <Show when=move || !at_end.get() && !is_over.get()>
                    <button
                        type="button"
                        class="follow-chip to-end"
                        on:click=move |_| {
                            at_end.set(true);
                            to_end();
                        }
                    >
                        <Icon name=IconName::Follow />
                        "To the newest"
                    </button>
                </Show>
            </div>
            {of_family(|views| views.below_transcript)}
        </div>
    }
}

/// How the run ended, below all that was said: by whom and why, where that is known.
#[component]
fn Ending(screen: Screen) -> impl IntoView {
    let ending = Memo::new(move |_| {
        screen.view.with(|view| {
            let RunSummary { status, error, finished_at, .. } = &view.summary;
            Some((*status, error.clone(), (*finished_at)?))
        })
    });
    move || {
        ending.get().map(|(status, error, at)| {
            view! {
                <p class="ending">
                    <SignLabel sign=run_sign(status) />
                    <span>{error}</span>
                    <time class="dim mono" datetime=at.to_string()>{at.clock()}</time>
                </p>
            }
        })
    }
}
