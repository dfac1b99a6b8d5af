//! What endpoints do not understand of a request, learned from their refusals.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use reqwest::StatusCode;

use crate::{ChatRequest, echo};

/// What a request may hold besides the conversation and the tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extras {
    /// That the usage is reported at the end of a stream.
    pub(crate) usage: bool,
    /// The form of the answer. Where it is left out, it is asked for in words.
    pub(crate) form: bool,
    /// The form of the answer while tools are offered.
    pub(crate) form_with_tools: bool,
    /// The fields for the most tokens of an answer that are still worth a try; the first one is sent.
    pub(crate) bound: Bound,
    /// Fields that came with earlier answers and that most providers who send them demand back.
    pub(crate) echo: bool,
}

impl Extras {
    fn all(bound: Bound) -> Self {
        Self { usage: true, form: true, form_with_tools: true, bound, echo: true }
    }

    /// Whether the form of this request's answer is sent in its own field.
    pub(crate) fn sends_form(self, request: &ChatRequest) -> bool {
        self.form && (self.form_with_tools || request.tools.is_empty())
    }

    /// What to send instead after a refusal that names one of the extras.
    pub(crate) fn after_refusal(self, request: &ChatRequest, status: StatusCode, body: &str) -> Option<Self> {
        // 404 and 500: mediators that find nobody who takes the field, and servers that fail over it.
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

/// `OpenAI` itself knows the older name for its older models only.
pub(crate) const OPENAI_BOUND: Bound = &["max_completion_tokens", "max_tokens"];
/// Most others know the older name, and ignore or refuse the newer one.
pub(crate) const COMPATIBLE_BOUND: Bound = &["max_tokens", "max_completion_tokens"];
/// The genai crate knows what each provider calls it.
pub(crate) const NATIVE_BOUND: Bound = &["max_tokens"];

/// How refusals call it: because of its name, or because its value is more than the model can write.
const BOUNDS: [&str; 6] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxoutputtokens",
    "in the completion",
    "max_new_tokens",
];

/// How refusals call the form of an answer.
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

/// How they call tools.
const TOOLS: [&str; 2] = ["tool", "function call"];

/// What is known of each model at one endpoint, as long as the process lives.
#[derive(Debug)]
pub(crate) struct Learned {
    /// What a model is asked with first.
    first: Extras,
    known: Mutex<HashMap<String, Extras>>,
}

impl Learned {
    /// Nothing yet.
    pub(crate) fn new(bound: Bound) -> Self {
        Self { first: Extras::all(bound), known: Mutex::default() }
    }

    /// What to send to a model.
    pub(crate) fn of(&self, model: &str) -> Extras {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(model).copied().unwrap_or(self.first)
    }

    /// Keeps what a model's endpoint was asked with successfully.
    pub(crate) fn keep(&self, model: &str, extras: Extras) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(model.to_owned(), extras);
    }
}
