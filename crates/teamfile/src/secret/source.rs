//! Passwords and keys in the source of tools.

use std::collections::BTreeMap;

use super::{SHORTEST_KEY, is_placeholder, is_secret_name, strip_text};
use crate::source_identity::SourceIdentity;

/// The source of a tool with its passwords and keys emptied, and how many there were. The well-known samples hold
/// none and stay what they are.
pub(crate) fn strip_source(source: &str) -> (String, usize) {
    if SourceIdentity::of(source).known().is_some() {
        return (source.to_owned(), 0);
    }
    let mut stripped = String::with_capacity(source.len());
    let (mut rest, mut found) = (source, 0);
    // Up to how many bytes before the end each kind of quote is known not to close: no place is searched twice.
    let mut unclosed: BTreeMap<&str, usize> = BTreeMap::new();
    while let Some(start) = rest.find(['"', '\'']) {
        let (before, from_quote) = rest.split_at(start);
        stripped.push_str(before);
        let quote = literal_quote(from_quote);
        let after_quote = &from_quote[quote.len()..];
        let is_searched = unclosed.get(quote).is_some_and(|end| after_quote.len() > *end);
        let length = if is_searched { Err(0) } else { literal_length(after_quote, quote) };
        let length = match length {
            Ok(length) => length,
            Err(searched) => {
                // An apostrophe in a comment begins no literal.
                if !is_searched {
                    unclosed.insert(quote, after_quote.len() - searched);
                }
                stripped.push_str(quote);
                rest = after_quote;
                continue;
            }
        };
        let literal = &after_quote[..length];
        let is_named = is_named_secret(&stripped);
        stripped.push_str(quote);
        if is_named && !is_placeholder_literal(literal) {
            found += 1;
        } else {
            stripped.push_str(literal);
        }
        stripped.push_str(quote);
        rest = &after_quote[length + quote.len()..];
    }
    stripped.push_str(rest);
    // Keys stand in comments as well.
    found += strip_text(&mut stripped);
    (stripped, found)
}

/// Passwords are shorter than keys: of a literal with a secret's name only what says that it is none is left.
fn is_placeholder_literal(literal: &str) -> bool {
    let is_sentence =
        literal.contains(' ') && !["Bearer ", "Basic "].iter().any(|scheme| literal.starts_with(scheme));
    literal.is_empty() || is_sentence || (literal.len() >= SHORTEST_KEY && is_placeholder(literal))
}

fn literal_quote(text: &str) -> &'static str {
    ["\"\"\"", "'''", "\""].into_iter().find(|quote| text.starts_with(quote)).unwrap_or("'")
}

/// The bytes up to the closing quote; if the literal never ends, or not on its line, how many were searched.
fn literal_length(text: &str, quote: &str) -> Result<usize, usize> {
    let mut is_escaped = false;
    for (place, character) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if text[place..].starts_with(quote) {
            return Ok(place);
        } else if character == '\n' && quote.len() == 1 {
            return Err(place);
        }
    }
    Err(text.len())
}

/// The end of the code before a literal: a name is no longer.
fn end_of(code: &str) -> &str {
    const MOST: usize = 100;
    let from = (code.len().saturating_sub(MOST)..=code.len()).find(|place| code.is_char_boundary(*place));
    &code[from.unwrap_or(0)..]
}

/// Whether the code before a literal gives it a secret's name: `password = `, `"token": `, `api_key: str = `.
fn is_named_secret(code: &str) -> bool {
    let code = end_of(code);
    let code = code.trim_end_matches(|character: char| character.is_ascii_alphabetic()).trim_end();
    let Some(code) = code.strip_suffix('=').or_else(|| code.strip_suffix(':')) else { return false };
    let begin = code.rfind([',', '(', '{', ';', '\n']).map_or(0, |place| place + 1);
    let name = code[begin..].split(':').next().unwrap_or_default().trim().trim_matches(['"', '\'', ' ']);
    let last_word = name.rsplit([' ', '.', '[']).next().unwrap_or_default();
    // `key=` names a key of a dictionary more often than a secret.
    !last_word.eq_ignore_ascii_case("key") && is_secret_name(last_word)
}
