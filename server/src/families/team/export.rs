//! Teams as files of other systems.

use protocol::{
    Problem,
    document::DocumentContent,
    team::{FileFinding, TeamExport, TeamFile, TeamFormat},
};
use teamfile::{
    team::TeamDocument,
    writing::{AutoGenLine, agent_framework, autogen},
};

/// The name of AutoGen's file.
const AUTOGEN_FILE: &str = "team.json";

/// The team of a document in another system's form.
pub(super) fn written(content: DocumentContent, format: TeamFormat) -> Result<TeamExport, Problem> {
    let document = TeamDocument::read(&content.into_value());
    let team = document.map_err(|error| Problem::invalid(error.to_string()))?.team;
    let line = match format {
        TeamFormat::Autogen => AutoGenLine::Both,
        TeamFormat::AutogenOlder => AutoGenLine::Older,
        TeamFormat::AutogenNewer => AutoGenLine::Newer,
        TeamFormat::AgentFramework => {
            let (files, losses) = agent_framework(&team);
            let files = files.into_iter().map(|file| TeamFile { name: file.name, text: file.text });
            return Ok(TeamExport { files: files.collect(), losses: lost(losses) });
        }
    };
    let (component, losses) = autogen(&team, line);
    let file = TeamFile { name: AUTOGEN_FILE.to_owned(), text: format!("{component:#}\n") };
    Ok(TeamExport { files: vec![file], losses: lost(losses) })
}

fn lost(losses: Vec<teamfile::writing::Loss>) -> Vec<FileFinding> {
    let told = losses.into_iter().map(|loss| FileFinding {
        file: None,
        place: loss.place.as_str().to_owned(),
        detail: loss.detail,
        stops_runs: false,
    });
    told.collect()
}
