//! An endpoint that misbehaves in all the ways of real ones at random, and keeps books of its own.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{Arc, Mutex},
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
    Body, RunStatus, RunView, Totals,
    trading::{Grade, Rating},
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
}

use Manner::*;

/// What the endpoint has charged.
#[derive(Clone, Debug, Default)]
struct Books {
    tokens_in: u64,
    tokens_out: u64,
    /// Requests that were charged, or may have been, without a word of how much.
    untold: u32,
    seen: BTreeSet<Manner>,
}

#[derive(Clone)]
struct Endpoint {
    books: Arc<Mutex<Books>>,
    moments: Arc<Mutex<Moments>>,
}

/// The whole answer to a request: a form where one is asked for, else prose.
fn whole(request: &Value) -> String {
    if request.to_string().contains("grade") {
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
    let text = whole(&request);
    let half = &text[..text.len() / 2];
    let (tokens_in, tokens_out) = (request.to_string().len() as u64 / 4, text.len() as u64 / 4);
    let manner = {
        let mut moments = endpoint.moments.lock().unwrap();
        match moments.next(2) {
            0 => Good,
            _ => Manner::VARIANTS[moments.next(Manner::VARIANTS.len() as u64) as usize],
        }
    };
    let usage = figures(tokens_in, tokens_out);
    let told = event(&json!({ "model": "fake-1", "choices": [], "usage": usage }));
    let done = "data: [DONE]\n\n";
    let (finished, error) =
        (finish("stop"), |code: u16| event(&json!({ "error": { "code": code, "message": "overloaded" } })));
    let good = |text: &str| [piece(text), finished.clone(), told.clone(), done.to_owned()].concat();

    let mut books = endpoint.books.lock().unwrap();
    books.seen.insert(manner);
    match manner {
        // It refuses before it begins: that costs nothing.
        Limited | Failing => {}
        WithoutFigures | CutWithoutFigures | ErrorWithStatus200 | TooDeep => books.untold += 1,
        _ => {
            books.tokens_in += tokens_in;
            books.tokens_out += tokens_out;
        }
    }
    drop(books);
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
    };
    as_stream(HttpBody::from(body))
}

fn as_stream(body: HttpBody) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_misbehaves_in_all_ways_spoils_no_result_and_charges_nothing_unseen() {
    let endpoint = Endpoint { books: Arc::default(), moments: Arc::new(Mutex::new(Moments::new(SEED))) };
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
        runs.push(server.start_run(json!({ "workflow": workflow, "limits": { "seconds": 300 } })).await);
    }
    let logs = join_all(runs.into_iter().map(|run| server.events_to_end(run, 0)));
    let logs = tokio::time::timeout(Duration::from_secs(300), logs).await.expect("every run ends");

    let (mut totals, mut succeeded) = (Totals::default(), 0);
    for log in &logs {
        let view = RunView::fold(log).unwrap();
        totals.add(&view.summary.totals);
        for answer in log.iter().filter_map(|event| match &event.body {
            Body::CallFinished(call) if call.error.is_none() => Some(call.answer.shown()),
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
                assert_eq!(rating.grade, Grade::Overweight);
                assert!(rating.thesis.ends_with(END), "{}", rating.thesis);
            }
            RunStatus::Failed => {
                let error = view.summary.error.expect("a reason");
                assert!(error.contains(' ') && error.len() < 2_000, "{error}");
            }
            other => panic!("a run ended as {other:?}"),
        }
    }
    let books = endpoint.books.lock().unwrap().clone();
    assert_eq!(books.seen.len(), Manner::VARIANTS.len(), "it misbehaved in {:?} alone", books.seen);
    assert!(succeeded > 0, "no run succeeded");
    let shown = (totals.tokens_in, totals.tokens_out, totals.calls_of_unknown_cost);
    assert_eq!(shown, (books.tokens_in, books.tokens_out, books.untold));
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
