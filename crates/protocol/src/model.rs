//! Models that the settings name.

use serde::{Deserialize, Serialize};

use crate::{Decimal, ProfileName, Tier, Usage};

/// A model that the server's settings name. Keys are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelProfile {
    /// Its name, by which a run asks for it. `None`: what the settings name without a profile, which
    /// answers runs that ask for the configured model.
    pub name: Option<ProfileName>,
    /// The models as their provider names them, such as `gpt-5-mini`.
    pub models: Vec<String>,
    /// The host that is asked; `None` where each model is asked at its own provider.
    pub host: Option<String>,
    /// The tiers that it answers for runs that ask for the configured model.
    pub tiers: Vec<Tier>,
    /// Requests that are sent to it at once; further ones wait in line.
    pub requests_at_once: usize,
    /// Whether its answers have a price that is known.
    pub priced: bool,
}

/// What a model did with a short question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelTest {
    /// From the question to the end of the answer, in milliseconds.
    pub latency_ms: u64,
    /// Tokens, as reported.
    #[serde(default)]
    pub usage: Usage,
    /// US dollars; `None` if not known.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// Why there is no answer, in the provider's words where it said something.
    #[serde(default)]
    pub error: Option<String>,
}
