//! Values as vendors write them in JSON. A hole is no value, and never 0.

use jiff::{Timestamp, tz::TimeZone};
use protocol::{Date, Decimal, parse_date};
use serde_json::Value;

/// How vendors write that there is no value.
const HOLES: [&str; 7] = ["", "None", "none", "null", "-", ".", "N/A"];

/// A number, also as text with a percent sign left out; `None` for a hole and for what is no number.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().and_then(of_float),
        Value::Number(number) => of_text(&number.to_string()),
        Value::String(text) => of_text(text),
        _ => None,
    }
}

/// The number that was meant: some vendors widen numbers of 32 bits, so that 149.45 arrives as 149.4499969482422.
fn of_float(value: f64) -> Option<Decimal> {
    let single = value as f32;
    if value.fract() != 0.0 && f64::from(single) == value {
        return of_text(&single.to_string());
    }
    of_text(&value.to_string())
}

/// A number in text.
pub(crate) fn of_text(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if HOLES.contains(&text) || text.len() > 40 {
        return None;
    }
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// A text that is none of the holes.
pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !HOLES.contains(text))
}

/// A number in one of Yahoo's two forms: itself, or `{"raw": 1.14, "fmt": "1.14"}`.
pub(crate) fn raw(value: &Value) -> Option<Decimal> {
    decimal(value.get("raw").unwrap_or(value))
}

/// The rows of a list in a body; none where there is no such list.
pub(crate) fn rows<'b>(body: &'b Value, list: &str) -> impl Iterator<Item = &'b Value> {
    body[list].as_array().into_iter().flatten()
}

/// A day at the beginning of a text: `2019-10-31`, `2019-10-31 00:00:00`.
pub(crate) fn day(value: &Value) -> Option<Date> {
    parse_date(value.as_str()?.get(..10)?)
}

/// A moment in seconds since 1970.
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    Timestamp::from_second(value.as_i64()?).ok()
}

/// The day of a moment in a zone.
pub(crate) fn day_in(moment: Timestamp, zone: &TimeZone) -> Date {
    moment.to_zoned(zone.clone()).date()
}

/// The day of a moment in UTC.
pub(crate) fn utc_day(moment: Timestamp) -> Date {
    day_in(moment, &TimeZone::UTC)
}

/// The beginning of what a vendor says, on one line.
pub(crate) fn words(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|character| !character.is_control()).collect();
    let mut short: String = line.chars().take(MOST).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hole_is_no_value_and_never_0() {
        for hole in
            [json!(null), json!({}), json!("None"), json!("-"), json!("."), json!(""), json!(" "), json!([])]
        {
            assert_eq!(decimal(&hole), None, "{hole}");
        }
        for (written, meant) in [
            (json!(149.4499969482422), "149.45"),
            (json!(9.680000305175781), "9.68"),
            (json!(337.05), "337.05"),
            (json!(61000000000.0), "61000000000"),
            (json!(123456789), "123456789"),
            (json!("77147000000"), "77147000000"),
            (json!("594.4100"), "594.4100"),
            (json!("1e-3"), "0.001"),
            (json!(-0.15), "-0.15"),
        ] {
            assert_eq!(decimal(&written).unwrap().to_string(), meant, "{written}");
        }
        for wrong in [json!("many"), json!("9".repeat(60)), json!(f64::MAX), json!(true)] {
            assert_eq!(decimal(&wrong), None, "{wrong}");
        }
    }
}
