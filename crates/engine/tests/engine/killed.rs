//! A process that works on a run with every feature is killed after each of its events, and another one goes on.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use async_trait::async_trait;
use engine::{
    Allowance, AnswerForm, Engine, EngineOptions, Graph, Growth, Join, NodeContext, NodeError, Outcome,
    Question, State, Work,
};
use futures::future::try_join;
use journal::Journal;
use llm::{ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Sink};
use protocol::{
    AccountId, Body, Event, InputReceived, Limits, LogLevel, LogLine, NodeAdded, Product, ProductTone, RunId,
    RunRequest, RunStatus, Standing, Tier, Usage, Workflow,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    growth::{edge, grown},
    resumed::came_to,
    stage::*,
    steering::{answer, value},
};

/// Where the process that is killed works; other processes of the tests do not have it.
const FOLDER: &str = "PITWALL_TEST_FOLDER";
/// After which event of the run it stops, to be killed.
const LAST: &str = "PITWALL_TEST_LAST";
const AT_THE_SAME_TIME: usize = 4;

/// Answers by the question alone, and notes each question in a file before it does.
struct Noting(PathBuf);

#[async_trait]
impl ChatModel for Noting {
    fn model(&self, _: Tier) -> String {
        "noting".into()
    }

    async fn chat(&self, request: &ChatRequest, _: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let Some(Message::User(prompt)) = request.messages.last() else { panic!("a user message") };
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        file.write_all(format!("{prompt}\n").as_bytes()).unwrap();
        Ok(ChatAnswer {
            model: "noting".into(),
            text: format!("to {prompt}"),
            tool_requests: vec![],
            usage: Usage { tokens_in: Some(1), tokens_out: Some(1) },
            cost: None,
            thoughts: String::new(),
            echo: None,
            attempts: Vec::new(),
        })
    }
}

/// Asks with its own id and what it sees, and appends the answer to `seen`.
struct Asks;

#[async_trait]
impl Work for Asks {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let seen: Vec<String> = node.state().get("seen")?.unwrap_or_default();
        let question = format!("{} {} after {}", node.plan().id, node.visit(), seen.len());
        let text = node.chat(ask(&question)).await?.text;
        let message = format!("{} has asked", node.plan().id);
        node.emit(vec![Body::Logged(LogLine { level: LogLevel::Info, message })]).await?;
        Outcome::default().set("seen", text)
    }
}

fn asks(_: &NodeAdded, _: &str) -> Result<Arc<dyn Work>, String> {
    Ok(Arc::new(Asks))
}

fn chapter() -> Workflow {
    Workflow::bare("chapter".parse().unwrap())
}

/// Lets nodes appear beside and says who is next, after a person has answered.
async fn opens(node: &NodeContext) -> Result<Outcome, NodeError> {
    let question = Question {
        prompt: "Which way?".into(),
        reason: None,
        form: AnswerForm::Text,
        patience: None,
        default: None,
    };
    let way = node.ask(question).await?;
    let nodes = ["one", "two", "three"].map(|name| grown(name, "spec")).into();
    let edges = ["one", "two", "three"].map(|name| edge(name, "two-of-three")).into();
    node.grow(Growth { nodes, edges }).await?;
    Ok(Outcome::default().set("way", way)?.to([id("listens"), id("team")]))
}

/// Reads what it was told, and asks in two lanes at the same time.
async fn listens(node: &NodeContext) -> Result<Outcome, NodeError> {
    let told: Vec<_> = node.inbox().await?.into_iter().map(|message| message.text).collect();
    let in_lane = async |name: &str| {
        let lane = node.lane(name)?;
        let first = lane.chat(ask(&format!("{name} of {told:?}"))).await?.text;
        Ok::<_, NodeError>(lane.chat(ask(&first)).await?.text)
    };
    let (left, right) = try_join(in_lane("left"), in_lane("right")).await?;
    Outcome::default().set("lanes", json!([left, right]))
}

async fn starts(node: &NodeContext) -> Result<Outcome, NodeError> {
    let below = node.start(chapter()).await?;
    let products: Vec<_> = below.products.into_iter().map(|product| product.headline).collect();
    Outcome::default().set("below", products)
}

