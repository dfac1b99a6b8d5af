//! Reads what CrewAI keeps in `agents.yaml` and `tasks.yaml`, and the `crew.py` beside them as text.
//!
//! An agent becomes a participant, a task a step. Nothing of the Python is run: it is searched for which method
//! stands for which entry, and who does what.

mod agents;
mod code;
mod tasks;

use serde_json::{Map, Value};

use crate::{
    finding::Problem,
    place::{Place, Spot},
    reading::{Content, Importer, ReadFile, Reading},
    team::{Conduct, Process, Steps, Team, fields_of},
};

use code::Code;

/// Files that belong together.
pub(crate) struct Pair {
    pub(crate) agents: Half,
    pub(crate) tasks: Half,
    code: Option<String>,
}

/// One of the two files.
pub(crate) struct Half {
    pub(crate) number: usize,
    name: String,
    entries: Map<String, Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Agents,
    Tasks,
}

/// Fields that entries of these files never are.
const OF_OTHER_FORMS: [&str; 9] = [
    "provider",
    "config",
    "component",
    "components",
    "items",
    "participants",
    "component_type",
    "kind",
    "team_type",
];

/// Takes the pairs out of the files, with the programs that belong to them.
pub(crate) fn take_pairs(files: &mut Vec<ReadFile>, reading: &mut Reading) -> Vec<Pair> {
    let (mut agents, mut tasks, mut programs, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for file in files.drain(..) {
        match which(&file) {
            Some(Which::Agents) => agents.push(file),
            Some(Which::Tasks) => tasks.push(file),
            None if is_crew_program(&file) => programs.push(file),
            None => others.push(file),
        }
    }
    let is_single = agents.len() == 1 && tasks.len() == 1;
    let mut pairs = Vec::new();
    for tasks in tasks {
        let folder = folder(&tasks.name).to_owned();
        let place = agents.iter().position(|agents| is_single || self::folder(&agents.name) == folder);
        let Some(place) = place else {
            reading.tell(tasks.number, Problem::HalfAPair { found: "tasks.yaml" });
            continue;
        };
        let agents = agents.remove(place);
        // The program of a crew stands above its settings.
        let program =
            programs.iter().position(|program| is_single || folder.starts_with(self::folder(&program.name)));
        let code = program.map(|place| programs.remove(place)).and_then(|program| match program.content {
            Content::Python(source) => Some(source),
            Content::Data(_) => None,
        });
        pairs.extend(half(agents).zip(half(tasks)).map(|(agents, tasks)| Pair { agents, tasks, code }));
    }
    for agents in agents {
        reading.tell(agents.number, Problem::HalfAPair { found: "agents.yaml" });
    }
    others.extend(programs);
    *files = others;
    pairs
}

fn half(file: ReadFile) -> Option<Half> {
    match file.content {
        Content::Data(Value::Object(entries)) => Some(Half { number: file.number, name: file.name, entries }),
        _ => None,
    }
}

/// Which half of a pair a file is, by what stands in it.
fn which(file: &ReadFile) -> Option<Which> {
    let Content::Data(Value::Object(entries)) = &file.content else { return None };
    if OF_OTHER_FORMS.iter().any(|key| entries.contains_key(*key)) {
        return None;
    }
    let any_has =
        |keys: &[&str]| entries.values().any(|entry| keys.iter().all(|key| entry.get(*key).is_some()));
    let stem = file.title().to_lowercase();
    if any_has(&["role", "goal"]) || any_has(&["role", "backstory"]) {
        Some(Which::Agents)
    } else if any_has(&["description", "expected_output"])
        || any_has(&["description", "agent"])
        || (stem.contains("task") && any_has(&["description"]))
    {
        Some(Which::Tasks)
    } else {
        None
    }
}

fn is_crew_program(file: &ReadFile) -> bool {
    matches!(&file.content, Content::Python(source)
        if ["@task", "@CrewBase", "tasks_config", "Crew("].iter().any(|word| source.contains(word)))
}

fn folder(name: &str) -> &str {
    name.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder)
}

/// The team of a pair.
pub(crate) fn read(pair: &Pair, importer: &mut Importer<'_>) -> Team {
    let code = pair.code.as_deref().map(|source| code::read(source, &pair.tasks.entries, importer));
    let code = code.unwrap_or_default();
    let team = Spot { file: Place::root(), document: Place::root().at("team") };
    let here = std::mem::replace(&mut importer.file, pair.agents.number);
    let mut participants = agents::read(&pair.agents.entries, &code, &team, importer);
    importer.file = here;
    importer.origin(&team);
    let steps = tasks::read(&pair.tasks.entries, &participants, &code, &team, importer);
    agents::let_delegate(&mut participants);
    let fields = fields_of(&participants, &steps);
    let lead = code.lead.as_ref().map(|method| code.agent(method).to_owned());
    let model = code.leading_model.as_deref().map(|name| Box::new(agents::named(name)));
    let process = if code.is_hierarchical {
        let lead = lead.filter(|lead| participants.iter().any(|one| one.name == *lead));
        Process::Hierarchical { lead, model, profile: None }
    } else {
        Process::Sequential
    };
    let conduct = Conduct::Steps(Steps { steps, process, fields });
    Team { conduct, ..Team::new(name(pair, &code), participants) }
}

/// What the crew is called: its class, or the folder that it is in.
fn name(pair: &Pair, code: &Code) -> String {
    let folders = folder(&pair.tasks.name).rsplit(['/', '\\']);
    let folder = folders.into_iter().find(|folder| !["", ".", "config", "src"].contains(folder));
    code.class.clone().or_else(|| folder.map(str::to_owned)).unwrap_or_else(|| "Crew".to_owned())
}
