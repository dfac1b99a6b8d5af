//! Why a call has no answer.

use std::{fmt, time::Duration};

use thiserror::Error;

/// The step that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutPhase {
    /// Connecting to the provider.
    Connect,
    /// The first piece of the answer.
    FirstToken,
    /// The next piece of the answer.
    Idle,
    /// The whole call, with its retries.
    Total,
}

impl fmt::Display for TimeoutPhase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "could not be reached",
            Self::FirstToken => "did not begin to answer",
            Self::Idle => "stopped in the middle of its answer and sent nothing more",
            Self::Total => "did not finish, retries included,",
        })
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChatError {
    /// Something took too long.
    #[error(
        "The model {model} {phase} within {} s. Try again later, choose a faster model, {}or allow more time.",
        after.as_secs_f64(),
        fewer_at_once(*phase == TimeoutPhase::FirstToken)
    )]
    Timeout {
        /// The model asked.
        model: String,
        /// What took too long.
        phase: TimeoutPhase,
        /// The timeout that passed.
        after: Duration,
    },
    /// Too many requests (status 429).
    #[error(
        "The provider of {model} limits the rate of requests{}. {}It said: {message}",
        wish(*retry_after),
        if is_about_concurrency(message) { "Set PITWALL_MODEL_REQUESTS_AT_ONCE lower. " } else { "" }
    )]
    RateLimited {
        /// The model asked.
        model: String,
        /// The provider's words.
        message: String,
        /// The wait that the provider asked for.
        retry_after: Option<Duration>,
    },
    /// The key is missing, wrong, or not allowed to use the model (status 401 or 403).
    #[error("The provider of {model} did not accept the key. Check PITWALL_MODEL_KEY. It said: {message}")]
    Unauthorised {
        /// The model asked.
        model: String,
        /// The provider's words.
        message: String,
    },
    /// The provider does not know the model or the address (status 404).
    #[error(
        "The provider does not know the model {model}. \
         Check its name and the base URL. A fallback model is asked where one is set. It said: {message}"
    )]
    NotFound {
        /// The model asked.
        model: String,
        /// The provider's words.
        message: String,
    },
    /// A policy of the provider forbids the request or the answer.
    #[error(
        "The provider of {model} refused by its policy. A fallback model is asked where one is set. It said: {message}"
    )]
    Policy {
        /// The model asked.
        model: String,
        /// The provider's words.
        message: String,
    },
    /// The provider failed, or refused the request.
    #[error("The provider of {model} reported an error{}: {message}", status.map(|status| format!(" (status {status})")).unwrap_or_default())]
    Provider {
        /// The model asked.
        model: String,
        /// The HTTP status, if there was one.
        status: Option<u16>,
        /// The provider's words.
        message: String,
        /// The wait that the provider asked for.
        retry_after: Option<Duration>,
    },
    /// The request exceeds the model's context.
    #[error(
        "The request is longer than the model {model} can read. \
         Choose a model with a larger context window or ask for less. Its provider said: {message}"
    )]
    TooLong {
        /// The model asked.
        model: String,
        /// The provider's words.
        message: String,
    },
    /// The provider could not be reached.
    #[error("The provider of {model} could not be reached: {reason}. Check the base URL and the network.")]
    Connection {
        /// The model asked.
        model: String,
        /// What failed.
        reason: String,
    },
    /// The answer broke off or could not be read.
    #[error("The answer of {model} broke off: {reason}. What had arrived was dropped. Try again.")]
    BrokenStream {
        /// The model asked.
        model: String,
        /// What was wrong.
        reason: String,
    },
    /// The answer is larger than allowed.
    #[error("The answer of {model} was cut off because it is larger than the limit of {limit} bytes.")]
    Oversize {
        /// The model asked.
        model: String,
        /// The limit.
        limit: usize,
    },
    /// The answer reached its limit of tokens, or the model's, and is incomplete.
    #[error(
        "The answer of {model} was cut off at its limit of tokens. Set PITWALL_MODEL_ANSWER_TOKENS higher, \
         choose a model that writes longer answers, or ask for less."
    )]
    TokenLimit {
        /// The model asked.
        model: String,
    },
    /// The answer repeats itself, and was cut off.
    #[error("The answer of {model} only repeated itself, so it was stopped. Choose a larger model.")]
    Runaway {
        /// The model asked.
        model: String,
    },
    /// The model wrote a tool call into its text although no tools were offered.
    #[error(
        "The model {model} called the tool {tool} where none is offered. Try again or choose another model."
    )]
    NoSuchTool {
        /// The model asked.
        model: String,
        /// The tool's name.
        tool: String,
    },
    /// The model finished without text and without asking for a tool.
    #[error("The model {model} finished without an answer. Try again or choose another model.")]
    Empty {
        /// The model asked.
        model: String,
    },
    /// The rehearsal's script has no answer.
    #[error("The rehearsal cannot go on: {0}")]
    Script(String),
    /// The configuration is invalid.
    #[error("The model configuration cannot be used: {0}")]
    Configuration(String),
}

