//! Text that grows while a person reads it.

use leptos::{
    prelude::document,
    web_sys::{Element, Text},
};

use crate::legible::legible;

/// Bytes of a growing text that stay in sight at least; of a longer one, twice as many at most.
const KEPT: usize = 20_000;

/// Stands before what is left of a longer text.
const CUT: &str = "… ";

/// A text on the page to whose end pieces are added. What stands there already is not touched, so that it
/// stays selected while more comes.
pub struct GrowingText {
    node: Text,
    /// The text so far.
    known: String,
    /// Bytes of it that are no longer shown.
    left_out: usize,
}

impl GrowingText {
    /// An empty one, at the end of an element; `None` where the browser refuses.
    pub fn begin(element: &Element) -> Option<Self> {
        let node = document().create_text_node("");
        element.append_child(&node).ok()?;
        Some(Self { node, known: String::new(), left_out: 0 })
    }

    /// Shows the text: what is new of it, or all of it where it began anew.
    pub fn show(&mut self, text: &str) {
        match text.strip_prefix(&self.known) {
            Some("") => return,
            // Control characters are replaced one by one: pieces are legible where the whole is.
            Some(piece) => {
                self.node.append_data(&legible(piece)).ok();
                self.known.push_str(piece);
            }
            None => {
                self.node.set_data(&legible(text));
                self.known = text.to_owned();
                self.left_out = 0;
            }
        }
        self.cut();
    }

    /// Takes away the beginning of a long text: the browser lays out all of it with each piece.
    fn cut(&mut self) {
        let Some(count) = surplus(&self.known, self.left_out) else { return };
        let shown = self.known.get(self.left_out..self.left_out + count).unwrap_or_default();
        // The browser counts UTF-16 units; a replaced character is one, as it was before.
        let mark = if self.left_out > 0 { CUT } else { "" };
        let units = mark.encode_utf16().count() + shown.encode_utf16().count();
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        if self.node.replace_data(0, units, CUT).is_ok() {
            self.left_out += count;
        }
    }
}

/// How many bytes more are to be left out.
fn surplus(text: &str, left_out: usize) -> Option<usize> {
    let shown = text.len().checked_sub(left_out).filter(|shown| *shown > 2 * KEPT)?;
    Some(text.ceil_char_boundary(left_out + shown - KEPT) - left_out)
}

#[cfg(test)]
mod tests {
    use super::{KEPT, surplus};

    #[test]
    fn a_text_is_cut_between_characters_and_only_where_it_is_long() {
        assert_eq!(surplus(&"é".repeat(KEPT), 0), None);
        let text = format!("x{}", "é".repeat(2 * KEPT));
        let cut = surplus(&text, 0).unwrap();
        assert!(text.is_char_boundary(cut) && text.len() - cut <= KEPT && text.len() - cut > KEPT - 2);
        assert_eq!(surplus(&text, cut), None);
    }
}
