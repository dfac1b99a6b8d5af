//! The settings file, for what does not fit into options.

use std::{
    collections::BTreeMap,
    fs, io,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};

use llm::Tiers;
use protocol::{ProfileName, ToolServerName};
use serde::Deserialize;

use crate::{config::DataOptions, error::ServeError};

/// The file's name, in the data folder.
const NAME: &str = "pitwall.toml";

/// The content of the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Models by name.
    #[serde(default)]
    pub models: BTreeMap<ProfileName, ModelSettings>,
    /// Which of them answers which tier of runs that name none.
    #[serde(default, with = "tiers")]
    pub tiers: Option<Tiers<ProfileName>>,
    /// Servers of tools by name.
    #[serde(default)]
    pub tools: BTreeMap<ToolServerName, ToolServerSettings>,
    /// Settings of families by name, each of which reads its own.
    #[serde(default)]
    pub families: BTreeMap<String, toml::Table>,
}

/// A server of tools that speaks the Model Context Protocol: a program to run, or an address to call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolServerSettings {
    /// The absolute path of the program; it is started without a shell.
    pub command: Option<PathBuf>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Names of the environment variables that it receives, besides `PATH`, `HOME` and `LANG`.
    #[serde(default)]
    pub env: Vec<String>,
    /// The address, by https or on this machine.
    pub url: Option<String>,
    /// The environment variable that holds the key for the address.
    pub key_variable: Option<String>,
    /// The file that holds the key; nobody but its owner may read it.
    pub key_file: Option<PathBuf>,
    /// Seconds that one call may take.
    pub timeout: Option<NonZeroU64>,
    /// Bytes of a result that are kept.
    pub result_bytes: Option<NonZeroUsize>,
    /// Tools that are offered at most.
    pub most_tools: Option<NonZeroUsize>,
}

/// A model, its endpoint and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// The model as its provider names it.
    pub model: String,
    /// The provider, where the model's name does not say it: `anthropic`, `gemini`, `ollama` …
    pub provider: Option<String>,
    /// Base URL of an OpenAI-compatible endpoint.
    pub base_url: Option<String>,
    /// The environment variable that holds the key.
    pub key_variable: Option<String>,
    /// The file that holds the key; nobody but its owner may read it.
    pub key_file: Option<PathBuf>,
    /// The model to ask, for that call alone, where the provider does not serve this one or refuses by its policy. A
    /// tier that this model answers has it as its fallback.
    pub fallback: Option<String>,
    /// What tokens cost, where the price table does not know.
    pub price: Option<Price>,
    /// Requests that are sent at once. Of the models at one address, the smallest number counts for all.
    pub requests_at_once: Option<NonZeroUsize>,
    /// The most tokens of an answer.
    pub answer_tokens: Option<NonZeroU32>,
    /// Seconds that one answer may take at most.
    pub timeout: Option<NonZeroU64>,
    /// Seconds that the provider may be silent.
    pub silence: Option<NonZeroU64>,
    /// Further attempts after a failed one.
    pub retries: Option<u32>,
}

/// US dollars per million tokens, as text, so that they are exact.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of the prompt.
    pub input: String,
    /// Of the answer.
    pub output: String,
}

impl Settings {
    /// Reads the named file, or the one in the data folder; empty without one.
    ///
    /// # Errors
    /// The named file does not exist, or a file cannot be parsed, with the line.
    pub fn read(named: Option<&Path>, data: &DataOptions) -> Result<Self, ServeError> {
        let path = named.map_or_else(|| data.data.join(NAME), Path::to_owned);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(ServeError::SettingsFile(path, error)),
        };
        toml::from_str(&text).map_err(|error| ServeError::Settings(path, error.to_string().trim().to_owned()))
    }
}

mod tiers {
    use llm::Tiers;
    use protocol::ProfileName;
    use serde::{Deserialize, Deserializer};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        quick: ProfileName,
        mid: ProfileName,
        deep: ProfileName,
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Tiers<ProfileName>>, D::Error> {
        let named = Option::<Named>::deserialize(deserializer)?;
        Ok(named.map(|Named { quick, mid, deep }| Tiers { quick, mid, deep }))
    }
}
