//! Figures that a log can hold: what comes from outside is checked by this before it is stored.

use crate::{Body, Event, Heading, NodeAdded, Totals, Usage, checked_cost};

/// Times are taken from the year 1970 until the end of the year 9999, in milliseconds.
const LAST_MOMENT: i64 = 253_402_300_799_999;
/// The longest time that a call or a visit may have taken: ten years, in milliseconds.
const LONGEST: u64 = 10 * 366 * 24 * 3600 * 1000;
/// The most visits to one node.
const MOST_VISITS: u32 = 1_000_000;
/// The most bytes of a run's title, and of what stands beside it in lists.
const LONGEST_TITLE: usize = 500;
/// The most bytes of a product's headline.
const LONGEST_HEADLINE: usize = 4000;
/// The most failed attempts at a call.
const MOST_ATTEMPTS: u32 = 1_000_000;

impl Event {
    /// Whether all times, tokens, costs, durations and numbers of visits can be real, and what lists show
    /// is short enough for them.
    ///
    /// # Errors
    /// The first that cannot, in words that follow "event 7: ".
    pub fn check_figures(&self) -> Result<(), String> {
        moment("its time", self.at.0)?;
        match &self.body {
            Body::RunFinished(finished) => totals(&finished.totals),
            Body::NodeStarted(started) => visit(started.visit),
            Body::NodeAdded(added) => planned(added),
            Body::Grown(growth) => growth.nodes.iter().try_for_each(|node| planned(&node.plan)),
            Body::NodeFinished(finished) => {
                visit(finished.visit)?;
                duration(finished.duration_ms)
            }
            Body::CallFinished(finished) => {
                used(finished.usage, finished.cost)?;
                duration(finished.latency_ms)?;
                limit("its retries", finished.retries.into(), MOST_ATTEMPTS.into())?;
                finished.attempts.iter().try_for_each(attempt)
            }
            Body::ChatAnswered(answered) => {
                used(answered.usage, answered.cost)?;
                duration(answered.latency_ms)?;
                answered.attempts.iter().try_for_each(attempt)
            }
            Body::SubRunFinished(finished) => totals(&finished.totals),
            Body::ToolReturned(returned) => duration(returned.latency_ms),
            Body::InputRequested(request) => {
                request.deadline.map_or(Ok(()), |deadline| moment("its deadline", deadline.0))
            }
            Body::RunStarted(started) => heading(&started.heading),
            Body::Produced(product) => short("its headline", &product.headline, LONGEST_HEADLINE),
            // Named one by one, so that whoever adds a kind has to say whether it has figures.
            Body::StatusChanged(_)
            | Body::EdgeAdded(_)
            | Body::NodeStatusChanged(_)
            | Body::CallStarted(_)
            | Body::ToolInvoked(_)
            | Body::SubRunStarted(_)
            | Body::SubRunAwaits(_)
            | Body::InputReceived(_)
            | Body::Told(_)
            | Body::Heard(_)
            | Body::StateEdited(_)
            | Body::ApprovalChanged(_)
            | Body::ChatAsked(_)
            | Body::Said(_)
            | Body::Reported(_)
            | Body::Logged(_)
            | Body::Unknown(_) => Ok(()),
        }
    }
}

fn planned(added: &NodeAdded) -> Result<(), String> {
    limit("its planned visits", added.planned_visits.into(), MOST_VISITS.into())
}

fn heading(heading: &Heading) -> Result<(), String> {
    let Heading { title, subject, badge, as_of: _ } = heading;
    if title.trim().is_empty() {
        return Err("its title is empty".to_owned());
    }
    short("its title", title, LONGEST_TITLE)?;
    short("its subject", subject.as_deref().unwrap_or_default(), LONGEST_TITLE)?;
    short("its badge", badge.as_deref().unwrap_or_default(), LONGEST_TITLE)
}

fn short(what: &str, text: &str, most: usize) -> Result<(), String> {
    if text.len() > most { Err(format!("{what} has more than {most} bytes")) } else { Ok(()) }
}

fn attempt(attempt: &crate::Attempt) -> Result<(), String> {
    used(attempt.usage, attempt.cost)?;
    duration(attempt.latency_ms)
}

fn used(usage: Usage, cost: Option<crate::Decimal>) -> Result<(), String> {
    if usage.checked() != usage {
        return Err("no model call uses so many tokens".to_owned());
    }
    match cost {
        Some(cost) if checked_cost(cost).is_none() => Err(format!("no model call costs ${cost}")),
        _ => Ok(()),
    }
}

fn totals(totals: &Totals) -> Result<(), String> {
    if totals.cost.is_sign_negative() && !totals.cost.is_zero() {
        return Err(format!("no run costs ${}", totals.cost));
    }
    Ok(())
}

fn visit(visit: u32) -> Result<(), String> {
    if visit == 0 {
        return Err("visits are counted from 1".to_owned());
    }
    limit("its visit", visit.into(), MOST_VISITS.into())
}

fn duration(milliseconds: u64) -> Result<(), String> {
    limit("its duration in milliseconds", milliseconds, LONGEST)
}

fn moment(what: &str, milliseconds: i64) -> Result<(), String> {
    if (0..=LAST_MOMENT).contains(&milliseconds) {
        Ok(())
    } else {
        Err(format!("{what}, {milliseconds} ms since 1970, is outside of the years 1970 to 9999"))
    }
}

fn limit(what: &str, value: u64, most: u64) -> Result<(), String> {
    if value > most { Err(format!("{what} is {value}, and {most} is the most")) } else { Ok(()) }
}
