use protocol::Text;

/// Most characters of a prompt or a response.
pub(crate) const LONGEST_TEXT: usize = 50_000;
/// Most characters of another text within a message.
pub(crate) const LONGEST_SNIPPET: usize = 300;
/// Most characters of a tool's error.
pub(crate) const LONGEST_ERROR: usize = 500;

/// At most `longest` characters of a text, with an ellipsis where something was left out.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The same, and the ellipsis counts: the result is never longer than `longest`, which is at least 1.
pub(crate) fn capped(text: &str, longest: usize) -> String {
    if text.char_indices().nth(longest).is_some() { cut(text, longest - 1) } else { text.to_owned() }
}

/// What is here of a text, at most `longest` characters; the ellipsis shows that it is not all.
pub(crate) fn available(text: &Text, longest: usize) -> String {
    marked(text, capped(text.shown(), longest))
}

/// The beginning of a text, for a message.
pub(crate) fn snippet(text: &Text) -> String {
    marked(text, cut(text.shown(), LONGEST_SNIPPET))
}

fn marked(text: &Text, shown: String) -> String {
    if text.whole().is_none() && !shown.ends_with('…') { format!("{shown}…") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_not_between_bytes() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("", 0), "");
        assert_eq!(cut("🦀🦀", 1), "🦀…");
        assert_eq!(capped("🦀🦀🦀", 2), "🦀…");
        assert_eq!(capped("🦀🦀", 2), "🦀🦀");
    }

    #[test]
    fn a_preview_shows_that_it_is_one() {
        let digest = "0".repeat(64).parse().unwrap();
        let preview = Text::Preview { preview: "The beginning".into(), bytes: 4000, digest };
        assert_eq!(available(&preview, 300), "The beginning…");
        assert_eq!(available(&"All of it".into(), 300), "All of it");
    }
}
