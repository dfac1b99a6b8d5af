//! Trials of a step: what they would cost, how they are started, and what they came to.

use journal::Journal;
use llm::ChatRequest;
use protocol::{
    AccountId, Approval, Body, CallView, Decimal, Event, ForkPoint, ForkRun, NodeId, Problem, ProfileName,
    PromptMessage, Replacement, RunFilter, RunId, RunRequest, RunSummary, RunView, StartTrials, StepOutcome,
    Text, Tier, Trial, TrialEstimate, TrialOutcome, TrialReport, TrialsStarted, TriedStep, Usage, Variant,
    VariantEstimate,
};
use std::sync::Arc;

use crate::{
    problem::{from_engine, from_journal},
    service::Service,
};

/// Events that are read in one go.
const PAGE: u32 = 1000;
/// Characters of a message that a page is given to change; a longer one stays as it is.
const LONGEST_MESSAGE: usize = 24_000;

impl Service {
    /// What trials of a step would cost, by the tokens that its recorded calls had.
    pub async fn estimate_trials(
        &self,
        run: &RunSummary,
        request: &StartTrials,
    ) -> Result<TrialEstimate, Problem> {
        let trials = request.count().map_err(Problem::invalid)?;
        let view = self.fold(run.run).await?;
        let step = Step::of(&view, &request.node, request.visit)?;
        let variants: Vec<VariantEstimate> = request
            .variants
            .iter()
            .enumerate()
            .map(|(place, variant)| self.estimate(&step, run, StartTrials::name(place), variant))
            .collect();
        let one_of_each = variants.iter().map(|variant| variant.cost).sum::<Option<Decimal>>();
        Ok(TrialEstimate {
            trials,
            calls: u32::try_from(step.calls.len()).unwrap_or(u32::MAX),
            usage: usage_of(step.usages()),
            total: one_of_each.and_then(|cost| cost.checked_mul(request.times.into())),
            variants,
        })
    }

    fn estimate(
        &self,
        step: &Step<'_>,
        run: &RunSummary,
        name: String,
        variant: &Variant,
    ) -> VariantEstimate {
        let request = RunRequest {
            model: variant.model.clone().unwrap_or_else(|| run.request.model.clone()),
            ..run.request.clone()
        };
        let model = self.families.answering(&request);
        let (mut models, mut cost, mut unknown) = (Vec::new(), Some(Decimal::ZERO), None);
        for (asked, usage) in step.asked() {
            // What is chosen for a trial answers in the place of the model that the node names.
            let profile = asked.profile.filter(|_| variant.model.is_none());
            let asked = ChatRequest { tier: variant.tier.unwrap_or(asked.tier), profile, ..asked };
            let named = model.model_of(&asked);
            let price = model.price_of(&asked, &usage);
            if price.is_none() {
                unknown.get_or_insert_with(|| match (usage.tokens_in, usage.tokens_out) {
                    (Some(_), Some(_)) => format!("The price of {named} is not known."),
                    _ => "The provider did not report the tokens of the recorded calls.".to_owned(),
                });
            }
            cost = cost.zip(price).and_then(|(cost, price)| cost.checked_add(price));
            if !models.contains(&named) {
                models.push(named);
            }
        }
        VariantEstimate { name, models, cost, unknown }
    }

    /// Starts the trials of a step. What cannot be started any more, once some were, is said beside them.
    pub async fn start_trials(
        &self,
        run: &RunSummary,
        request: StartTrials,
        owner: AccountId,
    ) -> Result<TrialsStarted, Problem> {
        request.count().map_err(Problem::invalid)?;
        let view = self.fold(run.run).await?;
        let step = Step::of(&view, &request.node, request.visit)?;
        if !run.status.is_over() {
            return Err(Problem::conflict("The run is still at work. Try its steps when it has ended."));
        }
        let mut trials = Vec::new();
        for (place, variant) in request.variants.iter().enumerate() {
            let replaced = self.replaced(&step, run.run, variant).await?;
            for number in 1..=request.times {
                let trial = Trial {
                    workflow: run.request.workflow.clone(),
                    node: request.node.clone(),
                    visit: request.visit,
                    name: StartTrials::name(place),
                    number,
                    of: request.times,
                    tier: variant.tier,
                    temperature: variant.temperature,
                    replaced: replaced.clone(),
                    is_model_chosen: variant.model.is_some(),
                };
                trials.push((trial.to_workflow().map_err(Problem::invalid)?, variant.model.clone()));
            }
        }
        let mut runs = Vec::new();
        for (workflow, model) in trials {
            let fork = ForkRun {
                point: ForkPoint::Before { node: request.node.clone(), visit: request.visit },
                edits: Default::default(),
                workflow: Some(workflow),
                model,
                limits: None,
                // A trial makes one step for itself, of which nothing follows.
                approval: Some(Approval::Off),
            };
            match self.engine.fork(run.run, fork, owner.clone()).await.map_err(from_engine) {
                Ok(trial) => runs.push(trial),
                Err(problem) if runs.is_empty() => return Err(problem),
                Err(problem) => return Ok(TrialsStarted { runs, refused: Some(problem.detail) }),
            }
        }
        Ok(TrialsStarted { runs, refused: None })
    }

