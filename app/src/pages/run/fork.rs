//! Continues the run in a new one: from a node, a phase, or its end.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::{
    Edits, ForkPoint, ForkRun, ModelChoice, NodeStatus, NodeView, RunSummary, Trial, Workflow, parse_date,
};

use super::{
    place::{ForkDraft, barrier, in_words, places},
    screen::Screen,
    state_editor::StateEditor,
    whole::Whole,
};
use crate::{
    api,
    base::at,
    browser::drafts::forget_draft,
    components::{
        approval::{ApprovalPicker, choices},
        day_field::day_field,
        dialog::Modal,
        draft::draft_of,
        icon::{Icon, IconName},
        limits::{LimitFields, LimitsDraft},
        notice::InlineProblem,
    },
};

/// The acts on a finished visit of a node.
#[component]
pub fn NodeForks(
    screen: Screen,
    node: Memo<Option<std::sync::Arc<NodeView>>>,
    visit: Memo<Option<u32>>,
) -> impl IntoView {
    let finished = Memo::new(move |_| {
        let number = visit.get()?;
        let is_open =
            screen.spec.with_value(|spec| screen.view.with(|view| barrier(view, spec.as_ref()).is_none()));
        is_open.then_some(())?;
        node.with(|node| {
            let node = node.as_ref()?;
            let visit =
                node.visits.iter().find(|visit| visit.number == number && visit.duration_ms.is_some())?;
            let can_be_tried = screen.view.with(|view| {
                let RunSummary { status, request, .. } = &view.summary;
                status.is_over() && request.workflow.kind().as_str() != Trial::KIND
            });
            let succeeded = !visit.failed && node.status != NodeStatus::Skipped;
            Some((node.plan.id.clone(), number, succeeded, can_be_tried && node.model.is_some()))
        })
    });
    move || {
        finished.get().map(|(node, visit, succeeded, can_be_tried)| {
            let trials = at(format!("/trials?run={}&node={node}&visit={visit}", screen.id));
            let (before, after) = (ForkPoint::Before { node: node.clone(), visit }, ForkPoint::After { node, visit });
            view! {
                <div class="node-acts">
                    <button type="button" class="quiet-button" on:click=move |_| screen.fork.open(before.clone())>
                        <Icon name=IconName::Play />
                        "Re-run from here"
                    </button>
                    {succeeded.then(|| view! {
                        <button type="button" class="quiet-button" on:click=move |_| screen.fork.open(after.clone())>
                            <Icon name=IconName::Fork />
                            "Fork after this"
                        </button>
                    })}
                    {can_be_tried.then(|| view! {
                        <a class="quiet-button" href=trials>
                            <Icon name=IconName::Scale />
                            "Try variants"
                        </a>
                    })}
                </div>
            }
        })
    }
}

/// The dialog.
#[component]
pub fn ForkDialog(screen: Screen) -> impl IntoView {
    let ForkDraft { open, point } = screen.fork;
    let title = Signal::derive(move || {
        match point.get() {
            Some(ForkPoint::Before { .. }) => "Re-run from here",
            Some(ForkPoint::End) => "Continue the run",
            _ => "Fork the run",
        }
        .to_owned()
    });
    view! {
        <Modal open id="fork" title>
            <ForkForm screen />
        </Modal>
    }
}

/// Which model answers in the new run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    Same,
    Configured,
    Rehearsal,
}

