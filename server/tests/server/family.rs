//! A family that only this file has: it is started, watched, approved, asked, drawn, continued, exported and
//! imported, uses foreign tools and a model of the settings, and no other code knows it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ::tools::{
    Registry, Wanted,
    mcp::{Endpoint, Limits, McpServer, McpServers},
};
use async_trait::async_trait;
use axum::{Json, Router, extract::State as Shared, http::HeaderMap, response::IntoResponse, routing::post};
use engine::{
    Allowance, AnswerForm, Engine, EngineError, EngineOptions, Graph, NodeContext, NodeError, Outcome,
    Question, State, Work,
};
use futures::TryStreamExt;
use journal::{Journal, transfer};
use llm::{
    ChatRequest, EndpointQueues, ModelRegistry, PriceTable, Provider, ProviderConfig, Script, Secret, Tiers,
    Turn,
};
use protocol::{
    AccountId, Answer, Approval, Body, Event, FlowSpec, ForkPoint, ForkRun, Heading, InputForm,
    InputReceived, InputRequest, KindSpec, ModelChoice, ModelProfile, NodeAdded, NodeKind, ProductData,
    ProductTone, RunFilter, RunId, RunRequest, RunStatus, RunView, Standing, Tier, TurnContent, Workflow,
    document::{
        DocumentContent, DocumentFinding, DocumentKind, DocumentKindSpec, DocumentReference, DocumentSummary,
        Severity,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use workflows::{
    Families, Family, FamilyError, Form, Job, Owner, Refusal,
    agent::converse,
    node::{brief, node_id, product},
    prompt::{Prompt, read_facts},
};

use crate::tools;

const KIND: &str = "echo";
/// The kind of its documents.
pub const PART: &str = "part";

/// Says words again: those of a request, or those of a part that somebody wrote. Its agent may use all tools of
/// the server.
#[derive(Default)]
pub struct Echo(Registry);

/// What people write for it: lines, each with its voice.
#[derive(Deserialize)]
struct Part {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    voice: String,
    words: String,
}

impl Part {
    fn read(content: &DocumentContent) -> Result<Self, serde_json::Error> {
        serde_json::from_value(content.clone().into_value())
    }

    fn words(&self) -> String {
        self.lines.iter().map(|line| line.words.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// What it brings forth.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Echoed {
    voice: String,
    words: String,
}

impl ProductData for Echoed {
    const KIND: &'static str = "echo.echoed";
}

#[async_trait]
impl Family for Echo {
    fn kinds(&self) -> Vec<KindSpec> {
        vec![KindSpec {
            only_below: false,
            kind: KIND.parse().unwrap(),
            family: KIND.to_owned(),
            label: "Echo".to_owned(),
            hint: "Says words again.".to_owned(),
            icon: "person".to_owned(),
            subject: None,
            day: None,
            phases: Vec::new(),
            flow: FlowSpec { new: String::new(), joined: String::new(), reads: None },
        }]
    }

    async fn forms(&self, owner: &Owner) -> Result<Vec<Form>, FamilyError> {
        let kind = KIND.parse().unwrap();
        let voice = json!({ "type": "string", "oneOf": [{ "const": "own", "title": owner.account() }], "default": "own" });
        let choice = |part: &DocumentSummary| json!({ "const": part.id, "title": part.title });
        let parts: Vec<Value> = owner.documents(&PART.parse().unwrap()).await?.iter().map(choice).collect();
        let mut properties = json!({ "words": { "type": "string", "default": "hello" }, "voice": voice });
        if !parts.is_empty() {
            properties["part"] = json!({ "type": "string", "oneOf": parts });
        }
        let parameters = json!({ "type": "object", "properties": properties, "required": ["voice"] });
        Ok(vec![Form { kind, parameters, sample: Some(workflow("hello", "own")) }])
    }

    /// A voice is its owner's: `own`, or by the whole name. So is a part.
    async fn open(&self, request: &RunRequest, owner: &Owner) -> Result<Job, Refusal> {
        let asked = &request.workflow;
        let unreadable = |why: &str| Refusal::Parameters { kind: asked.kind().clone(), why: why.to_owned() };
        let (words, resolved) = match asked.text("part") {
            Some(part) => {
                let part: DocumentReference = part.parse().map_err(|_| unreadable("its part has no id"))?;
                let (part, found) = owner.document(part, &PART.parse().unwrap()).await?;
                let found = Part::read(&found.content).map_err(|error| unreadable(&error.to_string()))?;
                (found.words(), workflow_of(part))
            }
            None => {
                let words = asked.text("words").ok_or_else(|| unreadable("there are no words"))?;
                (words.to_owned(), bare().with("words", words.into()).unwrap())
            }
        };
        let voice = match asked.text("voice").ok_or_else(|| unreadable("there is no voice"))? {
            "own" => owner.account().to_string(),
            named if named == owner.account().as_str() => named.to_owned(),
            named => return Err(Refusal::Unusable(format!("There is no voice {named}."))),
        };
        let mut graph = Graph::new();
        let plan = |id: &str, tier: Option<Tier>| {
            Ok::<_, String>(NodeAdded {
                id: node_id(id)?,
                label: id.to_owned(),
                role: "person".to_owned(),
                kind: if tier.is_some() { NodeKind::Agent } else { NodeKind::Code },
                phase: "Echo".to_owned(),
                scope: None,
                owner: None,
                tier,
                planned_visits: 1,
            })
        };
        let listen = plan("hall/listen", Some(Tier::Quick)).map_err(Refusal::Unusable)?;
        let say = plan("hall/say", None).map_err(Refusal::Unusable)?;
        graph.flow(&listen.id, &say.id);
        graph
            .node(listen, Listen { words: words.clone(), tools: self.0.clone() })
            .node(say, Say(voice.clone()));
        let heading = Heading { subject: Some(words.clone()), ..Heading::new(format!("Echo · {words}")) };
        Ok(Job {
            workflow: resolved.with("voice", voice.into()).unwrap(),
            heading,
            graph,
            profiles: std::collections::BTreeSet::new(),
        })
    }

    fn documents(&self) -> Vec<DocumentKindSpec> {
        let line = json!({
            "type": "object",
            "properties": { "voice": { "type": "string" }, "words": { "type": "string", "maxLength": 100 } },
            "required": ["voice", "words"],
        });
        let template = json!({ "lines": [{ "voice": "first", "words": "hello" }] });
        vec![DocumentKindSpec {
            kind: PART.parse().unwrap(),
            family: KIND.to_owned(),
            label: "Part".to_owned(),
            plural: "Parts".to_owned(),
            hint: "What is to be said, line by line.".to_owned(),
            schema: json!({
                "type": "object",
                "properties": { "lines": { "type": "array", "minItems": 1, "items": line } },
                "required": ["lines"],
                "additionalProperties": false,
            }),
            template: serde_json::from_value(template).unwrap(),
        }]
    }

    /// Nobody says nothing; one voice twice in a row is allowed, and told.
    fn check_document(&self, _: &DocumentKind, content: &DocumentContent) -> Vec<DocumentFinding> {
        let part = Part::read(content).unwrap();
        let silent = part.lines.iter().enumerate().filter(|(_, line)| line.words.trim().is_empty());
        let silent = silent.map(|(index, _)| DocumentFinding {
            place: format!("/lines/{index}/words"),
            detail: "There are no words.".to_owned(),
            severity: Severity::Error,
        });
        let pairs = part.lines.windows(2).enumerate().filter(|(_, pair)| pair[0].voice == pair[1].voice);
        let pairs = pairs.map(|(index, _)| DocumentFinding {
            place: format!("/lines/{}/voice", index + 1),
            detail: "It is the voice of the line before.".to_owned(),
            severity: Severity::Warning,
        });
        silent.chain(pairs).collect()
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(Again)
    }
}

fn workflow(words: &str, voice: &str) -> Workflow {
    bare().with("words", words.into()).unwrap().with("voice", voice.into()).unwrap()
}

fn workflow_of(part: DocumentReference) -> Workflow {
    bare().with("part", part.to_string().into()).unwrap()
}

fn bare() -> Workflow {
    Workflow::bare(KIND.parse().unwrap())
}

/// Answers with the words that it was given.
struct Again;

impl Script for Again {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        Ok(Turn::Answer(format!("{} {}", request.agent, read_facts::<String>(&request.messages)?)))
    }
}

/// Has the words said again by a model.
struct Listen {
    words: String,
    tools: Registry,
}

#[async_trait]
impl Work for Listen {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let messages = Prompt::new("You say words again.", "The words follow.").facts(&self.words);
        let offer = self.tools.offer(&Wanted::All).await;
        let heard = converse(node, brief(node, messages, None), &offer).await?.answer;
        Outcome::default().set("heard", heard)
    }
}

/// Asks a person how loud, and says it.
struct Say(String);

#[async_trait]
impl Work for Say {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let question = Question {
            prompt: "How loud?".to_owned(),
            reason: None,
            form: AnswerForm::Choice(vec!["quietly".to_owned(), "loudly".to_owned()]),
            patience: None,
            default: None,
        };
        let volume = node.ask(question).await?;
        let heard = node.state().text("heard").to_owned();
        let words = if volume == json!("loudly") { heard.to_uppercase() } else { heard };
        let echoed = Echoed { voice: self.0.clone(), words };
        let made = serde_json::to_string(&echoed).map(|data| protocol::Product {
            kind: Echoed::KIND.parse().unwrap(),
            headline: format!("{} said it {}", echoed.voice, volume.as_str().unwrap_or_default()),
            tone: ProductTone::Good,
            standing: Standing::Result,
            data: data.into(),
        });
        node.emit(vec![product(made)?]).await?;
        Ok(Outcome::default())
    }

    fn subject(&self, state: &State) -> Option<Value> {
        Some(json!({ "to be said": state.text("heard") }))
    }
}

/// It alone, without tools.
fn echo() -> Vec<Arc<dyn Family>> {
    vec![Arc::new(Echo::default())]
}

/// A journal, and an engine that knows these families.
struct Stage {
    journal: Journal,
    families: Arc<Families>,
    engine: Engine,
}

impl Stage {
    async fn open(folder: &TempDir, families: Vec<Arc<dyn Family>>) -> Self {
        let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
        let families =
            Families::new(families, journal.documents(), ModelRegistry::default(), Some(0)).unwrap();
        Self::with(journal, families)
    }

    fn with(journal: Journal, families: Families) -> Self {
        let families = Arc::new(families);
        let anything = Arc::new(Allowance::default());
        let engine = Engine::new(journal.clone(), families.clone(), anything, EngineOptions::default());
        Self { journal, families, engine }
    }

    async fn close(self) {
        self.engine.shut_down().await;
        self.journal.close().await;
    }

    /// The next question that the run asks.
    async fn question(&self, run: RunId, after: u64) -> (u64, InputRequest) {
        let mut log = self.journal.subscribe(run, after).await.unwrap();
        loop {
            for event in log.next().await.unwrap().expect("a question before the end") {
                let event = event.decode().unwrap();
                if let Body::InputRequested(request) = event.body {
                    return (event.seq, request);
                }
            }
        }
    }

    async fn answer(&self, run: RunId, asked: &InputRequest, answer: Answer) {
        let received = InputReceived { input: asked.input.clone(), answer, by: Some(anna()) };
        self.engine.answer(run, received).await.unwrap();
    }

    async fn end(&self, run: RunId) -> (Vec<Event>, RunView) {
        let mut log = self.journal.subscribe(run, 0).await.unwrap();
        let mut events = Vec::new();
        while let Some(batch) = log.next().await.unwrap() {
            events.extend(batch.iter().map(|event| event.decode().unwrap()));
        }
        let view = RunView::fold(&events).unwrap();
        (events, view)
    }

    async fn exported(&self, run: RunId) -> String {
        let lines: Vec<_> = transfer::to_json_lines(self.journal.clone(), run).try_collect().await.unwrap();
        String::from_utf8(lines.concat()).unwrap()
    }
}

fn anna() -> AccountId {
    "anna".parse().unwrap()
}

fn request(workflow: Workflow) -> RunRequest {
    let nodes = ["hall/say".parse().unwrap()].into();
    let approval = Approval::Nodes { nodes };
    RunRequest { approval, questions: true, ..RunRequest::new(workflow, "hall".parse().unwrap()) }
}

/// Runs it to its end, with every question answered.
async fn run_to_end(stage: &Stage) -> (RunId, RunView) {
    run_request_to_end(stage, request(workflow("rain", "own")), "hall/listen rain").await
}

async fn run_request_to_end(stage: &Stage, request: RunRequest, heard: &str) -> (RunId, RunView) {
    let run = stage.engine.start(request, anna()).await.unwrap();
    let (seq, asked) = stage.question(run, 0).await;
    let InputForm::Approval(form) = &asked.form else { panic!("{asked:?}") };
    assert_eq!(form.subject.as_ref().unwrap().shown(), json!({ "to be said": heard }).to_string());
    let approved = Answer::Approved { digest: form.digest.clone(), edits: Default::default() };
    stage.answer(run, &asked, approved).await;
    let (_, asked) = stage.question(run, seq).await;
    assert_eq!(asked.prompt, "How loud?");
    stage.answer(run, &asked, Answer::Value { json: "\"loudly\"".into() }).await;
    let (_, view) = stage.end(run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    (run, view)
}

#[tokio::test]
async fn a_family_of_its_own_is_started_watched_approved_asked_and_drawn() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::open(&folder, echo()).await;
    let (run, view) = run_to_end(&stage).await;

    // Lists need no family to name it, and what it named is resolved in its log.
    assert_eq!(view.summary.title, "Echo · rain");
    assert_eq!(view.summary.request.workflow, workflow("rain", "anna"));
    assert_eq!(view.summary.result.as_deref(), Some("anna said it loudly"));
    let of_kind = RunFilter { kind: KIND.parse().ok(), search: "rain".into(), ..RunFilter::default() };
    let listed = stage.journal.summaries(&of_kind, Some(&anna())).await.unwrap().runs;
    assert_eq!(listed, std::slice::from_ref(&view.summary));

    let echoed: Vec<Echoed> = view.documents().collect();
    assert_eq!(echoed, [Echoed { voice: "anna".into(), words: "HALL/LISTEN RAIN".into() }]);
    assert!(view.turns.iter().any(|turn| turn.content == TurnContent::Product { index: 0 }));

    let page = app::export::document(view, stage.exported(run).await);
    for words in ["Echo · rain", "anna said it loudly", "HALL/LISTEN RAIN", "How loud?"] {
        assert!(page.contains(words), "{words}");
    }
    stage.close().await;
}

#[tokio::test]
async fn what_it_names_is_resolved_as_the_owner_wherever_a_run_comes_from() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::open(&folder, echo()).await;
    let (run, view) = run_to_end(&stage).await;
    let bert: AccountId = "bert".parse().unwrap();
    let refused = |error: EngineError| assert_eq!(error.to_string(), "There is no voice anna.");
    refused(stage.engine.start(request(workflow("rain", "anna")), bert.clone()).await.unwrap_err());

    let fork = |workflow: Option<Workflow>| ForkRun {
        point: ForkPoint::After { node: "hall/listen".parse().unwrap(), visit: 1 },
        edits: Default::default(),
        workflow,
        model: None,
        limits: None,
        approval: Some(Approval::Off),
    };
    refused(stage.engine.fork(run, fork(None), bert.clone()).await.unwrap_err());
    let forked = stage.engine.fork(run, fork(None), anna()).await.unwrap();
    let (_, asked) = stage.question(forked, 0).await;
    stage.answer(forked, &asked, Answer::Value { json: "\"quietly\"".into() }).await;
    let (_, continued) = stage.end(forked).await;
    assert_eq!(continued.summary.result.as_deref(), Some("anna said it quietly"));
    assert_eq!(continued.calls.len(), view.calls.len(), "its model was not asked again");

    // A file that says whose voice it was is only looked at.
    let imported = transfer::import(&stage.journal, stage.exported(run).await, bert.clone()).await.unwrap();
    let (_, copy) = stage.end(imported).await;
    assert_eq!((copy.summary.title, copy.products), (view.summary.title, view.products));
    assert!(stage.engine.fork(imported, fork(None), bert).await.is_err());
    stage.close().await;
}

