//! Long lists of which only what is in sight, and some beyond, is in the document.

use std::ops::Range;

use leptos::{html, prelude::*};

use super::paper::use_printing;
use crate::browser::{self, Sight};

/// Rows drawn above and below those that are seen.
const BEYOND: usize = 12;
/// Entries of a block. A block is drawn as a whole or not at all.
const BLOCK: usize = 12;
/// The height of a block, in pixels, as long as none is known.
const USUAL_BLOCK: i32 = 1_200;
/// Entries that are printed at most: more would stop the page for long.
pub const MOST_PRINTED: usize = 5_000;
/// Entries that the server sends at most: all that somebody can read whose browser runs no scripts.
pub const MOST_SENT: usize = 8 * BLOCK;

/// Rows that all have one height.
#[derive(Clone, Copy)]
pub struct Rows {
    frame: NodeRef<html::Div>,
    /// The height of a row, in pixels.
    height: i32,
    count: Signal<usize>,
    /// The first row that is seen, and how many are.
    seen: RwSignal<(usize, usize)>,
    /// Whether the last rows are seen, however many come.
    at_end: RwSignal<bool>,
    range: Memo<Range<usize>>,
}

impl Rows {
    /// The rows of what scrolls in `frame`.
    pub fn new(frame: NodeRef<html::Div>, height: i32, count: Signal<usize>) -> Self {
        let (seen, at_end, is_printing) = (RwSignal::new((0, 40)), RwSignal::new(false), use_printing());
        let range = Memo::new(move |_| {
            let (all, (first, rows)) = (count.get(), seen.get());
            if is_printing.get() {
                return 0..all.min(MOST_PRINTED);
            }
            let first = if at_end.get() { all.saturating_sub(rows) } else { first.min(all) };
            first.saturating_sub(BEYOND)..(first + rows + BEYOND).min(all)
        });
        let rows = Self { frame, height, count, seen, at_end, range };
        Effect::new(move |_| {
            count.track();
            if frame.get().is_some() {
                // After what changed is drawn.
                request_animation_frame(move || rows.look());
            }
        });
        rows
    }

    /// Notices what is seen; to be called when it may have changed.
    pub fn look(self) {
        let Some(frame) = self.frame.try_get_untracked().flatten() else { return };
        let Sight { above, height, .. } = browser::sight_of(&frame);
        let rows = |pixels: i32| usize::try_from(pixels / self.height).unwrap_or(0);
        let seen = (rows(above), rows(height) + 1);
        if self.seen.try_get_untracked() != Some(seen) {
            self.seen.try_set(seen);
        }
    }

    /// The rows to be drawn.
    pub fn range(self) -> Range<usize> {
        self.range.get()
    }

    /// Whether the last rows are kept in sight, however many come.
    pub fn is_at_end(self) -> bool {
        self.at_end.get()
    }

    /// Keeps the last rows in sight from now on, or no longer.
    pub fn keep_at_end(self, at_end: bool) {
        if self.at_end.try_get_untracked() != Some(at_end) {
            self.at_end.try_set(at_end);
        }
    }

    /// Scrolls to the last row, if that is to be kept in sight.
    pub fn follow(self) {
        if self.at_end.try_get_untracked() == Some(true)
            && let Some(frame) = self.frame.try_get_untracked().flatten()
        {
            browser::scroll_to_end(&frame);
            self.look();
        }
    }

    /// The height of the rows above those that are drawn, in pixels.
    pub fn above(self) -> String {
        self.pixels(self.range().start)
    }

    /// The height of the rows below them.
    pub fn below(self) -> String {
        self.pixels(self.count.get().saturating_sub(self.range().end))
    }

    /// Brings a row into sight, in the middle.
    pub fn show(self, row: usize) {
        let Some(frame) = self.frame.try_get_untracked().flatten() else { return };
        let top = i32::try_from(row).unwrap_or(i32::MAX).saturating_mul(self.height);
        frame.set_scroll_top(top - frame.client_height() / 2);
    }

    fn pixels(self, rows: usize) -> String {
        (rows * self.height.unsigned_abs() as usize).to_string()
    }
}

/// Entries of any height, in blocks. The height of a block that was never drawn is taken for that of the others.
#[derive(Clone, Copy)]
pub struct Blocks {
    frame: NodeRef<html::Div>,
    count: Signal<usize>,
    heights: RwSignal<Heights>,
    /// `None`, in a document as the server sends it.
    sight: RwSignal<Option<Sight>>,
    is_printing: ReadSignal<bool>,
}

impl Blocks {
    /// The entries of what scrolls in `frame`.
    pub fn new(frame: NodeRef<html::Div>, count: Signal<usize>) -> Self {
        let heights = RwSignal::new(Heights::default());
        let sight = RwSignal::new(browser::is_alive().then(Sight::default));
        let blocks = Self { frame, count, heights, sight, is_printing: use_printing() };
        Effect::new(move |_| {
            count.track();
            blocks.range();
            if frame.get().is_some() {
                request_animation_frame(move || blocks.look());
            }
        });
        blocks
    }

