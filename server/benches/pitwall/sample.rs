//! Events to store and to send.

use protocol::{
    Body, Event, Heading, Limits, LogLevel, LogLine, NewEvent, RunId, RunRequest, RunStarted, Timestamp,
    Workflow,
    trading::{Analyst, Task},
};
use uuid::Uuid;

/// Events of one append.
pub const BATCH: usize = 64;

/// An id that no run has.
pub fn new_run() -> RunId {
    RunId(Uuid::now_v7())
}

/// The first event of a run.
pub fn started() -> NewEvent {
    event(Body::RunStarted(RunStarted::new(request(), Heading::new("Pipeline"))))
}

/// A further event, of the size that most have: 440 bytes.
pub fn line() -> NewEvent {
    event(Body::Logged(LogLine { level: LogLevel::Info, message: "x".repeat(300) }))
}

/// `count` such events of one run as they are stored and sent, numbered from `first` on.
pub fn encoded(run: RunId, first: u64, count: usize) -> Vec<String> {
    let encode = |seq| {
        let NewEvent { at, node, body } = line();
        serde_json::to_string(&Event { run, seq, at, node, body }).unwrap()
    };
    (first..).take(count).map(encode).collect()
}

/// A request for research on one stock.
pub fn request() -> RunRequest {
    let limits = Limits { steps: 10_000, ..Limits::default() };
    RunRequest { limits, ..RunRequest::new(workflow(), "bench".parse().unwrap()) }
}

/// Research on one stock.
pub fn workflow() -> Workflow {
    Task::Pipeline {
        ticker: "AAPL".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    }
    .into()
}

fn event(body: Body) -> NewEvent {
    NewEvent { at: Timestamp(1_656_547_200_000), node: None, body }
}
