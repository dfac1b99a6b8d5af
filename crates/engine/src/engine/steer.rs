//! What people do to a run at work.

use std::time::Duration;

use protocol::{AccountId, Approval, InputReceived, NodeId, RunId, Stopped};

use super::{Engine, EngineError, lock};
use crate::execution::Ending;

/// How long a stop waits until the run's end is durable. It takes longer only while the disk cannot be
/// written.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Stops a run: no further call begins, and calls in flight are dropped. Returns whether the run's end is
    /// in the log, with who stopped it and why; `false`: it follows as soon as the disk can be written. A run
    /// without an executor, such as one that this version cannot plan, is ended as well.
    ///
    /// # Errors
    /// [`EngineError::NotActive`], or the log cannot be read or written.
    pub async fn stop(&self, run: RunId, by: AccountId, reason: Option<&str>) -> Result<bool, EngineError> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
        let stopped = Stopped { by, reason };
        let active = self.active().get(&run).cloned();
        let Some(active) = active else {
            let summary = self.0.journal.summary(run).await?;
            if summary.is_none_or(|summary| summary.status.is_over()) {
                return Err(EngineError::NotActive);
            }
            self.give_up(run, Ending::stopped(stopped)).await?;
            return Ok(true);
        };
        // The first stop wins.
        lock(&active.stopped).get_or_insert(stopped);
        active.stop.cancel();
        let is_over = tokio::time::timeout(STOP_PATIENCE, active.over.cancelled()).await.is_ok();
        // A shutdown cancels it too, but leaves runs to be resumed.
        Ok(is_over && self.0.journal.summary(run).await?.is_some_and(|summary| summary.status.is_over()))
    }

    /// Gives a person's answer to a question of a run; it is in the log when this returns. The
    /// first valid answer counts.
    ///
    /// # Errors
    /// [`EngineError::Input`], [`EngineError::NotActive`].
    pub async fn answer(&self, run: RunId, received: InputReceived) -> Result<(), EngineError> {
        Ok(self.active_run(run)?.commands.answer(received).await?)
    }

    /// Changes before which nodes a run pauses, and whether the runs that it has started pause before all of theirs.
    /// One of those that pauses before some of its nodes goes on doing so, unless it is to pause before all.
    ///
    /// # Errors
    /// [`EngineError::NotActive`].
    pub async fn set_approval(
        &self,
        run: RunId,
        approval: Approval,
        by: AccountId,
    ) -> Result<(), EngineError> {
        let active = self.active_run(run)?;
        active.commands.set_approval(approval.clone(), by.clone()).await?;
        let below = active.log.progress().open_sub_runs();
        for (_, run) in below {
            match Box::pin(self.set_approval_of(run, &approval.below(), &by)).await {
                // It has ended, or begins, and looks what was asked for by itself.
                Ok(()) | Err(EngineError::NotActive) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Changes whether a run that another one has started pauses before every node.
    pub(crate) async fn set_approval_of(
        &self,
        run: RunId,
        approval: &Approval,
        by: &AccountId,
    ) -> Result<(), EngineError> {
        let now = self.active_run(run)?.log.progress().approval.clone();
        match (&now, approval) {
            (Approval::Nodes { .. }, Approval::Off) => Ok(()),
            _ if now == *approval => Ok(()),
            _ => self.set_approval(run, approval.clone(), by.clone()).await,
        }
    }

    /// Says something to a node of a run; it is in the log when this returns, and the node reads it when it next
    /// looks, in a visit under way or in a later one.
    ///
    /// # Errors
    /// [`EngineError::Input`], [`EngineError::NotActive`].
    pub async fn tell(
        &self,
        run: RunId,
        node: NodeId,
        content: &str,
        by: AccountId,
    ) -> Result<(), EngineError> {
        Ok(self.active_run(run)?.commands.tell(node, content.to_owned(), by).await?)
    }
}
