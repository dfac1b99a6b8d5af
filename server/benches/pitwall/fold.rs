//! Events that the page's fold takes in a second.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use journal::Encoded;
use protocol::{AccountId, Event, ModelChoice, RunView, StartRun};

use crate::{
    pitwall::Pitwall,
    report::{Better, Figure},
    rounds::medians,
    sample,
};

const PERIOD: Duration = Duration::from_millis(500);

/// A whole pipeline run's log, folded again and again.
pub async fn rate() -> Figure {
    let encoded = log().await;
    let events: Vec<Event> = decode(&encoded);
    let fold = async || repeat(events.len(), || drop(black_box(RunView::fold(&events))));
    let decoding = async || repeat(events.len(), || drop(black_box(decode(&encoded))));
    let (measured, limit) = medians(fold, decoding).await;
    let name = format!("fold of a pipeline run's {} events", events.len());
    let limited_by = "decoding the same events from JSON, which comes before";
    Figure::new(name, "events/s", Better::More, measured, limit, limited_by)
}

/// The log of a run that the rehearsal played without pause.
async fn log() -> Vec<Encoded> {
    let pitwall = Pitwall::open().await;
    let request = StartRun {
        model: ModelChoice::Rehearsal { characters_per_second: Some(0) },
        ..StartRun::new(sample::workflow())
    };
    let run = pitwall.service.start(request, AccountId::local()).await.unwrap().run;
    let mut subscription = pitwall.service.journal.subscribe(run, 0).await.unwrap();
    let mut log = Vec::new();
    while let Some(events) = subscription.next().await.unwrap() {
        log.extend(events);
    }
    pitwall.service.journal.close().await;
    log
}

fn decode(encoded: &[Encoded]) -> Vec<Event> {
    encoded.iter().map(|event| event.decode().unwrap()).collect()
}

/// Events a second.
fn repeat(events: usize, work: impl Fn()) -> f64 {
    let begin = Instant::now();
    let mut done = 0;
    while begin.elapsed() < PERIOD {
        work();
        done += events;
    }
    done as f64 / begin.elapsed().as_secs_f64()
}
