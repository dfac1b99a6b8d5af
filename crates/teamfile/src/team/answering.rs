//! Which model answers where a team asks one: one rule for agents, for whoever leads, and for teams with one voice.

use super::{Assistant, Conduct, ModelClient, Participant, Process, Replay, Role, SocietyOfMind, Team};

/// Which model answers where a team asks one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answering<'t> {
    /// The named model of the server that the team's document says. What the file says of a model matters no more.
    Profile(&'t str),
    /// None: the answers stand in the file, in this order.
    Replay(Replay<'t>),
    /// The model that the run was started with.
    Run,
}

impl<'t> Answering<'t> {
    fn of(profile: Option<&'t str>, model: Option<&'t ModelClient>) -> Self {
        match (profile, model.and_then(ModelClient::replay)) {
            (Some(profile), _) => Self::Profile(profile),
            (None, Some(answers)) => Self::Replay(answers),
            (None, None) => Self::Run,
        }
    }
}

impl Assistant {
    /// Which model answers for it.
    #[must_use]
    pub fn answering(&self) -> Answering<'_> {
        Answering::of(self.profile.as_deref(), self.model.as_ref())
    }
}

impl SocietyOfMind {
    /// Which model makes one answer of what the team said.
    #[must_use]
    pub fn answering(&self) -> Answering<'_> {
        Answering::of(self.profile.as_deref(), self.model.as_ref())
    }
}

impl Conduct {
    /// Which model says who speaks next; `None` where no model does.
    #[must_use]
    pub fn answering(&self) -> Option<Answering<'_>> {
        match self {
            Self::Selector(selector) => {
                Some(Answering::of(selector.profile.as_deref(), selector.model.as_ref()))
            }
            Self::MagenticOne(magentic) => {
                Some(Answering::of(magentic.profile.as_deref(), magentic.model.as_ref()))
            }
            Self::Steps(steps) => match &steps.process {
                Process::Hierarchical { lead: None, model, profile } => {
                    Some(Answering::of(profile.as_deref(), model.as_deref()))
                }
                Process::Hierarchical { lead: Some(_), .. } | Process::Sequential => None,
            },
            Self::RoundRobin | Self::Swarm | Self::GraphFlow { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// Who in a team asks a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking<'t> {
    /// The participant of this name.
    Participant(&'t str),
    /// Whoever leads the team of this name.
    Lead(&'t str),
}

impl Team {
    /// Calls `see` for everybody in the team who asks a model, those of inner teams included.
    pub fn for_each_asking<'t>(&'t self, see: &mut impl FnMut(Asking<'t>, Answering<'t>)) {
        if let Some(answering) = self.conduct.answering() {
            see(Asking::Lead(&self.name), answering);
        }
        for participant in &self.participants {
            let Participant { name, role, .. } = participant;
            match role {
                Role::Assistant(assistant) => see(Asking::Participant(name), assistant.answering()),
                Role::SocietyOfMind(society) => see(Asking::Participant(name), society.answering()),
                Role::UserProxy | Role::Team { .. } | Role::Unknown { .. } | Role::Missing { .. } => {}
            }
            if let Some(inner) = participant.inner_team() {
                inner.for_each_asking(see);
            }
        }
    }
}
