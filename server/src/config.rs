//! What can be set, on the command line or in the environment: one struct for each concern.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use llm::Secret;

/// Runs teams of language-model agents and shows every step live in the browser.
#[derive(Debug, Parser)]
#[command(name = "pitwall", version)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `pitwall` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages, the REST interface and the sockets until SIGTERM or Ctrl-C.
    Serve(Box<ServeOptions>),
}

/// Everything that `pitwall serve` can be told.
#[derive(Clone, Debug, Args)]
#[expect(missing_docs, reason = "a comment on a flattened struct would replace the command's help")]
pub struct ServeOptions {
    #[command(flatten)]
    pub listen: ListenOptions,
    #[command(flatten)]
    pub data: DataOptions,
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
    #[arg(long, env = "PITWALL_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,
    /// Folder with the built pages [default: "site" beside the program, or target/site].
    #[arg(long, env = "PITWALL_SITE")]
    pub site: Option<PathBuf>,
}

/// Where the server keeps what it must not lose.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataOptions {
    /// Folder of the database; made if it does not exist.
    #[arg(long, env = "PITWALL_DATA", default_value = "data")]
    pub data: PathBuf,
}

/// How much may run at a time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Runs")]
pub struct RunOptions {
    /// Runs that work at the same time; further ones are queued.
    #[arg(long, env = "PITWALL_CONCURRENT_RUNS", default_value_t = 8)]
    pub concurrent_runs: usize,
    /// Runs that may be queued or working; further ones are refused.
    #[arg(long, env = "PITWALL_ACCEPTED_RUNS", default_value_t = 256)]
    pub accepted_runs: usize,
}

/// Which model answers. Without any of these, the rehearsal does.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelOptions {
    /// Base URL of an OpenAI-compatible endpoint, such as <http://127.0.0.1:8080/v1/>.
    #[arg(long, env = "PITWALL_MODEL_BASE_URL")]
    pub model_base_url: Option<String>,
    /// The provider's key.
    #[arg(long, env = "PITWALL_MODEL_KEY", hide_env_values = true)]
    pub model_key: Option<Secret>,
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
    /// Model to turn to where the provider does not serve the one asked for.
    #[arg(long, env = "PITWALL_MODEL_FALLBACK")]
    pub model_fallback: Option<String>,
    /// Seconds that one answer may take at most.
    #[arg(long, env = "PITWALL_MODEL_TIMEOUT", default_value = "300", value_parser = seconds)]
    pub model_timeout: Duration,
    /// Seconds that a provider may be silent before its answer and within it [default: 120 and 60].
    #[arg(long, env = "PITWALL_MODEL_SILENCE", value_parser = seconds)]
    pub model_silence: Option<Duration>,
    /// Further attempts after a failed one, for failures that may pass.
    #[arg(long, env = "PITWALL_MODEL_RETRIES", default_value_t = 4)]
    pub model_retries: u32,
    /// Price table to use in place of the built-in one.
    #[arg(long, env = "PITWALL_MODEL_PRICES")]
    pub model_prices: Option<PathBuf>,
    /// Characters a second that the rehearsal writes.
    #[arg(long, env = "PITWALL_REHEARSAL_SPEED")]
    pub rehearsal_speed: Option<u32>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: u64 = text.parse().map_err(|_| "a whole number of seconds is needed".to_owned())?;
    if seconds == 0 {
        Err("at least 1 second is needed".to_owned())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}
