//! What has happened in a team so far. Who speaks next, and what everybody has heard, follows from it alone: a run
//! that is taken up again, continued or sent back has no state beside it that could differ.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use teamfile::{
    Body, Message, Usage,
    speaking::{Conversation, Next, SpeakingError},
    team::Team,
    termination::Progress,
};

use super::memory;

/// Something that the team was told. Times are milliseconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Happened {
    /// It was given a task.
    Began {
        /// What was said in an earlier conversation that the task goes on with.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<Message>,
        /// The task.
        task: Vec<Message>,
        /// When.
        at: u64,
    },
    /// Somebody's turn is over.
    Spoke(Spoke),
    /// The model that leads has answered.
    Replied {
        /// What it said.
        answer: String,
        /// Tokens of the call.
        usage: Usage,
    },
    /// Somebody outside of the team wanted it to end, before whoever speaks next began.
    ToldToEnd {
        /// When.
        at: u64,
    },
    /// Everybody has forgotten what was said.
    Reset,
}

/// A turn that is over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spoke {
    /// Whose turn it was.
    pub(super) speaker: String,
    /// What was said and done on the way, which the others do not hear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) inner: Vec<Message>,
    /// What was said and done.
    pub(super) said: Vec<Message>,
    /// The same as the speaker's model remembers it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) remembered: Vec<llm::Message>,
    /// How often the speaker's model was asked.
    #[serde(default)]
    pub(super) asked: u32,
    /// When the turn was over.
    pub(super) at: u64,
}

/// How far a team has come.
#[derive(Clone)]
pub(super) struct Course {
    team: Arc<Team>,
    conversation: Conversation,
    next: Option<Next>,
    /// What whoever leads the team says before that.
    told: Vec<Message>,
    memories: BTreeMap<String, Vec<llm::Message>>,
    inboxes: BTreeMap<String, Vec<Message>>,
    asked: BTreeMap<String, u32>,
    replies: u32,
    spoke_last: Option<String>,
    turns: u32,
    tokens: Usage,
    steps: u64,
    now: u64,
    /// Messages of the thread before the present task, and before the answer to it.
    task_at: usize,
    answer_at: usize,
    /// Why the team cannot go on. Another task is taken all the same.
    failure: Option<SpeakingError>,
}

