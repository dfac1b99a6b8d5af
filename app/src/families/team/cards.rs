//! Who speaks next and why, and what a team came to.

use leptos::prelude::*;
use protocol::{
    grouped,
    team::{TeamMessage, TeamPick, TeamResult},
};

use crate::{
    components::icon::{Icon, IconName},
    markdown::Markdown,
};

/// Who speaks next.
#[component]
pub fn PickCard(pick: TeamPick) -> impl IntoView {
    let TeamPick { turn, speaker, reason, answers, candidates, limits: _ } = pick;
    let offered = (!candidates.is_empty())
        .then(|| view! { <span class="dim">{format!("Of {}.", candidates.join(", "))}</span> });
    let answers = (!answers.is_empty()).then(|| {
        let shown = answers.into_iter().map(|answer| view! { <li><pre class="team-answer">{answer}</pre></li> });
        view! {
            <details>
                <summary>"What the model answered"</summary>
                <ol class="team-answers">{shown.collect_view()}</ol>
            </details>
        }
    });
    view! {
        <article class="team-pick">
            <p>
                <Icon name=IconName::Route />
                <strong>{speaker}</strong>
                <span class="dim">{format!("speaks in turn {turn}. {reason}")}</span>
                {offered}
            </p>
            {answers}
        </article>
    }
}

/// What a team came to.
#[component]
pub fn ResultCard(result: TeamResult) -> impl IntoView {
    let TeamResult { team, stop_reason, stopped_by, messages, turns, tokens_in, tokens_out } = result;
    let count = |number: u64| grouped(number.into(), 0);
    let words = |number: u64, one: &str, several: &str| {
        format!("{} {}", count(number), if number == 1 { one } else { several })
    };
    let facts = [
        words(u64::from(turns), "turn", "turns"),
        words(messages.len() as u64, "message", "messages"),
        format!("{} tokens in, {} out", count(tokens_in), count(tokens_out)),
    ];
    let last = messages.last().map(|last| view! { <Message message=last.clone() /> });
    let earlier = messages.len().saturating_sub(1);
    let all = (earlier > 0).then(|| {
        let all = messages.iter().take(earlier).map(|message| view! { <Message message=message.clone() /> });
        view! {
            <details>
                <summary>{words(earlier as u64, "message before it", "messages before it")}</summary>
                <div class="team-messages">{all.collect_view()}</div>
            </details>
        }
    });
    view! {
        <article class="result-card card">
            <header>
                <span class="result-subject">{team}</span>
                <span class="dim">{facts.join(" · ")}</span>
            </header>
            <p class="team-end">
                <Icon name=IconName::Stop />
                {stop_reason}
                <span class="dim">{stopped_by}</span>
            </p>
            {last}
            {all}
        </article>
    }
}

/// What somebody said to all.
#[component]
fn Message(message: TeamMessage) -> impl IntoView {
    let TeamMessage { source, kind, content } = message;
    let kind = (kind != "TextMessage").then(|| view! { <span class="dim">{kind}</span> });
    view! {
        <section class="team-message">
            <p><strong>{source}</strong> {kind}</p>
            <Markdown text=content.as_str() />
        </section>
    }
}
