//! Answers are made smaller on their way, and tell nothing by their length.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Home, TOKEN, Visitor, set_cookie};

/// How long an answer's body is as it travels, how it is encoded, and what is added to its head.
async fn travels(visitor: &Visitor, method: &str, path: &str) -> (usize, String, Option<usize>) {
    let request = visitor.ask(method, path).header("accept-encoding", "gzip, br");
    let request = if method == "POST" { request.json(&json!({})) } else { request };
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let head = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (encoding, padding) = (head("content-encoding").unwrap_or_default(), head("x-padding"));
    (answer.bytes().await.unwrap().len(), encoding, padding.map(|padding| padding.len()))
}

#[tokio::test]
async fn pages_and_documents_travel_compressed_and_streams_as_they_are_made() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let run = program.finished_run().await;
    for path in
        ["/", "/runs", &format!("/runs/{run}"), &format!("/api/v1/runs/{run}"), "/api/v1/openapi.json"]
    {
        let (small, encoding, _) = travels(&program, "GET", path).await;
        let whole = program.answer("GET", path, None).await.1.len();
        assert_eq!(encoding, "br", "{path}");
        assert!(small * 2 < whole, "{path}: {small} of {whole}");
    }
    for (method, path) in [("POST", "/rpc/start_options"), ("GET", "/api/v1/start-options")] {
        assert_eq!(travels(&program, method, path).await.1, "br", "{path}");
    }
    for path in [&format!("/api/v1/runs/{run}/export.jsonl"), "/healthz"] {
        let (_, encoding, padding) = travels(&program, "GET", path).await;
        assert_eq!((encoding.as_str(), padding), ("", None), "{path}");
    }
}

#[tokio::test]
async fn words_that_another_site_puts_into_an_address_do_not_change_how_small_a_page_is() {
    let server = Home::new(&[]).start_kept().await;
    let opened = server.nobody().ask("GET", &format!("/?token={TOKEN}")).send().await.unwrap();
    let browser = server.nobody().with("cookie", &set_cookie(&opened).unwrap());
    // What a browser says after a step that another site began, and after one of a person.
    let led = browser.clone().with("sec-fetch-site", "same-origin").with("sec-fetch-mode", "navigate");
    for path in [
        "/runs?q=guess",
        "/runs?%71=guess",
        "/runs?flow=guess",
        "/start?type=pipeline&ticker=guess",
        "/runs?",
    ] {
        assert_eq!(travels(&led, "GET", path).await.1, "", "{path}");
    }
    assert_eq!(travels(&browser, "GET", "/runs?q=guess").await.1, "", "a browser that says nothing");
    let by_person = led.clone().with("sec-fetch-user", "?1");
    for visitor in [&by_person, &browser.with("sec-fetch-site", "none")] {
        assert_eq!(travels(visitor, "GET", "/runs?q=guess").await.1, "br");
    }
    // Nothing in the answer tells how long the body would be without what chance adds.
    let mut paddings = BTreeSet::new();
    for _ in 0..20 {
        paddings.insert(travels(&led, "GET", "/runs").await.2.expect("some padding"));
    }
    assert!(paddings.len() > 5, "{paddings:?}");
}
