//! The database in which AutoGen Studio keeps what people made there: its teams, galleries and sessions become
//! documents of an account, and its runs imported runs of that account.
//!
//! Ids here follow from what identifies a row there, so that an import that is repeated finds what it brought before,
//! and leaves it as it is. No key of the file goes along: [`Keys`] finds them before anything is stored.

mod command;
mod identity;
mod keys;
mod runs;
mod tables;

use std::{collections::BTreeMap, iter};

use database::{ForeignDatabase, ForeignError};
use journal::Journal;
use protocol::{
    AccountId, Problem,
    document::{DocumentContent, DocumentId, DocumentTitle, DocumentVersion, Severity},
    team::{
        FileFinding, FoundKind, GALLERY_KIND, ImportedStudio, ImportedTeam, KIND, SESSION_KIND, TeamFile,
    },
};
use serde_json::{Map, Value, json};
use workflows::Families;

pub use command::{ImportOptions, run};

use self::{
    identity::Identity,
    keys::Keys,
    tables::{Key, StudioRow, Tables},
};
use super::import::{self, title_of};
use crate::{
    clock::now,
    problem::{from_documents, from_journal},
};

/// The most rows of a table that are taken in.
const MOST_TEAMS: usize = 1_000;
const MOST_GALLERIES: usize = 100;
const MOST_SESSIONS: usize = 10_000;
/// The most sentences about what was left out.
const MOST_SENTENCES: usize = 50;
/// What a session or a gallery is called that has no name.
const UNNAMED_SESSION: &str = "Session";
const UNNAMED_GALLERY: &str = "Gallery";

/// Takes in what stands in a database, as `owner`'s.
///
/// # Errors
/// 422: it is no database of a Studio that is known. What cannot be taken in of one is told in the answer. 5xx: nothing
/// can be stored just now; what was stored before stays, and the import can be repeated.
pub(super) async fn import(
    journal: &Journal,
    families: &Families,
    owner: &AccountId,
    database: ForeignDatabase,
) -> Result<ImportedStudio, Problem> {
    let mut tables = Tables::of(database)?;
    let keys = Keys::of(&mut tables).await.map_err(unreadable)?;
    let mut importer = Importer { journal, families, owner, keys, told: ImportedStudio::default() };
    let teams = importer.teams(&mut tables).await?;
    importer.galleries(&mut tables).await?;
    let sessions = importer.sessions(&mut tables, &teams).await?;
    importer.runs(&mut tables, &sessions).await?;
    importer.settings(&mut tables).await?;
    Ok(importer.told)
}

/// An error of the file, for whoever sent it.
pub(super) fn unreadable(error: ForeignError) -> Problem {
    match error {
        ForeignError::TooLarge(_) => Problem { status: 413, detail: error.to_string() },
        error => Problem::invalid(format!("{error} Nothing more was imported.")),
    }
}

struct Importer<'a> {
    journal: &'a Journal,
    families: &'a Families,
    owner: &'a AccountId,
    keys: Keys,
    told: ImportedStudio,
}

/// A team of the file, and the document that it is here.
#[derive(Clone)]
struct KnownTeam {
    document: DocumentId,
    version: DocumentVersion,
    name: String,
    participants: Vec<String>,
}

/// A session of the file, and the document that it is here.
struct KnownSession {
    document: DocumentId,
    name: String,
    team: Option<KnownTeam>,
    row: Identity,
}

/// What became of a document.
enum Kept {
    /// It was made.
    Made(DocumentVersion),
    /// It was here, at this version.
    Known(DocumentVersion),
    /// It was refused, for this reason.
    Refused(String),
}

