use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use protocol::{ToolName, ToolServer, ToolSummary};

use crate::{Offer, Tool, mcp::McpServers};

/// All tools of a server: its own, and those of the tool servers that its settings name.
#[derive(Clone, Default)]
pub struct Registry {
    own: BTreeMap<ToolName, Arc<dyn Tool>>,
    servers: McpServers,
}

/// Two tools have one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There are two tools of the name {0}.")]
pub struct NameTaken(pub ToolName);

/// Which tools an agent wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All that are there.
    All,
    /// These.
    Named(BTreeSet<ToolName>),
}

impl Registry {
    /// Tools of servers alone.
    pub fn new(servers: McpServers) -> Self {
        Self { own: BTreeMap::new(), servers }
    }

    /// A further tool of Pitwall's own. It goes before a foreign one of the same name.
    ///
    /// # Errors
    /// There is one of this name already.
    pub fn with(mut self, tool: Arc<dyn Tool>) -> Result<Self, NameTaken> {
        let name = tool.definition().name().clone();
        if self.own.contains_key(&name) {
            return Err(NameTaken(name));
        }
        self.own.insert(name, tool);
        Ok(self)
    }

    /// The tools that an agent wants and that are there. Servers that are just being started are waited for, at
    /// most for as long as a start may take: a run that goes on after a restart is to find the same tools as before.
    pub async fn offer(&self, wanted: &Wanted) -> Offer {
        let is_wanted = |name: &ToolName| match wanted {
            Wanted::All => true,
            Wanted::Named(names) => names.contains(name),
        };
        let foreign = match wanted {
            Wanted::Named(names) if names.iter().all(|name| self.own.contains_key(name)) => Vec::new(),
            _ => self.servers.tools().await,
        };
        let own = self.own.iter().filter(|(name, _)| is_wanted(name));
        let mut tools: BTreeMap<_, _> = own.map(|(name, tool)| (name.clone(), tool.clone())).collect();
        for tool in foreign.into_iter().filter(|tool| is_wanted(tool.definition().name())) {
            tools.entry(tool.definition().name().clone()).or_insert(tool);
        }
        let missing = match wanted {
            Wanted::All => Vec::new(),
            Wanted::Named(names) => names.iter().filter(|name| !tools.contains_key(*name)).cloned().collect(),
        };
        Offer::new(tools.into_values().collect(), missing)
    }

    /// The tools that there are at this moment, by name. A server that is being started has none yet.
    pub fn listed(&self) -> Vec<ToolSummary> {
        let own = self.own.values().map(|tool| tool.definition().summary());
        let foreign = self.servers().into_iter().flat_map(|server| server.tools);
        let foreign = foreign.filter(|tool| !self.own.contains_key(&tool.name));
        let listed: BTreeMap<ToolName, ToolSummary> =
            own.chain(foreign).map(|tool| (tool.name.clone(), tool)).collect();
        listed.into_values().collect()
    }

    /// How the servers stand, by name.
    pub fn servers(&self) -> Vec<ToolServer> {
        self.servers.standing()
    }

    /// Ends all servers that Pitwall runs.
    pub async fn close(&self) {
        self.servers.close().await;
    }
}
