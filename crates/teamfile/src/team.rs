//! What an agent team is: who takes part, who speaks next, and when it ends.
//!
//! These types are also the JSON of a team as a document of Pitwall's own ([`TeamDocument`]). What a file says
//! beyond them is in the `kept` fields, without its keys: it has no effect here and is exported again.

mod answering;
mod check;
mod condition;
mod context;
mod document;
mod graph;
mod memory;
mod model_client;
mod participant;
mod replay;
mod steps;
mod tool;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use answering::{Answering, Asking};
pub use check::check;
pub use condition::Condition;
pub use context::Context;
pub use document::{InvalidDocument, TeamDocument};
pub use graph::{Activation, Edge, Graph, GraphNode};
pub use model_client::{AzureDeployment, Endpoint, ModelClient, ModelInfo, ModelProvider};
pub use participant::{Assistant, Handoff, Participant, Role, SocietyOfMind};
pub use replay::{Replay, ReplayedAnswer};
pub(crate) use steps::fields_of;
pub use steps::{Process, Step, Steps};
pub use tool::{McpServer, McpTransport, Tool, ToolKind, Workbench};

/// Fields of a file that this crate does not know, by their names.
pub type Kept = Map<String, Value>;

/// Agents that work together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// What people call it.
    pub name: String,
    /// What it is for; empty where nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who speaks next.
    pub conduct: Conduct,
    /// Who takes part, in the order in which they are named.
    pub participants: Vec<Participant>,
    /// When it ends, beside the limit of turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination: Option<Condition>,
    /// After how many turns it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// Whether the choice of a speaker is told as an event of its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub emit_team_events: bool,
    /// What else the file says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Kept,
}

/// Who speaks next in a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Conduct {
    /// One after the other, again and again.
    RoundRobin,
    /// A model chooses.
    Selector(Selector),
    /// Whoever speaks hands over to the next one.
    Swarm,
    /// A model plans, and leads by a ledger of the progress.
    MagenticOne(MagenticOne),
    /// A graph of who follows whom.
    GraphFlow {
        /// The graph.
        graph: Graph,
    },
    /// Steps of work, each of which belongs to one participant.
    Steps(Steps),
    /// A kind that is not known: a person has to say which one it should be.
    Unknown {
        /// What the file calls it.
        provider: String,
        /// What the file says of it.
        #[serde(default)]
        config: Kept,
    },
}

/// How a model chooses the next speaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelClient>,
    /// The named model of the server that answers in the place of the run's; a file of another system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What it is asked, with `{roles}`, `{participants}` and `{history}`; `None` for the usual question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Whether somebody may speak twice in a row.
    #[serde(default)]
    pub allow_repeated_speaker: bool,
    /// How often the model is asked for one choice.
    #[serde(default = "three")]
    pub max_attempts: u32,
    /// Whether the model's choice is streamed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub streaming: bool,
    /// How much of the conversation the model reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
}

/// How a Magentic-One team is led.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MagenticOne {
    /// The model that leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelClient>,
    /// The named model of the server that answers in the place of the run's; a file of another system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How many rounds without progress lead to a new plan.
    #[serde(default = "three")]
    pub max_stalls: u32,
    /// How the final answer is asked for; `None` for the usual question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_answer_prompt: Option<String>,
}

impl Team {
    /// A team of these, who take turns without end.
    #[must_use]
    pub fn new(name: impl Into<String>, participants: Vec<Participant>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            conduct: Conduct::RoundRobin,
            participants,
            termination: None,
            max_turns: None,
            emit_team_events: false,
            kept: Kept::new(),
        }
    }

    /// Under which name each participant is sent to a provider, in their order.
    #[must_use]
    pub fn aliases(&self) -> Vec<String> {
        crate::name::aliases(self.participants.iter().map(|participant| participant.name.as_str()))
    }

    /// Whether it has a condition that somebody outside of it can make hold.
    #[must_use]
    pub fn hears_outside(&self) -> bool {
        self.termination.as_ref().is_some_and(Condition::hears_outside)
    }

    /// How many agents there are, those of inner teams included.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.participants.iter().map(|participant| participant.inner_team().map_or(1, Self::agents)).sum()
    }

    /// Calls `see` with every model that the team names, those of inner teams included.
    pub fn for_each_model<'a>(&'a self, see: &mut impl FnMut(&'a ModelClient)) {
        match &self.conduct {
            Conduct::Selector(Selector { model, context, .. }) => {
                model.iter().for_each(&mut *see);
                context.iter().filter_map(Context::model).for_each(&mut *see);
            }
            Conduct::MagenticOne(MagenticOne { model, .. }) => model.iter().for_each(&mut *see),
            Conduct::Steps(steps) => steps.process.model().into_iter().for_each(&mut *see),
            Conduct::RoundRobin | Conduct::Swarm | Conduct::GraphFlow { .. } | Conduct::Unknown { .. } => {}
        }
        for participant in &self.participants {
            participant.own_models().for_each(&mut *see);
            if let Some(team) = participant.inner_team() {
                team.for_each_model(see);
            }
        }
    }
}

impl Conduct {
    /// The class that AutoGen calls so; `None` where it has none.
    #[must_use]
    pub fn class(&self) -> Option<&'static str> {
        match self {
            Self::RoundRobin => Some("RoundRobinGroupChat"),
            Self::Selector(_) => Some("SelectorGroupChat"),
            Self::Swarm => Some("Swarm"),
            Self::MagenticOne(_) => Some("MagenticOneGroupChat"),
            Self::GraphFlow { .. } => Some("GraphFlow"),
            Self::Steps(_) | Self::Unknown { .. } => None,
        }
    }
}

fn three() -> u32 {
    3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
