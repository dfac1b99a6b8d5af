use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Analyst, PortfolioId, Ticker};
use crate::{Date, Heading, Workflow};

/// What a trading run is to do: the two kinds of workflow of this family, with their parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Task {
    /// Analysts, debates and a rating for one stock.
    Pipeline {
        /// The stock.
        ticker: Ticker,
        /// The day of the analysis; nothing later is seen.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// Who looks at it; at least one.
        #[serde(default = "Analyst::all")]
        analysts: Vec<Analyst>,
    },
    /// A review of one portfolio, a decision, and its trades.
    Portfolio {
        /// The portfolio that trades.
        portfolio: PortfolioId,
        /// The day of the decision and of its prices.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
    },
}

impl Task {
    /// The kind that analyses a stock.
    pub const PIPELINE: &'static str = "pipeline";
    /// The kind that trades for a portfolio.
    pub const PORTFOLIO: &'static str = "portfolio";

    /// The task that a workflow of this family asks for; `None` for other families' workflows.
    ///
    /// # Errors
    /// The parameters cannot be read; the error names the first that cannot.
    pub fn read(workflow: &Workflow) -> Option<serde_json::Result<Self>> {
        if !matches!(workflow.kind().as_str(), Self::PIPELINE | Self::PORTFOLIO) {
            return None;
        }
        Some(serde_json::to_value(workflow).and_then(serde_json::from_value))
    }

    /// The same where whatever cannot be read counts as another family's.
    pub fn of(workflow: &Workflow) -> Option<Self> {
        Self::read(workflow)?.ok()
    }

    /// The kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pipeline { .. } => Self::PIPELINE,
            Self::Portfolio { .. } => Self::PORTFOLIO,
        }
    }

    /// The day as of which it works.
    pub fn date(&self) -> Date {
        match self {
            Self::Pipeline { date, .. } | Self::Portfolio { date, .. } => *date,
        }
    }

    /// What it is about: a ticker, or a portfolio.
    pub fn subject(&self) -> &str {
        match self {
            Self::Pipeline { ticker, .. } => ticker.as_str(),
            Self::Portfolio { portfolio, .. } => portfolio.as_str(),
        }
    }

    /// What its run is called, such as `Pipeline · AAPL · 2022-06-30`.
    pub fn heading(&self) -> Heading {
        let name = match self {
            Self::Pipeline { .. } => "Pipeline",
            Self::Portfolio { .. } => "Portfolio",
        };
        heading(name, self.subject(), self.date())
    }
}

/// The heading of a run about `subject` as of a day.
pub(super) fn heading(name: &str, subject: &str, date: Date) -> Heading {
    let title = format!("{name} · {subject} · {date}");
    Heading { subject: Some(subject.to_owned()), as_of: Some(date), ..Heading::new(title) }
}

impl From<Task> for Workflow {
    fn from(task: Task) -> Self {
        let mut parameters = Map::new();
        let mut add = |name: &str, value: Value| drop(parameters.insert(name.to_owned(), value));
        let kind = match task {
            Task::Pipeline { ticker, date, analysts } => {
                add("ticker", ticker.as_str().into());
                add("date", date.to_string().into());
                add("analysts", analysts.iter().map(|analyst| analyst.slug()).collect());
                crate::WorkflowKind::of_slug(Task::PIPELINE)
            }
            Task::Portfolio { portfolio, date } => {
                add("portfolio", portfolio.as_str().into());
                add("date", date.to_string().into());
                crate::WorkflowKind::of_slug(Task::PORTFOLIO)
            }
        };
        Self::of_family(kind, parameters)
    }
}