#[component]
fn ForkForm(screen: Screen) -> impl IntoView {
    let ForkDraft { open, point } = screen.fork;
    let (places, request, approval, nodes) = screen.live.view.with_untracked(|view| {
        let mut all = screen.spec.with_value(|spec| places(view, spec.as_ref()));
        if let Some(asked) = point.get_untracked().filter(|asked| !all.contains(asked)) {
            all.insert(0, asked);
        }
        let places: Vec<_> = all.into_iter().map(|place| (in_words(&place, view), place)).collect();
        (places, view.summary.request.clone(), view.approval.clone(), choices(view))
    });
    let edits = RwSignal::new(Ok(Edits::new()));
    let day = screen.spec.with_value(|spec| spec.as_ref()?.day.clone());
    let date =
        RwSignal::new(day.as_ref().and_then(|day| request.workflow.text(day)).unwrap_or_default().to_owned());
    let model = RwSignal::new(Model::Same);
    let limits = LimitsDraft::new(&request.limits);
    let approval = RwSignal::new(approval);

    // Of another place it is another form: what is changed there may mean something else.
    let place = point.with_untracked(|point| serde_json::to_string(point).unwrap_or_default());
    let draft = StoredValue::new(format!("fork {} {place}", screen.id));
    let navigate = use_navigate();
    let fork = Action::new(move |request: &ForkRun| {
        let request = request.clone();
        let navigate = navigate.clone();
        async move {
            let accepted = api::fork_run(screen.id, request).await?;
            draft.try_with_value(|draft| forget_draft(draft));
            open.try_set(false);
            navigate(&format!("/runs/{}", accepted.run), Default::default());
            Ok::<(), api::ApiError>(())
        }
    });
    let original = StoredValue::new(request);
    let as_of = StoredValue::new(day.clone());
    let prepared = Memo::new(move |_| {
        let point = point.get().ok_or_else(|| "Choose where to continue.".to_owned())?;
        original.with_value(|original| {
            let limits = limits.limits()?;
            let workflow = match as_of.with_value(Clone::clone) {
                Some(day) => on_day(&original.workflow, &day, &date.get())?,
                None => original.workflow.clone(),
            };
            Ok(ForkRun {
                point,
                edits: edits.get()?,
                workflow: (workflow != original.workflow).then_some(workflow),
                model: match model.get() {
                    Model::Same => None,
                    Model::Configured => Some(ModelChoice::Configured),
                    Model::Rehearsal => Some(ModelChoice::Rehearsal { characters_per_second: None }),
                },
                limits: (limits != original.limits).then_some(limits),
                approval: Some(approval.get()),
            })
        })
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Ok(request) = prepared.get_untracked() {
            fork.dispatch(request);
        }
    };
    let chosen = places.iter().position(|(_, place)| Some(place) == point.get_untracked().as_ref());
    let all = StoredValue::new(places.clone());
    let choose = move |event| {
        let index = event_target_value(&event).parse::<usize>().ok();
        point.set(
            index.and_then(|index| all.with_value(|all| all.get(index).map(|(_, place)| place.clone()))),
        );
    };
    let options = places.into_iter().enumerate().map(|(index, (words, _))| {
        view! { <option value=index.to_string() selected=Some(index) == chosen>{words}</option> }
    });
    let problem = move || {
        let refused = fork.value().get().and_then(Result::err).map(|error| error.to_string());
        let refused = refused.or_else(|| prepared.with(|prepared| prepared.as_ref().err().cloned()))?;
        Some(view! { <InlineProblem text=refused /> })
    };
    let model_option = move |value: Model, label: &'static str| {
        view! {
            <label class="ask-choice">
                <input type="radio" name="fork-model" checked=value == Model::Same prop:checked=move || model.get() == value on:change=move |_| model.set(value) />
                <span>{label}</span>
            </label>
        }
    };
    view! {
        <p class="dim">"A new run takes over what was done up to there and repeats none of it. This run stays as it is."</p>
        <form class="dialog-form" on:submit=submit node_ref=draft_of(move || draft.try_get_value().unwrap_or_default())>
            <label class="ask-label">
                "Continue"
                <select class="input" on:change=choose>{options.collect_view()}</select>
            </label>
            <Whole screen>
                <StateEditor screen edits draft=draft.get_value() />
            </Whole>
            <details class="fold">
                <summary>"Other parameters"</summary>
                <div class="fold-body">
                    {day.map(|_| view! {
                        <label class="ask-label">
                            "As of"
                            <input class="input" name="date" type="date" node_ref=day_field(date) value=date.get_untracked() on:input=move |event| date.set(event_target_value(&event)) />
                        </label>
                    })}
                    <fieldset class="ask-choices">
                        <legend>"Model"</legend>
                        {model_option(Model::Same, "As before")}
                        {model_option(Model::Configured, "The configured one")}
                        {model_option(Model::Rehearsal, "Rehearsal")}
                    </fieldset>
                </div>
            </details>
            <details class="fold" open=point.with_untracked(|point| *point == Some(ForkPoint::End))>
                <summary>"Limits"</summary>
                <div class="fold-body">
                    <p class="dim">"They count what the new run uses itself. What it takes over was paid for before and counts for none of them."</p>
                    <LimitFields draft=limits />
                </div>
            </details>
            <details class="fold">
                <summary>"Approve mode"</summary>
                <div class="fold-body"><ApprovalPicker value=approval nodes name="fork-approval" /></div>
            </details>
            {problem}
            <div class="dialog-acts">
                <button type="button" class="button" on:click=move |_| open.set(false)>"Cancel"</button>
                <button type="submit" class="button primary" disabled=move || prepared.with(Result::is_err) || fork.pending().get()>
                    {move || if fork.pending().get() { "Starting …" } else { "Start the new run" }}
                </button>
            </div>
        </form>
    }
}

/// The workflow with another day in its parameter `name`.
fn on_day(workflow: &Workflow, name: &str, day: &str) -> Result<Workflow, String> {
    let day = parse_date(day).ok_or_else(|| "Choose a day.".to_owned())?;
    let changed = workflow.clone().with(name, day.to_string().into());
    changed.map_err(|error| format!("The run cannot be continued: {error}."))
}
