//! What the models are asked that choose and lead.

use super::conversation::Member;

/// The usual question who speaks next.
pub(crate) const SELECT_SPEAKER: &str = "\
You are moderating a conversation among these roles:
{roles}

Read the conversation below. Then select the role from {participants} that speaks next. Return only the role.

{history}

Read the conversation above. Then select the role from {participants} that speaks next. Return only the role.
";

/// The question who speaks next, by a template with `{roles}`, `{participants}` and `{history}`.
pub(super) fn select_speaker(template: Option<&str>, candidates: &[&Member], history: &str) -> String {
    let names = python_list(candidates.iter().map(|member| member.name.as_str()));
    let roles: Vec<String> = candidates.iter().map(|member| role(member)).collect();
    fill(
        template.unwrap_or(SELECT_SPEAKER),
        &[("roles", &roles.join("\n")), ("participants", &names), ("history", history)],
    )
}

/// `name: description` in one line.
pub(super) fn role(member: &Member) -> String {
    let line = format!("{}: {}", member.name, member.description);
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fills in a template in one go: what is filled in is not looked at again. `{{` and `}}` are braces.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(place) = rest.find(['{', '}']) {
        filled.push_str(&rest[..place]);
        rest = &rest[place..];
        let value = values.iter().find_map(|(name, value)| {
            let after = rest.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        if let Some((value, after)) = value {
            filled.push_str(value);
            rest = after;
        } else {
            // A brace is one byte.
            filled.push_str(&rest[..1]);
            let is_doubled = rest.starts_with("{{") || rest.starts_with("}}");
            rest = &rest[if is_doubled { 2 } else { 1 }..];
        }
    }
    filled.push_str(rest);
    filled
}

/// Names as Python writes a list of them.
pub(super) fn python_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted = names.map(|name| {
        let quote = if name.contains('\'') && !name.contains('"') { '"' } else { '\'' };
        format!("{quote}{name}{quote}")
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

const FACTS: &str = "\
Before we work on the request below, survey what is known about it.

{task}

Answer in four parts, with these headings and nothing else:

1. GIVEN OR VERIFIED FACTS
2. FACTS TO LOOK UP (and where)
3. FACTS TO DERIVE (by logic or computation)
4. EDUCATED GUESSES
";

const PLAN: &str = "\
To work on the request, this team is there:

{team}

From the team and from the facts, make a short plan in bullet points. Not every member has to take part.
";

const LEDGER_TEXT: &str = "\
We are working on this request:

{task}

To answer it, this team is there:

{team}

Here is a survey of the facts to begin with:

{facts}

Here is the plan to follow as well as possible:

{plan}
";

const PROGRESS: &str = "\
We are working on this request:

{task}

And this team is there:

{team}

To make progress, answer these questions, each with its reason:

- Is the request fully satisfied?
- Are we in a loop, asking the same or getting the same again and again?
- Is progress being made, or are the latest messages without value?
- Who speaks next? Select one of: {names}
- What instruction or question do they get, with all that they need to know?

Answer in JSON of exactly this form, without anything else:

{{
  \"is_request_satisfied\": {{ \"reason\": string, \"answer\": boolean }},
  \"is_in_loop\": {{ \"reason\": string, \"answer\": boolean }},
  \"is_progress_being_made\": {{ \"reason\": string, \"answer\": boolean }},
  \"next_speaker\": {{ \"reason\": string, \"answer\": string (one of: {names}) }},
  \"instruction_or_question\": {{ \"reason\": string, \"answer\": string }}
}}
";

const FACTS_AGAIN: &str = "\
Less progress is made on the request than hoped for:

{task}

Rewrite the survey of the facts with what was learned since. Add at least one educated guess, and say why. These are
the facts as they were:

{facts}
";

const PLAN_AGAIN: &str = "\
Say in short what went wrong in the last run, then make a new plan in bullet points that avoids it. This team is there:

{team}
";

/// The usual question for the final answer.
pub(crate) const FINAL_ANSWER: &str = "\
We are working on this request:

{task}

The messages above have the work on it. From what was gathered, write the final answer to the request, as if to the
person who made it.
";

pub(super) fn facts(task: &str) -> String {
    fill(FACTS, &[("task", task)])
}

pub(super) fn plan(team: &str) -> String {
    fill(PLAN, &[("team", team)])
}

pub(super) fn ledger_text(task: &str, team: &str, facts: &str, plan: &str) -> String {
    fill(LEDGER_TEXT, &[("task", task), ("team", team), ("facts", facts), ("plan", plan)])
}

pub(super) fn progress(task: &str, team: &str, names: &str) -> String {
    fill(PROGRESS, &[("task", task), ("team", team), ("names", names)])
}

pub(super) fn facts_again(task: &str, facts: &str) -> String {
    fill(FACTS_AGAIN, &[("task", task), ("facts", facts)])
}

pub(super) fn plan_again(team: &str) -> String {
    fill(PLAN_AGAIN, &[("team", team)])
}

pub(super) fn final_answer(template: Option<&str>, task: &str) -> String {
    fill(template.unwrap_or(FINAL_ANSWER), &[("task", task)])
}
