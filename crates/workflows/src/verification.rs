//! What was decided and booked, derived again from a log: the checks, and in what they differ.

use std::fmt;

use journal::{Journal, JournalError};
use protocol::{Decimal, RunId};
use serde::Serialize;
use serde_json::Value;

use crate::{Families, recorded::Recorded};

/// Differences of one check that are told; a list that is wrong from one place on differs everywhere behind it.
const MOST_DIFFERENCES: usize = 20;
/// Characters of a value that are told.
const LONGEST_VALUE: usize = 160;

/// One thing that was derived again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is, such as `the rating, from the portfolio manager's answer`.
    pub what: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What is derived equals what is recorded.
    Holds,
    /// It does not: at these places, at least one.
    Differs(Vec<Difference>),
    /// It cannot be derived, for this reason, a sentence.
    Unknown(String),
}

/// A place at which something else is recorded than is derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place within what was checked, such as `trades/0/price`; empty for all of it.
    pub place: String,
    /// What is derived.
    pub derived: String,
    /// What is recorded.
    pub recorded: String,
}

impl Check {
    /// Compares what is derived with what is recorded, part by part.
    pub fn equal(what: impl Into<String>, derived: &impl Serialize, recorded: &impl Serialize) -> Self {
        let mut differences = Vec::new();
        match (serde_json::to_value(derived), serde_json::to_value(recorded)) {
            (Ok(derived), Ok(recorded)) => {
                compare(&mut String::new(), Some(&derived), Some(&recorded), &mut differences);
            }
            (Err(error), _) | (_, Err(error)) => {
                return Self::unknown(what, format!("It has no JSON form: {error}."));
            }
        }
        let outcome = if differences.is_empty() { Outcome::Holds } else { Outcome::Differs(differences) };
        Self { what: what.into(), outcome }
    }

    /// Something that holds, as `is_so` says, and otherwise differs as a whole.
    pub fn whole(
        what: impl Into<String>,
        is_so: bool,
        derived: impl Into<String>,
        recorded: impl Into<String>,
    ) -> Self {
        let difference =
            || Difference { place: String::new(), derived: derived.into(), recorded: recorded.into() };
        let outcome = if is_so { Outcome::Holds } else { Outcome::Differs(vec![difference()]) };
        Self { what: what.into(), outcome }
    }

    /// Something that cannot be derived.
    pub fn unknown(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { what: what.into(), outcome: Outcome::Unknown(reason.into()) }
    }
}

/// Adds the places at which two values differ; `None` is a value that is not there.
fn compare(
    place: &mut String,
    derived: Option<&Value>,
    recorded: Option<&Value>,
    differences: &mut Vec<Difference>,
) {
    if differences.len() == MOST_DIFFERENCES {
        return;
    }
    let mut inside = |part: &str, derived: Option<&Value>, recorded: Option<&Value>| {
        let outside = place.len();
        if !place.is_empty() {
            place.push('/');
        }
        place.push_str(part);
        compare(place, derived, recorded, differences);
        place.truncate(outside);
    };
    match (derived, recorded) {
        (Some(Value::Object(derived)), Some(Value::Object(recorded))) => {
            let added = recorded.keys().filter(|key| !derived.contains_key(*key));
            for key in derived.keys().chain(added) {
                inside(key, derived.get(key), recorded.get(key));
            }
        }
        (Some(Value::Array(derived)), Some(Value::Array(recorded))) => {
            for number in 0..derived.len().max(recorded.len()) {
                inside(&number.to_string(), derived.get(number), recorded.get(number));
            }
        }
        (Some(Value::String(derived)), Some(Value::String(recorded)))
            if is_same_amount(derived, recorded) => {}
        (derived, recorded) if derived == recorded => {}
        (derived, recorded) => differences.push(Difference {
            place: place.clone(),
            derived: shown(derived),
            recorded: shown(recorded),
        }),
    }
}

/// Whether two texts are the same amount, however many zeros stand behind it.
fn is_same_amount(one: &str, other: &str) -> bool {
    matches!((one.parse::<Decimal>(), other.parse::<Decimal>()), (Ok(one), Ok(other)) if one == other)
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Holds => write!(formatter, "holds    {}", self.what),
            Outcome::Unknown(reason) => write!(formatter, "unknown  {}: {reason}", self.what),
            Outcome::Differs(differences) => {
                write!(formatter, "DIFFERS  {}", self.what)?;
                for Difference { place, derived, recorded } in differences {
                    let place = if place.is_empty() { "all of it" } else { place };
                    write!(formatter, "\n           {place}: {derived} is derived, {recorded} is recorded")?;
                }
                Ok(())
            }
        }
    }
}

/// A run with what was checked of it.
#[derive(Clone, Debug)]
pub struct VerifiedRun {
    /// The run.
    pub run: RunId,
    /// What it is called.
    pub title: String,
    /// How many runs it is below the one that was asked for.
    pub depth: usize,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Whether something of it is derived by rules. Of the others the log alone is checked: what they came to is what
    /// models wrote.
    pub is_derived: bool,
}