fn graph(request: &RunRequest) -> Graph {
    let mut graph = Graph::new();
    graph.append("seen").growing(asks);
    if request.workflow == chapter() {
        let work = step(|node| {
            Box::pin(async move {
                let headline = node.chat(ask("chapter")).await?.text;
                let product = Product {
                    kind: "essay.chapter".parse().unwrap(),
                    headline,
                    tone: ProductTone::Neutral,
                    standing: Standing::Result,
                    data: "{}".into(),
                };
                node.emit(vec![Body::Produced(product)]).await?;
                Ok(Outcome::default())
            })
        });
        graph.node(plan("chapter", 1), work);
        return graph;
    }
    let mut team = Graph::new();
    team.append("seen").node(plan("a", 1), Asks).node(plan("b", 1), Asks).node(plan("c", 1), Asks);
    team.flow(&id("a"), &id("c")).flow(&id("b"), &id("c"));
    let conclude = |inside: &State| {
        let seen: Vec<String> = inside.get("seen")?.unwrap_or_default();
        Outcome::default().set("team", seen)
    };
    graph.node(plan("opens", 1), step(|node| Box::pin(opens(node))));
    graph.node(plan("listens", 1), step(|node| Box::pin(listens(node))));
    graph.group(plan("team", 1), team, conclude).unwrap();
    graph.node(plan("starts", 1), step(|node| Box::pin(starts(node))));
    graph.node(plan("two-of-three", 1), Asks).join(&id("two-of-three"), Join::Count(2));
    // Work comes to these by what `opens` says, or by edges that appear.
    let never = |_: &State, _: u32| Vec::new();
    for name in ["listens", "team", "two-of-three"] {
        graph.branch(&id("opens"), vec![route(name, protocol::EdgeKind::Conditional)], never);
    }
    graph.flow(&id("listens"), &id("starts")).flow(&id("team"), &id("starts"));
    graph
}

struct Place(PathBuf);

impl Place {
    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.0.join("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }

    async fn journal(&self) -> Journal {
        Journal::open(&self.0.join("test.db")).await.unwrap()
    }

    fn engine(&self, journal: &Journal) -> Engine {
        let model: Arc<dyn ChatModel> = Arc::new(Noting(self.0.join("asked")));
        let workflows = Arc::new(Requested { model });
        Engine::new(journal.clone(), workflows, Arc::new(Allowance::default()), EngineOptions::default())
    }

    /// Starts the run, or goes on with it, and does what a person does, unless that was done. Tells the numbers of the
    /// run's events as they become visible; returns the run.
    async fn work(&self, journal: &Journal, mut seen: impl FnMut(u64)) -> RunId {
        let engine = self.engine(journal);
        engine.resume().await.unwrap();
        let runs = journal.summaries(&protocol::RunFilter::default(), None).await.unwrap().runs;
        let run = match runs.iter().find(|run| run.parent.is_none()) {
            Some(run) => run.run,
            None => {
                let limits = Limits { concurrent_nodes: 1, ..Limits::default() };
                engine.start(request(limits), ada()).await.unwrap()
            }
        };
        let mut log = journal.subscribe(run, 0).await.unwrap();
        let (mut told, mut asked) = (false, None);
        let last = journal.last_seq(run).await.unwrap().unwrap();
        while let Some(events) = log.next().await.unwrap() {
            for event in events {
                let event = event.decode().unwrap();
                seen(event.seq);
                match event.body {
                    Body::Told(_) => told = true,
                    Body::InputRequested(request) => asked = Some(request.input),
                    Body::InputReceived(_) => asked = None,
                    _ => {}
                }
                // What the log had when this began is the state to act on.
                if event.seq < last {
                    continue;
                }
                if asked.is_some() && !told {
                    told = true;
                    engine.tell(run, id("listens"), "Be brief.", ada()).await.unwrap();
                }
                if let Some(input) = asked.take() {
                    let received: InputReceived = answer(input.as_str(), value(json!("on")));
                    engine.answer(run, received).await.unwrap();
                }
            }
        }
        run
    }
}

struct Requested {
    model: Arc<dyn ChatModel>,
}

#[async_trait]
impl engine::Workflows for Requested {
    async fn plan(
        &self,
        _: RunId,
        request: &RunRequest,
        _: &AccountId,
    ) -> Result<engine::Plan, engine::PlanError> {
        Ok(planned(request, graph(request), self.model.clone()))
    }

