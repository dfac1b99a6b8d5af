//! What was said, in order.

mod turn;

use leptos::{html, prelude::*};
use protocol::RunSummary;

use self::turn::TurnView;
pub use self::turn::{InFlight, Writing, kept, once_let_go};
use super::screen::Screen;
use crate::{
    browser,
    components::{
        icon::{Icon, IconName},
        status::{SignLabel, run_sign},
    },
};

/// Within this many pixels of the end, the reader is at the end.
const AT_END: i32 = 48;

/// All turns. While the reader is at the end, the end stays in sight.
#[component]
pub fn Transcript(screen: Screen) -> impl IntoView {
    let view = screen.view;
    let frame = NodeRef::<html::Div>::new();
    let count = Memo::new(move |_| view.with(|view| view.turns.len()));
    let is_over = Memo::new(move |_| view.with(|view| view.summary.status.is_over()));
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
    view! {
        <div class="transcript" node_ref=frame on:scroll=look tabindex="0" role="log" aria-live="off" aria-label="Transcript">
            <h2 class="visually-hidden">"Transcript"</h2>
            <ol class="turns">
                <For each=move || 0..count.get() key=|turn| *turn let:turn>
                    <TurnView screen turn />
                </For>
            </ol>
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
