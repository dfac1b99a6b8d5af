//! Pitwall itself, inside this process and as a process of its own.

use std::{net::SocketAddr, process::Stdio, sync::Arc};

use clap::Parser;
use server::{Access, AccessOptions, Command, CommandLine, Listener, Service};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::Child,
};

/// A folder on the disk that holds the build: a folder for passing files may be in memory.
pub fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The clients of the benchmark show no token, and all are one account's.
pub const OPEN_TO_ALL: [&str; 3] = ["--no-auth", "--sockets-per-account", "100000"];

/// Pitwall's service in this process.
pub struct Pitwall {
    pub service: Arc<Service>,
    access: AccessOptions,
    _folder: TempDir,
}

impl Pitwall {
    /// Opens it on a new file; its rehearsal writes without pause.
    pub async fn open() -> Self {
        let folder = folder();
        let data = folder.path().to_str().unwrap();
        let line =
            ["pitwall", "serve", "--data", data, "--rehearsal-speed", "0"].into_iter().chain(OPEN_TO_ALL);
        let Command::Serve(options) = CommandLine::parse_from(line).command else {
            unreachable!("as the line says")
        };
        Self { service: server::open(&options).await.unwrap(), access: options.access, _folder: folder }
    }

    /// Serves its interfaces in the background, and says where.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let access =
            Access::new(&self.access, server::BasePath::default(), self.service.accounts.clone(), address)
                .await
                .unwrap();
        let router = server::interfaces(self.service.clone(), access).into_make_service();
        tokio::spawn(async move { axum::serve(Listener::new(listener), router).await });
        address
    }
}

/// A server in a process of its own.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
}

impl Process {
    /// Starts it and waits until it says where it listens.
    pub async fn start(mut command: tokio::process::Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the server says where it listens");
        let address =
            line.rsplit_once("http://").expect("an address").1.trim_end_matches('/').parse().unwrap();
        Self { address, child }
    }

    /// Bytes of memory in use; `None` where the system does not tell.
    pub fn memory(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024.0)
    }
}
