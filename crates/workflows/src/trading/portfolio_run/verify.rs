//! The decision, derived again from the recorded answer, and its trades, from the decision and the recorded prices.

use std::collections::BTreeMap;

use engine::{NodeError, State};
use journal::JournalError;
use portfolio::{Entry, Portfolio};
use protocol::{
    Date, Decimal, NodeStatus, RunId,
    trading::{Decision, PendingOrder, PortfolioId, PortfolioView, Rating, RejectedOrder, Ticker, Trade},
};

use super::{
    answers::read_decision,
    decide::{Concluded, concluded},
    execute::decision_key,
    graph::{DECISION, EXECUTION},
    state,
};
use crate::{
    Check, Recorded,
    node::needed,
    recorded::RecordedVisit,
    trading::{
        desk::{Carrying, Desk, DeskError, LedgerPlace},
        facts::CandidateFacts,
    },
};

/// Derives the decision of a run again.
pub(in crate::trading) fn verify_decision(run: &Recorded) -> Check {
    let what = "the decision, from the decision maker's last answer";
    let visits = run.visits(DECISION);
    let Some(visit) = visits.last() else {
        return Check::unknown(what, run.unreached());
    };
    if visit.finished.status == NodeStatus::Failed {
        return Check::unknown(what, visit.failure());
    }
    match decided(visit) {
        Ok(Concluded { decision, held_back }) => {
            let decision = Some(decision);
            let shown = visit.products::<Decision>().pop();
            let recorded = (shown, visit.set::<Decision>(state::DECISION), visit.products::<RejectedOrder>());
            Check::equal(what, &(decision.clone(), decision, held_back), &recorded)
        }
        Err(error) => Check::unknown(what, error.to_string()),
    }
}

fn decided(visit: &RecordedVisit<'_>) -> Result<Concluded, NodeError> {
    let answer = visit.last_answer().and_then(|answer| answer.answer.whole());
    let answer = answer.ok_or_else(|| NodeError::failed("The log holds no answer of the decision maker."))?;
    let decision = read_decision(answer).map_err(|refusal| {
        NodeError::failed(format!("The last answer cannot be read as a decision: {refusal}"))
    })?;
    let ratings: Vec<Rating> = needed(&visit.state, state::RATINGS)?;
    let candidates: Vec<CandidateFacts> = needed(&visit.state, state::CANDIDATES)?;
    Ok(concluded(decision, &ratings, &candidates))
}

/// Derives the decision of a run, its trades, and the portfolio after them again, and compares them with the run's log
/// and with the portfolio's ledger.
///
/// # Errors
/// The journal cannot be read.
pub(in crate::trading) async fn verify(
    run: &Recorded,
    desk: &Desk,
    id: &PortfolioId,
    date: Date,
) -> Result<Vec<Check>, JournalError> {
    let mut checks = vec![verify_decision(run)];
    let what = "the trades, from the decision and the recorded prices";
    let visits = run.visits(EXECUTION);
    let Some(visit) = visits.last() else {
        checks.push(Check::unknown(what, run.unreached()));
        return Ok(checks);
    };
    if visit.finished.status == NodeStatus::Failed {
        checks.push(Check::unknown(what, visit.failure()));
        return Ok(checks);
    }
    if run.summary().imported_from.is_some() {
        let reason = "The run was imported: it traded in the ledger of another server, which is not here.";
        checks.push(Check::unknown(what, reason));
        return Ok(checks);
    }
    let traded = match Traded::read(visit) {
        Ok(traded) => traded,
        Err(error) => {
            checks.push(Check::unknown(what, error.to_string()));
            return Ok(checks);
        }
    };
    let ledger = "the ledger's entry of the decision";
    match desk.place_of(id, &traded.key).await {
        Ok(Some(place)) => checks.extend(traded.verify(desk, &place, date, visit).await?),
        Ok(None) => {
            let derived = format!("an entry with the key {}", traded.key);
            checks.push(Check::whole(ledger, false, derived, "none"));
        }
        Err(DeskError::Journal(error)) => return Err(error),
        Err(error) => {
            checks.push(Check::whole(ledger, false, "a ledger that can be read", error.to_string()))
        }
    }
    Ok(checks)
}

