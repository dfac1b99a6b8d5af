//! What the start form asks for, checked before it is sent.

use std::collections::{BTreeMap, BTreeSet};

use leptos_router::params::ParamsMap;
use protocol::{
    Approval, Date, FlowId, FlowReads, Limits, ListedRun, ModelChoice, NodeId, PlannedNode, RunStatus,
    StartRun, Startable, Workflow, WorkflowKind,
};
use serde_json::Map;

use crate::{
    components::schema::{Field, Kind},
    families::subject_of,
};

/// The most flows that are offered to be joined.
const MOST_FLOWS: usize = 12;

/// A kind of workflow as the form offers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The kind, with its sample and its nodes.
    pub startable: Startable,
    /// The fields of its parameters.
    pub fields: Vec<Field>,
}

/// What a person has filled in so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The fields as typed, by their names.
    pub typed: BTreeMap<String, String>,
    /// The flow to join, or none for a new one.
    pub flow: Option<FlowId>,
    /// Which model answers.
    pub model: ModelChoice,
    /// What the run may use, or what is wrong with that.
    pub limits: Result<Limits, String>,
    /// Before which nodes it pauses.
    pub approval: Approval,
    /// Whether its agents may ask a person.
    pub questions: bool,
}

/// What is wrong with the answers: each a sentence that says what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// About fields, by their names.
    pub fields: BTreeMap<String, String>,
    /// About all of it.
    pub whole: Option<String>,
}

impl Answers {
    /// The request, or what is wrong in the fields that it needs.
    pub fn request(&self, offer: &Offer) -> Result<StartRun, Faults> {
        let (mut parameters, mut faults) = (Map::new(), Faults::default());
        let typed = |field: &Field| self.typed.get(&field.name).map_or("", String::as_str);
        let value_of = |name: &str| {
            let other = offer.fields.iter().find(|other| other.name == name)?;
            other.read(typed(other)).ok().flatten()
        };
        for field in &offer.fields {
            let read = match field.kind {
                Kind::Texts(_) => field.read_texts(typed(field), &field.names(value_of)),
                _ => field.read(typed(field)),
            };
            match read {
                Ok(Some(value)) => drop(parameters.insert(field.name.clone(), value)),
                Ok(None) => {}
                Err(fault) => drop(faults.fields.insert(field.name.clone(), fault)),
            }
        }
        if !faults.fields.is_empty() {
            return Err(faults);
        }
        let workflow = Workflow::new(offer.startable.spec.kind.clone(), parameters).map_err(|error| {
            Faults { whole: Some(format!("The run cannot be started: {error}.")), ..faults }
        })?;
        // Their fields say themselves what is wrong.
        let limits = self.limits.clone().map_err(|_| Faults::default())?;
        Ok(StartRun {
            workflow,
            flow: self.flow.clone(),
            model: self.model.clone(),
            limits,
            approval: self.pauses(&offer.startable.nodes),
            questions: self.questions,
        })
    }

    /// The approve mode, without nodes that runs of this kind do not have.
    fn pauses(&self, planned: &[PlannedNode]) -> Approval {
        let Approval::Nodes { nodes } = &self.approval else { return self.approval.clone() };
        let is_planned = |id: &NodeId| planned.iter().any(|node| node.id == *id);
        let nodes: BTreeSet<_> = nodes.iter().filter(|id| is_planned(id)).cloned().collect();
        if nodes.is_empty() { Approval::Off } else { Approval::Nodes { nodes } }
    }
}

/// What an address such as `/start?type=essay&topic=rain` asks the form to begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preset {
    /// `type`: the kind.
    pub kind: Option<WorkflowKind>,
    /// What is to be typed into fields, by their names.
    pub typed: BTreeMap<String, String>,
    /// `flow`.
    pub flow: Option<FlowId>,
}

impl Preset {
    /// Reads the query; what is not valid is left out.
    pub fn from_query(query: &ParamsMap, offers: &[Offer]) -> Self {
        let kind = query.get_str("type").and_then(|kind| kind.parse::<WorkflowKind>().ok());
        let kind = kind.filter(|kind| offers.iter().any(|offer| offer.startable.spec.kind == *kind));
        let of_kind = |offer: &&Offer| kind.as_ref().is_none_or(|kind| offer.startable.spec.kind == *kind);
        let fields = offers.iter().filter(of_kind).flat_map(|offer| &offer.fields);
        let typed = fields
            .filter_map(|field| Some((field.name.clone(), field.typed_of(query.get_str(&field.name)?)?)));
        Self { typed: typed.collect(), kind, flow: query.get_str("flow").and_then(|flow| flow.parse().ok()) }
    }
}

