//! What differs between two texts, line by line.

use similar::{Algorithm, Change, ChangeTag, capture_diff_slices};

/// The most pairs of lines that are compared; beyond that the texts are shown one after the other.
const MOST_PAIRS: usize = 4_000_000;

/// A line of one of two texts, or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It stands in both.
    Same(String),
    /// It stands in the earlier one alone.
    Gone(String),
    /// It stands in the later one alone.
    New(String),
}

/// The lines of both texts in their order, with as many as possible in both.
pub(super) fn difference(earlier: &str, later: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (earlier.lines().collect(), later.lines().collect());
    let owned = |line: &&str| (*line).to_owned();
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        let (gone, added) = (old.iter().map(owned).map(Line::Gone), new.iter().map(owned).map(Line::New));
        return gone.chain(added).collect();
    }
    let steps = capture_diff_slices(Algorithm::Myers, &old, &new);
    let changes = steps.iter().flat_map(|step| step.iter_changes(&old, &new));
    let line = |change: Change<&str>| {
        let line = change.value().to_owned();
        match change.tag() {
            ChangeTag::Equal => Line::Same(line),
            ChangeTag::Delete => Line::Gone(line),
            ChangeTag::Insert => Line::New(line),
        }
    };
    changes.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(earlier: &str, later: &str) -> Vec<String> {
        let mark = |line| match line {
            Line::Same(line) => format!(" {line}"),
            Line::Gone(line) => format!("-{line}"),
            Line::New(line) => format!("+{line}"),
        };
        difference(earlier, later).into_iter().map(mark).collect()
    }

    #[test]
    fn lines_that_both_texts_have_stand_once_and_the_others_are_told_apart() {
        assert_eq!(marked("a\nb\nc\nd", "a\nx\nc\nd\ne"), [" a", "-b", "+x", " c", " d", "+e"]);
        assert_eq!(marked("a\nb\nc", "b\nc\na"), ["-a", " b", " c", "+a"]);
        assert_eq!(marked("same", "same"), [" same"]);
        assert_eq!(marked("", "a"), ["+a"]);
        assert_eq!(marked("a", ""), ["-a"]);
        assert_eq!(marked("a\na", "a"), [" a", "-a"], "what is repeated is counted");
    }

    #[test]
    fn texts_that_are_too_long_to_be_compared_stand_one_after_the_other() {
        let text = |letter: &str| (0..2_100).map(|number| format!("{letter}{number}\n")).collect::<String>();
        let lines = marked(&text("a"), &text("b"));
        assert_eq!((lines.len(), lines[0].as_str(), lines[2_100].as_str()), (4_200, "-a0", "+b0"));
    }
}
