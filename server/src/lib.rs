//! The server: configuration, the service behind all interfaces, and their routes.
//!
//! - [`serve`] wires everything and runs until SIGTERM
//! - `service`: what pages, REST and the other systems' wires all call
//! - `rest`, `run_socket`, `feeds`, `agentos`, `pages`: the interfaces
//! - `transfer`: runs as files
//! - `peer`: the rules that every socket follows; `listener`: the connections below them

mod agentos;
mod config;
mod feeds;
mod listener;
mod model;
mod pages;
mod peer;
mod problem;
mod rest;
mod run_socket;
mod service;
pub mod transfer;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, routing::get};
pub use config::{Command, CommandLine, DataOptions, ListenOptions, ModelOptions, RunOptions, ServeOptions};
use engine::{Allowance, Engine, EngineError, EngineOptions};
use journal::{Journal, JournalError};
pub use listener::Listener;
use market::{PriceVendor, Sample};
pub use peer::Sockets;
pub use run_socket::Position;
pub use service::Service;
use tokio::{net::TcpListener, signal::unix::SignalKind};
use tokio_util::sync::CancellationToken;
use tower_http::trace::TraceLayer;
use workflows::trading::{Desk, DeskError, Trading};

/// How long open requests and sockets may take to end when the server is told to.
const FAREWELL: Duration = Duration::from_secs(10);

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("{0} cannot be listened on: {1}. Choose another with --addr.")]
    Listen(SocketAddr, io::Error),
    /// The data folder cannot be made.
    #[error("The data folder {0} cannot be made: {1}. Choose another with --data.")]
    DataFolder(PathBuf, io::Error),
    /// The pages are not built.
    #[error(
        "The built pages were not found. Build them with `make build`, or say where they are with --site."
    )]
    NoSite,
    /// The log cannot be opened.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The sample data cannot be read.
    #[error("{0}")]
    Market(#[from] market::MarketError),
    /// The portfolios cannot be read.
    #[error("{0}")]
    Desk(#[from] DeskError),
    /// A base URL or a key, and no model.
    #[error("A base URL or key is set, but no model. Name one with --model or PITWALL_MODEL.")]
    NoModelNamed,
    /// A model for some tiers only.
    #[error(
        "Some tiers have no model. Set --model for all, or each of --model-quick, --model-mid and --model-deep."
    )]
    TierWithoutModel,
    /// The model's settings are wrong.
    #[error("{0}")]
    Model(#[from] llm::ChatError),
    /// Unfinished runs cannot be continued.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// Connections cannot be accepted any more.
    #[error("The server cannot go on: {0}")]
    Io(#[from] io::Error),
}

/// Serves until SIGTERM or Ctrl-C, then ends cleanly: sockets are closed with code 1012, and
/// runs at work are left in the log, to be continued at the next start.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let site = pages::find_site(options.listen.site.as_deref()).ok_or(ServeError::NoSite)?;
    let listener = TcpListener::bind(options.listen.addr)
        .await
        .map_err(|error| ServeError::Listen(options.listen.addr, error))?;
    let service = open(&options).await?;
    let continued = service.engine.resume().await?;
    if continued > 0 {
        tracing::info!(runs = continued, "continuing what was unfinished");
    }
    let router = interfaces(service.clone()).merge(pages::router(service.clone(), &site));
    let address = listener.local_addr()?;
    println!("Pitwall is ready: open http://{address}");

    let shutdown = service.shutdown.clone();
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            told_to_end().await;
            shutdown.cancel();
        }
    });
    // One copy of the routes for all connections, rather than one for each.
    let router = router.layer(TraceLayer::new_for_http()).into_make_service();
    let server = axum::serve(Listener::new(listener), router)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    let farewell = async {
        server.await?;
        // Sockets are no longer the HTTP server's once they are upgraded.
        service.sockets.closed().await;
        io::Result::Ok(())
    };
    tokio::select! {
        ended = farewell => ended?,
        () = overdue => tracing::warn!("some connections did not end in time"),
    }
    service.engine.shut_down().await;
    service.journal.close().await;
    Ok(())
}

/// Opens everything that the interfaces need, without listening.
///
/// # Errors
/// See [`ServeError`].
pub async fn open(options: &ServeOptions) -> Result<Arc<Service>, ServeError> {
    let folder = &options.data.data;
    std::fs::create_dir_all(folder).map_err(|error| ServeError::DataFolder(folder.clone(), error))?;
    let journal = Journal::open(&folder.join("pitwall.db")).await?;
    let prices: Arc<dyn PriceVendor> = Arc::new(Sample::load()?);
    let desk = Arc::new(Desk::open_default(journal.clone(), prices.clone()).await?);
    let model = model::configured(&options.model)?;
    let configured_model = model.as_ref().map(|model| model.model(protocol::Tier::Deep));
    let trading =
        Trading::new(journal.clone(), desk.clone(), prices.clone(), model, options.model.rehearsal_speed);
    let limits = EngineOptions {
        concurrent_runs: options.runs.concurrent_runs,
        accepted_runs: options.runs.accepted_runs,
    };
    let engine = Engine::new(journal.clone(), Arc::new(trading), Arc::new(Allowance::default()), limits);
    let shutdown = CancellationToken::new();
    let sockets = Sockets::new(shutdown.clone());
    Ok(Arc::new(Service { journal, engine, desk, prices, configured_model, shutdown, sockets }))
}

/// The routes that need no built pages.
pub fn interfaces(service: Arc<Service>) -> Router {
    rest::router()
        .merge(agentos::router())
        .route("/ws/v1/runs/{run}", get(run_socket::connect))
        .route("/ws/v1/feed", get(feeds::runs))
        .route("/ws/v1/portfolios/{portfolio}", get(feeds::portfolio))
        // Runs are continued before the first connection is accepted: who gets an answer, gets a ready server.
        .route("/healthz", get(async || (StatusCode::OK, "ok")))
        .with_state(service)
}

async fn told_to_end() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be waited for");
            let _ = interrupted.await;
        }
    }
}
