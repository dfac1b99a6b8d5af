//! Asks real models: attempts, waits and limits, the same for every protocol.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt;
use genai::adapter::AdapterKind;
use protocol::{Attempt, Tier, Usage};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, Piece, PriceTable, ProviderConfig, Secret,
    Sink, TimeoutPhase,
    draft::{Delta, Draft, Written},
    native::Native,
    openai::OpenAi,
    wire::Wire,
};

const OPENAI_URL: &str = "https://api.openai.com/v1";

/// Longer waits than this are as good as none, and do not overflow the clock.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The configured models, asked over the network.
pub struct Provider {
    config: ProviderConfig,
    prices: PriceTable,
    /// The endpoint of `base_url`, or `OpenAI`'s own.
    openai: OpenAi,
    native: Native,
}

/// What stays the same over the attempts of one call.
struct Call<'a, 'sink> {
    request: &'a ChatRequest,
    sink: Sink<'sink>,
    deadline: Instant,
    attempts: Vec<Attempt>,
}

impl Provider {
    /// Prepares the connections; asks nobody yet.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] if a tier has no model, the base URL is not one, or one key is given
    /// for several providers.
    pub fn new(config: ProviderConfig, prices: PriceTable) -> Result<Self, ChatError> {
        check(&config)?;
        let http = http_client(&config)?;
        let keys = native_keys(&config)?;
        let (base_url, key) = match &config.base_url {
            Some(url) => (url.as_str(), config.api_key.clone()),
            None => (OPENAI_URL, keys.get(&AdapterKind::OpenAI).cloned().or_else(openai_key)),
        };
        let openai = OpenAi::new(http.clone(), base_url, key, config.timeouts, config.max_answer_bytes);
        let native = Native::new(http, keys, config.timeouts)?;
        Ok(Self { config, prices, openai, native })
    }

    /// The protocol for a model.
    fn wire(&self, model: &str) -> Result<&dyn Wire, ChatError> {
        match native_kind(&self.config, model)? {
            None => Ok(&self.openai),
            Some(AdapterKind::OpenAI) if self.config.base_url.is_none() && !model.contains("::") => {
                if self.openai.has_key() {
                    Ok(&self.openai)
                } else {
                    Err(ChatError::no_key(model, AdapterKind::OpenAI.default_key_env_name()))
                }
            }
            Some(_) => Ok(&self.native),
        }
    }

    async fn answer(&self, call: &mut Call<'_, '_>) -> Result<ChatAnswer, ChatError> {
        let tier = call.request.tier;
        let result = self.persist(self.config.models.get(tier), call).await;
        match (result, self.config.fallbacks.get(tier)) {
            (Err(error), Some(fallback)) if error.calls_for_fallback() => {
                tracing::warn!(%error, fallback, "asking the fallback model");
                self.persist(fallback, call).await
            }
            (result, _) => result,
        }
    }

    /// Asks one model until it answers, fails for good, or has failed too often.
    async fn persist(&self, model: &str, call: &mut Call<'_, '_>) -> Result<ChatAnswer, ChatError> {
        let mut retries = 0;
        loop {
            let began = Instant::now();
            let error = match self.attempt(model, call).await {
                Ok(written) => return Ok(self.priced(model, written)),
                Err(error) => error,
            };
            call.attempts.push(Attempt {
                model: model.to_owned(),
                error: error.to_string(),
                usage: Usage::default(),
                cost: None,
                latency_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
            if !error.is_transient() || retries == self.config.max_retries {
                return Err(error);
            }
            retries += 1;
            let wait = self.config.backoff.wait(retries, error.retry_after());
            if wait >= call.deadline.saturating_duration_since(Instant::now()) {
                return Err(error);
            }
            tracing::info!(%error, ?wait, "asking again");
            sleep(wait).await;
        }
    }

    async fn attempt(&self, model: &str, call: &mut Call<'_, '_>) -> Result<Written, ChatError> {
        (call.sink)(Piece::Begin);
        let timeouts = &self.config.timeouts;
        let mut patience = Patience::new(model, TimeoutPhase::FirstToken, timeouts.first_token);
        let wire = self.wire(model)?;
        let mut deltas = patience.wait_for(wire.open(model, call.request)).await??;
        let mut draft = Draft::new(model, self.config.max_answer_bytes);
        while !draft.is_done() {
            let delta = match patience.wait_for(deltas.next()).await {
                Ok(Some(Ok(delta))) => delta,
                Ok(None) => break,
                // The answer is whole: only the usage or the farewell is missing.
                Err(_) | Ok(Some(Err(_))) if draft.is_finished() => break,
                Ok(Some(Err(error))) | Err(error) => return Err(error),
            };
            if delta.is_progress() {
                patience = Patience::new(model, TimeoutPhase::Idle, timeouts.idle);
            }
            if let Delta::Text(text) = &delta {
                (call.sink)(Piece::Text(text));
            }
            draft.add(delta)?;
        }
        draft.complete()
    }

    fn priced(&self, model: &str, written: Written) -> ChatAnswer {
        let Written { text, tool_requests, usage } = written;
        let cost = self.prices.cost(model, &usage);
        ChatAnswer {
            model: model.to_owned(),
            text,
            thoughts: String::new(),
            tool_requests,
            echo: None,
            usage,
            cost,
            attempts: Vec::new(),
        }
    }
}

#[async_trait]
impl ChatModel for Provider {
    fn model(&self, tier: Tier) -> String {
        self.config.models.get(tier).clone()
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let patience = Patience::new(
            self.config.models.get(request.tier),
            TimeoutPhase::Total,
            self.config.timeouts.total,
        );
        let mut call = Call { request, sink, deadline: patience.until, attempts: Vec::new() };
        let answered = patience.wait_for(Box::pin(self.answer(&mut call))).await;
        let attempts = call.attempts;
        match answered.flatten() {
            Ok(answer) => Ok(ChatAnswer { attempts, ..answer }),
            Err(error) => Err(ChatFailure { error, attempts }),
        }
    }
}

/// A wait with an end.
struct Patience<'a> {
    model: &'a str,
    phase: TimeoutPhase,
    after: Duration,
    until: Instant,
}

impl<'a> Patience<'a> {
    fn new(model: &'a str, phase: TimeoutPhase, after: Duration) -> Self {
        let after = after.min(LONGEST_WAIT);
        Self { model, phase, after, until: Instant::now() + after }
    }

