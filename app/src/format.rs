//! Figures as people read them. The same on server and browser.

use protocol::{AccountId, Attempt, Date, Decimal, Text, Timestamp, Totals, Usage, grouped, month_name};

use crate::live::Before;

/// What stands before the text of a call that was dropped.
pub const CUT_OFF: &str = "Cut off. This had been written until then, and is no answer:";

/// A whole number with thousands separators: `18,402`.
pub fn count(number: u64) -> String {
    grouped(Decimal::from(number), 0)
}

/// A whole number in little room: `640`, `3.0k`, `1.2M`.
pub fn short_count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..999_950 => tenths(number, 1_000, "k"),
        _ => tenths(number, 1_000_000, "M"),
    }
}

fn tenths(number: u64, unit: u64, name: &str) -> String {
    let tenths = (number * 10 + unit / 2) / unit;
    format!("{}.{}{name}", tenths / 10, tenths % 10)
}

/// How long something took: `850 ms`, `5.1 s`, `2 min 03 s`, `1 h 05 min`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..59_950 => tenths(milliseconds, 1_000, " s"),
        59_950..3_600_000 => {
            let seconds = seconds.max(60);
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A running clock in whole seconds: `00:42`, `1:02:03`.
pub fn stopwatch(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes:02}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

/// A length in bytes: `812 B`, `12.4 kB`.
pub fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..999_950 => tenths(number, 1_000, " kB"),
        _ => tenths(number, 1_000_000, " MB"),
    }
}

/// An amount that may be a small part of a cent: `$0.1134`, `$12.50`.
pub fn dollars(amount: Decimal) -> String {
    let places = if amount.abs() >= Decimal::ONE || amount.is_zero() { 2 } else { 4 };
    let shown = grouped(amount.abs(), places);
    if amount.is_sign_negative() && !amount.is_zero() {
        format!("\u{2212}${shown}")
    } else {
        format!("${shown}")
    }
}

/// The name of a field of JSON in words: `stop_loss` as `Stop loss`.
pub fn field(name: &str) -> String {
    let mut title = name.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// A person, as the page speaks of them.
pub fn person(account: &AccountId) -> String {
    if *account == AccountId::local() { "You".to_owned() } else { account.to_string() }
}

/// Who said something, as the page speaks of them: an account, or a name within a run.
pub fn speaker(source: &str) -> String {
    source.parse().map_or_else(|_| source.to_owned(), |account| person(&account))
}

/// What something cost, and what is not known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The known sum, or `unknown`.
    pub known: String,
    /// What the sum leaves out.
    pub gap: Option<String>,
}

/// The cost of a run so far.
pub fn cost(totals: &Totals) -> Cost {
    cost_of(totals.cost, totals.calls_of_unknown_cost)
}

/// A known sum, beside which there are so many calls of unknown cost.
pub fn cost_of(known: Decimal, unknown: u32) -> Cost {
    let gap = match unknown {
        0 => return Cost { known: dollars(known), gap: None },
        1 => "1 call of unknown cost".to_owned(),
        unknown => format!("{} calls of unknown cost", count(unknown.into())),
    };
    let known = if known.is_zero() { "unknown".to_owned() } else { format!("at least {}", dollars(known)) };
    Cost { known, gap: Some(gap) }
}

/// A figure, marked where it is only estimated.
pub fn estimate(figure: String, is_estimated: bool) -> String {
    if is_estimated { format!("~{figure}") } else { figure }
}

/// What a call in flight does before its model answers.
pub fn before_answer(before: Before) -> String {
    match before {
        Before { in_line: Some(0), .. } => "waits for the model, next in line".to_owned(),
        Before { in_line: Some(line), .. } => format!("waits for the model, {line} before it"),
        Before { thoughts: 0, .. } => "asks the model".to_owned(),
        Before { thoughts, .. } => format!("thinks ({})", bytes(thoughts as u64)),
    }
}

/// The title of a model's thoughts: `Thoughts, 1,204 characters`.
pub fn thoughts(text: &Text) -> String {
    match text.whole() {
        Some(whole) => format!("Thoughts, {} characters", count(whole.chars().count() as u64)),
        None => format!("Thoughts, {}", bytes(text.bytes())),
    }
}

/// How many attempts a call took: `3 attempts, 2 failed`.
pub fn attempts(failed: usize, succeeded: bool) -> String {
    match (failed, succeeded) {
        (1, false) => "1 attempt, failed".to_owned(),
        (failed, false) => format!("{failed} attempts, all failed"),
        (failed, true) => format!("{} attempts, {failed} failed", failed + 1),
    }
}