impl Importer<'_> {
    async fn teams(&mut self, tables: &mut Tables) -> Result<BTreeMap<Key, KnownTeam>, Problem> {
        let mut known = BTreeMap::new();
        for row in self.rows(tables.teams(MOST_TEAMS).await.map_err(unreadable)?) {
            let what = format!("Team {}", row.key);
            let Some(component) = self.json(&what, &row.content) else { continue };
            let file = TeamFile { name: what.clone(), text: component.to_string() };
            let read = import::read(&[file]);
            let Some(team) = read.parts.into_iter().find(|part| part.kind == FoundKind::Team) else {
                let why = read.findings.first().map(|finding| finding.detail.clone());
                self.leave_out(&what, &why.unwrap_or_else(|| "It holds no team.".to_owned()));
                continue;
            };
            let import::ReadPart { title, content, can_run, findings, .. } = team;
            let identity = Identity::new(self.owner, "team", &row);
            let id = DocumentId(identity.id());
            let (name, participants) = named(&content, &title);
            let version = match self.keep(id, KIND, title.clone(), content).await? {
                Kept::Made(version) => {
                    let findings = findings.into_iter().map(|finding| FileFinding { file: None, ..finding });
                    let findings = findings.collect();
                    self.told.teams.push(ImportedTeam { document: id, title, can_run, findings });
                    version
                }
                Kept::Known(version) => version,
                Kept::Refused(why) => {
                    self.leave_out(&what, &why);
                    continue;
                }
            };
            known.insert(row.key, KnownTeam { document: id, version, name, participants });
        }
        Ok(known)
    }

    async fn galleries(&mut self, tables: &mut Tables) -> Result<(), Problem> {
        for row in self.rows(tables.galleries(MOST_GALLERIES).await.map_err(unreadable)?) {
            let what = format!("Gallery {}", row.key);
            let Some(config) = self.json(&what, &row.content) else { continue };
            let Value::Object(config) = self.keys.removed_from(config) else {
                self.leave_out(&what, "It is no object.");
                continue;
            };
            let config = with_components(config);
            let name = config.get("name").and_then(Value::as_str).unwrap_or(UNNAMED_GALLERY);
            let Some(title) = title_of(name) else { continue };
            let id = DocumentId(Identity::new(self.owner, "gallery", &row).id());
            let content = match DocumentContent::new(config) {
                Ok(content) => content,
                Err(why) => {
                    self.leave_out(&what, &why.to_string());
                    continue;
                }
            };
            match self.keep(id, GALLERY_KIND, title, content).await? {
                Kept::Made(_) => self.told.galleries += 1,
                Kept::Known(_) => {}
                Kept::Refused(why) => self.leave_out(&what, &why),
            }
        }
        Ok(())
    }

    async fn sessions(
        &mut self,
        tables: &mut Tables,
        teams: &BTreeMap<Key, KnownTeam>,
    ) -> Result<BTreeMap<Key, KnownSession>, Problem> {
        let mut known = BTreeMap::new();
        for row in self.rows(tables.sessions(MOST_SESSIONS).await.map_err(unreadable)?) {
            let what = format!("Session {}", row.key);
            let team = row.parent.as_ref().and_then(|team| teams.get(team)).cloned();
            let identity = Identity::new(self.owner, "session", &row);
            let id = DocumentId(identity.id());
            let name = row.content.text().map(|name| self.keys.redacted(name));
            let name =
                name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| UNNAMED_SESSION.to_owned());
            let Some(title) = title_of(&name) else { continue };
            let content =
                team.as_ref().map(|team| json!({ "team": team.document })).unwrap_or_else(|| json!({}));
            let content = content.as_object().cloned().unwrap_or_default();
            let content =
                DocumentContent::new(content).map_err(|error| Problem::internal(error.to_string()))?;
            match self.keep(id, SESSION_KIND, title, content).await? {
                Kept::Made(_) => self.told.sessions += 1,
                Kept::Known(_) => {}
                Kept::Refused(why) => {
                    self.leave_out(&what, &why);
                    continue;
                }
            }
            known.insert(row.key, KnownSession { document: id, name, team, row: identity });
        }
        Ok(known)
    }

    async fn settings(&mut self, tables: &mut Tables) -> Result<(), Problem> {
        if !tables.settings().await.map_err(unreadable)?.is_empty() {
            self.leave_out(
                "Studio's settings",
                "Models, keys and variables are set on the server, by an operator.",
            );
        }
        Ok(())
    }

    /// Makes a document, unless it is here.
    async fn keep(
        &mut self,
        id: DocumentId,
        kind: &str,
        title: DocumentTitle,
        content: DocumentContent,
    ) -> Result<Kept, Problem> {
        let documents = self.journal.documents();
        if let Some(known) = documents.read(self.owner, id, None).await.map_err(from_journal)? {
            self.told.known += 1;
            return Ok(Kept::Known(known.summary.version));
        }
        let kind = kind.parse().map_err(|_| Problem::internal("There is no such kind of document."))?;
        let findings = self.families.check_document(&kind, &content).unwrap_or_default();
        if let Some(error) = findings.into_iter().find(|finding| finding.severity == Severity::Error) {
            return Ok(Kept::Refused(error.detail));
        }
        match documents.create(self.owner, id, kind, title, &content, now()).await.map_err(from_documents) {
            Ok(summary) => Ok(Kept::Made(summary.version)),
            // There is no room for it.
            Err(Problem { status: 409, detail }) => Ok(Kept::Refused(detail)),
            Err(problem) => Err(problem),
        }
    }

    /// The rows that are taken in; that there are more is told.
    fn rows(&mut self, (rows, more): (Vec<StudioRow>, usize)) -> Vec<StudioRow> {
        if more > 0 {
            self.leave_out(&format!("{more} more rows"), "There are more of them than are taken in at once.");
        }
        rows
    }

    /// What stands in a column as JSON; what is none is left out.
    fn json(&mut self, what: &str, cell: &database::Cell) -> Option<Value> {
        let why = match tables::json(cell) {
            Ok(value) => return Some(value),
            Err(why) => why,
        };
        self.leave_out(what, &why);
        None
    }

    fn leave_out(&mut self, what: &str, why: &str) {
        if self.told.left_out.len() < MOST_SENTENCES {
            let sentence = self.keys.redacted(&format!("{what} was left out. {why}"));
            self.told.left_out.push(sentence);
        } else {
            self.told.more_left_out = self.told.more_left_out.saturating_add(1);
        }
    }
}

/// The name of a team and of those who take part in it, as its document has them.
fn named(content: &DocumentContent, title: &DocumentTitle) -> (String, Vec<String>) {
    let team = content.fields().get("team");
    let name_of = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    let participants = team.and_then(|team| team.get("participants")).and_then(Value::as_array);
    let participants = participants.into_iter().flatten().filter_map(name_of).collect();
    let name = team.and_then(name_of).filter(|name| !name.is_empty());
    (name.unwrap_or_else(|| title.to_string()), participants)
}

/// A gallery in the present form: before February 2025, its parts stood under `items`.
fn with_components(mut gallery: Map<String, Value>) -> Map<String, Value> {
    if gallery.contains_key("components") {
        return gallery;
    }
    let Some(Value::Object(mut items)) = gallery.remove("items") else { return gallery };
    let teams = items.remove("teams");
    let parts = match items.remove("components") {
        Some(Value::Object(parts)) => parts,
        _ => Map::new(),
    };
    let components = parts.into_iter().chain(iter::once("teams".to_owned()).zip(teams)).collect();
    gallery.insert("components".to_owned(), Value::Object(components));
    gallery
}
