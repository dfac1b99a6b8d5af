//! Detects a text that only repeats itself, a known failure of models.

/// Repetitions of one passage that count as a failure.
const TIMES: usize = 4;
/// Bytes that the repetitions must have together: rulers, empty tables and lists of zeros repeat short
/// passages.
const SPAN: usize = 4_000;
/// The longest passage that is detected, in bytes.
const LONGEST_PASSAGE: usize = 16_000;
/// The length of the text's end that is searched for before it, in bytes.
const NEEDLE: usize = 64;
/// Bytes of new text between two checks.
const STRIDE: usize = 256;

/// Checks one text while it grows.
#[derive(Debug, Default)]
pub(crate) struct Repetition {
    looked_at: usize,
}

impl Repetition {
    /// Whether the text ends with one passage, repeated at least four times over at least 4,000 bytes. A
    /// check only reads the end of the text, and not every piece is checked.
    pub(crate) fn found(&mut self, text: &str) -> bool {
        if text.len() < SPAN || text.len() < self.looked_at + STRIDE {
            return false;
        }
        self.looked_at = text.len();
        repeats_at_its_end(text)
    }
}

fn repeats_at_its_end(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end = bytes.len();
    let needle = text.ceil_char_boundary(end.saturating_sub(NEEDLE));
    let last = text.floor_char_boundary(end.saturating_sub(1));
    let from = text.ceil_char_boundary(needle.saturating_sub(LONGEST_PASSAGE));
    // The distance to the previous occurrence of the text's end is the length of the passage, if it is one.
    let Some(before) = text[from..last].rfind(&text[needle..]) else { return false };
    let passage = needle - (from + before);
    let span = SPAN.max(TIMES * passage);
    let Some(start) = end.checked_sub(span) else { return false };
    bytes[start..end - passage] == bytes[start + passage..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether a text is found to repeat itself while it grows by such pieces.
    fn found(text: &str, piece: usize) -> bool {
        let mut watch = Repetition::default();
        let mut end = 0;
        while end < text.len() {
            end = text.ceil_char_boundary(end + piece);
            if watch.found(&text[..end]) {
                return true;
            }
        }
        false
    }

    #[test]
    fn what_no_thread_holds_together_is_found() {
        for passage in [
            "\n",
            " ",
            "-",
            "😀",
            "no ",
            "The price is up.\n",
            "| 1 | 2 |\n",
            "You are the market analyst of a research team. Write a report about the stock.\n",
        ] {
            let text = format!("A report.\n\n{}", passage.repeat(2 + 5_000 / passage.len()));
            assert!(found(&text, 7), "{passage}");
        }
        let prompt: String = (0..400).map(|number| format!("Fact {number}. ")).collect();
        assert!(prompt.len() > 3_000);
        assert!(found(&prompt.repeat(5), 50));
    }

    #[test]
    fn rulers_tables_and_lists_are_text() {
        let rows = |row: fn(usize) -> String| (0..2_000).map(row).collect::<String>();
        for text in [
            format!("Title\n{}\nText\n{}\n", "=".repeat(500), "-".repeat(3_900)),
            rows(|n| {
                format!(
                    "| 2026-{:02}-{:02} | {}.00 | 0 | 0 | n/a |\n",
                    n / 28 % 12 + 1,
                    n % 28 + 1,
                    100 + n / 336
                )
            }),
            rows(|n| format!("{n}. Hold.\n")),
            rows(|n| format!("- {}\n", n * 7_919)),
            format!("| a | b |\n|{}\n{}", "---|".repeat(60), "| | |\n".repeat(500)),
            "The same paragraph, quoted by each side of the debate. ".repeat(60),
        ] {
            assert!(!found(&text, 7), "{}", &text[..40]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_passage_without_end_is_found(before in "[a-z \n]{0,200}", passage in "[a-zäß |\n-]{1,300}", piece in 1..400_usize) {
            let text = format!("{before}{}", passage.repeat(2 + 6_000 / passage.len()));
            prop_assert!(found(&text, piece));
        }

        #[test]
        fn a_passage_that_stands_three_times_is_no_alarm(passage in "[a-z\n]{50,1000}", piece in 1..400_usize) {
            let text = format!("{}{passage}The end.", format!("{passage}And so on.\n").repeat(2));
            prop_assert!(!found(&text, piece));
        }

        #[test]
        fn a_table_of_figures_is_no_alarm(rows in prop::collection::vec((0..40_u32, 0..3_u8), 200..600), piece in 1..400_usize) {
            let mut table = "| day | close | flag |\n|---|---|---|\n".to_owned();
            for (day, (close, flag)) in rows.iter().enumerate() {
                table.push_str(&format!("| {day} | {close} | {flag} |\n"));
            }
            prop_assert!(!found(&table, piece));
        }
    }
}
