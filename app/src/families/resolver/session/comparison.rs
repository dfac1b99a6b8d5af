//! Two reports of a session, and what differs between them.

use leptos::prelude::*;
use protocol::{RunId, RunView, resolver::TaskReport};

use super::{
    Screen,
    difference::{Line, difference},
    document::{document, last_of},
};
use crate::{
    api::{self, ApiError},
    base::at,
    components::notice::ProblemNotice,
    legible::legible,
};

/// The most lines that are drawn.
const MOST_LINES: usize = 2_000;

/// What the later one of two reports has otherwise than the earlier one.
#[component]
pub(super) fn Comparison(screen: Screen, runs: [RunId; 2]) -> impl IntoView {
    // Ids sort by creation.
    let [earlier, later] = if runs[0] < runs[1] { runs } else { [runs[1], runs[0]] };
    let both = Resource::new(
        || (),
        move |()| async move { Ok::<_, ApiError>((api::run(earlier).await?, api::run(later).await?)) },
    );
    let number = move |run| screen.number_of(run).unwrap_or_default();
    let name = move || format!("What report {} has otherwise than report {}.", number(later), number(earlier));
    view! {
        <div class="task-comparison">
            <p class="task-draft">
                {name}
                " "
                <a href=at(format!("/compare?left={earlier}&right={later}"))>"What both runs used"</a>
                " "
                <button type="button" class="task-link" on:click=move |_| screen.compared.set(None)>"Close"</button>
            </p>
            <Transition fallback=|| view! { <p class="loading">"Loading both reports …"</p> }>
                {move || Suspend::new(async move {
                    match both.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok((earlier, later)) => view! { <Lines earlier later /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Lines(earlier: RunView, later: RunView) -> impl IntoView {
    let report = |view: RunView| {
        last_of::<TaskReport>(&view).map(|product| document::<TaskReport>(view.summary.run, &product))
    };
    let (earlier, later) = (report(earlier), report(later));
    move || {
        let (Some(earlier), Some(later)) = (earlier, later) else {
            return view! { <p class="empty">"One of the two has left no report."</p> }.into_any();
        };
        let (Some(earlier), Some(later)) = (earlier.get(), later.get()) else {
            return view! { <p class="loading">"Loading both reports …"</p> }.into_any();
        };
        let mut lines = difference(&earlier.markdown, &later.markdown);
        if lines.iter().all(|line| matches!(line, Line::Same(_))) {
            return view! { <p class="empty">"Both have the same text."</p> }.into_any();
        }
        let more = lines.len().saturating_sub(MOST_LINES);
        lines.truncate(MOST_LINES);
        let more = (more > 0).then(|| view! { <p class="dim">{format!("{more} more lines are not shown.")}</p> });
        view! {
            <div class="task-lines">{lines.into_iter().map(drawn).collect_view()}</div>
            {more}
        }
        .into_any()
    }
}

/// A line with its sign, which a reader for the blind says in words.
fn drawn(line: Line) -> AnyView {
    let words = |line: String| legible(&line).into_owned();
    match line {
        Line::Same(line) => view! { <p>{words(line)}</p> }.into_any(),
        Line::Gone(line) => view! { <del><span aria-hidden="true">"− "</span>{words(line)}</del> }.into_any(),
        Line::New(line) => view! { <ins><span aria-hidden="true">"+ "</span>{words(line)}</ins> }.into_any(),
    }
}
