//! The form that starts a run.

use std::collections::BTreeMap;

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{
    hooks::{use_location, use_navigate, use_query_map},
    params::ParamsMap,
};
use protocol::{
    Approval, FlowId, FlowSpec, Limits, ListedRun, ModelChoice, ProfileName, StartOptions, StartRun,
    WorkflowKind,
};

use super::request::{Answers, Faults, FlowChoice, Offer, Preset, counted, flows, reads_of};
use crate::{
    api,
    browser::{self, drafts::forget_draft},
    components::{
        approval::ApprovalPicker,
        draft::draft_of,
        icon::{Icon, IconName},
        limits::{LimitFields, LimitsDraft},
        notice::FormError,
        schema::{Field, Note, SchemaField, fields},
    },
};

/// How fast the rehearsal writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Speed {
    Slow,
    #[default]
    Normal,
    Fast,
}

impl Speed {
    const ALL: [Self; 3] = [Self::Slow, Self::Normal, Self::Fast];

    fn label(self) -> &'static str {
        match self {
            Self::Slow => "Slow",
            Self::Normal => "Normal",
            Self::Fast => "Fast",
        }
    }

    fn characters_per_second(self) -> Option<u32> {
        match self {
            Self::Slow => Some(60),
            Self::Normal => None,
            Self::Fast => Some(5_000),
        }
    }
}

/// The form's values while it is filled in.
#[derive(Clone, Copy)]
struct Draft {
    offers: StoredValue<Vec<Offer>>,
    kind: RwSignal<Option<WorkflowKind>>,
    /// What is typed into the fields of all kinds: fields of one name share it.
    typed: StoredValue<BTreeMap<String, RwSignal<String>>>,
    flow: RwSignal<Option<FlowId>>,
    model: RwSignal<Answerer>,
    speed: RwSignal<Speed>,
    limits: LimitsDraft,
    approval: RwSignal<Approval>,
    questions: RwSignal<bool>,
}

/// What answers the run's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answerer {
    /// What the settings name for all runs.
    Configured,
    /// One that the settings name.
    Profile(ProfileName),
    Rehearsal,
}

impl Draft {
    /// The form as it opens: something that can be started at once.
    fn new(offers: Vec<Offer>, has_configured: bool) -> Self {
        let mut typed = BTreeMap::new();
        for field in offers.iter().flat_map(|offer| &offer.fields) {
            typed.entry(field.name.clone()).or_insert_with(|| RwSignal::new(field.initial.clone()));
        }
        Self {
            kind: RwSignal::new(offers.first().map(|offer| offer.startable.spec.kind.clone())),
            typed: StoredValue::new(typed),
            offers: StoredValue::new(offers),
            flow: RwSignal::new(None),
            model: RwSignal::new(if has_configured { Answerer::Configured } else { Answerer::Rehearsal }),
            speed: RwSignal::new(Speed::default()),
            limits: LimitsDraft::new(&Limits::default()),
            approval: RwSignal::new(Approval::default()),
            questions: RwSignal::new(false),
        }
    }

    /// Takes over what an address asks for; the rest stays.
    fn preset(self, preset: Preset) {
        if preset.kind.is_some() {
            self.kind.set(preset.kind);
        }
        self.typed.with_value(|typed| {
            for (name, value) in preset.typed {
                if let Some(field) = typed.get(&name) {
                    field.set(value);
                }
            }
        });
        if preset.flow.is_some() {
            self.flow.set(preset.flow);
        }
    }

    /// What the chosen kind offers.
    fn offer<T>(self, read: impl FnOnce(&Offer) -> T) -> Option<T> {
        let kind = self.kind.get()?;
        self.offers
            .with_value(|offers| offers.iter().find(|offer| offer.startable.spec.kind == kind).map(read))
    }

    fn answers(self) -> Answers {
        let characters_per_second = self.speed.get().characters_per_second();
        let typed = self
            .typed
            .with_value(|typed| typed.iter().map(|(name, value)| (name.clone(), value.get())).collect());
        Answers {
            typed,
            flow: self.flow.get(),
            model: match self.model.get() {
                Answerer::Configured => ModelChoice::Configured,
                Answerer::Profile(name) => ModelChoice::Profile { name },
                Answerer::Rehearsal => ModelChoice::Rehearsal { characters_per_second },
            },
            limits: self.limits.limits(),
            approval: self.approval.get(),
            questions: self.questions.get(),
        }
    }
}

