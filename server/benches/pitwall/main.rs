//! Figures of Pitwall, each beside its limit as measured in the same run on the same machine.
//!
//! A limit is the least that must be done anyway: SQLite's own commits, a bare WebSocket handler,
//! decoding the same JSON. Rates, times and their ratios are printed, never asserted.
//!
//! - `append`, `delivery`, `latency`, `memory`, `engine`, `stop`, `history`, `fold`, `first_load`: the
//!   figures; named as arguments, only those are measured
//! - `bare_log`, `bare_socket`: what the limits are measured with
//! - `clients`, `pitwall`, `sample`: what the figures are measured with
//! - `rounds`: how often; `report`: the table and the JSON
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod append;
mod bare_log;
mod bare_socket;
mod clients;
mod delivery;
mod engine;
mod first_load;
mod fold;
mod history;
mod latency;
mod memory;
mod pitwall;
mod report;
mod rounds;
mod sample;
mod stop;

use report::Report;
use tikv_jemallocator::Jemalloc;

// As `pitwall serve` has it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// As the first argument: serve bare sockets instead, for the figure of memory.
const BARE_SERVER: &str = "bare-server";

// As many workers as `pitwall serve` has.
#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() {
    // No client here speaks TLS, but none can be built without a provider of it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if std::env::args().nth(1).as_deref() == Some(BARE_SERVER) {
        return bare_socket::serve().await;
    }
    let named: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| wanted == name);
    let mut report = Report::default();
    // First, while this process and its machine are quiet.
    if wanted("memory") {
        report.add(memory::idle_connection().await);
    }
    if wanted("append") {
        report.extend(append::rates().await);
    }
    if wanted("delivery") {
        report.extend(delivery::rates().await);
    }
    if wanted("latency") {
        report.extend(latency::percentiles().await);
    }
    if wanted("engine") {
        report.extend(engine::overheads().await);
    }
    if wanted("stop") {
        report.extend(stop::percentiles().await);
    }
    if wanted("history") {
        report.extend(history::times().await);
    }
    if wanted("fold") {
        report.add(fold::rate().await);
    }
    if wanted("first_load") {
        report.add(first_load::size());
    }
    report.print();
}
