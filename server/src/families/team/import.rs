//! Teams from files.

use protocol::{
    document::{DocumentContent, DocumentTitle},
    team::{FileFinding, TeamFile},
};
use teamfile::{Finding, Reader, SourceFile};

use super::{content_of, told};

/// Letters of a title.
const LONGEST_TITLE: usize = 80;

/// What was read of files.
pub(super) struct Read {
    pub(super) teams: Vec<ReadTeam>,
    /// Names of parts that stand by themselves.
    pub(super) parts: Vec<String>,
    pub(super) findings: Vec<FileFinding>,
}

/// A team that was read.
pub(super) struct ReadTeam {
    pub(super) title: DocumentTitle,
    pub(super) content: DocumentContent,
    pub(super) can_run: bool,
    pub(super) findings: Vec<FileFinding>,
}

/// Reads files that belong together.
pub(super) fn read(files: &[TeamFile]) -> Read {
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|file| SourceFile { name: &file.name, bytes: file.text.as_bytes() }).collect();
    let reading = Reader::new().read(&sources);
    let name_of = |number: usize| files.get(number).map(|file| file.name.clone());
    let tell = |finding: &Finding| told(finding.file.and_then(name_of), finding);
    let mut findings: Vec<FileFinding> = reading.findings.iter().map(tell).collect();
    let mut teams = Vec::new();
    for team in reading.teams {
        let can_run = team.can_run();
        let title = title_of(&team.team.name);
        let told = team.findings.iter().map(tell).collect();
        match content_of(team.team).zip(title) {
            Some((content, title)) => teams.push(ReadTeam { title, content, can_run, findings: told }),
            None => findings.push(FileFinding {
                file: name_of(team.file),
                place: team.place.as_str().to_owned(),
                detail: "This team cannot be kept: its parts are too deep within each other.".to_owned(),
                stops_runs: true,
            }),
        }
    }
    Read { teams, parts: reading.library.into_iter().map(|part| part.name).collect(), findings }
}

/// The name of a team as a title; names hold anything.
pub(super) fn title_of(name: &str) -> Option<DocumentTitle> {
    let words = name.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let title: String = words.join(" ").chars().take(LONGEST_TITLE).collect();
    title.trim().parse().or_else(|_| "Team".parse()).ok()
}
