//! The configuration of a [`Provider`](crate::Provider).

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use protocol::Tier;

use crate::{Backoff, Secret};

/// One value for each tier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers<T> {
    /// For the fast and cheap one.
    pub quick: T,
    /// For the one between.
    pub mid: T,
    /// For the thorough one.
    pub deep: T,
}

impl<T> Tiers<T> {
    /// The value of a tier.
    pub fn get(&self, tier: Tier) -> &T {
        match tier {
            Tier::Quick => &self.quick,
            Tier::Mid => &self.mid,
            Tier::Deep => &self.deep,
        }
    }

    /// All three, from quick to deep.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.quick, &self.mid, &self.deep].into_iter()
    }
}

impl<T: Clone> Tiers<T> {
    /// The same value for every tier.
    pub fn same(value: T) -> Self {
        Self { quick: value.clone(), mid: value.clone(), deep: value }
    }
}

/// Timeouts. Reasoning counts as a piece of the answer; comments that only keep the connection open do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection to the provider.
    pub connect: Duration,
    /// From the start of an attempt to the first piece of the answer.
    pub first_token: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// After the model's reason to stop, for the usage and the closing message.
    pub grace: Duration,
    /// For the whole call, with all attempts and the waits between them.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_token: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            total: Duration::from_secs(15 * 60),
        }
    }
}

/// The models to ask, their endpoints and the limits of a call.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// An endpoint that speaks the protocol of `OpenAI`'s chat completions, such as
    /// `http://localhost:11434/v1`. All models are asked there, except those whose name says otherwise
    /// (`anthropic::claude-opus-5`). `None`: each model is asked at its own provider, known by its name.
    pub base_url: Option<String>,
    /// The key for `base_url`. Without a `base_url` it is for the provider of the models, of which there
    /// must be only one; models of several providers take theirs from the environment
    /// (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GEMINI_API_KEY` …).
    pub api_key: Option<Secret>,
    /// The model of each tier.
    pub models: Tiers<String>,
    /// The model to ask instead if the provider does not know a tier's model, or refuses it by policy.
    pub fallbacks: Tiers<Option<String>>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How often a failed attempt is repeated, for each model: 3 means at most 4 attempts. Attempts that
    /// the provider refuses because too many ask do not count here, but below.
    pub max_retries: u32,
    /// For how long a provider that limits the rate of requests, or is overloaded, is asked again. Most
    /// limits are per minute, so less than a minute is often too short. A longer wait that the provider asks
    /// for is kept.
    pub rate_limit_patience: Duration,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// The most requests in flight at one endpoint, for all runs together; further ones wait in line.
    pub requests_at_once: NonZeroUsize,
    /// The most tokens of an answer, thoughts included. It is sent to the provider; for a provider that
    /// ignores it, the answer is cut off here at eight bytes a token.
    pub answer_tokens: Tiers<NonZeroU32>,
    /// The largest answer in bytes: text, reasoning and arguments of tools together.
    pub max_answer_bytes: usize,
}

impl ProviderConfig {
    /// The defaults for these models: own providers, keys from the environment, no fallbacks,
    /// 3 retries, 90 s of patience with limited rates, 8 requests at once, at most 1 MiB an answer and
    /// 8,192, 16,384 and 32,768 tokens of it. Tokens that a model thinks with count, so these are generous.
    pub fn new(models: Tiers<String>) -> Self {
        Self {
            base_url: None,
            api_key: None,
            models,
            fallbacks: Tiers::default(),
            timeouts: Timeouts::default(),
            max_retries: 3,
            rate_limit_patience: Duration::from_secs(90),
            backoff: Backoff::default(),
            requests_at_once: const { NonZeroUsize::new(8).unwrap() },
            answer_tokens: const {
                Tiers {
                    quick: NonZeroU32::new(8_192).unwrap(),
                    mid: NonZeroU32::new(16_384).unwrap(),
                    deep: NonZeroU32::new(32_768).unwrap(),
                }
            },
            max_answer_bytes: 1024 * 1024,
        }
    }
}
