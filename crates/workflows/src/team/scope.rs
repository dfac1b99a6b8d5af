//! What teams may consist of and is not run yet.

use teamfile::team::{Condition, Conduct, Context, Participant, Role, Team};

/// What of a team is not run yet, in a sentence.
pub(super) fn not_run(team: &Team) -> Option<String> {
    let conduct = match &team.conduct {
        Conduct::RoundRobin | Conduct::Swarm | Conduct::Selector(_) => None,
        Conduct::GraphFlow { .. } => Some("a graph of who follows whom"),
        Conduct::MagenticOne(_) => Some("a ledger"),
        Conduct::Steps(_) => Some("steps"),
        Conduct::Unknown { .. } => Some("a kind that is not known"),
    };
    if let Some(conduct) = conduct {
        return Some(format!(
            "Teams that are led by {conduct} are not run yet. Choose turns, a model or handoffs to say who speaks next."
        ));
    }
    if let Conduct::Selector(selector) = &team.conduct
        && selector.context.as_ref().is_some_and(counts_tokens)
    {
        return Some(tokens("The choice of a speaker"));
    }
    let participant = team.participants.iter().find_map(participant_not_run);
    participant.or_else(|| team.termination.as_ref().and_then(condition_not_run))
}

fn participant_not_run(participant: &Participant) -> Option<String> {
    let name = super::crew::line(&participant.name, 60);
    match &participant.role {
        Role::Assistant(assistant) if counts_tokens(&assistant.context) => Some(tokens(&format!("“{name}”"))),
        Role::Assistant(_) | Role::UserProxy => None,
        Role::SocietyOfMind(_) | Role::Team { .. } => Some(format!(
            "“{name}” is a team within the team, which is not run yet. Let its members take part themselves."
        )),
        Role::Unknown { .. } | Role::Missing { .. } => {
            Some(format!("It is not known what “{name}” is. Replace it by an assistant or a person."))
        }
    }
}

/// A clock would make a run that is taken up again take another path than before.
fn condition_not_run(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Timeout { .. } => Some(
            "A limit of time is not watched for by teams yet. Take it out, and limit the time of the run."
                .to_owned(),
        ),
        other => other.inner().iter().find_map(condition_not_run),
    }
}

fn counts_tokens(context: &Context) -> bool {
    matches!(context, Context::TokenLimited { .. })
}

fn tokens(whose: &str) -> String {
    format!(
        "{whose} reads as much as fits into a number of tokens, which is not counted yet. Let it read a number of messages."
    )
}
