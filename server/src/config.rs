//! What can be set, on the command line or in the environment: one struct for each concern.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use axum::http::uri::Authority;
use clap::{Args, Parser, Subcommand};
use llm::Secret;
use protocol::{AccountId, Role, RunId};

use crate::base_path::BasePath;
use crate::families::FamilyCommand;
use crate::logging::{LogFilter, LogFormat};

/// Runs teams of language-model agents and shows every step live in the browser.
#[derive(Debug, Parser)]
#[command(name = "pitwall", version)]
pub struct CommandLine {
    /// What is logged, and how.
    #[command(flatten)]
    pub log: LogOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What is said on the standard error.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// What is logged: a level, or levels of parts of the program, such as warn,server=debug.
    #[arg(long = "log", global = true, env = "PITWALL_LOG", default_value = "warn,server=info")]
    pub log: LogFilter,
    /// How it is written: as text, or as one JSON document a line. Text is coloured where a terminal reads
    /// it and `NO_COLOR` is not set.
    #[arg(
        long,
        global = true,
        env = "PITWALL_LOG_FORMAT",
        value_enum,
        ignore_case = true,
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// What `pitwall` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages, the REST interface and the sockets until SIGTERM or Ctrl-C.
    Serve(Box<ServeOptions>),
    /// Make, list and remove the accounts of a server; also while it runs.
    ///
    /// A server without accounts serves this machine alone, to whoever has the token that it prints
    /// at its start. With accounts it may listen at any address: start it again after the first one
    /// is made. What was there before belongs to the account named "local".
    Account(AccountOptions),
    /// Copy all data into a folder, also while the server runs.
    ///
    /// The folder is one that can be served: to go back to a backup, stop the server and serve a copy of
    /// it.
    Backup(BackupOptions),
    /// Check the database of runs: whether it is whole, whether each run's log adds up to what lists and
    /// budgets say, whether each long text is there. Ends with 1 if something is wrong.
    Check(CheckOptions),
    /// Verify a run: its decisions and trades are derived again from its log, without asking a model, and compared with
    /// what the log and the portfolio's ledger hold; also while the server runs.
    ///
    /// The runs that it has started are verified with it. Ends with 0 if all holds, with 1 if something differs, and
    /// with 2 if it cannot be verified.
    Verify(VerifyOptions),
    /// What belongs to one family.
    #[command(flatten)]
    Family(FamilyCommand),
}

/// What `pitwall backup` can be told.
#[derive(Clone, Debug, Args)]
pub struct BackupOptions {
    /// What is copied.
    #[command(flatten)]
    pub data: DataOptions,
    /// Where to; made if it does not exist. No backup that it holds is overwritten.
    pub folder: PathBuf,
}

/// What `pitwall check` can be told.
#[derive(Clone, Debug, Args)]
pub struct CheckOptions {
    /// What is checked.
    #[command(flatten)]
    pub data: DataOptions,
    /// Mend what can be made anew from the logs, and let an old file shrink when runs are deleted. The
    /// server must not run.
    #[arg(long)]
    pub repair: bool,
}

/// What `pitwall verify` can be told.
#[derive(Clone, Debug, Args)]
pub struct VerifyOptions {
    /// Where the run is.
    #[command(flatten)]
    pub data: DataOptions,
    /// File that says where prices come from [default: pitwall.toml in the data folder, where it is].
    #[arg(long, env = "PITWALL_SETTINGS")]
    pub settings: Option<PathBuf>,
    /// The run's id, as in the address of its page.
    pub run: RunId,
}

/// What `pitwall account` can be told.
#[derive(Clone, Debug, Args)]
pub struct AccountOptions {
    /// Where the accounts are kept.
    #[command(flatten)]
    pub data: DataOptions,
    /// What to do.
    #[command(subcommand)]
    pub act: AccountAct,
}

