//! The rehearsal: plays every agent of a task by fixed rules, and makes nothing up.
//!
//! - The planner makes a step of each name in the request (words with a capital letter that do not begin a sentence),
//!   side by side, and, where there are several, a last step that rests on them all. Without names the request is one
//!   step.
//! - The agent of a step calls a tool that reads (`get_…`), takes one text alone, and shares a word with the request;
//!   what it passes is the step's title. An object of JSON is what was found, and is listed; any other result is the
//!   reason why the step cannot be done. Without such a tool it says that it knows nothing.
//! - A step that rests on others sums up how their results begin.
//! - The report is the results, one after the other. Written anew, it keeps the steps that the instruction names, and
//!   of their lines those that share a word with it, if there are any.

use std::{collections::BTreeSet, fmt::Write};

use llm::{ChatRequest, Message, Script, ToolSpec, Turn};
use serde_json::{Map, Value, json};

use super::{
    executor::NOT_DONE,
    facts::{AggregatorFacts, Brought, ExecutorFacts, PlannerFacts, RewriterFacts},
};
use crate::prompt::read_facts;

/// Names of a request that become steps at most.
const MOST_NAMES: usize = 6;
/// Letters of a word that counts.
const SHORTEST_WORD: usize = 4;
/// Lines of each result in a summary of several.
const LINES: usize = 6;

/// Plays the agents of tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskRehearsal;

impl Script for TaskRehearsal {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        let messages = &request.messages;
        Ok(match request.agent.as_str() {
            "planner" => Turn::Answer(plan(&read_facts(messages)?).to_string()),
            "report" => Turn::Answer(report(&read_facts(messages)?)),
            "rewriter" => Turn::Answer(rewritten(&read_facts(messages)?)),
            step if step.starts_with("step_") => {
                carried_out(&read_facts(messages)?, messages, &request.tools)
            }
            other => return Err(format!("The rehearsal does not know the agent \"{other}\".")),
        })
    }
}

fn plan(facts: &PlannerFacts) -> Value {
    let names = names(&facts.request);
    let step = |id: String, title: &str, instruction: &str, depends_on: &[String]| json!({ "id": id, "title": title, "instruction": instruction, "depends_on": depends_on });
    if names.is_empty() {
        return json!({ "steps": [step("request".to_owned(), "The request", "Do what the request asks for.", &[])] });
    }
    let ids: Vec<String> = (1..=names.len()).map(|number| format!("name_{number}")).collect();
    let mut steps: Vec<Value> = ids
        .iter()
        .zip(&names)
        .map(|(id, name)| {
            step(id.clone(), name, &format!("Find out about {name} what the request asks for."), &[])
        })
        .collect();
    if names.len() > 1 {
        let all = "Sum up what the steps before have found, and compare it.";
        steps.push(step("comparison".to_owned(), "Comparison", all, &ids));
    }
    json!({ "steps": steps })
}

/// The names in a text, each once.
fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let (mut begins_sentence, mut goes_on) = (true, false);
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let bare = bare.strip_suffix("'s").or_else(|| bare.strip_suffix("’s")).unwrap_or(bare);
        let is_name = !begins_sentence && bare.starts_with(char::is_uppercase) && bare.chars().count() <= 40;
        if is_name
            && goes_on
            && let Some(last) = names.last_mut()
        {
            *last = format!("{last} {bare}");
        } else if is_name {
            names.push(bare.to_owned());
        }
        let ends = |marks: &[char]| word.ends_with(marks);
        begins_sentence = ends(&['.', '!', '?', ':']);
        goes_on = is_name && !ends(&[',', ';', '.', '!', '?', ':']);
    }
    let mut known = BTreeSet::new();
    // A title has room for so much.
    names.retain(|name| name.chars().count() <= 80 && known.insert(name.to_lowercase()));
    names.truncate(MOST_NAMES);
    names
}

fn carried_out(facts: &ExecutorFacts, messages: &[Message], tools: &[ToolSpec]) -> Turn {
    if !facts.brought.is_empty() {
        return Turn::Answer(summed_up(facts));
    }
    let result = messages.iter().rev().find_map(|message| match message {
        Message::Tool { content, .. } => Some(content),
        _ => None,
    });
    match (result, fitting(tools, &facts.request)) {
        (Some(result), _) => Turn::Answer(match serde_json::from_str::<Map<String, Value>>(result) {
            Ok(found) => listed(&found),
            Err(_) => format!("{NOT_DONE} {result}"),
        }),
        (None, Some((tool, argument))) => {
            Turn::Tools(vec![(tool.to_owned(), json!({ argument: facts.step.title }))])
        }
        (None, None) => Turn::Answer(format!(
            "The rehearsal knows nothing of this, and has no tool for it. A model would work on: {}",
            facts.step.instruction
        )),
    }
}

