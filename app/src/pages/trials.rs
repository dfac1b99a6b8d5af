//! Trials of one step: what to change, what that would cost, and what came of it, side by side.

mod form;
mod results;

use std::collections::HashMap;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::{NodeId, Origin, Problem, RunId, RunStatus, StartOptions, TrialReport, TriedStep};
use serde::{Deserialize, Serialize};

use self::{form::TrialForm, results::Results};
use crate::{
    api::{self, ApiError},
    base::at,
    components::notice::ProblemNotice,
    live::{RunNews, run_feed},
};

/// The step that the page is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    run: RunId,
    node: NodeId,
    visit: u32,
}

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PageData {
    asked: Asked,
    step: TriedStep,
    report: TrialReport,
    options: StartOptions,
}

/// What the feed tells of a run, as far as it matters here.
#[derive(Deserialize)]
struct Continued {
    #[serde(default)]
    origin: Option<Origin>,
}

/// The page.
#[component]
pub fn TrialsPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|query| ["run", "node", "visit"].map(|name| query.get(name).unwrap_or_default()))
    });
    let data = Resource::new(move || asked.get(), load);
    view! {
        <Title text="Trials" />
        <div class="page trials">
            <Transition fallback=|| view! { <p class="loading">"Loading the step …"</p> }>
                {move || Suspend::new(async move {
                    match data.await {
                        Ok(data) => view! { <Trials data /> }.into_any(),
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

async fn load([run, node, visit]: [String; 3]) -> Result<PageData, ApiError> {
    let asked =
        (|| Some(Asked { run: run.parse().ok()?, node: node.parse().ok()?, visit: visit.parse().ok()? }))();
    let unknown = || {
        api::set_status(404);
        ApiError(Problem::not_found("Choose a step on the page of a run, then try variants of it."))
    };
    let asked = asked.ok_or_else(unknown)?;
    let mut report = read(&asked).await?;
    let step = report.step.take().ok_or_else(unknown)?;
    Ok(PageData { asked, step, report, options: api::start_options().await? })
}

async fn read(asked: &Asked) -> Result<TrialReport, ApiError> {
    api::trials(asked.run, Some((asked.node.clone(), asked.visit))).await
}

#[component]
fn Trials(data: PageData) -> impl IntoView {
    let PageData { asked, step, report, options } = data;
    let report = RwSignal::new(report);
    let asked = StoredValue::new(asked);
    // Answers may come in another order than they were asked for: the last question counts.
    let questions = StoredValue::new(0_u32);
    let read_again = Action::new(move |(): &()| {
        questions.update_value(|number| *number += 1);
        let number = questions.get_value();
        async move {
            let now = read(&asked.get_value()).await?;
            if questions.try_get_value() == Some(number) {
                report.try_set(TrialReport { step: None, ..now });
            }
            Ok::<(), ApiError>(())
        }
    });
    let seen = StoredValue::new(HashMap::<RunId, RunStatus>::new());
    run_feed().follow(move |news| {
        let RunNews::Stands(now) = news else { return };
        let is_of_step = || {
            let origin = now.read::<Continued>().and_then(|told| told.origin);
            origin.is_some_and(|origin| asked.with_value(|asked| asked.run == origin.run))
        };
        let is_elsewhere = seen.with_value(|seen| seen.get(&now.run) != Some(&now.status));
        if is_elsewhere && is_of_step() {
            seen.update_value(|seen| {
                seen.insert(now.run, now.status);
            });
            read_again.dispatch(());
        }
    });
    let back = asked.with_value(|asked| at(format!("/runs/{}", asked.run)));
    let visit = asked.with_value(|asked| asked.visit);
    let title = step.title.clone();
    let which = if visit > 1 { format!(", visit {visit}") } else { String::new() };
    let original = asked.with_value(|asked| asked.run);
    view! {
        <header class="page-head">
            <h1>{format!("Trials of {}{which}", step.label)}</h1>
            <p class="dim"><a href=back>{title}</a></p>
        </header>
        <TrialForm asked step=step.clone() options started=Callback::new(move |()| drop(read_again.dispatch(()))) />
        <Results original step report />
    }
}
