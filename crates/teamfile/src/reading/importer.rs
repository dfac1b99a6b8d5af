//! What is known while files are read: the files, what was found so far, and where each part came from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{LibraryEntry, Part, Reading, TeamRead, kind::Kind, text::Content};
use crate::{
    crew::Pair,
    finding::{Finding, Problem},
    limits::MOST_FINDINGS,
    place::{Origins, Place, Spot},
    secret,
    source_identity::KnownTool,
    team::{self, Assistant, Kept, ModelClient, Participant, Role, Team, Tool},
};

/// Where fields are kept whose own part has no place for them.
const ASIDE: &str = "unknown_fields";

/// A file as it was read, without its keys.
pub(crate) struct ReadFile {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) content: Content,
    /// Where passwords and the like stood, and how many.
    removed: Vec<(Place, usize)>,
}

impl ReadFile {
    pub(super) fn new(number: usize, name: &str, content: Content) -> Self {
        let mut removed = Vec::new();
        let content = match content {
            Content::Data(mut value) => {
                unfold(&mut value, 3);
                secret::remove(&mut value, &Place::root(), &mut removed);
                Content::Data(value)
            }
            Content::Python(source) => {
                let (source, count) = secret::strip_source(&source);
                if count > 0 {
                    removed.push((Place::root(), count));
                }
                Content::Python(source)
            }
        };
        Self { number, name: name.to_owned(), content, removed }
    }

    /// What a team is called that has no name: the file's, without folders, ending and the number of a download.
    pub(crate) fn title(&self) -> String {
        let name = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name).trim();
        let without_number = name
            .strip_suffix(')')
            .and_then(|name| name.rsplit_once(" ("))
            .filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
        without_number.map_or(name, |(name, _)| name).to_owned()
    }
}

/// Rows of a database hold components and galleries as the text of their JSON: they become what they say, so that
/// keys are found in them like everywhere else.
fn unfold(value: &mut Value, levels: usize) {
    match value {
        Value::Array(values) if levels > 0 => {
            values.iter_mut().for_each(|value| unfold(value, levels - 1));
        }
        Value::Object(fields) if levels > 0 && !fields.contains_key("provider") => {
            for key in ["component", "config", "data"] {
                let Some(inner) = fields.get_mut(key) else { continue };
                let read = inner.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                if let Some(read) = read.filter(Value::is_object) {
                    *inner = read;
                }
                unfold(inner, levels - 1);
            }
        }
        _ => {}
    }
}

/// A component somewhere in the files that others refer to by name.
#[derive(Clone)]
pub(super) struct Definition<'a> {
    pub(super) file: usize,
    pub(super) place: Place,
    pub(super) value: &'a Value,
}

pub(crate) struct Importer<'a> {
    files: &'a [ReadFile],
    built_in: &'a [KnownTool],
    definitions: Option<BTreeMap<String, Definition<'a>>>,
    /// References that are being followed: one that leads back to itself ends there.
    pub(super) following: Vec<String>,
    findings: Vec<Finding>,
    origins: Origins,
    /// What is not known and has no place of its own, by where it stood.
    aside: Kept,
    /// The file that is being read.
    pub(crate) file: usize,
}

impl<'a> Importer<'a> {
    pub(super) fn new(files: &'a [ReadFile], built_in: &'a [KnownTool]) -> Self {
        Self {
            files,
            built_in,
            definitions: None,
            following: Vec::new(),
            findings: Vec::new(),
            origins: Origins::default(),
            aside: Kept::new(),
            file: 0,
        }
    }

