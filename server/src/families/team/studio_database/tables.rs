//! The tables of the two lines of Studio that are known, read as rows.

use std::{collections::BTreeMap, fmt};

use database::{Cell, ForeignDatabase, ForeignError, ForeignRow};
use protocol::{Problem, Timestamp};
use serde_json::Value;

/// Days that a row may say: from 1970 to 9999.
const LAST_MOMENT: i64 = 253_402_300_799_999;

/// What identifies a row within its table: a number, or the digits of a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(String);

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A row of a team, a gallery, a session, the settings or a run.
pub(super) struct StudioRow {
    pub(super) key: Key,
    /// Whose it was there.
    pub(super) user: String,
    /// When it was made, as it stands there.
    pub(super) created_at: String,
    /// The team of a session, the session of a run.
    pub(super) parent: Option<Key>,
    /// What stands in it: JSON, or the name of a session.
    pub(super) content: Cell,
}

impl StudioRow {
    /// When it was made; `None` where that is not known.
    pub(super) fn moment(&self) -> Option<Timestamp> {
        moment(&self.created_at)
    }
}

/// A run's row, beside what all rows have.
pub(super) struct RunRow {
    pub(super) row: StudioRow,
    pub(super) status: String,
    pub(super) result: Cell,
    pub(super) error: Cell,
}

/// A message's row.
pub(super) struct MessageRow {
    pub(super) at: Option<Timestamp>,
    pub(super) config: Cell,
}

/// Messages by the run, or where there are no runs by the session, that they belong to: their places in the table.
pub(super) type MessagesOf = BTreeMap<Key, Vec<i64>>;

/// The tables.
pub(super) struct Tables {
    database: ForeignDatabase,
    /// The column of a team's component.
    component: &'static str,
}

/// What stands in a column as JSON; the error says in a sentence why there is none.
pub(super) fn json(cell: &Cell) -> Result<Value, String> {
    match cell {
        Cell::Missing => Err("Nothing stands in it.".to_owned()),
        Cell::TooLarge(bytes) => Err(format!("It has {bytes} bytes, which is more than is read.")),
        // The reader bounds the depth.
        Cell::Text(text) => {
            serde_json::from_str(text).map_err(|_| "What stands in it is no JSON.".to_owned())
        }
    }
}

/// A moment as `SQLAlchemy` writes it: without an offset, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches('Z').trim_end_matches("+00:00");
    let moment: jiff::civil::DateTime = text.parse().ok()?;
    let at = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    (0..=LAST_MOMENT).contains(&at).then_some(Timestamp(at))
}

impl Tables {
    /// The tables of this database.
    ///
    /// # Errors
    /// 422: it is none of Studio's.
    pub(super) fn of(database: ForeignDatabase) -> Result<Self, Problem> {
        let component = ["component", "config"].into_iter().find(|column| database.has("team", column));
        if let Some(component) = component
            && database.has("session", "id")
        {
            return Ok(Self { database, component });
        }
        let is_older = ["workflow", "workflows", "skill", "skills"]
            .iter()
            .any(|table| !database.columns(table).is_empty());
        Err(Problem::invalid(if is_older {
            "The database is of AutoGen Studio before 0.4, which kept its teams otherwise. Export the workflows there, \
             and import those files."
        } else {
            "The database is none of AutoGen Studio: it has no teams and sessions. Studio keeps it as autogen04….db \
             in its folder, by default ~/.autogenstudio."
        }))
    }

    /// At most so many teams, and how many more there are.
    pub(super) async fn teams(&mut self, most: usize) -> Result<(Vec<StudioRow>, usize), ForeignError> {
        let component = self.component;
        self.rows("team", most, component, "").await
    }

    pub(super) async fn galleries(&mut self, most: usize) -> Result<(Vec<StudioRow>, usize), ForeignError> {
        self.rows("gallery", most, "config", "").await
    }

    pub(super) async fn settings(&mut self) -> Result<Vec<StudioRow>, ForeignError> {
        Ok(self.rows("settings", 100, "config", "").await?.0)
    }

    pub(super) async fn sessions(&mut self, most: usize) -> Result<(Vec<StudioRow>, usize), ForeignError> {
        self.rows("session", most, "name", "team_id").await
    }

    /// Whether the database has runs; in the first versions, messages belong to sessions alone.
    pub(super) fn has_runs(&self) -> bool {
        self.database.has("run", "id") && self.database.has("message", "run_id")
    }

    /// The places of runs, at most so many, and how many more there are.
    pub(super) async fn run_places(&mut self, most: usize) -> Result<(Vec<i64>, usize), ForeignError> {
        let places = self.database.places("run", "id").await?;
        let more = places.len().saturating_sub(most);
        Ok((places.into_iter().take(most).map(|row| row.place).collect(), more))
    }

    /// The run at a place.
    pub(super) async fn run(&mut self, place: i64) -> Result<Option<RunRow>, ForeignError> {
        let columns =
            ["id", "user_id", "created_at", "session_id", "task", "status", "team_result", "error_message"];
        let row = self.database.row("run", &columns, place).await?;
        Ok(row.and_then(|row| {
            Some(RunRow {
                status: row.cell(5).text().unwrap_or_default().to_ascii_lowercase(),
                result: row.cell(6).clone(),
                error: row.cell(7).clone(),
                row: read(&row)?,
            })
        }))
    }

    /// Which messages belong to which run, or session.
    pub(super) async fn messages(&mut self) -> Result<MessagesOf, ForeignError> {
        let column = if self.has_runs() { "run_id" } else { "session_id" };
        let mut messages = MessagesOf::new();
        for row in self.database.places("message", column).await? {
            if let Some(key) = key(row.cell(0)) {
                messages.entry(key).or_default().push(row.place);
            }
        }
        Ok(messages)
    }

    /// The message at a place.
    pub(super) async fn message(&mut self, place: i64) -> Result<Option<MessageRow>, ForeignError> {
        let row = self.database.row("message", &["created_at", "config"], place).await?;
        Ok(row.map(|row| MessageRow { at: row.cell(0).text().and_then(moment), config: row.cell(1).clone() }))
    }

    async fn rows(
        &mut self,
        table: &str,
        most: usize,
        content: &str,
        parent: &str,
    ) -> Result<(Vec<StudioRow>, usize), ForeignError> {
        let places = self.database.places(table, "id").await?;
        let more = places.len().saturating_sub(most);
        let mut rows = Vec::new();
        for place in places.into_iter().take(most) {
            let columns = ["id", "user_id", "created_at", parent, content];
            let row = self.database.row(table, &columns, place.place).await?;
            rows.extend(row.as_ref().and_then(read));
        }
        Ok((rows, more))
    }
}

fn read(row: &ForeignRow) -> Option<StudioRow> {
    Some(StudioRow {
        key: key(row.cell(0))?,
        user: row.cell(1).text().unwrap_or_default().to_owned(),
        created_at: row.cell(2).text().unwrap_or_default().to_owned(),
        parent: key(row.cell(3)),
        content: row.cell(4).clone(),
    })
}

/// A key, which is short and has no sign that would be taken for something else in a sentence.
fn key(cell: &Cell) -> Option<Key> {
    let is_key = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    cell.text().filter(is_key).map(|text| Key(text.to_owned()))
}
