//! Agent teams: what a run of one brings forth, and how teams come from files and go into them.

mod file;

use serde::{Deserialize, Serialize};

use crate::{InvalidId, Product, ProductData, ProductTone, RunId, Standing, Workflow};

pub use file::{
    FileFinding, FoundKind, FoundPart, ImportChosen, ImportTeams, ImportedStudio, ImportedTeam,
    ImportedTeams, TakenFiles, TeamExport, TeamFile, TeamFilesRead, TeamFormat, UnknownFormat,
};

/// The kind of workflow, and of document.
pub const KIND: &str = "team";

/// The name of the team that is built in, which works without a model.
pub const SAMPLE: &str = "sample";

/// What people call it.
pub const SAMPLE_TITLE: &str = "Two writers and a critic";

/// The most messages of an earlier conversation that go along with a task.
pub const MOST_EARLIER: usize = 256;

/// The parameter of a run that names an earlier run, after which the team goes on.
pub const AFTER: &str = "after";

/// The node of a run that says who speaks next. What people tell it is that the team is to end: where that has a
/// condition for it, it ends after the present turn.
pub const LEAD: &str = "lead";

/// The kind of document of a session of AutoGen Studio: runs that belong together. Their flow is the document's id.
pub const SESSION_KIND: &str = "team-session";

/// The kind of document of a gallery of AutoGen Studio: parts to make teams of.
pub const GALLERY_KIND: &str = "team-gallery";

/// The kind of document of an account's settings in AutoGen Studio.
pub const SETTINGS_KIND: &str = "team-settings";

/// Something that was said in an earlier conversation that a task goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierMessage {
    /// Who said it: a name as participants have one.
    pub from: String,
    /// What it says.
    pub text: String,
}

/// The earlier run after which the team of this one goes on.
#[must_use]
pub fn goes_on_after(workflow: &Workflow) -> Option<RunId> {
    let named = workflow.text(AFTER).filter(|_| workflow.kind().as_str() == KIND)?;
    named.parse().ok()
}

/// Who speaks next, and how that was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamPick {
    /// The number of the turn, from 1.
    pub turn: u32,
    /// Who speaks.
    pub speaker: String,
    /// Why, in a sentence.
    pub reason: String,
    /// What a model answered when it was asked who that should be, each try with its answer; empty where no model
    /// was asked.
    pub answers: Vec<String>,
    /// Who could be chosen, where a model chose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// How far the team is from every end that is counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<TeamLimit>,
}

/// How far a team is from an end that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamLimit {
    /// What is counted, in words: `messages`, `turns`.
    pub counted: String,
    /// How many there are.
    pub reached: u64,
    /// At how many it ends.
    pub most: u64,
}

/// What was said and done in a turn, events such as calls of tools included, as AutoGen writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamTurn {
    /// The messages and events, in their order.
    pub messages: Vec<serde_json::Value>,
}

/// Something that was said to all of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamMessage {
    /// Who said it.
    pub source: String,
    /// What it is, such as `TextMessage`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says.
    pub content: String,
}

/// What a team came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamResult {
    /// What people call the team.
    pub team: String,
    /// Why it ended.
    pub stop_reason: String,
    /// The condition that ended it, or several with commas between them.
    pub stopped_by: String,
    /// What was said, the task included.
    pub messages: Vec<TeamMessage>,
    /// Turns that were taken.
    pub turns: u32,
    /// Tokens of all prompts, those of the choices of speakers included, as far as providers told them.
    pub tokens_in: u64,
    /// Tokens of all answers.
    pub tokens_out: u64,
}

impl ProductData for TeamPick {
    const KIND: &'static str = "team.pick";
}

impl ProductData for TeamTurn {
    const KIND: &'static str = "team.turn";
}

impl ProductData for TeamResult {
    const KIND: &'static str = "team.result";
}

/// Why something cannot stand in a log as a product.
#[derive(Debug, thiserror::Error)]
pub enum NoProduct {
    /// It has no JSON form.
    #[error("it has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// Its kind is none.
    #[error(transparent)]
    Kind(#[from] InvalidId),
}

impl TeamPick {
    /// The same as a product.
    ///
    /// # Errors
    /// See [`NoProduct`].
    pub fn product(&self) -> Result<Product, NoProduct> {
        made::<Self>(self, format!("{} speaks", self.speaker), ProductTone::Neutral, Standing::Step)
    }
}

impl TeamTurn {
    /// The same as a product.
    ///
    /// # Errors
    /// See [`NoProduct`].
    pub fn product(&self) -> Result<Product, NoProduct> {
        Self::product_of(&self.messages)
    }

    /// A turn of these messages and events, which are in AutoGen's form, as a product.
    ///
    /// # Errors
    /// See [`NoProduct`].
    pub fn product_of<M: Serialize>(messages: &[M]) -> Result<Product, NoProduct> {
        #[derive(Serialize)]
        struct Turn<'m, M> {
            messages: &'m [M],
        }
        let headline = format!("{} messages and events", messages.len());
        made::<Self>(&Turn { messages }, headline, ProductTone::Neutral, Standing::Data)
    }
}

impl TeamResult {
    /// The same as a product.
    ///
    /// # Errors
    /// See [`NoProduct`].
    pub fn product(&self) -> Result<Product, NoProduct> {
        made::<Self>(self, self.stop_reason.clone(), ProductTone::Neutral, Standing::Result)
    }
}

fn made<D: ProductData>(
    data: &impl Serialize,
    headline: String,
    tone: ProductTone,
    standing: Standing,
) -> Result<Product, NoProduct> {
    let json = serde_json::to_string(data)?;
    Ok(Product { kind: D::KIND.parse()?, headline, tone, standing, data: json.into() })
}
