//! What agents may call. Nothing of it is run from a file: a tool's source is kept for export alone, and a tool
//! server is a setting of the operator, never of a file.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Kept, is_false};
use crate::source_identity::{KnownTool, SourceIdentity};

/// A tool as a file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// What the model calls it.
    pub name: String,
    /// What the model is told of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it is.
    pub kind: ToolKind,
    /// What else the file says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Kept,
}

/// What a tool is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToolKind {
    /// A function of Python, kept and never run.
    Function {
        /// Its source, without passwords and keys.
        source: String,
        /// What it imports, as the file says it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        imports: Vec<Value>,
        /// Whether it can be told to stop.
        #[serde(default, skip_serializing_if = "is_false")]
        cancellation: bool,
    },
    /// A tool of the server that runs the team, by its name. A file of another system has none.
    Server,
    /// Another kind, kept and never run.
    Other {
        /// What the file calls it.
        provider: String,
        /// What the file says of it.
        #[serde(default)]
        config: Kept,
    },
}

impl Tool {
    /// The well-known tool that it is, by its source.
    #[must_use]
    pub fn known(&self) -> Option<KnownTool> {
        match &self.kind {
            ToolKind::Function { source, .. } => SourceIdentity::of(source).known(),
            ToolKind::Server | ToolKind::Other { .. } => None,
        }
    }
}

/// Where an agent may call tools that are not in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Workbench {
    /// A tool server that speaks the Model Context Protocol.
    Mcp {
        /// The server.
        server: McpServer,
        /// Names and descriptions that replace the server's, by the server's names.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        overrides: Kept,
    },
    /// Another kind, kept for export.
    Other {
        /// What the file calls it.
        provider: String,
        /// What the file says of it.
        #[serde(default)]
        config: Kept,
    },
}

/// How a file says that a tool server is reached. It is a description for people: no command and no address of a
/// file is ever used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct McpServer {
    /// The way to it.
    #[serde(flatten)]
    pub transport: McpTransport,
    /// Timeouts and the like.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Kept,
}

/// The way to a tool server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "transport", rename_all = "snake_case")]
pub enum McpTransport {
    /// A program.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments, without keys.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        arguments: Vec<String>,
        /// The names of its environment's variables. Their values may be keys and are not kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        variables: Vec<String>,
    },
    /// An address with server-sent events.
    Sse {
        /// The address, without keys.
        url: String,
        /// The names of the headers. Their values may be keys and are not kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<String>,
    },
    /// An address with streamable HTTP.
    StreamableHttp {
        /// The address, without keys.
        url: String,
        /// The names of the headers. Their values may be keys and are not kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<String>,
    },
}

impl McpTransport {
    /// The program or the address, as people name the server.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Stdio { command, .. } => command,
            Self::Sse { url, .. } | Self::StreamableHttp { url, .. } => url,
        }
    }
}
