//! What all teams have in common: the thread, what each participant has heard, the end, and the limit of turns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Decision, Next, Question, SpeakingError, Turn, graph_flow::GraphFlow, magentic::Magentic,
    selector::Selecting, steps::Stepping, swarm::Swarm,
};
use crate::{
    message::{Body, Message},
    team::{Conduct, Team},
    termination::{Counted, Progress, Stop, Termination},
};

/// A team at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    members: Vec<Member>,
    manager: Manager,
    termination: Option<Termination>,
    max_turns: Option<u32>,
    tells_speakers: bool,
    turns: u32,
    thread: Vec<Entry>,
    /// Up to where in the thread each participant has heard.
    heard: BTreeMap<String, usize>,
    /// Who speaks at the moment, and up to where each had heard before.
    speaking: BTreeMap<String, usize>,
    /// What was said in this step.
    said: Vec<Message>,
    is_asking: bool,
}

/// One who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) description: String,
}

/// Something in the thread, with the participant in whose turn it was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) by: Option<String>,
    pub(super) message: Message,
    /// Whether it was said on the way to an answer, which the other participants do not hear.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_inner: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Manager {
    RoundRobin { next: usize },
    Selector(Selecting),
    Swarm(Swarm),
    MagenticOne(Magentic),
    GraphFlow(GraphFlow),
    Steps(Stepping),
}

/// What a manager sees when it decides.
pub(super) struct View<'a> {
    pub(super) members: &'a [Member],
    pub(super) thread: &'a [Entry],
}

/// What a manager decides.
pub(super) enum Choice {
    /// These speak.
    Speak(Vec<String>),
    /// This one speaks and is told exactly this.
    Tell(String, Vec<Message>),
    /// A model is asked.
    Ask(Question),
    /// The manager says something, and then this is done. The participants may forget all that was before.
    Say { messages: Vec<Message>, forgets: bool, then: Box<Choice> },
    /// There is nothing left to do.
    Finish(Stop),
}

impl Conversation {
    /// A team before its task.
    ///
    /// # Errors
    /// Where it is of a kind that is not known, has no participants, or ends in a way that is not known.
    pub fn new(team: &Team, now: u64) -> Result<Self, SpeakingError> {
        if team.participants.is_empty() {
            return Err(SpeakingError::Nobody);
        }
        let manager = match &team.conduct {
            Conduct::RoundRobin => Manager::RoundRobin { next: 0 },
            Conduct::Selector(selector) => Manager::Selector(Selecting::new(selector)),
            Conduct::Swarm => Manager::Swarm(Swarm::default()),
            Conduct::MagenticOne(magentic) => Manager::MagenticOne(Magentic::new(magentic, team.max_turns)),
            Conduct::GraphFlow { graph } => Manager::GraphFlow(GraphFlow::new(graph)?),
            Conduct::Steps(steps) => Manager::Steps(Stepping::new(steps)),
            Conduct::Unknown { provider, .. } => return Err(SpeakingError::UnknownTeam(provider.clone())),
        };
        let member = |participant: &crate::team::Participant| Member {
            name: participant.name.clone(),
            description: participant.description.clone(),
        };
        // Magentic-One has rounds of its own, which end in a final answer.
        let max_turns = team.max_turns.filter(|_| !matches!(team.conduct, Conduct::MagenticOne(_)));
        Ok(Self {
            members: team.participants.iter().map(member).collect(),
            manager,
            termination: team.termination.as_ref().map(|end| Termination::new(end, now)).transpose()?,
            max_turns,
            tells_speakers: team.emit_team_events,
            turns: 0,
            thread: Vec::new(),
            heard: BTreeMap::new(),
            speaking: BTreeMap::new(),
            said: Vec::new(),
            is_asking: false,
        })
    }