impl ChatError {
    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { phase, .. } => *phase != TimeoutPhase::Total,
            // Timeouts (408), early requests (425), and failures at the provider's side.
            Self::Provider { status: Some(status), .. } => {
                matches!(status, 408 | 425 | 500..) && !matches!(status, 501 | 505)
            }
            Self::RateLimited { .. }
            | Self::Connection { .. }
            | Self::BrokenStream { .. }
            | Self::Empty { .. }
            | Self::NoSuchTool { .. } => true,
            Self::Provider { status: None, .. }
            | Self::Unauthorised { .. }
            | Self::TooLong { .. }
            | Self::NotFound { .. }
            | Self::Policy { .. }
            | Self::Oversize { .. }
            | Self::TokenLimit { .. }
            | Self::Runaway { .. }
            | Self::Script(_)
            | Self::Configuration(_) => false,
        }
    }

    /// Whether the provider limits the rate or is overloaded, which usually lasts a minute.
    pub(crate) fn is_overloaded(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Provider { status: Some(529), .. } => true,
            error if error.wants_fewer_at_once() => true,
            Self::Provider { status: Some(503), message, .. } => {
                let message = message.to_lowercase();
                ["overload", "capacity", "busy", "too many"].iter().any(|word| message.contains(word))
            }
            _ => false,
        }
    }

    /// The model has no key; if its provider has a variable for keys, that is named.
    pub(crate) fn no_key(model: &str, variable: Option<&str>) -> Self {
        let also = variable.map(|variable| format!(" and {variable} is not set")).unwrap_or_default();
        let message = format!("no key was sent, because none is configured{also}");
        Self::Unauthorised { model: model.to_owned(), message }
    }

    /// The advice that the model gets with the repeated request, so that it does not fail in the same way.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::TokenLimit { .. } => {
                Some("Your last answer was cut off because it was too long. Answer in far fewer words.")
            }
            Self::Runaway { .. } => Some(
                "Your last answer repeated the same passage again and again and was stopped. \
                 Say each thing once, briefly, and then stop.",
            ),
            Self::NoSuchTool { .. } => {
                Some("No tools can be called here. Answer in words, with what you have.")
            }
            _ => None,
        }
    }

    /// Whether the provider serves fewer requests at once than it was sent.
    pub(crate) fn wants_fewer_at_once(&self) -> bool {
        match self {
            Self::RateLimited { message, .. } | Self::Provider { status: Some(503), message, .. } => {
                is_about_concurrency(message)
            }
            _ => false,
        }
    }

    /// Whether another model may answer where this one cannot.
    pub(crate) fn calls_for_fallback(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Policy { .. })
    }

    /// The wait that the provider asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Provider { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Whether a provider's message is about concurrent requests rather than a rate.
fn is_about_concurrency(message: &str) -> bool {
    let message = message.to_lowercase();
    let words = ["concurren", "parallel", "simultaneous", "at once", "slot", "pending requests"];
    words.iter().any(|word| message.contains(word))
}

fn fewer_at_once(advised: bool) -> &'static str {
    if advised { "ask it less at once (PITWALL_MODEL_REQUESTS_AT_ONCE) " } else { "" }
}

fn wish(retry_after: Option<Duration>) -> String {
    retry_after.map(|wait| format!(" and asks to wait {} s", wait.as_secs())).unwrap_or_default()
}