/// Verifies a run and all runs that it has started: it comes first, and each before those below it. Empty if there is no
/// such run.
///
/// # Errors
/// The journal cannot be read.
pub async fn verify(
    families: &Families,
    journal: &Journal,
    run: RunId,
) -> Result<Vec<VerifiedRun>, JournalError> {
    let mut verified = Vec::new();
    let mut to_verify = vec![(run, 0, None)];
    while let Some((run, depth, told)) = to_verify.pop() {
        let recorded = match Recorded::read(journal, run).await {
            Ok(Some(recorded)) => recorded,
            Ok(None) if depth == 0 => return Ok(verified),
            Ok(None) => {
                verified.push(unreadable(
                    run,
                    depth,
                    "it was deleted, so nothing of it can be derived".to_owned(),
                ));
                continue;
            }
            Err(JournalError::Unreadable(why)) => {
                verified.push(unreadable(run, depth, format!("it cannot be read, because {why}")));
                continue;
            }
            Err(error) => return Err(error),
        };
        let summary = recorded.summary();
        let mut checks = vec![check_log(journal, &recorded).await?];
        if let Some(told) = told {
            let what = "how the run ended, as the run that started it was told";
            checks.push(Check::equal(what, &summary.status, &told));
        }
        let derived = if summary.status.is_over() {
            families.derive(&recorded).await?
        } else {
            let reason = "The run is still at work. Verify it when it has ended.";
            Some(vec![Check::unknown("what the run comes to", reason)])
        };
        let is_derived = derived.is_some();
        checks.extend(derived.into_iter().flatten());
        let below = recorded.sub_runs();
        to_verify.extend(below.into_iter().rev().map(|(run, told)| (run, depth + 1, told)));
        verified.push(VerifiedRun { run, title: summary.title.clone(), depth, checks, is_derived });
    }
    Ok(verified)
}

fn unreadable(run: RunId, depth: usize, why: String) -> VerifiedRun {
    let checks = vec![Check::unknown("the run", format!("{why}."))];
    VerifiedRun { run, title: "A run that is not there".to_owned(), depth, checks, is_derived: true }
}

/// What the log says of itself: that it is whole, and that each long text is the one that was stored.
pub(crate) async fn check_log(journal: &Journal, recorded: &Recorded) -> Result<Check, JournalError> {
    let (events, mut texts) = (recorded.events().len(), 0_usize);
    let mut differences = Vec::new();
    for (place, event) in recorded.events().iter().enumerate() {
        let expected = place as u64 + 1;
        if event.seq != expected {
            differences.push(Difference {
                place: format!("event {expected}"),
                derived: "this number".to_owned(),
                recorded: format!("number {}", event.seq),
            });
            break;
        }
    }
    for digest in recorded.long_texts() {
        texts += 1;
        let stored = match journal.text(recorded.summary().run, digest).await? {
            Some(text) => journal::digest(&text)?,
            None => continue,
        };
        if stored != *digest && differences.len() < MOST_DIFFERENCES {
            differences.push(Difference {
                place: "a long text".to_owned(),
                derived: format!("the digest {stored}"),
                recorded: format!("the digest {digest}"),
            });
        }
    }
    let what = format!("the log is whole: {events} events, {texts} long texts");
    let outcome = if differences.is_empty() { Outcome::Holds } else { Outcome::Differs(differences) };
    Ok(Check { what, outcome })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_by_its_place_with_both_values() {
        let derived = json!({ "trades": [{ "price": "138.93", "key": "a" }], "rejected": [], "run": null });
        let recorded =
            json!({ "trades": [{ "price": "139.93", "key": "a" }, { "price": "1" }], "rejected": [] });
        let Outcome::Differs(differences) = Check::equal("an entry", &derived, &recorded).outcome else {
            panic!("it differs")
        };
        let mut told: Vec<_> = differences
            .iter()
            .map(|it| (it.place.as_str(), it.derived.as_str(), it.recorded.as_str()))
            .collect();
        // In which order an object's keys come is not said.
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("run", "null", "nothing"),
                ("trades/0/price", r#""138.93""#, r#""139.93""#),
                ("trades/1", "nothing", r#"{"price":"1"}"#),
            ]
        );
        assert_eq!(Check::equal("an entry", &derived, &derived).outcome, Outcome::Holds);
    }

    #[test]
    fn a_list_that_differs_everywhere_is_told_in_part() {
        let (derived, recorded) = (vec![1; 500], vec![2; 500]);
        let Outcome::Differs(differences) = Check::equal("figures", &derived, &recorded).outcome else {
            panic!("it differs")
        };
        assert_eq!(differences.len(), MOST_DIFFERENCES);
    }
}
