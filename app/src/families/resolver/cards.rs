//! The plan of a task and its report.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::resolver::{NotDone, Refined, Step, TaskPlan, TaskReport, TaskRequest};

use super::SESSIONS;
use crate::{
    base::at,
    components::status::{NodeSigns, SignLabel, Tone},
    legible::legible,
    markdown::Markdown,
};

/// The plan, each step with where it stands.
#[component]
pub fn PlanCard(headline: String, plan: TaskPlan) -> impl IntoView {
    let titles: BTreeMap<String, String> =
        plan.steps.iter().map(|step| (step.id.clone(), legible(&step.title).into_owned())).collect();
    let steps = plan.steps.into_iter().map(|step| {
        let after = step.depends_on.iter().filter_map(|id| titles.get(id).cloned()).collect();
        view! { <StepRow step after /> }
    });
    view! {
        <article class="result-card card">
            <header><span class="result-subject">{headline}</span></header>
            <ol class="task-plan">{steps.collect_view()}</ol>
        </article>
    }
}

/// A step, behind those that it depends on.
#[component]
fn StepRow(step: Step, after: Vec<String>) -> impl IntoView {
    let sign = NodeSigns::of(step.node);
    let after = (!after.is_empty())
        .then(|| view! { <span class="dim">{format!("after {}", after.join(", "))}</span> });
    view! {
        <li class="task-step">
            <details>
                <summary>
                    <strong>{legible(&step.title).into_owned()}</strong>
                    {after}
                </summary>
                <Markdown text=step.instruction.as_str() />
            </details>
            {move || sign.get().map(|sign| view! { <SignLabel sign /> })}
        </li>
    }
}

/// The report, with what could not be done, and the way to write it anew.
#[component]
pub fn TaskReportCard(headline: String, tone: Tone, report: TaskReport) -> impl IntoView {
    let anew = at(format!("/start?type={}&of={}", TaskRequest::REFINEMENT, report.run));
    let session = at(format!("{SESSIONS}/{}", report.run));
    let request = legible(&report.request).into_owned();
    let earlier = report.refines.as_ref().map(|Refined { of, .. }| {
        view! { <a href=at(format!("/runs/{of}"))>"The report before"</a> }
    });
    view! {
        <article class="result-card card">
            <header>
                <span class=format!("grade {}", tone.class())>{legible(&headline).into_owned()}</span>
                <span class="dim task-request">{request}</span>
            </header>
            <ReportText report />
            <footer class="task-acts">
                <a href=session>"Its session"</a>
                <a href=anew>"Write it anew …"</a>
                {earlier}
            </footer>
        </article>
    }
}

/// A report's text, and what could not be done where the text does not say it.
#[component]
pub fn ReportText(report: TaskReport) -> impl IntoView {
    let TaskReport { markdown, not_done, refines, .. } = report;
    // A task's own report lists them itself.
    let has_gaps = refines.is_some() && !not_done.is_empty();
    let gaps = has_gaps.then(|| {
        let gaps = not_done.into_iter().map(|NotDone { title, reason }| {
            view! {
                <li>
                    <strong>{legible(&title).into_owned()}</strong>
                    ": "
                    {legible(&reason).into_owned()}
                </li>
            }
        });
        view! {
            <details>
                <summary>"Steps without a result"</summary>
                <ul class="reasons">{gaps.collect_view()}</ul>
            </details>
        }
    });
    view! {
        <Markdown text=markdown.as_str() />
        {gaps}
    }
}
