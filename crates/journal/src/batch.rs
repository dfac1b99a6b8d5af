use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use protocol::{AccountId, Body, Digest, Event, NewEvent, RunId, RunSummary, Totals, trading::PortfolioId};
use sqlx::SqliteConnection;

use crate::{
    Encoded, Epoch, JournalError, LedgerError,
    encoding::Entries,
    request::{Addition, Append, Appended, Opening, Request},
    runs::{CachedRun, RequestResult, Runs},
    store::{
        block::Block,
        write::{self, Inserts, LedgerEntry},
    },
};

/// The rows that one transaction stores.
#[derive(Default)]
pub(crate) struct Batch {
    pub events: BTreeMap<RunId, Vec<Encoded>>,
    pub ledger: Vec<LedgerEntry>,
    claimed: BTreeSet<RunId>,
    texts: BTreeMap<Digest, Arc<str>>,
    references: BTreeSet<(RunId, Digest)>,
    charged: BTreeSet<AccountId>,
}

impl Batch {
    /// Decides on the requests in order, and stores the result in one transaction. What is read before the
    /// transaction stays true within it, since nobody else writes.
    pub async fn perform(
        requests: &mut [Request],
        runs: &mut Runs,
        connection: &mut SqliteConnection,
    ) -> Result<Self, sqlx::Error> {
        let mut batch = Self::default();
        for request in requests {
            match request {
                Request::Claim(call) => {
                    call.outcome = Some(batch.claim(call.input, runs, connection).await?);
                }
                Request::Append(call) => {
                    call.outcome = Some(batch.append(&call.input, runs, connection).await?);
                }
                Request::OpenLedger(call) => {
                    call.outcome = Some(batch.open_ledger(&call.input, connection).await?);
                }
                Request::AppendLedger(call) => {
                    call.outcome = Some(batch.append_ledger(&call.input, connection).await?);
                }
                Request::Close(call) => call.outcome = Some(Ok(())),
                // Executed on its own, after the batch that it came with.
                Request::ChangeDocument(_) | Request::Number(_) | Request::Remove(_) => {}
            }
        }
        batch.store(runs, connection).await?;
        Ok(batch)
    }

    async fn claim(
        &mut self,
        run: RunId,
        runs: &mut Runs,
        connection: &mut SqliteConnection,
    ) -> RequestResult<Epoch> {
        let epoch = runs.next_epoch();
        match runs.load(run, connection).await? {
            Ok(Some(known)) => {
                known.epoch = epoch;
                self.claimed.insert(run);
            }
            Ok(None) => runs.keep_claim(run, epoch),
            Err(refusal) => return Ok(Err(refusal)),
        }
        Ok(Ok(epoch))
    }

