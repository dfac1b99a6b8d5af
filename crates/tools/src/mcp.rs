//! Tools of servers that speak the Model Context Protocol (MCP).
//!
//! - [`McpServer`]: a server as the settings describe it; nothing else names a program or an address
//! - [`McpServers`]: all of them, each with a task of its own that starts it, lists its tools, notices its end and
//!   tries again
//!
//! What a server says is hostile. Messages, what it sends in a minute, tools, descriptions, schemas and results are
//! bounded, all waits end, and secrets that it was given are redacted in all that it says. Whatever it does, it
//! keeps neither Pitwall from starting nor a run from ending.

mod content;
mod endpoint;
mod error;
mod limits;
mod listing;
mod meter;
mod network;
mod program;
mod redactor;
mod remote;
mod server;
mod session;
mod standard_error;

use std::sync::Arc;

use protocol::ToolServer;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    endpoint::{Endpoint, EndpointError},
    limits::Limits,
    server::McpServer,
};
use self::{remote::RemoteTool, server::Supervised};
use crate::Tool;

/// All servers of tools, each watched by a task of its own.
#[derive(Clone, Default)]
pub struct McpServers {
    servers: Vec<Arc<Supervised>>,
    tasks: TaskTracker,
    ended: CancellationToken,
}

impl McpServers {
    /// Starts all of them and returns at once; how they stand shows [`Self::standing`].
    pub fn start(servers: impl IntoIterator<Item = McpServer>) -> Self {
        let (tasks, ended) = (TaskTracker::new(), CancellationToken::new());
        let mut servers: Vec<_> =
            servers.into_iter().map(|server| Arc::new(Supervised::new(server))).collect();
        servers.sort_by(|one, other| one.name().cmp(other.name()));
        for server in &servers {
            tasks.spawn(server::supervise(server.clone(), ended.clone()));
        }
        tasks.close();
        Self { servers, tasks, ended }
    }

    /// How they stand, by name.
    pub fn standing(&self) -> Vec<ToolServer> {
        self.servers.iter().map(|server| server.describe()).collect()
    }

    /// The tools of all that are ready. Those that have not answered yet are waited for; each has a time limit.
    pub(crate) async fn tools(&self) -> Vec<Arc<dyn Tool>> {
        let mut tools: Vec<Arc<dyn Tool>> = Vec::new();
        for server in &self.servers {
            if let Some(ready) = server.settled().await {
                let offered = ready.listing.tools.iter();
                tools
                    .extend(offered.map(|tool| Arc::new(RemoteTool::new(server.clone(), tool.clone())) as _));
            }
        }
        tools
    }

    /// Ends all of them, and waits until their programs have ended.
    pub async fn close(&self) {
        self.ended.cancel();
        self.tasks.wait().await;
    }
}
