//! The figures as a table for people and as JSON for programs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The part of its limit that a figure should reach.
const SHARE: f64 = 0.7;

/// Which way is better.
#[derive(Clone, Copy)]
pub enum Better {
    More,
    Less,
}

/// What a figure should reach.
#[derive(Clone, Copy)]
enum Aim {
    /// A part of its limit.
    Share,
    /// A value in the figure's own unit.
    AtMost(f64),
}

/// Something measured, beside its limit.
pub struct Figure {
    name: String,
    unit: &'static str,
    measured: Result<f64, &'static str>,
    limit: f64,
    limited_by: &'static str,
    better: Better,
    aim: Aim,
}

impl Figure {
    /// A figure that should reach a part of its limit.
    pub fn new(
        name: impl Into<String>,
        unit: &'static str,
        better: Better,
        measured: f64,
        limit: f64,
        limited_by: &'static str,
    ) -> Self {
        Self { name: name.into(), unit, measured: Ok(measured), limit, limited_by, better, aim: Aim::Share }
    }

    /// A figure that could not be measured, and what to do about it.
    pub fn unknown(
        name: impl Into<String>,
        unit: &'static str,
        reason: &'static str,
        limit: f64,
        limited_by: &'static str,
    ) -> Self {
        let measured = Err(reason);
        Self { name: name.into(), unit, measured, limit, limited_by, better: Better::Less, aim: Aim::Share }
    }

    /// The same, but with a fixed aim.
    pub fn at_most(self, most: f64) -> Self {
        Self { aim: Aim::AtMost(most), ..self }
    }

    /// 1 is as good as the limit.
    fn ratio(&self) -> Option<f64> {
        let measured = self.measured.ok()?;
        Some(match self.better {
            Better::More => measured / self.limit,
            Better::Less => self.limit / measured,
        })
    }

    fn is_reached(&self) -> Option<bool> {
        match self.aim {
            Aim::Share => Some(self.ratio()? >= SHARE),
            Aim::AtMost(most) => Some(self.measured.ok()? <= most),
        }
    }

    fn aim_in_words(&self) -> String {
        match self.aim {
            Aim::Share => format!("≥ {:.0} %", 100.0 * SHARE),
            Aim::AtMost(most) => format!("≤ {} {}", number(most), self.unit),
        }
    }

    fn row(&self) -> [String; 7] {
        let measured = match self.measured {
            Ok(measured) => format!("{} {}", number(measured), self.unit),
            Err(reason) => reason.to_owned(),
        };
        let unknown = || "unknown".to_owned();
        [
            self.name.clone(),
            measured,
            format!("{} {}", number(self.limit), self.unit),
            self.ratio().map_or_else(unknown, |ratio| format!("{:.0} %", 100.0 * ratio)),
            self.aim_in_words(),
            self.is_reached().map_or_else(unknown, |reached| if reached { "yes" } else { "no" }.to_owned()),
            self.limited_by.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "unit": self.unit,
            "measured": self.measured.ok(),
            "reason": self.measured.err(),
            "limit": self.limit,
            "limited_by": self.limited_by,
            "ratio": self.ratio(),
            "aim": self.aim_in_words(),
            "reached": self.is_reached(),
        })
    }
}

/// All figures of one run.
#[derive(Default)]
pub struct Report(Vec<Figure>);

impl Report {
    /// Adds a figure, and shows on standard error that it is there.
    pub fn add(&mut self, figure: Figure) {
        eprintln!("{}", figure.row().join("  ").trim_end());
        self.0.push(figure);
    }

    pub fn extend(&mut self, figures: impl IntoIterator<Item = Figure>) {
        figures.into_iter().for_each(|figure| self.add(figure));
    }

    /// Prints the table and the JSON, and writes the JSON to `target/bench.json`.
    pub fn print(&self) {
        let heads = ["figure", "measured", "limit", "ratio", "aim", "reached", "the limit is"];
        let mut rows = vec![heads.map(str::to_owned)];
        rows.extend(self.0.iter().map(Figure::row));
        println!();
        rows.iter().for_each(|row| println!("{}", line(row, &widths(&rows))));

        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let figures: Vec<Value> = self.0.iter().map(Figure::json).collect();
        let json = serde_json::to_string_pretty(&json!({ "cores": cores, "figures": figures })).unwrap();
        println!("\n{json}");
        let path = target().join("bench.json");
        if let Err(error) = std::fs::write(&path, json + "\n") {
            eprintln!("{} could not be written: {error}", path.display());
        }
    }
}

/// The build folder.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_path_buf()
}

fn widths(rows: &[[String; 7]]) -> [usize; 7] {
    std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
}

/// Names and words to the left, figures to the right.
fn line(row: &[String; 7], widths: &[usize; 7]) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, &width))| match column {
        1..=4 => format!("{cell:>width$}"),
        _ => format!("{cell:<width$}"),
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Three significant digits at least; thousands in groups.
fn number(value: f64) -> String {
    match value.abs() {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => {
            let digits = format!("{value:.0}");
            let grouped = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
            grouped.collect::<Vec<_>>().join(",")
        }
    }
}
