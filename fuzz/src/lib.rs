//! What reads bytes from outside, each as a function that must hold for any input.
//!
//! `make fuzz` looks for inputs that break one; `cargo test -p fuzz` tries the kept ones.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a broken promise is found by its panic")]

use std::str::from_utf8;

use axum::{extract::Query, http::Uri};
use journal::transfer;
use protocol::{AccountId, Event, Frame, RunFilter, RunId, RunView};
use server::Position;

/// A function that is tried with any bytes.
pub type Target = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const TARGETS: [(&str, Target); 4] = [
    ("socket_message", socket_message),
    ("cursor", cursor),
    ("model_answer", model_answer),
    ("imported_run", imported_run),
];

/// A message of a socket is read or refused, and what was read is written as it came.
pub fn socket_message(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    match Frame::parse(text) {
        Ok(Frame::Event(event)) => {
            let written = serde_json::to_string(&event).expect("an event can be written");
            let again: Event = serde_json::from_str(&written).expect("a written event can be read");
            assert_eq!(again, *event);
            let _ = RunView::fold([&*event]);
        }
        Ok(Frame::Control(control)) => {
            let again = Frame::parse(&control.encode()).expect("a written control can be read");
            assert_eq!(again, Frame::Control(control));
        }
        Err(_) => {}
    }
}

/// The query of an address: where a client's copy ends, or which runs it asks for.
pub fn cursor(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    if let Ok(run) = text.parse::<RunId>() {
        assert_eq!(run.to_string().parse(), Ok(run));
    }
    let Ok(address) = Uri::builder().path_and_query(format!("/?{text}")).build() else { return };
    let _ = Query::<Position>::try_from_uri(&address);
    let _ = Query::<RunFilter>::try_from_uri(&address);
}

/// What a model wrote: an object, or a sentence that asks it again.
pub fn model_answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(value) = llm::extract_json(&text) {
        assert!(value.is_object());
    }
    for answer in
        [workflows::trading::read_decision(&text).map(drop), workflows::trading::read_rating(&text).map(drop)]
    {
        assert_ne!(answer, Err(String::new()), "a refusal says what is wrong");
    }
}

/// A file to import: refused with the line at fault, or a log that can be shown.
pub fn imported_run(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    match transfer::from_json_lines(text, &AccountId::local()) {
        Ok(events) => {
            let run: RunId = "01890000-0000-7000-8000-000000000000".parse().expect("a run id");
            let numbered: Vec<Event> = (1..)
                .zip(events)
                .map(|(seq, event)| Event { run, seq, at: event.at, node: event.node, body: event.body })
                .collect();
            let view = RunView::fold(&numbered).expect("a log has events");
            assert!(view.summary.status.is_over(), "nothing continues an imported run");
        }
        Err((line, why)) => assert!(line >= 1 && !why.is_empty()),
    }
}
