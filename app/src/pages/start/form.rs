//! The form that starts a run: what, with which answers, and beside that what it will take.

use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    prelude::*,
};
use leptos_router::{
    hooks::{use_location, use_navigate, use_query_map},
    params::ParamsMap,
};
use protocol::{Approval, ListedRun, ModelProfile, RunStatus, StartOptions, StartRun};

use super::{
    as_request::AsRequest,
    draft::Draft,
    estimate::EstimateView,
    flow::FlowSelect,
    last_settings::LastSettings,
    models::{Choices, ModelFields},
    picker::KindPicker,
    remarks::remarks,
    request::{Faults, Offer, Preset},
    sample::Sample,
};
use crate::{
    api,
    browser::{self, drafts::forget_draft},
    components::{
        approval::ApprovalPicker,
        draft::draft_of,
        icon::{Icon, IconName},
        import::Importer,
        later::Later,
        limits::LimitFields,
        notice::FormError,
        schema::{Field, Kind, SchemaField, TextsField, fields},
    },
    format,
};

/// The form. It leads to the run that it starts; where that fails, all answers stay.
#[component]
pub fn StartForm(
    /// What can be chosen.
    options: StartOptions,
    /// Takes in what is exported elsewhere.
    importer: Importer,
    /// The models that the settings name.
    profiles: Vec<ModelProfile>,
    /// Recent runs, newest first: the flows that can be joined.
    #[prop(into)]
    recent: Signal<Vec<ListedRun>>,
) -> impl IntoView {
    let StartOptions { kinds, configured_model, profiles: names } = options;
    let offers = kinds
        .into_iter()
        .filter_map(|startable| Some(Offer { fields: fields(&startable.parameters)?, startable }));
    let choices = Choices::new(configured_model, names, &profiles);
    let draft = Draft::new(offers.collect(), choices.answerers());
    follow_address(draft);
    // An address may ask for another run: of that it is another form.
    let search = use_location().search;
    let name = move || format!("start {}", search.try_get_untracked().unwrap_or_default());

    let start = Action::new(|request: &StartRun| api::start_run(request.clone()));
    lead_to_the_run(start, name);
    // Until the page is alive a submit would only reload it.
    let alive = RwSignal::new(false);
    Effect::new(move || alive.set(true));
    // Stays true once a run is accepted: the page is about to change.
    let busy = Memo::new(move |_| {
        start.pending().get() || start.value().with(|answer| matches!(answer, Some(Ok(_))))
    });

    let request = Memo::new(move |_| draft.request());
    let trouble = Memo::new(move |_| choices.trouble(draft));
    // Faults are shown from the first attempt on, and then follow what is typed.
    let attempted = RwSignal::new(false);
    let faults = Memo::new(move |_| match request.get() {
        Err(faults) if attempted.get() => faults,
        _ => Faults::default(),
    });
    let show_faults = move |()| {
        attempted.set(true);
        focus_first_fault();
    };
    let try_to_start = move || {
        if busy.get_untracked() || trouble.with_untracked(Option::is_some) {
            return;
        }
        match request.get_untracked() {
            Ok(request) => drop(start.dispatch(request)),
            Err(_) => show_faults(()),
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        try_to_start();
    };
    let pressed = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            try_to_start();
        }
    };
    let refused = Signal::derive(move || {
        if let Some(whole) = faults.with(|faults| faults.whole.clone()) {
            return Some(whole);
        }
        let error = start.value().get()?.err()?;
        Some(format!("The run was not started. {error} Your answers are kept."))
    });
    view! {
        <form
            class="start-form"
            id="start"
            aria-label="Start a run"
            novalidate=true
            on:submit=submit
            on:keydown=pressed
            node_ref=draft_of(name)
        >
            <Later><KindPicker draft recent importer /></Later>
            <div class="start-fields">
                <KindHead draft recent />
                <Parameters draft faults attempted />
                <FlowSelect recent draft />
                <Later><ModelFields choices draft /> <MoreFields draft /></Later>
            </div>
            <div class="start-side">
                <Sample draft start=Callback::new(move |sample| drop(start.dispatch(sample))) busy />
                <section class="start-part" role="group" aria-labelledby="limits-heading">
                    <h3 id="limits-heading">"Stops at"</h3>
                    <LimitFields draft=draft.limits />
                </section>
                <div class="start-dock">
                    <PastRuns draft />
                    <FormError text=refused />
                    {move || trouble.get().map(|trouble| view! {
                        <p class="model-trouble" role="status">
                            <Icon name=IconName::Alert />
                            <span>{trouble.words}</span>
                            <button type="button" class="button" on:click=move |_| draft.model.set(trouble.instead.clone())>
                                {format!("Use {}", trouble.label)}
                            </button>
                        </p>
                    })}
                    <button
                        type="submit"
                        class="button primary"
                        disabled=move || !alive.get() || trouble.with(Option::is_some)
                        aria-disabled=move || busy.get().then_some("true")
                    >
                        <Icon name=IconName::Play />
                        <span aria-live="polite">{move || if busy.get() { "Starting …" } else { "Start the run" }}</span>
                    </button>
                    <div class="start-foot">
                        <p class="note">
                            <kbd>"Ctrl"</kbd> <kbd>"Enter"</kbd> " starts"
                            <span role="status">{move || recent.with(|runs| queue(runs)).map(|place| format!(" · {place}"))}</span>
                        </p>
                        <AsRequest request refused=Callback::new(show_faults) />
                    </div>
                </div>
            </div>
        </form>
    }
}

