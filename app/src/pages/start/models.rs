//! What answers the run: the models that the settings name, and the rehearsal.

use leptos::prelude::*;
use protocol::{ModelProfile, ModelTest, ProfileName};

use super::draft::{Answerer, Draft, Speed};
use crate::{
    api,
    components::{
        icon::IconName,
        status::{Sign, SignLabel, Tone},
    },
    format,
};

/// One that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    answerer: Answerer,
    label: String,
    detail: String,
    /// What it said when it was asked last.
    test: RwSignal<Option<Result<ModelTest, String>>>,
}

impl Choice {
    fn new(answerer: Answerer, label: String, detail: String) -> Self {
        Self { answerer, label, detail, test: RwSignal::new(None) }
    }

    /// Why it did not answer when it was asked last.
    fn failure(&self) -> Option<String> {
        self.test.with(|test| match test.as_ref()? {
            Ok(test) => test.error.clone(),
            Err(error) => Some(error.clone()),
        })
    }
}

/// All that can be chosen.
#[derive(Clone, Copy)]
pub struct Choices(StoredValue<Vec<Choice>>);

impl Choices {
    /// The configured model, those with a name, and the rehearsal.
    pub fn new(configured: Option<String>, names: Vec<ProfileName>, profiles: &[ModelProfile]) -> Self {
        let detail = |name: Option<&ProfileName>| {
            let profile = profiles.iter().find(|profile| profile.name.as_ref() == name);
            profile.map(about).unwrap_or_default()
        };
        let configured = configured.map(|model| Choice::new(Answerer::Configured, model, detail(None)));
        let named = names.into_iter().map(|name| {
            let (label, detail) = (name.to_string(), detail(Some(&name)));
            Choice::new(Answerer::Profile(name), label, detail)
        });
        let rehearsal = Choice::new(
            Answerer::Rehearsal,
            "Rehearsal".to_owned(),
            "fixed rules over the real figures, without a key and a cost".to_owned(),
        );
        Self(StoredValue::new(configured.into_iter().chain(named).chain([rehearsal]).collect()))
    }

    /// What can be chosen, what is usual first.
    pub fn answerers(self) -> Vec<Answerer> {
        self.0.with_value(|all| all.iter().map(|choice| choice.answerer.clone()).collect())
    }

    fn is_only_rehearsal(self) -> bool {
        self.0.with_value(|all| all.len() == 1)
    }

    /// What is wrong with the one that is chosen, and what can be taken instead.
    pub fn trouble(self, draft: Draft) -> Option<Trouble> {
        let chosen = draft.model.get();
        self.0.with_value(|all| {
            let failed = all.iter().find(|choice| choice.answerer == chosen)?;
            let error = failed.failure()?;
            let other = all.iter().find(|choice| choice.answerer != chosen && choice.failure().is_none())?;
            Some(Trouble {
                words: format!("{} did not answer when it was tested: {error}", failed.label),
                instead: other.answerer.clone(),
                label: other.label.clone(),
            })
        })
    }
}

/// Why nothing can be started with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// A sentence.
    pub words: String,
    /// What to take instead.
    pub instead: Answerer,
    /// Its name.
    pub label: String,
}

/// `gpt-5-mini · api.example.com · price unknown`.
fn about(profile: &ModelProfile) -> String {
    let ModelProfile { models, host, priced, .. } = profile;
    let price = (!priced).then(|| "price unknown".to_owned());
    [Some(models.join(", ")), host.clone(), price].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The models, each with what is known of it and a test.
#[component]
pub fn ModelFields(choices: Choices, draft: Draft) -> impl IntoView {
    let rows = choices.0.with_value(|all| {
        all.iter().map(|choice| view! { <ModelRow choice=choice.clone() draft /> }).collect_view()
    });
    let explanation = choices.is_only_rehearsal().then(|| {
        view! {
            <p class="note">
                "No model is configured. For one, set " <code>"PITWALL_MODEL_BASE_URL"</code> ", "
                <code>"PITWALL_MODEL_KEY"</code> " and " <code>"PITWALL_MODEL"</code> ", and start Pitwall again."
            </p>
        }
    });
    let speeds = Speed::ALL.map(|speed| {
        view! {
            <label>
                <input
                    type="radio"
                    name="speed"
                    checked=draft.speed.with_untracked(|now| *now == speed)
                    prop:checked=move || draft.speed.get() == speed
                    on:change=move |_| draft.speed.set(speed)
                />
                <span>{speed.label()}</span>
            </label>
        }
    });
    view! {
        <fieldset class="field models">
            <legend>"Model"</legend>
            <ul class="model-rows" role="list">{rows}</ul>
            {explanation}
        </fieldset>
        <div class="only" hidden=move || draft.model.with(|model| *model != Answerer::Rehearsal)>
            <fieldset class="segmented">
                <legend>"Speed of the rehearsal"</legend>
                <div class="segments">{speeds.into_iter().collect_view()}</div>
            </fieldset>
        </div>
    }
}

#[component]
fn ModelRow(choice: Choice, draft: Draft) -> impl IntoView {
    let Choice { answerer, label, detail, test, .. } = choice.clone();
    let failure = Memo::new(move |_| choice.failure());
    let name = match &answerer {
        Answerer::Configured => Some(None),
        Answerer::Profile(name) => Some(Some(name.clone())),
        Answerer::Rehearsal => None,
    };
    let of = format!(" the model {label}");
    let button = name.map(|name| {
        let ask = Action::new(move |name: &Option<ProfileName>| {
            let name = name.clone();
            async move {
                let answer = api::test_model(name).await.map_err(|error| error.to_string());
                test.try_set(Some(answer));
            }
        });
        view! {
            <button
                type="button"
                class="quiet-button"
                title="Asks one short question, which the provider charges for"
                disabled=ask.pending()
                on:click=move |_| drop(ask.dispatch(name.clone()))
            >
                {move || if ask.pending().get() { "Asking …" } else { "Test" }}
                <span class="visually-hidden">{of}</span>
            </button>
        }
    });
    let (shown, given) = (answerer.clone(), answerer.clone());
    view! {
        <li class="model-row" class:failed=move || failure.with(Option::is_some)>
            <label>
                <input
                    type="radio"
                    name="model"
                    checked=draft.model.with_untracked(|now| *now == given)
                    prop:checked=move || draft.model.with(|now| *now == shown)
                    on:change=move |_| draft.model.set(answerer.clone())
                />
                <span>{label}</span>
            </label>
            <span class="dim">{detail}</span>
            {button}
            <p class="model-said" aria-live="polite">
                {move || test.get().map(said)}
            </p>
        </li>
    }
}

/// How the test went.
fn said(test: Result<ModelTest, String>) -> AnyView {
    let (icon, tone, words) = match test {
        Ok(ModelTest { error: None, latency_ms, .. }) => {
            (IconName::Check, Tone::Done, format::duration(latency_ms))
        }
        Ok(ModelTest { error: Some(error), .. }) | Err(error) => (IconName::Cross, Tone::Failed, error),
    };
    let word = if tone == Tone::Done { "Answered" } else { "No answer" };
    view! { <SignLabel sign=Sign { icon, word, tone } /> " " <span>{words}</span> }.into_any()
}
