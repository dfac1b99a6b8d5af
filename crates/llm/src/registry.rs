//! The models that can answer runs.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use protocol::{Decimal, ModelProfile, ModelTest, ProfileName, Tier, Usage};

use crate::{ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, Message, Piece, Sink, Tiers};

/// The timeout of a model's test: less than a page waits for an answer.
const PATIENCE: Duration = Duration::from_secs(25);
const QUESTION: &str = "Answer with the one word: ready";

/// A model's description, and the model.
#[derive(Clone)]
struct Entry {
    profile: ModelProfile,
    model: Arc<dyn ChatModel>,
}

/// The named models, and the one for runs that name none.
#[derive(Clone, Default)]
pub struct ModelRegistry {
    named: BTreeMap<ProfileName, Entry>,
    /// The model that is configured without a name.
    unnamed: Option<Entry>,
    configured: Option<Arc<dyn ChatModel>>,
}

impl ModelRegistry {
    /// A single model that answers all runs and is not listed.
    pub fn of(configured: Arc<dyn ChatModel>) -> Self {
        Self { configured: Some(configured), ..Self::default() }
    }

    /// Sets the model without a name, which answers runs that name none.
    #[must_use]
    pub fn with_unnamed(mut self, profile: ModelProfile, model: Arc<dyn ChatModel>) -> Self {
        self.configured = Some(model.clone());
        self.unnamed = Some(Entry { profile, model });
        self
    }

    /// Adds a named model; one without a name in its profile is ignored.
    #[must_use]
    pub fn with_named(mut self, profile: ModelProfile, model: Arc<dyn ChatModel>) -> Self {
        if let Some(name) = profile.name.clone() {
            self.named.insert(name, Entry { profile, model });
        }
        self
    }

    /// Lets named models answer the tiers of runs that name none.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] for a name that no model has.
    pub fn with_tiers(mut self, tiers: &Tiers<ProfileName>) -> Result<Self, ChatError> {
        let mut models = Vec::new();
        for tier in Tier::ALL {
            let name = tiers.get(tier);
            let entry = self.named.get_mut(name).ok_or_else(|| {
                ChatError::Configuration(format!(
                    "the {} tier names the model {name}, and there is none",
                    tier.label()
                ))
            })?;
            entry.profile.tiers.push(tier);
            models.push(entry.model.clone());
        }
        if let Ok([quick, mid, deep]) = <[_; 3]>::try_from(models) {
            self.configured = Some(Arc::new(Tiered(Tiers { quick, mid, deep })));
        }
        Ok(self)
    }

    /// The model for runs that name none.
    pub fn configured(&self) -> Option<&Arc<dyn ChatModel>> {
        self.configured.as_ref()
    }

    /// The model with this name.
    pub fn named(&self, name: &ProfileName) -> Option<&Arc<dyn ChatModel>> {
        self.named.get(name).map(|entry| &entry.model)
    }

    /// A model that passes on what names one of these to that one, and everything else to `usual`.
    #[must_use]
    pub fn with_usual(&self, usual: Arc<dyn ChatModel>) -> Arc<dyn ChatModel> {
        Arc::new(ByName { named: self.named.clone(), usual })
    }

    /// All profiles, the one without a name first.
    pub fn profiles(&self) -> impl Iterator<Item = &ModelProfile> {
        self.unnamed.iter().chain(self.named.values()).map(|entry| &entry.profile)
    }

    /// Asks a model a short question, to see whether it answers; `None` if there is no such model.
    pub async fn test(&self, name: Option<&ProfileName>) -> Option<ModelTest> {
        let entry = match name {
            Some(name) => self.named.get(name),
            None => self.unnamed.as_ref(),
        }?;
        let request = ChatRequest {
            agent: "model_test".to_owned(),
            run: None,
            tier: Tier::Quick,
            profile: None,
            messages: vec![Message::User(QUESTION.to_owned())],
            tools: Vec::new(),
            schema: None,
            temperature: None,
        };
        let begun = Instant::now();
        let mut unheard = |_: Piece<'_>| {};
        let answered = tokio::time::timeout(PATIENCE, entry.model.chat(&request, &mut unheard)).await;
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let failed =
            |error: String| ModelTest { latency_ms, usage: Usage::default(), cost: None, error: Some(error) };
        Some(match answered {
            Ok(Ok(answer)) => ModelTest { latency_ms, usage: answer.usage, cost: answer.cost, error: None },
            Ok(Err(failure)) => failed(failure.error.to_string()),
            Err(_) => failed(format!("It did not answer within {} seconds.", PATIENCE.as_secs())),
        })
    }
}

/// A model that passes each tier on to a model of its own.
struct Tiered(Tiers<Arc<dyn ChatModel>>);

#[async_trait]
impl ChatModel for Tiered {
    fn model(&self, tier: Tier) -> String {
        self.0.get(tier).model(tier)
    }

    fn price(&self, tier: Tier, usage: &Usage) -> Option<Decimal> {
        self.0.get(tier).price(tier, usage)
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        self.0.get(request.tier).chat(request, sink).await
    }
}

/// Passes each request on to the model that it names.
struct ByName {
    named: BTreeMap<ProfileName, Entry>,
    usual: Arc<dyn ChatModel>,
}

#[async_trait]
impl ChatModel for ByName {
    fn model(&self, tier: Tier) -> String {
        self.usual.model(tier)
    }

    fn model_of(&self, request: &ChatRequest) -> String {
        match &request.profile {
            Some(name) => match self.named.get(name) {
                Some(entry) => entry.model.model(request.tier),
                None => name.to_string(),
            },
            None => self.usual.model(request.tier),
        }
    }

    fn price(&self, tier: Tier, usage: &Usage) -> Option<Decimal> {
        self.usual.price(tier, usage)
    }

    fn price_of(&self, request: &ChatRequest, usage: &Usage) -> Option<Decimal> {
        match &request.profile {
            Some(name) => self.named.get(name)?.model.price(request.tier, usage),
            None => self.usual.price(request.tier, usage),
        }
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        match &request.profile {
            Some(name) => match self.named.get(name) {
                Some(entry) => entry.model.chat(request, sink).await,
                None => Missing(name.clone()).chat(request, sink).await,
            },
            None => self.usual.chat(request, sink).await,
        }
    }
}

/// Stands for a model that the settings no longer name; its calls fail and say so.
pub struct Missing(pub ProfileName);

#[async_trait]
impl ChatModel for Missing {
    fn model(&self, _: Tier) -> String {
        self.0.to_string()
    }

    async fn chat(&self, _: &ChatRequest, _: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let why = format!("the settings name no model {}; continue the run with another one", self.0);
        Err(ChatFailure { error: ChatError::Configuration(why), attempts: Vec::new() })
    }
}
