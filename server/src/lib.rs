//! The server: configuration, the service behind all interfaces, and their routes.
//!
//! - [`serve`] runs until SIGTERM; [`open`] opens what it needs, and `error` says why it cannot
//! - `access`: authentication; `scope`: authorisation, what each caller may see and change
//! - `service`: what pages, REST and the routes of other systems share
//! - `routes`: all interfaces: `rest`, `run_socket`, `feeds`, `poll_routes`, `agentos`, `sign_in`, `pages`
//! - `own_access`: what people do with their own sessions, tokens, shares and accounts
//! - `base_path`: below which path all of them are
//! - `families`: what families serve beside their runs
//! - `documents`: what people make and keep, also as files
//! - `trials`: steps of runs made again with something changed
//! - `html_export`: a run as one page; `texts`: the long texts of their events; `live_text`: the text of calls in flight
//! - `peer`: the rules that every client follows, by socket or by poll; `serving`, `listener`: the connections
//!   below them
//! - `compression`: compressed responses; `headers`: what every response says of itself
//! - `settings`: the settings file; `model_setup`, `tool_servers`, `key`: what it describes
//! - `config`: options; `environment`: how variables are read; `logging`: the program's log
//! - `account_command`: accounts from the command line; `verify_command`: runs derived again from their logs; `upkeep`:
//!   backups, checks, retention

mod access;
mod account_command;
mod agentos;
mod base_path;
mod clock;
mod compression;
mod config;
mod documents;
mod environment;
mod error;
mod families;
mod feeds;
mod headers;
mod html_export;
mod key;
mod limits;
mod listener;
mod live_text;
mod logging;
mod model_setup;
mod opening;
mod own_access;
mod pages;
mod peer;
mod poll_routes;
mod problem;
mod rest;
mod routes;
mod run_socket;
mod scope;
mod service;
mod serving;
mod settings;
mod sign_in;
mod texts;
mod tool_servers;
mod trials;
mod upkeep;
mod verify_command;

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

pub use access::Access;
pub use account_command::manage_accounts;
use app::Heartbeat;
pub use base_path::BasePath;
pub use config::{
    AccessOptions, AccountAct, AccountOptions, BackupOptions, CheckOptions, Command, CommandLine,
    DataOptions, ListenOptions, LogOptions, ModelOptions, Origin, RetentionOptions, RunOptions, ServeOptions,
    VerifyOptions,
};
pub use error::ServeError;
pub use families::{FamilyCommand, execute};
pub use listener::Listener;
pub use logging::{LogFilter, LogFormat, Logging};
pub use opening::{open, open_with};
pub use peer::Sockets;
use protocol::AccessMode;
pub use routes::interfaces;
use routes::{guarded, routes};
pub use run_socket::Position;
use scope::Gateway;
pub use service::Service;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
pub use upkeep::{back_up, check};
pub use verify_command::{Verdict, verify};

/// How long open requests and sockets may take to end at a shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens everything and serves it, see [`serve_opened`].
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let site = pages::find_site(options.listen.site.as_deref()).ok_or(ServeError::NoSite)?;
    let listener = TcpListener::bind(options.listen.addr)
        .await
        .map_err(|error| ServeError::Listen(options.listen.addr, error))?;
    let service = open(&options).await?;
    serve_opened(&options, service, listener, &site).await
}

/// Serves the pages in `site` and all interfaces until SIGTERM or Ctrl-C, then shuts down in order: sockets are
/// closed with code 1012, and active runs are left in the log, to be resumed at the next start.
///
/// # Errors
/// See [`ServeError`]; that of the journal where its writer has ended, as nothing can be stored any more.
pub async fn serve_opened(
    options: &ServeOptions,
    service: Arc<Service>,
    listener: TcpListener,
    site: &Path,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    let base = options.listen.base_path.clone();
    app::base::set(base.as_str().to_owned());
    let access = Access::new(&options.access, base.clone(), service.accounts.clone(), address).await?;
    let continued = service.engine.resume().await?;
    if continued > 0 {
        tracing::info!(runs = continued, "continuing what was unfinished");
    }
    // Whoever reads that the server is ready may end it at once.
    let told_to_end = told_to_end()?;
    announce(&access, address);
    let gateway = Gateway::new(service.clone(), access);
    let heartbeat = Heartbeat(options.listen.heartbeat);
    let routes = routes(gateway.clone(), &base).merge(pages::router(gateway.clone(), site, heartbeat));
    let router = base_path::below(base, guarded(routes, gateway));

    let shutdown = service.shutdown.clone();
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            told_to_end.await;
            shutdown.cancel();
        }
    });
    tokio::spawn({
        let (journal, shutdown) = (service.journal.clone(), shutdown.clone());
        async move {
            // A server without a log can only do harm: it ends, and its supervisor starts it again.
            tokio::select! {
                _ = journal.ended() => shutdown.cancel(),
                () = shutdown.cancelled() => {}
            }
        }
    });
    tokio::spawn(upkeep::apply_retention(service.clone(), options.retention.clone()));
    let limits = serving::ConnectionLimits {
        connections: options.access.connections,
        head: options.access.head_timeout,
    };
    let server = serving::serve(Listener::new(listener), router, limits, shutdown.clone());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    };
    let all_closed = async {
        server.await;
        // Upgraded sockets are no longer tracked by the HTTP server.
        service.sockets.closed().await;
    };
    tokio::select! {
        () = all_closed => {}
        () = overdue => tracing::warn!("some connections did not end in time"),
    }
    service.engine.shut_down().await;
    service.tools.close().await;
    if let Some(error) = service.journal.death() {
        return Err(error.into());
    }
    service.journal.close().await;
    Ok(())
}

fn announce(access: &Access, address: SocketAddr) {
    println!("Pitwall is ready: open {}", access.address_to_open(address));
    match access.mode() {
        AccessMode::Open => {
            tracing::warn!("every program and every person on this machine may use this server")
        }
        AccessMode::Accounts if !address.ip().is_loopback() => {
            tracing::warn!(
                "passwords travel as they are: put a proxy with HTTPS in front, and name it with --allow-origin"
            );
        }
        AccessMode::Token | AccessMode::Accounts => {}
    }
}

/// Ends when the process is told to end: by SIGTERM or Ctrl-C, from this call on, not only from the first poll.
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}
