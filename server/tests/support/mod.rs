//! A real server process, and a provider that counts what it is asked.
#![allow(dead_code)]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event as SseEvent, Sse},
    },
    routing::post,
};
use futures::{SinkExt, StreamExt, stream};
use protocol::{Event, Frame, RunId, RunStatus, RunView};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

/// A `pitwall serve` process on a folder of its own.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
}

/// What a server keeps between its processes.
pub struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    pub fn new(variables: &[(&str, String)]) -> Self {
        let folder = TempDir::new().unwrap();
        // The interfaces without pages need no built site, only a folder that looks like one.
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { folder, variables }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts a process and waits until it is ready.
    pub async fn start(&self) -> Server {
        self.start_as(self.command()).await
    }

    /// The same with a command that was made from [`Home::command`].
    pub async fn start_as(&self, mut command: Command) -> Server {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the server says where it listens");
        let address = line.rsplit_once("http://").expect("an address").1.parse().unwrap();
        // Keep reading, so that the server never blocks on its output.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server { address, child }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitwall"));
        command
            .args(["serve", "--addr", "127.0.0.1:0"])
            .arg("--data")
            .arg(self.data())
            .arg("--site")
            .arg(self.folder.path().join("site"))
            .env_remove("PITWALL_MODEL")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }
}

/// An HTTP client. It never speaks TLS here, but cannot be built without a provider of it.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Value {
        client().get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        client().get(self.url(path)).send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
    }

    pub async fn post_text(&self, path: &str, body: String) -> (u16, Value) {
        let answer = client().post(self.url(path)).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = client().post(self.url(path)).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Starts a run and returns its id.
    pub async fn start_run(&self, request: Value) -> RunId {
        let (status, accepted) = self.post("/api/v1/runs", request).await;
        assert_eq!(status, 201, "{accepted}");
        accepted["run"].as_str().unwrap().parse().unwrap()
    }

    pub async fn connect(&self, path: &str) -> Socket {
        connect(self.address, path).await
    }

    /// Every event of a run after `after`, until the server closes the socket normally.
    pub async fn events_to_end(&self, run: RunId, after: u64) -> Vec<Event> {
        events_to_end(self.address, run, after).await
    }

    pub fn process(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// SIGKILL: no chance to tidy up.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and the exit status.
    pub async fn terminate(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().unwrap().to_string();
        std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.expect("it ends").unwrap()
    }
}

pub async fn connect(address: SocketAddr, path: &str) -> Socket {
    tokio_tungstenite::connect_async(format!("ws://{address}{path}")).await.unwrap().0
}

/// Every event of a run after `after`, until the server closes the socket normally.
pub async fn events_to_end(address: SocketAddr, run: RunId, after: u64) -> Vec<Event> {
    let mut socket = connect(address, &format!("/ws/v1/runs/{run}?after={after}")).await;
    let mut events = Vec::new();
    while let Some(frame) = next_frame(&mut socket).await {
        if let Frame::Event(event) = frame {
            events.push(*event);
        }
    }
    events
}

/// The next frame; `None` when the connection has ended.
pub async fn next_frame(socket: &mut Socket) -> Option<Frame> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(Frame::parse(&text).unwrap()),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) | Err(_) => {
                let _ = socket.close(None).await;
                let _ = socket.flush().await;
                return None;
            }
            Ok(other) => panic!("unexpected message {other:?}"),
        }
    }
}

/// What a run came to, without what differs from run to run: ids, times, totals of repeated calls,
/// and the list of gaps, which stands in the order in which the analysts ended. The state's
/// `missing` has the same in a fixed order.
pub fn result(log: &[Event]) -> (RunStatus, String, BTreeMap<String, String>) {
    let view = RunView::fold(log).unwrap();
    let state = view.state.iter().filter(|(key, _)| *key != "gaps");
    let state = state
        .flat_map(|(key, entries)| entries.iter().map(|entry| (key.clone(), entry.value.shown().to_owned())))
        .collect();
    (view.summary.status, format!("{:?}", view.rating), state)
}

/// An OpenAI-compatible provider on loopback: its answers follow from the prompts alone, and
/// it counts how often each prompt was answered to the end.
#[derive(Clone, Default)]
pub struct Provider {
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    pause: Duration,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    /// Prompts that met a fault, and are answered when they come again.
    spared: Arc<Mutex<BTreeSet<String>>>,
    in_flight: Arc<()>,
}

/// What a provider does wrong with one request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Takes the request and says nothing.
    Hang,
    /// Never comes to an end: 100 MB of answer.
    Flood,
    /// Closes the connection after so many bytes of the answer.
    Cut(usize),
}

