//! Separates a model's thoughts from its answer where both come in one text.

use crate::partial_answer::Delta;

/// Tags around thoughts, compared without case.
const TAGS: [(&str, &str); 7] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[think]", "[/think]"),
    ("<|start_thinking|>", "<|end_thinking|>"),
];

/// A streamed text, split into thoughts and answer. The result does not depend on how the text is cut into
/// pieces.
///
/// - Thoughts begin with an opening tag at the beginning of a line, outside of fenced code; elsewhere a tag
///   is text. They end with the next closing tag, or with the text.
/// - A closing tag without an opening one ends thoughts as well, since some servers put the opening tag into
///   the prompt: the answer since the last thoughts is then reclassified. Within code, such a tag is text.
/// - White space around thoughts is not part of the answer.
#[derive(Debug, Default)]
pub(crate) struct Split {
    thinking: bool,
    /// Bytes of the answer since the last thoughts.
    answered: usize,
    /// The end of the input, held back because it may begin a tag.
    held: String,
    /// The present line, as far as it matters.
    line: LineStart,
    /// Whether the line is within fenced code.
    fenced: bool,
    /// Whether white space is dropped until the answer continues.
    after_thoughts: bool,
}

/// What is known of the present line.
#[derive(Debug, Default)]
struct LineStart {
    /// Characters other than white space.
    characters: usize,
    /// Backticks.
    backticks: usize,
}

impl LineStart {
    fn is_blank(&self) -> bool {
        self.characters == 0
    }

    /// Whether the line begins with three backticks and nothing else.
    fn is_fence(&self) -> bool {
        self.characters == 3 && self.backticks == 3
    }

    fn is_in_code(&self) -> bool {
        self.backticks % 2 == 1
    }
}

impl Split {
    /// Takes the next piece.
    pub(crate) fn add(&mut self, piece: &str) -> Vec<Delta> {
        self.held.push_str(piece);
        self.take(false)
    }

    /// Returns what was held back, at the end of the text.
    pub(crate) fn end(&mut self) -> Vec<Delta> {
        self.take(true)
    }

    fn take(&mut self, all: bool) -> Vec<Delta> {
        let held = std::mem::take(&mut self.held);
        let mut parts = Vec::new();
        let mut fresh = String::new();
        let mut position = 0;
        while let Some(character) = held[position..].chars().next() {
            let rest = &held[position..];
            match tag(rest) {
                Tag::Maybe if !all => break,
                Tag::Opens(length) if self.opens() => {
                    position += length;
                    self.pass(&mut fresh, &mut parts);
                    self.thinking = true;
                    self.answered = 0;
                    self.line.characters += length;
                }
                Tag::Closes(length) if self.thinking || self.closes() => {
                    position += length;
                    self.pass(&mut fresh, &mut parts);
                    if self.answered > 0 {
                        parts.push(Delta::WereThoughts(self.answered));
                    }
                    self.thinking = false;
                    self.after_thoughts = true;
                    self.answered = 0;
                    // What follows the tag counts as the beginning of a line.
                    self.line = LineStart::default();
                }
                _ => {
                    position += character.len_utf8();
                    if !self.thinking {
                        self.follow(character);
                    }
                    if self.thinking || !self.is_dropped(character) {
                        fresh.push(character);
                    }
                }
            }
        }
        self.pass(&mut fresh, &mut parts);
        self.held = held[position..].to_owned();
        parts
    }

    /// White space between thoughts and answer.
    fn is_dropped(&mut self, character: char) -> bool {
        self.after_thoughts &= character.is_whitespace();
        self.after_thoughts
    }

    /// Whether an opening tag here begins thoughts.
    fn opens(&self) -> bool {
        !self.thinking && !self.fenced && self.line.is_blank()
    }

    /// Whether a closing tag here ends thoughts without an opening tag.
    fn closes(&self) -> bool {
        !self.fenced && (self.line.is_blank() || !self.line.is_in_code())
    }

    fn follow(&mut self, character: char) {
        match character {
            '\n' => self.line = LineStart::default(),
            white if white.is_whitespace() => {}
            other => {
                self.line.characters += 1;
                self.line.backticks += usize::from(other == '`');
                if other == '`' && self.line.is_fence() {
                    self.fenced = !self.fenced;
                }
            }
        }
    }

    /// Emits the text since the last tag.
    fn pass(&mut self, fresh: &mut String, parts: &mut Vec<Delta>) {
        if fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(fresh);
        if self.thinking {
            parts.push(Delta::Thought(fresh));
        } else {
            self.answered += fresh.len();
            parts.push(Delta::Text(fresh));
        }
    }
}

/// The answer in a whole text, without the thoughts.
pub(crate) fn answer_of(text: &str) -> String {
    let mut split = Split::default();
    let mut answer = String::new();
    for part in split.add(text).into_iter().chain(split.end()) {
        match part {
            Delta::Text(more) => answer.push_str(&more),
            Delta::WereThoughts(bytes) => answer.truncate(answer.len() - bytes),
            _ => {}
        }
    }
    answer
}

/// The tag at the beginning of a text.
enum Tag {
    /// An opening tag of so many bytes.
    Opens(usize),
    /// A closing tag of so many bytes.
    Closes(usize),
    /// The text may continue to a tag.
    Maybe,
    /// No tag.
    No,
}

