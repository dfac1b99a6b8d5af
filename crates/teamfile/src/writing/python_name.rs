//! Names of agents as Python takes them: AutoGen refuses an agent whose name is no identifier.

use std::collections::{BTreeMap, BTreeSet};

use super::Losses;
use crate::{finding::shown, name, place::Place, team::Team};

/// The names of a team's participants with those under which they are written.
pub(super) struct Names<'a>(BTreeMap<&'a str, String>);

impl<'a> Names<'a> {
    pub(super) fn of(team: &'a Team, place: &Place, losses: &mut Losses) -> Self {
        let names: Vec<&str> =
            team.participants.iter().map(|participant| participant.name.as_str()).collect();
        let mut taken: BTreeSet<String> =
            names.iter().filter(|name| is_identifier(name)).map(|name| (*name).to_owned()).collect();
        let mut written = BTreeMap::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (number, name) in names.into_iter().enumerate() {
            if is_identifier(name) {
                written.insert(name, name.to_owned());
                continue;
            }
            let plain = identifier(name);
            let mut free = plain.clone();
            let count = counts.entry(plain.clone()).or_insert(1);
            while !taken.insert(free.clone()) {
                *count += 1;
                free = format!("{plain}_{count}");
            }
            let place = place.at("participants").at(number).at("name");
            losses.add(
                &place,
                format!("AutoGen refuses the name “{}”, so that it is written as “{free}”.", shown(name)),
            );
            written.insert(name, free);
        }
        Self(written)
    }

    /// The name as it is written. Others' names, such as `user`, stay what they are.
    pub(super) fn written<'b>(&'b self, name: &'b str) -> &'b str {
        self.0.get(name).map_or(name, String::as_str)
    }
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|letter| letter.is_alphabetic() || letter == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn identifier(name: &str) -> String {
    let plain = name::aliases([name]).pop().unwrap_or_default().replace('-', "_");
    if plain.starts_with(|letter: char| letter.is_ascii_digit()) { format!("_{plain}") } else { plain }
}
