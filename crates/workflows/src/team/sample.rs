//! A small team that works without a model or a key.

use protocol::team::SAMPLE_TITLE;
use teamfile::team::{Assistant, Condition, Participant, Role, Team};

/// What the critic says once nothing is left to change.
pub(super) const APPROVED: &str = "APPROVED";
/// Who writes first.
pub(super) const FIRST: &str = "first_writer";
/// Who writes on.
pub(super) const SECOND: &str = "second_writer";
/// Who says what is to be changed.
pub(super) const CRITIC: &str = "critic";

/// Two writers and a critic, in turn.
pub(super) fn team() -> Team {
    let mut team = Team::new(
        SAMPLE_TITLE,
        vec![
            member(
                FIRST,
                "Writes a draft.",
                "You write a short draft of what is asked for, and later improve it.",
            ),
            member(SECOND, "Shortens the draft.", "You make the latest draft shorter and clearer."),
            member(
                CRITIC,
                "Says what is to be changed.",
                "You say in one sentence what is to be changed in the latest draft. Once nothing is, answer APPROVED.",
            ),
        ],
    );
    team.description = "A draft is written, shortened, and judged until it is approved.".to_owned();
    let said = Condition::TextMention { text: APPROVED.to_owned() };
    team.termination = Some(said | Condition::MaxMessages { max_messages: 13, include_agent_event: false });
    team
}

fn member(name: &str, description: &str, system_message: &str) -> Participant {
    let assistant = Assistant { system_message: Some(system_message.to_owned()), ..Assistant::default() };
    Participant {
        description: description.to_owned(),
        ..Participant::new(name, Role::Assistant(Box::new(assistant)))
    }
}
