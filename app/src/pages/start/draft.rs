//! The form's values while it is filled in.

use leptos::prelude::*;
use protocol::{Approval, FlowId, Limits, ModelChoice, ProfileName, RunRequest, StartRun, WorkflowKind};
use serde_json::Value;

use super::request::{Answers, Faults, Offer, Preset};
use crate::components::{limits::LimitsDraft, schema::Field};

/// The values.
#[derive(Clone, Copy)]
pub struct Draft {
    /// What there is to be started.
    pub offers: StoredValue<Vec<Offer>>,
    /// What is chosen of it.
    pub kind: RwSignal<Option<WorkflowKind>>,
    /// The flow that the run joins.
    pub flow: RwSignal<Option<FlowId>>,
    /// What answers.
    pub model: RwSignal<Answerer>,
    /// How fast the rehearsal writes.
    pub speed: RwSignal<Speed>,
    /// What the run may use.
    pub limits: LimitsDraft,
    /// Before which nodes it pauses.
    pub approval: RwSignal<Approval>,
    /// Whether its agents may ask.
    pub questions: RwSignal<bool>,
    typed: StoredValue<Vec<Typed>>,
    answerers: StoredValue<Vec<Answerer>>,
}

/// What is typed into a field. Fields of several kinds share it where they are the same.
struct Typed {
    field: Field,
    text: RwSignal<String>,
}

/// What answers the run's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// What the settings name for all runs.
    Configured,
    /// One that the settings name.
    Profile(ProfileName),
    /// The stand-in that needs no model.
    Rehearsal,
}

/// How fast the rehearsal writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// To be read along.
    Slow,
    /// As the server has it.
    #[default]
    Normal,
    /// To see the end.
    Fast,
}

impl Speed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Slow, Self::Normal, Self::Fast];

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Slow => "Slow",
            Self::Normal => "Normal",
            Self::Fast => "Fast",
        }
    }

    fn of(characters_per_second: Option<u32>) -> Option<Self> {
        Self::ALL.into_iter().find(|speed| speed.characters_per_second() == characters_per_second)
    }

    fn characters_per_second(self) -> Option<u32> {
        match self {
            Self::Slow => Some(60),
            Self::Normal => None,
            Self::Fast => Some(5_000),
        }
    }
}

impl Draft {
    /// The form as it opens: something that can be started at once. The first of the answerers is chosen.
    pub fn new(offers: Vec<Offer>, answerers: Vec<Answerer>) -> Self {
        let mut typed = Vec::<Typed>::new();
        for field in offers.iter().flat_map(|offer| &offer.fields) {
            if !typed.iter().any(|known| is_same(&known.field, field)) {
                typed.push(Typed { field: field.clone(), text: RwSignal::new(field.initial.clone()) });
            }
        }
        Self {
            kind: RwSignal::new(offers.first().map(|offer| offer.startable.spec.kind.clone())),
            typed: StoredValue::new(typed),
            offers: StoredValue::new(offers),
            flow: RwSignal::new(None),
            model: RwSignal::new(answerers.first().cloned().unwrap_or(Answerer::Rehearsal)),
            answerers: StoredValue::new(answerers),
            speed: RwSignal::new(Speed::default()),
            limits: LimitsDraft::new(&Limits::default()),
            approval: RwSignal::new(Approval::default()),
            questions: RwSignal::new(false),
        }
    }

    /// Takes over what an address asks for; the rest stays.
    pub fn preset(self, preset: Preset) {
        if preset.kind.is_some() {
            self.kind.set(preset.kind);
        }
        self.typed.with_value(|all| {
            for Typed { field, text } in all {
                if let Some(asked) = preset.typed.get(&field.name)
                    && field.read(asked).is_ok()
                {
                    text.set(asked.clone());
                }
            }
        });
        if preset.flow.is_some() {
            self.flow.set(preset.flow);
        }
    }

    /// Takes over what an earlier run of the chosen kind was asked for; the flow stays as it is. What the form does not
    /// offer any more stays, too: the names of that are returned.
    pub fn fill(self, request: &RunRequest) -> Vec<String> {
        let mut left = Vec::new();
        let fields = untrack(|| self.offer(|offer| offer.fields.clone())).unwrap_or_default();
        for field in fields {
            let Some(text) = self.typed(&field) else { continue };
            let value = request.workflow.parameters().get(&field.name).unwrap_or(&Value::Null);
            match field.typed_value(value) {
                Some(typed) => text.set(typed),
                None => left.push(field.title),
            }
        }
        let (answerer, speed) = match &request.model {
            ModelChoice::Configured => (Answerer::Configured, None),
            ModelChoice::Profile { name } => (Answerer::Profile(name.clone()), None),
            ModelChoice::Rehearsal { characters_per_second } => {
                (Answerer::Rehearsal, Speed::of(*characters_per_second))
            }
        };
        if self.answerers.with_value(|answerers| answerers.contains(&answerer)) {
            self.model.set(answerer);
        } else {
            left.push("Model".to_owned());
        }
        if let Some(speed) = speed {
            self.speed.set(speed);
        }
        self.limits.fill(&request.limits);
        self.approval.set(request.approval.clone());
        self.questions.set(request.questions);
        left
    }

    /// What the chosen kind offers.
    pub fn offer<T>(self, read: impl FnOnce(&Offer) -> T) -> Option<T> {
        let kind = self.kind.get()?;
        self.offers
            .with_value(|offers| offers.iter().find(|offer| offer.startable.spec.kind == kind).map(read))
    }

    /// What is typed into a field.
    pub fn typed(self, field: &Field) -> Option<RwSignal<String>> {
        self.typed
            .with_value(|all| all.iter().find(|known| is_same(&known.field, field)).map(|known| known.text))
    }

    /// The names of the texts that a field needs, by what is typed into the others.
    pub fn names(self, field: &Field) -> Vec<String> {
        let fields = self.offer(|offer| offer.fields.clone()).unwrap_or_default();
        field.names(|name| {
            let other = fields.iter().find(|other| other.name == name)?;
            let typed = self.typed(other)?.get();
            other.read(&typed).ok().flatten()
        })
    }

    /// The model that is asked for.
    pub fn model_choice(self) -> ModelChoice {
        match self.model.get() {
            Answerer::Configured => ModelChoice::Configured,
            Answerer::Profile(name) => ModelChoice::Profile { name },
            Answerer::Rehearsal => {
                ModelChoice::Rehearsal { characters_per_second: self.speed.get().characters_per_second() }
            }
        }
    }

    /// The request, or what is wrong with the answers.
    pub fn request(self) -> Result<StartRun, Faults> {
        let request = self.offer(|offer| {
            let typed =
                offer.fields.iter().filter_map(|field| Some((field.name.clone(), self.typed(field)?.get())));
            let answers = Answers {
                typed: typed.collect(),
                flow: self.flow.get(),
                model: self.model_choice(),
                limits: self.limits.limits(),
                approval: self.approval.get(),
                questions: self.questions.get(),
            };
            answers.request(offer)
        });
        request.unwrap_or_else(|| Err(Faults::default()))
    }
}

/// Whether what is typed into one field can stand in the other.
fn is_same(one: &Field, other: &Field) -> bool {
    (&one.name, &one.kind, &one.initial) == (&other.name, &other.kind, &other.initial)
}
