//! Where in a text a place of its JSON stands.

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its line, from 1.
    pub line: usize,
    /// Where it begins, as browsers count: in UTF-16 units.
    pub units: u32,
}

/// The place of a finding: that of a JSON pointer, or of the line that a reader's sentence names. `None` where
/// the text has no such place, and for the text as a whole.
pub fn place_of(text: &str, pointer: &str, sentence: &str) -> Option<Place> {
    let at = match pointer {
        "" => line_named(sentence).and_then(|line| beginning(text, line))?,
        pointer => {
            let path: Vec<String> =
                pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
            Reader { text, at: 0 }.find(&path)?
        }
    };
    let before = text.get(..at)?;
    let units = u32::try_from(before.encode_utf16().count()).ok()?;
    Some(Place { line: before.matches('\n').count() + 1, units })
}

/// The line in `… at line 3 column 5`.
fn line_named(sentence: &str) -> Option<usize> {
    let (_, after) = sentence.rsplit_once("at line ")?;
    after.split(' ').next()?.parse().ok()
}

/// Where a line begins.
fn beginning(text: &str, line: usize) -> Option<usize> {
    let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(breaks).nth(line.checked_sub(1)?)
}

/// Reads JSON only as far as a place is. Nothing of it is kept, and no depth is too deep.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn find(&mut self, path: &[String]) -> Option<usize> {
        let mut path = path;
        loop {
            self.skip_space();
            let Some((key, rest)) = path.split_first() else { return Some(self.at) };
            match self.next()? {
                b'{' => self.enter_field(key)?,
                b'[' => self.enter_item(key.parse().ok()?)?,
                _ => return None,
            }
            path = rest;
        }
    }

    /// Goes to the value of a field of the object that was just begun.
    fn enter_field(&mut self, key: &str) -> Option<()> {
        loop {
            self.skip_space();
            let start = self.at;
            if self.next()? != b'"' {
                return None;
            }
            self.skip_string();
            let name: String = serde_json::from_str(self.text.get(start..self.at)?).ok()?;
            self.skip_space();
            if self.next()? != b':' {
                return None;
            }
            if name == key {
                return Some(());
            }
            self.next_entry()?;
        }
    }

    /// Goes to an item of the list that was just begun.
    fn enter_item(&mut self, index: usize) -> Option<()> {
        for _ in 0..index {
            self.next_entry()?;
        }
        self.skip_space();
        (self.peek()? != b']').then_some(())
    }

    /// Goes over a value and the comma behind it; `None` if there is none.
    fn next_entry(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => self.skip_string(),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                b',' if depth == 0 => return Some(()),
                _ => {}
            }
        }
    }

    /// Goes over the rest of a string.
    fn skip_string(&mut self) {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.at += 1,
                b'"' => return,
                _ => {}
            }
        }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "{\n  \"ä\": [1, \"]}\\\"\", {\"a/b\": {}}],\n  \"lines\": [\n    { \"words\": 7 }\n  ]\n}";

    fn found(pointer: &str) -> Option<(usize, &'static str)> {
        let place = place_of(TEXT, pointer, "")?;
        let units: Vec<u16> = TEXT.encode_utf16().collect();
        let before = String::from_utf16(&units[..place.units as usize]).unwrap();
        Some((place.line, &TEXT[before.len()..]))
    }

    #[test]
    fn a_pointer_leads_to_where_its_value_begins() {
        for (pointer, line, beginning) in [
            ("/ä", 2, "[1, "),
            ("/ä/1", 2, "\"]}"),
            ("/ä/2/a~1b", 2, "{}}]"),
            ("/lines/0", 4, "{ \"words\""),
            ("/lines/0/words", 4, "7 }"),
        ] {
            let (found_line, rest) = found(pointer).unwrap();
            assert!(found_line == line && rest.starts_with(beginning), "{pointer}: {found_line} {rest}");
        }
    }

    #[test]
    fn a_place_that_is_not_there_is_none() {
        for pointer in ["/b", "/ä/3", "/ä/x", "/ä/0/1", "/lines/1", "/lines/0/words/0"] {
            assert_eq!(found(pointer), None, "{pointer}");
        }
        for broken in ["", "{", "{\"a", "[", "[1", "{\"a\" 1}", "{\"a\\", "nothing"] {
            assert_eq!(place_of(broken, "/a/0", ""), None, "{broken}");
        }
        let deep = "[".repeat(1_000_000);
        assert_eq!(place_of(&deep, "/1", ""), None);
    }

    #[test]
    fn a_fault_of_the_text_itself_stands_at_its_line() {
        let error = serde_json::from_str::<serde_json::Value>("{\n  \"é\": 1\n  \"b\": 2\n}").unwrap_err();
        let place = place_of("{\n  \"é\": 1\n  \"b\": 2\n}", "", &format!("{error}.")).unwrap();
        assert_eq!((place.line, place.units), (3, 11));
        assert_eq!(place_of("{}", "", "There is something else."), None);
    }
}
