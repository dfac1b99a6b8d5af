//! Places in a file, as JSON pointers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a file as a JSON pointer; empty for the file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(String);

impl Place {
    /// The file as a whole.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The place of a field, or of an entry by its number, below this one.
    #[must_use]
    pub fn at(&self, step: impl fmt::Display) -> Self {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{step}", self.0))
    }

    /// The pointer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is another place, or within it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(other.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where each part of a team came from: places in the team's document, each with its file and the place there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(Vec<(Place, usize, Place)>);

impl Origins {
    pub(crate) fn add(&mut self, spot: &Spot, file: usize) {
        self.0.push((spot.document.clone(), file, spot.file.clone()));
    }

    /// Where what stands at a place of the document came from: that of the closest known part around it.
    pub(crate) fn of(&self, document: &Place) -> Option<(usize, Place)> {
        let around = self.0.iter().filter(|(part, ..)| document.is_within(part));
        around.max_by_key(|(part, ..)| part.0.len()).map(|(_, file, place)| (*file, place.clone()))
    }
}

/// One place under both of its names: in the file that is read, and in the document that is made.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) file: Place,
    pub(crate) document: Place,
}

impl Spot {
    /// A part that has another way in the document than in the file.
    pub(crate) fn part<'a>(
        &self,
        file: impl IntoIterator<Item = &'a str>,
        document: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let walk = |place: &Place, steps: &mut dyn Iterator<Item = &'a str>| {
            steps.fold(place.clone(), |place, step| place.at(step))
        };
        Self {
            file: walk(&self.file, &mut file.into_iter()),
            document: walk(&self.document, &mut document.into_iter()),
        }
    }

    /// An entry of a list.
    pub(crate) fn entry(&self, file: usize, document: usize) -> Self {
        Self { file: self.file.at(file), document: self.document.at(document) }
    }
}
