//! An endpoint that misbehaves in all the ways of real ones at random, and keeps books of its own.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body as HttpBody, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::{StreamExt, future::join_all, stream};
use protocol::{
    Body, Event, RunStatus, RunView, Totals,
    trading::{AutoResult, Grade, Rating},
};
use serde_json::{Value, json};
use strum::VariantArray;
use tokio::net::TcpListener;

use crate::support::{Home, Moments, asking};

const RUNS: u32 = 50;
const SEED: u64 = 0x51_7C_C1_B7_27_22_0A_95;
/// The end of each whole answer.
const END: &str = "That is all.";

/// What it does with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, VariantArray)]
enum Manner {
    Good,
    WithoutFigures,
    NoStream,
    FieldsTwice,
    OpenAfterTheEnd,
    ThoughtsInTheText,
    OtherSpelling,
    LineBreaksInJson,
    CutWithFigures,
    CutWithoutFigures,
    EmptyFinishes,
    Empty,
    ErrorInTheStream,
    ErrorWithStatus200,
    TooDeep,
    Limited,
    Failing,
    ErrorInTheStreamForGood,
    OnlyThoughts,
    Repeating,
    TooManyTokens,
    HalfCharacters,
    // Only where tools are offered that nobody has called yet.
    CallsWithOneNumber,
    CallsWithOneId,
    ReplacedBeginning,
    UnreadableArguments,
    CallAsText,
    ReasoningDemanded,
    SignatureDemanded,
    // Only where a form is asked for beside tools, and always there.
    RefusesFormWithTools,
}

use Manner::*;

impl Manner {
    fn is_of_tools(self) -> bool {
        matches!(
            self,
            CallsWithOneNumber
                | CallsWithOneId
                | ReplacedBeginning
                | UnreadableArguments
                | CallAsText
                | ReasoningDemanded
                | SignatureDemanded
        )
    }
}

/// The manners to come, of requests that offer tools and of all others. Each manner has its turn before any comes
/// again, so that all of them are seen whatever chance does.
#[derive(Default)]
struct Turns {
    general: Vec<Manner>,
    of_tools: Vec<Manner>,
}

impl Turns {
    fn next(&mut self, offers_tools: bool, moments: &mut Moments) -> Manner {
        let left = if offers_tools { &mut self.of_tools } else { &mut self.general };
        if left.is_empty() {
            let mut all = Manner::VARIANTS.to_vec();
            all.retain(|manner| manner.is_of_tools() == offers_tools && *manner != RefusesFormWithTools);
            moments.shuffle(&mut all);
            *left = all;
        }
        left.pop().unwrap()
    }
}

/// What the endpoint has charged.
#[derive(Clone, Debug, Default)]
struct Books {
    tokens_in: u64,
    tokens_out: u64,
    /// Requests that were charged, or may have been, without a word of how much.
    untold: u32,
    /// Tool calls that it asked for.
    tools: usize,
    /// Requests without what had to come back, or with thoughts that have no place in them.
    faulty: Vec<&'static str>,
    seen: BTreeSet<Manner>,
}

#[derive(Clone)]
struct Endpoint {
    books: Arc<Mutex<Books>>,
    moments: Arc<Mutex<(Moments, Turns)>>,
}

/// What must come back with the calls that came with it.
const REASONING: &str = "The figures are needed.";
const SIGNATURE: &str = "Et8B";
/// What an error says that no patience mends.
const FOR_GOOD: &str = "this question is not answered here";

/// What is wrong with the conversation of a request.
fn fault(request: &Value) -> Option<&'static str> {
    if request.to_string().contains("<think>") {
        return Some("a thought");
    }
    let messages = request["messages"].as_array().unwrap();
    messages.iter().find_map(|message| {
        let calls = message["tool_calls"].as_array()?;
        calls.iter().find_map(|call| match call["id"].as_str()? {
            id if id.starts_with("reasoned") && message["reasoning_content"] != REASONING => {
                Some("no reasoning")
            }
            id if id.starts_with("signed")
                && call["extra_content"]["google"]["thought_signature"] != SIGNATURE =>
            {
                Some("no signature")
            }
            _ => None,
        })
    })
}

