//! A team with its task, as its nodes share it.

use std::{sync::Arc, time::Duration};

use engine::{NodeError, Outcome, State};
use protocol::{NodeId, team::LEAD};
use teamfile::{
    Message,
    speaking::Conversation,
    team::{Participant, Role, SocietyOfMind, Team},
};
use tools::Registry;

use super::{
    course::{Course, Happened, Spoke},
    earlier_run::{EarlierRun, Told},
    latest::{CourseInHand, Latest},
    memory,
    society::{self, Voiced},
};
use crate::node::node_id;

/// Under which name whoever starts a run speaks to the team.
pub(super) const PERSON: &str = "user";

/// How the keys of the run's state begin that hold what has happened.
const COURSE: &str = "course";

/// Letters of a name that stand in the id of its node.
const LETTERS: usize = 24;

/// A team with its task.
pub(super) struct Crew {
    pub(super) team: Arc<Team>,
    pub(super) tools: Registry,
    /// How long a person is waited for.
    pub(super) patience: Duration,
    /// The node that says who speaks next.
    pub(super) lead: NodeId,
    /// The node of each participant, in their order.
    pub(super) nodes: Vec<NodeId>,
    origin: Origin,
    keys: Keys,
    latest: Latest,
}

/// What a team is given to do.
#[derive(Clone)]
pub(super) struct Given {
    /// What was said in an earlier conversation that the task goes on with.
    pub(super) earlier: Vec<Message>,
    /// The task.
    pub(super) task: Vec<Message>,
}

/// Where a team has its task from.
enum Origin {
    /// From whoever started the run, which may go on after an earlier one.
    Person { given: Given, after: Option<EarlierRun> },
    /// It takes part in another team under this name, and is told what it has not heard.
    Outer(Arc<Crew>, String),
}

/// The keys of the run's state that belong to a team.
struct Keys {
    /// What has happened: a list of lists.
    course: String,
    /// At which step the lead has last said who speaks.
    decided: String,
    /// What was made of the team's answer.
    voiced: String,
}

impl Crew {
    /// The team that a run is of.
    ///
    /// # Errors
    /// It cannot be run, in a sentence.
    pub(super) fn new(
        team: Team,
        given: Given,
        after: Option<EarlierRun>,
        tools: Registry,
        patience: Duration,
    ) -> Result<Self, String> {
        Self::at("", team, Origin::Person { given, after }, tools, patience)
    }

    /// The team that takes part in this one; `None` if this participant is none.
    ///
    /// # Errors
    /// It cannot be run, in a sentence.
    pub(super) fn within(self: &Arc<Self>, number: usize) -> Option<Result<Self, String>> {
        let participant = self.team.participants.get(number)?;
        let team = participant.inner_team()?.clone();
        let origin = Origin::Outer(self.clone(), participant.name.clone());
        let path = format!("{}_{}", self.keys.course.trim_start_matches(COURSE), number + 1);
        Some(Self::at(&path, team, origin, self.tools.clone(), self.patience))
    }

    fn at(
        path: &str,
        team: Team,
        origin: Origin,
        tools: Registry,
        patience: Duration,
    ) -> Result<Self, String> {
        Conversation::new(&team, 0).map_err(|error| error.to_string())?;
        // The number keeps ids apart whatever the names are, and from the lead's.
        let named = |(number, alias): (usize, String)| {
            let letters: String = alias.to_lowercase().chars().take(LETTERS).collect();
            node_id(&format!("{}_{letters}", number + 1))
        };
        let nodes = team.aliases().into_iter().enumerate().map(named).collect::<Result<_, _>>()?;
        let key = |name: &str| format!("{name}{path}");
        let team = Arc::new(team);
        let latest = Latest::of(team.clone());
        let keys = Keys { course: key(COURSE), decided: key("decided"), voiced: key("voiced") };
        Ok(Self { lead: node_id(LEAD)?, nodes, team, tools, patience, origin, keys, latest })
    }

    /// How far the team has come, by the run's state alone.
    ///
    /// # Errors
    /// The state has something else, or the team cannot go on.
    pub(super) fn course(&self, state: &State) -> Result<Arc<Course>, NodeError> {
        self.latest.course(state, &self.keys.course)
    }

    /// The same for whoever leads, who goes on with it.
    ///
    /// # Errors
    /// As [`Crew::course`].
    pub(super) fn course_in_hand(&self, state: &State) -> Result<CourseInHand, NodeError> {
        self.latest.take(state, &self.keys.course)
    }

    /// The same outcome, with what the teams within this one were told in an earlier run.
    ///
    /// # Errors
    /// It has no JSON form.
    pub(super) fn recalled(outcome: Outcome, told: Told) -> Result<Outcome, NodeError> {
        told.into_iter().try_fold(outcome, |outcome, (key, told)| outcome.set(&key, told))
    }

    /// What comes of a visit of whoever leads.
    ///
    /// # Errors
    /// It has no JSON form.
    pub(super) fn led(&self, hand: CourseInHand) -> Result<Outcome, NodeError> {
        let happened = self.latest.put_back(hand)?;
        if happened.is_null() {
            Ok(Outcome::default())
        } else {
            Outcome::default().set(&self.keys.course, happened)
        }
    }

    /// The key of what has happened.
    pub(super) fn course_key(&self) -> &str {
        &self.keys.course
    }

    /// What comes of a turn: what has happened in it, and whoever leads goes on.
    ///
    /// # Errors
    /// It has no JSON form.
    pub(super) fn turn_over(&self, spoke: Spoke) -> Result<Outcome, NodeError> {
        let outcome = Outcome::default().set(&self.keys.course, [Happened::Spoke(spoke)])?;
        Ok(outcome.to([self.lead.clone()]))
    }

