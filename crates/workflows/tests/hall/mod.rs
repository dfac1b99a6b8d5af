//! A journal and an engine with the family of teams on a folder of their own, and team files, for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use engine::{Allowance, Engine, EngineOptions};
use journal::Journal;
use llm::{ChatRequest, ModelRegistry, Rehearsal, Script, Turn};
use protocol::{
    AccountId, Body, Event, NewEvent, RunId, RunRequest, RunStatus, RunView, Timestamp, Workflow,
    document::{DocumentContent, DocumentId},
    team::{KIND, TeamPick, TeamResult},
};
use serde_json::{Value, json};
use teamfile::{
    Reader, SourceFile,
    team::{Team, TeamDocument},
};
use tools::Registry;
use workflows::{
    Families, Rehearsed,
    team::{Teams, rehearsal::TeamRehearsal},
};

/// Everything that a server would open.
pub struct Hall {
    pub journal: Journal,
    pub engine: Engine,
    /// What models were asked, in its order.
    pub asked: Arc<Mutex<Vec<ChatRequest>>>,
    tools: Registry,
    script: Arc<dyn Script>,
    ids: AtomicU32,
    folder: tempfile::TempDir,
}

/// Notes what is asked.
struct Noted(Arc<dyn Script>, Arc<Mutex<Vec<ChatRequest>>>);

impl Script for Noted {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        self.1.lock().unwrap().push(request.clone());
        self.0.turn(request)
    }
}

/// A script that is a function.
pub struct Played<F>(pub F);

impl<F: Fn(&ChatRequest) -> Turn + Send + Sync> Script for Played<F> {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        Ok((self.0)(request))
    }
}

impl Hall {
    /// With the family's rehearsal.
    pub async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), Arc::new(TeamRehearsal), Registry::default()).await
    }

    /// With another script in the place of the model.
    pub async fn playing(script: impl Fn(&ChatRequest) -> Turn + Send + Sync + 'static) -> Self {
        Self::with_tools(script, Registry::default()).await
    }

    /// The same with tools.
    pub async fn with_tools(
        script: impl Fn(&ChatRequest) -> Turn + Send + Sync + 'static,
        tools: Registry,
    ) -> Self {
        Self::open(tempfile::tempdir().unwrap(), Arc::new(Played(script)), tools).await
    }

    async fn open(folder: tempfile::TempDir, script: Arc<dyn Script>, tools: Registry) -> Self {
        let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
        let asked: Arc<Mutex<Vec<ChatRequest>>> = Arc::default();
        let noted = Noted(script.clone(), asked.clone());
        let model = Rehearsal::new(Arc::new(Rehearsed(Arc::new(noted))), Some(0));
        let families = Families::new(
            vec![Arc::new(Teams::new(journal.clone(), tools.clone()))],
            journal.documents(),
            ModelRegistry::of(Arc::new(model)),
            None,
        );
        let (families, allowance) = (Arc::new(families.unwrap()), Arc::new(Allowance::default()));
        let engine = Engine::new(journal.clone(), families, allowance, EngineOptions::default());
        Self { journal, engine, asked, tools, script, ids: AtomicU32::new(1), folder }
    }

    /// The same folder after a restart of the server.
    pub async fn restarted(self) -> Self {
        self.engine.shut_down().await;
        self.journal.close().await;
        let ids = self.ids.into_inner();
        Self { ids: AtomicU32::new(ids), ..Self::open(self.folder, self.script, self.tools).await }
    }

    fn id<T: std::str::FromStr>(&self) -> T
    where
        T::Err: std::fmt::Debug,
    {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        format!("01900000-0000-7000-8000-{number:012}").parse().unwrap()
    }

    /// Keeps a team as a document.
    pub async fn keep(&self, team: Team) -> DocumentId {
        let Value::Object(fields) = TeamDocument::new(team).to_value() else { panic!("no object") };
        let content = DocumentContent::new(fields).unwrap();
        let (id, title) = (self.id(), "team".parse().unwrap());
        let (owner, kind) = (AccountId::local(), KIND.parse().unwrap());
        let documents = self.journal.documents();
        documents.create(&owner, id, kind, title, &content, Timestamp(1)).await.unwrap();
        id
    }

    /// Runs a team to its end.
    pub async fn run(&self, team: Team, task: &str) -> RunView {
        let team = self.keep(team).await.to_string();
        let run = self.start(request(&team, task)).await;
        self.end(run).await
    }

    pub async fn start(&self, request: RunRequest) -> RunId {
        self.engine.start(request, AccountId::local()).await.unwrap()
    }

    /// The view of a run after its last event.
    pub async fn end(&self, run: RunId) -> RunView {
        let mut log = self.journal.subscribe(run, 0).await.unwrap();
        while log.next().await.unwrap().is_some() {}
        RunView::fold(&self.journal.whole(run).await.unwrap()).unwrap()
    }

    /// A new run whose log ends after these events.
    pub async fn cut_off(&self, events: &[Event]) -> RunId {
        let run = self.id();
        let epoch = self.journal.claim(run).await.unwrap();
        let new =
            |event: &Event| NewEvent { at: event.at, node: event.node.clone(), body: event.body.clone() };
        self.journal.append(run, epoch, events.iter().map(new).collect::<Vec<_>>()).await.unwrap();
        run
    }

    /// Whom the model was asked for, in order.
    pub fn agents(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|request| request.agent.clone()).collect()
    }
}