/// Whether it offers tools of the workflow, which nobody has called yet, for an answer in prose.
fn invites_calls(request: &Value) -> bool {
    let called = request["messages"].as_array().unwrap().iter().any(|message| message["role"] == "tool");
    !called
        && request["response_format"].is_null()
        && !matches!(first_tool(request), None | Some("ask_person"))
}

fn first_tool(request: &Value) -> Option<&str> {
    request["tools"][0]["function"]["name"].as_str()
}

/// A piece with tool calls.
fn calls(calls: &Value) -> String {
    event(
        &json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": { "tool_calls": calls }, "finish_reason": null }] }),
    )
}

/// The pieces of an answer that asks for tools in one of the manners, and how many calls it means.
fn calling(manner: Manner, tool: &str) -> (String, usize) {
    let whole = r#"{"symbol": "AAPL"}"#;
    let call = |index: u32, id: &str, arguments: &str| json!({ "index": index, "id": id, "type": "function", "function": { "name": tool, "arguments": arguments } });
    let one = |id: &str, arguments: &str| calls(&json!([call(0, id, arguments)]));
    match manner {
        CallsWithOneNumber => ([one("", whole), one("", whole)].concat(), 2),
        CallsWithOneId => (calls(&json!([call(0, "call_0", whole), call(1, "call_0", whole)])), 2),
        ReplacedBeginning => {
            let rest = json!([{ "index": 0, "function": { "arguments": whole } }]);
            ([one("a", "{}"), calls(&rest)].concat(), 1)
        }
        UnreadableArguments => (one("b", r#"{"symbol": AAPL}"#), 1),
        CallAsText => (
            piece(&format!("<tool_call>\n{{\"name\": \"{tool}\", \"arguments\": {whole}}}\n</tool_call>")),
            1,
        ),
        ReasoningDemanded => {
            let thought = json!({ "choices": [{ "index": 0, "delta": { "reasoning_content": REASONING } }] });
            ([event(&thought), one("reasoned", whole)].concat(), 1)
        }
        SignatureDemanded => {
            let mut signed = call(0, "signed", whole);
            signed["extra_content"] = json!({ "google": { "thought_signature": SIGNATURE } });
            (calls(&json!([signed])), 1)
        }
        other => panic!("{other:?} calls no tools"),
    }
}

/// The whole answer to a request: a form where one is asked for, else prose.
fn whole(request: &Value) -> String {
    let asked = request.to_string();
    let said = format!("It is read and weighed. {END}");
    // The decision is told what the scan proposed.
    if asked.contains("decision_confidence") {
        let buy = json!({ "ticker": "LLY", "quantity": "3", "stop_loss": null, "take_profit": null, "rationale": said });
        json!({
            "macro_regime": "neutral", "sells": [], "buys": [buy], "holds": [], "portfolio_thesis": said,
            "risk_summary": END, "decision_confidence": "medium",
        })
        .to_string()
    } else if asked.contains("stocks_to_investigate") {
        let stock = json!({
            "ticker": "LLY", "name": "Eli Lilly", "sector": "Healthcare", "rationale": said, "thesis_angle": "growth",
            "conviction": "medium", "key_catalysts": [], "risks": [],
        });
        let context =
            json!({ "economic_cycle": "late", "central_bank_stance": "tight", "geopolitical_risks": [] });
        json!({
            "timeframe": "a month", "executive_summary": said, "macro_context": context, "key_themes": [],
            "stocks_to_investigate": [stock], "risk_factors": [],
        })
        .to_string()
    } else if asked.contains("grade") {
        json!({ "grade": "overweight", "confidence": "medium", "summary": END, "thesis": format!("It is read and weighed. {END}") })
            .to_string()
    } else {
        format!("The figures were read and weighed, one after the other. {END}")
    }
}

fn is_form(text: &str) -> bool {
    text.starts_with('{')
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn piece(text: &str) -> String {
    event(
        &json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }),
    )
}

fn finish(reason: &str) -> String {
    event(&json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }))
}

