//! How long a provider asks to wait, in headers, fields or text.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::Value;

/// Words before a wait, as in "Please try again in 1.2s."
const BEFORE_A_WAIT: [&str; 5] = ["again in ", "retry in ", "again after ", "retry after ", "wait "];

/// Values from here on are seconds since 1970; smaller ones are a number of seconds to wait.
const CLOCK: f64 = 500_000_000.0;

/// The wait that the headers of a response ask for. `limited`: the response says that a limit is used up;
/// other responses name limits as well, without asking to wait.
pub(crate) fn in_headers(headers: &HeaderMap, limited: bool, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let exact = text("retry-after-ms").and_then(|value| seconds(value.parse::<f64>().ok()? / 1000.0));
    exact
        .or_else(|| text("retry-after").and_then(|value| until(value, now)))
        .or_else(|| if limited { of_limits(&text, now) } else { None })
}

/// The wait that the body of an error asks for, in a field or a sentence.
pub(crate) fn in_body(body: &Value) -> Option<Duration> {
    in_fields(body).or_else(|| in_words(body))
}

/// The headers with the time when a limit is full again. If several limits have one, the exhausted limit
/// counts; if that cannot be told, the earliest time.
fn of_limits<'a>(text: &impl Fn(&str) -> Option<&'a str>, now: SystemTime) -> Option<Duration> {
    let limits = ["", "-requests", "-tokens"].into_iter().filter_map(|limit| {
        let names = [format!("x-ratelimit-reset{limit}"), format!("ratelimit-reset{limit}")];
        let wait = names.iter().find_map(|name| until(text(name)?, now))?;
        let left = text(&format!("x-ratelimit-remaining{limit}"));
        Some((left == Some("0"), wait))
    });
    let limits: Vec<(bool, Duration)> = limits.collect();
    let used_up = limits.iter().filter(|(used_up, _)| *used_up).map(|(_, wait)| *wait).max();
    used_up.or_else(|| limits.iter().map(|(_, wait)| *wait).min())
}

/// The time from now to a header's value: seconds, a duration such as `6m0s`, a time in seconds or
/// milliseconds since 1970, or an HTTP date (RFC 9110, 10.2.3).
fn until(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(number) = value.parse::<f64>() {
        if number < CLOCK || value.len() > 13 {
            return seconds(number);
        }
        let clock = if number < CLOCK * 1000.0 { number } else { number / 1000.0 };
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        return Some(seconds(clock)?.saturating_sub(now));
    }
    if let Ok(date) = httpdate::parse_http_date(value) {
        return Some(date.duration_since(now).unwrap_or_default());
    }
    length(value)
}

/// A field with a wait, at any depth of an error.
fn in_fields(value: &Value) -> Option<Duration> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            match name.to_ascii_lowercase().as_str() {
                "retrydelay" | "retryafter" | "retryafterseconds" | "retryin" => match value {
                    Value::String(text) => length(text),
                    number => seconds(number.as_f64()?),
                },
                "retryafterms" => seconds(value.as_f64()? / 1000.0),
                _ => in_fields(value),
            }
        }),
        Value::Array(values) => values.iter().find_map(in_fields),
        _ => None,
    }
}

/// A sentence with a wait, in any text of an error.
fn in_words(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => {
            let text = text.to_lowercase();
            BEFORE_A_WAIT.iter().find_map(|before| {
                let (start, before) = text.match_indices(before).next()?;
                length(&text[start + before.len()..])
            })
        }
        Value::Object(fields) => fields.values().find_map(in_words),
        Value::Array(values) => values.iter().find_map(in_words),
        _ => None,
    }
}

/// A duration at the beginning of a text: `20s`, `6m0s`, `1.2 seconds`, `350ms`; seconds without a unit.
fn length(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut total = 0.0;
    let mut parts = 0;
    loop {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (number, after) = rest.split_at(digits.unwrap_or(rest.len()));
        // A full stop may follow the last unit, but a number begins with a digit.
        let Ok(number) = number.trim_end_matches('.').parse::<f64>() else { break };
        let after = after.trim_start();
        let letters = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let factor = match unit {
            "ms" | "millisecond" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            "" if parts == 0 => 1.0,
            _ => break,
        };
        total += number * factor;
        parts += 1;
        if unit.is_empty() {
            break;
        }
        rest = after;
    }
    if parts == 0 { None } else { seconds(total) }
}

/// `None` for what is no duration. Saturates at the longest duration.
fn seconds(number: f64) -> Option<Duration> {
    (number >= 0.0).then(|| Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    // 784111777 is the date of RFC 9110's own example.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 90)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        pairs.collect()
    }

    #[test]
    fn a_wait_is_read_from_every_header_that_holds_one() {
        for (pairs, milliseconds) in [
            (&[("retry-after", " 120 ")][..], Some(120_000)),
            (&[("retry-after", "1.5")], Some(1_500)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], Some(90_000)),
            (&[("retry-after", "Sun, 06 Nov 1977 08:49:37 GMT")], Some(0)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-3")], None),
            (&[("retry-after-ms", "250"), ("retry-after", "1")], Some(250)),
            (&[("x-ratelimit-reset-requests", "6m0s")], Some(360_000)),
            (&[("x-ratelimit-reset-tokens", "20ms")], Some(20)),
            (&[("x-ratelimit-reset", "784111717")], Some(30_000)),
            (&[("x-ratelimit-reset", "784111717000")], Some(30_000)),
            (
                &[
                    ("x-ratelimit-remaining-requests", "12"),
                    ("x-ratelimit-reset-requests", "1s"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "7.66s"),
                ],
                Some(7_660),
            ),
            (&[("x-ratelimit-reset-requests", "1h2m"), ("x-ratelimit-reset-tokens", "2s")], Some(2_000)),
        ] {
            assert_eq!(
                in_headers(&headers(pairs), true, now()),
                milliseconds.map(Duration::from_millis),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_limit_that_is_merely_named_is_not_waited_for() {
        let named = headers(&[("x-ratelimit-reset-requests", "6m0s")]);
        assert_eq!(in_headers(&named, false, now()), None);
        let asked = headers(&[("x-ratelimit-reset-requests", "6m0s"), ("retry-after", "1")]);
        assert_eq!(in_headers(&asked, false, now()), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_wait_is_read_from_the_body_where_it_stands_only_there() {
        let retry_info = json!([{"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}]}}]);
        for (body, milliseconds) in [
            (retry_info, Some(20_000)),
            (
                json!({"error": {"message": "Rate limit reached. Please try again in 1.2s. Visit …"}}),
                Some(1_200),
            ),
            (json!({"message": "Please retry in 27.5s."}), Some(27_500)),
            (json!({"detail": "Retry after 2 minutes"}), Some(120_000)),
            (json!({"error": {"retry_after": 5, "message": "no"}}), Some(5_000)),
            (json!({"error": "Try again in 6m0s."}), Some(360_000)),
            (json!({"error": "Try again in 350ms"}), Some(350)),
            (json!({"error": "Try again later"}), None),
            (json!({"error": {"retry_after": null, "retryDelay": "never"}}), None),
        ] {
            assert_eq!(in_body(&body), milliseconds.map(Duration::from_millis), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,40}", digits in "[0-9.]{0,400}[a-z]{0,3}") {
            for text in [text, digits] {
                let _ = until(&text, now());
                let _ = in_body(&json!({ "error": format!("try again in {text}"), "retry_after": text }));
            }
        }
    }
}
