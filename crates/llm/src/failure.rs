//! Maps a provider's failure to a [`ChatError`].

use std::{error::Error, time::SystemTime};

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};
use serde_json::Value;

use crate::{ChatError, TimeoutPhase, config::Timeouts, hint, json};

/// The most characters of a provider's message that are shown.
const MESSAGE_CHARACTERS: usize = 500;

/// The field with the model's output that the server could not use.
const FAILED_GENERATION: &str = "failed_generation";

/// Fields with the error's message, the most specific first.
const WORDS: [&str; 7] = ["message", "msg", "detail", "details", "error_description", "error", "reason"];

/// Fields with the error's name or code.
const NAMES: [&str; 5] = ["code", "type", "status", "reason", "error_type"];

/// Parts of such names, compared without case and punctuation, and the HTTP status that they mean.
const STATUS_OF_NAMES: [(&[&str], u16); 8] = [
    (&["insufficientquota", "billing", "insufficientbalance", "creditbalance", "paymentrequired"], 402),
    (&["ratelimit", "toomanyrequests", "resourceexhausted", "throttl"], 429),
    (&["overloaded", "unavailable"], 503),
    (&["servererror", "internal", "apierror", "timeout", "deadlineexceeded", "badgateway"], 500),
    (&["authentication", "unauthenticated", "unauthorized", "invalidapikey"], 401),
    (&["permission", "forbidden"], 403),
    (&["notfound"], 404),
    (&["invalidrequest", "badrequest", "invalidargument", "validation", "unprocessable"], 400),
];

/// Messages of requests that exceed the model's context.
const TOO_LONG: [&str; 8] = [
    "context length",
    "context_length",
    "context window",
    "context size",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "input token count",
];

/// Messages of a single request that exceeds the rate limit.
const BEYOND_THE_RATE: [&str; 2] = ["request too large", "request is too large"];

/// Words that name a policy, as in `content_policy_violation` or "data policy".
const POLICY: [&str; 10] = [
    "policy",
    "policies",
    "content_filter",
    "content filter",
    "guardrail",
    "data_inspection",
    "requires moderation",
    "was flagged",
    "safety filter",
    "safety system",
];

/// Messages of failures that may pass.
const PASSING: [&str; 11] = [
    "overloaded",
    "busy",
    "loading",
    "again",
    "temporar",
    "timeout",
    "timed out",
    "rate limit",
    "too many requests",
    "unavailable",
    "capacity",
];

/// Messages of an address that does not exist.
const NO_SUCH_ADDRESS: [&str; 8] = [
    "endpoint",
    "not found",
    "cannot post",
    "no route",
    "unknown url",
    "invalid url",
    "unknown path",
    "method not allowed",
];

/// The error for a response with an unsuccessful status.
pub(crate) fn of_status(model: &str, status: StatusCode, headers: &HeaderMap, body: &str) -> ChatError {
    if let Some(address) = headers.get(LOCATION).filter(|_| status.is_redirection()) {
        let address = String::from_utf8_lossy(address.as_bytes());
        let message = format!("what is asked for moved to {}", shorten(&address));
        return ChatError::NotFound { model: model.to_owned(), message };
    }
    let value = json::read(body).unwrap_or_else(|_| Value::String(words_of_page(body)));
    let mut reported = ErrorBody::of(&value);
    if body.contains(FAILED_GENERATION) {
        let reason = reported.words.unwrap_or_else(|| status.to_string());
        return ChatError::BrokenStream { model: model.to_owned(), reason };
    }
    reported.wait = hint::in_headers(headers, status == StatusCode::TOO_MANY_REQUESTS, SystemTime::now())
        .or(reported.wait);
    reported.words.get_or_insert_with(|| status.to_string());
    reported.into_error(model, status.as_u16())
}

/// Whether the response was made before a model began to generate.
pub(crate) fn came_before_the_answer(status: StatusCode, body: &str) -> bool {
    // A gateway that timed out does not know what happens behind it.
    !matches!(status.as_u16(), 408 | 504 | 524) && !body.contains(FAILED_GENERATION)
}

/// Whether a value that stands where a piece of an answer should is an error instead.
pub(crate) fn is_error(value: &Value) -> bool {
    let Value::Object(fields) = first(value) else { return false };
    // Some servers send the field empty.
    let says = |name: &str| {
        fields.get(name).is_some_and(|value| !json::is_empty_value(value) && *value != Value::Bool(false))
    };
    let named = ["object", "type"].iter().any(|name| fields.get(*name).is_some_and(|value| value == "error"));
    let answers = fields.contains_key("choices") || fields.contains_key("usage");
    says("error") || says("errors") || named || (!answers && words(value).is_some())
}

/// The error that stands in place of an answer or a piece of it. `alone`: it is the whole response, so the
/// server did not try to answer.
pub(crate) fn in_answer(model: &str, error: &Value, alone: bool) -> ChatError {
    let reported = ErrorBody::of(error);
    if let Some(status) = reported.status {
        return reported.into_error(model, status);
    }
    let model = model.to_owned();
    let (too_long, by_policy) = (reported.mentions(&TOO_LONG), reported.mentions(&POLICY));
    let (passes, no_address) = (reported.mentions(&PASSING), reported.mentions(&NO_SUCH_ADDRESS));
    let by_rate = reported.mentions(&["rate limit", "too many requests"]);
    let retry_after = reported.wait;
    let message = reported.into_words();
    if too_long {
        ChatError::TooLong { model, message }
    } else if by_policy {
        ChatError::Policy { model, message }
    } else if by_rate {
        ChatError::RateLimited { model, message, retry_after }
    } else if passes {
        ChatError::BrokenStream { model, reason: message }
    } else if alone && no_address {
        ChatError::NotFound { model, message }
    } else if alone {
        ChatError::Provider { model, status: None, message, retry_after: None }
    } else {
        ChatError::BrokenStream { model, reason: message }
    }
}

