//! Which way the server's messages take into this tab.

use std::cell::Cell;

use super::Obstacle;
use crate::browser;

/// Sockets in a row that may end soon after they began before another way is tried.
const SHORT_LIVED: u32 = 3;

/// Under this name the tab remembers over a reload what is in a socket's way.
const KEPT: &str = "without-socket";

/// A way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A socket.
    Socket,
    /// Plain requests, because a socket did not get through.
    Polls {
        /// What the socket met.
        obstacle: Obstacle,
        /// Whether it met it while plain requests were answered. Else it may have been the server.
        is_certain: bool,
    },
}

thread_local! {
    static WAY: Cell<Option<Way>> = const { Cell::new(None) };
    static SHORT: Cell<u32> = const { Cell::new(0) };
}

/// The way to take next.
pub(super) fn way() -> Way {
    WAY.get().unwrap_or_else(|| {
        let kept = browser::kept_in_tab(KEPT).and_then(|name| Obstacle::named(&name));
        let way = kept.map_or(Way::Socket, |obstacle| Way::Polls { obstacle, is_certain: true });
        WAY.set(Some(way));
        way
    })
}

/// A socket did not get through.
pub(super) fn is_blocked(obstacle: Obstacle) {
    WAY.set(Some(Way::Polls { obstacle, is_certain: false }));
}

/// A socket did not get through although plain requests did.
pub(super) fn is_certainly_blocked(obstacle: Obstacle) {
    WAY.set(Some(Way::Polls { obstacle, is_certain: true }));
    browser::keep_in_tab(KEPT, obstacle.name());
}

/// Sockets get through, or nothing does.
pub(super) fn is_open() {
    if way() != Way::Socket {
        WAY.set(Some(Way::Socket));
        browser::forget_in_tab(KEPT);
    }
}

/// A socket that had got through ended.
pub(super) fn socket_ended(soon: bool) {
    let short = if soon { SHORT.get() + 1 } else { 0 };
    SHORT.set(short % SHORT_LIVED);
    if short == SHORT_LIVED {
        is_blocked(Obstacle::Breaks);
    }
}
