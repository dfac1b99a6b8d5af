//! Who speaks next in a team: state machines without any input or output.
//!
//! [`Conversation`] is told what was said and answers with a [`Decision`]: who speaks next and what they have not
//! heard yet, what a model has to be asked, or why the team has ended. Whoever runs the team does these things and
//! tells the conversation what came of them. The whole state is serialisable, so that a run can be resumed.
//!
//! It works as AutoGen's teams do, with these differences: where several speak in one step, the condition is shown
//! what all of them said, as AutoGen itself does after version 0.7.5, whose condition saw nothing of all but the last;
//! nobody speaks twice in one step; and where a leading model names somebody who does not take part it is asked again,
//! as for any other answer that cannot be read.

mod conversation;
mod graph_flow;
mod ledger;
mod magentic;
mod mention;
mod prompts;
mod selector;
mod steps;
mod swarm;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    message::Message,
    termination::{Stop, UnknownCondition},
};

pub use conversation::Conversation;
pub use ledger::{InvalidLedger, Ledger};
pub use mention::{mentioned, mentions};
pub(crate) use prompts::{FINAL_ANSWER, SELECT_SPEAKER};

/// What the team does next.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What the team's manager says before it, for people and, where it is a message, for all participants.
    pub messages: Vec<Message>,
    /// Whether all participants forget what they heard before these messages.
    pub forgets: bool,
    /// Who was told something for a turn that they do not take any more: they have not heard it.
    pub unheard: Vec<String>,
    /// What is to be done.
    pub next: Next,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// These speak, all at the same time. Each is then told by [`Conversation::answered`].
    Speak(Vec<Turn>),
    /// A model is asked. What it says is then told by [`Conversation::replied`].
    Ask(Question),
    /// Others who speak at the same time have not answered yet.
    Wait,
    /// The team has ended.
    Stop(Stop),
}

/// Somebody speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Who.
    pub speaker: String,
    /// What they have not heard yet.
    pub inbox: Vec<Message>,
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The conversation with the model.
    pub messages: Vec<PromptMessage>,
    /// The schema of the answer, where it is JSON.
    pub schema: Option<Value>,
    /// Which try it is, from 1.
    pub attempt: u32,
}

/// One message to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptMessage {
    /// Whose it is.
    pub role: PromptRole,
    /// What it says.
    pub content: String,
}

/// Whose a message to a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptRole {
    /// Instructions.
    System,
    /// Whoever asks.
    User,
    /// The model itself.
    Assistant,
}

impl PromptMessage {
    fn user(content: impl Into<String>) -> Self {
        Self { role: PromptRole::User, content: content.into() }
    }

    fn assistant(content: impl Into<String>) -> Self {
        Self { role: PromptRole::Assistant, content: content.into() }
    }
}

/// Why a team cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeakingError {
    /// The kind of team is not known.
    #[error("“{0}” is no kind of team that is known. Choose who speaks next.")]
    UnknownTeam(String),
    /// Nobody takes part.
    #[error("Nobody takes part in the team. Add a participant.")]
    Nobody,
    /// Its end cannot be watched for.
    #[error(transparent)]
    UnknownCondition(#[from] UnknownCondition),
    /// It was told of somebody who does not speak.
    #[error("“{0}” was not asked to speak.")]
    NotAsked(String),
    /// Somebody's turn brought forth no message.
    #[error("“{0}” said nothing in its turn.")]
    Silent(String),
    /// It was told of an answer that it did not ask for.
    #[error("No model was asked.")]
    NoQuestion,
    /// A handoff leads out of the team.
    #[error(
        "The work was handed over to “{0}”, who takes no part in the team. Hand it over to a participant to go on."
    )]
    HandoffOutside(String),
    /// A graph leads nowhere.
    #[error("Nobody begins in the graph. Name the node that begins.")]
    NoBeginning,
    /// A step belongs to nobody.
    #[error("Nobody does the step “{0}”. Choose an agent.")]
    StepOfNobody(String),
    /// The leading model's answers cannot be read.
    #[error("The leading model was asked {attempts} times, and its answer cannot be read: {reason}.")]
    Ledger {
        /// How often it was asked.
        attempts: u32,
        /// What is wrong with the last answer.
        reason: InvalidLedger,
    },
}
