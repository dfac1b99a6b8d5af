//! What agents saw: the data section that every report ends with.
//!
//! A tool's result says in its first line where its data are from. The line is in the log with the result, so that
//! a section made of it is the same however often a run is taken up again.

use std::fmt::Write;

use market::Source;
use protocol::{Date, ToolStatus, trading::Ticker};
use serde::{Deserialize, Serialize};

use super::facts::MarketFacts;
use crate::{agent::ToolUse, node::cell};

/// How the first line of a result begins that says where its data are from.
pub(super) const FIRST_LINE: &str = "# source: ";
/// Characters of a reason that are shown in a table.
const LONGEST_REASON: usize = 300;

/// What a tool served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Where it is from.
    #[serde(flatten)]
    pub source: Source,
    /// How many rows.
    pub rows: usize,
    /// The first day in it.
    pub from: Option<Date>,
    /// The last day in it.
    pub to: Option<Date>,
}

impl Served {
    /// Rows that each have a day.
    pub fn of_days(source: Source, days: impl Iterator<Item = Date>) -> Self {
        let none = Self { source, rows: 0, from: None, to: None };
        days.fold(none, |served, day| Self {
            rows: served.rows + 1,
            from: Some(served.from.map_or(day, |from| from.min(day))),
            to: Some(served.to.map_or(day, |to| to.max(day))),
            ..served
        })
    }

    /// The same with further rows of the same vendor.
    pub(super) fn extend(&mut self, other: Self) {
        self.rows += other.rows;
        self.from = self.from.into_iter().chain(other.from).min();
        self.to = self.to.into_iter().chain(other.to).max();
        self.source.published = self.source.published.into_iter().chain(other.source.published).max();
        for note in other.source.notes {
            if !self.source.notes.contains(&note) {
                self.source.notes.push(note);
            }
        }
    }

    /// A result that begins with the line that says so.
    pub(super) fn before(&self, text: &str) -> String {
        // A type of texts, days and numbers always has a JSON form.
        let line = serde_json::to_string(self).unwrap_or_default();
        format!("{FIRST_LINE}{line}\n{text}")
    }

    fn in_result(text: &str) -> Option<Self> {
        serde_json::from_str(text.lines().next()?.strip_prefix(FIRST_LINE)?).ok()
    }
}

/// What an agent saw of one source, or what it asked for in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The agent, as people call it.
    pub agent: String,
    /// What it asked: `get_news AAPL`.
    pub asked: String,
    /// What it got; `None` if there was nothing.
    pub served: Option<Served>,
    /// What was missing.
    pub missing: Option<String>,
}

impl Seen {
    /// What a tool call gave to an agent.
    pub(super) fn of_tool(agent: &str, used: &ToolUse) -> Self {
        let subject = ["ticker", "symbol", "indicator", "category"]
            .iter()
            .filter_map(|name| used.arguments.get(name)?.as_str())
            .map(|value| value.chars().take(30).collect::<String>());
        let asked = [used.name.clone()].into_iter().chain(subject).collect::<Vec<_>>().join(" ");
        let served = Served::in_result(&used.text);
        let missing = (used.status != ToolStatus::Success).then(|| {
            // The line that says where it is from stands in a column of its own.
            let text = if served.is_some() {
                used.text.split_once('\n').map_or("", |(_, rest)| rest)
            } else {
                &used.text
            };
            text.chars().take(LONGEST_REASON).collect()
        });
        Self { agent: agent.to_owned(), asked, served, missing }
    }
}

impl Seen {
    /// The figures of an instrument, or that there are none.
    pub(super) fn of_figures(agent: &str, ticker: &Ticker, facts: Option<&MarketFacts>) -> Self {
        Self {
            agent: agent.to_owned(),
            asked: format!("prices {ticker}"),
            served: facts.and_then(|facts| facts.served.clone()),
            missing: facts.is_none().then(|| format!("there are no prices of {ticker}")),
        }
    }

    /// The prices of an instrument.
    pub(super) fn of_prices(agent: &str, ticker: &Ticker, served: Served) -> Self {
        Self::of(agent, &format!("prices {ticker}"), served)
    }

    /// What was asked for and served.
    pub(super) fn of(agent: &str, asked: &str, served: Served) -> Self {
        Self { agent: agent.to_owned(), asked: asked.to_owned(), served: Some(served), missing: None }
    }

    /// What there is nothing of.
    pub(super) fn without(agent: &str, asked: &str, reason: &str) -> Self {
        let missing = Some(reason.to_owned());
        Self { agent: agent.to_owned(), asked: asked.to_owned(), served: None, missing }
    }
}

/// A report with its data section.
pub(super) fn with_data(markdown: &str, seen: &[Seen]) -> String {
    let mut text = format!("{}\n\n## Data\n\n", markdown.trim_end());
    if seen.is_empty() {
        text.push_str("No data were recorded for this report.\n");
        return text;
    }
    text.push_str(
        "| agent | asked | from | days | rows | public since | remarks |\n|---|---|---|---|---|---|---|\n",
    );
    for seen in seen {
        let (agent, asked) = (cell(&seen.agent), cell(&seen.asked));
        let (vendor, days, rows, public, mut remarks) = match &seen.served {
            Some(Served { source, rows, from, to }) => {
                let days = match (from, to) {
                    (Some(from), Some(to)) if from == to => from.to_string(),
                    (Some(from), Some(to)) => format!("{from} to {to}"),
                    _ => format!("as of {}", source.as_of),
                };
                let public = source.published.map_or_else(|| "not known".to_owned(), |day| day.to_string());
                let remarks = source.unit.iter().chain(&source.notes).cloned().collect::<Vec<_>>();
                (cell(&source.vendor), days, rows.to_string(), public, remarks)
            }
            None => ("—".to_owned(), "—".to_owned(), "0".to_owned(), "—".to_owned(), Vec::new()),
        };
        remarks.extend(seen.missing.iter().map(|missing| format!("missing: {missing}")));
        let remarks = cell(&remarks.join("; "));
        let _ = writeln!(text, "| {agent} | {asked} | {vendor} | {days} | {rows} | {public} | {remarks} |");
    }
    text
}
