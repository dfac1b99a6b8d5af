//! What endpoints do not understand of a request, learned from their refusals.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use reqwest::StatusCode;

use crate::ChatRequest;

/// What a request may hold besides the conversation and the tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extras {
    /// That the usage is reported at the end of a stream.
    pub(crate) usage: bool,
    /// The form of the answer. Where it is left out, it is asked for in words.
    pub(crate) form: bool,
    /// The form of the answer while tools are offered.
    pub(crate) form_with_tools: bool,
    /// Fields that came with earlier answers and that most providers who send them demand back.
    pub(crate) echo: bool,
}

impl Extras {
    const ALL: Self = Self { usage: true, form: true, form_with_tools: true, echo: true };

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
        (self.echo && names(&ECHOES)).then_some(Self { echo: false, ..self })
    }
}

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

/// Fields that are sent back, as far as a refusal names them.
const ECHOES: [&str; 6] = [
    "reasoning_content",
    "reasoning_details",
    "thinking_blocks",
    "extra_content",
    "thought_signature",
    "provider_specific_fields",
];

/// What is known of each model at one endpoint, as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct Learned(Mutex<HashMap<String, Extras>>);

impl Learned {
    /// What to send to a model.
    pub(crate) fn of(&self, model: &str) -> Extras {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(model).copied().unwrap_or(Extras::ALL)
    }

    /// Keeps what a model's endpoint was asked with successfully.
    pub(crate) fn keep(&self, model: &str, extras: Extras) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(model.to_owned(), extras);
    }
}
