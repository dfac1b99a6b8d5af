//! `pitwall backup`, `pitwall check`, and the retention of runs.

use std::{fs, sync::Arc, time::Duration};

use protocol::{Problem, Timestamp};

use crate::{
    clock::now,
    config::{BackupOptions, CheckOptions, RetentionOptions},
    error::ServeError,
    problem::from_journal,
    service::Service,
};

/// The database of runs and portfolios, in the data folder.
pub const JOURNAL: &str = "pitwall.db";
/// The database of accounts, beside it.
pub const ACCOUNTS: &str = "accounts.db";

/// The interval of the retention task.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3600);
/// Runs of one deletion.
const RUNS_PER_DELETION: u32 = 64;

/// Copies both databases into a folder, also while a server uses them. The folder can be served.
///
/// # Errors
/// See [`ServeError`]. Existing databases are not overwritten.
pub async fn back_up(options: BackupOptions) -> Result<String, ServeError> {
    let (data, folder) = (&options.data.data, &options.folder);
    fs::create_dir_all(folder).map_err(|error| ServeError::DataFolder(folder.clone(), error))?;
    for name in [JOURNAL, ACCOUNTS] {
        database::refuse_to_overwrite(&folder.join(name))?;
    }
    for name in [JOURNAL, ACCOUNTS] {
        database::copy(&data.join(name), &folder.join(name)).await?;
    }
    Ok(format!("The data are copied. `pitwall serve --data {}` serves the copy.", folder.display()))
}

/// Checks the database of runs, and repairs it if asked to. Returns the text to print, and whether all is
/// well.
///
/// # Errors
/// See [`ServeError`].
pub async fn check(options: CheckOptions) -> Result<(String, bool), ServeError> {
    let path = options.data.data.join(JOURNAL);
    database::require(&path)?;
    let mut lines = if options.repair { journal::repair(&path).await? } else { Vec::new() };
    let findings = journal::check(&path).await?;
    let is_well = findings.faults.is_empty();
    lines.extend(findings.faults);
    let hint = match (is_well, options.repair) {
        (true, _) => "All is well.",
        (false, false) => "Stop the server, make a backup and run `pitwall check --repair`.",
        (false, true) => "This cannot be mended. Restore a backup, or delete the runs at fault.",
    };
    lines.push(format!("{} runs with {} events were read. {hint}", findings.runs, findings.events));
    Ok((lines.join("\n"), is_well))
}

/// Applies the retention rule at once and then every hour, until the server ends.
pub async fn apply_retention(service: Arc<Service>, rule: RetentionOptions) {
    if rule.keep_runs.is_none() && rule.keep_bytes.is_none() {
        return;
    }
    loop {
        match sweep(&service, &rule).await {
            Ok(0) => {}
            Ok(runs) => tracing::info!(runs, "old runs were deleted"),
            Err(problem) => tracing::error!(%problem, "old runs could not be deleted"),
        }
        tokio::select! {
            () = tokio::time::sleep(RETENTION_INTERVAL) => {}
            () = service.shutdown.cancelled() => return,
        }
    }
}

/// Deletes runs that are due, the oldest first, and returns how many.
async fn sweep(service: &Service, rule: &RetentionOptions) -> Result<usize, Problem> {
    let mut deleted = 0;
    if let Some(age) = rule.keep_runs {
        let before = Timestamp(now().0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)));
        while let gone @ 1.. = delete_oldest(service, before, RUNS_PER_DELETION).await? {
            deleted += gone;
        }
    }
    if let Some(most) = rule.keep_bytes {
        while service.journal.bytes().await.map_err(from_journal)? > most
            && let gone @ 1.. = delete_oldest(service, now(), 1).await?
        {
            deleted += gone;
        }
    }
    Ok(deleted)
}

/// Deletes runs that ended before this moment, the oldest first.
async fn delete_oldest(service: &Service, before: Timestamp, most: u32) -> Result<usize, Problem> {
    let runs = service.journal.oldest_over(before, most).await.map_err(from_journal)?;
    let mut deleted = 0;
    for run in runs {
        if service.shutdown.is_cancelled() {
            return Ok(0);
        }
        match service.delete_run(run).await {
            Ok(()) => deleted += 1,
            // A question beside it is open just now, or it was deleted meanwhile.
            Err(Problem { status: 404 | 409, .. }) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(deleted)
}