    fn knows(&self, _: &protocol::WorkflowKind) -> bool {
        true
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        self.model.clone()
    }
}

/// The questions whose answers a log has.
fn answered(logs: &[Vec<Event>]) -> BTreeMap<String, usize> {
    let mut answered = BTreeMap::new();
    for event in logs.iter().flatten() {
        if let Body::CallFinished(finished) = &event.body {
            let question = finished.answer.shown().strip_prefix("to ").unwrap().to_owned();
            *answered.entry(question).or_default() += 1;
        }
    }
    answered
}

async fn logs(journal: &Journal) -> Vec<Vec<Event>> {
    let runs = journal.summaries(&protocol::RunFilter::default(), None).await.unwrap().runs;
    let mut logs = Vec::new();
    for run in runs {
        logs.push(journal.whole(run.run).await.unwrap());
    }
    logs
}

/// Begins the run in a process of its own, and kills that as soon as this event of the run is visible.
fn kill_after(folder: &Path, event: u64) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::works_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(LAST, event.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    assert!(lines.any(|line| line == format!("event {event}")), "it ended before event {event}");
    process.kill().unwrap();
    assert!(!process.wait().unwrap().success());
}

#[test]
#[ignore = "the process that another test kills"]
fn works_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let last: u64 = std::env::var(LAST).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let place = Place(folder.into());
        let journal = place.journal().await;
        let seen = |event| {
            if event == last {
                println!("event {event}");
                // All that the run does is done by this thread.
                loop {
                    thread::park();
                }
            }
        };
        place.work(&journal, seen).await;
    });
}

async fn check(place: &Place, killed_after: u64, expected: &serde_json::Value, questions: &[String]) {
    let journal = place.journal().await;
    let answered = answered(&logs(&journal).await);
    let before = place.asked().len();
    let run = place.work(&journal, |_| {}).await;
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let log = journal.whole(run).await.unwrap();
    assert_eq!(came_to(&view, &log), *expected, "killed after event {killed_after}");
    let mut left = questions.to_vec();
    left.retain(|question| !answered.contains_key(question));
    let mut again = place.asked().split_off(before);
    left.sort();
    again.sort();
    assert_eq!(again, left, "killed after event {killed_after}: no answered call is made again");
    journal.close().await;
}

#[test]
fn a_run_with_every_feature_that_is_killed_at_any_event_ends_as_the_undisturbed_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = TempDir::new().unwrap();
    let place = Place(folder.path().to_owned());
    let (expected, questions, planned, events) = runtime.block_on(async {
        let journal = place.journal().await;
        let run = place.work(&journal, |_| {}).await;
        let view = end_of(&journal, run).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        let log = journal.whole(run).await.unwrap();
        let kinds = ["grown", "told", "heard", "sub_run_finished", "input_received"];
        for kind in kinds {
            assert!(log.iter().any(|event| event.body.kind() == kind), "{kind}");
        }
        let visits = |node: &str| view.node(&id(node)).unwrap().visits.len();
        assert_eq!(["team/c", "two-of-three", "listens", "starts"].map(visits), [1; 4]);
        // The plan is written together with the run's start.
        let is_plan = |event: &&Event| {
            matches!(event.body, Body::RunStarted(_) | Body::NodeAdded(_) | Body::EdgeAdded(_))
        };
        let (planned, events) = (log.iter().take_while(is_plan).count() as u64, log.len() as u64);
        journal.close().await;
        (came_to(&view, &log), place.asked(), planned, events)
    });
    let points: Vec<u64> = (planned..events).collect();
    for points in points.chunks(AT_THE_SAME_TIME) {
        let folders: Vec<_> = points.iter().map(|_| TempDir::new().unwrap()).collect();
        thread::scope(|scope| {
            for (point, folder) in points.iter().zip(&folders) {
                scope.spawn(|| kill_after(folder.path(), *point));
            }
        });
        for (point, folder) in points.iter().zip(&folders) {
            let place = Place(folder.path().to_owned());
            runtime.block_on(check(&place, *point, &expected, &questions));
        }
    }
}
