//! Why somebody speaks next, in a sentence.

use protocol::team::{TeamLimit, TeamPick};
use teamfile::{
    Body,
    speaking::{Ledger, mentioned},
    team::{Conduct, Process},
    termination::{Counted, Progress},
};

use super::{
    course::Course,
    crew::{Crew, line},
};

/// Characters of what a model or a file says that stand in the sentence.
const SHOWN: usize = 300;

/// Who speaks next, with the reason. `answers` are those of the model that was asked.
pub(super) fn pick(crew: &Crew, course: &Course, speaker: &str, answers: &[String]) -> TeamPick {
    let names: Vec<&str> = crew.team.participants.iter().map(|one| one.name.as_str()).collect();
    let reason = match &crew.team.conduct {
        Conduct::RoundRobin => "All speak in turn.".to_owned(),
        Conduct::Selector(selector) => {
            let is_barred = !selector.allow_repeated_speaker && course.spoke_last() == Some(speaker);
            selected(&names, speaker, is_barred, answers)
        }
        Conduct::Swarm => handed_over(course),
        Conduct::MagenticOne(_) => led(&names, answers),
        Conduct::GraphFlow { .. } => "The graph leads here.".to_owned(),
        Conduct::Steps(steps) => {
            let number = usize::try_from(course.turns()).unwrap_or(usize::MAX);
            let step = steps.steps.get(number).map_or("", |step| step.name.as_str());
            let step = line(step, SHOWN);
            match steps.process {
                Process::Hierarchical { .. } if !answers.is_empty() => {
                    format!("The model that leads chose who does the step “{step}”.")
                }
                _ => format!("It is the step “{step}”."),
            }
        }
        Conduct::Unknown { .. } => String::new(),
    };
    let candidates = match &crew.team.conduct {
        Conduct::Selector(selector) if !answers.is_empty() => {
            let barred = course.spoke_last().filter(|_| !selector.allow_repeated_speaker);
            names.iter().filter(|name| Some(**name) != barred).map(|name| (*name).to_owned()).collect()
        }
        Conduct::MagenticOne(_) => names.iter().map(|name| (*name).to_owned()).collect(),
        _ => Vec::new(),
    };
    TeamPick {
        turn: course.turns().saturating_add(1),
        speaker: speaker.to_owned(),
        reason,
        answers: answers.to_vec(),
        candidates,
        limits: course.progress().into_iter().map(limit).collect(),
    }
}

fn limit(progress: Progress) -> TeamLimit {
    let counted = match progress.counted {
        Counted::Messages => "messages",
        Counted::Tokens => "tokens",
        Counted::PromptTokens => "tokens of prompts",
        Counted::CompletionTokens => "tokens of answers",
        Counted::Turns => "turns",
    };
    TeamLimit { counted: counted.to_owned(), reached: progress.reached, most: progress.most }
}

/// `is_barred`: the model could not choose this one, who has just spoken.
fn selected(names: &[&str], speaker: &str, is_barred: bool, answers: &[String]) -> String {
    let Some(last) = answers.last() else {
        return "Nobody else can be chosen.".to_owned();
    };
    if !is_barred && mentioned(last, names.iter().copied()) == Some(speaker) {
        match answers.len() {
            1 => "The model chose.".to_owned(),
            tries => format!("The model chose, asked {tries} times."),
        }
    } else {
        format!(
            "The model named nobody who can speak in {} answers, so that whoever spoke before goes on.",
            answers.len()
        )
    }
}

fn handed_over(course: &Course) -> String {
    let handoffs = course.thread().filter(|message| matches!(message.body, Body::Handoff { .. }));
    match (handoffs.last(), course.spoke_last()) {
        (Some(handoff), _) => format!("“{}” handed over last.", line(&handoff.source, 60)),
        (None, None) => "The first one begins.".to_owned(),
        (None, Some(_)) => "Nobody has handed over, so that the same one goes on.".to_owned(),
    }
}

fn led(names: &[&str], answers: &[String]) -> String {
    let Some(ledger) = answers.last().and_then(|answer| Ledger::read(answer, names).ok()) else {
        return "The model that leads chose.".to_owned();
    };
    let progress = match (ledger.is_progress_being_made, ledger.is_in_loop) {
        (true, false) => "There is progress",
        (_, true) => "The work goes in circles",
        (false, false) => "There is no progress",
    };
    format!("{progress}. To do: {}", line(&ledger.instruction, SHOWN))
}
