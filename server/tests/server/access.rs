//! Who comes in at a server without accounts, and from where.

use serde_json::json;

use crate::support::{Home, TOKEN, Visitor, set_cookie};

#[tokio::test]
async fn the_printed_address_is_swapped_for_a_strict_cookie_and_loses_its_token() {
    let home = Home::bare(&[]);
    let server = home.start().await;
    let path = server.opened.trim_start_matches(&server.url("")).to_owned();
    let token = path.strip_prefix("/?token=").expect("a token in the address").to_owned();
    assert!(token.len() >= 43, "256 random bits");

    let answer =
        server.nobody().ask("GET", &format!("/runs?status=running&token={token}")).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/sign-in/kept?next=%2Fruns%3Fstatus%3Drunning");
    assert_eq!(answer.headers()["referrer-policy"], "same-origin");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(&token), "the cookie is another secret");
    let browser = server.nobody().with("cookie", &set_cookie(&answer).unwrap());
    assert_eq!(browser.get("/api/v1/runs").await["runs"], json!([]));
    assert_eq!(led(&browser, "/sign-in/kept?next=%2Fruns%3Fstatus%3Drunning").await, "/runs?status=running");

    server.kill().await;
    let again = home.start().await;
    assert!(!again.opened.contains(&token), "every start has its own");
}

