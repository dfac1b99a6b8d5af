//! What earlier runs took, for whoever is about to start another one like them.

use serde::{Deserialize, Serialize};

use crate::{Decimal, RunSummary};

/// What one run took, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    /// Wall time in milliseconds, with the time that it waited for a place and for people.
    pub milliseconds: u64,
    /// Model calls.
    pub calls: u32,
    /// US dollars; `None` if they are not all known.
    pub cost: Option<Decimal>,
}

impl PastRun {
    /// What a run took; `None` of one that does not show it: it has not ended, or some of its work was done elsewhere.
    pub fn of(run: &RunSummary) -> Option<Self> {
        let end = run.finished_at?;
        let is_whole = run.origin.is_none() && run.imported_from.is_none() && run.unreadable.is_none();
        is_whole.then(|| Self {
            milliseconds: end.since(run.created_at),
            calls: run.totals.model_calls,
            cost: (run.totals.calls_of_unknown_cost == 0).then_some(run.totals.cost),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Heading, RunRequest, Timestamp, Totals, Workflow};

    fn ended() -> RunSummary {
        let request = RunRequest::new(Workflow::bare("essay".parse().unwrap()), "flow".parse().unwrap());
        let run = "0197a1b2-0000-7000-8000-000000000001".parse().unwrap();
        RunSummary {
            finished_at: Some(Timestamp(62_000)),
            totals: Totals { model_calls: 4, cost: Decimal::new(62, 2), ..Totals::default() },
            ..RunSummary::new(run, request, Heading::new("Essay · rain"), Timestamp(2_000))
        }
    }

    #[test]
    fn a_run_that_was_done_here_from_its_start_to_its_end_shows_what_it_took() {
        let took = PastRun { milliseconds: 60_000, calls: 4, cost: Some(Decimal::new(62, 2)) };
        assert_eq!(PastRun::of(&ended()), Some(took));
        let working = RunSummary { finished_at: None, ..ended() };
        let imported = RunSummary { imported_from: Some(ended().run), ..ended() };
        let unreadable = RunSummary { unreadable: Some("It is of another version.".into()), ..ended() };
        for other in [working, imported, unreadable] {
            assert_eq!(PastRun::of(&other), None);
        }
    }

    #[test]
    fn a_cost_of_which_a_part_is_not_known_is_not_known() {
        let mut run = ended();
        run.totals.calls_of_unknown_cost = 1;
        assert_eq!(PastRun::of(&run).unwrap().cost, None);
    }
}