    /// Begins with a task, or goes on with another one. What was said stays; conditions and turns are counted anew, and
    /// time from now on. Where the team was at work on an earlier task, nobody goes on with that: whoever was to speak
    /// has heard nothing of what they were told for it.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub fn start(&mut self, task: Vec<Message>, now: u64) -> Result<Decision, SpeakingError> {
        self.start_after(Vec::new(), task, now)
    }

    /// The same where the task goes on with an earlier conversation. All participants hear what was said there; no
    /// condition is shown it, as none is shown what was said before the present task of a team.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub fn start_after(
        &mut self,
        earlier: Vec<Message>,
        task: Vec<Message>,
        now: u64,
    ) -> Result<Decision, SpeakingError> {
        if matches!(self.manager, Manager::Swarm(_)) {
            Swarm::check_task(&task, &View { members: &self.members, thread: &self.thread })?;
        }
        let unheard = self.break_off();
        self.turns = 0;
        self.said.clear();
        if let Some(termination) = &mut self.termination {
            termination.reset(now);
        }
        let given = earlier.iter().chain(&task).cloned();
        self.thread.extend(given.map(|message| Entry { by: None, message, is_inner: false }));
        let decision = match self.end_of(&task, now) {
            Some(stop) => decided(Next::Stop(stop)),
            None => {
                self.manager.begin(&earlier, task);
                self.choose()?
            }
        };
        Ok(Decision { unheard, ..decision })
    }

    /// Somebody's turn is over, and this was said and done in it: events, and in the end a message.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub fn answered(
        &mut self,
        speaker: &str,
        said: Vec<Message>,
        now: u64,
    ) -> Result<Decision, SpeakingError> {
        self.answered_after(speaker, Vec::new(), said, now)
    }

    /// The same for somebody who needed others to answer: what was said among them comes before the answer. Conditions
    /// are shown it, and the other participants do not hear it.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub fn answered_after(
        &mut self,
        speaker: &str,
        inner: Vec<Message>,
        said: Vec<Message>,
        now: u64,
    ) -> Result<Decision, SpeakingError> {
        if !self.speaking.contains_key(speaker) {
            return Err(SpeakingError::NotAsked(speaker.to_owned()));
        }
        let Some(last) = said.iter().rev().find(|message| message.is_chat()) else {
            return Err(SpeakingError::Silent(speaker.to_owned()));
        };
        self.manager.hear(speaker, last);
        self.speaking.remove(speaker);
        let inner = inner.into_iter().map(|message| (message, true));
        let all = inner.chain(said.into_iter().map(|message| (message, false)));
        for (message, is_inner) in all.filter(|(message, _)| !matches!(message.body, Body::Chunk { .. })) {
            self.thread.push(Entry { by: Some(speaker.to_owned()), message: message.clone(), is_inner });
            self.said.push(message);
        }
        if !self.speaking.is_empty() {
            return Ok(decided(Next::Wait));
        }
        let said = std::mem::take(&mut self.said);
        if let Some(stop) = self.manager.completion() {
            return Ok(decided(Next::Stop(stop)));
        }
        if let Some(stop) = self.end_of(&said, now) {
            return Ok(decided(Next::Stop(stop)));
        }
        self.turns = self.turns.saturating_add(1);
        if let Some(most) = self.max_turns
            && self.turns >= most
        {
            let content = format!("Maximum number of turns {most} reached.");
            let stop = Stop { content, source: self.manager.name().to_owned() };
            return Ok(decided(Next::Stop(stop)));
        }
        self.choose()
    }

    /// The model that was asked has answered this.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub fn replied(&mut self, answer: &str) -> Result<Decision, SpeakingError> {
        if !self.is_asking {
            return Err(SpeakingError::NoQuestion);
        }
        let view = View { members: &self.members, thread: &self.thread };
        let choice = match &mut self.manager {
            Manager::Selector(selecting) => selecting.replied(answer, &view),
            Manager::MagenticOne(magentic) => magentic.replied(answer, &view)?,
            Manager::Steps(stepping) => stepping.replied(answer, &view)?,
            Manager::RoundRobin { .. } | Manager::Swarm(_) | Manager::GraphFlow(_) => {
                return Err(SpeakingError::NoQuestion);
            }
        };
        self.is_asking = false;
        Ok(self.carry_out(choice))
    }

    /// Somebody outside of the team wants it to end, and whoever speaks next has not begun. `None`: it goes on, since it
    /// has no condition for that, or not for that alone.
    pub fn tell_from_outside(&mut self, now: u64) -> Option<Decision> {
        self.termination.as_mut()?.tell_from_outside();
        let stop = self.end_of(&[], now)?;
        let unheard = self.break_off();
        Some(Decision { unheard, ..decided(Next::Stop(stop)) })
    }

    /// How far the team is from every end that is counted: those of its conditions, and its limit of turns.
    #[must_use]
    pub fn progress(&self) -> Vec<Progress> {
        let mut progress = self.termination.as_ref().map(Termination::progress).unwrap_or_default();
        let turns = self.max_turns.map(u64::from);
        let reached = u64::from(self.turns);
        progress.extend(turns.map(|most| Progress { counted: Counted::Turns, reached, most }));
        progress
    }

    /// All that was said and done, without pieces of answers.
    pub fn thread(&self) -> impl Iterator<Item = &Message> {
        self.thread.iter().map(|entry| &entry.message)
    }

    /// Whoever handed over last to somebody who takes no part: only work that is handed back lets such a team go on.
    #[must_use]
    pub fn handed_outside(&self) -> Option<&str> {
        let Manager::Swarm(_) = self.manager else { return None };
        Swarm::handed_outside(&View { members: &self.members, thread: &self.thread })
    }

    fn choose(&mut self) -> Result<Decision, SpeakingError> {
        let view = View { members: &self.members, thread: &self.thread };
        let choice = self.manager.choose(&view)?;
        Ok(self.carry_out(choice))
    }

    fn carry_out(&mut self, choice: Choice) -> Decision {
        match choice {
            Choice::Ask(question) => {
                self.is_asking = true;
                decided(Next::Ask(question))
            }
            Choice::Finish(stop) => decided(Next::Stop(stop)),
            Choice::Speak(names) => {
                let turns: Vec<Turn> = names.into_iter().map(|name| self.turn(name)).collect();
                self.speak(turns)
            }
            Choice::Tell(speaker, inbox) => {
                self.hears_all(&speaker);
                self.speak(vec![Turn { speaker, inbox }])
            }
            Choice::Say { messages, forgets, then } => {
                if forgets {
                    let heard = self.thread.len();
                    self.heard = self.members.iter().map(|member| (member.name.clone(), heard)).collect();
                }
                let said =
                    messages.iter().cloned().map(|message| Entry { by: None, message, is_inner: false });
                self.thread.extend(said);
                let after = self.carry_out(*then);
                let messages = messages.into_iter().chain(after.messages).collect();
                Decision { messages, forgets: forgets || after.forgets, ..after }
            }
        }
    }

    fn turn(&mut self, speaker: String) -> Turn {
        let from = self.hears_all(&speaker);
        let news = self.thread.get(from..).unwrap_or_default();
        let is_for_them = |entry: &&Entry| {
            entry.message.is_chat() && !entry.is_inner && entry.by.as_ref() != Some(&speaker)
        };
        let inbox = news.iter().filter(is_for_them).map(|entry| entry.message.clone()).collect();
        Turn { speaker, inbox }
    }

    /// This one speaks, and hears for it what there is in the thread. Gives up to where they had heard before.
    fn hears_all(&mut self, speaker: &str) -> usize {
        let before = self.heard.insert(speaker.to_owned(), self.thread.len()).unwrap_or(0);
        self.speaking.insert(speaker.to_owned(), before);
        before
    }

    /// Nobody speaks any more, and no model is asked. Gives who was to speak: they have heard nothing for it, and where
    /// all speak in turn, it is still theirs.
    fn break_off(&mut self) -> Vec<String> {
        self.is_asking = false;
        let speaking = std::mem::take(&mut self.speaking);
        if let Manager::RoundRobin { next } = &mut self.manager
            && let Some(number) = self.members.iter().position(|one| speaking.contains_key(&one.name))
        {
            *next = number;
        }
        self.heard.extend(speaking.clone());
        speaking.into_keys().collect()
    }

    fn speak(&self, turns: Vec<Turn>) -> Decision {
        let mut messages = Vec::new();
        if self.tells_speakers {
            let content = turns.iter().map(|turn| turn.speaker.clone()).collect();
            let source = self.manager.name().to_owned();
            messages.push(Message { source, usage: None, body: Body::SelectSpeaker { content } });
        }
        Decision { messages, ..decided(Next::Speak(turns)) }
    }

    fn end_of(&mut self, said: &[Message], now: u64) -> Option<Stop> {
        // A condition that holds is reset with the next task, and not asked before.
        self.termination.as_mut()?.check(said, now).ok()?
    }
}

