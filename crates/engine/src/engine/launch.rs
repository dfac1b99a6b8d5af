//! The executor's task of a run.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use futures::FutureExt;
use journal::JournalError;
use llm::ChatModel;
use protocol::{AccountId, Stopped};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Active, Engine, lock, start::ReRun};
use crate::{
    command::{Command, Commands},
    execution::{DEFECT, Ending, Execution},
    run_log::RunLog,
    sub_run,
};

impl Engine {
    pub(super) fn launch(
        &self,
        log: Arc<RunLog>,
        model: Arc<dyn ChatModel>,
        re_run: Option<ReRun>,
        resumed: bool,
    ) {
        let (commands, orders) = Commands::new();
        let active = Active {
            log: log.clone(),
            live: Arc::default(),
            commands: commands.clone(),
            stop: CancellationToken::new(),
            stopped: Arc::default(),
            over: CancellationToken::new(),
        };
        let run = log.run;
        self.active().insert(run, active.clone());
        let Active { live, stop, .. } = active.clone();
        let execution = Execution { engine: self.clone(), log, model, live, commands, stop };
        let left = Left { engine: self.clone(), active, _re_run: re_run };
        self.0.tasks.spawn(async move {
            let Left { engine, active, .. } = &left;
            let work = async {
                let work = AssertUnwindSafe(work(&execution, orders, &active.stopped, resumed));
                match work.catch_unwind().await {
                    Ok(ended) => ended,
                    Err(_) => engine.fail_by_defect(&execution).await,
                }
            };
            let ended = tokio::select! {
                ended = work => ended,
                () = engine.0.shutdown.cancelled() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::error!(%run, %error, "the run is left to whoever has its log");
            }
        });
    }

    /// Ends a run whose executor panicked. If its progress makes that panic as well, the end is written from
    /// the run's summary and log alone.
    async fn fail_by_defect(&self, execution: &Execution) -> Result<(), JournalError> {
        tracing::error!(run = %execution.log.run, "the run met a defect");
        execution.stop.cancel();
        let finished = AssertUnwindSafe(async {
            sub_run::stop_all(self, &execution.log, None).await?;
            execution.finish(Ending::failed(DEFECT)).await
        });
        let finished = finished.catch_unwind().await;
        match finished {
            Ok(finished) => finished,
            Err(_) => self.give_up(execution.log.run, Ending::failed(DEFECT)).await,
        }
    }
}

/// Removes an active run when its executor ends in any way, a panic included, so that its place is never
/// lost.
struct Left {
    engine: Engine,
    active: Active,
    _re_run: Option<ReRun>,
}

impl Drop for Left {
    fn drop(&mut self) {
        let log = &self.active.log;
        log.slot.leave();
        self.engine.active().remove(&log.run);
        self.active.over.cancel();
    }
}

/// Runs the executor and writes the run's end.
async fn work(
    execution: &Execution,
    mut commands: mpsc::Receiver<Command>,
    stopped: &Mutex<Option<Stopped>>,
    resumed: bool,
) -> Result<(), JournalError> {
    let ending = execution.run(resumed, &mut commands).await?;
    let by_person = || lock(stopped).clone().unwrap_or(Stopped { by: AccountId::local(), reason: None });
    let ending = ending.unwrap_or_else(|| Ending::stopped(by_person()));
    sub_run::stop_all(&execution.engine, &execution.log, ending.stopped.as_ref()).await?;
    execution.finish(ending).await
}
