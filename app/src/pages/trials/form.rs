//! What is to be changed, how often each variant is tried, and what that would cost.

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::{
    ModelChoice, PromptEdit, PromptMessage, StartOptions, StartTrials, Temperature, Tier, TrialEstimate,
    TriedStep, Variant,
};

use super::Asked;
use crate::{
    api,
    components::notice::{InlineProblem, Refusal},
    format,
};

/// A variant while it is put together.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Draft {
    /// Tells it from others while variants are taken away.
    id: u32,
    model: RwSignal<String>,
    tier: RwSignal<String>,
    temperature: RwSignal<String>,
    /// What each message says.
    messages: StoredValue<Vec<RwSignal<String>>>,
}

impl Draft {
    fn new(id: u32, prompt: &[PromptMessage]) -> Self {
        let messages = prompt.iter().map(|message| RwSignal::new(message.text.clone())).collect();
        let [model, tier, temperature] = [String::new(), String::new(), String::new()].map(RwSignal::new);
        Self { id, model, tier, temperature, messages: StoredValue::new(messages) }
    }

    /// The variant, or what is wrong with it.
    fn variant(self, prompt: &[PromptMessage]) -> Result<Variant, String> {
        let temperature = match self.temperature.get().trim() {
            "" => None,
            text => {
                let value = text.parse().ok().and_then(Temperature::new);
                Some(value.ok_or(
                    "A temperature is a number from 0 to 2; leave it empty for that of the provider.",
                )?)
            }
        };
        let messages = self.messages.get_value();
        let changed = prompt.iter().zip(messages).enumerate().filter_map(|(place, (message, text))| {
            let text = text.get();
            let is_changed = message.can_change && text != message.text;
            is_changed.then(|| PromptEdit { message: u32::try_from(place).unwrap_or(u32::MAX), text })
        });
        Ok(Variant {
            model: model_of(&self.model.get()),
            tier: Tier::ALL.into_iter().find(|tier| tier.label() == self.tier.get()),
            temperature,
            prompt: changed.collect(),
        })
    }
}

/// The words for a model in the list of them.
const REHEARSAL: &str = "rehearsal";
const CONFIGURED: &str = "configured";
const PROFILE: &str = "profile ";

fn model_of(chosen: &str) -> Option<ModelChoice> {
    match chosen {
        CONFIGURED => Some(ModelChoice::Configured),
        REHEARSAL => Some(ModelChoice::Rehearsal { characters_per_second: None }),
        named => Some(ModelChoice::Profile { name: named.strip_prefix(PROFILE)?.parse().ok()? }),
    }
}