/// The form. It leads to the run that it starts; where that fails, all answers stay.
#[component]
pub fn StartForm(
    /// What can be chosen.
    options: StartOptions,
    /// Recent runs, newest first: the flows that can be joined.
    #[prop(into)]
    recent: Signal<Vec<ListedRun>>,
) -> impl IntoView {
    let StartOptions { kinds, configured_model, profiles } = options;
    let offers = kinds
        .into_iter()
        .filter_map(|startable| Some(Offer { fields: fields(&startable.parameters)?, startable }));
    let draft = Draft::new(offers.collect(), configured_model.is_some());
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

    let request = Memo::new(move |_| {
        let answers = draft.answers();
        draft.offer(|offer| answers.request(offer)).unwrap_or_else(|| Err(Faults::default()))
    });
    // Faults are shown from the first attempt on, and then follow what is typed.
    let attempted = RwSignal::new(false);
    let faults = Memo::new(move |_| match request.get() {
        Err(faults) if attempted.get() => faults,
        _ => Faults::default(),
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        attempted.set(true);
        match request.get_untracked() {
            Ok(request) => drop(start.dispatch(request)),
            Err(_) => focus_first_fault(),
        }
    };
    let refused = Signal::derive(move || {
        if let Some(whole) = faults.with(|faults| faults.whole.clone()) {
            return Some(whole);
        }
        let error = start.value().get()?.err()?;
        Some(format!("The run was not started. {error} Your answers are kept."))
    });
    let hint = move || draft.offer(|offer| offer.startable.spec.hint.clone());
    let fields = move || {
        let kind = draft.kind.get();
        let fields = draft.offer(|offer| offer.fields.clone()).unwrap_or_default();
        fields.into_iter().map(|field| (kind.clone(), field)).collect::<Vec<_>>()
    };
    let field = move |field: Field| {
        let name = field.name.clone();
        let value = draft.typed.with_value(|typed| typed.get(&name).copied())?;
        let fault = Signal::derive(move || faults.with(|faults| faults.fields.get(&name).cloned()));
        let on_change = Callback::new(move |()| attempted.set(true));
        Some(view! { <SchemaField id=field.name.clone() field value fault on_change /> })
    };
    view! {
        <form class="card start-form" id="start" aria-label="Start a run" novalidate=true on:submit=submit node_ref=draft_of(name)>
            <KindChoice draft />
            <p class="hint">{hint}</p>
            <For each=fields key=|(kind, field)| (kind.clone(), field.name.clone()) let((_, own))>
                {field(own)}
            </For>
            <FlowSelect recent draft />
            <ModelFields configured_model profiles draft />
            <MoreFields draft fault=Signal::derive(move || faults.with(|faults| faults.limits.clone())) />
            <FormError text=refused />
            <button type="submit" class="button primary" disabled=move || !alive.get() aria-disabled=move || busy.get().then_some("true")>
                <Icon name=IconName::Play />
                <span aria-live="polite">{move || if busy.get() { "Starting …" } else { "Start the run" }}</span>
            </button>
        </form>
    }
}

/// What few runs need: limits, pauses, questions. What is set is said while it is folded.
#[component]
fn MoreFields(draft: Draft, fault: Signal<Option<String>>) -> impl IntoView {
    let of_kind =
        Signal::derive(move || draft.offer(|offer| offer.startable.nodes.clone()).unwrap_or_default());
    let is_limited = move || draft.limits.limits().is_ok_and(|limits| limits != Limits::default());
    let set = move || {
        let parts = [
            is_limited().then_some("limited"),
            (draft.approval.get() != Approval::Off).then_some("pauses for approval"),
            draft.questions.get().then_some("may ask you"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    view! {
        <details class="fold" open=move || fault.with(Option::is_some)>
            <summary>"More" <span class="dim">{move || Some(set()).filter(|set| !set.is_empty()).unwrap_or_else(|| "limits, pauses, questions".to_owned())}</span></summary>
            <div class="fold-body">
                <div class="field" role="group" aria-labelledby="limits-name">
                    <p class="field-name" id="limits-name">"The run may use at most"</p>
                    <LimitFields draft=draft.limits />
                </div>
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

/// The kinds that are laid out side by side; more of them are a list.
const MOST_SIDE_BY_SIDE: usize = 4;

/// The kinds of workflow.
#[component]
fn KindChoice(draft: Draft) -> impl IntoView {
    let options: Vec<(Option<WorkflowKind>, String)> = draft.offers.with_value(|offers| {
        let spec =
            |offer: &Offer| (Some(offer.startable.spec.kind.clone()), offer.startable.spec.label.clone());
        offers.iter().map(spec).collect()
    });
    if options.len() <= MOST_SIDE_BY_SIDE {
        return view! { <Choice legend="Type" name="type" options value=draft.kind /> }.into_any();
    }
    let choose = move |event| draft.kind.set(event_target_value(&event).parse().ok());
    let options = options.into_iter().map(|(kind, label)| {
        let selected = draft.kind.get_untracked() == kind;
        view! { <option value=kind.map(String::from) selected=selected>{label}</option> }
    });
    view! {
        <div class="field">
            <label for="type">"Type"</label>
            <select
                id="type"
                class="input"
                name="type"
                prop:value=move || draft.kind.get().map(String::from).unwrap_or_default()
                on:change=choose
            >
                {options.collect_view()}
            </select>
        </div>
    }
    .into_any()
}

/// One of a few, as a segmented control.
#[component]
fn Choice<T: Clone + PartialEq + Send + Sync + 'static>(
    legend: &'static str,
    name: &'static str,
    options: Vec<(T, String)>,
    value: RwSignal<T>,
) -> impl IntoView {
    view! {
        <fieldset class="segmented">
            <legend>{legend}</legend>
            <div class="segments">
                {options.into_iter().map(|(option, label)| {
                    let (shown, chosen) = (option.clone(), option.clone());
                    view! {
                        <label>
                            <input
                                type="radio"
                                name=name
                                checked=value.with_untracked(|value| *value == option)
                                prop:checked=move || value.with(|value| *value == shown)
                                on:change=move |_| value.set(chosen.clone())
                            />
                            <span>{label}</span>
                        </label>
                    }
                }).collect_view()}
            </div>
        </fieldset>
    }
}

#[component]
fn FlowSelect(recent: Signal<Vec<ListedRun>>, draft: Draft) -> impl IntoView {
    let value = draft.flow;
    let reads = Memo::new(move |_| {
        let kind = draft.kind.get()?;
        draft.offers.with_value(|offers| reads_of(offers, &kind).cloned())
    });
    let choices = Memo::new(move |_| {
        let reads = reads.get();
        let label = |choice: FlowChoice| (choice.label(reads.as_ref()), choice);
        recent.with(|recent| flows(recent, reads.as_ref())).into_iter().map(label).collect::<Vec<_>>()
    });
    let chosen = Memo::new(move |_| {
        let flow = value.get()?;
        choices.with(|choices| choices.iter().map(|(_, choice)| choice).find(|it| it.flow == flow).cloned())
    });
    let hint = Signal::derive(move || {
        let FlowSpec { new, joined, reads } = draft.offer(|offer| offer.startable.spec.flow.clone())?;
        Some(match (value.get(), reads, chosen.get()) {
            (None, ..) => new,
            (Some(_), Some(reads), Some(FlowChoice { results: 0, .. })) => reads.none,
            (Some(_), Some(reads), Some(choice)) => {
                reads.some.replace("{}", &counted(&reads, choice.results))
            }
            (Some(_), ..) => joined,
        })
    });
    // A flow that an address names can be older than the recent runs; it must stay a choice.
    let unlisted = move || value.get().filter(|_| chosen.with(Option::is_none));
    let choose = move |event| value.set(event_target_value(&event).parse().ok());
    let is_chosen = move |flow: &FlowId| value.with(|chosen| chosen.as_ref() == Some(flow));
    view! {
        <div class="field">
            <label for="flow">"Flow"</label>
            <select id="flow" class="input" name="flow" aria-describedby="flow-note" on:change=choose>
                <option value="" selected=move || value.with(Option::is_none)>"New flow"</option>
                {move || unlisted().map(|flow| view! { <option value=flow.to_string() selected=true>{format!("Flow {flow}")}</option> })}
                <For each=move || choices.get() key=|(label, _)| label.clone() let((label, choice))>
                    {
                        let flow = choice.flow.clone();
                        view! { <option value=choice.flow.to_string() selected=move || is_chosen(&flow)>{label}</option> }
                    }
                </For>
            </select>
            <Note id="flow" fault=Signal::stored(None::<String>) hint />
        </div>
    }
}

#[component]
fn ModelFields(configured_model: Option<String>, profiles: Vec<ProfileName>, draft: Draft) -> impl IntoView {
    let is_configured = configured_model.is_some() || !profiles.is_empty();
    let configured = configured_model.map(|model| (Answerer::Configured, model));
    let named = profiles.into_iter().map(|name| {
        let label = name.to_string();
        (Answerer::Profile(name), label)
    });
    let rehearsal = (Answerer::Rehearsal, "Rehearsal".to_owned());
    let options: Vec<_> = configured.into_iter().chain(named).chain([rehearsal]).collect();
    let choice =
        is_configured.then(|| view! { <Choice legend="Model" name="model" options value=draft.model /> });
    view! {
        {choice}
        {(!is_configured).then(|| view! {
            <div class="field">
                <p class="field-name">"Model"</p>
                <p class="note rehearsal">
                    "No model is configured: the " <strong>"rehearsal"</strong>
                    " answers. It follows fixed rules over the real figures and needs no key. For a model, set "
                    <code>"PITWALL_MODEL_BASE_URL"</code> ", " <code>"PITWALL_MODEL_KEY"</code> " and "
                    <code>"PITWALL_MODEL"</code> ", and start Pitwall again."
                </p>
            </div>
        })}
        <div class="only" hidden=move || draft.model.with(|model| *model != Answerer::Rehearsal)>
            <Choice legend="Speed of the rehearsal" name="speed" options=Speed::ALL.map(|speed| (speed, speed.label().to_owned())).to_vec() value=draft.speed />
        </div>
    }
}
