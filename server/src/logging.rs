//! The program's log on the standard error.

use std::{
    env,
    fmt::{self, Display},
    io::{self, IsTerminal},
    panic::{self, PanicHookInfo},
    str::FromStr,
};

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::{EnvFilter, fmt::time::SystemTime};

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[value(alias = "plain")]
    Text,
    /// One document a line, for programs that gather logs.
    Json,
}

/// What is logged, checked.
#[derive(Clone, Debug)]
pub struct LogFilter(String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        EnvFilter::builder().parse(text).map_err(|error| error.to_string())?;
        // The library takes a single word for a target, so a misspelt level would silence everything else.
        let is_level = |word: &str| word.eq_ignore_ascii_case("off") || word.parse::<Level>().is_ok();
        match text
            .split(',')
            .map(str::trim)
            .find(|word| !word.contains(['=', '[', ']', '{', '}']) && !is_level(word))
        {
            Some(word) => Err(format!(
                "{word:?} is no level; those are off, error, warn, info, debug and trace, and a part of the \
                 program has one as in server=debug"
            )),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl Display for LogFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The initialised log.
#[derive(Clone, Copy, Debug)]
pub struct Logging(LogFormat);

impl Logging {
    /// Initialises the log.
    pub fn begin(filter: &LogFilter, format: LogFormat) -> Self {
        // The MCP library logs whole messages of foreign servers; `tools` says what matters of them. Who wants
        // them all the same names the library: the last word on a part of the program counts.
        let filter = EnvFilter::new(format!("rmcp=off,{}", filter.0));
        let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
        match format {
            LogFormat::Text => lines.with_ansi(has_colours()).init(),
            LogFormat::Json => {
                lines.json().flatten_event(true).init();
                panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| write_json(&panic.to_string())));
            }
        }
        Self(format)
    }

    /// Logs why the program ends, whatever the filter is.
    pub fn last_words(self, error: &impl Display) {
        match self.0 {
            LogFormat::Text => eprintln!("pitwall: {error}"),
            LogFormat::Json => write_json(&error.to_string()),
        }
    }
}

/// Whether to use colours: on a terminal, unless `NO_COLOR` is set.
fn has_colours() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// An error as a line of the log, with the fields that all lines have.
fn write_json(message: &str) {
    use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

    let mut timestamp = String::new();
    // Writing to a string cannot fail.
    SystemTime.format_time(&mut Writer::new(&mut timestamp)).unwrap_or_default();
    let line = serde_json::json!({
        "timestamp": timestamp, "level": "ERROR", "message": message, "target": "pitwall",
    });
    eprintln!("{line}");
}
