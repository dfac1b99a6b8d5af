//! Endpoints that speak the protocol of `OpenAI`'s chat completions, streamed.

mod chunk;
mod request;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use reqwest::{Response, Url};
use serde_json::Value;

pub(crate) use self::request::sendable;
use self::{chunk::Reader, request::body};
use crate::{
    ChatError, ChatRequest, Secret,
    config::Timeouts,
    failure,
    optional_fields::{COMPATIBLE_BOUND, KnownSupport, OPENAI_BOUND},
    sse::{EventError, events},
    wire::{Deltas, Refusal, Wire},
};

/// The most bytes of an error's body that are read.
const ERROR_BYTES: usize = 64 * 1024;

/// The bytes that an event may have beside its part of the answer.
const EVENT_OVERHEAD_BYTES: usize = 64 * 1024;

/// One endpoint.
pub(crate) struct OpenAi {
    http: reqwest::Client,
    url: Url,
    key: Option<Secret>,
    timeouts: Timeouts,
    max_answer_bytes: usize,
    support: KnownSupport,
}

impl OpenAi {
    pub(crate) fn new(
        http: reqwest::Client,
        url: Url,
        key: Option<Secret>,
        timeouts: Timeouts,
        max_answer_bytes: usize,
    ) -> Self {
        let own = url.host_str() == Some("api.openai.com");
        let support = KnownSupport::new(if own { OPENAI_BOUND } else { COMPATIBLE_BOUND });
        Self { http, url, key, timeouts, max_answer_bytes, support }
    }

    /// Whether there is a key to send.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    async fn send(&self, model: &str, body: &Value) -> Result<Response, Refusal> {
        let mut call = self.http.post(self.url.clone()).json(body);
        if let Some(key) = &self.key {
            call = call.bearer_auth(key.reveal());
            // Azure takes keys in a header of its own.
            if self.url.path().contains("/openai/deployments/") {
                call = call.header("api-key", key.reveal());
            }
        }
        call.send().await.map_err(|error| {
            let free = error.is_connect() || error.is_builder();
            Refusal { error: failure::of_transport(model, error, &self.timeouts), free }
        })
    }

    async fn error_body(&self, mut response: Response) -> String {
        let mut bytes = Vec::new();
        // A partial body is enough to report the error.
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ERROR_BYTES {
                bytes.truncate(ERROR_BYTES);
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        self.key.as_ref().map_or_else(|| text.to_string(), |key| key.redact(&text))
    }

    fn deltas(&self, model: &str, response: Response) -> Deltas {
        let mut reader = Reader::new(model, self.key.clone());
        let model = model.to_owned();
        let max_answer_bytes = self.max_answer_bytes;
        // Escapes may double the size of a text in JSON.
        let limit = max_answer_bytes.saturating_mul(2).saturating_add(EVENT_OVERHEAD_BYTES);
        events(response.bytes_stream(), limit)
            .flat_map(move |event| {
                stream::iter(match event {
                    Ok(event) => reader.read(&event),
                    Err(EventError::TooLarge) => {
                        vec![Err(ChatError::Oversize { model: model.clone(), limit: max_answer_bytes })]
                    }
                    Err(EventError::Broken(reason)) => {
                        vec![Err(ChatError::BrokenStream { model: model.clone(), reason })]
                    }
                })
            })
            .boxed()
    }
}

#[async_trait]
impl Wire for OpenAi {
    async fn open(&self, model: &str, request: &ChatRequest, most_tokens: u32) -> Result<Deltas, Refusal> {
        let known = self.support.of(model);
        let mut fields = known;
        loop {
            let response = self.send(model, &body(model, request, most_tokens, fields)).await?;
            let status = response.status();
            if status.is_success() {
                if fields != known {
                    self.support.keep(model, fields);
                }
                return Ok(self.deltas(model, response));
            }
            let headers = response.headers().clone();
            let body = self.error_body(response).await;
            match fields.after_refusal(request, status, &body) {
                Some(fewer) => {
                    tracing::info!(
                        model,
                        "the endpoint does not understand the whole request: asking for less"
                    );
                    fields = fewer;
                }
                None => {
                    let error = failure::of_status(model, status, &headers, &body);
                    return Err(Refusal { error, free: failure::came_before_the_answer(status, &body) });
                }
            }
        }
    }
}