    /// The messages that say something else in a variant, by what they say in the log.
    async fn replaced(
        &self,
        step: &Step<'_>,
        run: RunId,
        variant: &Variant,
    ) -> Result<Vec<Replacement>, Problem> {
        let mut replaced = Vec::new();
        let question = step.question()?;
        for edit in &variant.prompt {
            let message = question.get(edit.message as usize).ok_or_else(|| {
                Problem::invalid(format!(
                    "The step's first question has {} messages, and none at the place {}.",
                    question.len(),
                    edit.message
                ))
            })?;
            if edit.text.trim().is_empty() {
                return Err(Problem::invalid(
                    "A message must say something. Leave it as it was, or write a text.",
                ));
            }
            let whole = whole(&self.journal, run, message).await?;
            if !message_of(&whole).can_change {
                return Err(Problem::invalid(
                    "Only what the step itself says to the model can be changed, not what a model or a tool said.",
                ));
            }
            let message = journal::digest(&whole).map_err(from_journal)?;
            replaced.push(Replacement { message, text: edit.text.clone() });
        }
        Ok(replaced)
    }

    /// The trials of a run, or of one of its steps with how that was.
    pub async fn trials(
        &self,
        run: &RunSummary,
        step: Option<(NodeId, u32)>,
        own: impl Fn(&RunSummary) -> bool,
    ) -> Result<TrialReport, Problem> {
        let filter = RunFilter {
            origin: Some(run.run),
            kind: Trial::KIND.parse().ok(),
            limit: Some(200),
            ..RunFilter::default()
        };
        let page = self.runs(&filter, &run.owner).await?;
        let (mut trials, mut more) = (Vec::new(), page.more);
        for summary in page.runs.into_iter().filter(own) {
            let Some(Ok(trial)) = Trial::read(&summary.request.workflow) else { continue };
            if step.as_ref().is_some_and(|(node, visit)| (node, *visit) != (&trial.node, trial.visit)) {
                continue;
            }
            if trials.len() == TrialReport::MOST {
                more = true;
                break;
            }
            trials.push(self.trial(summary, trial).await?);
        }
        trials.reverse();
        let step = match step {
            Some((node, visit)) => Some(self.tried_step(run, &node, visit).await?),
            None => None,
        };
        Ok(TrialReport { step, trials, more })
    }

    async fn trial(&self, summary: RunSummary, trial: Trial) -> Result<TrialOutcome, Problem> {
        // What it took over from its origin is not its own.
        let after = summary.origin.as_ref().map_or(0, |origin| origin.through);
        let outcome = outcome(&self.journal, summary.run, after, &trial.node, trial.visit).await?;
        Ok(TrialOutcome {
            run: summary.run,
            node: trial.node,
            visit: trial.visit,
            name: trial.name,
            number: trial.number,
            of: trial.of,
            model: summary.request.model,
            tier: trial.tier,
            temperature: trial.temperature,
            changed_messages: u32::try_from(trial.replaced.len()).unwrap_or(u32::MAX),
            status: summary.status,
            error: summary.error,
            outcome,
        })
    }

    async fn tried_step(&self, run: &RunSummary, node: &NodeId, visit: u32) -> Result<TriedStep, Problem> {
        let view = self.fold(run.run).await?;
        let step = Step::of(&view, node, visit)?;
        let mut prompt = Vec::new();
        for message in step.question()? {
            prompt.push(message_of(&whole(&self.journal, run.run, message).await?));
        }
        Ok(TriedStep {
            label: step.label.to_owned(),
            title: run.title.clone(),
            prompt,
            outcome: outcome(&self.journal, run.run, 0, node, visit).await?,
        })
    }
}

/// A finished visit that asked a model.
struct Step<'v> {
    view: &'v RunView,
    label: &'v str,
    calls: Vec<&'v Arc<CallView>>,
}

impl<'v> Step<'v> {
    /// # Errors
    /// 404: the run has no such node. 409: the visit has not ended, or asked no model.
    fn of(view: &'v RunView, node: &NodeId, visit: u32) -> Result<Self, Problem> {
        let known = view.nodes.find(node);
        let known = known.ok_or_else(|| Problem::not_found(format!("The run has no node \"{node}\".")))?;
        let label = known.plan.label.as_str();
        let is_over = known.visits.iter().any(|known| known.number == visit && known.duration_ms.is_some());
        if !is_over {
            return Err(Problem::conflict(format!(
                "{label} has not ended visit {visit}, so it cannot be tried."
            )));
        }
        let calls = view.calls.of_node(node).filter(|call| call.id.visit() == Some(visit));
        let calls: Vec<_> = calls.filter(|call| call.outcome.is_some()).collect();
        if calls.is_empty() {
            return Err(Problem::conflict(format!("{label} asked no model, so there is nothing to try.")));
        }
        Ok(Self { view, label, calls })
    }