    pub(crate) fn tell(&mut self, place: &Place, problem: Problem) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding { file: Some(self.file), place: place.clone(), problem });
        }
    }

    pub(crate) fn origin(&mut self, spot: &Spot) {
        self.origins.add(spot, self.file);
    }

    /// What a team or a part is called for which nothing else is known.
    pub(crate) fn title(&self) -> String {
        self.files.iter().find(|file| file.number == self.file).map(ReadFile::title).unwrap_or_default()
    }

    pub(super) fn file(&mut self, file: &ReadFile, reading: &mut Reading) {
        self.file = file.number;
        match &file.content {
            Content::Data(value) => super::form::read(value, &Place::root(), self, reading),
            Content::Python(_) => reading.tell(file.number, Problem::PythonAlone),
        }
    }

    pub(super) fn crew(&mut self, pair: Pair, reading: &mut Reading) {
        self.file = pair.tasks.number;
        self.begin();
        let team = crate::crew::read(&pair, self);
        self.finish_team(team, &Place::root(), reading);
    }

    /// Begins a team or a part that stands by itself.
    pub(super) fn begin(&mut self) {
        self.findings.clear();
        self.origins = Origins::default();
        self.aside.clear();
    }

    pub(crate) fn set_aside(&mut self, place: &Place, value: Value) {
        self.aside.insert(place.to_string(), value);
    }

    /// Adds what was set aside to what is kept of the whole.
    fn keep_aside(&mut self, kept: &mut Kept) {
        if !self.aside.is_empty() {
            kept.insert(ASIDE.to_owned(), std::mem::take(&mut self.aside).into());
        }
    }

    /// A part could not be read: what was found is told of the file.
    pub(super) fn give_up(&mut self, reading: &mut Reading) {
        for finding in std::mem::take(&mut self.findings) {
            reading.tell_at(self.file, finding.place, finding.problem);
        }
    }

    pub(super) fn finish_team(&mut self, mut team: Team, place: &Place, reading: &mut Reading) {
        if reading.is_full() {
            return;
        }
        self.keep_aside(&mut team.kept);
        self.removed(place);
        self.check(&team);
        let findings = std::mem::take(&mut self.findings);
        reading.teams.push(TeamRead { file: self.file, place: place.clone(), team, findings });
    }

    pub(super) fn finish_part(&mut self, name: String, mut part: Part, place: &Place, reading: &mut Reading) {
        if reading.is_full() {
            return;
        }
        match &mut part {
            Part::Agent(Participant { kept, .. })
            | Part::Model(ModelClient { kept, .. })
            | Part::Tool(Tool { kept, .. }) => self.keep_aside(kept),
            Part::Condition(_) | Part::Workbench(_) => {}
        }
        self.removed(place);
        match &part {
            Part::Agent(participant) => self.check(&Team::new(name.clone(), vec![participant.clone()])),
            Part::Model(model) => self.check(&asked_by_nobody(model)),
            Part::Tool(_) | Part::Condition(_) | Part::Workbench(_) => {}
        }
        // What stands alone needs no end.
        self.findings.retain(|finding| finding.problem != Problem::NeverEnds);
        let findings = std::mem::take(&mut self.findings);
        reading.library.push(LibraryEntry { file: self.file, place: place.clone(), name, part, findings });
    }

    fn removed(&mut self, place: &Place) {
        let Some(file) = self.files.iter().find(|file| file.number == self.file) else { return };
        for (removed, count) in file.removed.iter().filter(|(removed, _)| removed.is_within(place)) {
            self.tell(removed, Problem::SecretsRemoved { count: *count });
        }
    }

    fn check(&mut self, team: &Team) {
        for finding in team::check(team, self.built_in) {
            let (file, place) = self.origins.of(&finding.place).unwrap_or((self.file, Place::root()));
            let here = std::mem::replace(&mut self.file, file);
            self.tell(&place, finding.problem);
            self.file = here;
        }
    }

    /// The agent or the team of this name, in any of the files.
    pub(super) fn definition(&mut self, name: &str) -> Option<Definition<'a>> {
        let files = self.files;
        self.definitions.get_or_insert_with(|| definitions(files)).get(name).cloned()
    }
}

/// A team that asks a model, so that the model is checked like those of teams.
fn asked_by_nobody(model: &ModelClient) -> Team {
    let assistant = Assistant { model: Some(model.clone()), ..Assistant::default() };
    Team::new("model", vec![Participant::new("model", Role::Assistant(Box::new(assistant)))])
}

fn definitions(files: &[ReadFile]) -> BTreeMap<String, Definition<'_>> {
    let mut found = BTreeMap::new();
    for file in files {
        if let Content::Data(value) = &file.content {
            define(value, file.number, &Place::root(), &mut found);
        }
    }
    found
}

fn define<'a>(value: &'a Value, file: usize, place: &Place, found: &mut BTreeMap<String, Definition<'a>>) {
    match value {
        Value::Object(fields) => {
            let is_agent = fields.get("provider").and_then(Value::as_str).is_some_and(|provider| {
                matches!(Kind::of_class(super::kind::class_of(provider)), Some(Kind::Agent | Kind::Team))
            });
            if is_agent {
                let names = [value.get("label"), value.pointer("/config/name"), value.get("name")];
                for name in names.into_iter().flatten().filter_map(Value::as_str) {
                    let definition = || Definition { file, place: place.clone(), value };
                    found.entry(name.to_owned()).or_insert_with(definition);
                }
            }
            for (name, value) in fields {
                define(value, file, &place.at(name), found);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                define(value, file, &place.at(number), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
