//! Messages that wait for the next frame that is drawn.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::prelude::*;

use super::Taken;
use crate::browser;

/// Messages that wait for a frame at most. More come only where no frames are drawn.
const WAITING: usize = 2_000;

/// Messages that wait for the next frame.
pub(super) struct Gathered<T>(Rc<Inner<T>>);

struct Inner<T> {
    messages: RefCell<Vec<T>>,
    take: Box<dyn Fn(Vec<T>) -> Taken>,
    after: Box<dyn Fn(Taken)>,
}

impl<T: 'static> Gathered<T> {
    /// `take` is given what came since the last frame; `after` is told what is known then.
    pub fn new(take: impl Fn(Vec<T>) -> Taken + 'static, after: impl Fn(Taken) + 'static) -> Self {
        let (take, after) = (Box::new(take), Box::new(after));
        Self(Rc::new(Inner { messages: RefCell::default(), take, after }))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.messages.borrow().is_empty()
    }

    /// Adds a message.
    pub fn push(&self, message: T) {
        let waiting = {
            let mut messages = self.0.messages.borrow_mut();
            messages.push(message);
            messages.len()
        };
        match waiting {
            1 => self.flush_at_next_frame(),
            WAITING => self.flush(),
            _ => {}
        }
    }

    fn flush_at_next_frame(&self) {
        let inner = Rc::downgrade(&self.0);
        let flush = move || {
            if let Some(inner) = inner.upgrade() {
                Self(inner).flush();
            }
        };
        // A hidden tab draws no frames.
        if browser::is_hidden() {
            set_timeout(flush, Duration::from_millis(250));
        } else {
            request_animation_frame(flush);
        }
    }

    /// Hands on what waits.
    pub fn flush(&self) {
        let messages = self.0.messages.take();
        if !messages.is_empty() {
            (self.0.after)((self.0.take)(messages));
        }
    }
}
