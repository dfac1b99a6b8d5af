//! The server: configuration, the service behind all interfaces, and their routes.
//!
//! - [`serve`] wires everything and runs until SIGTERM
//! - `access`: authentication; `scope`: authorisation, what each caller may see and change
//! - `service`: what pages, REST and the routes of other systems share
//! - `rest`, `run_socket`, `feeds`, `agentos`, `pages`: the interfaces
//! - `base_path`: below which path all of them are
//! - `families`: what families serve beside their runs
//! - `transfer`: runs as files; `texts`: the long texts of their events
//! - `peer`: the rules that every socket follows; `polls`: what takes a socket's place; `serving`, `listener`: the connections below them
//! - `compression`: compressed responses
//! - `settings`: the settings file; `model_setup`, `tool_servers`, `key`: what it describes
//! - `config`: options; `environment`: how variables are read; `logging`: the program's log
//! - `account_command`: accounts from the command line; `upkeep`: backups, checks, retention

mod access;
mod account_command;
mod agentos;
mod base_path;
mod compression;
mod config;
mod environment;
mod families;
mod feeds;
mod key;
mod limits;
mod listener;
mod logging;
mod model_setup;
mod pages;
mod peer;
mod polls;
mod problem;
mod rest;
mod run_socket;
mod scope;
mod service;
mod serving;
mod settings;
mod texts;
mod tool_servers;
pub mod transfer;
mod upkeep;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use access::Access;
pub use account_command::manage_accounts;
use accounts::{Accounts, AccountsError};
use app::Heartbeat;
use axum::{
    Router,
    extract::FromRef,
    http::StatusCode,
    middleware,
    routing::{get, post},
};
pub use base_path::BasePath;
pub use config::{
    AccessOptions, AccountAct, AccountOptions, BackupOptions, CheckOptions, Command, CommandLine,
    DataOptions, ListenOptions, LogOptions, ModelOptions, Origin, RetentionOptions, RunOptions, ServeOptions,
};
use engine::{Allowance, Allowances, Engine, EngineError, EngineOptions};
use journal::{Journal, JournalError};
pub use listener::Listener;
pub use logging::{LogFilter, LogFormat, Logging};
pub use peer::Sockets;
use protocol::{AccessMode, AccountId, Limits, ProfileName, ToolServerName};
pub use run_socket::Position;
use scope::Gateway;
pub use service::Service;
use settings::Settings;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
pub use upkeep::{back_up, check};
use workflows::{Families, KindTaken, trading::DeskError};

/// How long open requests and sockets may take to end at a shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the server cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, or is not one of this machine's.
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
    /// Two families have the same kind of workflow.
    #[error("{0}")]
    Families(#[from] KindTaken),
    /// A base URL or a key, and no model.
    #[error("A base URL or key is set, but no model. Name one with --model or PITWALL_MODEL.")]
    NoModelNamed,
    /// Some tiers have a model, others have none.
    #[error(
        "Some tiers have no model. Set --model for all, or each of --model-quick, --model-mid and --model-deep."
    )]
    TierWithoutModel,
    /// The settings file cannot be read.
    #[error("The settings file {0} cannot be read: {1}.")]
    SettingsFile(PathBuf, io::Error),
    /// The settings file has an invalid value.
    #[error("The settings file {0} has an error: {1}")]
    Settings(PathBuf, String),
    /// A model of the settings cannot be used.
    #[error("The model {0} of the settings: {1}")]
    ModelOfSettings(ProfileName, Box<Self>),
    /// Options and settings both say which model answers.
    #[error(
        "The settings say which models answer the tiers, and an option or variable names a model as well. \
         Leave one of them out: [tiers] in the settings, or PITWALL_MODEL."
    )]
    TwoModels,
    /// A model has two keys.
    #[error("It names a variable and a file for its key. Leave one of them out.")]
    TwoKeys,
    /// A tool server of the settings cannot be used.
    #[error("The tool server {0} of the settings: {1}")]
    ToolServerOfSettings(ToolServerName, Box<Self>),
    /// A tool server that is neither a program nor an address, or a mixture of both.
    #[error(
        "It needs either a command, with its args and the names of its variables in env, or a url, with the key's \
         place in key_variable or key_file."
    )]
    CommandOrUrl,
    /// A tool server cannot be reached in this way.
    #[error("{0}")]
    ToolEndpoint(#[from] tools::mcp::EndpointError),
    /// An environment variable that a program is to receive is not set.
    #[error("Its program is to receive the variable {0}, which is not set.")]
    Variable(String),
    /// The variable with the key is not set.
    #[error("Its key should stand in the variable {0}, which is not set.")]
    KeyVariable(String),
    /// The model's settings are wrong.
    #[error("{0}")]
    Model(#[from] llm::ChatError),
    /// Unfinished runs cannot be resumed.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// A database cannot be copied or checked.
    #[error("{0}")]
    File(#[from] database::FileError),
    /// The accounts cannot be read or changed.
    #[error("{0}")]
    Accounts(#[from] AccountsError),
    /// Everybody on the network would be let in.
    #[error(
        "--no-auth lets everybody in who can reach the server, so it works on a loopback address only, and \
         {0} is none. Listen at 127.0.0.1, or make accounts with `pitwall account add NAME` and leave --no-auth out."
    )]
    OpenToAll(IpAddr),
    /// Others could reach a server that has no accounts.
    #[error(
        "Others can reach {0}, and there are no accounts yet. Make one with \
         `pitwall account add NAME --role administrator`, or listen at 127.0.0.1."
    )]
    NoAccounts(IpAddr),
    /// The token can be guessed.
    #[error(
        "The token must have at least 16 characters. Choose a longer one for --token or PITWALL_TOKEN, or leave \
         it out: then it is random."
    )]
    ShortToken,
    /// The key's file cannot be read.
    #[error("The key file {0} cannot be read: {1}.")]
    KeyFile(PathBuf, io::Error),
    /// Others could read the key's file.
    #[error("The key file {0} has mode {1:o}, so others may read it. Run `chmod 600` on it.")]
    KeyFileMode(PathBuf, u32),
    /// There is no key in the file.
    #[error("The key file {0} is empty.")]
    KeyFileEmpty(PathBuf),
    /// The password was mistyped.
    #[error("The two passwords differ. Try again.")]
    PasswordsDiffer,
    /// The system refuses.
    #[error("The server cannot go on: {0}")]
    Io(#[from] io::Error),
}

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

