//! The form that starts a run.

mod request;
mod ticker_input;

use std::collections::BTreeSet;

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use protocol::{
    Analyst, Approval, FlowId, Limits, ModelChoice, PlannedNode, PortfolioId, PortfolioSummary, ProfileName,
    RunSummary, StartOptions, StartRun, WorkflowKind,
};

use self::{
    request::{Answers, Faults, FlowChoice, Preset, analyses, flows},
    ticker_input::TickerInput,
};
use super::{
    approval::ApprovalPicker,
    day_field::day_field,
    draft::draft_of,
    icon::{Icon, IconName},
    limits::{LimitFields, LimitsDraft},
    notice::FormError,
};
use crate::{
    api,
    browser::{self, drafts::forget_draft},
    format::long_day,
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

/// The fields' values while the form is filled in.
#[derive(Clone, Copy)]
struct Draft {
    kind: RwSignal<WorkflowKind>,
    ticker: RwSignal<String>,
    date: RwSignal<String>,
    analysts: RwSignal<BTreeSet<Analyst>>,
    portfolio: RwSignal<Option<PortfolioId>>,
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
    fn new(options: &StartOptions) -> Self {
        let company = options.instruments.iter().find(|instrument| !instrument.sector.is_empty());
        let portfolio = options.portfolios.first().map(|portfolio| portfolio.id.clone());
        Self {
            kind: RwSignal::new(WorkflowKind::Pipeline),
            ticker: RwSignal::new(company.map(|company| company.ticker.to_string()).unwrap_or_default()),
            date: RwSignal::new(options.last_date.to_string()),
            analysts: RwSignal::new(options.analysts.iter().copied().collect()),
            portfolio: RwSignal::new(portfolio),
            flow: RwSignal::new(None),
            model: RwSignal::new(if options.configured_model.is_some() {
                Answerer::Configured
            } else {
                Answerer::Rehearsal
            }),
            speed: RwSignal::new(Speed::default()),
            limits: LimitsDraft::new(&Limits::default()),
            approval: RwSignal::new(Approval::default()),
            questions: RwSignal::new(false),
        }
    }

    /// Takes over what an address asks for; the rest stays.
    fn preset(self, preset: Preset) {
        if let Some(kind) = preset.kind {
            self.kind.set(kind);
        }
        if let Some(ticker) = preset.ticker {
            self.ticker.set(ticker.to_string());
        }
        if let Some(date) = preset.date {
            self.date.set(date.to_string());
        }
        if preset.portfolio.is_some() {
            self.portfolio.set(preset.portfolio);
        }
        if preset.flow.is_some() {
            self.flow.set(preset.flow);
        }
    }

    fn answers(self) -> Answers {
        let characters_per_second = self.speed.get().characters_per_second();
        Answers {
            kind: self.kind.get(),
            ticker: self.ticker.get(),
            date: self.date.get(),
            analysts: self.analysts.get(),
            portfolio: self.portfolio.get(),
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
    recent: Signal<Vec<RunSummary>>,
) -> impl IntoView {
    let draft = Draft::new(&options);
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

    let checked = StoredValue::new(options.clone());
    let request = Memo::new(move |_| checked.with_value(|options| draft.answers().request(options)));
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
    let is_pipeline = Memo::new(move |_| draft.kind.get() == WorkflowKind::Pipeline);
    let refused = Signal::derive(move || {
        let error = start.value().get()?.err()?;
        Some(format!("The run was not started. {error} Your answers are kept."))
    });

    let StartOptions {
        instruments,
        first_date,
        last_date,
        analysts: all_analysts,
        portfolios,
        configured_model,
        profiles,
        nodes,
    } = options;
    view! {
        <form class="card start-form" id="start" aria-labelledby="start-heading" novalidate=true on:submit=submit node_ref=draft_of(name)>
            <h2 id="start-heading">"Start a run"</h2>
            <Choice
                legend="Type"
                name="type"
                options=[WorkflowKind::Pipeline, WorkflowKind::Portfolio].map(|kind| (kind, kind.label().to_owned())).to_vec()
                value=draft.kind
            />
            <p class="hint">
                {move || if is_pipeline.get() {
                    "Analysts study one stock, two researchers debate it, and a portfolio manager rates it."
                } else {
                    "The portfolio manager reviews holdings and analyses, decides, and trades in the paper portfolio."
                }}
            </p>
            <div class="only" hidden=move || !is_pipeline.get()>
                <TickerInput instruments value=draft.ticker fault=Signal::derive(move || faults.with(|faults| faults.ticker.clone())) />
            </div>
            <div class="only" hidden=move || is_pipeline.get()>
                <PortfolioSelect portfolios value=draft.portfolio fault=Signal::derive(move || faults.with(|faults| faults.portfolio.clone())) />
            </div>
            <Field
                id="date"
                label="As of"
                fault=Signal::derive(move || faults.with(|faults| faults.date.clone()))
                hint=Signal::stored(format!("Prices from {} to {}. The run sees nothing later than this day.", long_day(first_date), long_day(last_date)))
            >
                <input
                    id="date"
                    class="input"
                    name="date"
                    type="date"
                    min=first_date.to_string()
                    max=last_date.to_string()
                    aria-describedby="date-note"
                    aria-invalid=move || faults.with(|faults| faults.date.is_some()).then_some("true")
                    node_ref=day_field(draft.date)
                    value=draft.date.get_untracked()
                    on:input=move |event| draft.date.set(event_target_value(&event))
                    on:change=move |_| attempted.set(true)
                />
            </Field>
            <div class="only" hidden=move || !is_pipeline.get()>
                <AnalystChoice all=all_analysts value=draft.analysts fault=Signal::derive(move || faults.with(|faults| faults.analysts.clone())) />
            </div>
            <FlowSelect recent value=draft.flow is_pipeline />
            <ModelFields configured_model profiles draft />
            <MoreFields nodes draft fault=Signal::derive(move || faults.with(|faults| faults.limits.clone())) />
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
fn MoreFields(nodes: Vec<PlannedNode>, draft: Draft, fault: Signal<Option<String>>) -> impl IntoView {
    let of_kind = Signal::derive(move || {
        nodes.iter().filter(|node| node.kind == draft.kind.get()).cloned().collect::<Vec<_>>()
    });
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
    draft.preset(Preset::from_query(&query.get_untracked()));
    Effect::new(move |seen: Option<Preset>| {
        let preset = Preset::from_query(&query.get());
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
        browser::focus_first(
            "#start .only:not([hidden]) [aria-invalid], #start .field > [aria-invalid], #start .limit-field [aria-invalid]",
        );
    });
}

/// A field with its label, and below it the fault or else the hint.
#[component]
fn Field(
    id: &'static str,
    label: &'static str,
    #[prop(into)] fault: Signal<Option<String>>,
    #[prop(into)] hint: Signal<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            {children()}
            <Note id fault hint />
        </div>
    }
}

#[component]
fn Note(id: &'static str, fault: Signal<Option<String>>, hint: Signal<String>) -> impl IntoView {
    let class = move || if fault.with(Option::is_some) { "note fault" } else { "note" };
    view! {
        <p id=format!("{id}-note") class=class aria-live="polite">
            {move || fault.get().unwrap_or_else(|| hint.get())}
        </p>
    }
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
fn AnalystChoice(
    all: Vec<Analyst>,
    value: RwSignal<BTreeSet<Analyst>>,
    fault: Signal<Option<String>>,
) -> impl IntoView {
    let toggle = move |analyst: Analyst, chosen: bool| {
        value.update(|analysts| {
            if chosen {
                analysts.insert(analyst);
            } else {
                analysts.remove(&analyst);
            }
        });
    };
    view! {
        <fieldset class="field checks" aria-describedby="analysts-note">
            <legend>"Analysts"</legend>
            <div class="check-grid">
                {all.into_iter().map(|analyst| view! {
                    <label>
                        <input
                            type="checkbox"
                            name="analysts"
                            checked=value.with_untracked(|analysts| analysts.contains(&analyst))
                            prop:checked=move || value.with(|analysts| analysts.contains(&analyst))
                            aria-invalid=move || fault.with(Option::is_some).then_some("true")
                            on:change=move |event| toggle(analyst, event_target_checked(&event))
                        />
                        <span>
                            {analyst.label()}
                            <span class="dim">{studies(analyst)}</span>
                        </span>
                    </label>
                }).collect_view()}
            </div>
            <Note id="analysts" fault hint=Signal::stored("They work side by side. At least one is needed.".to_owned()) />
        </fieldset>
    }
}

fn studies(analyst: Analyst) -> &'static str {
    match analyst {
        Analyst::Market => "prices and indicators",
        Analyst::Social => "what people say",
        Analyst::News => "company and world",
        Analyst::Fundamentals => "statements and ratios",
    }
}

#[component]
fn PortfolioSelect(
    portfolios: Vec<PortfolioSummary>,
    value: RwSignal<Option<PortfolioId>>,
    fault: Signal<Option<String>>,
) -> impl IntoView {
    if portfolios.is_empty() {
        return view! {
            <p class="note fault">"There is no portfolio yet. Open one under “Portfolios” on this page first."</p>
        }
        .into_any();
    }
    let choose = move |event| value.set(event_target_value(&event).parse().ok());
    view! {
        <Field id="portfolio" label="Portfolio" fault hint=Signal::stored(String::new())>
            <select
                id="portfolio"
                class="input"
                name="portfolio"
                aria-describedby="portfolio-note"
                aria-invalid=move || fault.with(Option::is_some).then_some("true")
                prop:value=move || value.get().map(String::from).unwrap_or_default()
                on:change=choose
            >
                {portfolios.into_iter().map(|portfolio| {
                    let id = portfolio.id.to_string();
                    let selected = value.with_untracked(|chosen| chosen.as_ref() == Some(&portfolio.id));
                    view! { <option value=id selected=selected>{portfolio.name}</option> }
                }).collect_view()}
            </select>
        </Field>
    }
    .into_any()
}

#[component]
fn FlowSelect(
    recent: Signal<Vec<RunSummary>>,
    value: RwSignal<Option<FlowId>>,
    is_pipeline: Memo<bool>,
) -> impl IntoView {
    let choices = Memo::new(move |_| recent.with(|recent| flows(recent)));
    let chosen = Memo::new(move |_| {
        let flow = value.get()?;
        choices.with(|choices| choices.iter().find(|choice| choice.flow == flow).cloned())
    });
    let hint = Signal::derive(move || match (is_pipeline.get(), chosen.get(), value.get()) {
        (true, _, None) => {
            "Runs of one flow belong together: a portfolio run reads the analyses of its flow.".to_owned()
        }
        (true, _, Some(_)) => "A portfolio run in this flow will read this analysis.".to_owned(),
        (false, _, None) => {
            "A new flow holds no analyses yet. Choose the flow of your pipeline runs to decide on theirs."
                .to_owned()
        }
        (false, Some(FlowChoice { analyses: 0, .. }), _) => {
            "No pipeline run of this flow has ended with a rating yet.".to_owned()
        }
        (false, Some(choice), _) => {
            format!("The portfolio manager reads {} of this flow.", analyses(choice.analyses))
        }
        (false, None, Some(_)) => "The portfolio manager reads the analyses of this flow.".to_owned(),
    });
    // A flow that an address names can be older than the recent runs; it must stay a choice.
    let unlisted = move || value.get().filter(|_| chosen.with(Option::is_none));
    let choose = move |event| value.set(event_target_value(&event).parse().ok());
    let is_chosen = move |flow: &FlowId| value.with(|chosen| chosen.as_ref() == Some(flow));
    view! {
        <Field id="flow" label="Flow" fault=Signal::stored(None::<String>) hint>
            <select id="flow" class="input" name="flow" aria-describedby="flow-note" on:change=choose>
                <option value="" selected=move || value.with(Option::is_none)>"New flow"</option>
                {move || unlisted().map(|flow| view! { <option value=flow.to_string() selected=true>{format!("Flow {flow}")}</option> })}
                <For each=move || choices.get() key=FlowChoice::label let:choice>
                    {
                        let flow = choice.flow.clone();
                        view! { <option value=choice.flow.to_string() selected=move || is_chosen(&flow)>{choice.label()}</option> }
                    }
                </For>
            </select>
        </Field>
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
