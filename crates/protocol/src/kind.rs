//! What families tell of their kinds of workflow, so that pages need no family to offer and draw them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{NodeId, ProfileName, Workflow, WorkflowKind};

/// A kind of workflow, as its family describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindSpec {
    /// The kind.
    pub kind: WorkflowKind,
    /// The family that it belongs to, as a slug.
    pub family: String,
    /// Its name for people.
    pub label: String,
    /// What it does, in a sentence.
    pub hint: String,
    /// Its icon, by the words that also choose those of nodes.
    pub icon: String,
    /// The parameter that says what a run is about: its choices are found by the search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The parameter that says as of which day a run works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The phases that runs are continued from, in their order. Where there are none, all that a run has
    /// reached are offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseSpec>,
    /// What a run takes from others of its flow.
    pub flow: FlowSpec,
    /// Whether its runs are started by other runs alone, so that nobody is offered to start one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_below: bool,
}

/// A phase that a run can be continued from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhaseSpec {
    /// The phase, as in the plan.
    pub phase: String,
    /// Its name in the menu.
    pub title: String,
    /// What it means to go on from there.
    pub hint: String,
}

/// What runs of one kind have to do with the other runs of their flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowSpec {
    /// What is said where a run begins a new flow.
    pub new: String,
    /// What is said where it joins one.
    pub joined: String,
    /// What it reads of its flow, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<FlowReads>,
}

/// What a run reads of its flow: the results of runs of another kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowReads {
    /// The other kind.
    pub kind: WorkflowKind,
    /// What one such result is called.
    pub one: String,
    /// What several are called.
    pub many: String,
    /// What is said where the flow has none yet.
    pub none: String,
    /// What is said where it has some; `{}` stands for how many.
    pub some: String,
}

/// A kind of workflow with what its runs can be started with by one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Startable {
    /// The kind.
    pub spec: KindSpec,
    /// The parameters, as the JSON schema of an object. What can be chosen stands as `oneOf` with `const`,
    /// `title` and `description`, days have `formatMinimum` and `formatMaximum`, and `errorMessage` has a
    /// sentence by the keyword that a value does not satisfy; `{}` stands there for what was given. One by
    /// `search` makes a list of choices one that is searched, one by `empty` stands where there are none.
    pub parameters: Value,
    /// A workflow that can be run offline, if the account has all that it takes.
    pub sample: Option<Workflow>,
    /// The nodes of the sample, to choose where a run pauses.
    pub nodes: Vec<PlannedNode>,
}

/// A node that runs of a kind have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedNode {
    /// The node.
    pub id: NodeId,
    /// Its name for people.
    pub label: String,
    /// Its phase.
    pub phase: String,
}

/// Something that runs can be about, as the search finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subject {
    /// Its word, which stands in the titles of the runs about it.
    pub word: String,
    /// Its name for people.
    pub name: String,
}

impl Startable {
    /// What runs of this kind can be about: the choices of the parameter that says so.
    pub fn subjects(&self) -> Vec<Subject> {
        let choices = || {
            let name = self.spec.subject.as_ref()?;
            self.parameters.get("properties")?.get(name)?.get("oneOf")?.as_array()
        };
        let subject = |choice: &Value| {
            let word = choice.get("const")?.as_str()?.to_owned();
            let name = choice.get("title").and_then(Value::as_str).unwrap_or(&word).to_owned();
            Some(Subject { word, name })
        };
        choices().into_iter().flatten().filter_map(subject).collect()
    }
}

/// What the start form offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartOptions {
    /// The kinds of workflow, in the order in which they are offered.
    pub kinds: Vec<Startable>,
    /// The configured model, or none: then only the rehearsal answers.
    pub configured_model: Option<String>,
    /// Models that can be chosen by name.
    #[serde(default)]
    pub profiles: Vec<ProfileName>,
}

/// What is to be said of one parameter of a run before it is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParameterRemark {
    /// The parameter.
    pub parameter: String,
    /// What is wrong with it and what to do, in a sentence or two.
    pub detail: String,
}