/// A request's tracing span. Its URL may contain a token, so only the path is recorded.
fn span(request: &axum::extract::Request) -> tracing::Span {
    let path = request.uri().path();
    let path = if path.starts_with("/s/") { "/s/…" } else { path };
    tracing::debug_span!("request", method = %request.method(), path)
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

/// The accounts' file, in a folder that is created if it is missing.
fn accounts_file(data: &DataOptions) -> Result<PathBuf, ServeError> {
    let folder = &data.data;
    std::fs::create_dir_all(folder).map_err(|error| ServeError::DataFolder(folder.clone(), error))?;
    Ok(folder.join(upkeep::ACCOUNTS))
}

/// The allowances of accounts, as the administrator set them.
struct Allowed(Accounts);

impl Allowances for Allowed {
    fn of(&self, account: &AccountId) -> Allowance {
        let allowance = self.0.allowance(account);
        Allowance {
            concurrent_runs: allowance.concurrent_runs.map(|runs| runs as usize),
            accepted_runs: allowance.accepted_runs.map(|runs| runs as usize),
            run: allowance.run.unwrap_or_else(Limits::widest),
            tokens: allowance.tokens,
            cost: allowance.cost,
        }
    }
}

/// Opens everything that the interfaces need, without listening.
///
/// # Errors
/// See [`ServeError`].
pub async fn open(options: &ServeOptions) -> Result<Arc<Service>, ServeError> {
    let folder = &options.data.data;
    let accounts = Accounts::open(&accounts_file(&options.data)?).await?;
    let journal = Journal::open(&folder.join(upkeep::JOURNAL)).await?;
    let settings = Settings::read(options.model.settings.as_deref(), &options.data)?;
    let models = model_setup::registry(&options.model, &settings)?;
    let tools = tool_servers::start(&settings)?;
    let (all, own) = families::open(&journal).await?;
    let families = Arc::new(Families::new(all, models.clone(), options.model.rehearsal_speed)?);
    let runs = &options.runs;
    let limits = EngineOptions {
        concurrent_runs: runs.concurrent_runs,
        accepted_runs: runs.accepted_runs,
        accepted_runs_per_account: runs
            .accepted_runs_per_account
            .unwrap_or_else(|| engine::share_of(runs.accepted_runs)),
        waiting_runs_per_account: runs.waiting_runs_per_account,
    };
    let engine = Engine::new(journal.clone(), families.clone(), Arc::new(Allowed(accounts.clone())), limits);
    let shutdown = CancellationToken::new();
    let sockets = Sockets::new(shutdown.clone(), journal.trouble(), options.listen.heartbeat);
    Ok(Arc::new(Service { journal, engine, families, own, accounts, models, tools, shutdown, sockets }))
}

/// All interfaces except the pages, behind the rules of access.
pub fn interfaces(service: Arc<Service>, access: Access) -> Router {
    let gateway = Gateway::new(service, access);
    guarded(routes(gateway.clone(), &BasePath::default()), gateway)
}

/// Puts the guard, compression and tracing around all routes.
fn guarded(router: Router, gateway: Gateway) -> Router {
    compression::compressed(router)
        .layer(CatchPanicLayer::custom(problem::defect))
        .layer(middleware::from_fn_with_state(Arc::<Access>::from_ref(&gateway), access::guard))
        .layer(TraceLayer::new_for_http().make_span_with(span))
}

fn routes(gateway: Gateway, base: &BasePath) -> Router {
    rest::router(base)
        .merge(agentos::router())
        .route("/sign-in", post(access::sign_in))
        .route("/sign-in/kept", get(access::kept))
        .route("/s/{token}", get(access::open_share))
        .route("/ws/v1/runs/{run}", get(run_socket::connect).post(run_socket::poll))
        .route("/ws/v1/feed", get(feeds::runs).post(feeds::poll_runs))
        .merge(families::sockets())
        .route("/ws/v1/polls/{poll}", get(polls::ask).delete(polls::end))
        // Runs are resumed before the first connection is accepted, so an answer means that the server is
        // ready.
        .route("/healthz", get(health))
        .with_state(gateway)
}

/// `GET /healthz`: `ok`, or 503 and why the server cannot do its work any more.
async fn health(service: scope::Scoped) -> (StatusCode, String) {
    match service.death() {
        None => (StatusCode::OK, "ok".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
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
