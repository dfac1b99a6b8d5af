//! What earlier runs like this one took: nothing is reckoned where there are none.

use leptos::prelude::*;
use protocol::{Decimal, PastRun};

use crate::format;

/// What is known of what a run will take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The least and the most US dollars, as far as they are known.
    pub cost: Option<(Decimal, Decimal)>,
    /// Runs of which the cost is not known.
    pub of_unknown_cost: usize,
    /// The shortest and the longest time, in milliseconds.
    pub milliseconds: (u64, u64),
    /// The fewest and the most model calls.
    pub calls: (u32, u32),
    /// How many runs say so.
    pub runs: usize,
}

impl Estimate {
    /// What the runs say; `None` if there are none.
    pub fn from_runs(runs: &[PastRun]) -> Option<Self> {
        fn range<T: Ord + Copy>(values: impl Iterator<Item = T> + Clone) -> Option<(T, T)> {
            Some((values.clone().min()?, values.max()?))
        }
        let costs = runs.iter().filter_map(|run| run.cost);
        Some(Self {
            of_unknown_cost: runs.len() - costs.clone().count(),
            cost: range(costs),
            milliseconds: range(runs.iter().map(|run| run.milliseconds))?,
            calls: range(runs.iter().map(|run| run.calls))?,
            runs: runs.len(),
        })
    }

    /// `$0.62 to $1.10`.
    pub fn dollars(&self) -> String {
        self.cost.map_or_else(|| "unknown".to_owned(), |cost| between(cost, format::dollars))
    }

    /// `6 min 02 s to 9 min 10 s · 101 to 116 calls`.
    pub fn rest(&self) -> String {
        let time = between(self.milliseconds, format::duration);
        let calls = between(self.calls, |calls| format::count(calls.into()));
        format!("{time} · {calls} {}", if self.calls == (1, 1) { "call" } else { "calls" })
    }

    /// Which runs say so.
    pub fn source(&self) -> String {
        let source = match self.runs {
            1 => "What one earlier run like this took.".to_owned(),
            runs => format!("What the last {runs} runs like this took."),
        };
        match self.of_unknown_cost {
            0 => source,
            all if all == self.runs => format!("{source} What they cost is not known."),
            1 => format!("{source} What one of them cost is not known."),
            some => format!("{source} What {some} of them cost is not known."),
        }
    }

    /// What a limit would have done to them.
    pub fn beyond(&self, limit: Option<Decimal>) -> Option<&'static str> {
        let (limit, (least, most)) = (limit?, self.cost?);
        if least > limit {
            Some("Each of them cost more than your limit.")
        } else if most > limit {
            Some("Some of them cost more than your limit.")
        } else {
            None
        }
    }
}

fn between<T: PartialEq + Copy>((least, most): (T, T), show: impl Fn(T) -> String) -> String {
    let (least, most) = (show(least), show(most));
    if least == most { least } else { format!("{least} to {most}") }
}

/// The runs as dots on a line from nothing to the most, in parts of a thousand; and where the limit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dots {
    at: Vec<u32>,
    limit: Option<u32>,
    end: String,
}

impl Dots {
    /// By cost where that is known of all and is any; by time otherwise.
    fn new(runs: &[PastRun], limit: Option<Decimal>) -> Self {
        let costs: Option<Vec<Decimal>> = runs.iter().map(|run| run.cost).collect();
        match costs.filter(|costs| costs.iter().any(|cost| !cost.is_zero())) {
            Some(costs) => {
                let most = costs.iter().copied().chain(limit).max().unwrap_or_default();
                Self {
                    at: costs.iter().map(|cost| part(*cost, most)).collect(),
                    limit: limit.map(|limit| part(limit, most)),
                    end: format::dollars(most),
                }
            }
            None => {
                let most = runs.iter().map(|run| run.milliseconds).max().unwrap_or_default();
                let at = |run: &PastRun| part(run.milliseconds.into(), most.into());
                Self { at: runs.iter().map(at).collect(), limit: None, end: format::duration(most) }
            }
        }
    }
}

fn part(value: Decimal, most: Decimal) -> u32 {
    let thousandths = value.checked_mul(1_000.into()).and_then(|value| value.checked_div(most));
    thousandths.and_then(|at| at.trunc().to_string().parse().ok()).unwrap_or(1_000)
}

