//! Watches for the end of a team, as a state machine over what is said and done.
//!
//! A condition is given the messages since it was last asked. Once it holds it is latched: it has to be reset before
//! it can be asked again. The state is serialisable, so that a run that is resumed goes on counting where it was.
//! Time is given from outside in milliseconds: no clock is read here.

use serde::{Deserialize, Serialize};

use crate::{
    message::{Body, Message},
    team::Condition,
};

/// Watches for the end of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Termination {
    root: Watch,
}

/// Why a team ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The reason, in AutoGen's words.
    pub content: String,
    /// The condition's class, or several with commas between them.
    pub source: String,
}

/// How far a team is from an end that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is counted.
    pub counted: Counted,
    /// How many there are.
    pub reached: u64,
    /// At how many it ends.
    pub most: u64,
}

/// What is counted toward the end of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Messages, the task's included.
    Messages,
    /// Tokens of prompts and answers.
    Tokens,
    /// Tokens of prompts.
    PromptTokens,
    /// Tokens of answers.
    CompletionTokens,
    /// Turns.
    Turns,
}

/// The team has ended already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The team has ended. Begin anew before it goes on.")]
pub struct AlreadyStopped;

/// The team ends by a condition that nobody here can watch for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The team ends by “{provider}”, which is not known. Replace that condition.")]
pub struct UnknownCondition {
    /// What the file calls it.
    pub provider: String,
}

/// One condition with its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Watch {
    condition: Condition,
    state: State,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inner: Vec<Watch>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    is_latched: bool,
    /// Messages that were counted.
    messages: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    /// When the clock was started, in milliseconds.
    since: u64,
    is_told_from_outside: bool,
    /// Reasons of the conditions within, in the order in which they held.
    reasons: Vec<Stop>,
}

impl Termination {
    /// Watches for a condition from this moment on.
    ///
    /// # Errors
    /// Where one of the conditions is of a kind that is not known.
    pub fn new(condition: &Condition, now: u64) -> Result<Self, UnknownCondition> {
        Ok(Self { root: Watch::new(condition, now)? })
    }

    /// Whether it holds, now that there are these messages beside those before.
    ///
    /// # Errors
    /// [`AlreadyStopped`] if it held before and was not reset since.
    pub fn check(&mut self, new: &[Message], now: u64) -> Result<Option<Stop>, AlreadyStopped> {
        self.root.check(new, now)
    }

    /// Whether it holds, and was not reset since.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.root.is_latched()
    }

    /// How far it is by everything that it counts, in the order of the conditions.
    #[must_use]
    pub fn progress(&self) -> Vec<Progress> {
        let mut progress = Vec::new();
        self.root.count_into(&mut progress);
        progress
    }

    /// Begins anew, from this moment on.
    pub fn reset(&mut self, now: u64) {
        self.root.reset(now);
    }

    /// Somebody outside of the team wants it to end. It does so when it is next asked.
    pub fn tell_from_outside(&mut self) {
        self.root.tell_from_outside();
    }
}

impl Watch {
    fn new(condition: &Condition, now: u64) -> Result<Self, UnknownCondition> {
        if let Condition::Unknown { provider, .. } = condition {
            return Err(UnknownCondition { provider: provider.clone() });
        }
        let inner = condition.inner().iter().map(|inner| Self::new(inner, now)).collect::<Result<_, _>>()?;
        // The conditions within stand in `inner`, with their states, and only there.
        let condition = match condition {
            Condition::Any { .. } => Condition::Any { conditions: Vec::new() },
            Condition::All { .. } => Condition::All { conditions: Vec::new() },
            simple => simple.clone(),
        };
        Ok(Self { condition, state: State { since: now, ..State::default() }, inner })
    }

    fn count_into(&self, progress: &mut Vec<Progress>) {
        let State { messages, prompt_tokens: prompt, completion_tokens: completion, .. } = self.state;
        let mut add = |counted, reached, most: Option<u64>| {
            progress.extend(most.map(|most| Progress { counted, reached, most }));
        };
        match &self.condition {
            Condition::MaxMessages { max_messages, .. } => {
                add(Counted::Messages, messages, Some(*max_messages));
            }
            Condition::TokenUsage { max_total, max_prompt, max_completion } => {
                add(Counted::Tokens, prompt.saturating_add(completion), *max_total);
                add(Counted::PromptTokens, prompt, *max_prompt);
                add(Counted::CompletionTokens, completion, *max_completion);
            }
            _ => {}
        }
        self.inner.iter().for_each(|inner| inner.count_into(progress));
    }

    fn is_latched(&self) -> bool {
        match self.condition {
            Condition::Any { .. } => self.inner.iter().any(Self::is_latched),
            Condition::All { .. } => !self.inner.is_empty() && self.inner.iter().all(Self::is_latched),
            _ => self.state.is_latched,
        }
    }

    fn reset(&mut self, now: u64) {
        self.state = State { since: now, ..State::default() };
        self.inner.iter_mut().for_each(|inner| inner.reset(now));
    }

    fn tell_from_outside(&mut self) {
        self.state.is_told_from_outside = true;
        self.inner.iter_mut().for_each(Self::tell_from_outside);
    }

