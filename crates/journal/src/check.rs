//! What `pitwall check` verifies, and what it repairs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use database::FileError;
use futures::TryStreamExt;
use protocol::{AccountId, Event, RunId, RunSummary};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use crate::{
    Encoded, Journal, JournalError, digest,
    store::{
        self,
        spend::{self, Spend},
    },
};

/// What a check has found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Runs that were read.
    pub runs: u64,
    /// Events that were read.
    pub events: u64,
    /// The faults, each as a sentence.
    pub faults: Vec<String>,
}

/// Reads the whole file in one read transaction, and reports its faults. Others may use it at the same time.
///
/// # Errors
/// The file cannot be read, is of another version, or is none of Pitwall's.
pub async fn check(path: &Path) -> Result<Findings, JournalError> {
    store::check_file(path).await?;
    let mut connection = connect(path).await?;
    let mut moment = connection.begin().await?;
    if !store::is_present_form(&mut moment).await? {
        return Err(FileError::Older(path.to_owned()).into());
    }
    let mut findings = Findings::default();
    findings.integrity(&mut moment).await?;
    if findings.faults.is_empty() {
        findings.logs(&mut moment).await?;
        findings.texts(&mut moment).await?;
        findings.spend(&mut moment).await?;
        findings.faults.extend(store::documents::faults(&mut moment).await?);
    }
    drop(moment);
    connection.close().await?;
    Ok(findings)
}

/// Repairs from the logs: summaries, spends, texts that nothing references, and the form of an old file so
/// that it can shrink. Needs the file alone. Returns what was done, each as a sentence.
///
/// # Errors
/// [`JournalError::InUse`], or the file cannot be read or written.
pub async fn repair(path: &Path) -> Result<Vec<String>, JournalError> {
    store::check_file(path).await?;
    let was_shrinkable = !path.exists() || {
        let mut connection = connect(path).await?;
        let was_shrinkable = store::is_shrinkable(&mut connection).await?;
        connection.close().await?;
        was_shrinkable
    };
    // Opening runs the migrations, and makes a small file shrink by itself.
    Journal::open(path).await?.close().await;
    let _lock = store::lock(path)?;
    let mut connection = connect(path).await?;
    let mut done = Vec::new();
    let mut transaction = connection.begin_with("begin immediate").await?;
    let mut summaries = 0;
    for run in runs(&mut transaction).await? {
        let Ok(folded) = fold(&mut transaction, run).await? else { continue };
        if stored(&mut transaction, run).await?.as_ref() != Some(&folded) {
            store::write::replace_summary(&mut transaction, &folded).await?;
            summaries += 1;
        }
    }
    if summaries > 0 {
        done.push(format!("The summaries of {summaries} runs were made anew from their logs."));
    }
    let unnamed = sqlx::query("delete from text where digest not in (select digest from run_text)");
    let unnamed = unnamed.execute(&mut *transaction).await?.rows_affected();
    if unnamed > 0 {
        done.push(format!("{unnamed} texts that no run names were deleted."));
    }
    for (account, fault) in spends_that_differ(&mut transaction).await? {
        spend::write(&mut transaction, &account, &fault.counted).await?;
        done.push(format!("What the account {account} has used was counted anew."));
    }
    transaction.commit().await?;
    store::make_shrinkable(&mut connection).await?;
    if !was_shrinkable {
        done.push("The file can shrink from now on when runs are deleted.".to_owned());
    }
    connection.close().await?;
    Ok(done)
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(path).foreign_keys(true).disable_statement_logging().connect().await
}

impl Findings {
    async fn integrity(&mut self, connection: &mut SqliteConnection) -> Result<(), JournalError> {
        let verdicts: Vec<String> =
            sqlx::query_scalar("pragma integrity_check(10)").fetch_all(&mut *connection).await?;
        let wrong = verdicts.into_iter().filter(|verdict| verdict != "ok");
        self.faults.extend(wrong.map(|verdict| format!("The file is damaged: {verdict}.")));
        let dangling: Vec<String> =
            sqlx::query_scalar("select distinct \"table\" from pragma_foreign_key_check")
                .fetch_all(connection)
                .await?;
        let missing = |table: String| format!("Rows of {table} belong to rows that are not there.");
        self.faults.extend(dangling.into_iter().map(missing));
        Ok(())
    }

    /// Checks that each log has no gap, each summary is the fold of its log, and each referenced text exists.
    async fn logs(&mut self, connection: &mut SqliteConnection) -> Result<(), JournalError> {
        for run in runs(connection).await? {
            self.runs += 1;
            match fold(connection, run).await? {
                Ok(folded) => {
                    self.events += folded.seq;
                    match stored(connection, run).await? {
                        Some(stored) if stored == folded => {}
                        Some(_) => {
                            self.faults.push(format!("The summary of run {run} is not that of its log."))
                        }
                        None => self.faults.push(format!("The summary of run {run} cannot be read.")),
                    }
                }
                Err(why) => self.faults.push(format!("Run {run} cannot be read: {why}.")),
            }
        }
        Ok(())
    }

