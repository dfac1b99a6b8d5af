//! What has happened in a team so far. Who speaks next, and what everybody has heard, follows from it alone: a run
//! that is taken up again, continued or sent back has no state beside it that could differ.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use teamfile::{
    Message, Usage,
    speaking::{Conversation, Decision, Next, SpeakingError},
    team::Team,
};

use super::memory;

/// Something that the team was told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Happened {
    /// Somebody's turn is over.
    Spoke {
        speaker: String,
        /// What was said and done.
        said: Vec<Message>,
        /// The same as the speaker's model remembers it.
        remembered: Vec<llm::Message>,
    },
    /// The model that chooses has answered.
    Replied { answer: String, usage: Usage },
}

/// How far a team has come.
pub(super) struct Course {
    conversation: Conversation,
    decision: Decision,
    memories: BTreeMap<String, Vec<llm::Message>>,
    turns: u32,
    tokens: Usage,
}

impl Course {
    /// The course that these lead to.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub(super) fn of(
        team: &Team,
        task: &str,
        happened: impl Iterator<Item = Happened>,
    ) -> Result<Self, SpeakingError> {
        let mut conversation = Conversation::new(team, 0)?;
        let decision = conversation.start(vec![Message::text("user", task)], 0)?;
        let (memories, tokens) = (BTreeMap::new(), Usage::default());
        let mut course = Self { conversation, decision, memories, turns: 0, tokens };
        course.deliver();
        for next in happened {
            course.tell(next)?;
        }
        Ok(course)
    }

    /// Goes on by one step.
    ///
    /// # Errors
    /// See [`SpeakingError`].
    pub(super) fn tell(&mut self, happened: Happened) -> Result<(), SpeakingError> {
        self.decision = match happened {
            Happened::Spoke { speaker, said, remembered } => {
                self.turns = self.turns.saturating_add(1);
                said.iter().filter_map(|message| message.usage).for_each(|usage| self.count(usage));
                self.memories.entry(speaker.clone()).or_default().extend(remembered);
                self.conversation.answered(&speaker, said, 0)?
            }
            Happened::Replied { answer, usage } => {
                self.count(usage);
                self.conversation.replied(&answer, 0)?
            }
        };
        self.deliver();
        Ok(())
    }

    /// What is to be done next.
    pub(super) fn next(&self) -> &Next {
        &self.decision.next
    }

    /// What this one has not heard before its turn; empty if it has none.
    pub(super) fn inbox(&self, speaker: &str) -> &[Message] {
        match &self.decision.next {
            Next::Speak(turns) => {
                turns.iter().find(|turn| turn.speaker == speaker).map_or(&[], |turn| turn.inbox.as_slice())
            }
            _ => &[],
        }
    }

    /// All that this one's model has heard and said.
    pub(super) fn memory(&self, speaker: &str) -> &[llm::Message] {
        self.memories.get(speaker).map_or(&[], Vec::as_slice)
    }

    /// All that was said and done.
    pub(super) fn thread(&self) -> impl Iterator<Item = &Message> {
        self.conversation.thread()
    }

    /// Turns that were taken.
    pub(super) fn turns(&self) -> u32 {
        self.turns
    }

    /// Tokens of all calls.
    pub(super) fn tokens(&self) -> Usage {
        self.tokens
    }

    fn count(&mut self, usage: Usage) {
        self.tokens.prompt = self.tokens.prompt.saturating_add(usage.prompt);
        self.tokens.completion = self.tokens.completion.saturating_add(usage.completion);
    }

    fn deliver(&mut self) {
        if let Next::Speak(turns) = &self.decision.next {
            for turn in turns {
                let heard = turn.inbox.iter().flat_map(memory::heard);
                self.memories.entry(turn.speaker.clone()).or_default().extend(heard);
            }
        }
    }
}