impl Course {
    /// The course before anything has happened.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub(super) fn new(team: Arc<Team>) -> Result<Self, SpeakingError> {
        Ok(Self {
            conversation: Conversation::new(&team, 0)?,
            team,
            next: None,
            told: Vec::new(),
            memories: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            asked: BTreeMap::new(),
            replies: 0,
            spoke_last: None,
            turns: 0,
            tokens: Usage::default(),
            steps: 0,
            now: 0,
            task_at: 0,
            answer_at: 0,
            failure: None,
        })
    }

    /// Goes on by one step. What keeps the team from going on is [`Course::failure`] until there is another task.
    pub(super) fn tell(&mut self, happened: Happened) {
        if self.failure.is_none() || matches!(happened, Happened::Began { .. } | Happened::Reset) {
            self.failure = self.go_on(happened).err();
        }
    }

    fn go_on(&mut self, happened: Happened) -> Result<(), SpeakingError> {
        self.steps = self.steps.saturating_add(1);
        let decision = match happened {
            Happened::Began { earlier, task, at } => {
                self.now = at;
                self.task_at = self.conversation.thread().count().saturating_add(earlier.len());
                self.answer_at = self.task_at.saturating_add(task.len());
                (self.turns, self.tokens) = (0, Usage::default());
                self.conversation.start_after(earlier, task, at)?
            }
            Happened::Spoke(Spoke { speaker, inner, said, remembered, asked, at }) => {
                self.now = at;
                self.turns = self.turns.saturating_add(1);
                inner.iter().chain(&said).filter_map(|one| one.usage).for_each(|usage| self.count(usage));
                self.memories.entry(speaker.clone()).or_default().extend(remembered);
                let answers = self.asked.entry(speaker.clone()).or_default();
                *answers = answers.saturating_add(asked);
                let decision = self.conversation.answered_after(&speaker, inner, said, at)?;
                self.spoke_last = Some(speaker);
                decision
            }
            Happened::Replied { answer, usage } => {
                self.replies = self.replies.saturating_add(1);
                self.count(usage);
                self.conversation.replied(&answer)?
            }
            Happened::ToldToEnd { at } => {
                self.now = at;
                match self.conversation.tell_from_outside(at) {
                    Some(decision) => decision,
                    None => return Ok(()),
                }
            }
            Happened::Reset => {
                self.conversation = Conversation::new(&self.team, self.now)?;
                self.memories.clear();
                self.inboxes.clear();
                (self.next, self.spoke_last) = (None, None);
                (self.task_at, self.answer_at) = (0, 0);
                self.told.clear();
                return Ok(());
            }
        };
        for speaker in &decision.unheard {
            self.take_back(speaker);
        }
        if decision.forgets {
            self.memories.clear();
        }
        if let Next::Speak(turns) = &decision.next {
            for turn in turns {
                let heard = turn.inbox.iter().flat_map(memory::heard);
                self.memories.entry(turn.speaker.clone()).or_default().extend(heard);
                self.inboxes.insert(turn.speaker.clone(), turn.inbox.clone());
            }
        }
        (self.next, self.told) = (Some(decision.next), decision.messages);
        Ok(())
    }

    /// What is to be done next; `None` before the first task.
    pub(super) fn next(&self) -> Option<&Next> {
        self.next.as_ref()
    }

    /// What whoever leads the team says before the next step.
    pub(super) fn told(&self) -> &[Message] {
        &self.told
    }

    /// What this one had not heard before its latest turn.
    pub(super) fn inbox(&self, speaker: &str) -> &[Message] {
        self.inboxes.get(speaker).map_or(&[], Vec::as_slice)
    }

    /// All that this one's model has heard and said.
    pub(super) fn memory(&self, speaker: &str) -> &[llm::Message] {
        self.memories.get(speaker).map_or(&[], Vec::as_slice)
    }

    /// How often this one's model was asked in earlier turns.
    pub(super) fn asked(&self, speaker: &str) -> u32 {
        self.asked.get(speaker).copied().unwrap_or_default()
    }

    /// Whose turn was the last one.
    pub(super) fn spoke_last(&self) -> Option<&str> {
        self.spoke_last.as_deref()
    }

    /// How often the model that leads was asked.
    pub(super) fn replies(&self) -> u32 {
        self.replies
    }

    /// Why the team cannot go on with its task.
    pub(super) fn failure(&self) -> Option<&SpeakingError> {
        self.failure.as_ref()
    }

    /// All that was said and done.
    pub(super) fn thread(&self) -> impl Iterator<Item = &Message> {
        self.conversation.thread()
    }

    /// What was said and done on the present task, and the task.
    pub(super) fn on_task(&self) -> impl Iterator<Item = &Message> {
        self.conversation.thread().skip(self.task_at)
    }

    /// The same without the task.
    pub(super) fn answer(&self) -> Vec<Message> {
        self.conversation.thread().skip(self.answer_at).cloned().collect()
    }

    /// A task as the team can take it: where somebody has handed the work over to whoever gives the task, it is handed
    /// back to them.
    pub(super) fn handed_back(&self, mut task: Vec<Message>) -> Vec<Message> {
        if let Some(target) = self.conversation.handed_outside()
            && !task.iter().any(|message| matches!(message.body, Body::Handoff { .. }))
            && let Some(message) = task.iter_mut().find(|message| matches!(message.body, Body::Text { .. }))
        {
            let (target, content) = (target.to_owned(), message.to_text());
            message.body = Body::Handoff { target, content, context: Vec::new() };
        }
        task
    }

    /// Turns that were taken on the present task.
    pub(super) fn turns(&self) -> u32 {
        self.turns
    }

    /// Tokens of all calls for it.
    pub(super) fn tokens(&self) -> Usage {
        self.tokens
    }

    /// How far the team is from every end that is counted.
    pub(super) fn progress(&self) -> Vec<Progress> {
        self.conversation.progress()
    }

    /// How many things have happened.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// When the latest of them did.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Somebody has not heard what they were told for a turn that they did not take.
    fn take_back(&mut self, speaker: &str) {
        let inbox = self.inboxes.remove(speaker).unwrap_or_default();
        let heard = inbox.iter().map(|message| memory::heard(message).len()).sum::<usize>();
        if let Some(memory) = self.memories.get_mut(speaker) {
            memory.truncate(memory.len().saturating_sub(heard));
        }
    }

    fn count(&mut self, usage: Usage) {
        self.tokens.prompt = self.tokens.prompt.saturating_add(usage.prompt);
        self.tokens.completion = self.tokens.completion.saturating_add(usage.completion);
    }
}