    /// The messages of its first question.
    fn question(&self) -> Result<Vec<&'v Text>, Problem> {
        let first = self.calls.first().map(|call| self.view.prompt(&call.id));
        let first = first.filter(|prompt| prompt.missing == 0);
        let first = first.ok_or_else(|| Problem::conflict("The log lacks a part of what the step asked."))?;
        Ok(first.messages)
    }

    fn usages(&self) -> impl Iterator<Item = Usage> + '_ {
        self.calls.iter().filter_map(|call| Some(call.outcome.as_ref()?.usage))
    }

    /// Which models it asked, without what it asked them, each with its tokens together.
    fn asked(&self) -> Vec<(ChatRequest, Usage)> {
        let mut models: Vec<(Option<&ProfileName>, Tier)> = Vec::new();
        for call in &self.calls {
            let model = (call.profile.as_ref(), call.tier);
            if !models.contains(&model) {
                models.push(model);
            }
        }
        let asked = models.into_iter().map(|(profile, tier)| {
            let calls =
                self.calls.iter().filter(|call| (call.profile.as_ref(), call.tier) == (profile, tier));
            let usages = calls.filter_map(|call| Some(call.outcome.as_ref()?.usage));
            let request = ChatRequest {
                agent: String::new(),
                run: None,
                tier,
                profile: profile.cloned(),
                messages: Vec::new(),
                tools: Vec::new(),
                schema: None,
                temperature: None,
            };
            (request, usage_of(usages))
        });
        asked.collect()
    }
}

/// Tokens together; not known where one of them is not.
fn usage_of(usages: impl Iterator<Item = Usage>) -> Usage {
    let (mut tokens_in, mut tokens_out) = (Some(0_u64), Some(0_u64));
    for usage in usages {
        tokens_in = tokens_in.zip(usage.tokens_in).map(|(sum, tokens)| sum.saturating_add(tokens));
        tokens_out = tokens_out.zip(usage.tokens_out).map(|(sum, tokens)| sum.saturating_add(tokens));
    }
    Usage { tokens_in, tokens_out }
}

/// A message as the log has it: its role in brackets, and what it says.
fn message_of(whole: &str) -> PromptMessage {
    let (role, text) = match whole.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((role, text)) if role.chars().all(|letter| letter.is_ascii_lowercase() || letter == ' ') => {
            (role, text)
        }
        _ => ("", whole),
    };
    let can_change = matches!(role, "system" | "user") && text.len() <= LONGEST_MESSAGE;
    PromptMessage { role: role.to_owned(), text: text.to_owned(), can_change }
}

async fn whole(journal: &Journal, run: RunId, text: &Text) -> Result<String, Problem> {
    match text.stored() {
        Some(digest) => {
            let found = journal.text(run, digest).await.map_err(from_journal)?;
            found.ok_or_else(|| Problem::not_found("The log lacks a text of this step."))
        }
        None => Ok(text.whole().unwrap_or_default().to_owned()),
    }
}

/// What a visit came to, as far as the log has it after this event.
async fn outcome(
    journal: &Journal,
    run: RunId,
    mut after: u64,
    node: &NodeId,
    visit: u32,
) -> Result<StepOutcome, Problem> {
    let mut step = StepOutcome { cost: Some(Decimal::ZERO), ..StepOutcome::default() };
    let mut usages = Vec::new();
    let mut has_begun = false;
    'log: loop {
        let events = journal.read(run, after, PAGE).await.map_err(from_journal)?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        for Event { body, .. } in events.iter().filter(|event| event.node.as_ref() == Some(node)) {
            match body {
                Body::NodeStarted(started) => has_begun = started.visit == visit,
                _ if !has_begun => {}
                Body::CallFinished(finished) => {
                    step.calls += 1;
                    usages.push(finished.usage);
                    step.cost = step.cost.zip(finished.cost).and_then(|(sum, cost)| sum.checked_add(cost));
                    if finished.error.is_none() {
                        step.answer = finished.answer.clone();
                    }
                    if !step.models.contains(&finished.model) {
                        step.models.push(finished.model.clone());
                    }
                }
                Body::Produced(product) => step.products.push(product.clone()),
                Body::NodeFinished(finished) => {
                    step.duration_ms = Some(finished.duration_ms);
                    step.failed = finished.reason.clone();
                    break 'log;
                }
                _ => {}
            }
        }
    }
    step.usage = usage_of(usages.into_iter());
    Ok(step)
}
