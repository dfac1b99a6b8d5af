//! Who takes part in a team.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Context, Kept, ModelClient, Team, Tool, Workbench, is_false};

/// One who takes part in a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// The name, as the file says it. Providers may have to be sent an alias: [`Team::aliases`].
    pub name: String,
    /// What people call the role, where it is not the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the others are told of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it is.
    pub role: Role,
    /// What else the file says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Kept,
}

/// What a participant is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Role {
    /// A model with instructions and tools.
    Assistant(Box<Assistant>),
    /// A person.
    UserProxy,
    /// A team that answers with one voice.
    SocietyOfMind(Box<SocietyOfMind>),
    /// A team within the team.
    Team {
        /// The inner team.
        team: Box<Team>,
    },
    /// A kind of agent that is not known. It is kept for export, and the team cannot run with it.
    Unknown {
        /// What the file calls it.
        provider: String,
        /// What the file says of it.
        #[serde(default)]
        config: Kept,
    },
    /// Named by the file and defined in none of those that were given together.
    Missing {
        /// The name by which the file refers to it.
        reference: String,
    },
}

/// A model with instructions and tools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assistant {
    /// What it is told before everything else; `None` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_message: Option<String>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelClient>,
    /// The named model of the server that answers in the place of the run's; a file of another system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Where it may call more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workbenches: Vec<Workbench>,
    /// To whom it may hand over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handoffs: Vec<Handoff>,
    /// Memories as the file describes them. Those that are lists are read; the others are kept for export and not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory: Vec<Value>,
    /// How much of the conversation it reads.
    #[serde(default)]
    pub context: Context,
    /// Whether the model's answers are streamed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stream: bool,
    /// Whether the model is asked again after tools were called.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reflect_on_tool_use: bool,
    /// How the results of tools become an answer where the model is not asked again.
    #[serde(default = "result_alone")]
    pub tool_call_summary_format: String,
    /// How often in a turn the model may call tools.
    #[serde(default = "one")]
    pub max_tool_iterations: u32,
}

/// A team that answers with one voice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SocietyOfMind {
    /// The inner team.
    pub team: Team,
    /// The model that makes one answer of what the team said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelClient>,
    /// The named model of the server that answers in the place of the run's; a file of another system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What the model is told before what the team said; `None` for the usual text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// What the model is told after it; `None` for the usual text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_prompt: Option<String>,
    /// How much of the conversation it reads.
    #[serde(default)]
    pub context: Context,
}

/// A way to hand over: a tool without arguments for the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// To whom.
    pub target: String,
    /// What the tool is called.
    pub name: String,
    /// What the model is told of it.
    pub description: String,
    /// What is said to the one who takes over.
    pub message: String,
}

impl Handoff {
    /// Handing over to this one, in the usual words.
    #[must_use]
    pub fn to(target: impl Into<String>) -> Self {
        let target = target.into();
        Self {
            name: format!("transfer_to_{}", target.to_lowercase()),
            description: format!("Handoff to {target}."),
            message: format!("Transferred to {target}, adopting the role of {target} immediately."),
            target,
        }
    }
}

impl Default for Assistant {
    fn default() -> Self {
        Self {
            system_message: None,
            model: None,
            profile: None,
            tools: Vec::new(),
            workbenches: Vec::new(),
            handoffs: Vec::new(),
            memory: Vec::new(),
            context: Context::default(),
            stream: false,
            reflect_on_tool_use: false,
            tool_call_summary_format: result_alone(),
            max_tool_iterations: one(),
        }
    }
}

impl Participant {
    /// A participant of this role, of whom nothing else is said.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), title: None, description: String::new(), role, kept: Kept::new() }
    }

    /// The team within it.
    #[must_use]
    pub fn inner_team(&self) -> Option<&Team> {
        match &self.role {
            Role::SocietyOfMind(society) => Some(&society.team),
            Role::Team { team } => Some(team),
            Role::Assistant(_) | Role::UserProxy | Role::Unknown { .. } | Role::Missing { .. } => None,
        }
    }

    /// The assistant that it is.
    #[must_use]
    pub fn assistant(&self) -> Option<&Assistant> {
        match &self.role {
            Role::Assistant(assistant) => Some(assistant),
            _ => None,
        }
    }

    /// The models that it names itself, without those of its inner team.
    pub(crate) fn own_models(&self) -> impl Iterator<Item = &ModelClient> {
        let (model, context) = match &self.role {
            Role::Assistant(assistant) => (assistant.model.as_ref(), Some(&assistant.context)),
            Role::SocietyOfMind(society) => (society.model.as_ref(), Some(&society.context)),
            Role::UserProxy | Role::Team { .. } | Role::Unknown { .. } | Role::Missing { .. } => (None, None),
        };
        model.into_iter().chain(context.and_then(Context::model))
    }
}

fn result_alone() -> String {
    "{result}".to_owned()
}

fn one() -> u32 {
    1
}
