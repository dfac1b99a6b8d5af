//! Teams from files.

use protocol::{
    document::{DocumentContent, DocumentTitle},
    team::{FileFinding, FoundKind, TeamFile},
};
use teamfile::{
    Finding, LibraryEntry, Part, Place, Reader, SourceFile,
    team::{Team, check},
};

use super::{content_of, told};

/// Letters of a title.
const LONGEST_TITLE: usize = 80;

/// What was read of files.
pub(super) struct Read {
    /// The teams, and after them the parts that stand by themselves, each as a team of one.
    pub(super) parts: Vec<ReadPart>,
    pub(super) findings: Vec<FileFinding>,
}

/// Something that can be made a document.
pub(super) struct ReadPart {
    pub(super) kind: FoundKind,
    pub(super) title: DocumentTitle,
    pub(super) content: DocumentContent,
    pub(super) agents: u32,
    pub(super) can_run: bool,
    pub(super) findings: Vec<FileFinding>,
}

impl Read {
    /// What is made documents where nobody chose: the teams, or the only part that there is; and the names of the parts
    /// that are left out.
    pub(super) fn usual(self) -> (Vec<ReadPart>, Vec<String>, Vec<FileFinding>) {
        let is_alone = self.parts.len() == 1;
        let is_taken = |part: &ReadPart| part.kind == FoundKind::Team || is_alone;
        let (taken, left): (Vec<_>, Vec<_>) = self.parts.into_iter().partition(is_taken);
        (taken, left.into_iter().map(|part| part.title.to_string()).collect(), self.findings)
    }
}

/// Reads files that belong together.
pub(super) fn read(files: &[TeamFile]) -> Read {
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|file| SourceFile { name: &file.name, bytes: file.text.as_bytes() }).collect();
    let reading = Reader::new().read(&sources);
    let name_of = |number: usize| files.get(number).map(|file| file.name.clone());
    let tell = |finding: &Finding| told(finding.file.and_then(name_of), finding);
    let mut read = Read { parts: Vec::new(), findings: reading.findings.iter().map(tell).collect() };
    let mut take = |kind, file: usize, place: &Place, team: Team, can_run, findings: &[Finding]| {
        let title = title_of(&team.name);
        let agents = u32::try_from(team.agents()).unwrap_or(u32::MAX);
        match content_of(team).zip(title) {
            Some((content, title)) => {
                let findings = findings.iter().map(tell).collect();
                read.parts.push(ReadPart { kind, title, content, agents, can_run, findings });
            }
            None => read.findings.push(FileFinding {
                file: name_of(file),
                place: place.as_str().to_owned(),
                detail: "This cannot be kept: its parts are too deep within each other.".to_owned(),
                stops_runs: true,
            }),
        }
    };
    for team in reading.teams {
        let can_run = team.can_run();
        take(FoundKind::Team, team.file, &team.place, team.team, can_run, &team.findings);
    }
    for entry in reading.library {
        let (kind, file, place) = (kind_of(&entry), entry.file, entry.place.clone());
        let findings = entry.findings.clone();
        let team = entry.team_of_one();
        let can_run = check(&team, &[]).iter().all(|finding| finding.problem.lets_run());
        take(kind, file, &place, team, can_run, &findings);
    }
    read
}

fn kind_of(entry: &LibraryEntry) -> FoundKind {
    match entry.part {
        Part::Agent(_) => FoundKind::Agent,
        Part::Model(_) => FoundKind::Model,
        Part::Tool(_) => FoundKind::Tool,
        Part::Condition(_) => FoundKind::Condition,
        Part::Workbench(_) => FoundKind::Workbench,
    }
}

/// The name of a team as a title; names hold anything.
pub(super) fn title_of(name: &str) -> Option<DocumentTitle> {
    let words = name.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let title: String = words.join(" ").chars().take(LONGEST_TITLE).collect();
    title.trim().parse().or_else(|_| "Team".parse()).ok()
}
