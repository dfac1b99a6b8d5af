//! Names that providers take. People call an agent `Orçamentista`; providers refuse such a name in a message and
//! in a tool, so that it is sent under an alias, while people go on seeing the name.

use std::collections::{BTreeMap, BTreeSet};

/// The most characters that providers take in a name.
const LONGEST: usize = 64;

/// Whether providers take this name: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[must_use]
pub fn is_sendable(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// Under which name each of these is sent, in their order: the name itself where providers take it, else one that
/// is made of it. No two are the same.
#[must_use]
pub fn aliases<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    // Who has a good name keeps it, also where an earlier one would be rewritten to the same.
    let mut taken: BTreeSet<String> =
        names.iter().filter(|name| is_sendable(name)).map(|name| (*name).to_owned()).collect();
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut aliases = Vec::with_capacity(names.len());
    for name in names {
        if is_sendable(name) && kept.insert(name) {
            aliases.push(name.to_owned());
            continue;
        }
        let plain = rewritten(name);
        let alias = numbered(&plain, &taken, &mut numbers);
        taken.insert(alias.clone());
        aliases.push(alias);
    }
    aliases
}

/// The name itself, or with the next number that nobody has. `numbers` are the last ones that were given.
fn numbered(plain: &str, taken: &BTreeSet<String>, numbers: &mut BTreeMap<String, usize>) -> String {
    if !taken.contains(plain) {
        return plain.to_owned();
    }
    let number = numbers.entry(plain.to_owned()).or_insert(1);
    loop {
        *number += 1;
        let suffix = format!("_{number}");
        let kept: String = plain.chars().take(LONGEST.saturating_sub(suffix.len())).collect();
        let candidate = kept + &suffix;
        if !taken.contains(&candidate) {
            return candidate;
        }
    }
}

/// The name with letters without their marks, and `_` for what is not allowed.
fn rewritten(name: &str) -> String {
    let mut plain = String::new();
    for character in name.trim().chars() {
        match u8::try_from(character) {
            Ok(byte) if is_allowed(byte) => plain.push(character),
            _ => plain.push_str(without_marks(character).unwrap_or("_")),
        }
    }
    plain.truncate(LONGEST);
    if plain.bytes().any(|byte| byte.is_ascii_alphanumeric()) { plain } else { "agent".to_owned() }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Letters of European languages in ASCII.
fn without_marks(character: char) -> Option<&'static str> {
    Some(match character {
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'Æ' => "AE",
        'æ' => "ae",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È'..='Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' | 'Į' | 'İ' => "I",
        'ì'..='ï' | 'ĩ' | 'ī' | 'į' | 'ı' => "i",
        'Ĺ' | 'Ľ' | 'Ł' => "L",
        'ĺ' | 'ľ' | 'ł' => "l",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ñ' | 'ń' | 'ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'Ō' | 'Ő' => "O",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ŕ' | 'Ř' => "R",
        'ŕ' | 'ř' => "r",
        'Ś' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'Ţ' | 'Ť' | 'Ț' => "T",
        'ţ' | 'ť' | 'ț' => "t",
        'Ù'..='Ü' | 'Ũ' | 'Ū' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ù'..='ü' | 'ũ' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'Ý' | 'Ÿ' => "Y",
        'ý' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}
