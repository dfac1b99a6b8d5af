//! The server functions of the teams' pages.

#![allow(missing_docs, reason = "the macro makes structs of the arguments, and they cannot be documented")]

use leptos::prelude::*;
use protocol::{
    ToolSummary,
    document::DocumentId,
    team::{ImportChosen, ImportTeams, ImportedTeams, TakenFiles, TeamExport, TeamFormat},
};

#[cfg(feature = "ssr")]
use super::backend::SharedTeams;
#[cfg(feature = "ssr")]
use crate::api::{answer, provided};
use crate::api::{ApiError, Caller, JsonText};

#[cfg(feature = "ssr")]
fn backend() -> Result<SharedTeams, ApiError> {
    provided()
}

/// Makes documents of files, or says what there is to choose of.
#[server(name = TakeFilesCall, prefix = "/rpc", endpoint = "take_team_files", input = JsonText, output = JsonText, client = Caller)]
pub async fn take_files(request: ImportTeams) -> Result<TakenFiles, ApiError> {
    answer(backend()?.take_files(request).await)
}

/// Makes documents of what is chosen of it.
#[server(name = ImportChosenCall, prefix = "/rpc", endpoint = "import_chosen", input = JsonText, output = JsonText, client = Caller)]
pub async fn import_chosen(request: ImportChosen) -> Result<ImportedTeams, ApiError> {
    answer(backend()?.import_chosen(request).await)
}

/// The tools of the server that an agent may be given.
#[server(name = TeamToolsCall, prefix = "/rpc", endpoint = "team_tools", input = JsonText, output = JsonText, client = Caller)]
pub async fn tools() -> Result<Vec<ToolSummary>, ApiError> {
    answer(backend()?.tools().await)
}

/// A team in another system's form.
#[server(name = ExportTeamCall, prefix = "/rpc", endpoint = "export_team", input = JsonText, output = JsonText, client = Caller)]
pub async fn export_team(id: DocumentId, format: TeamFormat) -> Result<TeamExport, ApiError> {
    answer(backend()?.export_team(id, format).await)
}