/// A flow that a run can join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowChoice {
    /// The flow.
    pub flow: FlowId,
    /// What its runs were about, newest first, without repetition.
    pub subjects: Vec<String>,
    /// The day as of which its newest run works.
    pub as_of: Option<Date>,
    /// Its results that runs of another kind read.
    pub results: usize,
}

impl FlowChoice {
    /// `AAPL, MSFT · 2022-06-30 · 2 analyses · 7f3a91c2`.
    pub fn label(&self, reads: Option<&FlowReads>) -> String {
        let subjects = match self.subjects.as_slice() {
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            few => few.join(", "),
        };
        let id = self.flow.as_str().chars().take(8).collect();
        let results = reads.map(|reads| counted(reads, self.results));
        let parts = [Some(subjects), self.as_of.map(|day| day.to_string()), results, Some(id)];
        parts.into_iter().flatten().collect::<Vec<String>>().join(" · ")
    }
}

/// `1 analysis`, `2 analyses`.
pub fn counted(reads: &FlowReads, count: usize) -> String {
    let noun = if count == 1 { &reads.one } else { &reads.many };
    format!("{count} {noun}")
}

/// What is read of flows: by runs of this kind, or else of runs of this kind.
pub fn reads_of<'o>(offers: &'o [Offer], kind: &WorkflowKind) -> Option<&'o FlowReads> {
    let reads = |offer: &'o Offer| offer.startable.spec.flow.reads.as_ref();
    let own = offers.iter().filter(|offer| offer.startable.spec.kind == *kind).find_map(reads);
    own.or_else(|| offers.iter().filter_map(reads).find(|reads| reads.kind == *kind))
}

/// The flows of these runs, newest first as the runs are. What was imported is nobody's work here, so it
/// makes no flow to go on with, nor does what cannot be read.
pub fn flows(runs: &[ListedRun], reads: Option<&FlowReads>) -> Vec<FlowChoice> {
    let mut choices: Vec<FlowChoice> = Vec::new();
    let own = runs.iter().filter(|run| run.imported_from.is_none() && run.unreadable.is_none());
    for run in own {
        let index = choices.iter().position(|choice| choice.flow == *run.flow()).unwrap_or_else(|| {
            let (flow, as_of) = (run.flow().clone(), run.as_of);
            choices.push(FlowChoice { flow, subjects: Vec::new(), as_of, results: 0 });
            choices.len() - 1
        });
        let choice = &mut choices[index];
        let subject = subject_of(run);
        if !choice.subjects.contains(&subject) {
            choice.subjects.push(subject);
        }
        let is_read = reads.is_some_and(|reads| reads.kind == *run.kind());
        if is_read && run.status == RunStatus::Succeeded {
            choice.results += 1;
        }
    }
    choices.truncate(MOST_FLOWS);
    choices
}

#[cfg(test)]
mod tests {
    use protocol::{FlowSpec, Heading, KindSpec, RunRequest, RunSummary, Timestamp};
    use serde_json::{Value, json};

    use super::*;
    use crate::components::schema::fields;

    fn offer(kind: &str, node: &str, properties: Value) -> Offer {
        let required: Vec<Value> =
            properties.as_object().unwrap().keys().map(|name| name.as_str().into()).collect();
        let parameters = json!({ "type": "object", "properties": properties, "required": required });
        let reads = (kind == "review").then(|| FlowReads {
            kind: "essay".parse().unwrap(),
            one: "essay".into(),
            many: "essays".into(),
            none: "None.".into(),
            some: "It reads {}.".into(),
        });
        Offer {
            fields: fields(&parameters).unwrap(),
            startable: Startable {
                spec: KindSpec {
                    only_below: false,
                    kind: kind.parse().unwrap(),
                    family: "writing".into(),
                    label: kind.into(),
                    hint: String::new(),
                    icon: String::new(),
                    subject: None,
                    day: None,
                    phases: Vec::new(),
                    flow: FlowSpec { new: String::new(), joined: String::new(), reads },
                },
                parameters,
                sample: None,
                nodes: vec![PlannedNode {
                    id: node.parse().unwrap(),
                    label: String::new(),
                    phase: String::new(),
                }],
            },
        }
    }

    fn offers() -> [Offer; 2] {
        let essay = json!({
            "topic": { "type": "string" },
            "day": { "type": "string", "format": "date", "formatMaximum": "2022-12-30", "errorMessage": { "formatMaximum": "Too late." } },
            "rounds": { "type": "integer" },
        });
        let review = json!({ "shelf": { "type": "string", "oneOf": [{ "const": "main" }] } });
        [offer("essay", "writer", essay), offer("review", "critic", review)]
    }