/// Where an answer leads.
async fn led(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.ask("GET", path).send().await.unwrap();
    assert_eq!(answer.status(), 303, "{path}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_that_does_not_keep_the_session_is_told_why_it_is_asked_again() {
    let with_https = [("PITWALL_ALLOW_ORIGIN", "https://pitwall.example.com".to_owned())];
    for (variables, refusal, sentence) in [
        (&with_https[..], "needs-https", "Open the https:// address of this server"),
        (&[], "not-kept", "Allow cookies"),
    ] {
        let server = Home::new(variables).start_kept().await;
        let browser = server.nobody();
        let by_form = browser.sign_in("", TOKEN).await.unwrap();
        let by_address = led(&browser, &format!("/runs?token={TOKEN}")).await;
        assert_eq!(by_address, "/sign-in/kept?next=%2Fruns");
        let form = led(&browser, &by_address).await;
        assert_eq!(form, format!("/sign-in?refused={refusal}&next=%2Fruns"));
        let (_, page) = browser.answer("GET", &form, None).await;
        assert!(page.contains(sentence), "{page}");
        assert_eq!(led(&by_form, &by_address).await, "/runs", "with the cookie");

        // A strict cookie is only held back where the way began at another site.
        let follows_a_link = browser.with("sec-fetch-site", "cross-site");
        let (status, step) = follows_a_link.answer("GET", &by_address, None).await;
        assert!(status == 200 && step.contains("url=/sign-in/kept?next=%2Fruns"), "{status} {step}");
        let (_, step) = follows_a_link.answer("GET", "/sign-in/kept?next=//evil.example", None).await;
        assert!(step.contains("url=/sign-in/kept"), "{step}");
    }
}

#[tokio::test]
async fn who_signs_in_from_an_address_that_is_not_known_reads_what_to_do() {
    let variables = [
        ("PITWALL_ALLOW_ORIGIN", "https://pitwall.example.com".to_owned()),
        ("PITWALL_ALLOW_HOST", "pitwall.example.com:8080".to_owned()),
    ];
    let server = Home::new(&variables).start_kept().await;
    for (origin, advice) in [
        ("http://pitwall.example.com", "open https://pitwall.example.com instead"),
        ("https://other.example.com", "<code>--allow-origin https://other.example.com</code>"),
        ("null", "<code>--allow-origin https://NAME.</code>"),
        ("https://a\"<script>b", "<code>--allow-origin https://NAME.</code>"),
    ] {
        let browser = server.nobody().with("origin", origin).with("accept", "text/html,*/*;q=0.8");
        let (status, page) = browser.answer("POST", "/sign-in", Some(&json!({}))).await;
        assert!(status == 403 && page.contains("<h1>Nobody can sign in from this address</h1>"), "{page}");
        assert!(page.contains(advice) && !page.contains("<script>"), "{origin}: {page}");
        // A program is answered as programs are.
        let program = server.nobody().with("origin", origin);
        let (_, problem) = program.answer("POST", "/sign-in", Some(&json!({}))).await;
        assert!(problem.starts_with('{'), "{problem}");
    }
}

/// Sockets of every wire.
const SOCKETS: [&str; 5] =
    ["/ws/v1/feed", "/ws/v1/portfolios/main_portfolio", "/ws/stream/any", "/api/ws/runs/1", "/ws/any"];

#[tokio::test]
async fn without_the_token_there_is_only_the_way_to_sign_in() {
    let server = Home::new(&[]).start_kept().await;
    let strangers = [
        server.nobody(),
        server.program("not-the-token-of-this-server"),
        server.nobody().with("cookie", &format!("pitwall_session_{}=guessed", server.address.port())),
    ];
    for stranger in strangers {
        for path in [
            "/api/v1/runs",
            "/api/v1/openapi.json",
            "/api/run/",
            "/api/portfolios/",
            "/api/sessions/",
            "/api/teams/",
            "/api/runs/1",
        ] {
            let (status, text) = stranger.answer("GET", path, None).await;
            assert_eq!(status, 401, "{path}");
            assert!(text.contains("Sign in first"), "{text}");
        }
        for path in ["/rpc/runs", "/api/runs/", "/api/teams/", "/api/validate/"] {
            let (status, _) = stranger.answer("POST", path, Some(&json!({ "filter": {} }))).await;
            assert!(status == 401 || status == 403, "{path}: {status}");
        }
        for path in SOCKETS {
            let refusal = stranger.socket(path).await.err().unwrap();
            assert!(refusal == 401 || refusal == 403, "{path}: {refusal}");
        }
        let page = stranger.ask("GET", "/runs?search=a").send().await.unwrap();
        assert_eq!(page.status(), 303);
        assert_eq!(page.headers()["location"], "/sign-in?next=%2Fruns%3Fsearch%3Da");
    }
    let wrong = server.nobody().ask("GET", "/?token=not-the-token-of-this-server").send().await.unwrap();
    assert_eq!(wrong.headers()["location"], "/sign-in");
    assert_eq!(set_cookie(&wrong), None);
}

#[tokio::test]
async fn the_token_works_as_a_bearer_and_in_the_address_of_a_socket_alone() {
    let server = Home::new(&[]).start_kept().await;
    server.program(TOKEN).get("/api/v1/runs").await;
    let feed = format!("/ws/v1/feed?token={TOKEN}");
    assert!(server.nobody().socket(&feed).await.is_ok());
    // Elsewhere an address with a secret would be kept in histories and logs.
    let (status, _) = server.nobody().answer("GET", &format!("/api/v1/runs?token={TOKEN}"), None).await;
    assert_eq!(status, 401);
    assert!(server.nobody().sign_in("", TOKEN).await.is_ok(), "the page to sign in takes it too");
    assert_eq!(server.nobody().sign_in("", "not-the-token").await.err().as_deref(), Some("wrong"));
}

/// AgentOS E 1.
#[tokio::test]
async fn settings_that_would_let_strangers_in_are_refused_with_what_to_do() {
    let home = Home::bare(&[]);
    let open = home.refusal(&["--addr", "0.0.0.0:0", "--no-auth"]).await;
    assert!(open.contains("loopback") && open.contains("pitwall account add"), "{open}");
    let bare = home.refusal(&["--addr", "0.0.0.0:0"]).await;
    assert!(bare.contains("no accounts yet") && bare.contains("pitwall account add"), "{bare}");
    let short = home.refusal(&["--token", "123456"]).await;
    assert!(short.contains("16 characters"), "{short}");
    let origin = home.refusal(&["--allow-origin", "pitwall.example.com/"]).await;
    assert!(origin.contains("an origin reads https://NAME"), "{origin}");
}

#[tokio::test]
async fn no_auth_lets_everybody_on_this_machine_in_and_warns_on_every_page() {
    let server = Home::bare(&[("PITWALL_NO_AUTH", "true".into())]).start_kept().await;
    server.nobody().get("/api/v1/runs").await;
    for path in ["/", "/runs", "/account", "/portfolios/main_portfolio", "/nowhere"] {
        let (_, page) = server.nobody().answer("GET", path, None).await;
        assert!(page.contains("every program and every person on this machine may use it"), "{path}");
    }
    // Pages of others may still not.
    let stranger = server.nobody().with("origin", "http://evil.example");
    assert_eq!(stranger.socket("/ws/v1/feed").await.err(), Some(403));
    assert_eq!(stranger.answer("POST", "/api/v1/runs", Some(&json!({}))).await.0, 403);
}

#[tokio::test]
async fn an_unknown_name_is_answered_with_the_very_setting_that_allows_it() {
    let server = Home::new(&[]).start_kept().await;
    let asked = server.nobody().with("host", "localhost:8888");
    let (status, text) = asked.answer("GET", "/api/v1/runs", None).await;
    assert!(status == 421 && text.contains("--allow-host localhost:8888"), "{status} {text}");

    let browser = asked.with("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let page = browser.ask("GET", "/runs").send().await.unwrap();
    assert_eq!(page.status(), 421);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.headers().contains_key("content-security-policy"));
    let page = page.text().await.unwrap();
    assert!(page.contains("<code>--allow-host localhost:8888</code>"), "{page}");

    // What is no name is not said again.
    let hostile = server.nobody().with("host", "a\"<script>b").with("accept", "text/html");
    let (status, page) = hostile.answer("GET", "/", None).await;
    assert!((status == 421 || status == 400) && !page.contains("<script>"), "{status} {page}");

    let home = Home::new(&[("PITWALL_ALLOW_HOST", "localhost:8888".to_owned())]);
    let server = home.start_kept().await;
    server.program(TOKEN).with("host", "localhost:8888").get("/api/v1/runs").await;
}

#[tokio::test]
async fn a_wrong_host_gets_no_answer() {
    let server = Home::new(&[]).start_kept().await;
    let port = server.address.port();
    for host in ["evil.example", "evil.example:80", "127.0.0.1", "localhost.evil.example", "127.0.0.1:1", ""]
    {
        let visitor = server.program(TOKEN).with("host", host);
        for path in ["/", "/api/v1/runs", "/sign-in"] {
            let (status, text) = visitor.answer("GET", path, None).await;
            assert_eq!(status, 421, "{host} {path}");
            assert!(text.contains("--allow-host"), "{text}");
        }
        assert_eq!(visitor.socket("/ws/v1/feed").await.err(), Some(421), "{host}");
    }
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("LOCALHOST:{port}")] {
        server.program(TOKEN).with("host", &host).get("/api/v1/runs").await;
    }
}

