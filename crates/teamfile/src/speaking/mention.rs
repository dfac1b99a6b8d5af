//! Finds the names of participants in what a model says.

use std::collections::BTreeMap;

/// How often each of these names occurs in a text as a word, for those that do. Capital letters matter. Models
/// write `_` as a space or as `\_` as well.
#[must_use]
pub fn mentions<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let count = |name: &'a str| {
        let forms = [name.to_owned(), name.replace('_', " "), name.replace('_', "\\_")];
        let different = forms.iter().enumerate().filter(|(number, form)| !forms[..*number].contains(form));
        different.map(|(_, form)| words(text, form)).sum::<usize>()
    };
    names.into_iter().map(|name| (name, count(name))).filter(|(_, count)| *count > 0).collect()
}

/// The one name that a text mentions; `None` if it mentions none or several.
#[must_use]
pub fn mentioned<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = mentions(text, names);
    let mut names = found.into_keys();
    names.next().filter(|_| names.next().is_none())
}

fn words(text: &str, word: &str) -> usize {
    if word.is_empty() {
        return 0;
    }
    let is_part =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let is_word = |place: &usize| {
        !is_part(text[..*place].chars().next_back()) && !is_part(text[place + word.len()..].chars().next())
    };
    text.match_indices(word).map(|(place, _)| place).filter(is_word).count()
}
