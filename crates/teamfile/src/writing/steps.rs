//! Steps for systems that know only agents who take turns: an agent for each step.

use super::Losses;
use crate::{
    place::Place,
    team::{Conduct, Participant, Process, Role, Steps, Team},
};

/// The team with an agent for each step, who take turns once.
pub(super) fn as_turns(team: &Team, steps: &Steps, place: &Place, losses: &mut Losses) -> Team {
    let place = place.at("conduct");
    if steps.process != Process::Sequential {
        losses
            .add(&place.at("process"), "Nobody leads: each step is done by its agent, one after the other.");
    }
    if !steps.fields.is_empty() {
        let names = steps.fields.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ");
        losses.add(&place.at("fields"), format!("The fields {names} stand in the texts as they are."));
    }
    let mut participants: Vec<Participant> = Vec::new();
    for (number, step) in steps.steps.iter().enumerate() {
        let place = place.at("steps").at(number);
        let agent = team.participants.iter().find(|one| step.agent.as_ref() == Some(&one.name));
        let Some(agent) = agent else {
            losses.add(&place, format!("The step “{}” belongs to nobody and was left out.", step.name));
            continue;
        };
        if step.inputs.is_some() {
            losses.add(&place.at("inputs"), "The agent of the step reads all results before it.");
        }
        if step.artefact.is_some() {
            losses.add(&place.at("artefact"), "The result is written to no file.");
        }
        let mut agent = agent.clone();
        if participants.iter().any(|other| other.name == agent.name) {
            agent.name.clone_from(&step.name);
        }
        if let Role::Assistant(assistant) = &mut agent.role {
            // Handing over would break the order of the steps.
            assistant.handoffs.clear();
            let told = assistant.system_message.take().map(|text| text + "\n\n").unwrap_or_default();
            assistant.system_message = Some(format!("{told}Your step:\n{}", step.instruction()));
        }
        participants.push(agent);
    }
    let turns = u32::try_from(participants.len()).unwrap_or(u32::MAX);
    Team { conduct: Conduct::RoundRobin, participants, max_turns: Some(turns.max(1)), ..team.clone() }
}
