//! The part of the drawing that is seen.

use super::layout::{Area, Layout, Point};

/// Room around the drawing when all of it is shown.
const MARGIN: f64 = 28.0;
/// A small graph is not blown up beyond this.
const LEAST: (f64, f64) = (860.0, 420.0);
const SCALES: (f64, f64) = (0.15, 2.5);

/// A rectangle of the drawing. It is shown as large as it fits, in the middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width, more than zero.
    pub width: f64,
    /// Height, more than zero.
    pub height: f64,
}

/// The size of what the drawing is shown in, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Camera {
    /// All of a drawing.
    pub fn fit(layout: &Layout) -> Self {
        let (width, height) = (f64::from(layout.width), f64::from(layout.height));
        let (wide, high) = ((width + 2.0 * MARGIN).max(LEAST.0), (height + 2.0 * MARGIN).max(LEAST.1));
        Self { x: (width - wide) / 2.0, y: (height - high) / 2.0, width: wide, height: high }
    }

    /// An area as near to the middle of `size` as leaves no empty room around the drawing.
    pub fn at(layout: &Layout, area: Area, scale: f64, size: Size) -> Self {
        let (width, height) = (size.width / scale, size.height / scale);
        let middle = (f64::from(area.at.x + area.width / 2), f64::from(area.at.y + area.height / 2));
        Self {
            x: held(middle.0 - width / 2.0, width, f64::from(layout.width)),
            y: held(middle.1 - height / 2.0, height, f64::from(layout.height)),
            width,
            height,
        }
    }

    /// As the value of an SVG's `viewBox`.
    pub fn view_box(&self) -> String {
        format!("{:.1} {:.1} {:.1} {:.1}", self.x, self.y, self.width, self.height)
    }

    /// Pixels to a unit of the drawing.
    pub fn scale(&self, size: Size) -> f64 {
        (size.width / self.width).min(size.height / self.height)
    }

    /// The same picture with edges where those of `size` are, so that lengths in pixels
    /// and in the drawing differ by the scale alone.
    pub fn filling(&self, size: Size) -> Self {
        let scale = self.scale(size);
        let (width, height) = (size.width / scale, size.height / scale);
        Self {
            x: self.x - (width - self.width) / 2.0,
            y: self.y - (height - self.height) / 2.0,
            width,
            height,
        }
    }

    /// Moved by pixels, as if the drawing were dragged.
    pub fn dragged(&self, right: f64, down: f64, size: Size) -> Self {
        let filled = self.filling(size);
        let scale = filled.scale(size);
        Self { x: filled.x - right / scale, y: filled.y - down / scale, ..filled }
    }

    /// Enlarged by `factor` about a point in pixels from the left upper corner of `size`.
    pub fn zoomed(&self, factor: f64, at: (f64, f64), size: Size) -> Self {
        let filled = self.filling(size);
        let scale = filled.scale(size);
        let wanted = (scale * factor).clamp(SCALES.0, SCALES.1);
        let (x, y) = (filled.x + at.0 / scale, filled.y + at.1 / scale);
        Self {
            x: x - at.0 / wanted,
            y: y - at.1 / wanted,
            width: size.width / wanted,
            height: size.height / wanted,
        }
    }

    /// Between this (`part` 0) and another (`part` 1).
    pub fn towards(&self, other: &Self, part: f64) -> Self {
        let between = |from: f64, to: f64| from + (to - from) * part;
        Self {
            x: between(self.x, other.x),
            y: between(self.y, other.y),
            width: between(self.width, other.width),
            height: between(self.height, other.height),
        }
    }

    /// Whether all of an area is seen.
    pub fn shows(&self, area: Area, size: Size) -> bool {
        let seen = self.filling(size);
        let (x, y) = (f64::from(area.at.x), f64::from(area.at.y));
        x >= seen.x
            && y >= seen.y
            && f64::from(area.right()) <= seen.x + seen.width
            && f64::from(area.bottom()) <= seen.y + seen.height
    }

    /// What is seen, in whole units of the drawing, with a part of it more on each side.
    pub fn around(&self, part: f64, size: Size) -> Area {
        let seen = self.filling(size);
        let (right, down) = (seen.width * part, seen.height * part);
        let whole = |length: f64| length.clamp(-1e9, 1e9).round() as i32;
        Area {
            at: Point { x: whole(seen.x - right), y: whole(seen.y - down) },
            width: whole(seen.width + 2.0 * right),
            height: whole(seen.height + 2.0 * down),
        }
    }

    /// The same scale, about another middle.
    pub fn about(&self, x: f64, y: f64) -> Self {
        Self { x: x - self.width / 2.0, y: y - self.height / 2.0, ..*self }
    }
}

