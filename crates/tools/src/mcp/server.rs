use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use protocol::{Timestamp, ToolServer, ToolServerName, ToolServerState};
use rmcp::{Peer, RoleClient};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    endpoint::Endpoint,
    limits::Limits,
    listing::{ListedTool, Listing},
    redactor::Redactor,
    session,
};

/// Bytes of a sentence about a failure.
const LONGEST_REASON: usize = 400;

/// A server of tools as the settings describe it.
#[derive(Clone, Debug)]
pub struct McpServer {
    /// Its name, with which the names of its tools begin.
    pub name: ToolServerName,
    /// How it is reached.
    pub endpoint: Endpoint,
    /// What it may take.
    pub limits: Limits,
}

/// A server, and how it stands.
pub(super) struct Supervised {
    server: McpServer,
    redactor: Redactor,
    standing: watch::Sender<Standing>,
    check_requested: Notify,
}

#[derive(Clone)]
enum Standing {
    Starting,
    Ready(Arc<Ready>),
    Failed { reason: String, again_at: Timestamp },
    Ended,
}

/// A server that answers.
pub(super) struct Ready {
    since: Timestamp,
    pub(super) peer: Peer<RoleClient>,
    pub(super) listing: Listing,
}

impl Supervised {
    pub(super) fn new(server: McpServer) -> Self {
        let redactor = Redactor::of(&server.endpoint);
        let (standing, _) = watch::channel(Standing::Starting);
        Self { server, redactor, standing, check_requested: Notify::new() }
    }

    pub(super) fn name(&self) -> &ToolServerName {
        &self.server.name
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.server.endpoint
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.server.limits
    }

    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Has the supervisor ask soon whether the server still answers.
    pub(super) fn request_check(&self) {
        self.check_requested.notify_one();
    }

    /// Waits until a caller suspects that the server no longer answers. Cancel-safe.
    pub(super) async fn check_requested(&self) {
        self.check_requested.notified().await;
    }

    /// It answers, and offers this.
    pub(super) fn is_ready(&self, peer: Peer<RoleClient>, listing: Listing) {
        self.standing.send_modify(|standing| {
            let since = match standing {
                Standing::Ready(ready) => ready.since,
                _ => now(),
            };
            *standing = Standing::Ready(Arc::new(Ready { since, peer, listing }));
        });
    }

    /// Where it can be called, or a sentence that says why it cannot.
    pub(super) fn ready(&self) -> Result<Arc<Ready>, String> {
        match &*self.standing.borrow() {
            Standing::Ready(ready) => Ok(ready.clone()),
            Standing::Starting => Err("It is being started.".to_owned()),
            Standing::Failed { reason, .. } => Err(reason.clone()),
            Standing::Ended => Err("Pitwall ends.".to_owned()),
        }
    }

    /// The same, once its first start has come to an end.
    pub(super) async fn settled(&self) -> Option<Arc<Ready>> {
        let mut standing = self.standing.subscribe();
        let settled = standing.wait_for(|standing| !matches!(standing, Standing::Starting)).await;
        // The sender is this server's own.
        drop(settled);
        self.ready().ok()
    }

    /// What people are shown.
    pub(super) fn describe(&self) -> ToolServer {
        let standing = self.standing.borrow().clone();
        let (state, tools, left_out) = match standing {
            Standing::Starting => (ToolServerState::Starting, Vec::new(), Vec::new()),
            Standing::Ready(ready) => (
                ToolServerState::Ready { since: ready.since },
                ready.listing.tools.iter().map(|tool: &Arc<ListedTool>| tool.definition.summary()).collect(),
                ready.listing.left_out.clone(),
            ),
            Standing::Failed { reason, again_at } => {
                (ToolServerState::Failed { reason, again_at }, Vec::new(), Vec::new())
            }
            Standing::Ended => {
                let reason = "Pitwall ends.".to_owned();
                (ToolServerState::Failed { reason, again_at: now() }, Vec::new(), Vec::new())
            }
        };
        let (name, reached) = (self.server.name.clone(), self.server.endpoint.shown());
        ToolServer { name, reached, state, tools, left_out }
    }
}

/// Keeps a server going until Pitwall ends: starts it, and tries again after growing pauses when it fails.
pub(super) async fn supervise(server: Arc<Supervised>, ended: CancellationToken) {
    let limits = *server.limits();
    let mut pause = limits.first_pause;
    loop {
        let begun = Instant::now();
        let Err(error) = session::serve(&server, &ended).await else { break };
        if begun.elapsed() > limits.longest_pause {
            pause = limits.first_pause;
        }
        let reason = server.redactor.line(&error.to_string(), LONGEST_REASON);
        tracing::warn!(server = %server.name(), reason, pause = ?pause, "a tool server failed and is tried again");
        let milliseconds = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let again_at = Timestamp(now().0.saturating_add(milliseconds));
        server.standing.send_replace(Standing::Failed { reason, again_at });
        tokio::select! {
            () = ended.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
        pause = pause.saturating_mul(2).min(limits.longest_pause);
    }
    server.standing.send_replace(Standing::Ended);
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
