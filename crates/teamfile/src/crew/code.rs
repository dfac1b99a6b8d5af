//! What the program of a crew says, read as text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    finding::{Problem, shown},
    limits::MOST_PARTS,
    place::Place,
    reading::Importer,
};

/// What the program says.
#[derive(Default)]
pub(super) struct Code {
    pub(super) class: Option<String>,
    pub(super) is_hierarchical: bool,
    /// The method of the agent that leads.
    pub(super) lead: Option<String>,
    /// The model that leads, where no agent does.
    pub(super) leading_model: Option<String>,
    /// Methods of agents, with the entry that each stands for, and what is not run.
    agents: BTreeMap<String, (String, Vec<String>)>,
    /// Methods of tasks.
    tasks: BTreeMap<String, TaskCode>,
}

/// What the program says of a task.
#[derive(Clone, Default)]
pub(super) struct TaskCode {
    key: String,
    pub(super) agent: Option<String>,
    pub(super) context: Option<Vec<String>>,
    pub(super) output_file: Option<String>,
    pub(super) features: Vec<String>,
}

impl Code {
    /// The entry that a method of an agent stands for.
    pub(super) fn agent<'a>(&'a self, method: &'a str) -> &'a str {
        self.agents.get(method).map_or(method, |(key, _)| key)
    }

    pub(super) fn has_agent(&self, method: &str) -> bool {
        self.agents.contains_key(method)
    }

    pub(super) fn features_of_agent(&self, key: &str) -> impl Iterator<Item = &String> {
        self.agents.values().filter(move |(of, _)| of == key).flat_map(|(_, features)| features)
    }

    /// What the program says of the task of an entry.
    pub(super) fn task(&self, key: &str) -> Option<&TaskCode> {
        self.tasks.values().find(|task| task.key == key)
    }

    /// The entry that a method of a task stands for.
    pub(super) fn task_key<'a>(&'a self, method: &'a str) -> &'a str {
        self.tasks.get(method).map_or(method, |task| &task.key)
    }
}

/// Arguments that are not run here.
const NOT_RUN: [&str; 9] = [
    "tools",
    "async_execution",
    "human_input",
    "output_json",
    "output_pydantic",
    "guardrail",
    "callback",
    "step_callback",
    "llm",
];

pub(super) fn read(source: &str, tasks: &Map<String, Value>, importer: &mut Importer<'_>) -> Code {
    let source = without_comments(source);
    let mut code = Code {
        class: class(&source),
        is_hierarchical: source.contains("Process.hierarchical"),
        lead: argument(&source, "manager_agent").and_then(called_method),
        leading_model: argument(&source, "manager_llm").and_then(literal).map(str::to_owned),
        ..Code::default()
    };
    for method in methods(&source) {
        let config = argument(method.body, "config");
        let key = config.and_then(literal).unwrap_or(method.name).to_owned();
        let features = features(method.body);
        let name = method.name.to_owned();
        let is_twice = if method.is_task {
            if !tasks.contains_key(&key) {
                let problem = Problem::MethodOfNothing { method: shown(&name), key: shown(&key) };
                importer.tell(&Place::root(), problem);
            }
            let task = TaskCode {
                key,
                agent: argument(method.body, "agent").and_then(called_method),
                context: argument(method.body, "context").map(called_methods),
                output_file: argument(method.body, "output_file").and_then(literal).map(str::to_owned),
                features,
            };
            code.tasks.insert(name, task).is_some()
        } else {
            code.agents.insert(name, (key, features)).is_some()
        };
        if is_twice {
            importer.tell(&Place::root(), Problem::DefinedTwice { method: shown(method.name) });
        }
    }
    code
}

/// The source without comments. A `#` in a text may go as well: no name that is searched for has one.
fn without_comments(source: &str) -> String {
    let lines = source.lines().map(|line| line.split_once('#').map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

fn class(source: &str) -> Option<String> {
    let (_, after) = source.split_once("@CrewBase")?;
    let (_, after) = after.split_once("class ")?;
    Some(word(after)).filter(|name| !name.is_empty()).map(str::to_owned)
}

struct Method<'a> {
    name: &'a str,
    body: &'a str,
    is_task: bool,
}

/// Methods below `@agent` and `@task`, each with its body. Those of a crew are no more than its agents and tasks.
fn methods(source: &str) -> Vec<Method<'_>> {
    let mut found = Vec::new();
    let decorators = source.match_indices('@').map(|(place, _)| (place, &source[place + 1..]));
    for (_, after) in decorators {
        if found.len() == 2 * MOST_PARTS {
            break;
        }
        let is_task = match word(after) {
            "task" => true,
            "agent" => false,
            _ => continue,
        };
        let Some((_, definition)) = after.split_once("def ") else { continue };
        let body_end = ["\n    @", "\n  @", "\n\t@", "\n    def ", "\n\tdef ", "\nclass "]
            .iter()
            .filter_map(|end| definition.find(end))
            .min();
        let body = &definition[..body_end.unwrap_or(definition.len())];
        found.push(Method { name: word(definition), body, is_task });
    }
    found
}

fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    &text[..end]
}

/// What follows `name=` up to the comma or bracket that ends it.
fn argument<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let place = body.match_indices(name).map(|(place, _)| place).find(|place| {
        let before = body[..*place].chars().next_back();
        let after = body[place + name.len()..].trim_start();
        let is_word = before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_' && letter != '.');
        is_word && after.starts_with('=') && !after.starts_with("==")
    })?;
    let (_, value) = body[place..].split_once('=')?;
    let mut depth = 0_usize;
    let end = value.char_indices().find(|(_, letter)| {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return true,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        *letter == ',' && depth == 0
    });
    Some(value[..end.map_or(value.len(), |(place, _)| place)].trim())
}

/// The first text in quotes.
fn literal(value: &str) -> Option<&str> {
    let start = value.find(['"', '\''])?;
    let quote = &value[start..=start];
    let inner = &value[start + 1..];
    inner.find(quote).map(|end| &inner[..end])
}

/// `self.researcher()`.
fn called_method(value: &str) -> Option<String> {
    called_methods(value).into_iter().next()
}

fn called_methods(value: &str) -> Vec<String> {
    value.split("self.").skip(1).map(word).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn features(body: &str) -> Vec<String> {
    let is_used =
        |name: &&str| argument(body, name).is_some_and(|value| !["", "None", "False", "[]"].contains(&value));
    NOT_RUN.into_iter().filter(is_used).map(str::to_owned).collect()
}
