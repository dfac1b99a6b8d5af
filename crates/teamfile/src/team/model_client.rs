//! Which model a team asks, and how. Never with which key: keys stand in the connections of the server.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{Kept, is_false};
use crate::secret::KeyFound;

/// A model as a file names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelClient {
    /// The way in which it is asked.
    pub provider: ModelProvider,
    /// The model's name; empty where the file has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The address, without keys; `None` for the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// What stood in the place of the key.
    #[serde(default, skip_serializing_if = "KeyFound::is_none")]
    pub key: KeyFound,
    /// Where on Azure it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<AzureDeployment>,
    /// What it can do.
    pub info: ModelInfo,
    /// Temperature and the like, by the names that OpenAI gives them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Kept,
    /// What else the file says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Kept,
}

/// The way in which a model is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelProvider {
    /// OpenAI, or what speaks like it.
    OpenAi,
    /// OpenAI's models on Azure.
    AzureOpenAi,
    /// Anthropic.
    Anthropic,
    /// Ollama.
    Ollama,
    /// Another one.
    Other {
        /// What the file calls it.
        provider: String,
    },
}

/// Where on Azure a model is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AzureDeployment {
    /// The address of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The version of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
}

/// What a model can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// It sees images.
    pub vision: bool,
    /// It calls tools.
    pub function_calling: bool,
    /// It can be told to answer in JSON.
    pub json_output: bool,
    /// It answers by a schema.
    pub structured_output: bool,
    /// Whose model it is, in AutoGen's words.
    pub family: String,
    /// It takes system messages in several places.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiple_system_messages: bool,
}

/// Where a model is asked, and which variable usually holds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub base_url: String,
    /// The variable; `None` where an address of one's own says nothing of it.
    pub key_variable: Option<&'static str>,
}

/// Addresses that AutoGen's client for OpenAI uses by the model's name.
const BY_NAME: [(&str, &str, &str); 3] = [
    ("gemini-", "https://generativelanguage.googleapis.com/v1beta/openai/", "GEMINI_API_KEY"),
    ("claude-", "https://api.anthropic.com/v1/", "ANTHROPIC_API_KEY"),
    ("Llama-", "https://api.llama.com/compat/v1/", "LLAMA_API_KEY"),
];

/// Families by the beginning of a model's name, the longer beginnings first, and whether they see images.
const FAMILIES: [(&str, &str, bool); 18] = [
    ("gpt-5", "gpt-5", true),
    ("gpt-4o", "gpt-4o", true),
    ("gpt-4.1", "gpt-41", true),
    ("gpt-4.5", "gpt-45", true),
    ("gpt-4", "gpt-4", false),
    ("gpt-3.5", "gpt-35", false),
    ("o1", "o1", true),
    ("o3", "o3", true),
    ("o4", "o4", true),
    ("gemini-1.5-pro", "gemini-1.5-pro", true),
    ("gemini-1.5-flash", "gemini-1.5-flash", true),
    ("gemini-2.0", "gemini-2.0-flash", true),
    ("gemini-2.5-pro", "gemini-2.5-pro", true),
    ("gemini-2.5", "gemini-2.5-flash", true),
    ("claude-3-opus", "claude-3-opus", true),
    ("claude-3-5-sonnet", "claude-3-5-sonnet", true),
    ("claude-3-7-sonnet", "claude-3-7-sonnet", true),
    ("claude-", "claude-3-5-sonnet", true),
];

impl ModelInfo {
    /// What a model of this name can be expected to do, where the file does not say it. Of one that is not known,
    /// that it calls tools as most do, and nothing more.
    #[must_use]
    pub fn expected_of(model: &str) -> Self {
        let known = FAMILIES.iter().find(|(beginning, _, _)| model.starts_with(beginning));
        let is_known = known.is_some();
        Self {
            vision: known.is_some_and(|(_, _, vision)| *vision),
            function_calling: true,
            json_output: is_known,
            structured_output: is_known && !model.starts_with("gpt-3.5"),
            family: known.map_or("unknown", |(_, family, _)| family).to_owned(),
            multiple_system_messages: false,
        }
    }

    /// Whether instructions within a conversation are sent as system messages: models of OpenAI's take them so.
    #[must_use]
    pub fn takes_system_messages(&self) -> bool {
        ["gpt-", "o1", "o3", "o4"].iter().any(|beginning| self.family.starts_with(beginning))
    }
}

impl ModelClient {
    /// A model of OpenAI, or of what speaks like it.
    #[must_use]
    pub fn open_ai(model: impl Into<String>) -> Self {
        let model = model.into();
        Self {
            provider: ModelProvider::OpenAi,
            info: ModelInfo::expected_of(&model),
            model,
            base_url: None,
            key: KeyFound::None,
            azure: None,
            parameters: Kept::new(),
            kept: Kept::new(),
        }
    }

    /// Where it is asked as AutoGen would; `None` where the file does not say enough.
    #[must_use]
    pub fn endpoint(&self) -> Option<Endpoint> {
        if let Some(base_url) = &self.base_url {
            return Some(Endpoint { base_url: base_url.clone(), key_variable: None });
        }
        let (base_url, key_variable) = match &self.provider {
            ModelProvider::OpenAi => self
                .address_by_name()
                .map_or(("https://api.openai.com/v1", Some("OPENAI_API_KEY")), |(address, variable)| {
                    (address, Some(variable))
                }),
            ModelProvider::Anthropic => ("https://api.anthropic.com", Some("ANTHROPIC_API_KEY")),
            ModelProvider::Ollama => ("http://localhost:11434", None),
            ModelProvider::AzureOpenAi => {
                (self.azure.as_ref()?.endpoint.as_deref()?, Some("AZURE_OPENAI_API_KEY"))
            }
            ModelProvider::Other { .. } => return None,
        };
        Some(Endpoint { base_url: base_url.to_owned(), key_variable })
    }

    /// The address and the variable that the model's name alone means to AutoGen's client for OpenAI.
    pub(crate) fn address_by_name(&self) -> Option<(&'static str, &'static str)> {
        if self.provider != ModelProvider::OpenAi || self.base_url.is_some() {
            return None;
        }
        let by_name = BY_NAME.iter().find(|(beginning, _, _)| self.model.starts_with(beginning));
        by_name.map(|(_, address, variable)| (*address, *variable))
    }

    /// What people call it in a sentence.
    pub(crate) fn label(&self) -> String {
        let name = if self.model.is_empty() { "the model" } else { &self.model };
        crate::finding::shown(name)
    }
}
