//! What the teams' pages ask of the server.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::{
    Problem, ToolSummary,
    document::DocumentId,
    team::{ImportChosen, ImportTeams, ImportedTeams, TakenFiles, TeamExport, TeamFormat},
};

/// The teams of whoever asks, as files.
#[async_trait]
pub trait TeamBackend: Send + Sync {
    /// Makes documents of files, unless there is more in them than there are files: of that, it says what can be chosen.
    async fn take_files(&self, request: ImportTeams) -> Result<TakenFiles, Problem>;
    /// Makes documents of what is chosen of it.
    async fn import_chosen(&self, request: ImportChosen) -> Result<ImportedTeams, Problem>;
    /// The tools of this server that an agent may be given, by name.
    async fn tools(&self) -> Result<Vec<ToolSummary>, Problem>;
    /// A team in another system's form.
    async fn export_team(&self, id: DocumentId, format: TeamFormat) -> Result<TeamExport, Problem>;
}

/// It as it stands in the context.
pub type SharedTeams = Arc<dyn TeamBackend>;