/// The estimate in words, and each run as a dot.
#[component]
pub fn EstimateView(
    /// The runs, newest first.
    runs: Vec<PastRun>,
    /// The most US dollars that the run may cost.
    limit: Signal<Option<Decimal>>,
) -> impl IntoView {
    let Some(estimate) = Estimate::from_runs(&runs) else {
        return view! {
            <p class="quiet">"No run like this has come to its end yet: what it costs and how long it takes is not known."</p>
        }
        .into_any();
    };
    let (dollars, rest, source) = (estimate.dollars(), estimate.rest(), estimate.source());
    let said: Vec<String> = runs.iter().map(in_words).collect();
    let dots = Memo::new(move |_| Dots::new(&runs, limit.get()));
    view! {
        <p class="estimate">{dollars}</p>
        <p class="dim">{rest}</p>
        <svg class="dots" width="100%" height="24" aria-hidden="true">
            <line class="axis" x1="0%" x2="100%" y1="12" y2="12" />
            {move || dots.get().limit.map(percent).map(|at| view! { <line class="limit" x1=at.clone() x2=at y1="2" y2="22" /> })}
            {move || {
                let dots = dots.get().at.into_iter().zip(said.clone());
                dots.map(|(at, words)| view! { <circle cx=percent(at) cy="12" r="4"><title>{words}</title></circle> }).collect_view()
            }}
        </svg>
        <p class="dots-ends dim" aria-hidden="true">
            <span>"0"</span>
            <span>"each dot a run"</span>
            <span>{move || dots.with(|dots| dots.end.clone())}</span>
        </p>
        <p class="note">{source} " " {move || estimate.beyond(limit.get()).map(|words| view! { <strong class="over-limit">{words}</strong> })}</p>
    }
    .into_any()
}

fn percent(thousandths: u32) -> String {
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// `$0.62, 6 min 02 s`.
fn in_words(run: &PastRun) -> String {
    let cost = run.cost.map_or_else(|| "cost unknown".to_owned(), format::dollars);
    format!("{cost}, {}", format::duration(run.milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cents: Option<i64>, seconds: u64, calls: u32) -> PastRun {
        PastRun { milliseconds: seconds * 1_000, calls, cost: cents.map(|cents| Decimal::new(cents, 2)) }
    }

    #[test]
    fn nothing_is_said_where_there_are_no_runs() {
        assert_eq!(Estimate::from_runs(&[]), None);
    }

    #[test]
    fn the_least_and_the_most_are_said_of_what_runs_took() {
        let runs = [run(Some(110), 60, 12), run(Some(162), 90, 10), run(Some(120), 75, 10)];
        let estimate = Estimate::from_runs(&runs).unwrap();
        assert_eq!(estimate.dollars(), "$1.10 to $1.62");
        assert_eq!(estimate.rest(), "1 min 00 s to 1 min 30 s · 10 to 12 calls");
        assert_eq!(estimate.source(), "What the last 3 runs like this took.");
        let one = Estimate::from_runs(&runs[..1]).unwrap();
        assert_eq!((one.dollars().as_str(), one.rest().as_str()), ("$1.10", "1 min 00 s · 12 calls"));
    }

    #[test]
    fn a_cost_that_is_not_known_is_unknown_and_not_nothing() {
        let estimate = Estimate::from_runs(&[run(None, 60, 1)]).unwrap();
        assert_eq!(estimate.dollars(), "unknown");
        assert!(estimate.source().ends_with("What they cost is not known."));
        let partly = Estimate::from_runs(&[run(None, 60, 1), run(Some(250), 60, 1)]).unwrap();
        assert_eq!(partly.dollars(), "$2.50");
        assert!(partly.source().ends_with("What one of them cost is not known."));
    }

    #[test]
    fn a_limit_that_earlier_runs_went_beyond_is_said() {
        let estimate = Estimate::from_runs(&[run(Some(100), 1, 1), run(Some(200), 1, 1)]).unwrap();
        let beyond = |cents| estimate.beyond(Some(Decimal::new(cents, 2)));
        assert!(beyond(50).unwrap().starts_with("Each"));
        assert!(beyond(150).unwrap().starts_with("Some"));
        assert_eq!((beyond(200), estimate.beyond(None)), (None, None));
    }

    #[test]
    fn dots_stand_by_cost_up_to_the_limit_or_else_by_time() {
        let runs = [run(Some(50), 60, 1), run(Some(100), 30, 1)];
        assert_eq!(Dots::new(&runs, None).at, [500, 1_000]);
        let limited = Dots::new(&runs, Some(Decimal::TWO));
        assert_eq!((limited.at, limited.limit, limited.end.as_str()), (vec![250, 500], Some(1_000), "$2.00"));
        for free in [run(None, 60, 1), run(Some(0), 60, 1)] {
            assert_eq!(Dots::new(&[free, run(Some(0), 30, 1)], Some(Decimal::ONE)).at, [1_000, 500]);
        }
        assert_eq!(Dots::new(&[run(Some(0), 0, 0)], None).at, [1_000], "where there is no length");
    }
}
