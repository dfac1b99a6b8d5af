//! The plan as a list that is ticked off, with each executor's work folded under its step.

use std::{collections::BTreeMap, sync::Arc};

use leptos::{html, prelude::*};
use protocol::{
    CallId, NodeId, NodeStatus, NodeView, RunView, ToolView,
    resolver::{Step, StepEnd, StepResult, TaskPlan},
};

use super::{
    count_steps,
    document::{document, last_of},
    times::Times,
};
use crate::{
    browser,
    components::{
        icon::{Icon, IconName},
        keys::on_page_key,
        status::{SignLabel, node_sign, tool_sign},
    },
    format,
    legible::legible,
    live::LiveRun,
    markdown::Markdown,
    pages::run::{InFlight, kept},
};

#[component]
pub(super) fn Plan(live: LiveRun, plan: RwSignal<RunView>) -> impl IntoView {
    let run = plan.with_untracked(|view| view.summary.run);
    let product = Memo::new(move |_| plan.with(last_of::<TaskPlan>));
    let steps = move || match product.get() {
        None => view! { <p class="empty">"There is no plan yet. It appears here as soon as it is valid."</p> }.into_any(),
        Some(product) => {
            let document = document::<TaskPlan>(run, &product);
            (move || match document.get() {
                Some(document) => view! { <Checklist live plan steps=document.steps /> }.into_any(),
                None => view! { <p class="loading">"Loading the plan …"</p> }.into_any(),
            })
            .into_any()
        }
    };
    // The keys `j` and `k` bring the focus to the next step and to the one before; `Enter` then folds it.
    let at = StoredValue::new(0_usize);
    on_page_key(move |event| {
        let by = match event.key().as_str() {
            "j" => 1,
            "k" => -1,
            _ => return,
        };
        let (_, _, all) = plan.with_untracked(count_steps);
        let next = at.get_value().saturating_add_signed(by).clamp(1, all.max(1));
        at.set_value(next);
        browser::focus_id(&format!("step-{next}"));
    });
    view! {
        <section class="task-pane task-checklist" aria-labelledby="task-plan-heading">
            <h2 id="task-plan-heading">"Plan"</h2>
            <div class="task-steps" tabindex="0" role="group" aria-label="Steps of the plan">
                <NodeRow plan node="planner" />
                {steps}
                <NodeRow plan node="report" />
            </div>
            <Times plan />
        </section>
    }
}

/// A node that is no step: the planner, with its attempts, or the aggregator.
#[component]
fn NodeRow(plan: RwSignal<RunView>, node: &'static str) -> impl IntoView {
    let id = node.parse::<NodeId>().ok();
    let state = {
        let id = id.clone();
        Memo::new(move |_| plan.with(|view| id.as_ref().and_then(|id| view.node(id).cloned())))
    };
    // Each attempt at an answer that is valid is a call.
    let attempts = Memo::new(move |_| {
        plan.with(|view| view.calls.iter().filter(|call| call.node == id).count())
    });
    move || {
        state.get().map(|node| {
            let asked = attempts.get();
            let attempts = (asked > 1).then(|| format!("asked {asked} times"));
            view! {
                <div class="task-row">
                    <SignLabel sign=node_sign(&node) />
                    <strong>{node.plan.label.clone()}</strong>
                    <span class="dim">{attempts}</span>
                    <span class="dim mono">{worked(&node)}</span>
                    {node.reason.clone().map(|reason| view! { <p class="task-reason">{reason}</p> })}
                </div>
            }
        })
    }
}

