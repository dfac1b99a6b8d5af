//! What of a graph is in the document.

use crate::graph::layout::{Area, Layout, Wire};

/// Cards that are in the document at most: each has some thirty elements.
const MOST_CARDS: usize = 150;
/// Lines at most.
const MOST_WIRES: usize = 400;

/// What is drawn of a layout: all, what is near to what is seen, or, where the picture is too small for cards, none of
/// them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// The nodes with cards.
    pub cards: Vec<usize>,
    /// The open groups.
    pub frames: Vec<usize>,
    /// The lines, by their first edges.
    pub wires: Vec<usize>,
    /// The phases with their names, by their places.
    pub phases: Vec<usize>,
    /// Whether cards are plain rectangles.
    pub is_far: bool,
}

impl Drawn {
    /// What is drawn of a layout; `near` says what is near, if anything could be recognised.
    pub fn of(layout: &Layout, near: impl FnOnce() -> Option<Area>) -> Self {
        if layout.cards.len() <= MOST_CARDS {
            return Self::within(layout, |_| true);
        }
        let Some(near) = near() else { return Self::far() };
        let drawn = Self::within(layout, |area| area.meets(&near));
        if drawn.cards.len() > MOST_CARDS { Self::far() } else { drawn }
    }

    fn far() -> Self {
        Self { is_far: true, ..Self::default() }
    }

    fn within(layout: &Layout, is_near: impl Fn(&Area) -> bool) -> Self {
        let phase = |at| Area { at, width: 1, height: 1 };
        let phases = layout.phases.iter().enumerate().filter(|(_, it)| is_near(&phase(it.at)));
        Self {
            cards: layout.cards.iter().filter(|card| is_near(&card.area())).map(|card| card.node).collect(),
            frames: layout.frames.iter().filter(|it| is_near(&it.area)).map(|it| it.node).collect(),
            wires: layout
                .wires
                .iter()
                .filter(|wire| is_near(&wire.area))
                .map(Wire::first)
                .take(MOST_WIRES)
                .collect(),
            phases: phases.map(|(place, _)| place).collect(),
            is_far: false,
        }
    }
}
