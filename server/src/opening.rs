//! Opens everything that the interfaces need.

use std::{path::PathBuf, sync::Arc};

use accounts::Accounts;
use engine::{Allowance, Allowances, Engine, EngineOptions};
use journal::Journal;
use protocol::{AccountId, Limits};
use tokio_util::sync::CancellationToken;
use workflows::{Families, Family};

use crate::{
    config::{DataOptions, ServeOptions},
    error::ServeError,
    families, model_setup,
    peer::Sockets,
    service::Service,
    settings::Settings,
    tool_servers, upkeep,
};

/// The accounts' file, in a folder that is created if it is missing.
pub(crate) fn accounts_file(data: &DataOptions) -> Result<PathBuf, ServeError> {
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
    open_with(options, Vec::new()).await
}

/// The same with more families than those that are built in.
///
/// # Errors
/// See [`ServeError`].
pub async fn open_with(
    options: &ServeOptions,
    more: Vec<Arc<dyn Family>>,
) -> Result<Arc<Service>, ServeError> {
    let folder = &options.data.data;
    let accounts = Accounts::open(&accounts_file(&options.data)?).await?;
    let journal = Journal::open(&folder.join(upkeep::JOURNAL)).await?;
    let settings = Settings::read(options.model.settings.as_deref(), &options.data)?;
    let models = model_setup::registry(&options.model, &settings)?;
    let tools = tool_servers::start(&settings)?;
    let (mut all, own, tools) = families::open(&journal, settings.families, folder, &tools).await?;
    all.extend(more);
    let speed = options.model.rehearsal_speed;
    let families = Arc::new(Families::new(all, journal.documents(), models.clone(), speed)?);
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
