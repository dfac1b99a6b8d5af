//! The `pitwall` command.

use std::process::ExitCode;

use clap::Parser;
use server::{Command, CommandLine};
use tracing_subscriber::EnvFilter;

// Four workers also on two cores: rendering a page blocks one while its data is awaited.
#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> ExitCode {
    let log = EnvFilter::try_from_env("PITWALL_LOG").unwrap_or_else(|_| EnvFilter::new("warn,server=info"));
    tracing_subscriber::fmt().with_env_filter(log).with_writer(std::io::stderr).init();
    let done = match CommandLine::parse().command {
        Command::Serve(options) => server::serve(*options).await,
        Command::Account(options) => server::manage_accounts(options).await.map(|said| println!("{said}")),
        Command::Backup(options) => server::back_up(options).await.map(|said| println!("{said}")),
        Command::Check(options) => match server::check(options).await {
            Ok((said, is_well)) => {
                println!("{said}");
                return if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            }
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pitwall: {error}");
            ExitCode::FAILURE
        }
    }
}