    async fn wait_for<T>(&self, work: impl Future<Output = T>) -> Result<T, ChatError> {
        let late =
            || ChatError::Timeout { model: self.model.to_owned(), phase: self.phase, after: self.after };
        // Work that is always ready would never be timed out.
        if Instant::now() >= self.until {
            return Err(late());
        }
        timeout_at(self.until, work).await.map_err(|_| late())
    }
}

fn check(config: &ProviderConfig) -> Result<(), ChatError> {
    if config.models.iter().chain(config.fallbacks.iter().flatten()).any(|model| model.trim().is_empty()) {
        return Err(ChatError::Configuration("a tier has no model; name one for each".to_owned()));
    }
    let Some(url) = &config.base_url else { return Ok(()) };
    match reqwest::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        _ => Err(ChatError::Configuration(
            "the base URL must look like https://host/v1 or http://localhost:11434/v1".to_owned(),
        )),
    }
}

fn http_client(config: &ProviderConfig) -> Result<reqwest::Client, ChatError> {
    // Fails if it has been installed before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(config.timeouts.connect)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
        .map_err(|error| ChatError::Configuration(error.to_string()))
}

/// The provider that a model is asked at directly; `None` if that is the endpoint of `base_url`.
fn native_kind(config: &ProviderConfig, model: &str) -> Result<Option<AdapterKind>, ChatError> {
    let known = |model: &str| {
        AdapterKind::from_model(model).map_err(|error| ChatError::Configuration(error.to_string()))
    };
    if config.base_url.is_none() {
        return known(model).map(Some);
    }
    match model.split_once("::") {
        // A namespace that genai does not know is part of the endpoint's own name for the model.
        Some((namespace, _)) if AdapterKind::from_lower_str(namespace).is_some() => known(model).map(Some),
        _ => Ok(None),
    }
}

/// The configured key, if it is for a provider known by name: it must not reach a second one.
fn native_keys(config: &ProviderConfig) -> Result<HashMap<AdapterKind, Secret>, ChatError> {
    let (None, Some(key)) = (&config.base_url, &config.api_key) else { return Ok(HashMap::new()) };
    let models = config.models.iter().chain(config.fallbacks.iter().flatten());
    let kinds = models.map(|model| native_kind(config, model)).collect::<Result<Vec<_>, _>>()?;
    // One provider may have several protocols, but it has one variable; local ones need no key.
    let keyed = kinds.into_iter().flatten().filter_map(|kind| Some((kind, kind.default_key_env_name()?)));
    let (kinds, variables): (Vec<_>, BTreeSet<_>) = keyed.unzip();
    if variables.len() > 1 {
        return Err(ChatError::Configuration(
            "the models belong to several providers, so that it is not clear whose the one key is; \
             set each provider's own variable instead, such as OPENAI_API_KEY and ANTHROPIC_API_KEY"
                .to_owned(),
        ));
    }
    Ok(kinds.into_iter().map(|kind| (kind, key.clone())).collect())
}

fn openai_key() -> Option<Secret> {
    let variable = AdapterKind::OpenAI.default_key_env_name()?;
    std::env::var(variable).ok().map(Secret::from).filter(|key| !key.is_empty())
}
