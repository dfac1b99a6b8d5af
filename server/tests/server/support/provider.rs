//! A provider that counts what it is asked, and does wrong what it is told to.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
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
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// An OpenAI-compatible provider on loopback: its answers follow from the prompts alone, and
/// it counts how often each prompt was answered to the end.
#[derive(Clone, Default)]
pub struct Provider {
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    /// The temperatures that requests asked for.
    temperatures: Arc<Mutex<Vec<f64>>>,
    pause: Duration,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    /// How many faults each prompt met.
    met: Arc<Mutex<BTreeMap<String, u32>>>,
    /// What is refused by policy: a model, and a word of the prompt.
    policy: Arc<Mutex<Option<(String, String)>>>,
    in_flight: Arc<()>,
    crowd: Arc<Crowd>,
}

/// How many answers were being written at once.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// One of them.
struct InCrowd(Arc<Crowd>);

impl InCrowd {
    fn new(crowd: &Arc<Crowd>) -> Self {
        let now = crowd.now.fetch_add(1, Ordering::SeqCst) + 1;
        crowd.most.fetch_max(now, Ordering::SeqCst);
        Self(crowd.clone())
    }
}

impl Drop for InCrowd {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Fewer than the attempts that a server makes by default.
const FAULTS_OF_A_PROMPT: u32 = 2;

/// What a provider does wrong with one request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Takes the request and says nothing.
    Hang,
    /// Never comes to an end: 100 MB of answer.
    Flood,
    /// Closes the connection after so many bytes of the answer.
    Cut(usize),
    /// Writes so many pieces of the answer, and then nothing more.
    Stall(usize),
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

    /// Does these things wrong, one with each request to come whose prompt has not met
    /// [`FAULTS_OF_A_PROMPT`] of them: however runs side by side meet, each call comes to its answer.
    pub fn misbehave(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Refuses by policy what this model is asked in prompts with this word.
    pub fn forbid(&self, model: &str, word: &str) {
        *self.policy.lock().unwrap() = Some((model.to_owned(), word.to_owned()));
    }

    fn forbids(&self, request: &Value, prompt: &str) -> bool {
        let policy = self.policy.lock().unwrap();
        policy
            .as_ref()
            .is_some_and(|(model, word)| request["model"] == **model && prompt.contains(word.as_str()))
    }

    fn fault(&self, prompt: &str) -> Option<Fault> {
        let mut met = self.met.lock().unwrap();
        let met = met.entry(prompt.to_owned()).or_default();
        if *met == FAULTS_OF_A_PROMPT {
            return None;
        }
        let fault = self.faults.lock().unwrap().pop_front()?;
        *met += 1;
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

    /// The most answers that were being written at once, each until its text was whole.
    pub fn most_at_once(&self) -> usize {
        self.crowd.most.load(Ordering::SeqCst)
    }

    /// How often each prompt was asked.
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.asked.lock().unwrap().clone()
    }

    /// The temperatures that requests asked for, in order; those that asked for none are left out.
    pub fn temperatures(&self) -> Vec<f64> {
        self.temperatures.lock().unwrap().clone()
    }
}

async fn complete(State(provider): State<Provider>, Json(request): Json<Value>) -> Response {
    let prompt = prompt(&request);
    let lines = lines(&request, &prompt);
    if provider.forbids(&request, &prompt) {
        let error =
            json!({ "error": { "message": "The prompt was refused.", "code": "content_policy_violation" } });
        return (axum::http::StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    if let Some(fault) = provider.fault(&prompt) {
        return misbehaving(fault, &lines).await;
    }
    provider.temperatures.lock().unwrap().extend(request["temperature"].as_f64());
    *provider.asked.lock().unwrap().entry(prompt).or_default() += 1;
    let pause = provider.pause;
    let streaming = provider.in_flight.clone();
    let mut writing = Some(InCrowd::new(&provider.crowd));
    Sse::new(stream::iter(lines).then(move |line| {
        let _streaming = &streaming;
        // Whoever reads this may ask the next thing before the rest is sent.
        let written = if line.contains(r#""finish_reason":"stop""#) { writing.take() } else { None };
        async move {
            tokio::time::sleep(pause).await;
            drop(written);
            Ok::<_, Infallible>(SseEvent::default().data(line))
        }
    }))
    .into_response()
}

async fn misbehaving(fault: Fault, lines: &[String]) -> Response {
    let event = |line: &str| format!("data: {line}\n\n");
    let body = match fault {
        Fault::Hang => return std::future::pending().await,
        Fault::Stall(pieces) => {
            let part: String = lines.iter().take(pieces).map(|line| event(line)).collect();
            Body::from_stream(stream::iter([Ok::<_, Infallible>(part)]).chain(stream::pending()))
        }
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

/// The answer to a prompt: a rating, a decision or a ledger of a done team where one is asked for, else some prose.
fn answer(request: &Value, prompt: &str) -> String {
    let mark = prompt.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let asked_for = request.to_string();
    if asked_for.contains("decision_confidence") {
        return json!({
            "macro_regime": "neutral", "sells": [], "buys": [], "holds": [],
            "portfolio_thesis": format!("Thesis {mark}."), "risk_summary": format!("Risks {mark}."),
            "decision_confidence": "low",
        })
        .to_string();
    }
    if asked_for.contains("\"grade\"") || asked_for.contains("\\\"grade\\\"") {
        return json!({ "grade": "overweight", "confidence": "medium", "summary": format!("Summary {mark}."), "thesis": format!("Thesis {mark}.") })
            .to_string();
    }
    if asked_for.contains("is_request_satisfied") {
        let said = |answer: Value| json!({ "reason": format!("Reason {mark}."), "answer": answer });
        return json!({
            "is_request_satisfied": said(json!(true)), "is_in_loop": said(json!(false)),
            "is_progress_being_made": said(json!(true)), "next_speaker": said(json!("writer")),
            "instruction_or_question": said(json!("Nothing is left to do.")),
        })
        .to_string();
    }
    format!("Remark {mark}. The figures were read and weighed; this text follows from the prompt alone.")
}