/// AgentOS E 1.
#[tokio::test]
async fn a_wrong_origin_neither_writes_nor_opens_a_socket() {
    let server = Home::new(&[]).start_kept().await;
    let port = server.address.port();
    for origin in [
        "http://evil.example".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        "http://127.0.0.1:1".to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        let visitor = server.program(TOKEN).with("origin", &origin);
        for path in SOCKETS {
            assert_eq!(visitor.socket(path).await.err(), Some(403), "{origin} {path}");
        }
        for path in [
            "/api/v1/runs",
            "/api/run/mock",
            "/api/runs/",
            "/api/runs/1/stop",
            "/api/teams/",
            "/api/validate/",
            "/api/validate/test",
            "/rpc/start_run",
            "/sign-in",
            "/rpc/sign_out",
        ] {
            let (status, text) = visitor.answer("POST", path, Some(&json!({}))).await;
            assert_eq!(status, 403, "{origin} {path}");
            assert!(text.contains("--allow-origin"), "{text}");
        }
    }
    let own = format!("http://localhost:{port}");
    assert!(server.program(TOKEN).with("origin", &own).socket("/ws/v1/feed").await.is_ok());
}

#[tokio::test]
async fn a_cookie_alone_writes_nothing_and_opens_no_socket() {
    let server = Home::new(&[]).start_kept().await;
    let answer = server.nobody().ask("GET", &format!("/?token={TOKEN}")).send().await.unwrap();
    let cookie = set_cookie(&answer).unwrap();
    let forged = server.nobody().with("cookie", &cookie);
    let request = json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } });
    for path in ["/api/v1/runs", "/rpc/start_run", "/api/run/mock"] {
        assert_eq!(forged.answer("POST", path, Some(&request)).await.0, 403, "{path}");
        let form = forged.ask("POST", path).header("content-type", "text/plain").body(request.to_string());
        assert_eq!(form.send().await.unwrap().status(), 403, "{path}");
    }
    assert_eq!(forged.socket("/ws/v1/feed").await.err(), Some(403));
    for site in ["cross-site", "same-site"] {
        let other = forged.clone().with("sec-fetch-site", site);
        assert_eq!(other.answer("POST", "/api/v1/runs", Some(&request)).await.0, 403, "{site}");
    }
    let page = forged.with("origin", &server.url(""));
    page.post("/api/v1/runs", request).await;
    assert!(page.socket("/ws/v1/feed").await.is_ok());
}

#[tokio::test]
async fn a_proxys_public_address_is_answered_to_where_it_is_named() {
    let server =
        Home::new(&[("PITWALL_ALLOW_ORIGIN", "https://pitwall.example.com".into())]).start_kept().await;
    let public = server.nobody().with("host", "pitwall.example.com");
    let answer = public.ask("GET", &format!("/?token={TOKEN}")).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    let browser = public.with("cookie", &set_cookie(&answer).unwrap());
    let page = browser.clone().with("origin", "https://pitwall.example.com");
    assert!(page.socket("/ws/v1/feed").await.is_ok());
    let plain = browser.with("origin", "http://pitwall.example.com");
    assert_eq!(plain.socket("/ws/v1/feed").await.err(), Some(403));
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_to_this_server() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    for path in [
        "/",
        "/sign-in",
        "/nowhere",
        "/api/v1/runs",
        "/api/v1/runs/none",
        "/favicon.svg",
        "/s/none",
        "/healthz",
    ] {
        let answer = program.ask("GET", path).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_pages_own_scripts_carry_a_nonce_that_is_never_the_same() {
    let server = Home::new(&[]).start_kept().await;
    let mut nonces = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let answer = server.program(TOKEN).ask("GET", "/runs").send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert_eq!(scripts.trim(), format!("script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'"));
        let page = answer.text().await.unwrap();
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")) || tag.contains("src=\"/"), "{tag}");
        }
        assert!(nonces.insert(nonce));
    }
}
