//! What is to be done: a kind of workflow, and parameters that only its family reads.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

use crate::{Date, WorkflowKind, document::DocumentReference};

/// The key under which the kind stands beside the parameters in JSON.
const TYPE: &str = "type";
/// The most bytes of names and values together: a run's summary, which lists hold, carries them.
const MOST_BYTES: usize = 32 * 1024;
/// The most levels of lists and objects within each other.
const DEEPEST: usize = 16;

/// A kind of workflow with its parameters. What the parameters mean is known to the kind's family
/// alone, so that a run of any kind can be listed, opened, exported and deleted.
///
/// In JSON the kind stands as `type` before the parameters: `{"type":"essay","topic":"rain"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    kind: WorkflowKind,
    parameters: Map<String, Value>,
}

/// Why something is no [`Workflow`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWorkflow {
    /// A parameter has the kind's place in the JSON.
    #[error("a parameter is called \"type\", which is the kind's own name")]
    Reserved,
    /// The parameters have too many bytes.
    #[error("its parameters have more than {MOST_BYTES} bytes")]
    TooLarge,
    /// The parameters are nested too deeply.
    #[error("its parameters have more than {DEEPEST} levels within each other")]
    TooDeep,
}

impl Workflow {
    /// A workflow of this kind.
    ///
    /// # Errors
    /// See [`InvalidWorkflow`].
    pub fn new(kind: WorkflowKind, parameters: Map<String, Value>) -> Result<Self, InvalidWorkflow> {
        if parameters.contains_key(TYPE) {
            return Err(InvalidWorkflow::Reserved);
        }
        let mut bytes = 0;
        parameters.iter().try_for_each(|(name, value)| {
            bytes += name.len();
            measure(value, 1, &mut bytes)
        })?;
        Ok(Self { kind, parameters })
    }

    /// The same for parameters that are short and flat by their types.
    pub(crate) fn of_family(kind: WorkflowKind, parameters: Map<String, Value>) -> Self {
        Self { kind, parameters }
    }

    /// A workflow of this kind without parameters.
    pub fn bare(kind: WorkflowKind) -> Self {
        Self { kind, parameters: Map::new() }
    }

    /// The kind.
    pub fn kind(&self) -> &WorkflowKind {
        &self.kind
    }

    /// The parameters, in the order in which they were given.
    pub fn parameters(&self) -> &Map<String, Value> {
        &self.parameters
    }

    /// The text of a parameter, if it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.as_str()
    }

    /// The document that a run of it is made from, with its version, as families resolve it; of several, the first.
    pub fn document(&self) -> Option<DocumentReference> {
        self.parameters.values().find_map(version_named)
    }

    /// The same workflow with another value of one parameter.
    ///
    /// # Errors
    /// See [`InvalidWorkflow`].
    pub fn with(mut self, name: &str, value: Value) -> Result<Self, InvalidWorkflow> {
        self.parameters.insert(name.to_owned(), value);
        Self::new(self.kind, self.parameters)
    }
}

/// The version of a document that a parameter names.
pub(crate) fn version_named(parameter: &Value) -> Option<DocumentReference> {
    let text = parameter.as_str().filter(|text| text.contains('@'))?;
    text.parse().ok().filter(|reference: &DocumentReference| reference.version.is_some())
}

/// Adds the bytes of a value at this level to `bytes`, and gives up as soon as there are too many.
fn measure(value: &Value, level: usize, bytes: &mut usize) -> Result<(), InvalidWorkflow> {
    // What a number or a bracket takes at least.
    *bytes += match value {
        Value::String(text) => text.len() + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => 8,
    };
    if *bytes > MOST_BYTES {
        return Err(InvalidWorkflow::TooLarge);
    }
    match value {
        Value::Array(_) | Value::Object(_) if level > DEEPEST => Err(InvalidWorkflow::TooDeep),
        Value::Array(values) => values.iter().try_for_each(|value| measure(value, level + 1, bytes)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            *bytes += name.len();
            measure(value, level + 1, bytes)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

impl Serialize for Workflow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(1 + self.parameters.len()))?;
        fields.serialize_entry(TYPE, &self.kind)?;
        for (name, value) in &self.parameters {
            fields.serialize_entry(name, value)?;
        }
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Workflow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Workflow;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with the kind of a workflow as \"type\"")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Workflow, A::Error> {
                let (mut kind, mut parameters) = (None::<WorkflowKind>, Map::new());
                while let Some(name) = given.next_key::<String>()? {
                    if name != TYPE {
                        parameters.insert(name, given.next_value()?);
                    } else if kind.replace(given.next_value()?).is_some() {
                        return Err(A::Error::duplicate_field(TYPE));
                    }
                }
                let kind = kind.ok_or_else(|| A::Error::missing_field(TYPE))?;
                Workflow::new(kind, parameters).map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// The form of a [`Workflow`] for the OpenAPI document.
#[cfg(feature = "openapi")]
mod document {
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            ObjectBuilder, RefOr, Schema,
            schema::{AdditionalProperties, Type},
        },
    };

    use super::{TYPE, Workflow};
    use crate::WorkflowKind;

    impl PartialSchema for Workflow {
        fn schema() -> RefOr<Schema> {
            let object = ObjectBuilder::new()
                .schema_type(Type::Object)
                .description(Some(
                    "A kind of workflow, and beside it the parameters of that kind, as `GET /api/v1/start-options` \
                     describes them by a JSON schema.",
                ))
                .property(TYPE, WorkflowKind::schema())
                .required(TYPE)
                .additional_properties(Some(AdditionalProperties::FreeForm(true)));
            object.into()
        }
    }

    impl ToSchema for Workflow {}
}

/// What a run is called, said once by its family in the run's first event: lists and pages need no
/// family to name a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heading {
    /// The run's title, such as `Essay · rain · 3 rounds`. Searches look here.
    pub title: String,
    /// What it is about, in a word or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A remark that stands beside the title, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<String>,
    /// The day as of which it works, where it works as of one.
    #[serde(
        default,
        deserialize_with = "crate::date::deserialize_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub as_of: Option<Date>,
}

impl Heading {
    /// A title and nothing else.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), subject: None, badge: None, as_of: None }
    }

    /// The heading of a run whose family is not known.
    pub fn of_unknown(kind: &WorkflowKind) -> Self {
        Self::new(format!("{kind} · made by another version"))
    }
}
