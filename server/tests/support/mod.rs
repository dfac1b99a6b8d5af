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
    http::{HeaderMap, header},
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
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// What lets the tests in: every server is started with it, every request carries it.
pub const TOKEN: &str = "a-token-that-only-the-tests-know";

/// The password of every account.
pub const PASSWORD: &str = "correct horse battery staple";

/// A `pitwall serve` process on a folder of its own.
pub struct Server {
    pub address: SocketAddr,
    /// The address to open, as it is printed.
    pub opened: String,
    child: Child,
    home: Option<Home>,
}

/// What a server keeps between its processes.
pub struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    /// A server that lets in whoever shows [`TOKEN`].
    pub fn new(variables: &[(&str, String)]) -> Self {
        let token = [("PITWALL_TOKEN", TOKEN.to_owned())];
        Self::bare(&[&token, variables].concat())
    }

    /// A server with nothing set but this.
    pub fn bare(variables: &[(&str, String)]) -> Self {
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
        let opened = line.split_whitespace().last().expect("an address").to_owned();
        let address = opened.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
        // Keep reading, so that the server never blocks on its output.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server { address, opened, child, home: None }
    }

    /// Starts a process that keeps its folder for itself.
    pub async fn start_kept(self) -> Server {
        let server = self.start().await;
        Server { home: Some(self), ..server }
    }

    /// Why a server with these arguments does not start.
    pub async fn refusal(&self, arguments: &[&str]) -> String {
        let command = &mut self.command();
        let output = command.args(arguments).stderr(Stdio::piped()).output().await.unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    /// Makes an account.
    pub async fn add_account(&self, name: &str, role: &str) -> String {
        self.manage_accounts(&["add", name, "--role", role]).await
    }

    /// `pitwall account …`, and what it says.
    pub async fn manage_accounts(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitwall"));
        command.arg("account").arg("--data").arg(self.data()).args(arguments);
        let output = command.env("PITWALL_PASSWORD", PASSWORD).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pitwall"));
        command
            .arg("serve")
            .env("PITWALL_ADDR", "127.0.0.1:0")
            .arg("--data")
            .arg(self.data())
            .arg("--site")
            .arg(self.folder.path().join("site"))
            .env_remove("PITWALL_MODEL")
            .env_remove("PITWALL_TOKEN")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }
}

/// An HTTP client that shows the token.
pub fn client() -> reqwest::Client {
    client_with(&format!("Bearer {TOKEN}"))
}

/// An HTTP client that shows this, and follows no redirect. It never speaks TLS here, but cannot be
/// built without a provider of it.
pub fn client_with(authorization: &str) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    if !authorization.is_empty() {
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
    }
    let builder = reqwest::Client::builder().default_headers(headers);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Somebody who asks, and what they show.
#[derive(Clone)]
pub struct Visitor {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Visitor {
    /// The same one, who also shows this.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What they show under this name.
    pub fn shown(&self, name: &str) -> &str {
        &self.headers.iter().find(|(own, _)| own == name).expect("it is shown").1
    }

    /// A request that can be sent.
    pub fn ask(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        let request = client_with("").request(method.parse().unwrap(), url);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// The status and the body of an answer.
    pub async fn answer(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let request = self.ask(method, path);
        let request = body.map(|body| request.try_clone().unwrap().json(body)).unwrap_or(request);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Reads what must be there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, text) = self.answer("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Writes what must be taken.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, text) = self.answer("POST", path, Some(&body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A run that the rehearsal has written to its end.
    pub async fn finished_run(&self) -> String {
        let run = self.start_run(0).await;
        read_to_end(&mut self.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
        run
    }

    /// A run that the rehearsal writes at this pace; 0 knows no pauses.
    pub async fn start_run(&self, characters_per_second: u32) -> String {
        let request = json!({
            "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": ["market"] },
            "model": { "type": "rehearsal", "characters_per_second": characters_per_second },
        });
        self.post("/api/v1/runs", request).await["run"].as_str().unwrap().to_owned()
    }

    /// An open socket, or the status of the refusal.
    pub async fn socket(&self, path: &str) -> Result<Socket, u16> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in &self.headers {
            let name: header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Signs in by the form; returns what the browser then shows, or why it is led back.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<Self, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("name", name), ("password", password), ("next", "/runs")]);
        let request =
            self.ask("POST", "/sign-in").header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form.finish()).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let location = answer.headers()["location"].to_str().unwrap();
        let Some(cookie) = set_cookie(&answer) else {
            let refused = location.strip_prefix("/sign-in?refused=").expect("the form");
            return Err(refused.strip_suffix("&next=%2Fruns").expect("where to go then").to_owned());
        };
        assert_eq!(location, "/runs");
        let origin = format!("http://{}", self.address);
        Ok(self.clone().with("cookie", &cookie).with("origin", &origin))
    }
}

/// The name and value of the cookie that an answer sets.
pub fn set_cookie(answer: &reqwest::Response) -> Option<String> {
    let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().unwrap();
    cookie.split(';').next().map(str::to_owned)
}

/// Reads until the server closes; all texts, and the close frame's code and reason.
pub async fn read_to_end(socket: &mut Socket) -> (Vec<String>, Option<(u16, String)>) {
    let mut texts = Vec::new();
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Text(text)) => texts.push(text.to_string()),
            Ok(Message::Close(frame)) => {
                let _ = socket.close(None).await;
                let _ = socket.flush().await;
                return (texts, frame.map(|frame| (frame.code.into(), frame.reason.to_string())));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    (texts, None)
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Somebody who shows nothing.
    pub fn nobody(&self) -> Visitor {
        Visitor { address: self.address, headers: Vec::new() }
    }

    /// A program that shows this token.
    pub fn program(&self, token: &str) -> Visitor {
        self.nobody().with("authorization", &format!("Bearer {token}"))
    }

    /// A program that shows a token of this account.
    pub async fn program_of(&self, account: &str) -> Visitor {
        let made =
            self.nobody().post("/api/v1/tokens", json!({ "name": account, "password": PASSWORD })).await;
        self.program(made["token"].as_str().unwrap())
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

    /// All that the server says on its standard error, where the command has a pipe for it.
    pub fn log(&mut self) -> JoinHandle<String> {
        let mut stderr = self.child.stderr.take().expect("a pipe");
        tokio::spawn(async move {
            let mut log = String::new();
            stderr.read_to_string(&mut log).await.unwrap();
            log
        })
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
    Visitor { address, headers: Vec::new() }
        .with("authorization", &format!("Bearer {TOKEN}"))
        .socket(path)
        .await
        .unwrap()
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

/// A small generator (xorshift), so that the moments differ and can be repeated.
pub struct Moments(u64);

impl Moments {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a limit.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}
