//! The screen after the analysts: what is missing, whether a critical condition ends the analysis, and which lessons
//! fit the case.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, State, Work};
use protocol::{
    LogLevel,
    trading::{Analyst, Confidence},
};
use serde::{Deserialize, Serialize};

use super::{Subject, analysts::input, state};
use crate::{node::log, trading::facts::Missing};

/// A critical condition with the analyst who reported it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct CriticalCondition {
    pub(super) input: String,
    pub(super) reason: String,
}

/// Joins the analysts: collects what is missing, and whether the analysis ends here.
pub(super) struct ScreenWork {
    pub(super) subject: Subject,
    pub(super) selected: Vec<Analyst>,
}

#[async_trait]
impl Work for ScreenWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Screened { missing, abort } = screened(&self.selected, node.state())?;
        let mut lines = vec![match &abort {
            Some(reason) => log(LogLevel::Warning, format!("The analysis is cut short: {reason}")),
            None => log(LogLevel::Info, "No critical condition was reported."),
        }];
        if !missing.is_empty() {
            let inputs: Vec<&str> = missing.iter().map(|missing| missing.input.as_str()).collect();
            let limit = confidence_limit(&missing);
            let message =
                format!("Missing: {}. The rating's confidence can be {limit} at most.", inputs.join(", "));
            lines.push(log(LogLevel::Warning, message));
        }
        let lessons = self.subject.recall(node).await?;
        lines.push(log(
            LogLevel::Info,
            match lessons.chosen.len() {
                0 => format!("No lesson of an earlier decision fits, of {} that were known.", lessons.known),
                1 => "One lesson of an earlier decision fits.".to_owned(),
                many => format!("{many} lessons of earlier decisions fit."),
            },
        ));
        let portfolio = self.subject.read_portfolio(node).await?;
        node.emit(lines).await?;
        let outcome = Outcome::default().set(state::LESSONS, lessons)?.set(state::PORTFOLIO, portfolio)?;
        outcome.set(state::MISSING, missing)?.set(state::ABORT, abort)
    }
}

/// What follows from the analysts' work.
pub(in crate::trading) struct Screened {
    /// The inputs that are missing.
    pub missing: Vec<Missing>,
    /// The critical condition that ends the analysis.
    pub abort: Option<String>,
}

/// What follows from what the analysts left in the state.
///
/// # Errors
/// The state is not as they leave it.
pub(in crate::trading) fn screened(selected: &[Analyst], state: &State) -> Result<Screened, NodeError> {
    let gaps: Vec<Missing> = state.get(state::GAPS)?.unwrap_or_default();
    let reported: Vec<CriticalCondition> = state.get(state::CRITICAL_CONDITIONS)?.unwrap_or_default();
    // In the analysts' order: they end in any.
    let missing = Analyst::all().into_iter().filter_map(|analyst| {
        if selected.contains(&analyst) {
            return gaps.iter().find(|gap| gap.input == input(analyst)).cloned();
        }
        let reason = "The analyst was not selected.".to_owned();
        Some(Missing { input: input(analyst).to_owned(), reason })
    });
    let abort = Analyst::all()
        .into_iter()
        .find_map(|analyst| reported.iter().find(|condition| condition.input == input(analyst)))
        .map(|condition| condition.reason.clone());
    Ok(Screened { missing: missing.collect(), abort })
}

/// The highest confidence that the inputs allow: high with all four, low without prices, medium between.
pub fn confidence_limit(missing: &[Missing]) -> Confidence {
    if missing.is_empty() {
        Confidence::High
    } else if missing.iter().any(|missing| missing.input == input(Analyst::Market)) {
        Confidence::Low
    } else {
        Confidence::Medium
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(inputs: &[&str]) -> Vec<Missing> {
        let missing = |input: &&str| Missing { input: (*input).to_owned(), reason: String::new() };
        inputs.iter().map(missing).collect()
    }

    #[test]
    fn the_confidence_is_limited_by_the_missing_inputs() {
        assert_eq!(confidence_limit(&[]), Confidence::High);
        assert_eq!(confidence_limit(&missing(&["news"])), Confidence::Medium);
        assert_eq!(confidence_limit(&missing(&["social", "news", "fundamentals"])), Confidence::Medium);
        assert_eq!(confidence_limit(&missing(&["market"])), Confidence::Low);
    }
}