/// A run of a team on a task.
pub fn request(team: &str, task: &str) -> RunRequest {
    let workflow = Workflow::bare(KIND.parse().unwrap())
        .with("team", team.into())
        .and_then(|workflow| workflow.with("task", task.into()));
    RunRequest::new(workflow.unwrap(), "teams".parse().unwrap())
}

/// The only team of a file.
pub fn read(file: &Value) -> Team {
    let bytes = file.to_string();
    let reading = Reader::new().read(&[SourceFile { name: "team.json", bytes: bytes.as_bytes() }]);
    assert_eq!(reading.teams.len(), 1, "{:?}", reading.findings);
    reading.teams.into_iter().next().unwrap().team
}

/// A component of AutoGen.
pub fn component(provider: &str, config: Value) -> Value {
    json!({ "provider": provider, "version": 1, "config": config })
}

/// A team that is led in this way; the rest of its fields is given.
pub fn team(class: &str, participants: Vec<Value>, mut rest: Value) -> Value {
    rest["participants"] = participants.into();
    rest["name"] = "team".into();
    rest["description"] = "A team.".into();
    component(&format!("autogen_agentchat.teams.{class}"), rest)
}

/// A model that gives these answers in their order.
pub fn replay(answers: Value) -> Value {
    component("autogen_ext.models.replay.ReplayChatCompletionClient", json!({ "chat_completions": answers }))
}

/// An assistant that gives these answers.
pub fn says(name: &str, answers: Value) -> Value {
    assistant(name, json!({ "model_client": replay(answers) }))
}

/// An assistant; without a client in the fields, the run's model answers for it.
pub fn assistant(name: &str, mut fields: Value) -> Value {
    fields["name"] = name.into();
    fields["description"] = format!("The {name}.").into();
    if fields["system_message"].is_null() {
        fields["system_message"] = "Work.".into();
    }
    component("autogen_agentchat.agents.AssistantAgent", fields)
}

/// A condition.
pub fn until(class: &str, config: Value) -> Value {
    let package = if class.starts_with("Or") || class.starts_with("And") { "base" } else { "conditions" };
    component(&format!("autogen_agentchat.{package}.{class}"), config)
}

/// What a team came to.
pub fn result(view: &RunView) -> TeamResult {
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    view.documents().last().unwrap()
}

/// What was said, as `source: content`, and why it ended.
pub fn said(view: &RunView) -> (Vec<String>, String) {
    let result = result(view);
    let lines = result.messages.iter().map(|message| format!("{}: {}", message.source, message.content));
    (lines.collect(), result.stop_reason)
}

/// Who spoke, in order.
pub fn speakers(view: &RunView) -> Vec<String> {
    view.documents::<TeamPick>().map(|pick| pick.speaker).collect()
}

/// Answers that a log has.
pub fn answered(log: &[Event]) -> usize {
    log.iter().filter(|event| matches!(event.body, Body::CallFinished(_))).count()
}
