use llm::ToolSpec;
use protocol::{ToolName, ToolSummary};
use serde_json::Value;

use crate::{ArgumentSchema, SchemaError, bounds::beginning};

/// Bytes of a description at most: every request to the model carries it.
const LONGEST_DESCRIPTION: usize = 2048;
/// Bytes of the sentence that lists show.
const LONGEST_SENTENCE: usize = 300;

/// What a model is told about a tool.
#[derive(Clone, Debug)]
pub struct Definition {
    name: ToolName,
    description: String,
    arguments: ArgumentSchema,
}

impl Definition {
    /// A tool of this name. The description tells a model when to use it; what is longer than 2 KiB is cut.
    ///
    /// # Errors
    /// The schema of the arguments cannot be used.
    pub fn new(name: ToolName, description: &str, arguments: Value) -> Result<Self, SchemaError> {
        let description = beginning(description.trim(), LONGEST_DESCRIPTION).to_owned();
        Ok(Self { name, description, arguments: ArgumentSchema::new(arguments)? })
    }

    /// The name by which a model calls it.
    pub fn name(&self) -> &ToolName {
        &self.name
    }

    /// The schema of its arguments.
    pub fn arguments(&self) -> &ArgumentSchema {
        &self.arguments
    }

    /// What a request to a model carries.
    pub fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.as_str().to_owned(),
            description: self.description.clone(),
            parameters: self.arguments.as_json().clone(),
        }
    }

    /// What a list of tools shows: the description's first line.
    pub fn summary(&self) -> ToolSummary {
        let line = self.description.lines().next().unwrap_or_default();
        let mut description = beginning(line, LONGEST_SENTENCE).to_owned();
        if description.len() < line.len() {
            description.push('…');
        }
        ToolSummary { name: self.name.clone(), description }
    }
}