fn figures(tokens_in: u64, tokens_out: u64) -> Value {
    json!({ "prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out })
}

async fn complete(State(endpoint): State<Endpoint>, Json(request): Json<Value>) -> Response {
    let invites_calls = invites_calls(&request);
    let manner = if refuses_form(&request) {
        RefusesFormWithTools
    } else {
        let (moments, turns) = &mut *endpoint.moments.lock().unwrap();
        match moments.next(if invites_calls { 4 } else { 2 }) {
            0 => Good,
            1 => turns.next(false, moments),
            _ => turns.next(true, moments),
        }
    };
    let mut books = endpoint.books.lock().unwrap();
    books.seen.insert(manner);
    books.faulty.extend(fault(&request));
    books.tools += if manner.is_of_tools() { calling(manner, first_tool(&request).unwrap()).1 } else { 0 };
    match manner {
        // It refuses before it begins: that costs nothing.
        Limited | Failing | RefusesFormWithTools => {}
        // Of the one that only repeats itself, nobody hears the end.
        WithoutFigures | CutWithoutFigures | ErrorWithStatus200 | TooDeep | Repeating => books.untold += 1,
        _ => {
            let (tokens_in, tokens_out) = charged(&request);
            books.tokens_in += tokens_in;
            books.tokens_out += tokens_out;
        }
    }
    drop(books);
    answered(manner, &request)
}

/// Whether a form is asked for beside tools.
fn refuses_form(request: &Value) -> bool {
    !request["response_format"].is_null() && first_tool(request).is_some()
}

/// The tokens of a request and of its whole answer.
fn charged(request: &Value) -> (u64, u64) {
    (request.to_string().len() as u64 / 4, whole(request).len() as u64 / 4)
}

/// The answer to a request in one manner.
fn answered(manner: Manner, request: &Value) -> Response {
    let text = whole(request);
    let half = &text[..text.len() / 2];
    let (tokens_in, tokens_out) = charged(request);
    let usage = figures(tokens_in, tokens_out);
    let told = event(&json!({ "model": "fake-1", "choices": [], "usage": usage }));
    let done = "data: [DONE]\n\n";
    let (finished, error) =
        (finish("stop"), |code: u16| event(&json!({ "error": { "code": code, "message": "overloaded" } })));
    let good = |text: &str| [piece(text), finished.clone(), told.clone(), done.to_owned()].concat();
    let body = match manner {
        Good => good(&text),
        WithoutFigures => [piece(&text), finished, done.to_owned()].concat(),
        NoStream => {
            let message = json!({ "role": "assistant", "content": text });
            let choice = json!({ "index": 0, "finish_reason": "stop", "message": message });
            let whole = json!({ "object": "chat.completion", "model": "fake-1", "choices": [choice], "usage": usage });
            return Json(whole).into_response();
        }
        FieldsTwice => {
            let content = Value::from(text);
            let delta =
                format!(r#"{{"content":{content},"reasoning":"","reasoning_content":"","reasoning":""}}"#);
            let piece = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
            [piece, finished, told, done.to_owned()].concat()
        }
        OpenAfterTheEnd => {
            let all = Ok::<_, Infallible>(Bytes::from([piece(&text), finished, told].concat()));
            let silence = stream::pending();
            return as_stream(HttpBody::from_stream(stream::iter([all]).chain(silence)));
        }
        ThoughtsInTheText => good(&format!("<think>\nWhat is {half}?\n</think>\n\n{text}")),
        OtherSpelling => good(&text.replace("overweight", "OVER-weight").replace("medium", "Medium")),
        LineBreaksInJson if is_form(&text) => good(&text.replace("It is read", "It is\nread")),
        LineBreaksInJson => good(&text),
        CutWithFigures => [piece(half), told].concat(),
        CutWithoutFigures => piece(half),
        EmptyFinishes => {
            let cut = piece(half).replace(r#""finish_reason":null"#, r#""finish_reason":"""#);
            [cut, told].concat()
        }
        Empty => [finished, told, done.to_owned()].concat(),
        ErrorInTheStream => [piece(half), told, error(503)].concat(),
        ErrorWithStatus200 => return Json(json!({ "error": "the server is busy" })).into_response(),
        TooDeep => format!("data: {}\n\n", "[".repeat(20_000)),
        Limited => {
            let problem = json!([{ "error": { "code": 429, "message": "slow down", "details": [
                { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.2s" },
            ] } }]);
            return (StatusCode::TOO_MANY_REQUESTS, Json(problem)).into_response();
        }
        Failing => {
            let problem = json!({ "error": { "message": "the server failed" } });
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response();
        }
        ErrorInTheStreamForGood => {
            let problem = event(&json!({ "object": "error", "message": FOR_GOOD, "code": 400 }));
            [piece(half), told, problem].concat()
        }
        OnlyThoughts => {
            let thought = json!({ "choices": [{ "index": 0, "delta": { "reasoning_content": half } }] });
            [event(&thought), finished, told, done.to_owned()].concat()
        }
        Repeating => {
            [piece(&"Once more from the beginning. ".repeat(1_000)), finished, done.to_owned()].concat()
        }
        TooManyTokens => [piece(half), finish("length"), told, done.to_owned()].concat(),
        HalfCharacters => good(&text).replace("read", r"read\ud83d"),
        RefusesFormWithTools => {
            let problem =
                json!({ "error": { "message": "response_format cannot be used together with tools" } });
            return (StatusCode::BAD_REQUEST, Json(problem)).into_response();
        }
        CallAsText | CallsWithOneNumber | CallsWithOneId | ReplacedBeginning | UnreadableArguments
        | ReasoningDemanded | SignatureDemanded => {
            let reason = if manner == CallAsText { "stop" } else { "tool_calls" };
            let (pieces, _) = calling(manner, first_tool(request).unwrap());
            [pieces, finish(reason), told, done.to_owned()].concat()
        }
    };
    as_stream(HttpBody::from(body))
}

fn as_stream(body: HttpBody) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// AgentOS 6.A 2, 7.1.2, 7.1.3.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_misbehaves_in_all_ways_spoils_no_result_and_charges_nothing_unseen() {
    let moments = Mutex::new((Moments::new(SEED), Turns::default()));
    let endpoint = Endpoint { books: Arc::default(), moments: Arc::new(moments) };
    let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(endpoint.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let prices = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(prices.path(), PRICES).unwrap();
    let mut settings = asking(base_url).to_vec();
    settings.push(("PITWALL_MODEL_PRICES", prices.path().display().to_string()));
    settings.push(("PITWALL_CONCURRENT_RUNS", "16".to_owned()));
    settings.push(("PITWALL_MODEL_RETRIES", "3".to_owned()));
    let home = Home::new(&settings);
    let server = home.start().await;

    let mut runs = Vec::new();
    for number in 0..RUNS {
        let analysts = if number % 2 == 0 { json!(["market"]) } else { json!(["news"]) };
        let workflow =
            json!({ "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": analysts });
        // With a tool to ask people, every form is asked for beside tools.
        let request =
            json!({ "workflow": workflow, "limits": { "seconds": 300 }, "questions": number % 5 == 0 });
        runs.push(server.start_run(request).await);
    }
    let logs = join_all(runs.into_iter().map(|run| server.events_to_end(run, 0)));
    let logs = tokio::time::timeout(Duration::from_secs(300), logs).await.expect("every run ends");

    let (mut totals, mut succeeded, mut tools, mut for_good) = (Totals::default(), 0, 0, 0);
    for log in &logs {
        let view = RunView::fold(log).unwrap();
        totals.add(&view.summary.totals);
        let asked_for: usize = log.iter().map(tools_asked_for).sum();
        tools += asked_for;
        // The workflow calls some of its own accord.
        assert!(view.tools.len() >= asked_for);
        for answer in log.iter().filter_map(|event| match &event.body {
            Body::CallFinished(call) if call.error.is_none() && call.tool_requests.is_empty() => {
                Some(call.answer.shown())
            }
            _ => None,
        }) {
            assert!(is_whole(answer), "a half answer or a thought was taken for a whole one: {answer}");
        }
        for report in &view.reports {
            assert!(!report.markdown.shown().contains("<think>"), "{}", report.markdown.shown());
        }
        match view.summary.status {
            RunStatus::Succeeded => {
                succeeded += 1;
                let rating = view.documents::<Rating>().last().expect("a rating");
                // What is refused again and again is shown as it came, and is no rating.
                if rating.grade != Grade::Review {
                    assert_eq!(rating.grade, Grade::Overweight);
                    assert!(rating.thesis.ends_with(END), "{}", rating.thesis);
                }
            }
            RunStatus::Failed => {
                let error = view.summary.error.expect("a reason");
                assert!(error.contains(' ') && error.len() < 2_000, "{error}");
                for_good += usize::from(error.contains(FOR_GOOD));
            }
            other => panic!("a run ended as {other:?}"),
        }
    }
    let books = endpoint.books.lock().unwrap().clone();
    assert_eq!(books.seen.len(), Manner::VARIANTS.len(), "it misbehaved in {:?} alone", books.seen);
    assert!(succeeded > 0, "no run succeeded");
    assert!(for_good > 0, "what cannot succeed ends its run in the provider's words");
    assert_eq!(books.faulty, [""; 0], "what goes back is what must, and nothing else");
    assert_eq!(tools, books.tools, "every call of a tool is read once, in whichever way it was written");
    let shown = (totals.tokens_in, totals.tokens_out, totals.calls_of_unknown_cost);
    assert_eq!(shown, (books.tokens_in, books.tokens_out, books.untold));
}

#[tokio::test]
async fn empty_answers_that_are_charged_bring_a_run_to_its_limit_of_tokens() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    // Each call is answered at its second attempt only.
    let every_other = move |Json(request): Json<Value>| {
        let is_empty = counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        let text = if is_empty { String::new() } else { piece(&whole(&request)) };
        let told = event(&json!({ "model": "fake-1", "choices": [], "usage": figures(10_000, 5_000) }));
        let answer = [text, finish("stop"), told, "data: [DONE]\n\n".to_owned()].concat();
        async move { as_stream(HttpBody::from(answer)) }
    };
    let router = Router::new().route("/v1/chat/completions", post(every_other));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut settings = asking(base_url).to_vec();
    settings.push(("PITWALL_MODEL_RETRIES", "1".to_owned()));
    let home = Home::new(&settings);
    let server = home.start().await;
    let limits = json!({ "tokens": 50_000, "concurrent_nodes": 1 });
    let workflow = json!({ "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" });
    let run = server.start_run(json!({ "workflow": workflow, "limits": limits })).await;
    let view = RunView::fold(&server.events_to_end(run, 0).await).unwrap();
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.unwrap();
    assert!(error.contains("60000 tokens, its limit"), "{error}");
    // Two calls of two attempts each; a third call would begin above the limit.
    assert_eq!((asked.load(Ordering::SeqCst), view.summary.totals.tokens_in), (4, 40_000));
}

fn tools_asked_for(event: &Event) -> usize {
    if let Body::CallFinished(call) = &event.body { call.tool_requests.len() } else { 0 }
}

/// Whether an answer has its end, and nothing before its beginning.
fn is_whole(answer: &str) -> bool {
    match serde_json::from_str::<Value>(&answer.replace('\n', " ")) {
        Ok(form) => form["thesis"].as_str().is_some_and(|thesis| thesis.ends_with(END)),
        Err(_) => answer.starts_with("The figures") && answer.ends_with(END),
    }
}

/// So that no cost is unknown for want of a price.
const PRICES: &str = "model,input,output,prompt_limit\nfake-1,1,1,\n";

/// A model at an address of its own: it answers each question in one manner, or only when it is first asked.
#[derive(Clone)]
struct Habit {
    manner: Manner,
    always: bool,
    asked: Arc<Mutex<BTreeSet<String>>>,
    shown: Arc<AtomicUsize>,
}

impl Habit {
    fn name(&self) -> String {
        format!("{:?}_{}", self.manner, if self.always { "always" } else { "at_first" }).to_lowercase()
    }

    fn answer(&self, request: &Value) -> Response {
        let is_new = self.asked.lock().unwrap().insert(request["messages"].to_string());
        let fits = match self.manner {
            RefusesFormWithTools => refuses_form(request),
            manner if manner.is_of_tools() => invites_calls(request),
            _ => true,
        };
        if !fits || !(is_new || self.always) {
            return answered(Good, request);
        }
        self.shown.fetch_add(1, Ordering::SeqCst);
        answered(self.manner, request)
    }
}

/// What `spec/providers.md` lists as seen of real providers, each with an automatic run from the scan to the trades.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_answers_badly_in_any_way_ends_an_automatic_run_with_a_readable_result() {
    let habits = Manner::VARIANTS.iter().flat_map(|manner| [false, true].map(|always| (*manner, always)));
    let habits: Vec<Habit> = habits
        .map(|(manner, always)| Habit { manner, always, asked: Arc::default(), shown: Arc::default() })
        .collect();
    let mut router = Router::new();
    for habit in &habits {
        let answering = habit.clone();
        let complete = move |Json(request): Json<Value>| async move { answering.answer(&request) };
        router = router.route(&format!("/{}/v1/chat/completions", habit.name()), post(complete));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let settings =
        [("PITWALL_CONCURRENT_RUNS", "16".to_owned()), ("PITWALL_MODEL_RATE_PATIENCE", "3".to_owned())];
    let home = Home::new(&settings);
    let models = habits.iter().map(|habit| {
        let name = habit.name();
        format!(
            "[models.{name}]\nmodel = \"fake-1\"\nbase_url = \"http://{address}/{name}/v1\"\nretries = 2\n\
             requests_at_once = 16\n"
        )
    });
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("pitwall.toml"), models.collect::<String>()).unwrap();
    let server = home.start().await;

    let mut runs = Vec::new();
    for habit in &habits {
        let (name, at_close) = (habit.name(), json!({ "fill": "decision_close" }));
        let portfolio = json!({ "id": name, "name": name, "cash": "100000", "settings": at_close });
        assert_eq!(server.post("/api/v1/portfolios", portfolio).await.0, 201, "{name}");
        let workflow = json!({
            "type": "auto", "portfolio": name, "date": "2022-06-30", "max_tickers": 1, "analysts": ["market"],
        });
        // With a tool to ask people, every form is asked for beside tools.
        let request = json!({
            "workflow": workflow, "flow": name, "model": { "type": "profile", "name": name },
            "questions": habit.manner == RefusesFormWithTools,
        });
        runs.push(server.start_run(request).await);
    }
    let logs = join_all(runs.into_iter().map(|run| server.events_to_end(run, 0)));
    let logs = tokio::time::timeout(Duration::from_secs(500), logs).await.expect("every run ends");

    let mut not_lived_through = Vec::new();
    for (habit, log) in habits.iter().zip(&logs) {
        let name = habit.name();
        assert!(habit.shown.load(Ordering::SeqCst) > 0, "{name} was never shown");
        let view = RunView::fold(log).unwrap();
        let portfolio = server.get(&format!("/api/v1/portfolios/{name}")).await;
        let trades = portfolio["trades"].as_array().unwrap().len();
        let readable = match view.summary.status {
            RunStatus::Succeeded => {
                let result = view.documents::<AutoResult>().last().expect("a result");
                assert_eq!(result.trades as usize, trades, "{name}: the ledger has what the result says");
                view.summary.result.clone().expect("a headline")
            }
            RunStatus::Failed => {
                assert_eq!(trades, 0, "{name} traded before it failed");
                view.summary.error.clone().expect("a reason")
            }
            other => panic!("{name} ended as {other:?}"),
        };
        assert!(readable.contains(' ') && readable.chars().count() < 2_000, "{name}: {readable}");
        assert!(!readable.contains("<think>") && !readable.contains(r#"{""#), "{name}: {readable}");
        if !habit.always && view.summary.status == RunStatus::Failed {
            not_lived_through.push(habit.manner);
        }
    }
    // All that may pass is lived through. What cannot is not asked again: the error says what to change.
    assert_eq!(not_lived_through, [ErrorInTheStreamForGood, Repeating, TooManyTokens]);
}