/// The error for a response that is neither an answer nor an error: a web page, or text.
pub(crate) fn of_stray(model: &str, text: &str) -> ChatError {
    let words = words_of_page(text);
    if text.trim_start().starts_with('<') {
        let message = format!("a web page instead of an answer: {words}");
        return ChatError::NotFound { model: model.to_owned(), message };
    }
    let reported = Value::String(words);
    let no_address = ErrorBody::of(&reported).mentions(&NO_SUCH_ADDRESS);
    in_answer(model, &reported, no_address)
}

/// The content of a provider's error.
#[derive(Debug, Default)]
struct ErrorBody {
    /// The HTTP status, as a number or by its name.
    status: Option<u16>,
    /// Names and codes of the error, in lower case.
    names: String,
    words: Option<String>,
    wait: Option<std::time::Duration>,
}

impl ErrorBody {
    fn of(value: &Value) -> Self {
        let outer = first(value);
        let inner = match (outer.get("error"), outer.get("errors").map(first)) {
            (Some(error @ (Value::Object(_) | Value::Array(_))), _) | (None, Some(error)) => first(error),
            _ => outer,
        };
        let places = [inner, outer];
        let named = places.iter().flat_map(|place| NAMES.iter().filter_map(|name| place.get(*name)));
        let named: Vec<&Value> = named.collect();
        let number = |value: &&Value| match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let by_number =
            named.iter().filter_map(number).find_map(|code| u16::try_from(code).ok().filter(is_failure));
        let status_code = places.iter().filter_map(|place| place.get("status_code")?.as_u64());
        let by_number =
            by_number.or_else(|| status_code.filter_map(|code| u16::try_from(code).ok()).find(is_failure));
        let names: Vec<String> =
            named.iter().filter_map(|value| value.as_str()).map(str::to_lowercase).collect();
        let by_name = names.iter().find_map(|name| status_of_name(name));
        Self {
            status: by_number.or(by_name),
            names: names.join(" "),
            words: places.iter().find_map(|place| words(place)).map(|words| shorten(&words)),
            wait: hint::in_body(value),
        }
    }

    /// The error, for the response's status or the one that it names itself.
    fn into_error(self, model: &str, status: u16) -> ChatError {
        let model = model.to_owned();
        let (too_long, by_policy) = (self.mentions(&TOO_LONG), self.mentions(&POLICY));
        // An exhausted budget does not pass, and neither does a request that no rate window has room for.
        let hopeless = self.mentions(&BEYOND_THE_RATE)
            || (self.wait.is_none() && status_of_name(&self.names) == Some(402));
        let retry_after = self.wait;
        let message = self.into_words();
        match status {
            _ if too_long => ChatError::TooLong { model, message },
            429 if hopeless => ChatError::Provider { model, status: Some(429), message, retry_after: None },
            429 => ChatError::RateLimited { model, message, retry_after },
            400 | 403 if by_policy => ChatError::Policy { model, message },
            401 | 403 => ChatError::Unauthorised { model, message },
            404 | 405 => ChatError::NotFound { model, message },
            status => ChatError::Provider { model, status: Some(status), message, retry_after },
        }
    }

    /// Whether its message or names contain one of these.
    fn mentions(&self, parts: &[&str]) -> bool {
        let words = self.words.as_deref().unwrap_or_default().to_lowercase();
        parts.iter().any(|part| words.contains(part) || self.names.contains(part))
    }

    fn into_words(self) -> String {
        self.words.unwrap_or_else(|| "the provider reported an error".to_owned())
    }
}

/// The first of several, where a provider sends a list.
fn first(value: &Value) -> &Value {
    value.as_array().and_then(|values| values.first()).unwrap_or(value)
}

fn is_failure(status: &u16) -> bool {
    (400..600).contains(status)
}

fn status_of_name(name: &str) -> Option<u16> {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let named = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    STATUS_OF_NAMES.iter().find(|(parts, _)| named(parts)).map(|(_, status)| *status)
}

/// The message of an error, which has another form at every provider.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().filter_map(words).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(fields) => {
            let text = WORDS.iter().find_map(|name| words(fields.get(*name)?))?;
            // A gateway's own message says little; that of the provider behind it stands beside.
            match fields.get("metadata").and_then(|metadata| metadata.get("raw")).and_then(Value::as_str) {
                Some(raw) => {
                    let inner = json::read(raw).ok().and_then(|raw| words(&raw));
                    Some(format!("{text}: {}", inner.unwrap_or_else(|| raw.to_owned())))
                }
                None => Some(text),
            }
        }
        _ => None,
    }
}

/// The title of a web page, or else its text; other text unchanged.
fn words_of_page(text: &str) -> String {
    let text = text.trim();
    if !text.starts_with('<') {
        return shorten(text);
    }
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let shown = match title {
        Some((title, _)) if !title.trim().is_empty() => title.to_owned(),
        _ => {
            let parts = text.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text));
            parts.collect::<Vec<_>>().join(" ")
        }
    };
    shorten(&shown.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The error for a failure of the HTTP client.
pub(crate) fn of_transport(model: &str, error: reqwest::Error, timeouts: &Timeouts) -> ChatError {
    // The URL may contain a key.
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

/// The innermost cause, which says what happened; the outer ones only say where.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    shorten(&cause.to_string())
}

/// Cuts a provider's message to the length that is shown.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
