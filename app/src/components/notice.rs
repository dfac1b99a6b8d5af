//! A message in place of content that cannot be shown.

use leptos::prelude::*;
use protocol::Problem;

/// A titled message with an act or two.
#[component]
pub fn Notice(
    /// What is the matter, in a few words.
    #[prop(into)]
    title: String,
    /// What it means and what to do.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="notice">
            <h1>{title}</h1>
            {children()}
        </section>
    }
}

/// A problem that the server reported, in place of the page.
#[component]
pub fn ProblemNotice(
    /// The problem.
    problem: Problem,
) -> impl IntoView {
    let title = match problem.status {
        404 => "This does not exist",
        0 => "The server cannot be reached",
        _ => "This cannot be shown",
    };
    view! {
        <Notice title>
            <p role="alert">{problem.detail}</p>
            <p>
                <a class="button" href="/runs">
                    "Go to the runs"
                </a>
            </p>
        </Notice>
    }
}
