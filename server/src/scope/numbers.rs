//! The whole numbers under which other systems know what a caller has.

use engine::Engine;
use journal::{Journal, Subscription};
use protocol::{AccountId, Problem, RunId, StartRun, document::DocumentId};
use uuid::Uuid;

use super::{Activity, Scoped};
use crate::{problem::from_journal, service::Service};

/// What stands behind the number of a run.
pub enum NumberedRun {
    /// A run of the caller's that has not begun.
    Reserved(ReservedRun),
    /// One that has begun. Whether the caller may read it is not decided yet.
    Begun(RunId),
}

/// A run of the caller's that has not begun: the type is the proof of the check.
pub struct ReservedRun {
    /// The id that it will have.
    pub run: RunId,
    /// What it will belong to.
    pub within: DocumentId,
    journal: Journal,
    engine: Engine,
}

impl ReservedRun {
    /// Its log, which begins when it begins.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn subscribe(&self) -> Result<Subscription, Problem> {
        self.journal.subscribe_before_start(self.run).await.map_err(from_journal)
    }

    /// Its state in the engine.
    pub fn activity(&self) -> Activity {
        Activity::of(&self.engine, self.run)
    }
}

impl Scoped {
    /// The numbers of these, which the caller may read, in their order.
    ///
    /// # Errors
    /// They cannot be read or given.
    pub async fn numbers_of(&self, owner: &AccountId, subjects: Vec<Uuid>) -> Result<Vec<u64>, Problem> {
        self.service().journal.numbers().of(owner, subjects).await.map_err(from_journal)
    }

    /// Gives a number to a run that is to begin later, within a document of the caller's.
    ///
    /// # Errors
    /// 403: the caller only reads. Or it cannot be stored.
    pub async fn reserve_run(&self, within: DocumentId) -> Result<u64, Problem> {
        let owner = self.caller().writer()?;
        let run = Uuid::now_v7();
        self.service().journal.numbers().reserve(owner, run, within.0).await.map_err(from_journal)
    }

    /// The caller's runs within this document that have not begun, with their numbers, oldest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn reserved_runs(&self, within: DocumentId) -> Result<Vec<(u64, RunId)>, Problem> {
        let Some(owner) = self.caller().owner() else { return Ok(Vec::new()) };
        let reserved = self.service().journal.numbers().reserved(owner, within.0).await;
        let reserved = reserved.map_err(from_journal)?;
        Ok(reserved.into_iter().map(|(number, run)| (number, RunId(run))).collect())
    }

    /// The run of this number.
    ///
    /// # Errors
    /// 404: there is none, or it has not begun and is another's.
    pub async fn numbered_run(&self, number: u64) -> Result<NumberedRun, Problem> {
        let not_found = || Problem::not_found("Run not found");
        let found = self.service().journal.numbers().find(number).await.map_err(from_journal)?;
        let found = found.ok_or_else(not_found)?;
        match found.within {
            None => Ok(NumberedRun::Begun(RunId(found.subject))),
            Some(within) if self.caller().owner() == Some(&found.owner) => {
                let (run, within) = (RunId(found.subject), DocumentId(within));
                let Service { journal, engine, .. } = self.service();
                let (journal, engine) = (journal.clone(), engine.clone());
                Ok(NumberedRun::Reserved(ReservedRun { run, within, journal, engine }))
            }
            Some(_) => Err(not_found()),
        }
    }

    /// The id of the document of this number. Whether the caller may read it is not decided yet.
    ///
    /// # Errors
    /// 404: there is none.
    pub async fn numbered_document(&self, number: u64) -> Result<DocumentId, Problem> {
        let found = self.service().journal.numbers().find(number).await.map_err(from_journal)?;
        let found = found.ok_or_else(|| Problem::not_found(format!("There is no document {number}.")))?;
        Ok(DocumentId(found.subject))
    }

    /// Starts a run of the caller's under the id that was reserved for it.
    ///
    /// # Errors
    /// 403: the caller only reads. 409: it has begun. 422: it cannot be run. 429: there are too many.
    pub async fn start_reserved(&self, run: RunId, request: StartRun) -> Result<(), Problem> {
        let owner = self.caller().writer()?.clone();
        self.service().start_reserved(run, request, owner).await
    }
}
