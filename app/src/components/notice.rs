//! A message in place of content that cannot be shown.

use leptos::prelude::*;
use protocol::Problem;

use super::icon::{Icon, IconName};
use crate::{api::ApiError, base::at};

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
                <a class="button" href=at("/runs")>
                    "Go to the runs"
                </a>
            </p>
        </Notice>
    }
}

/// Why a part of the page is not what it should be.
#[component]
pub fn InlineProblem(
    /// What is the matter, and what to do.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <p class="inline-problem" role="alert">{text}</p> }
}

/// Why an act was refused the last time; nothing where it was not.
#[component]
pub fn Refusal<I: Send + Sync + 'static, O: Clone + Send + Sync + 'static>(
    /// The act.
    act: Action<I, Result<O, ApiError>>,
    /// Said before the reason, such as "Not asked: ".
    #[prop(optional)]
    lead: &'static str,
) -> impl IntoView {
    move || act.value().get()?.err().map(|error| view! { <InlineProblem text=format!("{lead}{error}") /> })
}

/// Why a form was refused, over its button; nothing where it was not.
#[component]
pub fn FormError(
    /// What is the matter, and what to do.
    #[prop(into)]
    text: Signal<Option<String>>,
) -> impl IntoView {
    move || {
        text.get().map(|text| {
            view! {
                <p class="form-error" role="alert">
                    <Icon name=IconName::Alert />
                    <span>{text}</span>
                </p>
            }
        })
    }
}
