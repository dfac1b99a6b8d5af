//! A family that only this file has: it is started, watched, approved, asked, drawn, continued, exported and
//! imported, and no other code knows it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::{
    Allowance, AnswerForm, Engine, EngineError, EngineOptions, Graph, NodeContext, NodeError, Outcome,
    Question, State, Work,
};
use futures::TryStreamExt;
use journal::Journal;
use llm::{ChatRequest, ModelRegistry, Script, Turn};
use protocol::{
    AccountId, Answer, Approval, Body, Document, Event, FlowSpec, ForkPoint, ForkRun, Heading, InputForm,
    InputReceived, InputRequest, KindSpec, NodeAdded, NodeKind, ProductTone, RunFilter, RunId, RunRequest,
    RunStatus, RunView, Standing, Tier, TurnContent, Workflow,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::transfer;
use tempfile::TempDir;
use workflows::{
    Families, Family, FamilyError, Form, Job, Refusal,
    agent::{NoTools, converse},
    node::{brief, node_id, product},
    prompt::{Prompt, read_facts},
};

const KIND: &str = "echo";

/// Says words again, as often as it was told.
struct Echo;

/// What it brings forth.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Echoed {
    voice: String,
    words: String,
}

impl Document for Echoed {
    const KIND: &'static str = "echo.echoed";
}

#[async_trait]
impl Family for Echo {
    fn kinds(&self) -> Vec<KindSpec> {
        vec![KindSpec {
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

    async fn forms(&self, owner: &AccountId) -> Result<Vec<Form>, FamilyError> {
        let kind = KIND.parse().unwrap();
        let voice =
            json!({ "type": "string", "oneOf": [{ "const": "own", "title": owner }], "default": "own" });
        let parameters = json!({
            "type": "object",
            "properties": { "words": { "type": "string", "default": "hello" }, "voice": voice },
            "required": ["words", "voice"],
        });
        Ok(vec![Form { kind, parameters, sample: Some(workflow("hello", "own")) }])
    }

    /// A voice is its owner's: `own`, or by the whole name.
    fn open(&self, request: &RunRequest, owner: &AccountId) -> Result<Job, Refusal> {
        let asked = &request.workflow;
        let unreadable = |why: &str| Refusal::Parameters { kind: asked.kind().clone(), why: why.to_owned() };
        let words = asked.text("words").ok_or_else(|| unreadable("there are no words"))?;
        let voice = match asked.text("voice").ok_or_else(|| unreadable("there is no voice"))? {
            "own" => owner.to_string(),
            named if named == owner.as_str() => named.to_owned(),
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
        graph.node(listen, Listen(words.to_owned())).node(say, Say(voice.clone()));
        let heading = Heading { subject: Some(words.to_owned()), ..Heading::new(format!("Echo · {words}")) };
        Ok(Job { workflow: workflow(words, &voice), heading, graph })
    }

    fn script(&self) -> Arc<dyn Script> {
        Arc::new(Again)
    }
}

fn workflow(words: &str, voice: &str) -> Workflow {
    let bare = Workflow::bare(KIND.parse().unwrap());
    bare.with("words", words.into()).unwrap().with("voice", voice.into()).unwrap()
}

/// Answers with the words that it was given.
struct Again;

impl Script for Again {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        Ok(Turn::Answer(format!("{} {}", request.agent, read_facts::<String>(&request.messages)?)))
    }
}

/// Has the words said again by a model.
struct Listen(String);

#[async_trait]
impl Work for Listen {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let messages = Prompt::new("You say words again.", "The words follow.").facts(&self.0);
        let heard = converse(node, brief(node, messages, None), &NoTools).await?.answer;
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

/// A journal, and an engine that knows these families.
struct Stage {
    journal: Journal,
    families: Arc<Families>,
    engine: Engine,
}

impl Stage {
    async fn open(folder: &TempDir, families: Vec<Arc<dyn Family>>) -> Self {
        let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
        let families = Arc::new(Families::new(families, ModelRegistry::default(), Some(0)).unwrap());
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
    let run = stage.engine.start(request(workflow("rain", "own")), anna()).await.unwrap();
    let (seq, asked) = stage.question(run, 0).await;
    let InputForm::Approval(form) = &asked.form else { panic!("{asked:?}") };
    assert_eq!(form.subject.as_ref().unwrap().shown(), r#"{"to be said":"hall/listen rain"}"#);
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
    let stage = Stage::open(&folder, vec![Arc::new(Echo)]).await;
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
    let stage = Stage::open(&folder, vec![Arc::new(Echo)]).await;
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
        approval: None,
    };
    refused(stage.engine.fork(run, fork(None), bert.clone()).await.unwrap_err());
    let forked = stage.engine.fork(run, fork(None), anna()).await.unwrap();
    let (_, asked) = stage.question(forked, 0).await;
    stage.answer(forked, &asked, Answer::Value { json: "\"quietly\"".into() }).await;
    let (_, continued) = stage.end(forked).await;
    assert_eq!(continued.summary.result.as_deref(), Some("anna said it quietly"));
    assert_eq!(continued.calls.len(), view.calls.len(), "its model was not asked again");

    // A file that says whose voice it was is only looked at.
    let imported = transfer::import(&stage.journal, &stage.exported(run).await, bert.clone()).await.unwrap();
    let (_, copy) = stage.end(imported).await;
    assert_eq!((copy.summary.title, copy.products), (view.summary.title, view.products));
    assert!(stage.engine.fork(imported, fork(None), bert).await.is_err());
    stage.close().await;
}

#[tokio::test]
async fn a_server_without_the_family_leaves_its_runs_as_they_are() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::open(&folder, vec![Arc::new(Echo)]).await;
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

    let again = Stage::open(&folder, vec![Arc::new(Echo)]).await;
    assert_eq!(again.engine.resume().await.unwrap(), 1, "where the family is, it goes on");
    tokio::time::timeout(Duration::from_secs(20), again.question(run, 0)).await.unwrap();
    again.close().await;
}

#[tokio::test]
async fn what_is_told_of_a_kind_is_a_form_that_its_sample_fills_in() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::open(&folder, vec![Arc::new(Echo)]).await;
    let forms = stage.families.forms(&anna()).await.unwrap();
    let [(spec, form)] = forms.as_slice() else { panic!("one kind") };
    assert_eq!((spec.label.as_str(), &form.kind), ("Echo", &spec.kind));
    let schema = engine::AnswerForm::object(form.parameters.clone());
    assert!(schema.is_ok(), "{schema:?}");
    let sample = form.sample.clone().unwrap();
    let planned = stage.engine.planned(&RunRequest::new(sample, "hall".parse().unwrap()), &anna()).unwrap();
    assert_eq!(planned.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["hall/listen", "hall/say"]);
    let twice = Families::new(vec![Arc::new(Echo), Arc::new(Echo)], ModelRegistry::default(), None).err();
    assert_eq!(twice.unwrap().to_string(), "Two families have workflows of the kind echo.");
    stage.close().await;
}
