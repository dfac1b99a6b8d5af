//! One attempt at an answer, successful or not.

use futures::StreamExt;
use protocol::Usage;

use crate::{
    ChatError, ChatRequest, Piece, Sink, TimeoutPhase,
    calls::{Calls, ToolPiece},
    config::Timeouts,
    draft::{Delta, Draft, Written},
    patience::Patience,
    repetition::Repetition,
    thoughts::Split,
    tool_name, tool_text,
    wire::{Refusal, Wire},
};

/// The request of an attempt, and its limits of time and size.
pub(crate) struct Attempt<'a> {
    pub(crate) model: &'a str,
    pub(crate) wire: &'a dyn Wire,
    pub(crate) request: &'a ChatRequest,
    pub(crate) timeouts: &'a Timeouts,
    /// The timeout of the whole call, which this attempt is a part of.
    pub(crate) total: &'a Patience<'a>,
    pub(crate) max_answer_bytes: usize,
    /// The most tokens of the answer, thoughts included.
    pub(crate) most_tokens: u32,
}

/// An upper bound of the bytes of a token, in any language.
const BYTES_A_TOKEN: usize = 8;

/// The result of an attempt.
pub(crate) struct Outcome {
    pub(crate) result: Result<Written, ChatError>,
    /// The tokens that the provider reported, also those of an answer that failed.
    pub(crate) usage: Usage,
    /// Whether the provider refused before it generated anything, so that nothing is charged.
    pub(crate) free: bool,
}

impl Attempt<'_> {
    /// Sends the request once, and passes pieces of the answer to the sink as they come.
    pub(crate) async fn run(&self, sink: Sink<'_>) -> Outcome {
        sink(Piece::Begin);
        let mut draft = Draft::new(self.model, self.max_answer_bytes);
        match self.write(&mut draft, sink).await {
            Ok(()) => {
                let usage = draft.usage();
                Outcome { result: self.complete(draft), usage, free: false }
            }
            Err(Refusal { error, free }) => Outcome { result: Err(error), usage: draft.usage(), free },
        }
    }

    async fn write(&self, draft: &mut Draft, sink: Sink<'_>) -> Result<(), Refusal> {
        let Timeouts { first_token, idle, grace, .. } = *self.timeouts;
        let mut patience = Patience::new(self.model, TimeoutPhase::FirstToken, first_token);
        let opened =
            self.wait_for(&patience, self.wire.open(self.model, self.request, self.most_tokens)).await;
        let mut deltas = opened.map_err(Refusal::after_asking)??;
        let mut split = Split::default();
        let (mut answer, mut thoughts) = (Repetition::default(), Repetition::default());
        while !draft.is_done() {
            let delta = match self.wait_for(&patience, deltas.next()).await {
                Ok(Some(Ok(delta))) => delta,
                Ok(None) => break,
                // The answer is complete: only the usage or the closing message is missing.
                Err(_) | Ok(Some(Err(_))) if draft.is_finished() => break,
                Ok(Some(Err(error))) | Err(error) => return Err(Refusal::after_asking(error)),
            };
            let progress = delta.is_progress();
            let was_finished = draft.is_finished();
            let heard = match delta {
                Delta::Text(text) => split.add(&text),
                end @ (Delta::Finish(_) | Delta::Done) => split.end().into_iter().chain([end]).collect(),
                other => vec![other],
            };
            self.hear(heard, draft, sink).map_err(Refusal::after_asking)?;
            if draft.size() / BYTES_A_TOKEN > usize::try_from(self.most_tokens).unwrap_or(usize::MAX) {
                return Err(Refusal::after_asking(ChatError::TokenLimit { model: self.model.to_owned() }));
            }
            if answer.found(draft.text()) || thoughts.found(draft.thoughts()) {
                return Err(Refusal::after_asking(ChatError::Runaway { model: self.model.to_owned() }));
            }
            if draft.is_finished() {
                // Some servers leave the connection open after the end, so one grace period covers everything
                // that may follow.
                if !was_finished {
                    patience = Patience::new(self.model, TimeoutPhase::Idle, grace);
                }
            } else if progress {
                patience = Patience::new(self.model, TimeoutPhase::Idle, idle);
            }
        }
        Ok(())
    }

    /// The complete answer, with tool calls that stand in its text turned into tool requests.
    fn complete(&self, draft: Draft) -> Result<Written, ChatError> {
        let mut written = self.with_calls_of_text(draft.complete(&self.request.messages)?)?;
        for request in &mut written.tool_requests {
            if let Some(name) = tool_name::meant(&request.name, &self.request.tools) {
                name.clone_into(&mut request.name);
            }
        }
        Ok(written)
    }

    fn with_calls_of_text(&self, written: Written) -> Result<Written, ChatError> {
        let Some(found) = tool_text::find(&written.text, &self.request.tools) else { return Ok(written) };
        let mut tool_requests = written.tool_requests;
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
        Ok(Written { text: found.text, tool_requests, ..written })
    }

    /// Adds a step to the draft, and passes it to the sink.
    fn hear(
        &self,
        deltas: Vec<Delta>,
        draft: &mut Draft,
        sink: &mut (dyn FnMut(Piece<'_>) + Send),
    ) -> Result<(), ChatError> {
        for delta in deltas {
            match &delta {
                Delta::Text(text) => sink(Piece::Text(text)),
                Delta::Thought(thought) => sink(Piece::Thought(thought)),
                _ => {}
            }
            let all_anew = matches!(delta, Delta::WereThoughts(_));
            draft.add(delta)?;
            if all_anew {
                sink(Piece::Begin);
                sink(Piece::Thought(draft.thoughts()));
                sink(Piece::Text(draft.text()));
            }
        }
        Ok(())
    }

    /// Waits with this step's timeout, which never exceeds the whole call's.
    async fn wait_for<T>(
        &self,
        patience: &Patience<'_>,
        work: impl Future<Output = T>,
    ) -> Result<T, ChatError> {
        self.total.wait_for(patience.wait_for(work)).await.flatten()
    }
}