    /// Checks that each text has the digest that it is stored under.
    async fn texts(&mut self, connection: &mut SqliteConnection) -> Result<(), JournalError> {
        let mut texts =
            sqlx::query_as::<_, (String, String)>("select digest, body from text").fetch(&mut *connection);
        while let Some((name, body)) = texts.try_next().await? {
            if digest(&body)?.as_str() != name {
                self.faults.push(format!("The text {name} is not the one that was stored."));
            }
        }
        drop(texts);
        let unnamed: i64 =
            sqlx::query_scalar("select count(*) from text where digest not in (select digest from run_text)")
                .fetch_one(connection)
                .await?;
        if unnamed > 0 {
            self.faults.push(format!("{unnamed} texts take space, and no run names them."));
        }
        Ok(())
    }

    /// Checks that each account's spend is the sum of its runs and of those deleted since.
    async fn spend(&mut self, connection: &mut SqliteConnection) -> Result<(), JournalError> {
        for (account, Difference { noted, counted }) in spends_that_differ(connection).await? {
            self.faults.push(format!(
                "The account {account} is noted with {} tokens and ${}; its runs used {} and ${}.",
                noted.used.tokens(),
                noted.used.cost,
                counted.used.tokens(),
                counted.used.cost
            ));
        }
        Ok(())
    }
}

async fn runs(connection: &mut SqliteConnection) -> Result<Vec<RunId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from run order by id").fetch_all(connection).await?;
    Ok(ids.into_iter().map(RunId).collect())
}

async fn stored(connection: &mut SqliteConnection, run: RunId) -> Result<Option<RunSummary>, sqlx::Error> {
    let summary: String =
        sqlx::query_scalar("select summary from run where id = ?").bind(run.0).fetch_one(connection).await?;
    Ok(serde_json::from_str(&summary).ok())
}

/// The summary that a log folds to, or why it cannot be folded.
async fn fold(
    connection: &mut SqliteConnection,
    run: RunId,
) -> Result<Result<RunSummary, String>, sqlx::Error> {
    let named: Vec<String> = sqlx::query_scalar("select digest from run_text where run = ?")
        .bind(run.0)
        .fetch_all(&mut *connection)
        .await?;
    let named: BTreeSet<String> = named.into_iter().collect();
    let mut rows = store::block::of_run(connection, run);
    let mut summary: Option<RunSummary> = None;
    while let Some((first, lines)) = rows.try_next().await? {
        for encoded in store::block::events(first, lines) {
            if let Err(why) = fold_event(&mut summary, run, &encoded, &named) {
                return Ok(Err(why));
            }
        }
    }
    Ok(summary.ok_or_else(|| "it has no events".to_owned()))
}

/// Goes on with the summary by one event, or says why that is not the log's next one.
fn fold_event(
    summary: &mut Option<RunSummary>,
    run: RunId,
    encoded: &Encoded,
    named: &BTreeSet<String>,
) -> Result<(), String> {
    let seq = encoded.seq;
    let mut event: Event =
        serde_json::from_slice(&encoded.json).map_err(|error| format!("its event {seq} is none: {error}"))?;
    let expected = summary.as_ref().map_or(1, |summary| summary.seq + 1);
    if event.run != run || event.seq != expected || seq != expected {
        return Err(format!("its event {expected} is missing"));
    }
    let lost = event.body.texts_mut().into_iter().find_map(|text| {
        let digest = text.stored()?;
        (!named.contains(digest.as_str())).then(|| digest.clone())
    });
    if let Some(digest) = lost {
        return Err(format!("the text {digest} of its event {seq} is missing"));
    }
    RunSummary::fold(summary, &event);
    if summary.is_some() { Ok(()) } else { Err("it does not begin with its start".to_owned()) }
}

/// An account's stored spend, and the counted one.
struct Difference {
    noted: Spend,
    counted: Spend,
}

async fn spends_that_differ(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<AccountId, Difference>, sqlx::Error> {
    let accounts: Vec<String> =
        sqlx::query_scalar("select account from spend").fetch_all(&mut *connection).await?;
    let mut counted = store::count_spend(connection).await?;
    for account in accounts.iter().filter_map(|account| account.parse().ok()) {
        counted.entry(account).or_default();
    }
    let mut different = BTreeMap::new();
    for (account, Spend { mut used, .. }) in counted {
        let noted = spend::read(connection, &account).await?;
        used.add(&noted.removed);
        let counted = Spend { used, removed: noted.removed.clone() };
        if counted != noted {
            different.insert(account, Difference { noted, counted });
        }
    }
    Ok(different)
}
