//! Servers of tools for the tests.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use llm::Secret;
use protocol::{ToolServer, ToolServerState, ToolStatus};
use serde_json::Value;
use tools::{
    Offer, Outcome, Registry, Wanted,
    mcp::{Endpoint, Limits, McpServer, McpServers},
};

/// A key that must stand nowhere.
pub const KEY: &str = "sk-planted-4c1d90ab77";

/// Far more than a server takes to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Limits that no test runs into by chance.
pub fn wide() -> Limits {
    Limits {
        start: PATIENCE,
        call: PATIENCE,
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        ..Limits::default()
    }
}

/// Python itself: what stands on the path may be a script that sets variables before.
pub fn python() -> PathBuf {
    let asked = Command::new(on_path("python3")).args(["-c", "import sys; print(sys.executable)"]).output();
    PathBuf::from(String::from_utf8(asked.unwrap().stdout).unwrap().trim())
}

/// Where a program is.
pub fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing. Run `make test`, or scripts/setup.sh test before."))
}

pub fn program(name: &str, command: PathBuf, arguments: &[&str], limits: Limits) -> McpServer {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let variables = vec![("PLANTED_KEY".to_owned(), Secret::from(KEY)), ("SHORT".to_owned(), "1".into())];
    let endpoint = Endpoint::program(command, arguments, variables).unwrap();
    McpServer { name: name.parse().unwrap(), endpoint, limits }
}

/// A server of this folder, whose tools begin with `python_`.
pub fn unruly(mode: &str, limits: Limits) -> McpServer {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/unruly.py");
    program("python", python(), &[script.to_str().unwrap(), mode], limits)
}

pub fn network(url: &str, key: Option<Secret>, limits: Limits) -> McpServer {
    McpServer { name: "remote".parse().unwrap(), endpoint: Endpoint::network(url, key).unwrap(), limits }
}

/// One server, and what agents see of it.
pub struct Stage {
    pub registry: Registry,
}

impl Stage {
    pub fn new(server: McpServer) -> Self {
        Self { registry: Registry::new(McpServers::start([server])) }
    }

    pub fn standing(&self) -> ToolServer {
        let standing = self.registry.servers().remove(0);
        assert!(!serde_json::to_string(&standing).unwrap().contains(KEY), "{standing:?}");
        standing
    }

    /// Waits until the server stands like this.
    pub async fn until(&self, is_so: impl Fn(&ToolServer) -> bool) -> ToolServer {
        let waiting = async {
            loop {
                let standing = self.standing();
                if is_so(&standing) {
                    return standing;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("it never stood so: {:?}", self.standing()))
    }

    pub async fn until_ready(&self) -> ToolServer {
        self.until(|server| matches!(server.state, ToolServerState::Ready { .. })).await
    }

    /// Waits until it has failed, and says why.
    pub async fn until_failed(&self) -> String {
        let server = self.until(|server| matches!(server.state, ToolServerState::Failed { .. })).await;
        assert!(server.tools.is_empty());
        match server.state {
            ToolServerState::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    pub async fn offer(&self) -> Offer {
        self.registry.offer(&Wanted::All).await
    }

    pub async fn call(&self, name: &str, arguments: Value) -> Outcome {
        let outcome = self.offer().await.call(name, &arguments).await;
        assert!(!outcome.text.contains(KEY), "{outcome:?}");
        outcome
    }

    /// Calls a tool that must come to an error, and returns its words.
    pub async fn error(&self, name: &str, arguments: Value) -> String {
        let outcome = self.call(name, arguments).await;
        assert_eq!(outcome.status, ToolStatus::Error, "{outcome:?}");
        outcome.text
    }
}

/// Waits until all of these processes have ended: a signal takes a moment.
pub async fn until_ended(processes: &[u64]) {
    let waiting = async {
        while !processes.iter().all(|process| has_ended(*process)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("they end");
}

/// Whether a process has ended.
pub fn has_ended(process: u64) -> bool {
    // Behind the name in brackets stands the state; a zombie has ended.
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.trim_start().starts_with('Z'))
}
