//! All of a large graph in small, and what of it is seen.

use leptos::{ev, prelude::*, svg};

use super::{Picture, cells::Cells, viewport::Viewport};
use crate::{
    browser, format,
    graph::camera::{Camera, Size},
};

/// The map. A press on it goes there.
#[component]
pub fn Map(picture: Picture, viewport: Viewport) -> impl IntoView {
    let map = NodeRef::<svg::Svg>::new();
    let is_dragged = RwSignal::new(false);
    let view_box = move || picture.layout.with(Camera::fit).view_box();
    let go = move |event: &ev::PointerEvent| {
        let Some(map) = map.try_get_untracked().flatten() else { return };
        let bounds = browser::bounds_of(&map);
        let size = Size { width: bounds.width, height: bounds.height };
        let all = picture.layout.with_untracked(Camera::fit).filling(size);
        let scale = all.scale(size);
        if scale > 0.0 {
            let (right, down) =
                (f64::from(event.client_x()) - bounds.left, f64::from(event.client_y()) - bounds.top);
            viewport.show_about(all.x + right / scale, all.y + down / scale);
        }
    };
    let seen = Memo::new(move |_| viewport.seen());
    let seen_part =
        move |part: fn(Camera) -> f64| move || seen.get().map(|seen| format!("{:.0}", part(seen)));
    view! {
        <div class="graph-map">
            <p class="map-head">
                <strong>"Map"</strong>
                <span class="dim">{move || {
                    let count = picture.tree.with(|tree| tree.len());
                    format!("{} nodes", format::count(count as u64))
                }}</span>
            </p>
            <svg
                node_ref=map
                class="map-canvas"
                viewBox=view_box
                role="img"
                aria-label="Map of the graph. Find a node by its name, or move with the arrow keys."
                on:pointerdown=move |event| {
                    is_dragged.set(true);
                    go(&event);
                }
                on:pointermove=move |event| {
                    if is_dragged.get_untracked() {
                        go(&event);
                    }
                }
                on:pointerup=move |_| is_dragged.set(false)
                on:pointerleave=move |_| is_dragged.set(false)
            >
                <Cells picture />
                <rect
                    class="map-seen"
                    x=seen_part(|seen| seen.x)
                    y=seen_part(|seen| seen.y)
                    width=seen_part(|seen| seen.width)
                    height=seen_part(|seen| seen.height)
                ></rect>
            </svg>
        </div>
    }
}