/// What `pitwall account` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountAct {
    /// Add an account. Its password is asked for, or read from `PITWALL_PASSWORD` or the first line of
    /// the standard input.
    Add {
        /// Name to sign in with: 1 to 32 of a-z, 0-9, _ and -.
        name: AccountId,
        /// owner: starts runs of its own; viewer: reads what others share with viewers;
        /// administrator: an owner who also manages accounts.
        #[arg(long, default_value = "owner")]
        role: Role,
    },
    /// List all accounts.
    List,
    /// Remove an account, and end all its sessions, tokens and shares. Its runs stay in the log.
    Remove {
        /// Its name.
        name: AccountId,
    },
    /// Set an account's password, and end all its sessions and tokens.
    Password {
        /// Its name.
        name: AccountId,
    },
    /// Set what an account may use; what is not given is not limited.
    Allow {
        /// Its name.
        name: AccountId,
        /// Runs that work at the same time; further ones are queued.
        #[arg(long)]
        concurrent_runs: Option<u32>,
        /// Runs that may be queued or working; further ones are refused.
        #[arg(long)]
        accepted_runs: Option<u32>,
        /// Tokens in and out of all its runs together.
        #[arg(long)]
        tokens: Option<u64>,
        /// US dollars of all its runs together.
        #[arg(long)]
        cost: Option<protocol::Decimal>,
        /// Tokens in and out of one run.
        #[arg(long)]
        run_tokens: Option<u64>,
        /// US dollars of one run.
        #[arg(long)]
        run_cost: Option<protocol::Decimal>,
    },
}

/// Everything that `pitwall serve` can be told.
#[derive(Clone, Debug, Args)]
#[expect(missing_docs, reason = "a comment on a flattened struct would replace the command's help")]
pub struct ServeOptions {
    #[command(flatten)]
    pub listen: ListenOptions,
    #[command(flatten)]
    pub access: AccessOptions,
    #[command(flatten)]
    pub data: DataOptions,
    #[command(flatten)]
    pub retention: RetentionOptions,
    #[command(flatten)]
    pub runs: RunOptions,
    #[command(flatten)]
    pub model: ModelOptions,
}

/// Where the server listens, and where its pages are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenOptions {
    /// Address and port; port 0 takes a free one.
    #[arg(long, env = "PITWALL_ADDR", default_value = "127.0.0.1:3000", value_parser = socket_address)]
    pub addr: SocketAddr,
    /// Path of the host name below which everything is served, such as /pitwall, for a proxy in front that
    /// passes it on as it is.
    #[arg(long, env = "PITWALL_BASE_PATH", default_value = "/")]
    pub base_path: BasePath,
    /// Folder with the built pages [default: "site" beside the program, or target/site].
    #[arg(long, env = "PITWALL_SITE")]
    pub site: Option<PathBuf>,
    /// Seconds between two heartbeats of a socket. The patience of pages follows from it: they notice
    /// within three times as long that a connection is dead.
    #[arg(long, env = "PITWALL_HEARTBEAT", default_value = "15", value_parser = seconds, hide = true)]
    pub heartbeat: Duration,
}

/// Who may come in.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessOptions {
    /// Token that lets in on a server without accounts, at least 16 characters [default: a random one,
    /// printed at the start].
    #[arg(long, env = "PITWALL_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
    /// Let everybody in who can reach the server; on a loopback address only.
    #[arg(long, env = "PITWALL_NO_AUTH")]
    pub no_auth: bool,
    /// Host name and port, such as pitwall.example.com:8080, that the server answers to besides its
    /// own address and the names of this machine.
    #[arg(long, env = "PITWALL_ALLOW_HOST", value_delimiter = ',', value_parser = host)]
    pub allow_host: Vec<String>,
    /// Origin, such as <https://pitwall.example.com>, whose pages may write and open sockets; its host
    /// is answered to as well.
    #[arg(long, env = "PITWALL_ALLOW_ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<Origin>,
    /// Address of a proxy in front, whose X-Forwarded-For says who asks: attempts to sign in are
    /// counted by it.
    #[arg(long, env = "PITWALL_TRUSTED_PROXY", value_delimiter = ',', value_parser = ip_address)]
    pub trusted_proxy: Vec<IpAddr>,
    /// Seconds until a browser has to sign in again.
    #[arg(long, env = "PITWALL_SESSION_LIFE", default_value = "86400", value_parser = seconds)]
    pub session_life: Duration,
    /// Sockets that one account may have open at a time.
    #[arg(long, env = "PITWALL_SOCKETS_PER_ACCOUNT", default_value_t = 256)]
    pub sockets_per_account: usize,
    /// Seconds that a connection may take to send the head of a request.
    #[arg(long, env = "PITWALL_HEAD_TIMEOUT", default_value = "15", value_parser = seconds)]
    pub head_timeout: Duration,
    /// Connections that may be open at a time, of everybody together; further ones wait.
    #[arg(long, env = "PITWALL_CONNECTIONS", default_value_t = 4096)]
    pub connections: usize,
}

