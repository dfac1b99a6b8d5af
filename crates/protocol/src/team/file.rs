//! Teams that come from files, and go into files.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::document::{DocumentId, DocumentTitle};

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamFile {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Files to make teams of: components and galleries of AutoGen as JSON or YAML, or the files of a CrewAI project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportTeams {
    /// The files. Parts that refer to each other are found in any of them.
    pub files: Vec<TeamFile>,
}

/// What was in files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedTeams {
    /// The teams, each a document now.
    pub teams: Vec<ImportedTeam>,
    /// Parts that stand by themselves, such as a single agent or a model. They are told and not kept, unless the files
    /// hold nothing but one: that is a team of one now.
    pub parts: Vec<String>,
    /// What is to be said of the files as a whole.
    pub findings: Vec<FileFinding>,
}

/// A team that was in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedTeam {
    /// The document that it is now.
    pub document: DocumentId,
    /// Its title.
    pub title: DocumentTitle,
    /// Whether a run of it can be started.
    pub can_run: bool,
    /// What was read otherwise than it stands there, what is missing, and what will hardly work as it was meant.
    pub findings: Vec<FileFinding>,
}

/// What files hold, before any of it is a document: teams, and parts that can each be made a team of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamFilesRead {
    /// The teams, and after them the parts.
    pub parts: Vec<FoundPart>,
    /// What is to be said of the files as a whole.
    pub findings: Vec<FileFinding>,
}

/// What was made of files that a person gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TakenFiles {
    /// Documents: there was nothing to choose.
    Imported(ImportedTeams),
    /// Nothing yet: there is more in them than there are files, of which somebody is to choose.
    Offered(TeamFilesRead),
}

/// Something in files that can be made a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundPart {
    /// Its number among all that the same files hold, from 0: by it, it is chosen.
    pub number: u32,
    /// What it is.
    pub kind: FoundKind,
    /// What people call it.
    pub title: DocumentTitle,
    /// How many agents it has, those of inner teams included.
    pub agents: u32,
    /// Whether a run of it can be started.
    pub can_run: bool,
    /// What was read otherwise than it stands there, what is missing, and what will hardly work as it was meant.
    pub findings: Vec<FileFinding>,
}

/// What something in a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FoundKind {
    /// A team.
    Team,
    /// An agent.
    Agent,
    /// A model.
    Model,
    /// A tool.
    Tool,
    /// A condition by which a team ends.
    Condition,
    /// A server of tools.
    Workbench,
}

/// Files of which only some is to be made documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportChosen {
    /// The files, as they were read before.
    pub files: Vec<TeamFile>,
    /// The numbers of what is chosen.
    pub chosen: Vec<u32>,
}

/// What was taken in of a database of AutoGen Studio.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedStudio {
    /// Its teams, each a document now.
    pub teams: Vec<ImportedTeam>,
    /// How many galleries are documents now.
    pub galleries: u32,
    /// How many sessions are documents now.
    pub sessions: u32,
    /// How many runs can be read now.
    pub runs: u32,
    /// How many of all these were here already, and were left as they are.
    pub known: u32,
    /// What was left out, and why, in sentences.
    pub left_out: Vec<String>,
    /// How many more were left out than there are sentences.
    pub more_left_out: u32,
}

/// Something that a person should know, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileFinding {
    /// The file, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The place as a JSON pointer; empty for the whole.
    pub place: String,
    /// What it is, in a sentence.
    pub detail: String,
    /// Whether it keeps the team from running until a person decides.
    pub stops_runs: bool,
}

/// A team as files of another system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamExport {
    /// The files.
    pub files: Vec<TeamFile>,
    /// What did not go along, at its places in the team's document.
    pub losses: Vec<FileFinding>,
}

/// A form in which other systems keep teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TeamFormat {
    /// JSON that all versions of AutoGen load, without tool servers.
    Autogen,
    /// JSON for AutoGen 0.5 and its Studio, with one tool server an agent.
    AutogenOlder,
    /// JSON for AutoGen 0.6 and later, with tool servers.
    AutogenNewer,
    /// YAML for Microsoft's Agent Framework.
    AgentFramework,
}

/// No form is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no form “{0}”. Choose autogen, autogen-older, autogen-newer or agent-framework")]
pub struct UnknownFormat(pub String);

impl TeamFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Autogen, Self::AutogenOlder, Self::AutogenNewer, Self::AgentFramework];

    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Autogen => "AutoGen, any version",
            Self::AutogenOlder => "AutoGen 0.5 and Studio",
            Self::AutogenNewer => "AutoGen 0.6 and later",
            Self::AgentFramework => "Agent Framework",
        }
    }

    /// Its name in addresses.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Autogen => "autogen",
            Self::AutogenOlder => "autogen-older",
            Self::AutogenNewer => "autogen-newer",
            Self::AgentFramework => "agent-framework",
        }
    }
}

impl fmt::Display for TeamFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

impl FromStr for TeamFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.slug() == text);
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}
