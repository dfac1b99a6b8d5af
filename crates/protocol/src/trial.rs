//! Trials: one step of a finished run made again, several times and with something changed, to be looked at side by side.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Decimal, Digest, ModelChoice, NodeId, Product, RunId, RunStatus, Text, Tier, Usage, Workflow};

/// How freely a model chooses its words: 0 to 2, in steps of a hundredth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = 0, maximum = 2))]
pub struct Temperature(u8);

impl Temperature {
    /// The temperature that is nearest; `None` outside of 0 to 2.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=2.0).contains(&value).then(|| Self((value * 100.0).round() as u8))
    }

    /// As providers take it.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl Serialize for Temperature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for Temperature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::new(value).ok_or_else(|| de::Error::custom("a temperature is a number from 0 to 2"))
    }
}

/// What is changed in one variant of a step; what is left out stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Another model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelChoice>,
    /// The model of another tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// A temperature; the provider's own, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// Other texts of messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompt: Vec<PromptEdit>,
}

/// Another text of one message of the first question that a step asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PromptEdit {
    /// The message, by its place from 0.
    pub message: u32,
    /// What it is to say.
    pub text: String,
}

/// A request to make a step again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartTrials {
    /// The node.
    pub node: NodeId,
    /// Which of its visits; 1 is the first.
    #[serde(default = "once")]
    pub visit: u32,
    /// The variants; at least one. With [`StartTrials::times`] they make [`StartTrials::MOST`] trials at most.
    pub variants: Vec<Variant>,
    /// How often each of them is tried.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl StartTrials {
    /// Trials of one request.
    pub const MOST: u32 = 20;

    /// How many trials it asks for.
    ///
    /// # Errors
    /// None, or too many, in a sentence.
    pub fn count(&self) -> Result<u32, String> {
        let variants = u32::try_from(self.variants.len()).unwrap_or(u32::MAX);
        match variants.checked_mul(self.times) {
            Some(0) => Err("Nothing is to be tried. Name a variant, and how often to try it.".to_owned()),
            Some(count) if count <= Self::MOST => Ok(count),
            _ => Err(format!(
                "{variants} variants, {} times each, are more than {} trials. Ask for fewer.",
                self.times,
                Self::MOST
            )),
        }
    }

    /// The name of a variant, by its place from 0: A, B, C …
    pub fn name(place: usize) -> String {
        u8::try_from(place)
            .ok()
            .filter(|place| *place < 26)
            .map_or_else(|| format!("variant {}", place + 1), |place| char::from(b'A' + place).to_string())
    }
}

/// The parameters of a trial, which is a run of its own: a continuation that makes one visit again and ends there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// What the run was to do whose step is tried.
    pub workflow: Workflow,
    /// The node.
    pub node: NodeId,
    /// The visit.
    pub visit: u32,
    /// The variant's name, such as `A`.
    pub name: String,
    /// Which try of this variant, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// The tier whose model answers, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The temperature, if one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// The messages that say something else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replacement>,
    /// Whether the model that was chosen for the trial answers, also where the node asks one of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_model_chosen: bool,
}

impl Trial {
    /// The kind of workflow.
    pub const KIND: &'static str = "trial";

    /// The trial that a workflow describes; `None` for any other kind.
    ///
    /// # Errors
    /// Its parameters are not those of a trial.
    pub fn read(workflow: &Workflow) -> Option<serde_json::Result<Self>> {
        (workflow.kind().as_str() == Self::KIND)
            .then(|| Self::deserialize(serde_json::Value::Object(workflow.parameters().clone())))
    }

    /// The same as a workflow.
    ///
    /// # Errors
    /// It is larger than parameters may be, in a sentence.
    pub fn to_workflow(&self) -> Result<Workflow, String> {
        let kind = Self::KIND.parse().map_err(|_| "Trials have no kind.".to_owned())?;
        let parameters = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(parameters)) => parameters,
            _ => return Err("The trial has no JSON form.".to_owned()),
        };
        Workflow::new(kind, parameters).map_err(|why| {
            format!("The texts of this variant are too long for a trial: {why}. Shorten them.")
        })
    }
}

