//! The plan as a model writes it: its form, and its strict reading.

use std::collections::BTreeSet;

use llm::{AnswerSchema, parse_structured};
use protocol::resolver::{Step, TaskPlan};
use serde::Deserialize;
use serde_json::json;

use crate::node::node_id;

/// The most steps of a plan.
pub const MOST_STEPS: usize = 12;
/// Characters of a step's id.
const LONGEST_ID: usize = 40;
/// Characters of a step's title.
const LONGEST_TITLE: usize = 80;
/// Characters of a step's instruction.
const LONGEST_INSTRUCTION: usize = 4000;

/// A plan as a model writes it.
#[derive(Deserialize)]
struct PlanAnswer {
    steps: Vec<StepAnswer>,
}

#[derive(Deserialize)]
struct StepAnswer {
    id: String,
    title: String,
    instruction: String,
    #[serde(default)]
    depends_on: Vec<String>,
}

pub(super) fn plan_schema() -> AnswerSchema {
    let text = json!({ "type": "string" });
    let step = json!({
        "type": "object",
        "properties": {
            "id": text,
            "title": text,
            "instruction": text,
            "depends_on": { "type": "array", "items": text },
        },
        "required": ["id", "title", "instruction", "depends_on"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": { "steps": { "type": "array", "items": step } },
        "required": ["steps"],
        "additionalProperties": false,
    });
    AnswerSchema { name: "plan".to_owned(), schema }
}

/// Reads a plan, and gives each step its node.
///
/// # Errors
/// In a sentence for the model, what is wrong with it.
pub fn read_plan(text: &str) -> Result<TaskPlan, String> {
    let PlanAnswer { steps } = parse_structured(text, &plan_schema())?;
    let refused = |why: String| format!("Your plan cannot be used: {why} Answer again with the whole plan.");
    let steps = checked(steps).map_err(refused)?;
    Ok(TaskPlan { steps })
}

fn checked(answered: Vec<StepAnswer>) -> Result<Vec<Step>, String> {
    if answered.is_empty() {
        return Err("it has no step.".to_owned());
    }
    if answered.len() > MOST_STEPS {
        return Err(format!("it has {} steps, and at most {MOST_STEPS} are done.", answered.len()));
    }
    let mut steps: Vec<Step> = Vec::new();
    for (place, step) in answered.into_iter().enumerate() {
        let number = place + 1;
        let id = bounded("id", number, &in_line(&step.id), LONGEST_ID)?;
        let title = bounded("title", number, &in_line(&step.title), LONGEST_TITLE)?;
        let instruction = bounded("instruction", number, step.instruction.trim(), LONGEST_INSTRUCTION)?;
        if steps.iter().any(|earlier| earlier.id == id) {
            return Err(format!("two steps have the id \"{id}\"."));
        }
        let depends_on = step.depends_on.iter().map(|other| in_line(other)).collect();
        steps.push(Step { id, node: node_id(&format!("step_{number}"))?, title, instruction, depends_on });
    }
    check_dependencies(&steps)?;
    Ok(steps)
}

/// A text of a step, which must not be empty or too long.
fn bounded(what: &str, number: usize, text: &str, most: usize) -> Result<String, String> {
    match text.chars().count() {
        0 => Err(format!("the {what} of step {number} is empty.")),
        count if count > most => {
            Err(format!("the {what} of step {number} has {count} characters, and at most {most} are taken."))
        }
        _ => Ok(text.to_owned()),
    }
}

/// A text in one line, without characters that control how it is shown.
fn in_line(text: &str) -> String {
    let words = text.split_whitespace().map(|word| word.chars().filter(|letter| !letter.is_control()));
    words.map(Iterator::collect::<String>).collect::<Vec<_>>().join(" ")
}

/// Refuses steps that rest on what is not in the plan, on the same step twice, or on each other.
fn check_dependencies(steps: &[Step]) -> Result<(), String> {
    let ids: BTreeSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    for step in steps {
        let mut known = BTreeSet::new();
        for other in &step.depends_on {
            let shown: String = other.chars().take(LONGEST_ID).collect();
            if !ids.contains(other.as_str()) {
                return Err(format!("step \"{}\" depends on \"{shown}\", which is no step.", step.id));
            }
            if !known.insert(other) {
                return Err(format!("step \"{}\" depends on \"{shown}\" twice.", step.id));
            }
        }
    }
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let can_begin = |step: &&Step| step.depends_on.iter().all(|other| done.contains(other.as_str()));
        let (begun, waiting): (Vec<&Step>, Vec<&Step>) = steps.iter().partition(can_begin);
        if waiting.is_empty() {
            return Ok(());
        }
        if begun.len() == done.len() {
            let circle: Vec<String> = waiting.iter().map(|step| format!("\"{}\"", step.id)).collect();
            return Err(format!(
                "no step of {} can ever begin: they depend on each other.",
                circle.join(", ")
            ));
        }
        done = begun.into_iter().map(|step| step.id.as_str()).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, depends_on: &[&str]) -> serde_json::Value {
        json!({ "id": id, "title": id, "instruction": "Do it.", "depends_on": depends_on })
    }

    fn read(steps: &[serde_json::Value]) -> Result<TaskPlan, String> {
        read_plan(&json!({ "steps": steps }).to_string())
    }

    #[test]
    fn a_plan_is_read_in_its_order_with_a_node_for_each_step() {
        let plan = read(&[step("sum", &["a", "b"]), step("a", &[]), step("b", &["a"])]).unwrap();
        let nodes: Vec<_> = plan.steps.iter().map(|step| (step.id.as_str(), step.node.as_str())).collect();
        assert_eq!(nodes, [("sum", "step_1"), ("a", "step_2"), ("b", "step_3")]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let many: Vec<_> = (0..=MOST_STEPS).map(|number| step(&number.to_string(), &[])).collect();
        let titled =
            |title: &str| json!({ "id": "a", "title": title, "instruction": "Do it.", "depends_on": [] });
        let told = |instruction: &str| json!({ "id": "a", "title": "A", "instruction": instruction, "depends_on": [] });
        for (steps, why) in [
            (vec![], "it has no step"),
            (many, "it has 13 steps"),
            (vec![step("a", &[]), step("a", &[])], "two steps have the id \"a\""),
            (vec![step("a", &["b"])], "depends on \"b\", which is no step"),
            (vec![step("a", &["a"])], "no step of \"a\" can ever begin"),
            (
                vec![step("z", &[]), step("a", &["b"]), step("b", &["a", "z"])],
                "no step of \"a\", \"b\" can ever begin",
            ),
            (vec![step("z", &[]), step("a", &["z", "z"])], "depends on \"z\" twice"),
            (vec![step(" \u{7} ", &[])], "the id of step 1 is empty"),
            (vec![titled("")], "the title of step 1 is empty"),
            (vec![titled(&"ä".repeat(81))], "the title of step 1 has 81 characters"),
            (vec![told(" ")], "the instruction of step 1 is empty"),
            (vec![told(&"a".repeat(4001))], "the instruction of step 1 has 4001 characters"),
        ] {
            let refusal = read(&steps).unwrap_err();
            assert!(refusal.contains(why), "{why}: {refusal}");
        }
        assert!(read_plan("I would rather not.").is_err());
        assert!(read_plan("[]").is_err());
    }
}