impl Manager {
    fn name(&self) -> &'static str {
        match self {
            Self::RoundRobin { .. } => "RoundRobinGroupChatManager",
            Self::Selector(_) => "SelectorGroupChatManager",
            Self::Swarm(_) => "SwarmGroupChatManager",
            Self::MagenticOne(_) => super::magentic::NAME,
            Self::GraphFlow(_) => super::graph_flow::NAME,
            Self::Steps(_) => super::steps::NAME,
        }
    }

    /// There is another task. Who spoke last is remembered, also where that was on an earlier one.
    fn begin(&mut self, earlier: &[Message], task: Vec<Message>) {
        match self {
            Self::GraphFlow(graph) => graph.reset(),
            Self::Steps(stepping) => stepping.begin(task),
            Self::MagenticOne(magentic) => magentic.begin(earlier, &task),
            Self::RoundRobin { .. } | Self::Selector(_) | Self::Swarm(_) => {}
        }
    }

    fn choose(&mut self, view: &View<'_>) -> Result<Choice, SpeakingError> {
        Ok(match self {
            Self::RoundRobin { next } => {
                let number = *next % view.members.len().max(1);
                *next = number + 1;
                let member = view.members.get(number).ok_or(SpeakingError::Nobody)?;
                Choice::Speak(vec![member.name.clone()])
            }
            Self::Selector(selecting) => selecting.choose(view)?,
            Self::Swarm(swarm) => Choice::Speak(vec![swarm.choose(view)?]),
            Self::MagenticOne(magentic) => magentic.choose(view)?,
            Self::GraphFlow(graph) => graph.choose(),
            Self::Steps(stepping) => stepping.choose(view)?,
        })
    }

    fn hear(&mut self, speaker: &str, message: &Message) {
        match self {
            Self::GraphFlow(graph) => graph.hear(speaker, message),
            Self::Selector(selecting) => selecting.hear(speaker),
            Self::Steps(stepping) => stepping.hear(message),
            Self::RoundRobin { .. } | Self::Swarm(_) | Self::MagenticOne(_) => {}
        }
    }

    /// Why there is nothing left to do, which is looked at before the condition.
    fn completion(&self) -> Option<Stop> {
        match self {
            Self::GraphFlow(graph) => graph.completion(),
            Self::Steps(stepping) => stepping.completion(),
            _ => None,
        }
    }
}

fn decided(next: Next) -> Decision {
    Decision { messages: Vec::new(), forgets: false, unheard: Vec::new(), next }
}