/// Where the server keeps what it must not lose.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataOptions {
    /// Folder of the database; made if it does not exist.
    #[arg(long, env = "PITWALL_DATA", default_value = "data")]
    pub data: PathBuf,
}

/// How long runs are kept. Runs at work and portfolios always are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Keeping")]
pub struct RetentionOptions {
    /// Delete runs that ended so long ago, such as 90d or 12h [default: keep all].
    #[arg(long, env = "PITWALL_KEEP_RUNS", value_parser = age)]
    pub keep_runs: Option<Duration>,
    /// Delete the runs that ended first, until the rest takes so much, such as 10GB or 500MB [default: keep
    /// all].
    #[arg(long, env = "PITWALL_KEEP_BYTES", value_parser = bytes)]
    pub keep_bytes: Option<u64>,
}

/// How much may run at a time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Runs")]
pub struct RunOptions {
    /// Runs that work at the same time; further ones are queued.
    #[arg(long, env = "PITWALL_CONCURRENT_RUNS", default_value_t = 8)]
    pub concurrent_runs: usize,
    /// Runs that may be queued or working, of all accounts together; further ones are refused.
    #[arg(long, env = "PITWALL_ACCEPTED_RUNS", default_value_t = 256)]
    pub accepted_runs: usize,
    /// The same for each account, unless it is allowed another number [default: a quarter of all, and
    /// at least 8].
    #[arg(long, env = "PITWALL_ACCEPTED_RUNS_PER_ACCOUNT")]
    pub accepted_runs_per_account: Option<usize>,
    /// Runs of one account that may wait for people; while there are as many, further ones are refused.
    #[arg(long, env = "PITWALL_WAITING_RUNS_PER_ACCOUNT", default_value_t = 1024)]
    pub waiting_runs_per_account: usize,
}

/// Which model answers. Without any of these, the rehearsal does.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// File with named models [default: pitwall.toml in the data folder, where it is].
    #[arg(long, env = "PITWALL_SETTINGS")]
    pub settings: Option<PathBuf>,
    /// Base URL of an OpenAI-compatible endpoint, such as <http://127.0.0.1:8080/v1>; a whole address
    /// that ends with /chat/completions and a query are understood.
    #[arg(long, env = "PITWALL_MODEL_BASE_URL")]
    pub model_base_url: Option<String>,
    /// The provider's key.
    #[arg(long, env = "PITWALL_MODEL_KEY", hide_env_values = true)]
    pub model_key: Option<Secret>,
    /// File with the provider's key; nobody but its owner may read it (mode 600).
    #[arg(long, env = "PITWALL_MODEL_KEY_FILE", conflicts_with = "model_key")]
    pub model_key_file: Option<PathBuf>,
    /// Model of all three tiers, such as gpt-5-mini or claude-sonnet-4-5.
    #[arg(long, env = "PITWALL_MODEL")]
    pub model: Option<String>,
    /// Model of the quick tier, where it differs.
    #[arg(long, env = "PITWALL_MODEL_QUICK")]
    pub model_quick: Option<String>,
    /// Model of the mid tier, where it differs.
    #[arg(long, env = "PITWALL_MODEL_MID")]
    pub model_mid: Option<String>,
    /// Model of the deep tier, where it differs.
    #[arg(long, env = "PITWALL_MODEL_DEEP")]
    pub model_deep: Option<String>,
    /// Model to turn to where the provider does not serve the one asked for, or refuses by its policy. It is
    /// asked for that call alone.
    #[arg(long, env = "PITWALL_MODEL_FALLBACK")]
    pub model_fallback: Option<String>,
    /// The same for the quick tier, where it differs.
    #[arg(long, env = "PITWALL_MODEL_FALLBACK_QUICK")]
    pub model_fallback_quick: Option<String>,
    /// The same for the mid tier, where it differs.
    #[arg(long, env = "PITWALL_MODEL_FALLBACK_MID")]
    pub model_fallback_mid: Option<String>,
    /// The same for the deep tier, where it differs.
    #[arg(long, env = "PITWALL_MODEL_FALLBACK_DEEP")]
    pub model_fallback_deep: Option<String>,
    /// Seconds that one answer may take at most.
    #[arg(long, env = "PITWALL_MODEL_TIMEOUT", default_value = "300", value_parser = seconds)]
    pub model_timeout: Duration,
    /// Seconds that a provider may be silent before its answer and within it [default: 120 and 60].
    #[arg(long, env = "PITWALL_MODEL_SILENCE", value_parser = seconds)]
    pub model_silence: Option<Duration>,
    /// Further attempts after a failed one, for failures that may pass.
    #[arg(long, env = "PITWALL_MODEL_RETRIES", default_value_t = 4)]
    pub model_retries: u32,
    /// Seconds for which a provider that limits the rate of requests is asked again; most count by the minute.
    #[arg(long, env = "PITWALL_MODEL_RATE_PATIENCE", default_value = "90", value_parser = seconds)]
    pub model_rate_patience: Duration,
    /// Requests that one endpoint is sent at once, of all runs together; further ones wait in line.
    #[arg(long, env = "PITWALL_MODEL_REQUESTS_AT_ONCE", default_value = "8")]
    pub model_requests_at_once: NonZeroUsize,
    /// The most tokens of an answer, thoughts included [default: 8192 of the quick tier, 16384 of the mid
    /// and 32768 of the deep one].
    #[arg(long, env = "PITWALL_MODEL_ANSWER_TOKENS")]
    pub model_answer_tokens: Option<NonZeroU32>,
    /// Price table to use in place of the built-in one.
    #[arg(long, env = "PITWALL_MODEL_PRICES")]
    pub model_prices: Option<PathBuf>,
    /// Characters a second that the rehearsal writes.
    #[arg(long, env = "PITWALL_REHEARSAL_SPEED")]
    pub rehearsal_speed: Option<u32>,
}

