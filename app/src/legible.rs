//! Texts from outside, so that server and browser build the same page of them.
//!
//! A browser leaves NUL out of the HTML that it reads, and the page's program would then look in
//! vain for a text that it knows of. Other control characters are shown by nothing at all. Each is
//! shown as U+FFFD. What is stored and exported stays as it is.

#[cfg(feature = "ssr")]
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// What stands for a character that cannot be shown.
const REPLACEMENT: char = '\u{fffd}';
/// The most bytes of one text in what a page is drawn from. A browser cuts a longer one in two when it
/// reads it as HTML, at 65,536 characters. The log keeps long texts beside its events, so this is
/// only met by names and remarks that nobody writes.
pub const LONGEST_REMARK: usize = 32_768;

/// The text with U+FFFD in the place of control characters; tabs and line breaks stay.
pub fn legible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_illegible) {
        Cow::Owned(text.chars().map(|c| if is_illegible(c) { REPLACEMENT } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_illegible(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// A JSON document in which all texts are [`legible`] and none is longer than `longest` bytes, as they
/// stand there. A longer one ends with an ellipsis.
pub fn legible_json(json: &str, longest: usize) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut written = String::new();
    // What is written already, in bytes of `json`.
    let mut done = 0;
    let mut at = 0;
    while let Some(quote) = bytes[at..].iter().position(|byte| *byte == b'"') {
        let start = at + quote + 1;
        let mut end = None;
        at = start;
        while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
            let length = match byte {
                b'\\' if bytes.get(at + 1) == Some(&b'u') => 6,
                b'\\' => 2,
                _ => utf8_length(*byte),
            };
            if end.is_none() && at + length - start > longest {
                end = Some(at);
            }
            if end.is_none() && is_illegible_json(bytes, at) {
                written.push_str(json.get(done..at).unwrap_or_default());
                written.push(REPLACEMENT);
                done = at + length;
            }
            at += length;
        }
        if let Some(end) = end {
            written.push_str(json.get(done..end).unwrap_or_default());
            written.push('…');
            done = at;
        }
        at = (at + 1).min(bytes.len());
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    written.push_str(json.get(done..).unwrap_or_default());
    Cow::Owned(written)
}

/// Whether a control character is written at this place of a JSON string.
fn is_illegible_json(bytes: &[u8], at: usize) -> bool {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\\'), Some(b'b' | b'f')) => true,
        (Some(b'\\'), Some(b'u')) => {
            let digits = bytes.get(at + 2..at + 6).and_then(|digits| str::from_utf8(digits).ok());
            let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.and_then(char::from_u32).is_some_and(is_illegible)
        }
        (Some(0x7f), _) => true,
        // U+0080 to U+009F.
        (Some(0xc2), Some(next)) => *next < 0xa0,
        _ => false,
    }
}

/// Bytes of the character that begins with this one.
fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// A document for a page, with all its texts [`legible`] and none longer than `longest` bytes.
#[cfg(feature = "ssr")]
pub fn legible_document<T: Serialize + DeserializeOwned>(document: T, longest: usize) -> T {
    let Ok(json) = serde_json::to_string(&document) else { return document };
    match legible_json(&json, longest) {
        Cow::Borrowed(_) => document,
        Cow::Owned(legible) => serde_json::from_str(&legible).unwrap_or(document),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn control_characters_are_shown_as_replaced_and_all_others_as_they_are() {
        let kept = "a\tb\r\nc \u{200b}\u{202e}\u{5d0}\u{feff}\u{ffff}\u{1f3ce}é";
        assert_eq!(legible(kept), kept);
        assert_eq!(legible("a\0b\u{1b}c\u{7f}\u{85}\u{c}"), "a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_document_is_made_legible_in_all_its_texts_at_once() {
        for c in (0..0x2000).chain(0xd7f0..0xe010).chain(0xfff0..0x1_0010).filter_map(char::from_u32) {
            let text = format!("x{c}\\{c}\"{c}");
            let document = json!({ "text": text, "in": [{ text.clone(): text }, 1.5, null] });
            let expected = legible(&text);
            let read: Value = serde_json::from_str(&legible_json(&document.to_string(), 1_000)).unwrap();
            assert_eq!(read["text"], *expected, "{c:?}");
            assert_eq!(read["in"][0][&*expected], *expected, "{c:?}");
        }
    }

    #[test]
    fn what_is_escaped_in_a_text_stays_escaped() {
        let document = json!({ "state": r#"{"a": "\u0000 \\u0000"}"# }).to_string();
        assert_eq!(legible_json(&document, 1_000), document);
    }

    #[test]
    fn a_text_that_a_browser_would_cut_is_cut_here() {
        for text in ["é".repeat(100), "\0".repeat(100), "\"\\".repeat(100), "a".repeat(100)] {
            let document = json!([text, "short"]).to_string();
            let read: Value = serde_json::from_str(&legible_json(&document, 45)).unwrap();
            let cut = read[0].as_str().unwrap();
            assert!(cut.ends_with('…') && cut.len() <= 150, "{cut}");
            assert!(legible(&text).starts_with(cut.trim_end_matches('…')), "{cut}");
            assert_eq!(read[1], "short");
        }
        let whole = json!(["a".repeat(45)]).to_string();
        assert_eq!(legible_json(&whole, 45), whole);
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for text in ["\"", "\"\\", "\"\\u", "\"\\u00", "\"a", "", "\"\\u000\u{e9}", "\u{7f}"] {
            legible_json(text, 2);
            legible_json(text, 100);
        }
    }
}
