//! Company facts: every figure of every filing, as it was filed.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Date, Decimal, parse_date};
use serde::Deserialize;
use serde_json::Value;

use super::concepts::{Line, TAXONOMIES};
use crate::{Frequency, StatementFigure, written};

/// The body of `/api/xbrl/companyfacts`.
#[derive(Deserialize)]
pub(super) struct CompanyFacts {
    facts: BTreeMap<String, BTreeMap<String, Concept>>,
}

#[derive(Deserialize)]
struct Concept {
    #[serde(default)]
    units: BTreeMap<String, Vec<Fact>>,
}

#[derive(Deserialize)]
struct Fact {
    start: Option<String>,
    end: Option<String>,
    #[serde(default)]
    val: Value,
    #[serde(default)]
    accn: String,
    filed: Option<String>,
}

/// First day (none for an amount at a moment) and last day. Never the fiscal year and period that a filing names:
/// those are of the filing, and a comparison with the year before carries them as well.
type Period = (Option<Date>, Date);

/// A value as it stood on a day.
#[derive(Clone)]
struct Known {
    value: Decimal,
    published: Date,
    concept: String,
    derived: Option<String>,
}

impl CompanyFacts {
    /// Whether figures of this filing are in it.
    pub(super) fn has_filing(&self, accession: &str) -> bool {
        let concepts = self.facts.values().flat_map(BTreeMap::values);
        concepts.flat_map(|concept| concept.units.values()).flatten().any(|fact| fact.accn == accession)
    }

    /// The lines of a statement as they stood on a day, newest period first.
    pub(super) fn statement(
        &self,
        lines: &[Line],
        frequency: Frequency,
        until: Date,
    ) -> Vec<StatementFigure> {
        let Some(concepts) = TAXONOMIES.iter().find_map(|name| self.facts.get(*name)) else {
            return Vec::new();
        };
        let year_ends = year_ends(concepts, until);
        let mut figures = Vec::new();
        for (order, line) in lines.iter().enumerate() {
            for (unit, known) in periods(concepts, line, until) {
                let shown = match frequency {
                    Frequency::Quarterly => quarters(known, &unit),
                    Frequency::Annual => years(known, &year_ends),
                };
                figures.extend(shown.into_iter().map(|((start, end), known)| {
                    let figure = StatementFigure {
                        label: line.label.to_owned(),
                        concept: known.concept,
                        start,
                        end,
                        value: known.value,
                        unit: unit.clone(),
                        published: known.published,
                        derived: known.derived,
                    };
                    (order, figure)
                }));
            }
        }
        let ends: BTreeSet<Date> = figures.iter().map(|(_, figure)| figure.end).collect();
        let oldest = ends.iter().rev().nth(frequency.most_periods() - 1).copied().unwrap_or(Date::MIN);
        figures.retain(|(_, figure)| figure.end >= oldest);
        figures.sort_by(|(order, one), (other, two)| two.end.cmp(&one.end).then(order.cmp(other)));
        figures.into_iter().map(|(_, figure)| figure).collect()
    }
}

/// The periods of a line by unit, each with the first of its tags that has a value for it.
fn periods(
    concepts: &BTreeMap<String, Concept>,
    line: &Line,
    until: Date,
) -> BTreeMap<String, BTreeMap<Period, Known>> {
    let mut units: BTreeMap<String, BTreeMap<Period, Known>> = BTreeMap::new();
    for tag in line.tags {
        let Some(concept) = concepts.get(*tag) else { continue };
        for (unit, facts) in &concept.units {
            let periods = units.entry(unit.clone()).or_default();
            for (period, known) in as_known(facts, tag, until) {
                periods.entry(period).or_insert(known);
            }
        }
    }
    units
}

/// Of each period the value that was filed last by then. It is public since the first filing that had it.
fn as_known(facts: &[Fact], tag: &str, until: Date) -> BTreeMap<Period, Known> {
    let mut filed: Vec<(Date, Period, Decimal)> = facts
        .iter()
        .filter_map(|fact| {
            let day = |text: &Option<String>| parse_date(text.as_deref()?);
            let start = match &fact.start {
                Some(start) => Some(parse_date(start)?),
                None => None,
            };
            Some((day(&fact.filed)?, (start, day(&fact.end)?), written::decimal(&fact.val)?))
        })
        .filter(|(filed, ..)| *filed <= until)
        .collect();
    filed.sort_by_key(|(filed, ..)| *filed);
    let mut periods: BTreeMap<Period, Known> = BTreeMap::new();
    for (published, period, value) in filed {
        if periods.get(&period).is_none_or(|known| known.value != value) {
            periods.insert(period, Known { value, published, concept: tag.to_owned(), derived: None });
        }
    }
    periods
}

/// Months of a period by its length; `None` for one that is no quarter or several of them.
fn months((start, end): Period) -> Option<u8> {
    match end.since(start?).ok()?.get_days() + 1 {
        80..=100 => Some(3),
        170..=195 => Some(6),
        255..=290 => Some(9),
        345..=380 => Some(12),
        _ => None,
    }
}

/// Amounts at a moment as they are, and three months of everything else: as reported, or else as the difference of two
/// spans with one beginning. What is counted per share or as an average is no sum, so that it has no differences.
fn quarters(periods: BTreeMap<Period, Known>, unit: &str) -> BTreeMap<Period, Known> {
    let is_sum = !unit.contains('/') && unit != "shares" && unit != "pure";
    let mut quarters: BTreeMap<Period, Known> = BTreeMap::new();
    let mut spans: BTreeMap<(Date, u8), (Date, &Known)> = BTreeMap::new();
    for (period, known) in &periods {
        match (period.0, months(*period)) {
            (None, _) | (Some(_), Some(3)) => {
                quarters.insert(*period, known.clone());
            }
            _ => {}
        }
        if let (Some(start), Some(months)) = (period.0, months(*period)) {
            spans.insert((start, months), (period.1, known));
        }
    }
    if !is_sum {
        return quarters;
    }
    let reported: BTreeSet<Date> = quarters.keys().map(|(_, end)| *end).collect();
    for ((start, months), (end, whole)) in &spans {
        let Some((before, part)) = months.checked_sub(3).and_then(|before| spans.get(&(*start, before)))
        else {
            continue;
        };
        let (Ok(first), Some(value)) = (before.tomorrow(), whole.value.checked_sub(part.value)) else {
            continue;
        };
        if reported.contains(end) {
            continue;
        }
        let derived = Some(format!("derived: {months} months less {} months", months - 3));
        let published = whole.published.max(part.published);
        quarters
            .insert((Some(first), *end), Known { value, published, concept: whole.concept.clone(), derived });
    }
    quarters
}

/// Twelve months, and amounts at the end of a fiscal year.
fn years(periods: BTreeMap<Period, Known>, year_ends: &BTreeSet<Date>) -> BTreeMap<Period, Known> {
    let is_year =
        |period: Period| months(period) == Some(12) || (period.0.is_none() && year_ends.contains(&period.1));
    periods.into_iter().filter(|(period, _)| is_year(*period)).collect()
}

/// The days on which fiscal years end, as spans of twelve months show.
fn year_ends(concepts: &BTreeMap<String, Concept>, until: Date) -> BTreeSet<Date> {
    let facts = concepts.values().flat_map(|concept| concept.units.values()).flatten();
    let spans = facts.filter_map(|fact| {
        let day = |text: &Option<String>| parse_date(text.as_deref()?);
        let period = (Some(day(&fact.start)?), day(&fact.end)?);
        (day(&fact.filed)? <= until && months(period) == Some(12)).then_some(period.1)
    });
    spans.collect()
}
