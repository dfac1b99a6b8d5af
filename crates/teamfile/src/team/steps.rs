//! Work in steps, each of which belongs to one participant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{Conduct, Kept, ModelClient, Participant, Role, Team};

/// Work in steps, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// Who says who does a step that belongs to nobody.
    #[serde(default)]
    pub process: Process,
    /// What a person has to fill in before it starts: `topic` for `{topic}` in the texts. It follows from these whenever a
    /// document is read, so that a text that was edited asks for what it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name, which no other step has.
    pub name: String,
    /// Who does it; `None` where the file does not say and a person has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What is to be done.
    pub description: String,
    /// What shall come of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected_output: String,
    /// The earlier steps whose results it is given; `None` for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<String>>,
    /// The file that its result is offered as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artefact: Option<String>,
    /// What else the file says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kept: Kept,
}

/// Who says who does which step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Process {
    /// The steps themselves.
    #[default]
    Sequential,
    /// A lead, where a step does not say it.
    Hierarchical {
        /// The participant who leads; `None` where a model does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<String>,
        /// The model that leads, where no participant does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<Box<ModelClient>>,
        /// The named model of the server that leads in the place of the run's; a file of another system has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
    },
}

impl Process {
    pub(crate) fn model(&self) -> Option<&ModelClient> {
        match self {
            Self::Sequential => None,
            Self::Hierarchical { model, .. } => model.as_deref(),
        }
    }
}

impl Step {
    /// The step as the one who does it is told.
    #[must_use]
    pub fn instruction(&self) -> String {
        if self.expected_output.trim().is_empty() {
            return self.description.clone();
        }
        format!("{}\n\nExpected output: {}", self.description.trim_end(), self.expected_output)
    }
}

/// Who might do a step that belongs to nobody: the one whose name has most words in common with the step's; else,
/// where there are as many steps as participants, the one at the same place.
pub(crate) fn proposed_agent<'a>(
    steps: &[Step],
    number: usize,
    participants: &'a [Participant],
) -> Option<&'a str> {
    let of_step = stems(&steps.get(number)?.name);
    let common = |participant: &Participant| {
        stems(&participant.name).iter().filter(|stem| of_step.contains(*stem)).count()
    };
    let best = participants.iter().rev().max_by_key(|participant| common(participant))?;
    let by_order = participants.get(number).filter(|_| steps.len() == participants.len());
    let proposed = if common(best) > 0 { Some(best) } else { by_order };
    proposed.map(|participant| participant.name.as_str())
}

/// The beginnings of the words in a name: `research_task` and `researcher` have one in common.
fn stems(name: &str) -> Vec<String> {
    const LETTERS: usize = 5;
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let told = words.filter(|word| !["task", "agent", "step"].contains(&word.to_lowercase().as_str()));
    told.filter(|word| word.chars().count() > 2)
        .map(|word| word.to_lowercase().chars().take(LETTERS).collect())
        .collect()
}

/// The names in braces in the texts of a team that works in steps, each once, in the order of the texts.
pub(crate) fn fields_of(participants: &[Participant], steps: &[Step]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    let of_agents = participants.iter().flat_map(|participant| {
        let system_message = participant.assistant().and_then(|agent| agent.system_message.as_deref());
        [participant.title.as_deref(), system_message]
    });
    let of_steps = steps.iter().flat_map(|step| {
        [Some(step.description.as_str()), Some(step.expected_output.as_str()), step.artefact.as_deref()]
    });
    for name in of_agents.chain(of_steps).flatten().flat_map(field_names) {
        if !fields.iter().any(|known| known == name) {
            fields.push(name.to_owned());
        }
    }
    fields
}

impl Team {
    /// The team with what a person filled in: `{topic}` in its texts becomes the value of `topic`. Other braces,
    /// such as those of JSON and `{{topic}}`, stay as they are.
    #[must_use]
    pub fn filled_in(&self, values: &BTreeMap<String, String>) -> Self {
        let mut team = self.clone();
        let fill = |text: &mut String| *text = filled_text(text, values);
        for participant in &mut team.participants {
            participant.title.iter_mut().for_each(fill);
            fill(&mut participant.description);
            if let Role::Assistant(assistant) = &mut participant.role {
                assistant.system_message.iter_mut().for_each(fill);
            }
        }
        if let Conduct::Steps(steps) = &mut team.conduct {
            for step in &mut steps.steps {
                fill(&mut step.description);
                fill(&mut step.expected_output);
                step.artefact.iter_mut().for_each(fill);
            }
            steps.fields.retain(|field| !values.contains_key(field));
        }
        team
    }
}

/// The names in braces of a text: `topic` of `{topic}`. Doubled braces and those of JSON hold none.
fn field_names(text: &str) -> Vec<&str> {
    pieces(text).filter_map(|piece| if let Piece::Field(name) = piece { Some(name) } else { None }).collect()
}

fn filled_text(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Field(name) => match values.get(name) {
                Some(value) => filled.push_str(value),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            },
        }
    }
    filled
}

enum Piece<'a> {
    Text(&'a str),
    Field(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = field(rest) {
            rest = after;
            return Some(Piece::Field(name));
        }
        // Doubled braces are taken together, so that what stands between them is no field.
        let braces = rest.bytes().take_while(|byte| *byte == b'{').count();
        let end = rest[braces..].find('{').map_or(rest.len(), |end| braces + end);
        let (piece, after) = rest.split_at(end.max(1));
        rest = after;
        Some(Piece::Text(piece))
    })
}

/// The field that a text begins with, and what follows it.
fn field(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let name = &inner[..end];
    let mut bytes = name.bytes();
    let is_name = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    is_name.then(|| (name, &inner[end + 1..]))
}