#[tokio::test]
async fn a_server_without_the_family_leaves_its_runs_as_they_are() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::open(&folder, echo()).await;
    let run = stage.engine.start(request(workflow("rain", "own")), anna()).await.unwrap();
    stage.question(run, 0).await;
    stage.close().await;

    let without = Stage::open(&folder, Vec::new()).await;
    assert_eq!(without.engine.resume().await.unwrap(), 0);
    let summary = without.journal.summary(run).await.unwrap().unwrap();
    assert_eq!((summary.title.as_str(), summary.status), ("Echo · rain", RunStatus::Waiting));
    let refused = without.engine.start(request(workflow("rain", "own")), anna()).await.unwrap_err();
    assert_eq!(refused.to_string(), "This version of Pitwall knows no workflow of the kind echo.");
    assert!(without.exported(run).await.contains(r#""type":"echo","words":"rain""#));
    without.close().await;

    let again = Stage::open(&folder, echo()).await;
    assert_eq!(again.engine.resume().await.unwrap(), 1, "where the family is, it goes on");
    tokio::time::timeout(Duration::from_secs(20), again.question(run, 0)).await.unwrap();
    again.close().await;
}

#[tokio::test]
async fn what_is_told_of_a_kind_is_a_form_that_its_sample_fills_in() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::open(&folder, echo()).await;
    let forms = stage.families.forms(&anna()).await.unwrap();
    let [(spec, form)] = forms.as_slice() else { panic!("one kind") };
    assert_eq!((spec.label.as_str(), &form.kind), ("Echo", &spec.kind));
    let schema = engine::AnswerForm::object(form.parameters.clone());
    assert!(schema.is_ok(), "{schema:?}");
    let sample = form.sample.clone().unwrap();
    let sample = RunRequest::new(sample, "hall".parse().unwrap());
    let planned = stage.engine.planned(&sample, &anna()).await.unwrap();
    assert_eq!(planned.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["hall/listen", "hall/say"]);
    let documents = stage.journal.documents();
    let twice = Families::new([echo(), echo()].concat(), documents, ModelRegistry::default(), None).err();
    assert_eq!(twice.unwrap().to_string(), "Two families have workflows of the kind echo.");
    stage.close().await;
}

