//! This moment by the server's clock. All that a page shows of times is reckoned by it: the clock of the
//! browser's machine may be wrong, and may be set while the page is open.
//!
//! The server says its time in the page's HTML, with each answer and with each heartbeat. Between two readings the browser's
//! steady clock carries it on, which only the sleep of the machine stops.

use std::cell::Cell;

use js_sys::{Array, Date};
use leptos::{
    prelude::{document, window},
    wasm_bindgen::{JsCast, JsValue},
};
use protocol::Timestamp;

use super::function::{call, number, part};

/// The attribute of the document's root with the server's time at its rendering, in milliseconds.
pub const RENDERED_AT: &str = "data-time";

/// When the browser's two clocks part by this many milliseconds, the machine slept or its clock was set.
const PARTED: f64 = 2_000.0;

/// Milliseconds that a message of a connection that works may take. One that took longer says little.
const LONGEST_WAY: f64 = 2_000.0;

/// The server is not asked more often, in milliseconds, because of its messages: a slow line would say the same again.
const ASK_AGAIN: f64 = 60_000.0;

/// A steady clock may lose or gain a millisecond in this many.
const DRIFT: f64 = 10_000.0;

/// What a message of the server told of its clock.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    /// The server's clock less the steady one, in milliseconds.
    ahead: f64,
    /// How wrong that may be.
    within: f64,
    /// When it was taken, by the steady clock.
    taken: f64,
}

impl Reading {
    /// Of a message that the server wrote at `server`, between the question and the answer.
    fn new(server: f64, asked: f64, answered: f64) -> Self {
        let way = (answered - asked).max(0.0);
        Self { ahead: server - (asked + way / 2.0), within: way / 2.0, taken: answered }
    }

    /// The same once a message has come at `received` that the server wrote at `server`: it cannot have come before it
    /// was written. `None` where that cannot be, or where the message was on its way for longer than is likely: one of
    /// the clocks was set.
    fn after_message(&self, server: f64, received: f64) -> Option<Self> {
        let within = self.drifted(received);
        let (least, most) = (self.ahead - within, self.ahead + within);
        let told = server - received;
        if told > most || told + LONGEST_WAY < least {
            return None;
        }
        if told <= self.ahead {
            return Some(*self);
        }
        Some(Self { ahead: (told + most) / 2.0, within: (most - told) / 2.0, taken: received })
    }

    /// How wrong it may be by then.
    fn drifted(&self, by: f64) -> f64 {
        self.within + (by - self.taken).max(0.0) / DRIFT
    }

    /// Whether a later reading is to be believed rather than this one: it is as exact, or they cannot
    /// both be right.
    fn gives_way_to(&self, later: &Self) -> bool {
        let drifted = self.drifted(later.taken);
        later.within <= drifted || (later.ahead - self.ahead).abs() > later.within + drifted
    }
}

thread_local! {
    static KNOWN: Cell<Option<Reading>> = const { Cell::new(None) };
    /// The machine's clock less the steady one, as it was last time.
    static WALL: Cell<Option<f64>> = const { Cell::new(None) };
    static ASKING: Cell<bool> = const { Cell::new(false) };
    /// When it was last asked because of a message, by the steady clock.
    static DOUBTED: Cell<Option<f64>> = const { Cell::new(None) };
}

/// Milliseconds since the page was begun, by a clock that nobody sets: for how long something takes.
pub fn steady_ms() -> f64 {
    performance()
        .and_then(|performance| call(&performance, "now", &[]).ok()?.as_f64())
        .unwrap_or_else(Date::now)
}

fn performance() -> Option<JsValue> {
    part(&window(), "performance")
}

/// This moment by the server's clock, as well as the page knows it.
pub fn now() -> Timestamp {
    let steady = steady_ms();
    let wall = Date::now() - steady;
    let known = KNOWN.get().or_else(|| {
        let reading = of_document(steady);
        KNOWN.set(reading);
        reading
    });
    if WALL.get().is_none() {
        WALL.set(Some(wall));
    }
    if WALL.get().is_some_and(|before| (wall - before).abs() > PARTED) && !ASKING.replace(true) {
        ask();
    }
    // Without a word of the server the machine's clock is all there is. Whole milliseconds fit an i64 for
    // the next 292 million years.
    Timestamp((steady + known.map_or(wall, |reading| reading.ahead)) as i64)
}

/// The server wrote `server`, its time in milliseconds, between these two moments of the steady clock.
pub fn heard(server: &str, asked: f64, answered: f64) {
    let Ok(server) = server.parse::<f64>() else { return };
    let later = Reading::new(server, asked, answered);
    let wall = Date::now() - steady_ms();
    let has_parted = WALL.replace(Some(wall)).is_some_and(|before| (wall - before).abs() > PARTED);
    if has_parted || KNOWN.get().is_none_or(|known| known.gives_way_to(&later)) {
        KNOWN.set(Some(later));
    }
}

