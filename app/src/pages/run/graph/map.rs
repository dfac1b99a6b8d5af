//! All of a large graph in small, and what of it is seen.

use leptos::{ev, prelude::*, svg};

use super::{Picture, cells::Cells, viewport::Viewport};
use crate::{browser, format};

/// The map. A press on it goes there.
#[component]
pub fn Map(picture: Picture, viewport: Viewport) -> impl IntoView {
    let map = NodeRef::<svg::Svg>::new();
    let is_dragged = RwSignal::new(false);
    let size = move || picture.layout.with(|layout| (layout.width.max(1), layout.height.max(1)));
    let view_box = move || {
        let (width, height) = size();
        format!("0 0 {width} {height}")
    };
    let go = move |event: &ev::PointerEvent| {
        let Some(map) = map.try_get_untracked().flatten() else { return };
        let bounds = browser::bounds_of(&map);
        let (width, height) = untrack(size);
        let (width, height) = (f64::from(width), f64::from(height));
        // The drawing is in the middle of the map, as large as it fits.
        let scale = (bounds.width / width).min(bounds.height / height);
        if scale > 0.0 {
            let x = (f64::from(event.client_x()) - bounds.left - bounds.width / 2.0) / scale + width / 2.0;
            let y = (f64::from(event.client_y()) - bounds.top - bounds.height / 2.0) / scale + height / 2.0;
            viewport.show_about(x, y);
        }
    };
    let seen = Memo::new(move |_| viewport.seen());
    let seen_part = move |part: fn(crate::graph::camera::Camera) -> f64| {
        move || seen.get().map(|seen| format!("{:.0}", part(seen)))
    };
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
