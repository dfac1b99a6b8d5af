//! Moving over the graph: zoom, pan, fit, follow.

use leptos::{
    ev::{PointerEvent, WheelEvent},
    prelude::*,
    svg,
};

use crate::{
    browser,
    graph::{
        camera::{Camera, Size},
        layout::{Area, Card, Layout},
    },
};

/// One press of a key or button.
const ZOOM_STEP: f64 = 1.25;
/// A press that moved less, in pixels, is a click.
const CLICK: f64 = 5.0;
/// How long the picture takes to glide, in milliseconds.
const GLIDE: f64 = 260.0;
/// On a canvas that is narrower, a card that works is as large as it is drawn: its letters are small enough.
const NARROW: f64 = 640.0;
/// Below this scale a card cannot be read while it works, and not even recognised when all is over.
const READABLE: f64 = 0.9;
const RECOGNISABLE: f64 = 0.45;
/// What is drawn beyond what is seen, as a part of its size on each side.
const BEYOND: f64 = 0.1;
/// What is drawn changes in steps of so many units of the drawing.
const STEP: i32 = 240;

/// What is seen of the graph, and what moves it.
#[derive(Clone, Copy)]
pub struct Viewport {
    /// What is seen; `None` is all of it, also when the window changes.
    pub camera: RwSignal<Option<Camera>>,
    /// Whether the picture goes with the work.
    pub following: RwSignal<bool>,
    canvas: NodeRef<svg::Svg>,
    layout: Memo<Layout>,
    fingers: StoredValue<Fingers>,
    /// Counts glides, so that a new one ends the one before.
    glide: StoredValue<u32>,
}

/// Pointers that are down.
#[derive(Clone, Debug, Default)]
struct Fingers {
    down: Vec<(i32, f64, f64)>,
    travelled: f64,
}

impl Viewport {
    /// All of the graph, following.
    pub fn new(canvas: NodeRef<svg::Svg>, layout: Memo<Layout>, following: RwSignal<bool>) -> Self {
        Self {
            camera: RwSignal::new(None),
            following,
            canvas,
            layout,
            fingers: StoredValue::new(Fingers::default()),
            glide: StoredValue::new(0),
        }
    }

    /// Larger, about the middle.
    pub fn zoom_in(self) {
        self.zoom(ZOOM_STEP);
    }

    /// Smaller, about the middle.
    pub fn zoom_out(self) {
        self.zoom(1.0 / ZOOM_STEP);
    }

    /// All of the graph.
    pub fn fit(self) {
        self.following.set(false);
        self.glide_to(None);
    }

    /// Goes with the work: to the node at work, or to all where that can be read. Where
    /// none works and all of it is too small, to the node `otherwise` or the end of the graph.
    pub fn follow(self, at_work: Option<usize>, otherwise: Option<usize>, gently: bool) {
        let Some(size) = self.size() else { return };
        let aim = self.layout.with_untracked(|layout| {
            let fit = Camera::fit(layout).scale(size);
            let readable = if size.width < NARROW { 1.0 } else { READABLE };
            let needed = if at_work.is_some() { readable } else { RECOGNISABLE };
            if fit >= needed {
                return None;
            }
            let node = at_work.or(otherwise).and_then(|node| layout.area_of(node));
            let area = node.or_else(|| layout.cards.last().map(Card::area))?;
            Some(Camera::at(layout, area, readable.max(fit), size))
        });
        if gently {
            self.glide_to(aim);
        } else {
            self.camera.set(aim);
        }
    }

    /// Brings a node into the picture, if it is outside or too small to be recognised there.
    pub fn reveal(self, node: usize) {
        let Some(size) = self.size() else { return };
        let aim = self.layout.with_untracked(|layout| {
            let area = layout.area_of(node)?;
            let camera = self.present(layout);
            let scale = camera.scale(size);
            if camera.shows(area, size) && scale >= RECOGNISABLE {
                return None;
            }
            Some(Camera::at(layout, area, if scale < RECOGNISABLE { READABLE } else { scale }, size))
        });
        if aim.is_some() {
            self.following.set(false);
            self.glide_to(aim);
        }
    }

    /// Moves the picture so that this place of the drawing is in its middle.
    pub fn show_about(self, x: f64, y: f64) {
        self.change(|camera, size| camera.filling(size).about(x, y));
    }

    /// What is seen of the drawing, from edge to edge; `None` where nothing is drawn yet.
    pub fn seen(self) -> Option<Camera> {
        let camera = self.camera.get();
        let size = self.size()?;
        let camera = self.layout.with(|layout| camera.unwrap_or_else(|| Camera::fit(layout)));
        Some(camera.filling(size))
    }

    /// What of the drawing is near enough to be drawn, in steps, so that not every move changes it; `None` where the
    /// drawing is so small that nothing can be recognised, or is not drawn yet.
    pub fn near(self) -> Option<Area> {
        let seen = self.seen()?;
        let size = self.size()?;
        (seen.scale(size) >= RECOGNISABLE / 1.5).then(|| seen.around(BEYOND, size).in_steps(STEP))
    }

