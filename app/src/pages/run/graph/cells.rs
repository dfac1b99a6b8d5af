//! A graph of which nothing can be read: one shape for all cards of a tone.

use leptos::prelude::*;

use super::Picture;
use crate::{
    components::status::Tone,
    graph::layout::{CARD_HEIGHT, CARD_WIDTH, Layout},
};

/// The tones that cards have, in the order in which they are drawn over one another.
const TONES: [Tone; 5] = [Tone::Quiet, Tone::Done, Tone::Live, Tone::Attention, Tone::Failed];

/// All cards and frames as plain rectangles.
#[component]
pub fn Cells(picture: Picture) -> impl IntoView {
    let tones = picture.tones;
    let paths = Memo::new(move |_| {
        picture.layout.with(|layout| tones.with(|tones| TONES.map(|tone| cells(layout, tones, tone))))
    });
    let path = move |(place, tone): (usize, Tone)| {
        view! { <path class=format!("cells {}", tone.class()) d=move || paths.with(|paths| paths.get(place).cloned()) /> }
    };
    view! {
        <path class="cells-frames" d=move || picture.layout.with(frames) />
        {TONES.into_iter().enumerate().map(path).collect_view()}
    }
}

fn cells(layout: &Layout, tones: &[Tone], wanted: Tone) -> String {
    let mut path = String::new();
    for (card, tone) in layout.cards.iter().zip(tones) {
        if *tone == wanted {
            path += &format!("M{} {}h{CARD_WIDTH}v{CARD_HEIGHT}h-{CARD_WIDTH}z", card.at.x, card.at.y);
        }
    }
    path
}

fn frames(layout: &Layout) -> String {
    let frame = |frame: &crate::graph::layout::Frame| {
        let area = frame.area;
        format!("M{} {}h{}v{}h-{}z", area.at.x, area.at.y, area.width, area.height, area.width)
    };
    layout.frames.iter().map(frame).collect()
}
