//! Figures as people read them. The same on server and browser.

use protocol::{AccountId, Date, Decimal, Timestamp, Totals, grouped, month_name};

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

/// What a run cost, and what is not known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The known sum, or `unknown`.
    pub known: String,
    /// What the sum leaves out.
    pub gap: Option<String>,
}

/// The cost of a run so far.
pub fn cost(totals: &Totals) -> Cost {
    let unknown = totals.calls_of_unknown_cost;
    if unknown > 0 && unknown == totals.model_calls {
        return Cost { known: "unknown".into(), gap: Some("no price for the model".into()) };
    }
    let gap = (unknown > 0).then(|| format!("+ {unknown} of unknown cost"));
    Cost { known: dollars(totals.cost), gap }
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
        assert_eq!(cost(&totals).gap.as_deref(), Some("+ 1 of unknown cost"));
        totals.calls_of_unknown_cost = 3;
        assert_eq!(cost(&totals).known, "unknown");
    }
}
