//! One attempt at an answer, successful or not.

use futures::StreamExt;
use protocol::Usage;

use crate::{
    ChatError, ChatRequest, Piece, Sink, TimeoutPhase,
    calls::{Calls, ToolPiece},
    config::Timeouts,
    deadline::Deadline,
    partial_answer::{CompleteAnswer, Delta, PartialAnswer},
    repetition::Repetition,
    thoughts::Split,
    tool_name, tool_text,
    wire::{Refusal, Wire},
};

/// The request of an attempt, and its limits of time and size.
pub(crate) struct AttemptRequest<'a> {
    pub(crate) model: &'a str,
    pub(crate) wire: &'a dyn Wire,
    pub(crate) request: &'a ChatRequest,
    pub(crate) timeouts: &'a Timeouts,
    /// The timeout of the whole call, which this attempt is a part of.
    pub(crate) total: &'a Deadline<'a>,
    pub(crate) max_answer_bytes: usize,
    /// The most tokens of the answer, thoughts included.
    pub(crate) most_tokens: u32,
}

/// An upper bound of the bytes of a token, in any language.
const BYTES_A_TOKEN: usize = 8;

/// The result of an attempt.
pub(crate) struct Outcome {
    pub(crate) result: Result<CompleteAnswer, ChatError>,
    /// The tokens that the provider reported, also those of an answer that failed.
    pub(crate) usage: Usage,
    /// Whether the provider refused before it generated anything, so that nothing is charged.
    pub(crate) free: bool,
}

impl AttemptRequest<'_> {
    /// Sends the request once, and passes pieces of the answer to the sink as they come.
    pub(crate) async fn run(&self, sink: Sink<'_>) -> Outcome {
        sink(Piece::Begin);
        let mut partial = PartialAnswer::new(self.model, self.max_answer_bytes);
        match self.write(&mut partial, sink).await {
            Ok(()) => {
                let usage = partial.usage();
                Outcome { result: self.complete(partial), usage, free: false }
            }
            Err(Refusal { error, free }) => Outcome { result: Err(error), usage: partial.usage(), free },
        }
    }

    async fn write(&self, partial: &mut PartialAnswer, sink: Sink<'_>) -> Result<(), Refusal> {
        let Timeouts { first_token, idle, grace, .. } = *self.timeouts;
        let mut deadline = Deadline::new(self.model, TimeoutPhase::FirstToken, first_token);
        let opened =
            self.wait_for(&deadline, self.wire.open(self.model, self.request, self.most_tokens)).await;
        let mut deltas = opened.map_err(Refusal::after_asking)??;
        let mut split = Split::default();
        let (mut answer, mut thoughts) = (Repetition::default(), Repetition::default());
        while !partial.is_done() {
            let delta = match self.wait_for(&deadline, deltas.next()).await {
                Ok(Some(Ok(delta))) => delta,
                Ok(None) => break,
                // The answer is complete: only the usage or the closing message is missing.
                Err(_) | Ok(Some(Err(_))) if partial.is_finished() => break,
                Ok(Some(Err(error))) | Err(error) => return Err(Refusal::after_asking(error)),
            };
            let progress = delta.is_progress();
            let was_finished = partial.is_finished();
            let heard = match delta {
                Delta::Text(text) => split.add(&text),
                end @ (Delta::Finish(_) | Delta::Done) => split.end().into_iter().chain([end]).collect(),
                other => vec![other],
            };
            self.hear(heard, partial, sink).map_err(Refusal::after_asking)?;
            if partial.size() / BYTES_A_TOKEN > usize::try_from(self.most_tokens).unwrap_or(usize::MAX) {
                return Err(Refusal::after_asking(ChatError::TokenLimit { model: self.model.to_owned() }));
            }
            if answer.found(partial.text()) || thoughts.found(partial.thoughts()) {
                return Err(Refusal::after_asking(ChatError::Runaway { model: self.model.to_owned() }));
            }
            if partial.is_finished() {
                // Some servers leave the connection open after the end, so one grace period covers everything
                // that may follow.
                if !was_finished {
                    deadline = Deadline::new(self.model, TimeoutPhase::Idle, grace);
                }
            } else if progress {
                deadline = Deadline::new(self.model, TimeoutPhase::Idle, idle);
            }
        }
        Ok(())
    }

    /// The complete answer, with tool calls that stand in its text turned into tool requests.
    fn complete(&self, partial: PartialAnswer) -> Result<CompleteAnswer, ChatError> {
        let mut answer = self.with_calls_of_text(partial.complete(&self.request.messages)?)?;
        for request in &mut answer.tool_requests {
            if let Some(name) = tool_name::meant(&request.name, &self.request.tools) {
                name.clone_into(&mut request.name);
            }
        }
        Ok(answer)
    }

    fn with_calls_of_text(&self, answer: CompleteAnswer) -> Result<CompleteAnswer, ChatError> {
        let Some(found) = tool_text::find(&answer.text, &self.request.tools) else { return Ok(answer) };
        let mut tool_requests = answer.tool_requests;
        if tool_requests.is_empty() {
            let mut calls = Calls::default();
            for (index, call) in (0..).zip(found.calls) {
                if self.request.tools.is_empty() {
                    let model = self.model.to_owned();
                    return Err(ChatError::NoSuchTool { model, tool: call.name.chars().take(64).collect() });
                }
                let (index, name) = (Some(index), Some(call.name));
                let piece = ToolPiece { index, name, arguments: call.arguments, ..ToolPiece::default() };
                calls.add(piece, self.model)?;
            }
            tool_requests = calls.complete(self.model, &self.request.messages, true)?;
        }
        Ok(CompleteAnswer { text: found.text, tool_requests, ..answer })
    }

    /// Adds a step to the partial answer, and passes it to the sink.
    fn hear(
        &self,
        deltas: Vec<Delta>,
        partial: &mut PartialAnswer,
        sink: &mut (dyn FnMut(Piece<'_>) + Send),
    ) -> Result<(), ChatError> {
        for delta in deltas {
            match &delta {
                Delta::Text(text) => sink(Piece::Text(text)),
                Delta::Thought(thought) => sink(Piece::Thought(thought)),
                _ => {}
            }
            let all_anew = matches!(delta, Delta::WereThoughts(_));
            partial.add(delta)?;
            if all_anew {
                sink(Piece::Begin);
                sink(Piece::Thought(partial.thoughts()));
                sink(Piece::Text(partial.text()));
            }
        }
        Ok(())
    }

    /// Waits with this step's timeout, which never exceeds the whole call's.
    async fn wait_for<T>(
        &self,
        deadline: &Deadline<'_>,
        work: impl Future<Output = T>,
    ) -> Result<T, ChatError> {
        self.total.run(deadline.run(work)).await.flatten()
    }
}