/// What the log says of a decision that was carried out.
struct Traded {
    decision: Decision,
    key: String,
    /// The portfolio as the run loaded it.
    loaded: PortfolioView,
    /// What came of it.
    entry: Entry,
    prices: Prices,
}

/// The prices of the day, as the log has them: those of what was held and of the candidates. Of anything else it has the
/// price that was paid, or at which an order was refused.
struct Prices {
    known: BTreeMap<Ticker, Decimal>,
    /// What only the trade itself says the price of.
    of_trades: Vec<Ticker>,
}

impl Prices {
    fn read(loaded: &PortfolioView, state: &State, entry: &Entry) -> Result<Self, NodeError> {
        let mut known = BTreeMap::new();
        let candidates: Vec<CandidateFacts> = state.get(state::CANDIDATES)?.unwrap_or_default();
        for candidate in candidates {
            known.extend(candidate.price.map(|price| (candidate.ticker, price)));
        }
        for holding in &loaded.holdings {
            known.extend(holding.price.map(|price| (holding.ticker.clone(), price)));
        }
        let mut of_trades = Vec::new();
        if let Entry::Decided { trades, rejected, .. } = entry {
            let paid = trades.iter().map(|trade| (&trade.ticker, trade.quoted.unwrap_or(trade.price)));
            let refused = rejected.iter().filter_map(|it| Some((&it.order.ticker, it.price?)));
            for (ticker, price) in paid.chain(refused) {
                if !known.contains_key(ticker) {
                    known.insert(ticker.clone(), price);
                    of_trades.push(ticker.clone());
                }
            }
        }
        Ok(Self { known, of_trades })
    }

    /// What has to be said of them.
    fn remark(&self) -> String {
        let tickers: Vec<&str> = self.of_trades.iter().map(Ticker::as_str).collect();
        match tickers.as_slice() {
            [] => String::new(),
            tickers => format!(" (the price of {} stands in its order alone)", tickers.join(", ")),
        }
    }
}

impl Traded {
    fn read(visit: &RecordedVisit<'_>) -> Result<Self, NodeError> {
        let decision: Decision = needed(&visit.state, state::DECISION)?;
        let decided_by: RunId = needed(&visit.state, state::DECIDED_BY)?;
        let key = decision_key(decided_by, &decision)?;
        let loaded: PortfolioView = needed(&visit.state, state::PORTFOLIO)?;
        let entry: Option<Entry> = visit.set(state::EXECUTION);
        let entry =
            entry.ok_or_else(|| NodeError::failed("The log does not say what came of the orders."))?;
        let prices = Prices::read(&loaded, &visit.state, &entry)?;
        Ok(Self { decision, key, loaded, entry, prices })
    }

    async fn verify(
        &self,
        desk: &Desk,
        place: &LedgerPlace,
        date: Date,
        visit: &RecordedVisit<'_>,
    ) -> Result<Vec<Check>, JournalError> {
        let mut checks = Vec::new();
        let fold = "what the ledger says before the decision can have happened";
        let before = match place.before() {
            Ok(before) => {
                checks.push(Check::whole(fold, true, "", ""));
                before
            }
            Err(error) => {
                checks.push(Check::whole(fold, false, "a portfolio", error.to_string()));
                return Ok(checks);
            }
        };
        checks.push(self.verify_loaded(place));
        checks.extend(self.verify_entries(desk, place, &before, date, visit));
        match desk.verify_days(place).await {
            Ok(days) => checks.extend(days),
            Err(DeskError::Journal(error)) => return Err(error),
            Err(error) => {
                let what = "what the market did before the decision, and to its orders";
                checks.push(Check::unknown(what, error.to_string()));
            }
        }
        Ok(checks)
    }