    /// Zooms about the pointer.
    pub fn wheel(self, event: &WheelEvent) {
        event.prevent_default();
        // Lines and pages are counted as so many pixels.
        let unit = match event.delta_mode() {
            1 => 16.0,
            2 => 400.0,
            _ => 1.0,
        };
        let factor = (-event.delta_y() * unit * 0.0016).clamp(-0.6, 0.6).exp();
        self.zoom_at(factor, event.client_x().into(), event.client_y().into());
    }

    /// A finger or button goes down.
    pub fn press(self, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        self.fingers.update_value(|fingers| {
            if fingers.down.is_empty() {
                fingers.travelled = 0.0;
            }
            fingers.down.push((event.pointer_id(), event.client_x().into(), event.client_y().into()));
        });
    }

    /// A finger moves: one drags, two pinch.
    pub fn drag(self, event: &PointerEvent) {
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        let mut fingers = self.fingers.get_value();
        let Some(at) = fingers.down.iter().position(|(id, ..)| *id == event.pointer_id()) else { return };
        let before = fingers.down[at];
        let (right, down) = (x - before.1, y - before.2);
        let was_click = fingers.travelled < CLICK;
        fingers.travelled += right.hypot(down);
        fingers.down[at] = (before.0, x, y);
        let other = fingers.down.iter().find(|(id, ..)| *id != before.0).copied();
        let is_drag = fingers.travelled >= CLICK;
        self.fingers.set_value(fingers);
        if !is_drag {
            return;
        }
        if was_click && let Some(canvas) = self.canvas.try_get_untracked().flatten() {
            // From here on the card below the finger gets no click.
            browser::capture_pointer(&canvas, event);
        }
        match other {
            None => self.pan(right, down),
            Some((_, other_x, other_y)) => {
                let reach = |x: f64, y: f64| (x - other_x).hypot(y - other_y).max(1.0);
                let factor = reach(x, y) / reach(before.1, before.2);
                self.pan(right / 2.0, down / 2.0);
                self.zoom_at(factor, (x + other_x) / 2.0, (y + other_y) / 2.0);
            }
        }
    }

    /// A finger goes up.
    pub fn release(self, event: &PointerEvent) {
        self.fingers.update_value(|fingers| fingers.down.retain(|(id, ..)| *id != event.pointer_id()));
    }

    fn pan(self, right: f64, down: f64) {
        self.change(|camera, size| camera.dragged(right, down, size));
    }

    fn zoom(self, factor: f64) {
        self.change(|camera, size| camera.zoomed(factor, (size.width / 2.0, size.height / 2.0), size));
    }

    fn zoom_at(self, factor: f64, client_x: f64, client_y: f64) {
        let Some(canvas) = self.canvas.try_get_untracked().flatten() else { return };
        let bounds = browser::bounds_of(&canvas);
        let at = (client_x - bounds.left, client_y - bounds.top);
        self.change(|camera, size| camera.zoomed(factor, at, size));
    }

    fn change(self, change: impl FnOnce(&Camera, Size) -> Camera) {
        let Some(size) = self.size() else { return };
        self.following.set(false);
        self.glide.update_value(|glide| *glide += 1);
        let present = self.layout.with_untracked(|layout| self.present(layout));
        self.camera.set(Some(change(&present, size)));
    }

    fn present(self, layout: &Layout) -> Camera {
        self.camera.get_untracked().unwrap_or_else(|| Camera::fit(layout))
    }

    fn size(self) -> Option<Size> {
        let bounds = browser::bounds_of(&*self.canvas.try_get_untracked().flatten()?);
        let size = Size { width: bounds.width, height: bounds.height };
        (size.width > 0.0 && size.height > 0.0).then_some(size)
    }

    fn glide_to(self, aim: Option<Camera>) {
        let id = self.glide.try_update_value(|glide| {
            *glide += 1;
            *glide
        });
        let Some((id, size)) = id.zip(self.size()) else { return };
        let (from, to) = self.layout.with_untracked(|layout| {
            let to = aim.unwrap_or_else(|| Camera::fit(layout));
            (self.present(layout).filling(size), to.filling(size))
        });
        if from == to || browser::matches_media("(prefers-reduced-motion: reduce)") {
            self.camera.set(aim);
            return;
        }
        let begun = browser::steady_ms();
        self.glide_on(id, begun, from, to, aim);
    }

    fn glide_on(self, id: u32, begun: f64, from: Camera, to: Camera, aim: Option<Camera>) {
        request_animation_frame(move || {
            if self.glide.try_get_value() != Some(id) {
                return;
            }
            let part = ((browser::steady_ms() - begun) / GLIDE).clamp(0.0, 1.0);
            if part >= 1.0 {
                self.camera.try_set(aim);
                return;
            }
            let eased = 1.0 - (1.0 - part).powi(3);
            self.camera.try_set(Some(from.towards(&to, eased)));
            self.glide_on(id, begun, from, to, aim);
        });
    }
}
