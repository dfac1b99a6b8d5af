//! Export of runs as JSON Lines, and import of such files.

use bytes::Bytes;
use futures::{Stream, stream};
use protocol::{AccountId, Body, Event, NewEvent, RunFinished, RunId, RunStarted, RunStatus, Totals};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Encoded, ImportError, Journal, JournalError};

const FORMAT: &str = "pitwall-run";
const VERSION: u32 = 1;

/// Events of one read.
const EVENTS_AT_ONCE: u32 = 500;

/// The first line of an export.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// Exports a run as JSON Lines: a header, then all events in order, with whole texts. An event that this
/// version cannot read is written as stored.
///
/// # Errors
/// The stream ends with one if the log cannot be read.
pub fn to_json_lines(
    journal: Journal,
    run: RunId,
) -> impl Stream<Item = Result<Bytes, JournalError>> + Send + use<> {
    stream::try_unfold(None, move |written: Option<u64>| {
        let journal = journal.clone();
        async move {
            let Some(after) = written else {
                let header = encode(&Header { format: FORMAT.to_owned(), version: VERSION })?;
                return Ok(Some((Bytes::from(header), Some(0))));
            };
            let events = journal.read_stored(run, after, EVENTS_AT_ONCE).await?;
            let Some(last) = events.last() else { return Ok(None) };
            let last = last.seq;
            let mut lines = String::new();
            for event in events {
                lines.push_str(&line(&journal, &event).await?);
            }
            Ok(Some((Bytes::from(lines), Some(last))))
        }
    })
}

/// The line of one event.
async fn line(journal: &Journal, stored: &Encoded) -> Result<String, JournalError> {
    match stored.decode() {
        Ok(mut event) => {
            journal.load_texts(&mut event).await?;
            encode(&event)
        }
        Err(_) => Ok(String::from_utf8_lossy(&stored.json).into_owned() + "\n"),
    }
}

/// Imports a run for `owner`, to be looked at only: one that was exported before its end is closed.
///
/// # Errors
/// [`ImportError::Line`] with the line at fault, [`ImportError::Journal`]; nothing is stored.
pub async fn import(journal: &Journal, file: String, owner: AccountId) -> Result<RunId, ImportError> {
    let run = RunId(Uuid::now_v7());
    let events = from_json_lines(&file, &owner).map_err(|(line, why)| ImportError::Line { line, why })?;
    // All of it is in the events now.
    drop(file);
    let epoch = journal.claim(run).await?;
    // One append: after a crash, a part of the log would be taken for a run to be resumed.
    journal.append(run, epoch, events).await?;
    Ok(run)
}

/// Parses a file that [`to_json_lines`] wrote, as a log of `owner`.
///
/// # Errors
/// The line at fault, from 1, and its fault.
pub fn from_json_lines(file: &str, owner: &AccountId) -> Result<Vec<NewEvent>, (usize, String)> {
    // Editors on Windows add a byte order mark, and have other line breaks.
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let mut lines = file.lines().enumerate().map(|(index, line)| (index + 1, line));
    let header = lines.next().and_then(|(_, line)| serde_json::from_str::<Header>(line).ok());
    match header {
        Some(header) if header.format == FORMAT && header.version <= VERSION => {}
        Some(header) if header.format == FORMAT => {
            return Err((
                1,
                format!("it is of version {}, and this Pitwall knows {VERSION}", header.version),
            ));
        }
        _ => return Err((1, format!("it does not begin with the format \"{FORMAT}\""))),
    }
    let mut events = Vec::new();
    let mut state = SequenceCheck::default();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let event: Event = serde_json::from_str(line).map_err(|error| (number, error.to_string()))?;
        event.check_figures().map_err(|why| (number, why))?;
        let body = state.accept(event.run, event.seq, event.body, owner).map_err(|why| (number, why))?;
        events.push(NewEvent { at: event.at, node: event.node, body });
    }
    let Some(last) = events.last() else { return Err((1, "it holds no events".to_owned())) };
    if !state.is_over {
        let error = Some("It was exported before its end.".to_owned());
        let end =
            RunFinished { status: RunStatus::Cancelled, error, stopped: None, totals: Totals::default() };
        events.push(NewEvent { at: last.at, node: None, body: Body::RunFinished(end) });
    }
    let through = events.len() as u64;
    if let Some(NewEvent { body: Body::RunStarted(started), .. }) = events.first_mut() {
        started.imported_through = Some(through);
    }
    Ok(events)
}

/// Checks that imported events follow one another without a gap, and are of one run.
#[derive(Default)]
struct SequenceCheck {
    run: Option<RunId>,
    seq: u64,
    is_over: bool,
}

impl SequenceCheck {
    fn accept(&mut self, run: RunId, seq: u64, mut body: Body, owner: &AccountId) -> Result<Body, String> {
        if *self.run.get_or_insert(run) != run {
            return Err("it is of another run".to_owned());
        }
        if seq != self.seq + 1 {
            return Err(format!("event {} is missing", self.seq + 1));
        }
        self.seq = seq;
        if body.texts_mut().iter().any(|text| text.stored().is_some()) {
            return Err("a text is not whole".to_owned());
        }
        match (&mut body, seq) {
            (Body::RunStarted(started), 1) => {
                // The run that it continued is not here.
                let (request, heading) = (started.request.clone(), started.heading.clone());
                let owner = owner.clone();
                *started =
                    RunStarted { imported_from: Some(run), owner, ..RunStarted::new(request, heading) };
            }
            (_, 1) => return Err("a run begins with its start".to_owned()),
            (Body::RunStarted(_), _) => return Err("a run starts once".to_owned()),
            (body, _) if self.is_over && !body.is_beside() => {
                return Err("the run was over before".to_owned());
            }
            (Body::RunFinished(_), _) => self.is_over = true,
            _ => {}
        }
        Ok(body)
    }
}

fn encode(value: &impl Serialize) -> Result<String, JournalError> {
    let line = serde_json::to_string(value).map_err(|error| JournalError::Unreadable(error.to_string()))?;
    Ok(line + "\n")
}