    /// The portfolio that was decided on is that of the ledger.
    fn verify_loaded(&self, place: &LedgerPlace) -> Check {
        let what = "the portfolio that was decided on: its cash and its shares, from the ledger";
        let entries = usize::try_from(self.loaded.entries).unwrap_or(usize::MAX);
        let check = match place.until(entries) {
            Ok(portfolio) => Check::equal(what, &Held::of(&portfolio), &Held::shown(&self.loaded)),
            Err(error) => Check::whole(what, false, error.to_string(), "a portfolio"),
        };
        let is_changed = entries != place.number() && !matches!(check.outcome, crate::Outcome::Holds);
        if is_changed {
            let reason = "Others changed the portfolio between its loading and its trades.";
            return Check::unknown(what, reason);
        }
        check
    }

    /// The orders executed again, against the log's entry, the ledger's, what the run shows, and the portfolio after.
    fn verify_entries(
        &self,
        desk: &Desk,
        place: &LedgerPlace,
        before: &Portfolio,
        date: Date,
        visit: &RecordedVisit<'_>,
    ) -> Vec<Check> {
        let what = format!("the trades, from the decision and the recorded prices{}", self.prices.remark());
        let Entry::Decided { run, at, price_table, .. } = &self.entry else {
            return vec![Check::whole(what, false, "a decision", "an entry of another kind")];
        };
        let price_table = *price_table;
        let prices = &self.prices.known;
        let carrying = Carrying { key: &self.key, run: *run, date, at: *at, prices, price_table };
        let derived = match desk.execute(before, &self.decision, &carrying) {
            Ok(derived) => derived,
            Err(error) => return vec![Check::whole(what, false, error.to_string(), "an entry")],
        };
        let mut checks = vec![
            Check::equal(what, &derived, &self.entry),
            Check::equal("the ledger's entry of the decision, from the same", &derived, place.entry()),
        ];
        if let Entry::Decided { trades, pending, rejected, .. } = &derived {
            let shown = (
                visit.products::<Trade>(),
                visit.products::<PendingOrder>(),
                visit.products::<RejectedOrder>(),
            );
            let what = "the trades, the waiting and the refused orders that the run shows";
            checks.push(Check::equal(what, &(trades, pending, rejected), &shown));
        }
        let what = "the portfolio after the trades: its cash and its shares";
        let mut after = before.clone();
        checks.push(match (after.apply(&derived), visit.products::<PortfolioView>().pop()) {
            (Ok(()), Some(shown)) if shown.entries == after.entries() => {
                Check::equal(what, &Held::of(&after), &Held::shown(&shown))
            }
            (Ok(()), Some(_)) => {
                Check::unknown(what, "Others changed the portfolio before the run looked at it again.")
            }
            (Ok(()), None) => Check::unknown(what, "The log does not say what was held then."),
            (Err(error), _) => Check::whole(what, false, error.to_string(), "a portfolio"),
        });
        checks
    }
}

/// Cash and shares.
#[derive(serde::Serialize)]
struct Held {
    cash: Decimal,
    /// Shares and their cost, by ticker.
    shares: BTreeMap<Ticker, (Decimal, Decimal)>,
}

impl Held {
    fn of(portfolio: &Portfolio) -> Self {
        let shares = portfolio.holdings().iter();
        let shares = shares.map(|(ticker, held)| (ticker.clone(), (held.quantity, held.cost_basis)));
        Self { cash: portfolio.cash(), shares: shares.collect() }
    }

    fn shown(view: &PortfolioView) -> Self {
        let shares = view.holdings.iter();
        let shares = shares.map(|held| (held.ticker.clone(), (held.quantity, held.cost_basis)));
        Self { cash: view.cash, shares: shares.collect() }
    }
}
