use serde::{Deserialize, Serialize};

use super::product;
use crate::{NodeId, Product, ProductData, ProductTone, Standing};

/// How a task is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPlan {
    /// What is to be done. A step may rest on any others, but not on itself, directly or by a detour.
    pub steps: Vec<Step>,
}

/// A part of a task that one agent carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the plan calls it.
    pub id: String,
    /// The node of the run that does it.
    pub node: NodeId,
    /// What it is about, in a few words.
    pub title: String,
    /// What is to be done.
    pub instruction: String,
    /// The ids of the steps whose results it needs.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// The step.
    pub step: String,
    /// What it is about.
    pub title: String,
    /// Its end.
    pub end: StepEnd,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepEnd {
    /// It has a result.
    Done {
        /// The result, as Markdown.
        text: String,
    },
    /// It came to nothing.
    Failed {
        /// Why, in a sentence.
        reason: String,
    },
}

impl ProductData for TaskPlan {
    const KIND: &'static str = "resolver.plan";
}

impl ProductData for StepResult {
    const KIND: &'static str = "resolver.result";
}

impl TaskPlan {
    /// The product that it stands in.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn product(&self) -> serde_json::Result<Product> {
        let headline = match self.steps.len() {
            1 => "A plan of 1 step".to_owned(),
            steps => format!("A plan of {steps} steps"),
        };
        product(self, headline, ProductTone::Neutral, Standing::Step)
    }
}

impl StepResult {
    /// The product that it stands in.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn product(&self) -> serde_json::Result<Product> {
        let (word, tone) = match self.end {
            StepEnd::Done { .. } => ("done", ProductTone::Good),
            StepEnd::Failed { .. } => ("not done", ProductTone::Attention),
        };
        product(self, format!("{}: {word}", self.title), tone, Standing::Data)
    }
}
