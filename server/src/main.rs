//! The `pitwall` command.

use std::process::ExitCode;

use server::{Command, CommandLine, Logging, Verdict};
use tikv_jemallocator::Jemalloc;

/// What a large import needed for a moment goes back to the system: the usual allocator would keep it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

// Four workers also on two cores: rendering a page blocks one while its data is awaited.
#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> ExitCode {
    let CommandLine { log, command } =
        CommandLine::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let log = Logging::begin(&log.log, log.log_format);
    let done = match command {
        Command::Serve(options) => server::serve(*options).await,
        Command::Account(options) => server::manage_accounts(options).await.map(|said| println!("{said}")),
        Command::Family(command) => server::execute(command).await.map(|said| println!("{said}")),
        Command::Backup(options) => server::back_up(options).await.map(|said| println!("{said}")),
        Command::Check(options) => match server::check(options).await {
            Ok((said, is_well)) => {
                println!("{said}");
                return if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            }
            Err(error) => Err(error),
        },
        Command::Verify(options) => {
            let verified = server::verify(options).await;
            let (said, verdict) = verified.unwrap_or_else(|error| (error.to_string(), Verdict::Unknown));
            println!("{said}");
            return verdict.into();
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.last_words(&error);
            ExitCode::FAILURE
        }
    }
}