/// The steps in the order in which they can begin; those that the plan allows side by side in one box.
#[component]
fn Checklist(live: LiveRun, plan: RwSignal<RunView>, steps: Vec<Step>) -> impl IntoView {
    let numbers: BTreeMap<String, usize> = steps.iter().map(|step| step.id.clone()).zip(1..).collect();
    let groups = groups(steps).into_iter().map(|group| {
        let is_box = group.len() > 1;
        let after_all = group.first().map(|step| after(step, &numbers)).unwrap_or_default();
        let rows = group.into_iter().map(|step| {
            let number = numbers.get(&step.id).copied().unwrap_or_default();
            let after = if is_box { String::new() } else { after(&step, &numbers) };
            view! { <StepRow live plan step number after /> }
        });
        let rows = view! { <ol>{rows.collect_view()}</ol> };
        match is_box {
            true => view! {
                <div class="task-beside" role="group" aria-label="Steps side by side">
                    <p><strong>"Side by side"</strong>" "<span class="dim">{after_all}</span></p>
                    {rows}
                </div>
            }
            .into_any(),
            false => rows.into_any(),
        }
    });
    groups.collect_view()
}

/// `after 1, 2`, by the numbers of the steps.
fn after(step: &Step, numbers: &BTreeMap<String, usize>) -> String {
    let before = step.depends_on.iter().filter_map(|id| numbers.get(id)).map(ToString::to_string);
    let before = before.collect::<Vec<_>>().join(", ");
    if before.is_empty() { before } else { format!("after {before}") }
}

/// Steps that can begin at the same time, in order: each rests on steps of groups before its own alone.
fn groups(steps: Vec<Step>) -> Vec<Vec<Step>> {
    let mut left = steps;
    let mut groups: Vec<Vec<Step>> = Vec::new();
    while !left.is_empty() {
        let open: Vec<String> = left.iter().map(|step| step.id.clone()).collect();
        let is_ready = |step: &Step| !step.depends_on.iter().any(|id| open.contains(id));
        let (ready, waiting): (Vec<Step>, Vec<Step>) = left.into_iter().partition(is_ready);
        if ready.is_empty() {
            // A plan is checked for circles; what an imported file has is shown all the same.
            groups.push(waiting);
            return groups;
        }
        groups.push(ready);
        left = waiting;
    }
    groups
}

/// A step. It opens by itself while it is worked on, until a person folds it or opens it.
#[component]
fn StepRow(live: LiveRun, plan: RwSignal<RunView>, step: Step, number: usize, after: String) -> impl IntoView {
    let id = StoredValue::new(step.node.clone());
    let node = Memo::new(move |_| plan.with(|view| id.with_value(|id| view.node(id).cloned())));
    let is_working =
        Memo::new(move |_| node.with(|node| node.as_ref().is_some_and(|it| it.status == NodeStatus::Running)));
    let by_hand = RwSignal::new(None::<bool>);
    let is_open = Memo::new(move |_| by_hand.get().unwrap_or_else(|| is_working.get()));
    let place = NodeRef::<html::Details>::new();
    let toggled = move |_| {
        let now = place.try_get_untracked().flatten().map(|place| place.open());
        if let Some(now) = now
            && now != is_open.get_untracked()
        {
            by_hand.set(Some(now));
        }
    };
    let instruction: Arc<str> = step.instruction.as_str().into();
    let step_id = step.id.clone();
    let work = move || {
        is_open.get().then(|| {
            view! {
                <div class="task-work">
                    <Markdown text=instruction.clone() />
                    <Tools plan id />
                    <Writing live plan id />
                    <Came plan step=step_id.clone() />
                </div>
            }
        })
    };
    view! {
        <li class="task-step-row" class:is-live=is_working>
            <details node_ref=place prop:open=is_open open=is_open.get_untracked() on:toggle=toggled>
                <summary id=format!("step-{number}")>
                    <span class="task-number mono dim">{number}</span>
                    {move || node.get().map(|node| view! { <SignLabel sign=node_sign(&node) /> })}
                    <strong>{legible(&step.title).into_owned()}</strong>
                    <span class="dim">{after}</span>
                    <span class="dim mono">{move || node.with(|node| node.as_ref().map(|node| worked(node)))}</span>
                    {move || node.get().and_then(|node| node.reason.clone()).map(|reason| view! {
                        <span class="task-reason">{reason}</span>
                    })}
                </summary>
                {work}
            </details>
        </li>
    }
}

