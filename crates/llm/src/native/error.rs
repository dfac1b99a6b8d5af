//! genai's errors, in this crate's words.

use genai::{adapter::AdapterKind, webc};
use reqwest::StatusCode;

use crate::{ChatError, Secret, config::Timeouts, failure, json as lenient};

/// Status and message of a refusal.
pub(super) fn refusal(error: &genai::Error) -> Option<(StatusCode, &str)> {
    match error {
        genai::Error::HttpError { status, body, .. } => Some((*status, body)),
        genai::Error::WebModelCall {
            webc_error: webc::Error::ResponseFailedStatus { status, body, .. },
            ..
        } => Some((*status, body)),
        genai::Error::WebStream { error, .. } => refusal(error.downcast_ref::<genai::Error>()?),
        _ => None,
    }
}

/// Whether the request certainly did not reach the provider.
pub(super) fn never_sent(error: &genai::Error) -> bool {
    match error {
        genai::Error::WebStream { error, .. } => {
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                return error.is_connect() || error.is_builder();
            }
            error.downcast_ref::<genai::Error>().is_some_and(never_sent)
        }
        genai::Error::WebModelCall { webc_error: webc::Error::Reqwest(error), .. } => error.is_connect(),
        genai::Error::RequiresApiKey { .. }
        | genai::Error::NoAuthResolver { .. }
        | genai::Error::NoAuthData { .. }
        | genai::Error::Resolver { .. } => true,
        _ => false,
    }
}

pub(super) fn of_genai(
    model: &str,
    error: genai::Error,
    key: Option<&Secret>,
    timeouts: &Timeouts,
) -> ChatError {
    let redacted = |text: &str| key.map_or_else(|| text.to_owned(), |key| key.redact(text));
    let broken = |reason: String| ChatError::BrokenStream { model: model.to_owned(), reason };
    if let (Some(status), Some(headers)) = (error.status(), error.headers())
        && let Some((_, body)) = refusal(&error)
    {
        return failure::of_status(model, status, headers, &redacted(body));
    }
    match error {
        genai::Error::WebStream { error, .. } => match error.downcast::<genai::Error>() {
            Ok(inner) => of_genai(model, *inner, key, timeouts),
            Err(error) => match error.downcast::<reqwest::Error>() {
                Ok(error) => failure::of_transport(model, *error, timeouts),
                Err(error) => broken(failure::root_cause(&*error)),
            },
        },
        genai::Error::WebModelCall { webc_error: webc::Error::Reqwest(error), .. } => {
            failure::of_transport(model, error, timeouts)
        }
        genai::Error::JsonValueExt(_)
        | genai::Error::SerdeJson(_)
        | genai::Error::InvalidJsonResponseElement { .. }
        | genai::Error::NoChatResponse { .. } => broken(format!("a piece of it is malformed ({error})")),
        genai::Error::StreamParse { serde_error, .. } => {
            broken(format!("a piece of it is malformed ({serde_error})"))
        }
        genai::Error::ChatResponse { body, .. } => {
            let body = lenient::read(&redacted(&body.to_string())).unwrap_or(body);
            failure::in_answer(model, &body, false)
        }
        genai::Error::RequiresApiKey { .. }
        | genai::Error::NoAuthResolver { .. }
        | genai::Error::NoAuthData { .. }
        | genai::Error::Resolver { .. } => {
            let variable = AdapterKind::from_model(model).ok().and_then(|kind| kind.default_key_env_name());
            ChatError::no_key(model, variable)
        }
        other => ChatError::Provider {
            model: model.to_owned(),
            status: other.status().map(|status| status.as_u16()),
            message: redacted(&failure::root_cause(&other)),
            retry_after: None,
        },
    }
}
