//! Reads the files in which people keep agent teams.
//!
//! What AutoGen, AutoGen Studio and CrewAI write, in all their versions, and what people make of it by hand. Files
//! are read tolerantly, more so than AutoGen itself does: of 23 teams in the wild its newest version loads one.
//! Whatever is read differently than it stands there is told as a [`Finding`] at its place. No file makes reading
//! fail as a whole, and a part that cannot be used stops only the team that needs it.

mod agent;
mod condition;
mod envelope;
mod fields;
mod flat;
mod form;
mod importer;
mod kind;
mod linked;
mod model;
mod team;
mod text;
mod tool;

use serde::Serialize;

use crate::{
    crew,
    finding::{Finding, Problem},
    limits::{MOST_FILES, MOST_ITEMS},
    place::Place,
    source_identity::KnownTool,
    team::{Assistant, Condition, ModelClient, Participant, Role, Team, Tool, Workbench},
};

pub(crate) use fields::Fields;
pub(crate) use importer::{Importer, ReadFile};
pub(crate) use model::fields as model_fields;
pub(crate) use text::Content;

/// What an assistant is told who is made of a single part.
const ALONE: &str = "Do what you are asked for. Use your tools where they help.";

/// A file.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Its name, with its path where files of several folders are given together.
    pub name: &'a str,
    /// What stands in it.
    pub bytes: &'a [u8],
}

/// What files hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reading {
    /// The teams.
    pub teams: Vec<TeamRead>,
    /// Parts that stand by themselves.
    pub library: Vec<LibraryEntry>,
    /// What is to be said of the files as a whole.
    pub findings: Vec<Finding>,
}

/// A team that was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TeamRead {
    /// The file, by its number among those that were given.
    pub file: usize,
    /// Where in the file it stands.
    pub place: Place,
    /// The team, without any key.
    pub team: Team,
    /// What is to be said of it.
    pub findings: Vec<Finding>,
}

impl TeamRead {
    /// Whether it can be started once each of its models has a connection.
    #[must_use]
    pub fn can_run(&self) -> bool {
        self.findings.iter().all(|finding| finding.problem.lets_run())
    }
}

/// A part that stands by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LibraryEntry {
    /// The file, by its number among those that were given.
    pub file: usize,
    /// Where in the file it stands.
    pub place: Place,
    /// What people call it.
    pub name: String,
    /// The part.
    pub part: Part,
    /// What is to be said of it.
    pub findings: Vec<Finding>,
}

impl LibraryEntry {
    /// A team in which this part works alone: an agent as it is, anything else as that of an assistant of whom nothing
    /// more is said. It ends after one answer, or by the condition that it is made of.
    #[must_use]
    pub fn team_of_one(self) -> Team {
        let mut assistant = Assistant { system_message: Some(ALONE.to_owned()), ..Assistant::default() };
        let (mut agent, mut termination) = (None, None);
        match self.part {
            Part::Agent(participant) => agent = Some(participant),
            Part::Model(model) => assistant.model = Some(model),
            Part::Tool(tool) => {
                assistant.tools.push(tool);
                assistant.reflect_on_tool_use = true;
            }
            Part::Condition(condition) => termination = Some(condition),
            Part::Workbench(workbench) => assistant.workbenches.push(workbench),
        }
        let agent =
            agent.unwrap_or_else(|| Participant::new("assistant", Role::Assistant(Box::new(assistant))));
        let max_turns = termination.is_none().then_some(1);
        Team { termination, max_turns, ..Team::new(self.name, vec![agent]) }
    }
}

/// A part of a team.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "content", rename_all = "snake_case")]
pub enum Part {
    /// An agent.
    Agent(Participant),
    /// A model.
    Model(ModelClient),
    /// A tool.
    Tool(Tool),
    /// A condition.
    Condition(Condition),
    /// A workbench.
    Workbench(Workbench),
}

/// Reads files.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    built_in: Vec<KnownTool>,
}

impl Reader {
    /// A reader that knows of no built-in tools.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The well-known tools that there are here: agents whose files hold their source are given these instead.
    #[must_use]
    pub fn with_built_in(mut self, tools: impl IntoIterator<Item = KnownTool>) -> Self {
        self.built_in = tools.into_iter().collect();
        self
    }

    /// Reads files that belong together: parts that refer to each other by name are found in any of them.
    #[must_use]
    pub fn read(&self, files: &[SourceFile<'_>]) -> Reading {
        let mut reading = Reading::default();
        if files.len() > MOST_FILES {
            reading.tell(MOST_FILES, Problem::TooManyFiles);
        }
        let mut read = Vec::new();
        for (file, source) in files.iter().enumerate().take(MOST_FILES) {
            match text::read(source) {
                Ok(content) => read.push(ReadFile::new(file, source.name, content)),
                Err(problem) => reading.tell(file, problem),
            }
        }
        let crews = crew::take_pairs(&mut read, &mut reading);
        let mut importer = Importer::new(&read, &self.built_in);
        for pair in crews {
            importer.crew(pair, &mut reading);
        }
        for file in &read {
            let before = (reading.teams.len() + reading.library.len(), reading.findings.len());
            importer.file(file, &mut reading);
            if before == (reading.teams.len() + reading.library.len(), reading.findings.len()) {
                reading.tell(file.number, Problem::NoTeams);
            }
        }
        if reading.teams.len() + reading.library.len() > MOST_ITEMS {
            reading.teams.truncate(MOST_ITEMS);
            reading.library.truncate(MOST_ITEMS - reading.teams.len());
            reading.tell(0, Problem::TooManyItems);
        }
        reading
    }
}

impl Reading {
    pub(crate) fn tell(&mut self, file: usize, problem: Problem) {
        self.tell_at(file, Place::root(), problem);
    }

    pub(crate) fn tell_at(&mut self, file: usize, place: Place, problem: Problem) {
        if self.findings.len() < crate::limits::MOST_FINDINGS {
            self.findings.push(Finding { file: Some(file), place, problem });
        }
    }

    /// Whether there is room for more teams and parts.
    pub(crate) fn is_full(&self) -> bool {
        self.teams.len() + self.library.len() > MOST_ITEMS
    }
}
