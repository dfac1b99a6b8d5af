//! A real server process, those who visit it, and what the tests hold it against.

mod disk;
mod moments;
mod provider;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
    time::Duration,
};

use axum::http::header;
use futures::{SinkExt, StreamExt};
use journal::Journal;
use protocol::{
    Event, Frame, RunId, RunStatus, RunView, Timestamp,
    document::{DocumentContent, DocumentId},
    trading::Rating,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};

pub use disk::{Disk, When};
pub use moments::{Moments, kills};
pub use provider::{Fault, Provider, asking};

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
    /// Deletes the folder when the server is dropped.
    _home: Option<Home>,
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

    /// The folder that holds all of it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts a process and waits until it is ready.
    pub async fn start(&self) -> Server {
        self.start_as(self.command()).await
    }

    /// The same with a command that was made from [`Home::command`].
    pub async fn start_as(&self, command: Command) -> Server {
        self.try_start_as(command).await.expect("the server says where it listens")
    }

    /// The same; `None` if the process ends before it is ready.
    pub async fn try_start_as(&self, mut command: Command) -> Option<Server> {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let Some(line) = lines.next_line().await.unwrap() else {
            child.wait().await.unwrap();
            return None;
        };
        let opened = line.split_whitespace().last().expect("an address").to_owned();
        let address = opened.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
        // Keep reading, so that the server never blocks on its output.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Server { address, opened, child, _home: None })
    }

    /// Starts a process that keeps its folder for itself.
    pub async fn start_kept(self) -> Server {
        let server = self.start().await;
        Server { _home: Some(self), ..server }
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

    /// Makes a document of a kind that no family of the server has, as another version may have made it.
    pub async fn document_of(&self, account: &str) -> String {
        let journal = Journal::open(&self.data().join("pitwall.db")).await.unwrap();
        let id = DocumentId(uuid::Uuid::now_v7());
        let (owner, kind, title) =
            (account.parse().unwrap(), "opera".parse().unwrap(), "Hers".parse().unwrap());
        let content = DocumentContent::default();
        journal.documents().create(&owner, id, kind, title, &content, Timestamp(0)).await.unwrap();
        journal.close().await;
        id.to_string()
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

/// The HTTP client of all tests. It follows no redirect, and keeps no connection open, which would
/// belong to the test that opened it. It never speaks TLS here, but cannot be built without a provider.
pub static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
});

/// Somebody who asks, and what they show.
#[derive(Clone)]
pub struct Visitor {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

/// A server with two accounts that own nothing yet, and a program of each.
pub async fn two_accounts() -> (Server, Visitor, Visitor) {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    (server, anna, bert)
}

impl Visitor {
    /// Somebody who shows nothing to a server at this address.
    pub fn nobody_at(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    /// A program that shows a token of this account.
    pub async fn program_of(&self, account: &str) -> Self {
        let made = self.post("/api/v1/tokens", json!({ "name": account, "password": PASSWORD })).await;
        let token = made["token"].as_str().unwrap();
        self.clone().with("authorization", &format!("Bearer {token}"))
    }

    /// The same one, who also shows this.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same one at another process.
    pub fn at(self, server: &Server) -> Self {
        Self { address: server.address, ..self }
    }

    /// What they show under this name.
    pub fn shown(&self, name: &str) -> &str {
        &self.headers.iter().find(|(own, _)| own == name).expect("it is shown").1
    }

    /// A request that can be sent.
    pub fn ask(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        let request = HTTP.request(method.parse().unwrap(), url);
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
        self.wait_for_the_end(&run).await;
        run
    }

    /// Follows a run until its log ends.
    pub async fn wait_for_the_end(&self, run: &str) {
        read_to_end(&mut self.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
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
        assert_eq!(location, "/sign-in/kept?next=%2Fruns", "whether it keeps the cookie shows there");
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

    /// A request that shows the token and can be sent.
    pub fn ask(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        HTTP.request(method.parse().unwrap(), self.url(path)).bearer_auth(TOKEN)
    }

    /// Somebody who shows nothing.
    pub fn nobody(&self) -> Visitor {
        Visitor::nobody_at(self.address)
    }

    /// A program that shows this token.
    pub fn program(&self, token: &str) -> Visitor {
        self.nobody().with("authorization", &format!("Bearer {token}"))
    }

    /// A program that shows a token of this account.
    pub async fn program_of(&self, account: &str) -> Visitor {
        self.nobody().program_of(account).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path).send().await.unwrap().json().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        self.ask("GET", path).send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
    }

    pub async fn post_text(&self, path: &str, body: String) -> (u16, Value) {
        let answer = self.ask("POST", path).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = self.ask("POST", path).json(&body).send().await.unwrap();
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

    /// The same on a server that may be dead.
    pub async fn try_connect(&self, path: &str) -> Option<Socket> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {TOKEN}").parse().unwrap());
        Some(tokio_tungstenite::connect_async(request).await.ok()?.0)
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
    Visitor::nobody_at(address).with("authorization", &format!("Bearer {TOKEN}")).socket(path).await.unwrap()
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

/// Status, rating and state of a run that ended.
pub type RunResult = (RunStatus, String, BTreeMap<String, String>);

/// What a run came to, without what differs from run to run: ids, times, totals of repeated calls,
/// and the lists of gaps and of data seen, which stand in the order in which the analysts ended. The
/// state's `missing` and the reports have the same in a fixed order.
pub fn result(log: &[Event]) -> RunResult {
    let view = RunView::fold(log).unwrap();
    let state = view.state.iter().filter(|(key, _)| !matches!(key.as_str(), "gaps" | "data_seen"));
    let state = state
        .flat_map(|(key, entries)| entries.iter().map(|entry| (key.clone(), entry.value.shown().to_owned())))
        .collect();
    (view.summary.status, format!("{:?}", view.documents::<Rating>().last()), state)
}