/// What a failed attempt used, in a line. One that was refused before it began used nothing.
pub fn attempt(attempt: &Attempt) -> String {
    let cost = attempt.cost.map_or_else(|| "cost unknown".to_owned(), dollars);
    let usage = attempt.usage.checked();
    let used = if usage == Usage::default() && attempt.cost == Some(Decimal::ZERO) {
        "nothing used".to_owned()
    } else {
        format!("{} · {cost}", tokens(usage))
    };
    format!("{} · {used} · {}", attempt.model, duration(attempt.latency_ms))
}

/// The tokens of a call: `1,204 in · 312 out`.
pub fn tokens(usage: Usage) -> String {
    let part = |name: &str, tokens: Option<u64>| match tokens {
        Some(tokens) => format!("{} {name}", count(tokens)),
        None => format!("{name} unknown"),
    };
    format!("{} · {}", part("in", usage.tokens_in), part("out", usage.tokens_out))
}

/// A place in the queue: 1 is next.
pub fn place(place: usize) -> String {
    match place {
        1 => "next in the queue".to_owned(),
        place => format!("place {place} in the queue"),
    }
}

/// How long something is awaited still; until when, where the present moment is not known.
pub fn time_left(deadline: Timestamp, now: Option<Timestamp>) -> String {
    match now {
        Some(now) if deadline > now => format!("{} left", stopwatch(deadline.since(now))),
        Some(_) => "the time is up".to_owned(),
        None => format!("until {} UTC", moment(deadline)),
    }
}

/// A day as `30 Jun 2022`.
pub fn day(date: Date) -> String {
    format!("{} {:.3} {}", date.day(), month_name(date), date.year())
}

/// A day as `30 June 2022`.
pub fn long_day(date: Date) -> String {
    format!("{} {} {}", date.day(), month_name(date), date.year())
}

/// A moment as `2022-06-30 14:03:12`, in UTC.
pub fn moment(at: Timestamp) -> String {
    match at.date() {
        Some(date) => format!("{date} {}", at.clock()),
        None => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_two_figures_that_matter() {
        assert_eq!(duration(850), "850 ms");
        assert_eq!(duration(5_149), "5.1 s");
        assert_eq!(duration(59_960), "1 min 00 s");
        assert_eq!(duration(123_900), "2 min 03 s");
        assert_eq!(duration(3_900_000), "1 h 05 min");
    }

    #[test]
    fn days_name_their_month() {
        assert_eq!(day(protocol::parse_date("2022-09-03").unwrap()), "3 Sep 2022");
        assert_eq!(long_day(protocol::parse_date("2022-09-03").unwrap()), "3 September 2022");
    }

    #[test]
    fn large_counts_are_shortened() {
        assert_eq!(short_count(999), "999");
        assert_eq!(short_count(3_049), "3.0k");
        assert_eq!(short_count(1_150_000), "1.2M");
        assert_eq!(count(18_402), "18,402");
    }

    #[test]
    fn a_cost_says_what_it_leaves_out() {
        let mut totals = Totals { model_calls: 3, cost: Decimal::new(1134, 4), ..Totals::default() };
        assert_eq!(cost(&totals), Cost { known: "$0.1134".into(), gap: None });
        totals.calls_of_unknown_cost = 1;
        let gap = Some("1 call of unknown cost".into());
        assert_eq!(cost(&totals), Cost { known: "at least $0.1134".into(), gap });
        totals = Totals { calls_of_unknown_cost: 3, ..Totals::default() };
        let gap = Some("3 calls of unknown cost".into());
        assert_eq!(cost(&totals), Cost { known: "unknown".into(), gap });
    }

    #[test]
    fn a_failed_attempt_says_what_it_used() {
        let refused = Attempt {
            model: "m".into(),
            error: "Overloaded.".into(),
            usage: Usage::default(),
            cost: Some(Decimal::ZERO),
            latency_ms: 40,
        };
        assert_eq!(attempt(&refused), "m · nothing used · 40 ms");
        let broke_off = Attempt { cost: None, ..refused.clone() };
        assert_eq!(attempt(&broke_off), "m · in unknown · out unknown · cost unknown · 40 ms");
        let usage = Usage { tokens_in: Some(1_204), tokens_out: Some(0) };
        let charged = Attempt { usage, cost: Some(Decimal::new(25, 3)), ..refused };
        assert_eq!(attempt(&charged), "m · 1,204 in · 0 out · $0.0250 · 40 ms");
        assert_eq!(
            [attempts(1, true), attempts(2, false), attempts(1, false)],
            ["2 attempts, 1 failed", "2 attempts, all failed", "1 attempt, failed"]
        );
    }

    #[test]
    fn a_call_in_flight_says_what_it_does() {
        let before = |in_line, thoughts| before_answer(Before { in_line, thoughts });
        assert_eq!(before(Some(3), 0), "waits for the model, 3 before it");
        assert_eq!(before(None, 0), "asks the model");
        assert_eq!(before(None, 1_204), "thinks (1.2 kB)");
    }
}