    async fn append(
        &mut self,
        append: &Append,
        runs: &mut Runs,
        connection: &mut SqliteConnection,
    ) -> RequestResult<Vec<Arc<Event>>> {
        let run = append.run;
        let kept_claim = runs.kept_claim(run);
        let known = match runs.load(run, connection).await? {
            Ok(known) => known,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let epoch = known.as_ref().map(|known| known.epoch).or(kept_claim);
        if epoch != Some(append.epoch) {
            return Ok(Err(JournalError::Fenced(run)));
        }
        if let Err(refusal) = check_order(run, known.as_deref(), &append.events) {
            return Ok(Err(refusal));
        }
        let last = known.as_ref().map_or(0, |known| known.summary.seq);
        let entries = match Entries::encode(run, last + 1, &append.events) {
            Ok(entries) => entries,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let origin = origin(known.as_deref(), &append.events);
        for digest in &entries.references {
            let is_brought = entries.texts.iter().any(|(brought, _)| brought == digest);
            if !is_brought && !self.may_name(run, origin, digest, connection).await? {
                return Ok(Err(JournalError::NoSuchText(digest.clone())));
            }
        }

        // All checks have passed: nothing below refuses the append.
        let before = known.as_ref().map(|known| known.summary.charged()).unwrap_or_default();
        match known {
            Some(known) => entries.events.iter().for_each(|event| known.summary.apply(event)),
            None => {
                let summary = entries.events.split_first().and_then(|(first, rest)| {
                    let mut summary = RunSummary::begin(first)?;
                    rest.iter().for_each(|event| summary.apply(event));
                    Some(summary)
                });
                if let Some(summary) = summary {
                    runs.insert(CachedRun { epoch: append.epoch, summary, listed: None });
                }
            }
        }
        if let Some(known) = runs.get(&run) {
            let used = known.summary.charged().since(&before);
            if used != Totals::default() {
                let owner = known.summary.owner.clone();
                runs.charge(&owner, &used, connection).await?;
                self.charged.insert(owner);
            }
        }
        Ok(Ok(self.take(run, entries)))
    }

    /// Whether a run may reference a stored text: if the run itself, or the run that it continues, references
    /// it already.
    async fn may_name(
        &self,
        run: RunId,
        origin: Option<RunId>,
        digest: &Digest,
        connection: &mut SqliteConnection,
    ) -> Result<bool, sqlx::Error> {
        for owner in std::iter::once(run).chain(origin) {
            let named = self.references.contains(&(owner, digest.clone()));
            if named || write::names_text(connection, owner, digest).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take(&mut self, run: RunId, entries: Entries) -> Vec<Arc<Event>> {
        if !entries.encoded.is_empty() {
            self.events.entry(run).or_default().extend(entries.encoded);
        }
        let moved = entries.texts.iter().map(|(digest, _)| digest);
        self.references.extend(moved.chain(&entries.references).map(|digest| (run, digest.clone())));
        self.texts.extend(entries.texts);
        entries.events
    }

    async fn open_ledger(
        &mut self,
        opening: &Opening,
        connection: &mut SqliteConnection,
    ) -> RequestResult<(), LedgerError> {
        let portfolio = opening.portfolio.clone();
        if self.last_entry(&portfolio, connection).await?.is_some() {
            return Ok(Err(LedgerError::Exists(portfolio)));
        }
        let body = opening.entry.clone();
        self.ledger.push(LedgerEntry { portfolio, number: 1, key: None, body });
        Ok(Ok(()))
    }

    async fn append_ledger(
        &mut self,
        addition: &Addition,
        connection: &mut SqliteConnection,
    ) -> RequestResult<Appended, LedgerError> {
        let portfolio = addition.portfolio.clone();
        let Some(last) = self.last_entry(&portfolio, connection).await? else {
            return Ok(Err(LedgerError::NoSuchPortfolio(portfolio)));
        };
        // The idempotency key is checked first: whoever repeats an append that succeeded expects an older
        // number.
        if let Some(body) = self.entry_of_key(&portfolio, &addition.key, connection).await? {
            return Ok(Ok(Appended::Known(body)));
        }
        if last != addition.expected {
            return Ok(Ok(Appended::Conflict));
        }
        let (key, body) = (addition.key.clone(), addition.entry.clone());
        let number = last + 1;
        self.ledger.push(LedgerEntry { portfolio, number, key: Some(key), body });
        Ok(Ok(Appended::Added(number)))
    }

    async fn last_entry(
        &self,
        portfolio: &PortfolioId,
        connection: &mut SqliteConnection,
    ) -> Result<Option<u64>, sqlx::Error> {
        match self.ledger.iter().rfind(|entry| entry.portfolio == *portfolio) {
            Some(entry) => Ok(Some(entry.number)),
            None => write::last_ledger_entry(connection, portfolio).await,
        }
    }

    async fn entry_of_key(
        &self,
        portfolio: &PortfolioId,
        key: &str,
        connection: &mut SqliteConnection,
    ) -> Result<Option<String>, sqlx::Error> {
        let is_it = |entry: &&LedgerEntry| entry.portfolio == *portfolio && entry.key.as_deref() == Some(key);
        match self.ledger.iter().find(is_it) {
            Some(entry) => Ok(Some(entry.body.clone())),
            None => write::ledger_entry_of_key(connection, portfolio, key).await,
        }
    }

    async fn store<'r>(&self, runs: &'r Runs, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let changed: BTreeSet<_> = self.events.keys().chain(&self.claimed).collect();
        let known = changed.into_iter().filter_map(|run| runs.get(run));
        let (steps, rows): (Vec<_>, Vec<_>) = known.partition(|known| known.listed == Some(known.columns()));
        let row = |known: &'r CachedRun| (known.epoch, &known.summary);
        let steps: Vec<_> = steps.into_iter().map(row).collect();
        let rows: Vec<_> = rows.into_iter().map(row).collect();
        let blocks: Vec<_> =
            self.events.iter().flat_map(|(run, events)| Block::split(*run, events)).collect();
        let texts: Vec<_> = self.texts.iter().collect();
        let references: Vec<_> = self.references.iter().collect();
        let spends: Vec<_> =
            self.charged.iter().filter_map(|account| Some((account, runs.spend(account)?))).collect();

        let mut inserts = Inserts::default();
        inserts.runs(&rows)?;
        inserts.steps(&steps)?;
        inserts.texts(&texts);
        inserts.references(&references);
        inserts.ledger_entries(&self.ledger);
        inserts.spends(&spends)?;
        inserts.blocks(&blocks, connection).await?;
        inserts.commit(connection).await
    }
}

/// The run that this one continues, from its stored or its new start event.
fn origin(known: Option<&CachedRun>, events: &[NewEvent]) -> Option<RunId> {
    let origin = match (known, events.first().map(|event| &event.body)) {
        (Some(known), _) => known.summary.origin.as_ref(),
        (None, Some(Body::RunStarted(started))) => started.origin.as_ref(),
        (None, _) => None,
    };
    origin.map(|origin| origin.run)
}

/// A run's start is its first event, and there is one; after its end only questions beside it are allowed.
fn check_order(run: RunId, known: Option<&CachedRun>, events: &[NewEvent]) -> Result<(), JournalError> {
    if events.is_empty() {
        return Ok(());
    }
    let is_over = known.is_some_and(|known| known.summary.finished_at.is_some());
    if is_over && !events.iter().all(|event| event.body.is_beside()) {
        return Err(JournalError::Finished(run));
    }
    let in_order = events.iter().enumerate().all(|(index, event)| {
        let starts = matches!(event.body, Body::RunStarted(_));
        let may_start = known.is_none() && index == 0;
        let ends_well = || events[index + 1..].iter().all(|event| event.body.is_beside());
        starts == may_start && (!event.body.ends_run() || ends_well())
    });
    if in_order { Ok(()) } else { Err(JournalError::OutOfOrder(run)) }
}