/// What is chosen, and what it does.
#[component]
fn KindHead(draft: Draft, recent: Signal<Vec<ListedRun>>) -> impl IntoView {
    let spec = Memo::new(move |_| draft.offer(|offer| offer.startable.spec.clone()));
    move || {
        spec.get().map(|spec| {
            view! {
                <header class="start-kind">
                    <h2><Icon name=IconName::of_role(&spec.icon) /> {spec.label}</h2>
                    <p class="hint">{spec.hint}</p>
                    <LastSettings draft kind=spec.kind recent />
                </header>
            }
        })
    }
}

/// The fields of the chosen kind's parameters.
#[component]
fn Parameters(draft: Draft, faults: Memo<Faults>, attempted: RwSignal<bool>) -> impl IntoView {
    let fields = move || {
        let kind = draft.kind.get();
        let fields = draft.offer(|offer| offer.fields.clone()).unwrap_or_default();
        fields.into_iter().map(|field| (kind.clone(), field)).collect::<Vec<_>>()
    };
    let said = remarks(draft);
    let view = move |field: Field| {
        let value = draft.typed(&field)?;
        let name = field.name.clone();
        let fault = Signal::derive(move || {
            let fault = faults.with(|faults| faults.fields.get(&name).cloned());
            fault.or_else(|| said.with(|said| said.get(&name).cloned()))
        });
        if matches!(field.kind, Kind::Texts(_)) {
            let own = field.clone();
            let names = Memo::new(move |_| draft.names(&own));
            return Some(view! { <TextsField id=field.name.clone() field names value fault /> }.into_any());
        }
        let on_change = Callback::new(move |()| attempted.set(true));
        Some(view! { <SchemaField id=field.name.clone() field value fault on_change /> }.into_any())
    };
    view! {
        <For each=fields key=|(kind, field)| (kind.clone(), field.name.clone()) let((_, own))>
            {view(own)}
        </For>
    }
}

/// What few runs need: pauses, questions. What is set is said while it is folded.
#[component]
fn MoreFields(draft: Draft) -> impl IntoView {
    let of_kind =
        Signal::derive(move || draft.offer(|offer| offer.startable.nodes.clone()).unwrap_or_default());
    let set = move || {
        let parts = [
            (draft.approval.get() != Approval::Off).then_some("pauses for approval"),
            draft.questions.get().then_some("may ask you"),
        ];
        let set = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if set.is_empty() { "pauses, questions".to_owned() } else { set }
    };
    view! {
        <details class="fold">
            <summary>"More" <span class="dim">{set}</span></summary>
            <div class="fold-body">
                <div class="field" role="group" aria-labelledby="pauses-name">
                    <p class="field-name" id="pauses-name">"Pause until you approve"</p>
                    <ApprovalPicker value=draft.approval nodes=of_kind name="approval" />
                </div>
                <label class="ask-choice">
                    <input
                        type="checkbox"
                        name="questions"
                        prop:checked=draft.questions
                        on:change=move |event| draft.questions.set(event_target_checked(&event))
                    />
                    <span>"Agents may ask you " <span class="dim">"where neither data nor colleagues can tell"</span></span>
                </label>
            </div>
        </details>
    }
}

/// What earlier runs of this kind took with this model.
#[component]
fn PastRuns(draft: Draft) -> impl IntoView {
    let past = Resource::new(
        move || (draft.kind.get(), draft.model_choice()),
        |(kind, model)| async move {
            match kind {
                Some(kind) => api::past_runs(kind, model).await,
                None => Ok(Vec::new()),
            }
        },
    );
    let limit = Signal::derive(move || draft.limits.limits().ok().and_then(|limits| limits.cost));
    view! {
        <section class="start-part" aria-labelledby="estimate-heading">
            <h3 id="estimate-heading">"Estimate"</h3>
            <Transition fallback=|| view! { <p class="quiet">"Looking at earlier runs …"</p> }>
                {move || Suspend::new(async move {
                    match past.await {
                        Ok(runs) => view! { <EstimateView runs limit /> }.into_any(),
                        Err(error) => view! { <p class="quiet">{format!("What earlier runs took is not known. {error}")}</p> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
}

/// The place that a run would have that is started now; `None` where none of the account's runs waits for one.
fn queue(runs: &[ListedRun]) -> Option<String> {
    let waiting = runs.iter().filter(|run| run.status == RunStatus::Queued).count();
    (waiting > 0).then(|| format::place(waiting + 1))
}

/// Presets the form from the address, and again when a link changes it.
fn follow_address(draft: Draft) {
    let query = use_query_map();
    let asked = move |query: &ParamsMap| draft.offers.with_value(|offers| Preset::from_query(query, offers));
    draft.preset(asked(&query.get_untracked()));
    Effect::new(move |seen: Option<Preset>| {
        let preset = asked(&query.get());
        if seen.is_some_and(|seen| seen != preset) {
            draft.preset(preset.clone());
        }
        preset
    });
}

fn lead_to_the_run(
    start: Action<StartRun, Result<protocol::RunAccepted, api::ApiError>>,
    draft_name: impl Fn() -> String + 'static,
) {
    let navigate = use_navigate();
    Effect::new(move || {
        let accepted =
            start.value().with(|answer| answer.as_ref()?.as_ref().ok().map(|accepted| accepted.run));
        if let Some(run) = accepted {
            forget_draft(&draft_name());
            navigate(&format!("/runs/{run}"), Default::default());
        }
    });
}

fn focus_first_fault() {
    request_animation_frame(|| {
        browser::focus_first("#start .field [aria-invalid], #start .limit-field [aria-invalid]");
    });
}
