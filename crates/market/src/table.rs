//! Tables that people bring as CSV: read line by line, with what is wrong with each line.
//!
//! A table has a header with the names of its columns, in any order and any case. Fields are separated by commas or
//! semicolons, and a cell without a value is empty.

use std::collections::BTreeSet;

use csv::StringRecord;
use protocol::{Decimal, trading::LineError};

use crate::written::{of_text, words};

/// Errors that are told at most.
const MOST_ERRORS: usize = 50;

/// What is wrong with a table, up to a bound.
#[derive(Clone, Debug, Default)]
pub struct TableErrors {
    /// The first ones, in their order.
    pub told: Vec<LineError>,
    /// How many there are beyond those.
    pub more: u64,
}

impl TableErrors {
    /// One more, in a sentence that says what to write.
    pub fn add(&mut self, line: u64, reason: String) {
        if self.told.len() < MOST_ERRORS {
            self.told.push(LineError { line, reason });
        } else {
            self.more += 1;
        }
    }
}

/// The names of a table's columns, in small letters.
pub struct Header(Vec<String>);

impl Header {
    fn read(header: &StringRecord, known: &[&str]) -> Result<Self, String> {
        let names: Vec<String> = header.iter().map(str::to_ascii_lowercase).collect();
        let unique: BTreeSet<&String> = names.iter().collect();
        if unique.len() < names.len() {
            return Err("two columns have the same name.".to_owned());
        }
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!(
                "the column “{}” is not known. Columns are {}.",
                words(name),
                known.join(", ")
            ));
        }
        Ok(Self(names))
    }

    /// Where a column stands, if there is such a one.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column == name)
    }

    /// Where a column stands that a table must have.
    ///
    /// # Errors
    /// It has none, in a sentence.
    pub fn needed(&self, name: &str) -> Result<usize, String> {
        self.place(name).ok_or_else(|| format!("the column “{name}” is missing."))
    }
}

/// A line of a table.
pub struct Row<'t>(&'t StringRecord);

impl Row<'_> {
    /// What stands in a column; nothing where the table has no such column.
    pub fn cell(&self, place: Option<usize>) -> &str {
        place.and_then(|place| self.0.get(place)).unwrap_or_default()
    }
}

/// What a table may be.
pub struct TableRules<'a> {
    /// The columns that it may have.
    pub columns: &'a [&'a str],
    /// Rows below the header at most.
    pub most_rows: usize,
}

/// Reads a table: `columns` says what its header means, and `take` takes each line in that is not empty. Both say what is
/// wrong in a sentence.
pub fn read_table<C>(
    text: &str,
    rules: &TableRules<'_>,
    columns: impl FnOnce(&Header) -> Result<C, String>,
    mut take: impl FnMut(&C, u64, &Row<'_>) -> Result<(), String>,
) -> TableErrors {
    let mut errors = TableErrors::default();
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let mut table = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = table.headers().map_err(|error| error.to_string());
    let columns = header.and_then(|header| columns(&Header::read(header, rules.columns)?));
    let columns = match columns {
        Ok(columns) => columns,
        Err(reason) => {
            errors.add(1, reason);
            return errors;
        }
    };
    for (index, row) in table.records().enumerate() {
        let place = index as u64 + 2;
        if index >= rules.most_rows {
            errors.add(place, format!("there are more than {} rows. Split the table.", rules.most_rows));
            break;
        }
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map_or(place, csv::Position::line);
                errors.add(line, format!("it cannot be read: {error}."));
                continue;
            }
        };
        if row.iter().all(str::is_empty) {
            continue;
        }
        let line = row.position().map_or(place, csv::Position::line);
        if let Err(reason) = take(&columns, line, &Row(&row)) {
            errors.add(line, reason);
        }
    }
    errors
}

/// The number in a cell, from 0; `None` where the cell is empty.
///
/// # Errors
/// It is no such number, in a sentence that names the column.
pub fn number(name: &str, written: &str) -> Result<Option<Decimal>, String> {
    if written.is_empty() {
        return Ok(None);
    }
    let value = of_text(written).filter(|value| *value >= Decimal::ZERO);
    value.map(Some).ok_or_else(|| {
        format!("“{}” is no {name}. Write a number such as 12.34, with a point and from 0.", words(written))
    })
}

/// The beginning of what stands in a cell, for a sentence about it.
pub fn quoted(written: &str) -> String {
    format!("“{}”", words(written))
}