/// The form.
#[component]
pub fn TrialForm(
    asked: StoredValue<Asked>,
    step: TriedStep,
    options: StartOptions,
    started: Callback<()>,
) -> impl IntoView {
    let prompt = StoredValue::new(step.prompt);
    let options = StoredValue::new(options);
    let drafts = RwSignal::new(vec![prompt.with_value(|prompt| Draft::new(0, prompt))]);
    let times = RwSignal::new("1".to_owned());
    let request = Memo::new(move |_| {
        let variants = drafts.get().into_iter();
        let variants = prompt.with_value(|prompt| {
            variants.map(|draft| draft.variant(prompt)).collect::<Result<Vec<_>, _>>()
        })?;
        let times =
            times.get().trim().parse().map_err(|_| "Say how often: a whole number from 1.".to_owned())?;
        let Asked { node, visit, .. } = asked.get_value();
        let request = StartTrials { node, visit, variants, times };
        request.count().map(|_| request)
    });
    let estimate = Action::new(move |request: &StartTrials| {
        let request = request.clone();
        let run = asked.with_value(|asked| asked.run);
        async move {
            let estimate = api::estimate_trials(run, request.clone()).await?;
            Ok::<_, api::ApiError>((request, estimate))
        }
    });
    let start = Action::new(move |request: &StartTrials| {
        let request = request.clone();
        let run = asked.with_value(|asked| asked.run);
        async move {
            let begun = api::start_trials(run, request).await?;
            started.run(());
            Ok::<_, api::ApiError>(begun)
        }
    });
    // What was estimated, as long as nothing was changed since.
    let estimated = Memo::new(move |_| {
        let (of, estimate) = estimate.value().get()?.ok()?;
        (request.get().ok()? == of).then_some(estimate)
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Ok(request) = request.get_untracked() else { return };
        if estimated.get_untracked().is_some() {
            start.dispatch(request);
        } else {
            estimate.dispatch(request);
        }
    };
    let next = StoredValue::new(1_u32);
    let add = move |_| {
        let id = next.get_value();
        next.set_value(id + 1);
        drafts.update(|drafts| prompt.with_value(|prompt| drafts.push(Draft::new(id, prompt))));
    };
    let label =
        move || match (estimated.with(Option::is_some), start.pending().get(), estimate.pending().get()) {
            (_, true, _) => "Starting …",
            (_, _, true) => "Estimating …",
            (true, ..) => "Start the trials",
            (false, ..) => "Estimate the cost",
        };
    let placed = move || drafts.get().into_iter().enumerate().collect::<Vec<_>>();
    let is_full = move || drafts.with(|drafts| drafts.len() >= StartTrials::MOST as usize);
    view! {
        <form class="trial-form" on:submit=submit aria-label="What to try">
            <div class="trial-variants">
                <For each=placed key=|(place, draft)| (*place, draft.id) let:placed>
                    <Fields place=placed.0 draft=placed.1 prompt options drafts />
                </For>
            </div>
            <div class="trial-acts">
                <button type="button" class="button" on:click=add disabled=is_full>
                    "Add a variant"
                </button>
                <label class="field">
                    <span class="field-name">"Tries of each"</span>
                    <input class="input" name="times" type="number" min="1" max=StartTrials::MOST value="1" prop:value=times on:input=move |event| times.set(event_target_value(&event)) />
                </label>
                <button type="submit" class="button primary" disabled=move || request.with(Result::is_err) || start.pending().get() || estimate.pending().get()>
                    {label}
                </button>
            </div>
            <div role="status">
                {move || request.with(|request| request.as_ref().err().cloned()).map(|text| view! { <InlineProblem text /> })}
                {move || estimated.get().map(|estimate| view! { <Estimate estimate /> })}
                {move || start.value().get().and_then(Result::ok).and_then(|begun| begun.refused).map(|text| view! { <InlineProblem text /> })}
            </div>
            <Refusal act=estimate />
            <Refusal act=start />
        </form>
    }
}

#[component]
fn Fields(
    place: usize,
    draft: Draft,
    prompt: StoredValue<Vec<PromptMessage>>,
    options: StoredValue<StartOptions>,
    drafts: RwSignal<Vec<Draft>>,
) -> impl IntoView {
    let models = options.with_value(|options| {
        let mut models = vec![(String::new(), "As it was".to_owned())];
        models.extend(
            options
                .configured_model
                .iter()
                .map(|name| (CONFIGURED.to_owned(), format!("The configured one, {name}"))),
        );
        models.extend(options.profiles.iter().map(|name| (format!("{PROFILE}{name}"), name.to_string())));
        models.push((REHEARSAL.to_owned(), "Rehearsal".to_owned()));
        models
    });
    let models = models.into_iter().map(|(value, words)| view! { <option value=value>{words}</option> });
    let tiers = Tier::ALL.map(|tier| view! { <option value=tier.label()>{tier.label()}</option> });
    let messages = draft.messages.get_value();
    let messages = prompt.get_value().into_iter().zip(messages).filter(|(message, _)| message.can_change);
    let messages = messages.map(|(message, text)| {
        let is_changed = {
            let original = message.text.clone();
            move || text.with(|text| *text != original)
        };
        view! {
            <details class="fold">
                <summary>
                    {format!("The {} message", message.role)}
                    {move || is_changed().then_some(", changed")}
                </summary>
                <textarea class="input mono" rows="10" spellcheck="false" aria-label=format!("What the {} message says", message.role) prop:value=text on:input=move |event| text.set(event_target_value(&event))>
                    {message.text.clone()}
                </textarea>
            </details>
        }
    });
    let remove = move |_| drafts.update(|drafts| drafts.retain(|known| known.id != draft.id));
    view! {
        <fieldset class="card trial-variant">
            <legend>{format!("Variant {}", StartTrials::name(place))}</legend>
            <label class="field">
                <span class="field-name">"Model"</span>
                <select class="input" prop:value=draft.model on:change=move |event| draft.model.set(event_target_value(&event))>{models.collect_view()}</select>
            </label>
            <label class="field">
                <span class="field-name">"Tier"</span>
                <select class="input" prop:value=draft.tier on:change=move |event| draft.tier.set(event_target_value(&event))>
                    <option value="">"As it was"</option>
                    {tiers.into_iter().collect_view()}
                </select>
            </label>
            <label class="field">
                <span class="field-name">"Temperature"</span>
                <input class="input" inputmode="decimal" placeholder="the provider's own" prop:value=draft.temperature on:input=move |event| draft.temperature.set(event_target_value(&event)) />
            </label>
            {messages.collect_view()}
            {move || drafts.with(|drafts| drafts.len() > 1).then(|| view! {
                <button type="button" class="quiet-button" on:click=remove>{format!("Take variant {} away", StartTrials::name(place))}</button>
            })}
        </fieldset>
    }
}

#[component]
fn Estimate(estimate: TrialEstimate) -> impl IntoView {
    let total = match estimate.total {
        Some(total) => format!("about {}", format::dollars(total)),
        None => "unknown".to_owned(),
    };
    let lines = estimate.variants.iter().map(|variant| {
        let cost = match (variant.cost, &variant.unknown) {
            (Some(cost), _) => format!("about {} a try", format::dollars(cost)),
            (None, Some(why)) => format!("cost unknown: {why}"),
            (None, None) => "cost unknown".to_owned(),
        };
        view! { <li>{format!("{}: {}, {cost}", variant.name, variant.models.join(", "))}</li> }
    });
    let trials =
        if estimate.trials == 1 { "1 trial".to_owned() } else { format!("{} trials", estimate.trials) };
    view! {
        <p>
            <strong>{format!("{trials} will cost: {total}.")}</strong>
            <span class="dim">{format!(" By the recorded step: {} calls, {}.", estimate.calls, format::tokens(estimate.usage))}</span>
        </p>
        <ul class="trial-estimate dim">{lines.collect_view()}</ul>
    }
}
