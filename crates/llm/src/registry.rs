//! The models that a run can be answered by.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use protocol::{ModelProfile, ModelTest, ProfileName, Tier, Usage};

use crate::{ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, Message, Piece, Sink, Tiers};

/// How long a model may take to answer a short question: less than a page waits for any answer.
const PATIENCE: Duration = Duration::from_secs(25);
const QUESTION: &str = "Answer with the one word: ready";

/// A model as it is described, and what asks it.
#[derive(Clone)]
struct Entry {
    profile: ModelProfile,
    model: Arc<dyn ChatModel>,
}

/// Models with names, and the one that is configured for runs that name none.
#[derive(Clone, Default)]
pub struct ModelRegistry {
    named: BTreeMap<ProfileName, Entry>,
    /// What the settings name without a profile.
    unnamed: Option<Entry>,
    configured: Option<Arc<dyn ChatModel>>,
}

impl ModelRegistry {
    /// One that answers all runs, and is not listed.
    pub fn of(configured: Arc<dyn ChatModel>) -> Self {
        Self { configured: Some(configured), ..Self::default() }
    }

    /// One model for all runs, without a name.
    #[must_use]
    pub fn with_unnamed(mut self, profile: ModelProfile, model: Arc<dyn ChatModel>) -> Self {
        self.configured = Some(model.clone());
        self.unnamed = Some(Entry { profile, model });
        self
    }

    /// A further model, by the name in its profile; one without a name is left out.
    #[must_use]
    pub fn with_named(mut self, profile: ModelProfile, model: Arc<dyn ChatModel>) -> Self {
        if let Some(name) = profile.name.clone() {
            self.named.insert(name, Entry { profile, model });
        }
        self
    }

    /// The same, with each tier of the configured model answered by a named one.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] for a name that no model has.
    pub fn with_tiers(mut self, tiers: &Tiers<ProfileName>) -> Result<Self, ChatError> {
        let mut models = Vec::new();
        for tier in [Tier::Quick, Tier::Mid, Tier::Deep] {
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

    /// What answers runs that name no model.
    pub fn configured(&self) -> Option<&Arc<dyn ChatModel>> {
        self.configured.as_ref()
    }

    /// What answers runs that name this one.
    pub fn named(&self, name: &ProfileName) -> Option<&Arc<dyn ChatModel>> {
        self.named.get(name).map(|entry| &entry.model)
    }

    /// All of them, the one without a name first.
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
            messages: vec![Message::User(QUESTION.to_owned())],
            tools: Vec::new(),
            schema: None,
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

/// Each tier is answered by a model of its own.
struct Tiered(Tiers<Arc<dyn ChatModel>>);

#[async_trait]
impl ChatModel for Tiered {
    fn model(&self, tier: Tier) -> String {
        self.0.get(tier).model(tier)
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        self.0.get(request.tier).chat(request, sink).await
    }
}

/// Stands in for a model that the settings no longer name: a run that goes on with it is told so.
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
