//! Trials: a run that continues another one before a visit, makes that visit with something changed, and ends there.
//! A step of any family can be tried.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use llm::{ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Sink, render_message};
use protocol::{
    Decimal, Digest, FlowSpec, Heading, KindSpec, RunRequest, Temperature, Tier, Trial, Usage, WorkflowKind,
};

use crate::{Job, Refusal};

/// What all trials have in common.
pub(crate) fn kind() -> Option<KindSpec> {
    Some(KindSpec {
        kind: Trial::KIND.parse().ok()?,
        family: Trial::KIND.to_owned(),
        label: "Trial".to_owned(),
        hint: "One step of a run made again, with another prompt, model or temperature.".to_owned(),
        icon: "review".to_owned(),
        subject: None,
        day: None,
        phases: Vec::new(),
        flow: FlowSpec {
            new: "A trial belongs to the flow of the run whose step it makes again.".to_owned(),
            joined: "Runs of the flow take nothing from a trial.".to_owned(),
            reads: None,
        },
        only_below: true,
    })
}

/// Whether runs of this kind are trials.
pub(crate) fn is_kind(kind: &WorkflowKind) -> bool {
    kind.as_str() == Trial::KIND
}

/// The trial that is asked for, and the request of the run whose step it makes again; `None` for any other run.
pub(crate) fn of(request: &RunRequest) -> Result<Option<(Trial, RunRequest)>, Refusal> {
    match Trial::read(&request.workflow) {
        None => Ok(None),
        Some(Err(error)) => {
            Err(Refusal::Parameters { kind: request.workflow.kind().clone(), why: error.to_string() })
        }
        Some(Ok(trial)) if is_kind(trial.workflow.kind()) => Err(Refusal::Unusable(
            "A trial cannot be tried. Try the step in the run that it is of.".to_owned(),
        )),
        Some(Ok(trial)) => {
            let tried = RunRequest { workflow: trial.workflow.clone(), ..request.clone() };
            Ok(Some((trial, tried)))
        }
    }
}

/// The job of a trial, of that of the run whose step it makes again.
pub(crate) fn job(trial: Trial, tried: Job) -> Result<Job, Refusal> {
    let Job { workflow, heading, mut graph, profiles } = tried;
    graph.only(trial.node.clone(), trial.visit);
    let Trial { name, number, of, node, .. } = &trial;
    let node = graph.plan(node).map_or(node.as_str(), |plan| plan.label.as_str());
    let title = format!("Trial {name} {number} of {of} \u{b7} {node} \u{b7} {}", heading.title);
    let heading = Heading { title, ..heading };
    let trial = Trial { workflow, ..trial };
    Ok(Job { workflow: trial.to_workflow().map_err(Refusal::Unusable)?, heading, graph, profiles })
}

/// A model that is asked what a trial changes.
pub(crate) struct Varied {
    model: Arc<dyn ChatModel>,
    tier: Option<Tier>,
    temperature: Option<Temperature>,
    /// What messages say instead, by their digests.
    replaced: HashMap<Digest, String>,
    /// Whether the model of the trial answers in the place of one that the node names.
    is_model_chosen: bool,
}

impl Varied {
    pub(crate) fn new(model: Arc<dyn ChatModel>, trial: Trial) -> Self {
        let Trial { tier, temperature, replaced, is_model_chosen, .. } = trial;
        let replaced = replaced.into_iter().map(|changed| (changed.message, changed.text)).collect();
        Self { model, tier, temperature, replaced, is_model_chosen }
    }

    /// What a message says instead, if it says something else.
    fn instead_of(&self, message: &Message) -> Option<&String> {
        if self.replaced.is_empty() {
            return None;
        }
        self.replaced.get(&journal::digest(&render_message(message)).ok()?)
    }
}

#[async_trait]
impl ChatModel for Varied {
    fn model(&self, tier: Tier) -> String {
        self.model.model(tier)
    }

    fn model_of(&self, request: &ChatRequest) -> String {
        self.model.model_of(request)
    }

    fn adapt(&self, request: ChatRequest) -> ChatRequest {
        let messages = request.messages.into_iter().map(|message| {
            let instead = self.instead_of(&message).cloned();
            match (message, instead) {
                (Message::System(_), Some(text)) => Message::System(text),
                (Message::User(_), Some(text)) => Message::User(text),
                (message, _) => message,
            }
        });
        ChatRequest {
            messages: messages.collect(),
            tier: self.tier.unwrap_or(request.tier),
            temperature: self.temperature.or(request.temperature),
            profile: request.profile.filter(|_| !self.is_model_chosen),
            ..request
        }
    }

    fn price(&self, tier: Tier, usage: &Usage) -> Option<Decimal> {
        self.model.price(tier, usage)
    }

    fn price_of(&self, request: &ChatRequest, usage: &Usage) -> Option<Decimal> {
        self.model.price_of(request, usage)
    }

    async fn chat(&self, request: &ChatRequest, sink: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        self.model.chat(request, sink).await
    }
}
