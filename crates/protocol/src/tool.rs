//! Servers of tools, as the settings name them, and what is known of them.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, ToolName, ToolServerName};

/// A server of tools that the settings name, and how it stands. Keys, arguments and the values of
/// variables are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolServer {
    /// Its name, with which the names of its tools begin.
    pub name: ToolServerName,
    /// How it is reached.
    pub reached: ToolServerReach,
    /// Whether its tools can be called.
    pub state: ToolServerState,
    /// The tools that it offers now; none while it is not ready.
    pub tools: Vec<ToolSummary>,
    /// Sentences about tools of it that cannot be offered, and why.
    pub left_out: Vec<String>,
}

/// How a server of tools is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ToolServerReach {
    /// Pitwall runs it.
    Program {
        /// The file's name, without its folder.
        file: String,
    },
    /// It is asked over the network.
    Network {
        /// The host, with the port where one is named.
        host: String,
    },
}

/// How a server of tools stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ToolServerState {
    /// It has not answered yet.
    Starting,
    /// Its tools can be called.
    Ready {
        /// Since then.
        since: Timestamp,
    },
    /// Its tools cannot be called.
    Failed {
        /// Why, as a sentence.
        reason: String,
        /// When it is tried again.
        again_at: Timestamp,
    },
}

/// A tool as people see it in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolSummary {
    /// The name by which a model calls it.
    pub name: ToolName,
    /// What it does, in the words of whoever offers it.
    pub description: String,
}