/// `6.1 s · 3,900 tokens`, as far as it is known.
fn worked(node: &NodeView) -> String {
    let time = (node.worked_ms() > 0).then(|| format::duration(node.worked_ms()));
    let tokens = (node.tokens > 0).then(|| format!("{} tokens", format::count(node.tokens)));
    time.into_iter().chain(tokens).collect::<Vec<_>>().join(" · ")
}

/// The tools that a step has called.
#[component]
fn Tools(plan: RwSignal<RunView>, id: StoredValue<NodeId>) -> impl IntoView {
    let tools = Memo::new(move |_| {
        plan.with(|view| {
            let own = view.tools.iter().filter(|tool| tool.node.as_ref() == Some(&id.get_value()));
            own.cloned().collect::<Vec<Arc<ToolView>>>()
        })
    });
    let rows = move || {
        let rows = tools.get().into_iter().map(|tool| {
            let outcome = tool.outcome.as_ref();
            let sign = tool_sign(outcome.map(|outcome| outcome.status));
            let time = outcome.map(|outcome| format::duration(outcome.latency_ms));
            let called = format!("{}({})", tool.tool, tool.arguments.shown());
            view! {
                <li>
                    <SignLabel sign />
                    <code>{called}</code>
                    <span class="dim mono">{time}</span>
                </li>
            }
        });
        rows.collect_view()
    };
    view! { <ul class="task-tools">{rows}</ul> }
}

/// What the executor writes at this moment.
#[component]
fn Writing(live: LiveRun, plan: RwSignal<RunView>, id: StoredValue<NodeId>) -> impl IntoView {
    let call = Memo::new(move |_| plan.with(|view| id.with_value(|id| in_flight(view, id))));
    move || {
        call.get().map(|call| {
            let stream = move || live.streams.of(&call);
            view! { <InFlight stream=kept(stream, false) /> }
        })
    }
}

/// The call of a node that is in flight.
pub(super) fn in_flight(view: &RunView, node: &NodeId) -> Option<CallId> {
    view.summary.open_calls.iter().find(|call| call.node().as_ref() == Some(node)).cloned()
}

/// What a step has come to.
#[component]
fn Came(plan: RwSignal<RunView>, step: String) -> impl IntoView {
    let run = plan.with_untracked(|view| view.summary.run);
    let products = Memo::new(move |_| {
        plan.with(|view| view.products.iter().filter(|it| it.holds::<StepResult>()).cloned().collect::<Vec<_>>())
    });
    move || {
        let step = step.clone();
        let results = products.get().into_iter().map(move |product| {
            let (result, step) = (document::<StepResult>(run, &product), step.clone());
            move || result.get().filter(|result| result.step == step).map(|result| view! { <End end=result.end /> })
        });
        results.collect_view()
    }
}

/// How a step has ended.
#[component]
pub(super) fn End(end: StepEnd) -> impl IntoView {
    match end {
        StepEnd::Done { text } => view! { <Markdown text=text.as_str() /> }.into_any(),
        StepEnd::Failed { reason } => view! {
            <p class="tone-attention"><Icon name=IconName::Alert />{format!("n/a: {reason}")}</p>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, depends_on: &[&str]) -> Step {
        Step {
            id: id.to_owned(),
            node: "step_1".parse().unwrap(),
            title: id.to_owned(),
            instruction: String::new(),
            depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn steps_stand_side_by_side_where_none_rests_on_another() {
        let steps = vec![step("a", &[]), step("sum", &["a", "b"]), step("b", &[]), step("end", &["sum"])];
        let grouped: Vec<Vec<String>> =
            groups(steps).into_iter().map(|group| group.into_iter().map(|step| step.id).collect()).collect();
        assert_eq!(grouped, [vec!["a", "b"], vec!["sum"], vec!["end"]]);
        let circle = vec![step("a", &["b"]), step("b", &["a"])];
        assert_eq!(groups(circle).len(), 1, "shown all the same");
    }
}
