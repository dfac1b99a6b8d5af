//! Real models over the network: attempts, retries and limits, the same for every protocol.

use std::sync::Arc;

use async_trait::async_trait;
use genai::adapter::AdapterKind;
use protocol::{Decimal, Tier, Usage};
use tokio::time::{Instant, sleep};

use crate::{
    ChatAnswer, ChatError, ChatFailure, ChatModel, ChatRequest, EndpointQueues, Piece, PriceTable,
    ProviderConfig, Sink, TimeoutPhase, address,
    attempt::{AttemptRequest, Outcome},
    deadline::Deadline,
    endpoint_queues::Endpoint,
    fair_queue::FairQueue,
    native::Native,
    openai::OpenAi,
    partial_answer::CompleteAnswer,
    retry::Retries,
    route,
    wire::Wire,
};

const OPENAI_URL: &str = "https://api.openai.com/v1";

/// The configured models, asked over the network.
pub struct Provider {
    config: ProviderConfig,
    prices: PriceTable,
    /// The endpoint of `base_url`, or `OpenAI`'s own.
    openai: OpenAi,
    native: Native,
    /// What `openai` asks.
    endpoint: Endpoint,
    queues: EndpointQueues,
}

/// The state that the attempts of one call share.
struct CallState<'a, 'sink> {
    request: &'a ChatRequest,
    sink: Sink<'sink>,
    /// The timeout of the whole call: all attempts and the waits between them.
    total: Deadline<'a>,
    attempts: Vec<protocol::Attempt>,
}

impl Provider {
    /// Prepares the clients, and takes part in the queues of the endpoints; sends nothing yet.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] if a tier has no model, the base URL is not one, or one key is given
    /// for several providers.
    pub fn new(
        config: ProviderConfig,
        prices: PriceTable,
        queues: &EndpointQueues,
    ) -> Result<Self, ChatError> {
        check(&config)?;
        let http = http_client(&config)?;
        let keys = route::native_keys(&config)?;
        let (base_url, key) = match &config.base_url {
            Some(url) => (url.as_str(), config.api_key.clone()),
            None => (OPENAI_URL, keys.get(&AdapterKind::OpenAI).cloned().or_else(route::openai_key)),
        };
        let url = address::of_chats(base_url)?;
        let endpoint = Endpoint::at(&url);
        let openai = OpenAi::new(http.clone(), url, key, config.timeouts, config.max_answer_bytes);
        let native = Native::new(http, keys, config.timeouts)?;
        let provider = Self { config, prices, openai, native, endpoint, queues: queues.clone() };
        // From the beginning, so that no other model is served beyond what this one allows.
        for model in provider.config.models.iter().chain(provider.config.fallbacks.iter().flatten()) {
            provider.queue(model)?;
        }
        Ok(provider)
    }

    /// The queue of the model's endpoint.
    fn queue(&self, model: &str) -> Result<Arc<FairQueue>, ChatError> {
        let endpoint = match route::native_kind(&self.config, model)? {
            None => self.endpoint.clone(),
            Some(AdapterKind::OpenAI) if self.config.base_url.is_none() => self.endpoint.clone(),
            Some(kind) => Endpoint::Native(kind),
        };
        Ok(self.queues.of(endpoint, self.config.requests_at_once))
    }

    /// The protocol for a model.
    fn wire(&self, model: &str) -> Result<&dyn Wire, ChatError> {
        match route::native_kind(&self.config, model)? {
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

    async fn answer(&self, call: &mut CallState<'_, '_>) -> Result<ChatAnswer, ChatError> {
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

    /// Asks one model until it answers, fails for good, or has no retries left.
    async fn persist(&self, model: &str, call: &mut CallState<'_, '_>) -> Result<ChatAnswer, ChatError> {
        let wire = self.wire(model)?;
        let queue = self.queue(model)?;
        let mut retries = Retries::new(&self.config);
        let mut advised: Option<ChatRequest> = None;
        loop {
            let queued = Instant::now();
            let place = queue.place(call.request.run, |before| (call.sink)(Piece::InLine(before))).await;
            let began = Instant::now();
            call.total.extend(began - queued);
            let attempt = AttemptRequest {
                model,
                wire,
                request: advised.as_ref().unwrap_or(call.request),
                timeouts: &self.config.timeouts,
                total: &call.total,
                max_answer_bytes: self.config.max_answer_bytes,
                most_tokens: self.config.answer_tokens.get(call.request.tier).get(),
            };
            let Outcome { result, usage, free } = attempt.run(call.sink).await;
            let cost = if free { Some(Decimal::ZERO) } else { self.prices.cost(model, &usage) };
            let error = match result {
                Ok(CompleteAnswer { text, thoughts, tool_requests, echo }) => {
                    let model = model.to_owned();
                    let attempts = Vec::new();
                    return Ok(ChatAnswer {
                        model,
                        text,
                        thoughts,
                        tool_requests,
                        echo,
                        usage,
                        cost,
                        attempts,
                    });
                }
                Err(error) => error,
            };
            call.attempts.push(protocol::Attempt {
                model: model.to_owned(),
                error: error.to_string(),
                usage,
                cost,
                latency_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
            if error.wants_fewer_at_once() {
                place.reduce_concurrency();
            }
            drop(place);
            let is_new = advised.is_none();
            if let Some(advice) = error.advice() {
                advised.get_or_insert_with(|| call.request.advised(advice));
            }
            // An error that advice can mend is retried once, with the advice.
            if is_new && advised.is_some() && !error.is_transient() {
                tracing::info!(%error, "asking again with advice");
                continue;
            }
            match retries.wait_after(&error, Instant::now()) {
                Some(wait) if wait < call.total.until.saturating_duration_since(Instant::now()) => {
                    tracing::info!(%error, ?wait, "asking again");
                    sleep(wait).await;
                }
                _ => return Err(error),
            }
        }
    }
}

#[async_trait]
impl ChatModel for Provider {
    fn model(&self, tier: Tier) -> String {
        self.config.models.get(tier).clone()
    }

    fn price(&self, tier: Tier, usage: &Usage) -> Option<Decimal> {
        self.prices.cost(self.config.models.get(tier), usage)
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let model = self.config.models.get(request.tier);
        let total = Deadline::new(model, TimeoutPhase::Total, self.config.timeouts.total);
        let mut call = CallState { request, sink, total, attempts: Vec::new() };
        match self.answer(&mut call).await {
            Ok(answer) => Ok(ChatAnswer { attempts: call.attempts, ..answer }),
            Err(error) => Err(ChatFailure { error, attempts: call.attempts }),
        }
    }
}

fn check(config: &ProviderConfig) -> Result<(), ChatError> {
    if config.models.iter().chain(config.fallbacks.iter().flatten()).any(|model| model.trim().is_empty()) {
        return Err(ChatError::Configuration("a tier has no model; name one for each".to_owned()));
    }
    Ok(())
}

fn http_client(config: &ProviderConfig) -> Result<reqwest::Client, ChatError> {
    // Fails if a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(config.timeouts.connect)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
        .map_err(|error| ChatError::Configuration(error.to_string()))
}
