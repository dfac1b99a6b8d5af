//! What people make and keep, over REST: whose it is, what becomes of it, and what is refused.

use std::{net::SocketAddr, sync::Arc};

use clap::Parser;
use reqwest::Response;
use serde_json::{Value, json};
use server::{Command, CommandLine, ServeError, Service};
use tokio::{net::TcpListener, task::JoinHandle};
use workflows::Family;

use crate::{
    family::{Echo, PART},
    support::{Home, Visitor},
};

/// A server in this process, with families that the program does not have.
struct Running {
    service: Arc<Service>,
    address: SocketAddr,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    async fn start(home: &Home, families: Vec<Arc<dyn Family>>) -> Self {
        let data = home.data();
        let line = CommandLine::parse_from(["pitwall", "serve", "--data", data.to_str().unwrap()]);
        let Command::Serve(options) = line.command else { panic!("it serves") };
        let service = server::open_with(&options, families).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (served, site) = (service.clone(), home.folder().join("site"));
        let serving =
            tokio::spawn(async move { server::serve_opened(&options, served, listener, &site).await });
        Self { service, address, serving }
    }

    async fn stop(self) {
        self.service.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }

    async fn program_of(&self, account: &str) -> Visitor {
        Visitor::nobody_at(self.address).program_of(account).await
    }
}

fn echo() -> Vec<Arc<dyn Family>> {
    vec![Arc::new(Echo::default())]
}

/// A home of anna's and bert's.
async fn home() -> Home {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    home
}

fn part(words: &str) -> Value {
    json!({ "lines": [{ "voice": "first", "words": words }] })
}

async fn create(visitor: &Visitor, title: &str, words: &str) -> Value {
    visitor.post("/api/v1/documents", json!({ "kind": PART, "title": title, "content": part(words) })).await
}

fn path_of(document: &Value) -> String {
    format!("/api/v1/documents/{}", document["summary"]["id"].as_str().unwrap())
}

async fn titles(visitor: &Visitor, query: &str) -> Vec<String> {
    let page = visitor.get(&format!("/api/v1/documents{query}")).await;
    let titles = page["documents"].as_array().unwrap().iter().map(|document| document["title"].as_str());
    titles.map(|title| title.unwrap().to_owned()).collect()
}

/// What several documents of the kind are called; `None` where the server has no such kind.
async fn plural_of_parts(visitor: &Visitor) -> Option<Value> {
    let kinds = visitor.get("/api/v1/document-kinds").await;
    let part = kinds.as_array().unwrap().iter().find(|kind| kind["kind"] == PART)?;
    Some(part["plural"].clone())
}

/// What must be refused with this status, in the form of a problem.
async fn refused(visitor: &Visitor, method: &str, path: &str, body: &Value, status: u16) -> String {
    problem(visitor.ask(method, path).json(body).send().await.unwrap(), status).await
}

async fn refused_file(visitor: &Visitor, file: String, status: u16) -> String {
    let asked = visitor.ask("POST", "/api/v1/documents/import").header("content-type", "application/json");
    problem(asked.body(file).send().await.unwrap(), status).await
}