/// An address to listen at. `localhost` is one, also where the system has no file that says so.
fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let named = text.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("localhost"));
    let address = named.map_or_else(|| text.to_owned(), |(_, port)| format!("127.0.0.1:{port}"));
    address.parse().map_err(|_| "an address reads 127.0.0.1:3000, [::1]:3000 or localhost:3000".to_owned())
}

/// An address of a machine; there may be blanks between those of a list.
fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| "an address reads 127.0.0.1 or ::1".to_owned())
}

/// A host name, with or without a port; there may be blanks between those of a list.
fn host(text: &str) -> Result<String, String> {
    let host = text.trim().to_ascii_lowercase();
    if is_host(&host) { Ok(host) } else { Err("a host reads NAME or NAME:PORT".to_owned()) }
}

fn is_host(text: &str) -> bool {
    // A user's name may stand in an authority as well.
    !text.contains('@') && text.parse::<Authority>().is_ok_and(|parsed| parsed.as_str() == text)
}

/// An origin of pages: a scheme and a host, with nothing after them.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Whether its pages come by HTTPS.
    pub is_secure: bool,
    /// The name, with its port where there is one.
    pub host: String,
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        let secure = text.strip_prefix("https://").map(|host| (true, host));
        let parts = secure.or_else(|| text.strip_prefix("http://").map(|host| (false, host)));
        match parts.filter(|(_, host)| is_host(host)) {
            Some((is_secure, host)) => Ok(Self { is_secure, host: host.to_owned() }),
            None => {
                Err("an origin reads https://NAME or https://NAME:PORT, with nothing after it".to_owned())
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", if self.is_secure { "https" } else { "http" }, self.host)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: u64 = text.parse().map_err(|_| "a whole number of seconds is needed".to_owned())?;
    if seconds == 0 {
        Err("at least 1 second is needed".to_owned())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

/// An age: a number with its unit.
fn age(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    with_unit(text, &UNITS)
        .map(Duration::from_secs)
        .ok_or_else(|| "an age reads 90d, 12h, 30m or 45s".to_owned())
}

/// An amount of bytes: a number with its unit.
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1)];
    with_unit(text, &UNITS).ok_or_else(|| "an amount reads 10GB, 500MB or 64kB".to_owned())
}

/// A whole number above zero with one of these units.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let number: u64 = number.trim_end().parse().ok()?;
    number.checked_mul(*factor).filter(|product| *product > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_amounts_have_units_and_mean_something() {
        assert_eq!(age("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(age("12h"), Ok(Duration::from_secs(12 * 3600)));
        assert_eq!(bytes("10GB"), Ok(10_000_000_000));
        assert_eq!(bytes("64 kB"), Ok(64_000));
        for wrong in ["", "90", "d", "-1d", "0d", "1.5d", "99999999999999999999d", "18446744073709551615d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        assert!(bytes("10").is_err() && bytes("0GB").is_err() && bytes("GB").is_err());
    }
}