/// An endpoint of one model, which uses a tool before it answers. Keeps the key and the tools of each request.
#[derive(Clone, Default)]
struct Adder(Arc<Mutex<Vec<(String, usize)>>>);

impl Adder {
    async fn start() -> (Self, String) {
        let adder = Self::default();
        let router = Router::new().route("/v1/chat/completions", post(add)).with_state(adder.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (adder, format!("http://{address}/v1/"))
    }
}

async fn add(
    Shared(Adder(asked)): Shared<Adder>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> impl IntoResponse {
    let key = headers["authorization"].to_str().unwrap().to_owned();
    asked.lock().unwrap().push((key, request["tools"].as_array().map_or(0, Vec::len)));
    let last = request["messages"].as_array().unwrap().last().unwrap();
    let (delta, reason) = if last["role"] == "tool" {
        (json!({ "content": last["content"] }), "stop")
    } else {
        let function = json!({ "name": "everything_get-sum", "arguments": r#"{"a":2,"b":40}"# });
        let call = json!({ "index": 0, "id": "call-1", "type": "function", "function": function });
        (json!({ "role": "assistant", "tool_calls": [call] }), "tool_calls")
    };
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 });
    let chunks = [
        json!({ "model": "adder-1", "choices": [{ "index": 0, "delta": delta }] }),
        json!({ "model": "adder-1", "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }),
        json!({ "model": "adder-1", "choices": [], "usage": usage }),
    ];
    let lines: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    ([("content-type", "text/event-stream")], lines + "data: [DONE]\n\n")
}

#[tokio::test]
async fn its_agent_uses_a_real_tool_server_and_the_model_that_the_run_names_and_keys_stand_nowhere() {
    const MODEL_KEY: &str = "sk-planted-of-the-model";
    const TOOL_KEY: &str = "sk-planted-of-the-tools";
    let (adder, url) = Adder::start().await;
    let profile = ModelProfile {
        name: "second".parse().ok(),
        models: vec!["adder-1".to_owned()],
        host: None,
        tiers: Vec::new(),
        requests_at_once: 8,
        priced: false,
    };
    let config = ProviderConfig {
        base_url: Some(url),
        api_key: Some(Secret::from(MODEL_KEY)),
        ..ProviderConfig::new(Tiers::same("adder-1".to_owned()))
    };
    let provider = Provider::new(config, PriceTable::bundled().unwrap(), &EndpointQueues::default()).unwrap();
    let models = ModelRegistry::default().with_named(profile, Arc::new(provider));
    let variables = vec![("PLANTED_KEY".to_owned(), Secret::from(TOOL_KEY))];
    let arguments = vec![tools::script(), "stdio".to_owned()];
    let endpoint = Endpoint::program(tools::node().into(), arguments, variables).unwrap();
    let everything = McpServer { name: "everything".parse().unwrap(), endpoint, limits: Limits::default() };
    let registry = Registry::new(McpServers::start([everything]));

    let folder = TempDir::new().unwrap();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let family: Arc<dyn Family> = Arc::new(Echo(registry.clone()));
    let families = Families::new(vec![family], journal.documents(), models, None).unwrap();
    let stage = Stage::with(journal, families);
    let named = ModelChoice::Profile { name: "second".parse().unwrap() };
    let request = RunRequest { model: named, ..request(workflow("2 and 40", "own")) };
    let sum = "The sum of 2 and 40 is 42.";
    let (run, view) = run_request_to_end(&stage, request, sum).await;

    let echoed: Vec<Echoed> = view.documents().collect();
    assert_eq!(echoed, [Echoed { voice: "anna".into(), words: sum.to_uppercase() }]);
    assert_eq!((view.calls.len(), view.summary.totals.tool_calls), (2, 1));
    let asked = adder.0.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert!(
        asked.iter().all(|(key, tools)| *key == format!("Bearer {MODEL_KEY}") && *tools > 5),
        "{asked:?}"
    );
    let exported = stage.exported(run).await;
    assert!(exported.contains("everything_get-sum") && exported.contains("adder-1"));
    registry.close().await;
    stage.close().await;
    for key in [MODEL_KEY, TOOL_KEY] {
        assert!(!exported.contains(key));
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(key.len()).any(|bytes| bytes == key.as_bytes()));
        }
    }
}