    /// Whether the lead has begun with the task of this run, or of the present turn in an outer team.
    ///
    /// # Errors
    /// The state has something else.
    pub(super) fn has_begun(&self, state: &State) -> Result<bool, NodeError> {
        Ok(state.get::<u64>(&self.keys.decided)?.is_some())
    }

    /// Whether the lead has said who speaks at this step: where several speak at a time, each of them comes back.
    ///
    /// # Errors
    /// The state has something else.
    pub(super) fn has_decided(&self, state: &State, course: &Course) -> Result<bool, NodeError> {
        Ok(state.get::<u64>(&self.keys.decided)? == Some(course.steps()))
    }

    /// Notes that the lead has said who speaks after so many steps.
    ///
    /// # Errors
    /// It has no JSON form.
    pub(super) fn decided(&self, outcome: Outcome, steps: u64) -> Result<Outcome, NodeError> {
        outcome.set(&self.keys.decided, steps)
    }

    /// Notes what was made of the team's answer.
    ///
    /// # Errors
    /// It has no JSON form.
    pub(super) fn voiced(&self, voiced: &Voiced) -> Result<Outcome, NodeError> {
        Outcome::default().set(&self.keys.voiced, voiced)
    }

    /// The task, and what it goes on with.
    ///
    /// # Errors
    /// The outer team's state cannot be read.
    pub(super) fn given(&self, state: &State) -> Result<Given, NodeError> {
        match &self.origin {
            Origin::Person { given, .. } => Ok(given.clone()),
            Origin::Outer(outer, name) => {
                let course = outer.course(state)?;
                let inbox = course.inbox(name);
                let earlier = self.society().and_then(|(name, society)| {
                    let new = inbox.iter().map(|message| memory::heard(message).len()).sum::<usize>();
                    let known = course.memory(name);
                    society::earlier(name, society, &known[..known.len().saturating_sub(new)])
                });
                let task = earlier.into_iter().chain(inbox.iter().cloned()).collect();
                Ok(Given { earlier: Vec::new(), task })
            }
        }
    }

    /// The earlier run that this one goes on after.
    pub(super) fn after(&self) -> Option<&EarlierRun> {
        match &self.origin {
            Origin::Person { after, .. } => after.as_ref(),
            Origin::Outer(..) => None,
        }
    }

    /// Whether people can tell whoever leads that the team is to end: it has a condition for that.
    pub(super) fn hears_outside(&self) -> bool {
        self.is_outermost() && self.team.hears_outside()
    }

    /// Whether whoever started the run gave the task.
    pub(super) fn is_outermost(&self) -> bool {
        matches!(self.origin, Origin::Person { .. })
    }

    /// The participant of the outer team that speaks with one voice for this one, if one does.
    pub(super) fn society(&self) -> Option<(&str, &SocietyOfMind)> {
        match self.participant().map(|(_, participant)| (participant.name.as_str(), &participant.role)) {
            Some((name, Role::SocietyOfMind(society))) => Some((name, society)),
            _ => None,
        }
    }

    /// The outer team, and how this one takes part in it.
    pub(super) fn participant(&self) -> Option<(&Arc<Self>, &Participant)> {
        match &self.origin {
            Origin::Person { .. } => None,
            Origin::Outer(outer, name) => {
                let found = outer.team.participants.iter().find(|participant| participant.name == *name);
                found.map(|participant| (outer, participant))
            }
        }
    }

    /// What a turn of this team in the outer one comes to.
    ///
    /// # Errors
    /// It said nothing, or the state cannot be read.
    pub(super) fn conclude(&self, inside: &State) -> Result<Outcome, NodeError> {
        let Some((outer, participant)) = self.participant() else { return Ok(Outcome::default()) };
        let course = self.course(inside)?;
        let all: Vec<Vec<Happened>> = inside.get(&self.keys.course)?.unwrap_or_default();
        let all: Vec<Happened> = all.into_iter().flatten().collect();
        let begin = all.iter().rposition(|happened| matches!(happened, Happened::Began { .. }));
        let mut new: Vec<Happened> = all.into_iter().skip(begin.unwrap_or_default()).collect();
        let mut spoke = Spoke { speaker: participant.name.clone(), at: course.now(), ..Spoke::default() };
        if self.society().is_some() {
            let voiced: Option<Voiced> = inside.get(&self.keys.voiced)?;
            let Voiced { said, asked } = voiced.unwrap_or_else(|| society::silent(&participant.name));
            (spoke.inner, spoke.said, spoke.asked) = (course.answer(), said, asked);
            new.push(Happened::Reset);
        } else {
            spoke.said = course.answer();
        }
        outer.turn_over(spoke)?.set(&self.keys.course, new)
    }

    /// The node of a participant.
    ///
    /// # Errors
    /// Nobody has this name.
    pub(super) fn node(&self, name: &str) -> Result<NodeId, NodeError> {
        let found = self.team.participants.iter().position(|participant| participant.name == name);
        found
            .and_then(|number| self.nodes.get(number).cloned())
            .ok_or_else(|| NodeError::failed(format!("Nobody in the team is called “{}”.", line(name, 60))))
    }
}

/// Whether a key of the run's state holds what has happened in a team.
pub(super) fn is_course(key: &str) -> bool {
    let path = key.strip_prefix(COURSE);
    path.is_some_and(|path| path.is_empty() || path.starts_with('_'))
}

/// The beginning of a text in one line, for labels and sentences: names and tasks hold anything.
pub(super) fn line(text: &str, most: usize) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Milliseconds since 1970. Only what is written into the log as the end of a visit may hold it: a visit that is
/// repeated has to ask the same as before.
pub(super) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
}
