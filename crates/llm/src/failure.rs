//! From what went wrong at a provider to a [`ChatError`].

use std::{error::Error, time::SystemTime};

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use crate::{ChatError, TimeoutPhase, config::Timeouts, retry};

/// The most of a provider's words that is shown.
const MESSAGE_CHARACTERS: usize = 500;

/// What an answer with a status other than success means.
pub(crate) fn of_status(model: &str, status: StatusCode, headers: &HeaderMap, body: &str) -> ChatError {
    let model = model.to_owned();
    let message = message_of(body).unwrap_or_else(|| status.to_string());
    match status.as_u16() {
        // An exhausted budget is not a matter of waiting.
        429 if body.contains("insufficient_quota") => {
            ChatError::Provider { model, status: Some(429), message }
        }
        429 => {
            let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after =
                retry_after.and_then(|value| retry::parse_retry_after(value, SystemTime::now()));
            ChatError::RateLimited { model, message, retry_after }
        }
        400 | 403 if speaks_of_policy(body) => ChatError::Policy { model, message },
        401 | 403 => ChatError::Unauthorised { model, message },
        404 => ChatError::NotFound { model, message },
        status => ChatError::Provider { model, status: Some(status), message },
    }
}

/// What an error that arrives inside of a stream means: `{"error": {"code": 502, "message": "…"}}`.
/// Without a status it is taken as a stream that broke, which is worth another attempt.
pub(crate) fn in_stream(model: &str, error: &Value) -> ChatError {
    let code = error.get("code").or_else(|| error.get("status")).and_then(Value::as_u64);
    let status = code.and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 400);
    let body = error.to_string();
    match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => of_status(model, status, &HeaderMap::new(), &body),
        None => ChatError::BrokenStream {
            model: model.to_owned(),
            reason: message_of(&body).unwrap_or_else(|| "the provider reported an error".to_owned()),
        },
    }
}

/// What an error of the HTTP client means.
pub(crate) fn of_transport(model: &str, error: reqwest::Error, timeouts: &Timeouts) -> ChatError {
    // The address may hold a key.
    let error = error.without_url();
    let reason = root_cause(&error);
    let model = model.to_owned();
    if error.is_builder() {
        ChatError::Configuration(reason)
    } else if error.is_connect() && error.is_timeout() {
        ChatError::Timeout { model, phase: TimeoutPhase::Connect, after: timeouts.connect }
    } else if error.is_body() || error.is_decode() {
        ChatError::BrokenStream { model, reason }
    } else {
        ChatError::Connection { model, reason }
    }
}

/// The innermost cause says what happened; the outer ones only where.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    shorten(&cause.to_string())
}

/// Whether the provider's words name a policy, as in `content_policy_violation` or "data policy".
fn speaks_of_policy(body: &str) -> bool {
    let body = body.to_lowercase();
    ["policy", "content_filter", "guardrail"].iter().any(|word| body.contains(word))
}

/// The message in an error's body, of which every provider has its own form.
fn message_of(body: &str) -> Option<String> {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(json) => ["/error/message", "/message", "/error", "/detail"]
            .into_iter()
            .find_map(|path| json.pointer(path)?.as_str().map(str::to_owned))
            .unwrap_or_else(|| body.to_owned()),
        Err(_) => body.to_owned(),
    };
    let text = text.trim();
    (!text.is_empty()).then(|| shorten(text))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
