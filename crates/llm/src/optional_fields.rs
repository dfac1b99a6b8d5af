//! Which parts of a request an endpoint does not support, learned from its refusals.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use reqwest::StatusCode;

use crate::{ChatRequest, echo};

/// The optional parts of a request, beside the conversation and the tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionalFields {
    /// The request to report the usage at the end of a stream.
    pub(crate) usage: bool,
    /// The schema of the answer. Where it is left out, instructions ask for it.
    pub(crate) form: bool,
    /// The schema of the answer while tools are offered.
    pub(crate) form_with_tools: bool,
    /// The fields for the most tokens of an answer that were not refused yet; the first one is sent.
    pub(crate) bound: Bound,
    /// Fields of earlier answers that most providers who send them want back.
    pub(crate) echo: bool,
}

impl OptionalFields {
    fn all(bound: Bound) -> Self {
        Self { usage: true, form: true, form_with_tools: true, bound, echo: true }
    }

    /// Whether the schema of this request's answer is sent in its own field.
    pub(crate) fn sends_form(self, request: &ChatRequest) -> bool {
        self.form && (self.form_with_tools || request.tools.is_empty())
    }

    /// The optional fields to send after a refusal that names one of them; `None` if it names none.
    pub(crate) fn after_refusal(self, request: &ChatRequest, status: StatusCode, body: &str) -> Option<Self> {
        // 404 and 500: gateways without a provider that supports the field, and servers that fail over it.
        if !matches!(status.as_u16(), 400 | 404 | 422 | 500 | 501) {
            return None;
        }
        let body = body.to_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| body.contains(word));
        if self.usage && names(&["stream_options", "include_usage"]) {
            return Some(Self { usage: false, ..self });
        }
        if request.schema.is_some() && self.sends_form(request) && names(&FORM) {
            return Some(if !request.tools.is_empty() && names(&TOOLS) {
                Self { form_with_tools: false, ..self }
            } else {
                Self { form: false, ..self }
            });
        }
        if let Some((_, others)) = self.bound.split_first()
            && names(&BOUNDS)
        {
            return Some(Self { bound: others, ..self });
        }
        (self.echo && names(&echo::OF_MESSAGES)).then_some(Self { echo: false, ..self })
    }
}

/// Names of the field for the most tokens of an answer, the likeliest first.
pub(crate) type Bound = &'static [&'static str];

/// `OpenAI` accepts the older name for its older models only.
pub(crate) const OPENAI_BOUND: Bound = &["max_completion_tokens", "max_tokens"];
/// Most others accept the older name, and ignore or refuse the newer one.
pub(crate) const COMPATIBLE_BOUND: Bound = &["max_tokens", "max_completion_tokens"];
/// The genai crate translates it for each provider.
pub(crate) const NATIVE_BOUND: Bound = &["max_tokens"];

/// Words by which refusals name the bound: its field, or a value above the model's limit.
const BOUNDS: [&str; 6] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxoutputtokens",
    "in the completion",
    "max_new_tokens",
];

/// Words by which refusals name the schema of an answer.
const FORM: [&str; 8] = [
    "response_format",
    "response format",
    "json_schema",
    "json mode",
    "response mime type",
    "response_schema",
    "structured output",
    "grammar",
];

/// Words by which refusals name tools.
const TOOLS: [&str; 2] = ["tool", "function call"];

/// What each model at one endpoint supports, for the life of the process.
#[derive(Debug)]
pub(crate) struct KnownSupport {
    /// The optional fields of a model's first request.
    first: OptionalFields,
    known: Mutex<HashMap<String, OptionalFields>>,
}

impl KnownSupport {
    /// Nothing yet.
    pub(crate) fn new(bound: Bound) -> Self {
        Self { first: OptionalFields::all(bound), known: Mutex::default() }
    }

    /// The optional fields to send to a model.
    pub(crate) fn of(&self, model: &str) -> OptionalFields {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(model).copied().unwrap_or(self.first)
    }

    /// Keeps the optional fields of a request that the model's endpoint accepted.
    pub(crate) fn keep(&self, model: &str, fields: OptionalFields) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(model.to_owned(), fields);
    }
}
