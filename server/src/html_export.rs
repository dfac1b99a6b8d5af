//! Export of a run as one HTML page.

use journal::Journal;
use protocol::{Problem, RunId, RunView};

use crate::problem::{from_journal, no_run};

/// The largest log that is exported as one HTML page, in bytes.
const LARGEST_PAGE: usize = 50_000_000;
/// Events of one read.
const EVENTS_AT_ONCE: u32 = 500;

/// Exports a run as one HTML file that needs no server.
///
/// # Errors
/// The log cannot be read.
pub async fn html_page(journal: &Journal, run: RunId) -> Result<String, Problem> {
    let (mut view, mut log) = (None::<RunView>, String::new());
    loop {
        let after = view.as_ref().map_or(0, RunView::seq);
        let events = journal.read(run, after, EVENTS_AT_ONCE).await.map_err(from_journal)?;
        if events.is_empty() {
            break;
        }
        for mut event in events {
            journal.load_texts(&mut event).await.map_err(from_journal)?;
            log.push_str(
                &serde_json::to_string(&event).map_err(|error| Problem::internal(error.to_string()))?,
            );
            log.push('\n');
            match &mut view {
                Some(view) => drop(view.apply(&event)),
                None => view = RunView::begin(&event),
            }
        }
        if log.len() > LARGEST_PAGE || view.is_none() {
            break;
        }
    }
    let view = view.ok_or_else(|| no_run(run))?;
    if log.len() > LARGEST_PAGE {
        let detail = format!(
            "The run's log is larger than {} MB, which no browser opens as one page. Take it as JSON Lines.",
            LARGEST_PAGE / 1_000_000
        );
        return Err(Problem { status: 413, detail });
    }
    Ok(app::export::document(view, log))
}