/// A tool that reads, and takes one text alone, with the name of that.
fn fitting<'t>(tools: &'t [ToolSpec], request: &str) -> Option<(&'t str, &'t str)> {
    let asked = words(request);
    tools.iter().find_map(|tool| {
        let what = tool.name.strip_prefix("get_")?;
        let required = tool.parameters.get("required")?.as_array()?;
        let [Value::String(argument)] = required.as_slice() else { return None };
        let is_text = tool.parameters.pointer(&format!("/properties/{argument}/type"))? == "string";
        (is_text && !words(what).is_disjoint(&asked)).then_some((tool.name.as_str(), argument.as_str()))
    })
}

/// The fields of an object as a list; what is empty is left out.
fn listed(found: &Map<String, Value>) -> String {
    let mut list = String::new();
    for (name, value) in found {
        let name = name.replace('_', " ");
        match value {
            Value::Null => {}
            Value::Array(values) if values.is_empty() => {}
            Value::Object(fields) => list.push_str(&listed(fields)),
            Value::String(text) => {
                let _ = writeln!(list, "- {name}: {text}");
            }
            other => {
                let _ = writeln!(list, "- {name}: {other}");
            }
        }
    }
    list
}

fn summed_up(facts: &ExecutorFacts) -> String {
    let mut text = String::new();
    for Brought { title, text: result } in &facts.brought {
        let lines: Vec<&str> = result.lines().map(|line| line.trim_start_matches("- ")).take(LINES).collect();
        let _ = writeln!(text, "- **{title}**: {}", lines.join("; "));
    }
    for missing in &facts.missing {
        let _ = writeln!(text, "- **{}** cannot be compared: it has no result.", missing.title);
    }
    text
}

fn report(facts: &AggregatorFacts) -> String {
    let (done, steps) = (facts.done.len(), facts.done.len() + facts.not_done.len());
    let missing: Vec<&str> = facts.not_done.iter().map(|step| step.title.as_str()).collect();
    let mut text = format!("Of {steps} steps, {done} came to a result.");
    if !missing.is_empty() {
        let _ = write!(text, " Nothing is known of: {}.", missing.join(", "));
    }
    facts.done.iter().for_each(|result| section(&mut text, &result.title, &result.text));
    text
}

fn rewritten(facts: &RewriterFacts) -> String {
    let asked = words(&facts.instruction);
    let is_named = |title: &str| !words(title).is_disjoint(&asked);
    let mut text = String::from("Written anew from what was found.");
    let names_any = facts.done.iter().any(|result| is_named(&result.title))
        || facts.not_done.iter().any(|step| is_named(&step.title));
    for result in facts.done.iter().filter(|result| !names_any || is_named(&result.title)) {
        let lines: Vec<&str> = result.text.lines().collect();
        let about: Vec<&str> =
            lines.iter().copied().filter(|line| !words(line).is_disjoint(&asked)).collect();
        section(&mut text, &result.title, &if about.is_empty() { lines } else { about }.join("\n"));
    }
    for step in facts.not_done.iter().filter(|step| !names_any || is_named(&step.title)) {
        section(&mut text, &step.title, &format!("There is no result to write of. {}", step.reason));
    }
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n\n## {title}\n\n{}", body.trim());
}

/// The words of a text that say something.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| word.chars().count() >= SHORTEST_WORD).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_request_are_found() {
        for (request, expected) in [
            (
                "Analyze the stock performance of Apple, Google, and Tesla over the last month.",
                vec!["Apple", "Google", "Tesla"],
            ),
            ("Compare Eli Lilly with Merck. Then tell Merck's price.", vec!["Eli Lilly", "Merck"]),
            ("plan a holiday", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(names(request), expected, "{request}");
        }
    }

    #[test]
    fn only_a_tool_that_reads_and_takes_one_text_is_called() {
        let tool = |name: &str, parameters: Value| ToolSpec {
            name: name.into(),
            description: String::new(),
            parameters,
        };
        let text = json!({ "properties": { "stock": { "type": "string" } }, "required": ["stock"] });
        let number = json!({ "properties": { "stock": { "type": "integer" } }, "required": ["stock"] });
        let both = json!({ "properties": { "stock": { "type": "string" } }, "required": ["stock", "day"] });
        let request = "the stock of Apple";
        assert_eq!(fitting(&[tool("get_stock", text.clone())], request), Some(("get_stock", "stock")));
        for (name, parameters) in [
            ("sell_stock", text.clone()),
            ("get_weather", text),
            ("get_stock", number),
            ("get_stock", both),
            ("get_stock", Value::Null),
        ] {
            assert_eq!(fitting(&[tool(name, parameters)], request), None, "{name}");
        }
    }
}
