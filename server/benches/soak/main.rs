//! Whether a server that is used for long stays as small as it was: runs start, are stopped, forked
//! and watched by clients that come and go, and nothing may be left of them.
//!
//! `make soak MINUTES=30`. Between stretches of use everything comes to its end, and the server is
//! measured at rest. From the second rest on, nothing may grow.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod process;
mod visitors;

use std::time::{Duration, Instant};

use process::{Process, Rest};
use visitors::Visitors;

const STRETCHES: u32 = 6;
/// Memory that the allocator and SQLite's caches may still come to keep, in KiB.
const MEMORY_MARGIN: u64 = 24 * 1024;
/// Tasks and descriptors that come and go by themselves, such as a reader's connection.
const MARGIN: u64 = 6;

#[tokio::main]
async fn main() {
    // No client here speaks TLS, but none can be built without a provider of it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let minutes: f64 = std::env::var("MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(30.0);
    let stretch = Duration::from_secs_f64(minutes * 60.0 / f64::from(STRETCHES));
    let process = Process::start().await;
    let mut rests = vec![Rest::of(&process).await];
    println!(
        "{:>8}  {:>6}  {:>10}  {:>6}  {:>11}  {:>7}",
        "minute", "runs", "memory KiB", "tasks", "descriptors", "threads"
    );
    let begin = Instant::now();
    for _ in 0..STRETCHES {
        let visitors = Visitors::come(&process);
        tokio::time::sleep(stretch).await;
        let runs = visitors.leave().await;
        let rest = Rest::of(&process).await;
        println!(
            "{:>8.1}  {runs:>6}  {:>10}  {:>6}  {:>11}  {:>7}",
            begin.elapsed().as_secs_f64() / 60.0,
            rest.memory,
            rest.tasks,
            rest.descriptors,
            rest.threads
        );
        rests.push(rest);
    }
    let (first, last) = (&rests[2], &rests[STRETCHES as usize]);
    let mut grown = Vec::new();
    for (what, before, after, margin) in [
        ("memory", first.memory, last.memory, MEMORY_MARGIN),
        ("tasks", first.tasks, last.tasks, MARGIN),
        ("descriptors", first.descriptors, last.descriptors, MARGIN),
    ] {
        if after > before + margin {
            grown.push(format!("{what} from {before} to {after}"));
        }
    }
    if grown.is_empty() {
        println!("Nothing grew.");
    } else {
        println!("Grown: {}.", grown.join(", "));
        std::process::exit(1);
    }
}
