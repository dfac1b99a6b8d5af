//! What a run used, counted where it arose.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Attempt, Body, CallFinished, CallId, Decimal};

/// The most tokens of one attempt that are taken for real: more than any model reads or writes.
const MOST_TOKENS: u64 = 1_000_000_000;
/// The most US dollars of one attempt that are taken for real.
const MOST_DOLLARS: u32 = 1_000_000;

/// What a run used, counted where it arose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// Model calls that ended, with or without an answer.
    pub model_calls: u32,
    /// Tool calls that ended.
    pub tool_calls: u32,
    /// Prompt tokens that providers reported.
    pub tokens_in: u64,
    /// Answer tokens that providers reported.
    pub tokens_out: u64,
    /// US dollars, of the attempts whose price is known.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Amount))]
    pub cost: Decimal,
    /// Attempts at model calls whose cost is not known: no usage or an impossible one reported, no
    /// price for the model, or the call was dropped while it was in flight.
    pub calls_of_unknown_cost: u32,
}

impl Totals {
    /// Tokens in and out together.
    pub fn tokens(&self) -> u64 {
        self.tokens_in.saturating_add(self.tokens_out)
    }

    /// Adds what something else used.
    pub fn add(&mut self, other: &Self) {
        self.model_calls = self.model_calls.saturating_add(other.model_calls);
        self.tool_calls = self.tool_calls.saturating_add(other.tool_calls);
        self.tokens_in = self.tokens_in.saturating_add(other.tokens_in);
        self.tokens_out = self.tokens_out.saturating_add(other.tokens_out);
        self.calls_of_unknown_cost = self.calls_of_unknown_cost.saturating_add(other.calls_of_unknown_cost);
        self.add_cost(other.cost);
    }

    /// Both together.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.add(other);
        sum
    }

    /// Whether nothing was used.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What was used beyond `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            model_calls: self.model_calls.saturating_sub(earlier.model_calls),
            tool_calls: self.tool_calls.saturating_sub(earlier.tool_calls),
            tokens_in: self.tokens_in.saturating_sub(earlier.tokens_in),
            tokens_out: self.tokens_out.saturating_sub(earlier.tokens_out),
            cost: self.cost.checked_sub(earlier.cost).unwrap_or_default().max(Decimal::ZERO),
            calls_of_unknown_cost: self.calls_of_unknown_cost.saturating_sub(earlier.calls_of_unknown_cost),
        }
    }

    /// Counts what an event used. `open` holds the model calls in flight, which this keeps: a call
    /// that begins again, or is still in flight when its run ends, was dropped by a crash or a stop.
    /// Its provider may have charged it, so it counts as of unknown cost.
    pub fn count(&mut self, open: &mut BTreeSet<CallId>, body: &Body) {
        match body {
            Body::CallStarted(started) => {
                let begun_again = !open.insert(started.call.clone());
                self.count_dropped(usize::from(begun_again));
            }
            Body::CallFinished(finished) => {
                open.remove(&finished.call);
                self.count_call(finished);
            }
            Body::ChatAnswered(answered) => {
                self.model_calls = self.model_calls.saturating_add(1);
                self.count_usage(answered.usage, answered.cost);
                self.count_attempts(&answered.attempts);
            }
            Body::ToolReturned(_) => self.tool_calls = self.tool_calls.saturating_add(1),
            Body::RunFinished(_) => {
                self.count_dropped(open.len());
                open.clear();
            }
            _ => {}
        }
    }

    /// Counts a model call that ended, with all its attempts.
    pub(crate) fn count_call(&mut self, finished: &CallFinished) {
        self.model_calls = self.model_calls.saturating_add(1);
        self.count_usage(finished.usage, finished.cost);
        self.count_attempts(&finished.attempts);
    }

    fn count_dropped(&mut self, calls: usize) {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.calls_of_unknown_cost = self.calls_of_unknown_cost.saturating_add(calls);
    }

    fn count_attempts(&mut self, attempts: &[Attempt]) {
        for attempt in attempts {
            self.count_usage(attempt.usage, attempt.cost);
        }
    }

    fn count_usage(&mut self, usage: Usage, cost: Option<Decimal>) {
        let usage = usage.checked();
        self.tokens_in = self.tokens_in.saturating_add(usage.tokens_in.unwrap_or(0));
        self.tokens_out = self.tokens_out.saturating_add(usage.tokens_out.unwrap_or(0));
        match cost.and_then(checked_cost) {
            Some(cost) => self.add_cost(cost),
            None => self.count_dropped(1),
        }
    }

    /// A sum that is too large to be held is as good as unknown.
    fn add_cost(&mut self, cost: Decimal) {
        match self.cost.checked_add(cost) {
            Some(sum) => self.cost = sum,
            None => self.count_dropped(1),
        }
    }
}

/// Tokens of one call, as the provider reported them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Tokens of the prompt; `None` if not reported.
    pub tokens_in: Option<u64>,
    /// Tokens of the answer; `None` if not reported.
    pub tokens_out: Option<u64>,
}

impl Usage {
    /// The same without figures that cannot be real: those are not known.
    #[must_use]
    pub fn checked(self) -> Self {
        let real = |tokens: &u64| *tokens <= MOST_TOKENS;
        Self { tokens_in: self.tokens_in.filter(real), tokens_out: self.tokens_out.filter(real) }
    }
}

/// The cost of one attempt in US dollars, where it can be real: from nothing to a million.
pub fn checked_cost(cost: Decimal) -> Option<Decimal> {
    (Decimal::ZERO..=Decimal::from(MOST_DOLLARS)).contains(&cost).then_some(cost)
}