    fn answers() -> Answers {
        let typed = [("topic", " rain"), ("day", "2022-06-30"), ("rounds", "3"), ("shelf", "\"main\"")];
        Answers {
            typed: typed.map(|(name, typed)| (name.to_owned(), typed.to_owned())).into(),
            flow: None,
            model: ModelChoice::Configured,
            limits: Ok(Limits::default()),
            approval: Approval::default(),
            questions: false,
        }
    }

    #[test]
    fn whole_answers_become_a_request_with_the_parameters_of_the_kind_alone() {
        let [essay, review] = offers();
        let workflow = |offer| json!(answers().request(offer).unwrap().workflow);
        assert_eq!(
            workflow(&essay),
            json!({ "type": "essay", "topic": "rain", "day": "2022-06-30", "rounds": 3 })
        );
        assert_eq!(workflow(&review), json!({ "type": "review", "shelf": "main" }));
    }

    #[test]
    fn every_fault_is_named_at_once_with_its_field() {
        let mut faulty = answers();
        for (name, typed) in [("topic", ""), ("day", "2031-01-01")] {
            faulty.typed.insert(name.into(), typed.into());
        }
        let faults = faulty.request(&offers()[0]).unwrap_err();
        assert_eq!(faults.fields.keys().collect::<Vec<_>>(), ["day", "topic"]);
        assert_eq!(faults.fields["day"], "Too late.");
        assert!(faulty.request(&offers()[1]).is_ok(), "the other kind has no such fields");
    }

    #[test]
    fn a_run_pauses_only_before_nodes_that_it_has() {
        let [essay, _] = offers();
        let both = ["writer", "critic"].map(|id| id.parse().unwrap());
        let answers = Answers { approval: Approval::Nodes { nodes: both.into() }, ..answers() };
        let writer = Approval::Nodes { nodes: ["writer".parse().unwrap()].into() };
        assert_eq!(answers.request(&essay).unwrap().approval, writer);
        let none = Answers { approval: Approval::Nodes { nodes: BTreeSet::new() }, ..answers };
        assert_eq!(none.request(&essay).unwrap().approval, Approval::Off);
    }

    #[test]
    fn limits_that_cannot_be_read_start_nothing() {
        let faulty = Answers { limits: Err("Write the steps.".into()), ..answers() };
        assert_eq!(faulty.request(&offers()[0]), Err(Faults::default()), "the fields of the limits say why");
    }

    #[test]
    fn an_address_presets_the_form_and_what_is_not_valid_is_left_out() {
        let preset = |given: &[(&'static str, &str)]| {
            let mut query = ParamsMap::new();
            given.iter().for_each(|(name, value)| query.insert(*name, (*value).to_owned()));
            Preset::from_query(&query, &offers())
        };
        let review =
            preset(&[("type", "review"), ("shelf", "main"), ("day", "2022-06-30"), ("flow", "../etc")]);
        assert_eq!(review.kind.unwrap().as_str(), "review");
        assert_eq!(review.typed, [("shelf".to_owned(), "\"main\"".to_owned())].into());
        assert_eq!(review.flow, None);
        let unknown = preset(&[("type", "opera"), ("shelf", "another"), ("day", "2022-06-30")]);
        assert_eq!((unknown.kind, unknown.typed.len()), (None, 1));
    }

    #[test]
    fn a_flow_says_what_it_holds() {
        let run = |subject: &str, status| {
            let workflow = Workflow::bare("essay".parse().unwrap());
            let request = RunRequest::new(workflow, "7f3a91c2e5".parse().unwrap());
            let heading = Heading {
                subject: Some(subject.to_owned()),
                as_of: Some("2022-06-30".parse().unwrap()),
                ..Heading::new("")
            };
            let run = "0197a1b2-0000-7000-8000-000000000000".parse().unwrap();
            ListedRun::from(RunSummary { status, ..RunSummary::new(run, request, heading, Timestamp(0)) })
        };
        let runs = [
            run("snow", RunStatus::Running),
            run("rain", RunStatus::Succeeded),
            run("rain", RunStatus::Failed),
        ];
        let offers = offers();
        let labels = |kind: &str| -> Vec<String> {
            let reads = reads_of(&offers, &kind.parse().unwrap());
            flows(&runs, reads).iter().map(|flow| flow.label(reads)).collect()
        };
        assert_eq!(labels("review"), ["snow, rain · 2022-06-30 · 1 essay · 7f3a91c2"]);
        assert_eq!(labels("essay"), labels("review"), "what it holds is of use to reviews");
        assert_eq!(labels("opera"), ["snow, rain · 2022-06-30 · 7f3a91c2"]);
    }
}