fn tag(text: &str) -> Tag {
    let bytes = text.as_bytes();
    if !matches!(bytes.first(), Some(b'<' | b'[')) {
        return Tag::No;
    }
    let begins = |tag: &str| {
        let length = tag.len().min(bytes.len());
        bytes[..length].eq_ignore_ascii_case(&tag.as_bytes()[..length])
    };
    let mut maybe = false;
    for (open, close) in TAGS {
        for (tag, found) in [(open, Tag::Opens(open.len())), (close, Tag::Closes(close.len()))] {
            if begins(tag) {
                if bytes.len() >= tag.len() {
                    return found;
                }
                maybe = true;
            }
        }
    }
    if maybe { Tag::Maybe } else { Tag::No }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Answer and thoughts as somebody hears them.
    fn heard(parts: impl IntoIterator<Item = Delta>) -> (String, String) {
        let (mut answer, mut thoughts) = (String::new(), String::new());
        for part in parts {
            match part {
                Delta::Text(more) => answer.push_str(&more),
                Delta::Thought(more) => thoughts.push_str(&more),
                Delta::WereThoughts(bytes) => {
                    let moved = answer.split_off(answer.len() - bytes);
                    thoughts.push_str(&moved);
                }
                other => panic!("{other:?} is not written in a text"),
            }
        }
        (answer, thoughts)
    }

    fn split<'a>(pieces: impl IntoIterator<Item = &'a str>) -> (String, String) {
        let mut split = Split::default();
        let mut parts: Vec<Delta> = pieces.into_iter().flat_map(|piece| split.add(piece)).collect();
        parts.extend(split.end());
        heard(parts)
    }

    #[test]
    fn thoughts_stand_apart_from_the_answer() {
        for (text, answer, thoughts) in [
            ("<think>\nHm.\n</think>\n\n## Report\n", "## Report\n", "\nHm.\n"),
            ("\n <THINK>Hm.</Think>Yes.", "\n Yes.", "Hm."),
            ("<thinking>Hm.</thinking> Yes.", "Yes.", "Hm."),
            ("[THINK]Hm.[/THINK]Yes.", "Yes.", "Hm."),
            ("<think></think>Yes.", "Yes.", ""),
            // Cut before their end.
            ("<think>Hm, if", "", "Hm, if"),
            ("<think>Hm.</thin", "", "Hm.</thin"),
            // The opening tag stood in the prompt.
            ("Hm.\n</think>\n\nYes.", "Yes.", "Hm.\n"),
            ("Hm.</think>Yes.", "Yes.", "Hm."),
            // Several, and one in another.
            ("<think>a</think>One.\n<think>b</think>\nTwo.", "One.\nTwo.", "ab"),
            ("<think>a</think> <think>b</think> Two.", "Two.", "ab"),
            ("<think>a<think>b</think>c</think>Yes.", "Yes.", "a<think>bc"),
        ] {
            assert_eq!(split([text]), (answer.to_owned(), thoughts.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_mark_that_is_spoken_of_is_part_of_the_answer() {
        for text in [
            "The tag <think> begins thoughts.",
            "The tag `</think>` ends thoughts, as `<think>` begins them.",
            "In code:\n```xml\n<think>\nx\n</think>\n```\nThat is all.",
            "1 < 2 and [thin] <thinks> <|",
        ] {
            assert_eq!(split([text]), (text.to_owned(), String::new()));
        }
    }

    #[test]
    fn what_is_heard_while_it_is_written_leads_to_the_whole() {
        let mut split = Split::default();
        assert!(split.add("<thi").is_empty());
        assert_eq!(split.add("nk>H"), [Delta::Thought("H".into())]);
        assert_eq!(split.add("m</think>\n"), [Delta::Thought("m".into())]);
        assert_eq!(split.add("\nYes <"), [Delta::Text("Yes ".into())]);
        assert_eq!(split.add("3"), [Delta::Text("<3".into())]);
        assert_eq!(split.add("</think>No"), [Delta::WereThoughts(6), Delta::Text("No".into())]);
        assert!(split.end().is_empty());
    }

    fn text() -> impl Strategy<Value = String> {
        let token = prop_oneof![
            Just("<think>".to_owned()),
            Just("</think>".to_owned()),
            Just("</THINKING>".to_owned()),
            Just("```".to_owned()),
            "[`\n <>/a😀]{0,4}",
            "(<|</|<th|<think|\\[|think>)",
        ];
        prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn any_cutting_into_pieces_gives_the_same(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
            cuts.push(text.len());
            cuts.sort_unstable();
            let mut from = 0;
            let pieces = cuts.into_iter().map(|cut| {
                let piece = &text[from..cut];
                from = cut;
                piece
            });
            prop_assert_eq!(split(pieces), split([text.as_str()]));
            prop_assert_eq!(answer_of(&text), split([text.as_str()]).0);
        }

        #[test]
        fn a_text_without_marks_is_the_answer(text in "[^<\\[]*") {
            prop_assert_eq!(split([text.as_str()]), (text, String::new()));
        }
    }
}