/// What tells a server to ask the provider at this base URL.
pub fn asking(base_url: String) -> [(&'static str, String); 3] {
    [
        ("PITWALL_MODEL_BASE_URL", base_url),
        ("PITWALL_MODEL_KEY", "test-key".into()),
        ("PITWALL_MODEL", "fake-1".into()),
    ]
}

impl Provider {
    /// Starts it; each answer is streamed with `pause` between its pieces. Returns its base URL.
    pub async fn start(pause: Duration) -> (Self, String) {
        let provider = Self { pause, ..Self::default() };
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(provider.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (provider, format!("http://{address}/v1/"))
    }

    /// Does these things wrong, one with each request to come that does not repeat a failed one.
    pub fn misbehave(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    fn fault(&self, prompt: &str) -> Option<Fault> {
        let mut spared = self.spared.lock().unwrap();
        if spared.remove(prompt) {
            return None;
        }
        let fault = self.faults.lock().unwrap().pop_front()?;
        spared.insert(prompt.to_owned());
        Some(fault)
    }

    /// How many faults are still to come.
    pub fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    /// Answers that are being streamed at this moment.
    pub fn in_flight(&self) -> usize {
        // The router and the test hold the provider itself.
        Arc::strong_count(&self.in_flight) - 2
    }

    /// How often each prompt was asked.
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.asked.lock().unwrap().clone()
    }
}

async fn complete(State(provider): State<Provider>, Json(request): Json<Value>) -> Response {
    let prompt = prompt(&request);
    let lines = lines(&request, &prompt);
    if let Some(fault) = provider.fault(&prompt) {
        return misbehaving(fault, &lines).await;
    }
    *provider.asked.lock().unwrap().entry(prompt).or_default() += 1;
    let pause = provider.pause;
    let streaming = provider.in_flight.clone();
    Sse::new(stream::iter(lines).then(move |line| {
        let _streaming = &streaming;
        async move {
            tokio::time::sleep(pause).await;
            Ok::<_, Infallible>(SseEvent::default().data(line))
        }
    }))
    .into_response()
}

async fn misbehaving(fault: Fault, lines: &[String]) -> Response {
    let event = |line: &str| format!("data: {line}\n\n");
    let body = match fault {
        Fault::Hang => return std::future::pending().await,
        Fault::Flood => {
            let delta = json!({ "content": "x".repeat(100_000) });
            let piece =
                event(&json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": delta }] }).to_string());
            Body::from_stream(stream::iter((0..1000).map(move |_| Ok::<_, Infallible>(piece.clone()))))
        }
        Fault::Cut(bytes) => {
            let whole: String = lines.iter().map(|line| event(line)).collect();
            let part = Bytes::copy_from_slice(&whole.as_bytes()[..bytes.min(whole.len())]);
            let broken = std::io::Error::other("the provider breaks off");
            Body::from_stream(stream::iter([Ok(part), Err(broken)]))
        }
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// The answer to a request in the pieces in which it is streamed.
fn lines(request: &Value, prompt: &str) -> Vec<String> {
    let text = answer(request, prompt);
    let characters: Vec<char> = text.chars().collect();
    let mut events: Vec<Value> = characters
        .chunks(40)
        .map(|piece| json!({ "content": piece.iter().collect::<String>() }))
        .map(|delta| json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": delta }] }))
        .collect();
    events.push(
        json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }),
    );
    let usage = json!({ "prompt_tokens": prompt.len() / 4, "completion_tokens": text.len() / 4, "total_tokens": (prompt.len() + text.len()) / 4 });
    events.push(json!({ "model": "fake-1", "choices": [], "usage": usage }));
    events.iter().map(Value::to_string).chain(["[DONE]".to_owned()]).collect()
}

/// All messages of a request as one text.
fn prompt(request: &Value) -> String {
    let messages = request["messages"].as_array().unwrap();
    messages.iter().map(|message| format!("[{}] {}\n", message["role"], message["content"])).collect()
}

/// The answer to a prompt: a rating or a decision where one is asked for, else some prose.
fn answer(request: &Value, prompt: &str) -> String {
    let mark = prompt.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let asked_for = request.to_string();
    if asked_for.contains("\"grade\"") || asked_for.contains("\\\"grade\\\"") {
        return json!({ "grade": "overweight", "confidence": "medium", "summary": format!("Summary {mark}."), "thesis": format!("Thesis {mark}.") })
            .to_string();
    }
    format!("Remark {mark}. The figures were read and weighed; this text follows from the prompt alone.")
}