/// A message that says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The digest of the message as it was, in the form in which the log has it.
    pub message: Digest,
    /// What it says.
    pub text: String,
}

/// The trials that were started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialsStarted {
    /// Their runs: each variant with all of its tries, in order.
    pub runs: Vec<RunId>,
    /// Why the others were not started, if some were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What trials will cost, by the calls of the recorded step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialEstimate {
    /// The trials that were asked for.
    pub trials: u32,
    /// The calls of a model that the step made.
    pub calls: u32,
    /// Their tokens together; not known where a provider did not report them.
    pub usage: Usage,
    /// For each variant what one try of it would cost.
    pub variants: Vec<VariantEstimate>,
    /// US dollars of all trials together; `None` where that of one variant is not known.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub total: Option<Decimal>,
}

/// What one try of a variant would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VariantEstimate {
    /// The variant's name.
    pub name: String,
    /// The models that would answer.
    pub models: Vec<String>,
    /// US dollars, with as many tokens as the recorded step had; `None` if not known.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// Why the cost is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// The trials of a run's steps, or of one step, with how that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialReport {
    /// The step that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<TriedStep>,
    /// Trials, oldest first, the last [`TrialReport::MOST`] of them.
    pub trials: Vec<TrialOutcome>,
    /// Whether there are older ones.
    pub more: bool,
}

impl TrialReport {
    /// Trials that are told of.
    pub const MOST: usize = 40;
}

/// A step of a run as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TriedStep {
    /// What people call the node.
    pub label: String,
    /// What the run is called.
    pub title: String,
    /// The messages of its first question, which variants can change.
    pub prompt: Vec<PromptMessage>,
    /// What it came to.
    pub outcome: StepOutcome,
}

/// A message of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromptMessage {
    /// Who says it: `system`, `user` …
    pub role: String,
    /// What it says.
    pub text: String,
    /// Whether a variant can change it: what a model or a tool said stays.
    pub can_change: bool,
}

/// What a step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepOutcome {
    /// The models that answered.
    pub models: Vec<String>,
    /// The last answer; empty where none came.
    pub answer: Text,
    /// What it brought forth.
    pub products: Vec<Product>,
    /// Calls of a model.
    pub calls: u32,
    /// Their tokens together; not known where one was not reported.
    pub usage: Usage,
    /// US dollars; `None` where that of one call is not known.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::Amount>))]
    pub cost: Option<Decimal>,
    /// How long it took, in milliseconds; `None` while it works.
    pub duration_ms: Option<u64>,
    /// Why it came to nothing, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A trial, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrialOutcome {
    /// Its run.
    pub run: RunId,
    /// The node.
    pub node: NodeId,
    /// The visit.
    pub visit: u32,
    /// Its variant's name.
    pub name: String,
    /// Which try of the variant, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// Which model was to answer.
    pub model: ModelChoice,
    /// The tier, if it was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The temperature, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// Messages that said something else.
    pub changed_messages: u32,
    /// Where the run stands.
    pub status: RunStatus,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the step came to.
    pub outcome: StepOutcome,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_lies_between_0_and_2() {
        let read = |text: &str| serde_json::from_str::<Temperature>(text).ok().map(Temperature::value);
        assert_eq!(read("0"), Some(0.0));
        assert_eq!(read("0.70"), Some(0.7));
        assert_eq!(read("2"), Some(2.0));
        assert_eq!((read("-0.1"), read("2.01"), read("\"1\""), read("null")), (None, None, None, None));
    }

    #[test]
    fn variants_and_times_make_at_most_20_trials() {
        let count = |variants: usize, times| {
            let node = "a".parse().unwrap();
            StartTrials { node, visit: 1, variants: vec![Variant::default(); variants], times }.count()
        };
        assert_eq!((count(4, 5), count(1, 1)), (Ok(20), Ok(1)));
        assert!(count(0, 5).is_err() && count(3, 0).is_err());
        assert!(count(3, 7).unwrap_err().contains("more than 20 trials"));
        assert!(count(2, u32::MAX).is_err());
    }
}
