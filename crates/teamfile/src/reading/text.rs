//! From bytes to JSON, within bounds.

use serde_json::Value;

use super::SourceFile;
use crate::{
    finding::{Problem, shown, shown_to},
    limits::{LARGEST_FILE, LONGEST_TEXT},
};

/// What stands in a file.
pub(crate) enum Content {
    /// JSON, or YAML as JSON.
    Data(Value),
    /// The source of a program in Python, which is read as text.
    Python(String),
}

pub(super) fn read(file: &SourceFile<'_>) -> Result<Content, Problem> {
    let bytes = file.bytes;
    if bytes.len() > LARGEST_FILE {
        return Err(Problem::FileTooLarge { bytes: bytes.len() });
    }
    if bytes.starts_with(b"SQLite format 3\0") {
        return Err(Problem::Database);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::NoText)?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Problem::EmptyFile);
    }
    if text.starts_with("version https://git-lfs.github.com/spec/") {
        return Err(Problem::GitLfsPointer);
    }
    let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        // Programs of crews are short. Longer ones are searched for names too slowly.
        "py" if text.len() > LONGEST_TEXT => Err(Problem::TextTooLong { field: shown(file.name) }),
        "py" => Ok(Content::Python(text.to_owned())),
        "yaml" | "yml" => yaml(text).map(Content::Data),
        _ if text.trim_start().starts_with(['{', '[']) => json(text).map(Content::Data),
        "json" => json(text).map(Content::Data),
        _ => yaml(text).map(Content::Data),
    }
}

fn json(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            return Problem::CutOff { line: error.line() };
        }
        let reason = error.to_string();
        // The place stands in the sentence already.
        let reason = reason.split(" at line ").next().unwrap_or(&reason).to_owned();
        Problem::InvalidJson { line: error.line(), column: error.column(), reason }
    })
}

/// How much YAML is read. Aliases are few in files of teams, and are repeated as a whole by whoever reads them: a
/// few lines can mean gigabytes.
fn yaml(text: &str) -> Result<Value, Problem> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(LARGEST_FILE),
            max_depth: 96,
            max_nodes: 200_000,
            max_events: 500_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_merge_keys: 1_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 16,
            max_alias_expansions_per_anchor: 1_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Problem::InvalidYaml { reason: shown_to(300, &error.to_string()) })
}