/// Where a window of some length may begin over a drawing: inside its margins, or with
/// the drawing in its middle where it is shorter.
fn held(start: f64, window: f64, drawing: f64) -> f64 {
    if window >= drawing + 2.0 * MARGIN {
        (drawing - window) / 2.0
    } else {
        start.clamp(-MARGIN, drawing + MARGIN - window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::layout::{CARD_HEIGHT, CARD_WIDTH};

    const SIZE: Size = Size { width: 1000.0, height: 500.0 };

    fn sized(width: i32, height: i32) -> Layout {
        let mut layout = Layout::default();
        (layout.width, layout.height) = (width, height);
        layout
    }

    fn square() -> Camera {
        Camera { x: 0.0, y: 0.0, width: 500.0, height: 500.0 }
    }

    #[test]
    fn the_point_under_the_pointer_stays_when_zooming() {
        // At scale 1 the square fills the middle: x from -250 to 750.
        let zoomed = square().zoomed(2.0, (250.0, 100.0), SIZE);
        assert_eq!(zoomed.scale(SIZE), 2.0);
        assert_eq!((zoomed.x + 250.0 / 2.0, zoomed.y + 100.0 / 2.0), (0.0, 100.0));
    }

    #[test]
    fn zooming_ends_at_its_limits() {
        assert_eq!(square().zoomed(1000.0, (0.0, 0.0), SIZE).scale(SIZE), 2.5);
        assert_eq!(square().zoomed(0.0001, (0.0, 0.0), SIZE).scale(SIZE), 0.15);
    }

    #[test]
    fn dragging_to_the_right_shows_what_is_further_left() {
        let dragged = square().dragged(100.0, 0.0, SIZE);
        assert_eq!(dragged, Camera { x: -350.0, y: 0.0, width: 1000.0, height: 500.0 });
    }

    #[test]
    fn following_a_card_leaves_no_empty_room() {
        let layout = sized(5000, 300);
        let card = |x, y| Area { at: Point { x, y }, width: CARD_WIDTH, height: CARD_HEIGHT };
        let last = card(5000 - CARD_WIDTH, 90);
        let camera = Camera::at(&layout, last, 1.0, SIZE);
        assert!(camera.shows(last, SIZE));
        assert_eq!(camera.x + camera.width, 5000.0 + MARGIN);
        assert_eq!(camera.y, -100.0, "the whole height is in the middle");
        assert!(!camera.shows(card(0, 0), SIZE));
    }

    #[test]
    fn what_is_drawn_reaches_beyond_what_is_seen() {
        let seen = Camera { x: 100.0, y: 0.0, width: 1000.0, height: 500.0 };
        let area = seen.around(0.5, SIZE);
        assert_eq!(area, Area { at: Point { x: -400, y: -250 }, width: 2000, height: 1000 });
        assert_eq!(seen.about(600.0, 1000.0), Camera { x: 100.0, y: 750.0, ..seen });
    }

    #[test]
    fn a_small_graph_is_not_blown_up() {
        let layout = sized(196, 100);
        let camera = Camera::fit(&layout);
        assert!(camera.width >= 860.0 && camera.height >= 420.0);
    }
}
