//! What a component is: by the last part of its provider, by its type, and by its shape.

use serde_json::{Map, Value};

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Team,
    Agent,
    Model,
    Tool,
    Workbench,
    Condition,
    Context,
    Memory,
}

impl Kind {
    /// As people call it, with its article.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Team => "a team",
            Self::Agent => "an agent",
            Self::Model => "a model",
            Self::Tool => "a tool",
            Self::Workbench => "a workbench",
            Self::Condition => "a condition",
            Self::Context => "a context",
            Self::Memory => "a memory",
        }
    }

    /// By the class, which is the last part of the provider: private modules have paths of their own.
    pub(super) fn of_class(class: &str) -> Option<Self> {
        let ends = |endings: &[&str]| endings.iter().any(|ending| class.ends_with(ending));
        Some(match class {
            "Swarm" | "GraphFlow" => Self::Team,
            "FileSurfer" | "MultimodalWebSurfer" => Self::Agent,
            _ if ends(&["Termination", "TerminationCondition"]) => Self::Condition,
            _ if ends(&["CompletionContext"]) => Self::Context,
            _ if ends(&["CompletionClient", "CompletionCache", "completion_client"]) => Self::Model,
            _ if ends(&["Workbench"]) => Self::Workbench,
            _ if ends(&["Tool"]) => Self::Tool,
            _ if ends(&["Memory"]) => Self::Memory,
            _ if ends(&["GroupChat", "Team"]) => Self::Team,
            _ if ends(&["Agent"]) => Self::Agent,
            _ => return None,
        })
    }

    pub(super) fn of_type(component_type: &str) -> Option<Self> {
        Some(match component_type {
            "team" => Self::Team,
            "agent" => Self::Agent,
            "model" => Self::Model,
            "tool" => Self::Tool,
            "workbench" => Self::Workbench,
            "termination" => Self::Condition,
            "chat_completion_context" => Self::Context,
            "memory" => Self::Memory,
            _ => return None,
        })
    }

    pub(super) fn of_shape(config: &Map<String, Value>) -> Option<Self> {
        let has = |key: &str| config.contains_key(key);
        if has("participants") {
            Some(Self::Team)
        } else if has("source_code") {
            Some(Self::Tool)
        } else if has("server_params") {
            Some(Self::Workbench)
        } else if has("conditions") || (has("max_messages") && !has("model")) || (has("text") && !has("name"))
        {
            Some(Self::Condition)
        } else if has("model_client") || has("system_message") {
            Some(Self::Agent)
        } else if has("model") {
            Some(Self::Model)
        } else {
            None
        }
    }
}

/// The last part of a provider.
pub(super) fn class_of(provider: &str) -> &str {
    let class = provider.rsplit(['.', ':']).next().unwrap_or(provider);
    match class {
        "openai_chat_completion_client" => "OpenAIChatCompletionClient",
        "azure_openai_chat_completion_client" => "AzureOpenAIChatCompletionClient",
        class => class,
    }
}