async fn problem(answer: Response, status: u16) -> String {
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(answer.status(), status, "{}", answer.text().await.unwrap());
    assert_eq!(kind, "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_document_is_made_saved_renamed_copied_and_deleted() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    assert_eq!(plural_of_parts(&anna).await, Some(json!("Parts")));

    let made = create(&anna, "Rain", "it rains").await;
    assert_eq!((&made["version"], &made["content"]), (&json!(1), &part("it rains")));
    let path = path_of(&made);
    let save = json!({ "base": 1, "content": part("it pours") });
    let (status, saved) = anna.answer("PUT", &path, Some(&save)).await;
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!((status, &saved["version"]), (200, &json!(2)), "{saved}");
    // Its answer may have been lost: repeated, it changes nothing.
    let (status, again) = anna.answer("PUT", &path, Some(&save)).await;
    assert_eq!((status, serde_json::from_str::<Value>(&again).unwrap()), (200, saved.clone()));

    let title = json!({ "title": "Heavy rain" });
    assert_eq!(anna.answer("PUT", &format!("{path}/title"), Some(&title)).await.0, 200);
    let now = anna.get(&path).await;
    assert_eq!((&now["summary"]["title"], &now["content"]), (&json!("Heavy rain"), &part("it pours")));

    let copy = anna.post(&format!("{path}/copies"), json!({ "version": 1 })).await;
    assert_eq!((&copy["summary"]["title"], &copy["version"]), (&json!("Copy of Heavy rain"), &json!(1)));
    assert_eq!(copy["content"], part("it rains"));
    assert_eq!(titles(&anna, "").await, ["Copy of Heavy rain", "Heavy rain"]);
    assert_eq!(titles(&anna, "?search=COPY&kind=part").await, ["Copy of Heavy rain"]);
    assert_eq!(titles(&anna, "?kind=opera").await, [""; 0]);
    let first = anna.get("/api/v1/documents?limit=1").await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(titles(&anna, &format!("?limit=1&after={next}")).await, ["Heavy rain"]);

    assert_eq!(anna.answer("DELETE", &path, None).await.0, 204);
    assert_eq!(anna.answer("GET", &path, None).await.0, 404);
    assert_eq!(anna.answer("GET", &format!("{path}?version=1"), None).await.0, 404);
    assert_eq!(titles(&anna, "").await, ["Copy of Heavy rain"]);
    server.stop().await;
}

#[tokio::test]
async fn a_save_after_an_older_version_is_a_conflict_and_every_version_can_be_read() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    let path = path_of(&create(&anna, "Rain", "one").await);
    for (base, words) in [(1, "two"), (2, "three")] {
        let save = json!({ "base": base, "content": part(words) });
        assert_eq!(anna.answer("PUT", &path, Some(&save)).await.0, 200);
    }
    for base in [1, 2, 4] {
        let save = json!({ "base": base, "content": part("mine") });
        let detail = refused(&anna, "PUT", &path, &save, 409).await;
        assert!(detail.contains("its newest version is 3"), "{detail}");
    }
    let newest = anna.get(&format!("{path}/versions?limit=2")).await;
    let numbers = |page: &Value| {
        let versions = page["versions"].as_array().unwrap().iter();
        versions.map(|saved| saved["version"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((numbers(&newest), &newest["more"]), (vec![3, 2], &json!(true)));
    let older = anna.get(&format!("{path}/versions?limit=2&before=2")).await;
    assert_eq!((numbers(&older), &older["more"]), (vec![1], &json!(false)));
    let first = anna.get(&format!("{path}?version=1")).await;
    assert_eq!((&first["version"], &first["content"]), (&json!(1), &part("one")));
    assert_eq!(first["summary"]["version"], 3);
    assert_eq!(anna.answer("GET", &format!("{path}?version=4"), None).await.0, 404);
    assert_eq!(anna.answer("GET", &format!("{path}?version=0"), None).await.0, 422);
    server.stop().await;
}

#[tokio::test]
async fn what_is_anothers_is_not_found_by_any_way() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let hers = create(&anna, "Rain", "secret").await;
    let path = path_of(&hers);
    for (method, path, body) in [
        ("GET", path.clone(), Value::Null),
        ("GET", format!("{path}?version=1"), Value::Null),
        ("PUT", path.clone(), json!({ "base": 1, "content": part("his") })),
        ("PUT", path.clone(), json!({ "base": 1, "content": {} })),
        ("DELETE", path.clone(), Value::Null),
        ("PUT", format!("{path}/title"), json!({ "title": "His" })),
        ("POST", format!("{path}/copies"), json!({})),
        ("GET", format!("{path}/versions"), Value::Null),
        ("GET", format!("{path}/export.json"), Value::Null),
    ] {
        let detail = refused(&bert, method, &path, &body, 404).await;
        assert!(!detail.contains("secret"), "{method} {path}: {detail}");
    }
    assert_eq!(titles(&bert, "").await, [""; 0]);
    assert_eq!(anna.get(&path).await, hers);

    // Nor by a run: it is told what is told of a document that does not exist.
    let id = hers["summary"]["id"].as_str().unwrap();
    let unknown = "0197a1b2-0000-7000-8000-000000000000";
    for named in [id, &format!("{id}@1"), unknown] {
        let run = json!({ "workflow": { "type": "echo", "part": named, "voice": "own" } });
        let detail = refused(&bert, "POST", "/api/v1/runs", &run, 422).await;
        assert!(detail.starts_with(&format!("There is no document {named} ")), "{detail}");
    }
    let own = create(&bert, "Rain", "his own").await;
    let own = own["summary"]["id"].as_str().unwrap();
    let run = json!({ "workflow": { "type": "echo", "part": own, "voice": "own" } });
    bert.post("/api/v1/runs", run).await;
    server.stop().await;
}

#[tokio::test]
async fn a_content_that_is_not_as_its_kind_demands_is_refused_with_the_places() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    let made = create(&anna, "Rain", "one").await;
    let path = path_of(&made);
    let long = "x".repeat(101);
    for (content, place) in [
        (json!({}), "\"lines\""),
        (json!({ "lines": [] }), "/lines: "),
        (
            json!({ "lines": [{ "voice": "a", "words": "b" }, { "voice": 7, "words": "b" }] }),
            "/lines/1/voice: ",
        ),
        (part(&long), "/lines/0/words: "),
        (part("  "), "/lines/0/words: There are no words."),
        (json!({ "lines": [{ "voice": "a", "words": "b" }], "more": 1 }), "more"),
    ] {
        let new = json!({ "kind": PART, "title": "Other", "content": content });
        let detail = refused(&anna, "POST", "/api/v1/documents", &new, 422).await;
        assert!(detail.contains(place), "{detail}");
        let save = json!({ "base": 1, "content": content });
        assert_eq!(refused(&anna, "PUT", &path, &save, 422).await, detail);
        let check = json!({ "kind": PART, "content": content });
        let findings = anna.post("/api/v1/documents/check", check).await;
        assert_eq!(findings[0]["severity"], "error", "{findings}");
    }
    assert_eq!(anna.get(&path).await, made, "nothing was saved");

    // A warning is told, and keeps nothing from being saved.
    let twice = json!({ "lines": [{ "voice": "a", "words": "b" }, { "voice": "a", "words": "c" }] });
    let (status, saved) = anna.answer("PUT", &path, Some(&json!({ "base": 1, "content": twice }))).await;
    let saved: Value = serde_json::from_str(&saved).unwrap();
    let warned = json!([{
        "place": "/lines/1/voice", "detail": "It is the voice of the line before.", "severity": "warning",
    }]);
    assert_eq!((status, &saved["findings"]), (200, &warned), "{saved}");
    assert_eq!(anna.get(&path).await["findings"], warned);
    for title in ["", "  ", "two\nlines", &"x".repeat(121)] {
        let new = json!({ "kind": PART, "title": title, "content": part("one") });
        refused(&anna, "POST", "/api/v1/documents", &new, 422).await;
        refused(&anna, "PUT", &format!("{path}/title"), &json!({ "title": title }), 422).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn an_exported_document_is_imported_as_the_same() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let made = create(&anna, "Rain ☔", "it \"rains\"\u{2028}\0").await;
    let path = format!("{}/export.json", path_of(&made));
    let answer = anna.ask("GET", &path).send().await.unwrap();
    let named = format!("attachment; filename=\"{}.json\"", made["summary"]["id"].as_str().unwrap());
    assert_eq!(answer.headers()["content-disposition"], named.as_str());
    let file = answer.text().await.unwrap();
    // As an editor on Windows leaves it.
    for file in [file.clone(), format!("\u{feff}{}", file.replace('\n', "\r\n"))] {
        let asked = bert.ask("POST", "/api/v1/documents/import").header("content-type", "application/json");
        let answer = asked.body(file.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        let copy: Value = answer.json().await.unwrap();
        assert_ne!(copy["summary"]["id"], made["summary"]["id"]);
        assert_eq!(copy["content"], made["content"]);
        let again = bert.answer("GET", &format!("{}/export.json", path_of(&copy)), None).await;
        assert_eq!(again, (200, file_of(&file)));
    }
    server.stop().await;
}

/// The file as Pitwall writes it.
fn file_of(file: &str) -> String {
    file.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

#[tokio::test]
async fn a_file_that_is_no_document_is_refused_and_harms_nothing() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    let file = |format: &str, version: u32, kind: &str, content: Value| {
        json!({ "format": format, "version": version, "kind": kind, "title": "Rain", "content": content })
            .to_string()
    };
    let whole = |content: Value| file("pitwall-document", 1, PART, content);
    let nested = (0..100).fold(json!({}), |inner, _| json!({ "a": inner }));
    let deep = "[".repeat(1_000_000);
    let closed = format!("{{\"a\":{deep}{}}}", "]".repeat(1_000_000));
    for (file, why) in [
        (String::new(), "EOF"),
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "no exported document"),
        (deep.clone(), "no exported document"),
        (whole(json!("deep")).replace("\"deep\"", &closed), "recursion limit exceeded"),
        (whole(nested), "levels within each other"),
        (whole(json!({ "lines": "x".repeat(600_000) })), "more than 524288"),
        (whole(json!([])), "invalid type"),
        (file("pitwall-run", 1, PART, part("a")), "its format is not \"pitwall-document\""),
        (file("pitwall-document", 2, PART, part("a")), "it is of version 2, and this Pitwall knows 1"),
        (file("pitwall-document", 1, "opera", part("a")), "knows no documents of the kind opera"),
        (file("pitwall-document", 1, "../part", part("a")), "not a valid kind of document"),
        (whole(json!({ "lines": 1 })), "/lines: "),
        (whole(part("a")).replace("\"Rain\"", "\"\""), "not a valid title"),
        (whole(part("a")).replace("\"title\"", "\"name\""), "missing field `title`"),
    ] {
        let detail = refused_file(&anna, file.clone(), 422).await;
        assert!(detail.contains(why), "{why}: {detail}");
        assert!(detail.len() < 1000, "{why}: {} bytes", detail.len());
    }
    refused_file(&anna, " ".repeat(4 * 1024 * 1024 + 1), 413).await;
    let large = json!({ "kind": PART, "title": "Rain", "content": { "lines": "x".repeat(2_000_000) } });
    refused(&anna, "POST", "/api/v1/documents", &large, 413).await;
    let unknown = json!({ "kind": "opera", "title": "Rain", "content": {} });
    refused(&anna, "POST", "/api/v1/documents", &unknown, 422).await;
    let broken = anna.ask("POST", "/api/v1/documents").header("content-type", "application/json").body("{");
    problem(broken.send().await.unwrap(), 400).await;
    assert_eq!(titles(&anna, "").await, [""; 0]);
    create(&anna, "Rain", "one").await;
    server.stop().await;
}

#[tokio::test]
async fn a_run_keeps_to_the_version_that_it_was_started_with_also_after_a_restart() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    let made = create(&anna, "Rain", "it rains").await;
    let (path, id) = (path_of(&made), made["summary"]["id"].as_str().unwrap().to_owned());
    let options = anna.get("/api/v1/start-options").await;
    let kinds = options["kinds"].as_array().unwrap();
    let form = kinds.iter().find(|kind| kind["spec"]["kind"] == "echo").unwrap();
    assert_eq!(form["parameters"]["properties"]["part"]["oneOf"], json!([{ "const": id, "title": "Rain" }]));

    let start = json!({ "workflow": { "type": "echo", "part": id, "voice": "own" }, "questions": true });
    let run = anna.post("/api/v1/runs", start).await["run"].as_str().unwrap().to_owned();
    let save = json!({ "base": 1, "content": part("it pours") });
    assert_eq!(anna.answer("PUT", &path, Some(&save)).await.0, 200);
    let before = anna.get(&path).await;
    let history = anna.get(&format!("{path}/versions")).await;
    server.stop().await;

    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    assert_eq!(anna.get(&path).await, before);
    assert_eq!(anna.get(&format!("{path}/versions")).await, history);
    assert_eq!(anna.get(&format!("{path}?version=1")).await["content"], part("it rains"));
    let asked = loop {
        let view = anna.get(&format!("/api/v1/runs/{run}")).await;
        assert_ne!(view["summary"]["status"], "failed", "{view}");
        assert_eq!(view["summary"]["title"], "Echo · it rains");
        assert_eq!(view["summary"]["request"]["workflow"]["part"], format!("{id}@1"));
        if let Some(asked) = view["summary"]["awaited"].as_array().and_then(|awaited| awaited.first()) {
            break asked["input"].as_str().unwrap().replace('/', "%2F");
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let answer = json!({ "type": "value", "json": "\"loudly\"" });
    let (status, text) =
        anna.answer("POST", &format!("/api/v1/runs/{run}/inputs/{asked}"), Some(&answer)).await;
    assert_eq!(status, 204, "{text}");

    // Started anew, it takes what the document holds now; deleted, it can be used no more.
    let anew = json!({ "workflow": { "type": "echo", "part": id, "voice": "own" } });
    let anew = anna.post("/api/v1/runs", anew).await["run"].as_str().unwrap().to_owned();
    assert_eq!(anna.get(&format!("/api/v1/runs/{anew}")).await["summary"]["title"], "Echo · it pours");
    assert_eq!(anna.answer("DELETE", &path, None).await.0, 204);
    let gone = json!({ "workflow": { "type": "echo", "part": format!("{id}@1"), "voice": "own" } });
    let detail = refused(&anna, "POST", "/api/v1/runs", &gone, 422).await;
    assert!(detail.contains("It may have been deleted"), "{detail}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_the_family_shows_exports_and_deletes_its_documents() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    let path = path_of(&create(&anna, "Rain", "one").await);
    let (_, file) = anna.answer("GET", &format!("{path}/export.json"), None).await;
    server.stop().await;

    let server = Running::start(&home, Vec::new()).await;
    let anna = server.program_of("anna").await;
    assert_eq!(plural_of_parts(&anna).await, None);
    assert_eq!(titles(&anna, "").await, ["Rain"]);
    let now = anna.get(&path).await;
    assert_eq!((&now["content"], &now["findings"]), (&part("one"), &json!([])));
    assert_eq!(anna.answer("GET", &format!("{path}/export.json"), None).await, (200, file));
    for (method, path, body) in [
        ("PUT", path.clone(), json!({ "base": 1, "content": part("two") })),
        ("POST", format!("{path}/copies"), json!({})),
    ] {
        let detail = refused(&anna, method, &path, &body, 422).await;
        assert!(detail.contains("knows no documents of the kind part"), "{detail}");
    }
    assert_eq!(anna.answer("DELETE", &path, None).await.0, 204);
    server.stop().await;
}

/// The part of a page that is drawn.
async fn drawn(visitor: &Visitor, path: &str) -> String {
    let browser = visitor.clone().with("accept", "text/html");
    let (status, page) = browser.answer("GET", path, None).await;
    assert_eq!(status, 200, "{path}");
    page.split("<body").nth(1).unwrap_or_default().split("<script").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_pages_offer_documents_where_there_are_kinds_of_them() {
    let home = home().await;
    let server = Running::start(&home, echo()).await;
    let anna = server.program_of("anna").await;
    let empty = drawn(&anna, "/documents").await;
    assert!(empty.contains("There is no document yet") && empty.contains("New document"), "{empty:.3000}");
    let made = create(&anna, "Rain", "it rains").await;
    let id = made["summary"]["id"].as_str().unwrap();
    let save = json!({ "base": 1, "content": part("it pours\u{7f}") });
    assert_eq!(anna.answer("PUT", &path_of(&made), Some(&save)).await.0, 200);
    for (path, words) in [
        ("/", vec!["href=\"/documents\""]),
        ("/documents", vec!["Rain", "Part"]),
        ("/documents?q=snow", vec!["No document matches"]),
        (&format!("/documents/{id}"), vec!["Rain", "Saved as version 2", "Version 1", "Rename", "Export"]),
    ] {
        let page = drawn(&anna, path).await;
        for words in words {
            assert!(page.contains(words), "{path}: {words}\n{page:.5000}");
        }
    }
    // What is edited is the content, in characters that a page can show.
    let asked = json!({ "id": id, "version": null });
    let (status, opened) = anna.answer("POST", "/rpc/document", Some(&asked)).await;
    let opened: Value = serde_json::from_str(&opened).unwrap();
    let text = opened["text"].as_str().unwrap();
    assert!(status == 200 && text.contains("it pours\\u007f"), "{opened}");
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), part("it pours\u{7f}"));
    server.stop().await;

    let server = Running::start(&home, Vec::new()).await;
    let anna = server.program_of("anna").await;
    let page = drawn(&anna, &format!("/documents/{id}")).await;
    assert!(page.contains("does not know this kind of document"), "{page:.5000}");
    server.stop().await;
}
