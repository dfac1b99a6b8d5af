//! What differs between two texts, line by line.

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
    let begin = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[begin..], &new[begin..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_middle, same_end) = old_rest.split_at(old_rest.len() - end);
    let new_middle = &new_rest[..new_rest.len() - end];
    let same = |line: &&str| Line::Same((*line).to_owned());
    let mut lines: Vec<Line> = old[..begin].iter().map(same).collect();
    lines.extend(middle(old_middle, new_middle));
    lines.extend(same_end.iter().map(same));
    lines
}

/// The same for lines that neither begin nor end alike, by the longest common subsequence.
fn middle(old: &[&str], new: &[&str]) -> Vec<Line> {
    let (gone, added) = (|line: &&str| Line::Gone((*line).to_owned()), |line: &&str| Line::New((*line).to_owned()));
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return old.iter().map(gone).chain(new.iter().map(added)).collect();
    }
    // How many lines the rests of both have in common, from each pair of places on.
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (row, old) in old.iter().enumerate().rev() {
        for (column, new) in new.iter().enumerate().rev() {
            let at = row * width + column;
            common[at] = if old == new { common[at + width + 1] + 1 } else { common[at + width].max(common[at + 1]) };
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    while let (Some(old), Some(new)) = (old.get(row), new.get(column)) {
        let at = row * width + column;
        if old == new {
            lines.push(Line::Same((*old).to_owned()));
            (row, column) = (row + 1, column + 1);
        } else if common[at + width] >= common[at + 1] {
            lines.push(gone(old));
            row += 1;
        } else {
            lines.push(added(new));
            column += 1;
        }
    }
    lines.extend(old[row..].iter().map(gone));
    lines.extend(new[column..].iter().map(added));
    lines
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
