//! What teams serve beside their runs: they come from files and databases of other systems, and go into such files.

mod export;
mod import;
pub mod openai;
pub mod studio;
pub mod studio_database;

use std::collections::BTreeSet;

use app::families::team::backend::TeamBackend;
use async_trait::async_trait;
use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, rejection::BytesRejection},
    http::header,
    response::IntoResponse,
};
use backend::DocumentBackend;
use database::ForeignDatabase;
use protocol::{
    Problem, ToolSummary,
    document::{DocumentContent, DocumentId, NewDocument},
    team::{
        FileFinding, FoundPart, ImportChosen, ImportTeams, ImportedStudio, ImportedTeam, ImportedTeams, KIND,
        TakenFiles, TeamExport, TeamFilesRead, TeamFormat, UnknownFormat,
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    problem::{ProblemResponse, no_such},
    rest::{JsonBody, Path, Reply},
    scope::{Gateway, Scoped},
};

/// The most bytes of all files of one import.
const LARGEST_IMPORT: usize = 16 * 1024 * 1024;
/// The most bytes of a database that is sent; the command takes larger ones.
const LARGEST_DATABASE: usize = 64 * 1024 * 1024;

#[async_trait]
impl TeamBackend for Scoped {
    async fn take_files(&self, request: ImportTeams) -> Result<TakenFiles, Problem> {
        self.caller().writer()?;
        let read = import::read(&request.files);
        if read.parts.len() > request.files.len() {
            return Ok(TakenFiles::Offered(found(read)));
        }
        keep_usual(self, read).await.map(TakenFiles::Imported)
    }

    async fn import_chosen(&self, request: ImportChosen) -> Result<ImportedTeams, Problem> {
        self.caller().writer()?;
        let import::Read { parts, findings } = import::read(&request.files);
        let taken = chosen(parts, &request.chosen)?;
        Ok(ImportedTeams { teams: keep(self, taken).await?, parts: Vec::new(), findings })
    }

    async fn tools(&self) -> Result<Vec<ToolSummary>, Problem> {
        Ok(Scoped::tools(self)?.listed())
    }

    async fn export_team(&self, id: DocumentId, format: TeamFormat) -> Result<TeamExport, Problem> {
        let document = self.document(id, None).await?;
        if document.summary.kind.as_str() != KIND {
            return Err(Problem::not_found(format!("The document {id} is no team.")));
        }
        export::written(document.content, format)
    }
}

/// What was read, with the numbers by which it is chosen.
fn found(read: import::Read) -> TeamFilesRead {
    let found = |(number, part): (u32, import::ReadPart)| FoundPart {
        number,
        kind: part.kind,
        title: part.title,
        agents: part.agents,
        can_run: part.can_run,
        findings: part.findings,
    };
    TeamFilesRead { parts: (0..).zip(read.parts).map(found).collect(), findings: read.findings }
}

/// Makes documents of what is taken where nobody chose.
async fn keep_usual(service: &Scoped, read: import::Read) -> Result<ImportedTeams, Problem> {
    let (taken, parts, findings) = read.usual();
    Ok(ImportedTeams { teams: keep(service, taken).await?, parts, findings })
}

/// Makes documents of what was read.
async fn keep(service: &Scoped, read: Vec<import::ReadPart>) -> Result<Vec<ImportedTeam>, Problem> {
    let kind = KIND.parse().map_err(|_| Problem::internal("Teams have no kind of document."))?;
    let mut teams = Vec::with_capacity(read.len());
    for import::ReadPart { title, content, can_run, findings, .. } in read {
        let request = NewDocument { kind: Clone::clone(&kind), title: title.clone(), content };
        let made = service.create_document(request).await?;
        teams.push(ImportedTeam { document: made.summary.id, title, can_run, findings });
    }
    Ok(teams)
}

/// What is chosen of what was read, each once, in the order in which it stands there.
fn chosen(read: Vec<import::ReadPart>, numbers: &[u32]) -> Result<Vec<import::ReadPart>, Problem> {
    let numbers: BTreeSet<usize> =
        numbers.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
    match numbers.last() {
        None => {
            return Err(Problem::invalid("Nothing is chosen. Name at least one number of what was read."));
        }
        Some(number) if *number >= read.len() => {
            return Err(Problem::invalid(format!(
                "There is no part {number}: the files hold {}, numbered from 0. Read them again.",
                read.len()
            )));
        }
        Some(_) => {}
    }
    let parts = read.into_iter().enumerate().filter(|(number, _)| numbers.contains(number));
    Ok(parts.map(|(_, part)| part).collect())
}

/// The most bytes of a body that is sent to these addresses.
pub fn largest_body(path: &str) -> Option<usize> {
    match path {
        "/api/v1/teams/contents"
        | "/api/v1/teams/import"
        | "/api/v1/teams/import-chosen"
        | "/rpc/take_team_files"
        | "/rpc/import_chosen" => Some(LARGEST_IMPORT),
        "/api/v1/teams/import-studio" => Some(LARGEST_DATABASE),
        _ => None,
    }
}

/// The routes of the REST interface.
pub fn rest() -> OpenApiRouter<Gateway> {
    let imports = OpenApiRouter::new()
        .routes(routes!(contents))
        .routes(routes!(import))
        .routes(routes!(import_chosen))
        .layer(DefaultBodyLimit::max(LARGEST_IMPORT));
    let databases =
        OpenApiRouter::new().routes(routes!(import_studio)).layer(DefaultBodyLimit::max(LARGEST_DATABASE));
    OpenApiRouter::new().routes(routes!(export)).routes(routes!(export_file)).merge(imports).merge(databases)
}

/// Makes documents of teams in files of AutoGen or CrewAI
#[utoipa::path(post, path = "/api/v1/teams/import", operation_id = "import_teams", request_body = ImportTeams, responses((status = 200, body = ImportedTeams)))]
async fn import(service: Scoped, JsonBody(request): JsonBody<ImportTeams>) -> Reply<ImportedTeams> {
    service.caller().writer()?;
    Ok(Json(keep_usual(&service, import::read(&request.files)).await?))
}

/// Says what files of AutoGen or CrewAI hold, and makes nothing of it
#[utoipa::path(post, path = "/api/v1/teams/contents", operation_id = "read_team_files", request_body = ImportTeams, responses((status = 200, body = TeamFilesRead)))]
async fn contents(service: Scoped, JsonBody(request): JsonBody<ImportTeams>) -> Reply<TeamFilesRead> {
    service.caller().writer()?;
    Ok(Json(found(import::read(&request.files))))
}

/// Makes documents of what is chosen in files, each part that is no team a team of one
#[utoipa::path(post, path = "/api/v1/teams/import-chosen", operation_id = "import_chosen_teams", request_body = ImportChosen, responses((status = 200, body = ImportedTeams), (status = 422, description = "Nothing is chosen, or something that is not there")))]
async fn import_chosen(service: Scoped, JsonBody(request): JsonBody<ImportChosen>) -> Reply<ImportedTeams> {
    Ok(Json(TeamBackend::import_chosen(&service, request).await?))
}

/// Takes in the teams, galleries, sessions and runs of a database of AutoGen Studio
#[utoipa::path(post, path = "/api/v1/teams/import-studio", operation_id = "import_studio", request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = ImportedStudio)))]
async fn import_studio(service: Scoped, file: Result<Bytes, BytesRejection>) -> Reply<ImportedStudio> {
    let owner = service.caller().writer()?;
    let file = file.map_err(|rejection| Problem {
        status: rejection.status().as_u16(),
        detail: format!("The file cannot be read: {}.", rejection.body_text()),
    })?;
    let database = ForeignDatabase::of_bytes(&file).await.map_err(studio_database::unreadable)?;
    drop(file);
    let server = service.service();
    Ok(Json(studio_database::import(&server.journal, &server.families, owner, database).await?))
}

/// A team as files of another system, with what does not go along
#[utoipa::path(get, path = "/api/v1/teams/{team}/exports/{format}", operation_id = "export_team", params(("team" = DocumentId, Path, description = "The team's document"), ("format" = inline(TeamFormat), Path, description = "The form")), responses((status = 200, body = TeamExport)))]
async fn export(service: Scoped, Path((team, format)): Path<(String, String)>) -> Reply<TeamExport> {
    Ok(Json(exported(&service, &team, &format).await?))
}

/// One of these files
#[utoipa::path(get, path = "/api/v1/teams/{team}/exports/{format}/{file}", operation_id = "export_team_file", params(("team" = DocumentId, Path, description = "The team's document"), ("format" = inline(TeamFormat), Path, description = "The form"), ("file" = String, Path, description = "The file's name")), responses((status = 200, body = String, content_type = "text/plain")))]
async fn export_file(
    service: Scoped,
    Path((team, format, name)): Path<(String, String, String)>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let files = exported(&service, &team, &format).await?.files;
    let file = files.into_iter().find(|file| file.name == name);
    let file = file.ok_or_else(|| Problem::not_found("The team has no file of this name in this form."))?;
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let kind = "text/plain; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], file.text))
}

async fn exported(service: &Scoped, team: &str, format: &str) -> Result<TeamExport, Problem> {
    let team: DocumentId = team.parse().map_err(no_such)?;
    let format: TeamFormat =
        format.parse().map_err(|unknown: UnknownFormat| Problem::not_found(format!("{unknown}.")))?;
    service.export_team(team, format).await
}

/// A finding of the reader or the writer, for people.
fn told(file: Option<String>, finding: &teamfile::Finding) -> FileFinding {
    FileFinding {
        file,
        place: finding.place.as_str().to_owned(),
        detail: finding.problem.to_string(),
        stops_runs: !finding.problem.lets_run(),
    }
}

/// The content of a document; `None` where it is deeper than documents are.
fn content_of(team: teamfile::team::Team) -> Option<DocumentContent> {
    match teamfile::team::TeamDocument::new(team).to_value() {
        serde_json::Value::Object(fields) => DocumentContent::new(fields).ok(),
        _ => None,
    }
}