    /// Notices what is seen, and how high what is drawn is; to be called when it may have changed.
    pub fn look(self) {
        let Some(frame) = self.frame.try_get_untracked().flatten() else { return };
        let measured = browser::heights_of(&frame, "[data-block]", "data-block");
        let is_new =
            |heights: &Heights| measured.iter().any(|(block, height)| heights.known(*block) != Some(*height));
        if self.heights.try_with_untracked(is_new) == Some(true) {
            self.heights.try_update(|heights| {
                measured.iter().for_each(|(block, height)| heights.set(*block, *height))
            });
        }
        let sight = browser::sight_of(&frame);
        if self.sight.try_get_untracked() != Some(Some(sight)) {
            self.sight.try_set(Some(sight));
        }
    }

    /// The blocks to be drawn.
    pub fn range(self) -> Range<usize> {
        let all = self.count.get();
        if self.is_printing.get() {
            return 0..all.min(MOST_PRINTED).div_ceil(BLOCK);
        }
        let Some(Sight { above, height, .. }) = self.sight.get() else {
            return 0..all.min(MOST_SENT).div_ceil(BLOCK);
        };
        let beyond = height.max(600);
        self.heights
            .with(|heights| heights.between(above - beyond, above + height + beyond, all.div_ceil(BLOCK)))
    }

    /// The entries of a block.
    pub fn entries(self, block: usize) -> Range<usize> {
        (block * BLOCK).min(self.count.get())..((block + 1) * BLOCK).min(self.count.get())
    }

    /// The height of the blocks above those that are drawn, in pixels.
    pub fn above(self) -> String {
        self.heights.with(|heights| heights.sum(0..self.range().start)).to_string()
    }

    /// The height of the blocks below them.
    pub fn below(self) -> String {
        let all = self.count.get().div_ceil(BLOCK);
        self.heights.with(|heights| heights.sum(self.range().end.min(all)..all)).to_string()
    }

    /// Brings an entry into sight; `element` finds it in the document once it is drawn.
    pub fn show(self, entry: usize, element: String) {
        let Some(frame) = self.frame.try_get_untracked().flatten() else { return };
        let top = self.heights.with_untracked(|heights| heights.sum(0..entry / BLOCK));
        if !browser::scroll_to_id(&frame, &element) {
            frame.set_scroll_top(top);
            self.look();
            request_animation_frame(move || {
                browser::scroll_to_id(&frame, &element);
            });
        }
    }
}

/// The heights of blocks, in pixels, as far as they were measured.
#[derive(Clone, Debug, Default)]
struct Heights {
    known: Vec<Option<i32>>,
    sum: i64,
    measured: i64,
}

impl Heights {
    fn known(&self, block: usize) -> Option<i32> {
        self.known.get(block).copied().flatten()
    }

    fn set(&mut self, block: usize, height: i32) {
        if self.known.len() <= block {
            self.known.resize(block + 1, None);
        }
        if let Some(place) = self.known.get_mut(block) {
            match place.replace(height) {
                Some(before) => self.sum -= i64::from(before),
                None => self.measured += 1,
            }
            self.sum += i64::from(height);
        }
    }

    fn of(&self, block: usize) -> i32 {
        let usual = self.sum.checked_div(self.measured).and_then(|usual| i32::try_from(usual).ok());
        self.known(block).unwrap_or(usual.unwrap_or(USUAL_BLOCK))
    }

    fn sum(&self, blocks: Range<usize>) -> i32 {
        blocks.fold(0, |sum, block| sum.saturating_add(self.of(block)))
    }

    /// The blocks of which something stands between two heights.
    fn between(&self, top: i32, bottom: i32, all: usize) -> Range<usize> {
        let (mut end, mut first, mut last) = (0_i32, None, all);
        for block in 0..all {
            let start = end;
            end = end.saturating_add(self.of(block));
            if end > top && first.is_none() {
                first = Some(block);
            }
            if start > bottom {
                last = block;
                break;
            }
        }
        // Beyond the end, where the heights were taken for too large, the last block is drawn.
        first.unwrap_or(all.saturating_sub(1))..last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_were_never_drawn_are_as_high_as_the_others() {
        let mut heights = Heights::default();
        assert_eq!(heights.sum(0..2), 2 * USUAL_BLOCK);
        heights.set(0, 100);
        heights.set(4, 300);
        assert_eq!(heights.sum(0..5), 100 + 3 * 200 + 300);
        heights.set(4, 100);
        assert_eq!(heights.sum(0..5), 500);
    }

    #[test]
    fn what_is_between_two_heights_is_drawn() {
        let mut heights = Heights::default();
        (0..10).for_each(|block| heights.set(block, 100));
        assert_eq!(heights.between(-50, 150, 10), 0..2);
        assert_eq!(heights.between(250, 450, 10), 2..5);
        assert_eq!(heights.between(2_000, 2_500, 10), 9..10);
        assert_eq!(heights.between(0, 100, 0), 0..0);
    }
}