    fn check(&mut self, new: &[Message], now: u64) -> Result<Option<Stop>, AlreadyStopped> {
        if self.is_latched() {
            return Err(AlreadyStopped);
        }
        match self.condition {
            Condition::Any { .. } => self.check_any(new, now),
            Condition::All { .. } => self.check_all(new, now),
            _ => {
                let content = self.reason(new, now);
                self.state.is_latched = content.is_some();
                Ok(content.map(|content| Stop { content, source: self.condition.class().to_owned() }))
            }
        }
    }

    /// Every condition is asked, also after one of them held: each has to count what it sees.
    fn check_any(&mut self, new: &[Message], now: u64) -> Result<Option<Stop>, AlreadyStopped> {
        let mut reasons = Vec::new();
        for inner in &mut self.inner {
            reasons.extend(inner.check(new, now)?);
        }
        Ok((!reasons.is_empty()).then(|| joined(&reasons)))
    }

    /// Each condition is asked until it held once.
    fn check_all(&mut self, new: &[Message], now: u64) -> Result<Option<Stop>, AlreadyStopped> {
        for inner in self.inner.iter_mut().filter(|inner| !inner.is_latched()) {
            self.state.reasons.extend(inner.check(new, now)?);
        }
        Ok(self.is_latched().then(|| joined(&self.state.reasons)))
    }

    /// Why a simple condition holds.
    fn reason(&mut self, new: &[Message], now: u64) -> Option<String> {
        let state = &mut self.state;
        match &self.condition {
            Condition::MaxMessages { max_messages, include_agent_event } => {
                let counts = |message: &&Message| {
                    message.is_chat() || (*include_agent_event && !matches!(message.body, Body::Chunk { .. }))
                };
                let count = new.iter().filter(counts).count() as u64;
                state.messages = state.messages.saturating_add(count);
                (state.messages >= *max_messages).then(|| {
                    let count = state.messages;
                    format!(
                        "Maximum number of messages {max_messages} reached, current message count: {count}"
                    )
                })
            }
            Condition::TextMention { text } => new
                .iter()
                .any(|message| message.to_text().contains(text.as_str()))
                .then(|| format!("Text '{text}' mentioned")),
            Condition::StopMessage => new
                .iter()
                .any(|message| matches!(message.body, Body::Stop { .. }))
                .then(|| "Stop message received".to_owned()),
            Condition::TokenUsage { max_total, max_prompt, max_completion } => {
                for usage in new.iter().filter_map(|message| message.usage) {
                    state.prompt_tokens = state.prompt_tokens.saturating_add(usage.prompt);
                    state.completion_tokens = state.completion_tokens.saturating_add(usage.completion);
                }
                let (prompt, completion) = (state.prompt_tokens, state.completion_tokens);
                let total = prompt.saturating_add(completion);
                let is_reached = |limit: &Option<u64>, used: u64| limit.is_some_and(|limit| used >= limit);
                (is_reached(max_total, total)
                    || is_reached(max_prompt, prompt)
                    || is_reached(max_completion, completion))
                .then(|| {
                    format!(
                        "Token usage limit reached, total token count: {total}, prompt token count: {prompt}, completion token count: {completion}."
                    )
                })
            }
            Condition::Timeout { seconds } => {
                #[expect(clippy::cast_precision_loss, reason = "a run takes less than 2^53 milliseconds")]
                let passed = now.saturating_sub(state.since) as f64 / 1000.0;
                // `{:?}` writes 120.0 as AutoGen does.
                (passed >= *seconds).then(|| format!("Timeout of {seconds:?} seconds reached"))
            }
            Condition::External => {
                state.is_told_from_outside.then(|| "External termination requested".to_owned())
            }
            Condition::Handoff { target } => new
                .iter()
                .find(|message| matches!(&message.body, Body::Handoff { target: to, .. } if to == target))
                .map(|message| format!("Handoff to {target} from {} detected.", message.source)),
            Condition::SourceMatch { sources } => new
                .iter()
                .find(|message| sources.contains(&message.source))
                .map(|message| format!("'{}' answered", message.source)),
            Condition::TextMessage { source } => new
                .iter()
                .filter(|message| matches!(message.body, Body::Text { .. }))
                .find(|message| source.as_ref().is_none_or(|source| *source == message.source))
                .map(|message| format!("Text message received from '{}'", message.source)),
            Condition::FunctionCall { function_name } => new
                .iter()
                .any(|message| match &message.body {
                    Body::ToolCallExecution { content } => {
                        content.iter().any(|result| result.name == *function_name)
                    }
                    _ => false,
                })
                .then(|| format!("Function '{function_name}' was executed.")),
            Condition::Any { .. } | Condition::All { .. } | Condition::Unknown { .. } => None,
        }
    }
}

fn joined(stops: &[Stop]) -> Stop {
    let of = |part: fn(&Stop) -> &str| stops.iter().map(part).collect::<Vec<_>>().join(", ");
    Stop { content: of(|stop| &stop.content), source: of(|stop| &stop.source) }
}