/// The server said of itself that it was `server`, in a message that has come just now.
pub fn told(server: Timestamp) {
    let steady = steady_ms();
    // A timestamp of milliseconds is exact in an f64 for the next 280,000 years.
    let after = KNOWN.get().map(|known| known.after_message(server.0 as f64, steady));
    match after {
        Some(Some(after)) => KNOWN.set(Some(after)),
        // The document says how it is, where nothing was asked yet.
        None => {}
        Some(None) => {
            let is_soon = DOUBTED.get().is_some_and(|before| steady - before < ASK_AGAIN);
            if !is_soon && !ASKING.replace(true) {
                DOUBTED.set(Some(steady));
                ask();
            }
        }
    }
}

/// The document was rendered between its request and the beginning of its answer.
fn of_document(now: f64) -> Option<Reading> {
    let server = document().document_element()?.get_attribute(RENDERED_AT)?.parse().ok()?;
    let way = performance().and_then(|performance| {
        let entries = call(&performance, "getEntriesByType", &["navigation".into()]).ok()?;
        let entry = entries.dyn_into::<Array>().ok()?.get(0);
        Some((number(&entry, "requestStart")?, number(&entry, "responseStart")?))
    });
    // A browser that does not say when: some time since the page was begun.
    let (asked, answered) = way.filter(|(_, answered)| *answered > 0.0).unwrap_or((0.0, now));
    Some(Reading::new(server, asked, answered))
}

/// Asks the server for its time.
#[cfg(feature = "hydrate")]
fn ask() {
    use std::time::Duration;

    use gloo_net::http::Request;
    use protocol::SERVER_TIME;

    leptos::task::spawn_local(async {
        loop {
            let asked = steady_ms();
            let answer = Request::get(&crate::base::at("/healthz")).send().await;
            let time = answer.ok().and_then(|answer| answer.headers().get(SERVER_TIME));
            if let Some(time) = time {
                heard(&time, asked, steady_ms());
                break;
            }
            super::sleep(Duration::from_secs(5)).await;
        }
        ASKING.set(false);
    });
}

/// Nobody looks at a clock while the server renders.
#[cfg(not(feature = "hydrate"))]
fn ask() {}

#[cfg(test)]
mod tests {
    use super::Reading;

    #[test]
    fn a_message_was_written_halfway_between_question_and_answer() {
        let reading = Reading::new(10_000.0, 100.0, 300.0);
        assert_eq!((reading.ahead, reading.within), (9_800.0, 100.0));
    }

    #[test]
    fn a_message_that_has_come_bounds_how_far_behind_the_server_is() {
        let vague = Reading::new(10_000.0, 0.0, 1_000.0);
        // Written at 11,400 and here at 1,600: the server is ahead by 9,800 at least.
        let after = vague.after_message(11_400.0, 1_600.0).unwrap();
        assert!((after.ahead - after.within - 9_800.0).abs() < 1e-6, "{after:?}");
        assert!((after.ahead + after.within - 10_000.06).abs() < 1e-6, "{after:?}");
        assert_eq!(
            vague.after_message(10_000.0, 1_600.0),
            Some(vague),
            "one that took its time says nothing new"
        );
    }

    #[test]
    fn a_message_that_cannot_be_true_casts_doubt_on_what_is_known() {
        let exact = Reading::new(10_000.0, 0.0, 20.0);
        assert_eq!(exact.after_message(611_000.0, 1_000.0), None, "the server's clock was set forward");
        assert_eq!(exact.after_message(7_000.0, 1_000.0), None, "or back");
        assert!(exact.after_message(10_900.0, 1_000.0).is_some());
    }

    #[test]
    fn an_exact_reading_stays_until_it_is_old_or_wrong() {
        let exact = Reading::new(10_000.0, 0.0, 20.0);
        let vague = |server: f64, asked: f64| Reading::new(server, asked, asked + 1_000.0);
        assert!(!exact.gives_way_to(&vague(11_400.0, 1_000.0)));
        assert!(exact.gives_way_to(&Reading::new(11_000.0, 1_000.0, 1_020.0)));
        // Another hour, by a server whose clock was set or a machine that slept.
        assert!(exact.gives_way_to(&vague(3_611_000.0, 1_000.0)));
        // Three hours later even a steady clock may be off by more.
        assert!(exact.gives_way_to(&vague(10_810_500.0, 10_800_000.0)));
    }
}
