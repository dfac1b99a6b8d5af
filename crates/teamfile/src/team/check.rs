//! What is wrong with a team that has the right form: what keeps it from running, what a person has to decide,
//! and what will hardly work as it was meant.

use std::collections::BTreeSet;

use super::{
    Assistant, Condition, Conduct, Context, Graph, ModelClient, ModelProvider, Participant, Role, Selector,
    Steps, Team, Tool, ToolKind, Workbench, document, memory,
};
use crate::{
    finding::{Finding, Problem, shown},
    limits::{DEEPEST_CONDITION, LONGEST_NAME, LONGEST_TEXT, MOST_CONDITIONS, MOST_FINDINGS, MOST_PARTS},
    name,
    place::Place,
    secret::KeyFound,
    source_identity::KnownTool,
};

/// What a person should know of a team, at its places in the team's document. `built_in` are the well-known tools
/// that there are here.
#[must_use]
pub fn check(team: &Team, built_in: &[KnownTool]) -> Vec<Finding> {
    let mut checker = Checker { built_in, findings: Vec::new() };
    let place = Place::root().at("team");
    match document::beyond(team) {
        Some(problem) => checker.tell(&Place::root(), problem),
        None => checker.team(team, &place),
    }
    checker.findings
}

struct Checker<'a> {
    built_in: &'a [KnownTool],
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn tell(&mut self, place: &Place, problem: Problem) {
        match self.findings.len() {
            len if len < MOST_FINDINGS => {
                self.findings.push(Finding { file: None, place: place.clone(), problem });
            }
            MOST_FINDINGS => {
                let problem = Problem::MoreFindings;
                self.findings.push(Finding { file: None, place: Place::root(), problem });
            }
            _ => {}
        }
    }

    fn team(&mut self, team: &Team, place: &Place) {
        if let Some(count) = document::too_many(team) {
            self.tell(place, Problem::TooManyParticipants { count });
            return;
        }
        let participants = place.at("participants");
        if team.participants.is_empty() {
            self.tell(&participants, Problem::NobodyTakesPart);
        }
        self.names(team, &participants);
        for (number, participant) in team.participants.iter().enumerate() {
            self.participant(participant, &participants.at(number));
        }
        self.conduct(team, place);
        if let Some(condition) = &team.termination {
            self.conditions(condition, team, &place.at("termination"));
        }
        let ends_by_itself = matches!(team.conduct, Conduct::Steps(_) | Conduct::MagenticOne(_))
            || matches!(&team.conduct, Conduct::GraphFlow { graph } if !graph.has_cycle());
        if team.termination.is_none() && team.max_turns.is_none() && !ends_by_itself {
            self.tell(place, Problem::NeverEnds);
        }
    }

    fn names(&mut self, team: &Team, place: &Place) {
        let mut seen = BTreeSet::new();
        for (number, (participant, alias)) in team.participants.iter().zip(team.aliases()).enumerate() {
            let place = place.at(number).at("name");
            let name = &participant.name;
            let is_sent = matches!(participant.role, Role::Assistant(_) | Role::SocietyOfMind(_));
            if name.trim().is_empty() {
                self.tell(&place, Problem::NoName);
            } else if name.chars().count() > LONGEST_NAME {
                self.tell(&place, Problem::NameTooLong { name: shown(name) });
            } else if !seen.insert(name) {
                self.tell(&place, Problem::SameName { name: shown(name) });
            } else if is_sent && !name::is_sendable(name) {
                self.tell(&place, Problem::NameRefused { name: shown(name), alias });
            }
        }
    }

    fn participant(&mut self, participant: &Participant, place: &Place) {
        let place = place.at("role");
        match &participant.role {
            Role::Assistant(assistant) => self.assistant(assistant, &participant.name, &place),
            Role::UserProxy => {}
            Role::SocietyOfMind(society) => {
                self.model(society.model.as_ref(), society.profile.as_deref(), &participant.name, &place);
                self.context(&society.context, &place);
                self.team(&society.team, &place.at("team"));
            }
            Role::Team { team } => self.team(team, &place.at("team")),
            Role::Unknown { provider, .. } => {
                self.tell(&place, Problem::UnknownAgent { provider: shown(provider) });
            }
            Role::Missing { reference } => {
                self.tell(&place, Problem::NotGiven { reference: shown(reference) });
            }
        }
    }

    fn assistant(&mut self, assistant: &Assistant, name: &str, place: &Place) {
        self.model(assistant.model.as_ref(), assistant.profile.as_deref(), name, place);
        self.context(&assistant.context, place);
        let lists = [
            ("tools", assistant.tools.len()),
            ("workbenches", assistant.workbenches.len()),
            ("handoffs", assistant.handoffs.len()),
            ("memories", assistant.memory.len()),
        ];
        for (what, count) in lists {
            if count > MOST_PARTS {
                self.tell(place, Problem::TooManyParts { what, count });
            }
        }
        if assistant.system_message.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT) {
            let problem = Problem::TextTooLong { field: "system_message".to_owned() };
            self.tell(&place.at("system_message"), problem);
        }
        let mut names = BTreeSet::new();
        for (number, tool) in assistant.tools.iter().enumerate().take(MOST_PARTS) {
            let place = place.at("tools").at(number);
            if !names.insert(&tool.name) {
                self.tell(&place, Problem::SameTool { name: shown(&tool.name) });
            }
            self.tool(tool, assistant.system_message.as_deref(), &place);
        }
        for (number, workbench) in assistant.workbenches.iter().enumerate().take(MOST_PARTS) {
            let problem = match workbench {
                Workbench::Mcp { server, .. } => {
                    Problem::ServerNotStarted { server: shown(server.transport.label()) }
                }
                Workbench::Other { provider, .. } => Problem::UnknownWorkbench { provider: shown(provider) },
            };
            self.tell(&place.at("workbenches").at(number), problem);
        }
        for (number, memory) in assistant.memory.iter().enumerate().take(MOST_PARTS) {
            if memory::list(memory).is_some() {
                continue;
            }
            let provider = memory.get("provider").and_then(serde_json::Value::as_str).unwrap_or("memory");
            let problem = Problem::MemoryNotAsked { provider: shown(provider) };
            self.tell(&place.at("memory").at(number), problem);
        }
    }

    fn tool(&mut self, tool: &Tool, system_message: Option<&str>, place: &Place) {
        // Which tools a server has is known to the server alone.
        if tool.kind == ToolKind::Server {
            return;
        }
        let name = shown(&tool.name);
        if let Some(known) = tool.known()
            && self.built_in.contains(&known)
        {
            if known.name() != tool.name {
                self.tell(place, Problem::KnownTool { name, known: known.name() });
            }
            return;
        }
        let is_told =
            !tool.name.is_empty() && system_message.is_some_and(|message| message.contains(&tool.name));
        let told = if is_told {
            " The agent's system message still tells it to call the tool: change it."
        } else if system_message.is_some_and(|message| message.to_lowercase().contains("tool")) {
            " The agent's system message still speaks of tools: look whether it tells the agent to call this one."
        } else {
            ""
        };
        self.tell(place, Problem::ToolNotRun { name, told });
    }

    fn context(&mut self, context: &Context, place: &Place) {
        if let Context::Unknown { provider, .. } = context {
            self.tell(&place.at("context"), Problem::UnknownContext { provider: shown(provider) });
        }
    }

    fn model(&mut self, model: Option<&ModelClient>, profile: Option<&str>, whose: &str, place: &Place) {
        // What the file says of a model matters no more once a model of the server answers.
        if profile.is_some() {
            return;
        }
        let place = place.at("model");
        let Some(model) = model else {
            self.tell(&place, Problem::NoModel { whose: shown(whose) });
            return;
        };
        if model.replay().is_some() {
            return;
        }
        if model.model.trim().is_empty() && !matches!(model.provider, ModelProvider::Other { .. }) {
            self.tell(&place, Problem::ModelNotNamed);
        }
        match &model.provider {
            ModelProvider::Other { provider } => {
                self.tell(&place, Problem::UnknownModel { provider: shown(provider) });
                return;
            }
            ModelProvider::AzureOpenAi => self.azure(model, &place),
            ModelProvider::OpenAi | ModelProvider::Anthropic | ModelProvider::Ollama => {}
        }
        if let Some(address) = &model.base_url {
            self.tell(&place, Problem::AddressToTest { address: shown(address) });
        }
        if let Some((address, variable)) = model.address_by_name() {
            let problem =
                Problem::AddressByName { model: model.label(), address: address.to_owned(), variable };
            self.tell(&place, problem);
        }
        match model.key {
            KeyFound::Present => self.tell(&place, Problem::KeyRemoved { model: model.label() }),
            KeyFound::Placeholder => self.tell(&place, Problem::KeyPlaceholder { model: model.label() }),
            KeyFound::None if model.provider != ModelProvider::Ollama => {
                self.tell(&place, Problem::KeyMissing { model: model.label() });
            }
            KeyFound::None => {}
        }
    }

    fn azure(&mut self, model: &ModelClient, place: &Place) {
        let azure = model.azure.clone().unwrap_or_default();
        let lacking: Vec<&str> = [
            ("the endpoint", azure.endpoint.is_none()),
            ("the deployment", azure.deployment.is_none()),
            ("the version of the interface (api_version)", azure.api_version.is_none()),
        ]
        .into_iter()
        .filter_map(|(what, is_missing)| is_missing.then_some(what))
        .collect();
        if !lacking.is_empty() {
            self.tell(place, Problem::AzureIncomplete { lacking: lacking.join(", ") });
        }
    }

    fn conduct(&mut self, team: &Team, place: &Place) {
        let place = place.at("conduct");
        match &team.conduct {
            Conduct::RoundRobin => {}
            Conduct::Selector(selector) => self.selector(selector, team, &place),
            Conduct::Swarm => self.swarm(team, &place),
            Conduct::MagenticOne(magentic) => {
                self.model(magentic.model.as_ref(), magentic.profile.as_deref(), &team.name, &place);
                self.no_inner_teams(team, "a Magentic-One team", &place);
            }
            Conduct::GraphFlow { graph } => self.graph(graph, team, &place.at("graph")),
            Conduct::Steps(steps) => self.steps(steps, team, &place),
            Conduct::Unknown { provider, .. } => {
                self.tell(&place, Problem::UnknownTeam { provider: shown(provider) });
            }
        }
    }

    fn selector(&mut self, selector: &Selector, team: &Team, place: &Place) {
        self.model(selector.model.as_ref(), selector.profile.as_deref(), &team.name, place);
        if let Some(context) = &selector.context {
            self.context(context, place);
        }
        if team.participants.len() == 1 {
            self.tell(place, Problem::NobodyToChoose);
        }
        if selector.prompt.as_ref().is_some_and(|prompt| !prompt.contains("{history}")) {
            self.tell(&place.at("prompt"), Problem::PromptWithoutHistory);
        }
    }

    fn swarm(&mut self, team: &Team, place: &Place) {
        self.no_inner_teams(team, "a Swarm", place);
        let Some(first) = team.participants.first() else { return };
        if first.assistant().is_some_and(|assistant| assistant.handoffs.is_empty())
            || matches!(first.role, Role::SocietyOfMind(_))
        {
            self.tell(place, Problem::CannotHandOff { name: shown(&first.name) });
        }
        let names: BTreeSet<&str> = team.participants.iter().map(|one| one.name.as_str()).collect();
        let mut ends = BTreeSet::new();
        if let Some(condition) = &team.termination {
            handoff_targets(condition, &mut ends);
        }
        let assistants = team.participants.iter().filter_map(Participant::assistant);
        for handoff in assistants.flat_map(|assistant| &assistant.handoffs) {
            if !names.contains(handoff.target.as_str()) && !ends.contains(handoff.target.as_str()) {
                self.tell(place, Problem::HandoffOutside { target: shown(&handoff.target) });
            }
        }
    }

    fn no_inner_teams(&mut self, team: &Team, what: &'static str, place: &Place) {
        if team.participants.iter().any(|one| matches!(one.role, Role::Team { .. })) {
            self.tell(place, Problem::TeamWithin { team: what });
        }
    }

    fn graph(&mut self, graph: &Graph, team: &Team, place: &Place) {
        let participants: BTreeSet<&str> = team.participants.iter().map(|one| one.name.as_str()).collect();
        let mut nodes = BTreeSet::new();
        for (number, node) in graph.nodes.iter().enumerate() {
            let place = place.at("nodes").at(number);
            if !nodes.insert(node.name.as_str()) {
                self.tell(&place, Problem::SameNode { node: shown(&node.name) });
            }
            if !participants.contains(node.name.as_str()) {
                self.tell(&place, Problem::NodeOfNobody { node: shown(&node.name) });
            }
        }
        for name in participants.difference(&nodes) {
            self.tell(place, Problem::NeverReached { name: shown(name) });
        }
        for (place, problem) in graph.problems(place) {
            self.tell(&place, problem);
        }
        if graph.has_cycle() && team.termination.is_none() && team.max_turns.is_none() {
            self.tell(place, Problem::CycleWithoutLimit);
        }
    }

    fn steps(&mut self, steps: &Steps, team: &Team, place: &Place) {
        let is_led = steps.process != super::Process::Sequential;
        let mut earlier: BTreeSet<&str> = BTreeSet::new();
        for (number, step) in steps.steps.iter().enumerate() {
            let place = place.at("steps").at(number);
            match &step.agent {
                None if !is_led => self.tell(&place, step_of_nobody(steps, number, team)),
                Some(agent) if team.participants.iter().all(|one| one.name != *agent) => {
                    let problem = Problem::StepOfStranger { step: shown(&step.name), agent: shown(agent) };
                    self.tell(&place, problem);
                }
                _ => {}
            }
            for input in step.inputs.iter().flatten().filter(|input| !earlier.contains(input.as_str())) {
                let problem = Problem::InputNotEarlier { step: shown(&step.name), input: shown(input) };
                self.tell(&place, problem);
            }
            if !earlier.insert(&step.name) {
                self.tell(&place, Problem::SameStep { step: shown(&step.name) });
            }
        }
        if let super::Process::Hierarchical { lead: None, model, profile } = &steps.process {
            self.model(model.as_deref(), profile.as_deref(), &team.name, &place.at("process"));
        }
        if !steps.fields.is_empty() {
            self.tell(place, Problem::FieldsNeeded { names: shown(&steps.fields.join(", ")) });
        }
    }

    fn conditions(&mut self, condition: &Condition, team: &Team, place: &Place) {
        if condition.depth() > DEEPEST_CONDITION {
            self.tell(place, Problem::ConditionTooDeep);
        } else if condition.count() > MOST_CONDITIONS {
            self.tell(place, Problem::TooManyConditions { count: condition.count() });
        } else {
            self.condition(condition, team, place);
        }
    }

    fn condition(&mut self, condition: &Condition, team: &Team, place: &Place) {
        let takes_part = |name: &String| team.participants.iter().any(|one| one.name == *name);
        match condition {
            Condition::MaxMessages { max_messages, .. } => self.max_messages(*max_messages, team, place),
            Condition::TextMention { text } => {
                let inner = text.trim();
                let is_quoted = inner.len() > 2
                    && ["\"", "'", "`"]
                        .iter()
                        .any(|quote| inner.starts_with(quote) && inner.ends_with(quote));
                if text.is_empty() {
                    self.tell(place, Problem::EmptyText);
                } else if is_quoted {
                    self.tell(place, Problem::QuotedText { text: shown(text) });
                }
            }
            Condition::TextMessage { source: None } => self.tell(place, Problem::TaskEndsIt),
            Condition::TextMessage { source: Some(source) } if !takes_part(source) && source != "user" => {
                self.tell(place, Problem::NobodyOfThatName { name: shown(source) });
            }
            Condition::SourceMatch { sources } => {
                for source in sources.iter().filter(|source| !takes_part(source) && *source != "user") {
                    self.tell(place, Problem::NobodyOfThatName { name: shown(source) });
                }
            }
            Condition::TokenUsage { max_total: None, max_prompt: None, max_completion: None } => {
                self.tell(place, Problem::NoLimit);
            }
            Condition::Any { conditions } | Condition::All { conditions } => {
                if conditions.is_empty() {
                    self.tell(place, Problem::EmptyCondition);
                }
                for (number, inner) in conditions.iter().enumerate() {
                    self.condition(inner, team, &place.at("conditions").at(number));
                }
            }
            Condition::Unknown { provider, .. } => {
                self.tell(place, Problem::UnknownCondition { provider: shown(provider) });
            }
            Condition::StopMessage
            | Condition::TokenUsage { .. }
            | Condition::Timeout { .. }
            | Condition::External
            | Condition::Handoff { .. }
            | Condition::TextMessage { .. }
            | Condition::FunctionCall { .. } => {}
        }
    }

    /// In turn, everybody speaks once before anybody speaks twice; the task's message counts, too.
    fn max_messages(&mut self, max_messages: u64, team: &Team, place: &Place) {
        let agents = team.participants.len();
        let spoken = max_messages.saturating_sub(1);
        let silent = (agents as u64).saturating_sub(spoken);
        if team.conduct == Conduct::RoundRobin && silent > 0 {
            self.tell(place, Problem::TooFewMessages { max_messages, agents, silent });
        }
    }
}

fn step_of_nobody(steps: &Steps, number: usize, team: &Team) -> Problem {
    let proposed = super::steps::proposed_agent(&steps.steps, number, &team.participants);
    let proposed = proposed
        .map_or_else(String::new, |agent| format!(" By names and order, it might be “{}”.", shown(agent)));
    let step = steps.steps.get(number).map(|step| shown(&step.name)).unwrap_or_default();
    Problem::StepOfNobody { step, proposed }
}

fn handoff_targets<'a>(condition: &'a Condition, targets: &mut BTreeSet<&'a str>) {
    if let Condition::Handoff { target } = condition {
        targets.insert(target);
    }
    for inner in condition.inner() {
        handoff_targets(inner, targets);
    }
}
