//! `pitwall import-autogen-studio`.

use std::{path::PathBuf, sync::Arc};

use accounts::Accounts;
use clap::Args;
use database::ForeignDatabase;
use journal::Journal;
use llm::ModelRegistry;
use protocol::{AccountId, Problem, team::ImportedStudio};
use tools::Registry;
use workflows::{Families, team::Teams};

use super::{import, unreadable};
use crate::{config::DataOptions, error::ServeError, opening::accounts_file, upkeep::JOURNAL};

/// What `pitwall import-autogen-studio` can be told.
#[derive(Clone, Debug, Args)]
pub struct ImportOptions {
    /// Studio's database, such as ~/.autogenstudio/autogen04203.db. It is copied and not changed.
    pub file: PathBuf,
    /// The account whose teams and runs they are to be.
    #[arg(long, default_value = "local")]
    pub account: AccountId,
    /// Where to.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Executes `pitwall import-autogen-studio`, and returns the text to print.
///
/// # Errors
/// See [`ServeError`].
pub async fn run(options: ImportOptions) -> Result<String, ServeError> {
    let ImportOptions { file, account, data } = options;
    let accounts = Accounts::open(&accounts_file(&data)?).await?;
    let is_known = accounts.list().await?.iter().any(|known| known.id == account);
    if !is_known && account != AccountId::local() {
        return Err(ServeError::NoSuchAccount(account));
    }
    let refused = |problem: Problem| ServeError::NotImported(file.clone(), problem.detail);
    let database = ForeignDatabase::open(&file).await.map_err(|error| refused(unreadable(error)))?;
    let journal = Journal::open(&data.data.join(JOURNAL)).await?;
    let teams = Teams::new(journal.clone(), Registry::default());
    let families: Vec<Arc<dyn workflows::Family>> = vec![Arc::new(teams)];
    let families = Families::new(families, journal.documents(), ModelRegistry::default(), None)?;
    let imported = import(&journal, &families, &account, database).await;
    journal.close().await;
    Ok(told(&imported.map_err(refused)?))
}

/// What was imported, a line for each thing that a person should know.
fn told(imported: &ImportedStudio) -> String {
    let ImportedStudio { teams, galleries, sessions, runs, known, left_out, more_left_out } = imported;
    let mut lines = vec![format!(
        "Imported: {} teams, {galleries} galleries, {sessions} sessions, {runs} runs. Here already: {known}.",
        teams.len()
    )];
    for team in teams {
        let state = if team.can_run { "can run" } else { "needs something before it can run" };
        lines.push(format!("{} ({state})", team.title));
        lines.extend(team.findings.iter().map(|finding| format!("  {} {}", finding.detail, finding.place)));
    }
    lines.extend(left_out.iter().cloned());
    if *more_left_out > 0 {
        lines.push(format!("{more_left_out} more were left out."));
    }
    lines.join("\n")
}
