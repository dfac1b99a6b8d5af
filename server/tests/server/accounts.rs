//! Accounts: signing in and out, tokens, shared runs, roles.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::SignInRefusal;
use serde_json::{Value, json};

use crate::support::{Home, PASSWORD, Server, Socket, TOKEN, Visitor, read_to_end, set_cookie};

const SIGNED_OUT: u16 = 4401;

/// A server with two owners, a viewer and an administrator.
async fn server_with(variables: &[(&str, String)]) -> Server {
    let home = Home::bare(variables);
    for (name, role) in [("anna", "owner"), ("bert", "owner"), ("vera", "viewer"), ("root", "administrator")]
    {
        home.add_account(name, role).await;
    }
    home.start_kept().await
}

async fn browser_of(server: &Server, account: &str) -> Visitor {
    server.nobody().sign_in(account, PASSWORD).await.unwrap()
}

/// Why this leads nobody in.
async fn refusal(server: &Server, account: &str, password: &str) -> SignInRefusal {
    server.nobody().sign_in(account, password).await.err().unwrap().parse().unwrap()
}

async fn code(mut socket: Socket) -> u16 {
    read_to_end(&mut socket).await.1.expect("a close frame").0
}

#[tokio::test]
async fn the_first_account_is_told_where_the_runs_so_far_are() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.program(TOKEN).finished_run().await;
    server.kill().await;
    let said = home.add_account("anna", "administrator").await;
    assert!(said.contains("belongs to the account local"), "{said}");
    assert!(!home.add_account("local", "owner").await.contains("belongs"), "it is said once");
    let server = home.start().await;
    let path = format!("/api/v1/runs/{run}");
    assert_eq!(server.program_of("anna").await.answer("GET", &path, None).await.0, 404);
    assert_eq!(server.program_of("local").await.answer("GET", &path, None).await.0, 200);
    assert!(!server.opened.contains("token"), "accounts have taken the token's place");
    assert_eq!(server.program(TOKEN).answer("GET", &path, None).await.0, 401);
}

#[tokio::test]
async fn signing_out_closes_the_sockets_with_4401_and_ends_the_session() {
    let server = server_with(&[]).await;
    let (anna, elsewhere) = (browser_of(&server, "anna").await, browser_of(&server, "anna").await);
    assert_eq!(anna.get("/api/v1/identity").await["account"], "anna");
    let run = anna.start_run(20).await;
    let own_portfolio = json!({ "id": "mine", "name": "Mine", "cash": "1000" });
    anna.post("/api/v1/portfolios", own_portfolio).await;
    let mut sockets = Vec::new();
    for path in
        [&format!("/ws/v1/runs/{run}"), "/ws/v1/feed", "/ws/v1/portfolios/mine", &format!("/ws/stream/{run}")]
    {
        sockets.push(anna.socket(path).await.unwrap());
    }
    let signed_out = anna.ask("POST", "/rpc/sign_out").json(&json!({})).send().await.unwrap();
    assert!(set_cookie(&signed_out).unwrap().ends_with('='), "the cookie is taken away");
    for socket in sockets {
        assert_eq!(code(socket).await, SIGNED_OUT);
    }
    assert_eq!(anna.answer("GET", "/api/v1/runs", None).await.0, 401, "a replayed cookie");
    elsewhere.get("/api/v1/runs").await;
    let sessions = elsewhere.get("/api/v1/sessions").await;
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    assert_eq!(sessions[0]["is_this"], true);
}

#[tokio::test]
async fn a_session_that_expires_closes_its_sockets_with_4401() {
    let server = server_with(&[("PITWALL_SESSION_LIFE", "2".into())]).await;
    let anna = browser_of(&server, "anna").await;
    let feed = anna.socket("/ws/v1/feed").await.unwrap();
    assert_eq!(code(feed).await, SIGNED_OUT);
    assert_eq!(anna.answer("GET", "/api/v1/runs", None).await.0, 401);
}

#[tokio::test]
async fn another_process_that_removes_an_account_ends_its_sockets() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("root", "administrator").await;
    let server = home.start().await;
    let feed = server.program_of("anna").await.socket("/ws/v1/feed").await.unwrap();
    home.manage_accounts(&["remove", "anna"]).await;
    assert_eq!(code(feed).await, SIGNED_OUT);
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_its_sockets_close_with_4401() {
    let server = server_with(&[]).await;
    let made = json!({ "name": "anna", "password": PASSWORD, "label": "nightly" });
    let made = server.nobody().post("/api/v1/tokens", made).await;
    let program = server.program(made["token"].as_str().unwrap());
    let feed = program.socket("/ws/v1/feed").await.unwrap();
    let by_address = format!("/ws/v1/feed?token={}", made["token"].as_str().unwrap());
    let other_feed = server.nobody().socket(&by_address).await.unwrap();
    assert_eq!(program.get("/api/v1/tokens").await[0]["label"], "nightly");

    let path = format!("/api/v1/tokens/{}", made["summary"]["id"].as_str().unwrap());
    let bert = browser_of(&server, "bert").await;
    assert_eq!(bert.answer("DELETE", &path, None).await.0, 404, "another's token");
    assert_eq!(browser_of(&server, "anna").await.answer("DELETE", &path, None).await.0, 204);
    assert_eq!(code(feed).await, SIGNED_OUT);
    assert_eq!(code(other_feed).await, SIGNED_OUT);
    assert_eq!(program.answer("GET", "/api/v1/runs", None).await.0, 401);
    assert_eq!(server.nobody().socket(&by_address).await.err(), Some(401));
}

#[tokio::test]
async fn an_expired_token_is_refused_and_its_sockets_close_with_4401() {
    let server = server_with(&[]).await;
    let made = json!({ "name": "anna", "password": PASSWORD, "seconds": 2 });
    let made = server.nobody().post("/api/v1/tokens", made).await;
    let program = server.program(made["token"].as_str().unwrap());
    let feed = program.socket("/ws/v1/feed").await.unwrap();
    assert_eq!(code(feed).await, SIGNED_OUT);
    assert_eq!(program.answer("GET", "/api/v1/runs", None).await.0, 401);
    assert_eq!(program.socket("/ws/v1/feed").await.err(), Some(401));
}

#[tokio::test]
async fn a_token_of_no_algorithm_or_of_another_key_is_refused() {
    let server = server_with(&[]).await;
    let made = server.nobody().post("/api/v1/tokens", json!({ "name": "anna", "password": PASSWORD })).await;
    let token = made["token"].as_str().unwrap();
    let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let header =
        |algorithm: &str| URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm, "typ": "JWT" }).to_string());
    let mut promoted: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    promoted["sub"] = json!("root");
    let promoted = URL_SAFE_NO_PAD.encode(promoted.to_string());
    for forged in [
        format!("{}.{claims}.", header("none")),
        format!("{}.{claims}", header("none")),
        format!("{}.{claims}.{signature}", header("none")),
        format!("{}.{claims}.{signature}", header("HS512")),
        format!("{}.{claims}.{signature}", header("RS256")),
        format!("{}.{promoted}.{signature}", header("HS256")),
        format!("{}.{claims}.{}", header("HS256"), URL_SAFE_NO_PAD.encode([0_u8; 32])),
        format!("{token}x"),
    ] {
        let program = server.program(&forged);
        assert_eq!(program.answer("GET", "/api/v1/runs", None).await.0, 401, "{forged}");
        assert_eq!(program.socket("/ws/v1/feed").await.err(), Some(401), "{forged}");
    }
    server.program(token).get("/api/v1/runs").await;
}

#[tokio::test]
async fn a_token_makes_no_tokens_and_so_cannot_live_for_ever() {
    let server = server_with(&[]).await;
    let program = server.program_of("anna").await;
    let request = json!({ "label": "heir", "seconds": 3600 });
    assert_eq!(program.answer("POST", "/rpc/make_token", Some(&request)).await.0, 403);
    let day_and_more = json!({ "name": "anna", "password": PASSWORD, "seconds": 10_000_000 });
    let made = server.nobody().post("/api/v1/tokens", day_and_more).await;
    let claims = made["token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 24 * 60 * 60);
    assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (Some("pitwall"), Some("pitwall:api")));
    assert_eq!(claims["sub"], "anna");
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down_and_locks_nobody_else_out() {
    let server = server_with(&[]).await;
    for guess in 0..5 {
        assert_eq!(refusal(&server, "anna", &format!("wrong password {guess}")).await, SignInRefusal::Wrong);
    }
    let right = refusal(&server, "anna", PASSWORD).await;
    assert!(matches!(right, SignInRefusal::Wait(1..=60)), "the right one does not tell itself: {right:?}");
    let token = json!({ "name": "anna", "password": PASSWORD });
    assert_eq!(server.nobody().answer("POST", "/api/v1/tokens", Some(&token)).await.0, 429);
    browser_of(&server, "bert").await;
    let unknown = refusal(&server, "nobody", PASSWORD).await;
    assert_eq!(unknown, refusal(&server, "bert", "wrong password").await, "it is not said which names exist");
}

#[tokio::test]
async fn behind_a_proxy_each_client_has_attempts_of_its_own() {
    let server = server_with(&[("PITWALL_TRUSTED_PROXY", "127.0.0.1".to_owned())]).await;
    let guess = async |client: &str, account: &str| {
        let visitor = server.nobody().with("x-forwarded-for", client);
        visitor.sign_in(account, "wrong password").await.err().unwrap().parse().unwrap()
    };
    // Each name is tried once, so that only the address is counted; and all at once, so that no time passes.
    let names: Vec<String> = (0..21).map(|number| format!("name{number}")).collect();
    let hops: Vec<String> = (0..21).map(|number| format!("198.51.100.{number}, 203.0.113.7")).collect();
    let guesses = names.iter().zip(&hops).map(|(name, hops)| guess(hops, name));
    let answers: Vec<SignInRefusal> = futures::future::join_all(guesses).await;
    let refused = answers.iter().filter(|answer| **answer == SignInRefusal::Wrong).count();
    assert_eq!(refused, 20, "what a client says of itself does not count: {answers:?}");
    assert_eq!(guess("203.0.113.8", "name21").await, SignInRefusal::Wrong);
}

#[tokio::test]
async fn a_link_opens_one_run_to_read_and_nothing_else() {
    let server = server_with(&[]).await;
    let anna = browser_of(&server, "anna").await;
    let (run, other) = (anna.start_run(20).await, anna.start_run(20).await);
    let made = anna.post(&format!("/api/v1/runs/{run}/shares"), json!({})).await;
    let link = made["path"].as_str().unwrap();
    let opened = server.nobody().ask("GET", link).send().await.unwrap();
    assert_eq!(opened.headers()["location"].to_str().unwrap(), format!("/runs/{run}"));
    let visitor =
        server.nobody().with("cookie", &set_cookie(&opened).unwrap()).with("origin", &server.url(""));

    let (status, page) = visitor.answer("GET", &format!("/runs/{run}"), None).await;
    assert_eq!(status, 200);
    assert!(page.contains("AAPL") && page.contains("change nothing"));
    visitor.get(&format!("/api/v1/runs/{run}")).await;
    visitor.get(&format!("/api/v1/runs/{run}/events")).await;
    assert_eq!(visitor.answer("GET", &format!("/api/v1/runs/{other}"), None).await.0, 404);
    assert_eq!(visitor.socket(&format!("/ws/v1/runs/{other}")).await.err(), Some(404));
    let listed = visitor.get("/api/v1/runs").await;
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
    assert_eq!(visitor.get("/api/v1/portfolios").await, json!([]));
    for (path, body) in [
        (format!("/api/v1/runs/{run}/stop"), json!({})),
        (format!("/api/v1/runs/{run}/chat"), json!({ "question": "Why?" })),
        (format!("/api/v1/runs/{run}/messages"), json!({ "node": "trader", "content": "Think again." })),
        (format!("/api/v1/runs/{run}/forks"), json!({ "point": { "type": "end" } })),
        (format!("/api/v1/runs/{run}/shares"), json!({})),
        (
            "/api/v1/runs".to_owned(),
            json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } }),
        ),
        ("/api/v1/portfolios".to_owned(), json!({ "name": "Mine", "cash": "1" })),
    ] {
        let (status, text) = visitor.answer("POST", &path, Some(&body)).await;
        assert_eq!(status, 403, "{path}: {text}");
    }

    let sockets = [
        visitor.socket(&format!("/ws/v1/runs/{run}")).await.unwrap(),
        visitor.socket("/ws/v1/feed").await.unwrap(),
        visitor.socket(&format!("/ws/stream/{run}")).await.unwrap(),
    ];
    let share = format!("/api/v1/shares/{}", made["summary"]["id"].as_str().unwrap());
    assert_eq!(browser_of(&server, "bert").await.answer("DELETE", &share, None).await.0, 404);
    assert_eq!(anna.answer("DELETE", &share, None).await.0, 204);
    for socket in sockets {
        assert_eq!(code(socket).await, SIGNED_OUT);
    }
    // Replayed: the link, and the cookie that it once gave.
    assert_eq!(server.nobody().answer("GET", link, None).await.0, 404);
    assert_eq!(visitor.answer("GET", &format!("/api/v1/runs/{run}"), None).await.0, 401);
    assert_eq!(visitor.socket(&format!("/ws/v1/runs/{run}")).await.err(), Some(401));
}

#[tokio::test]
async fn a_viewer_reads_what_is_shared_with_viewers_and_owns_nothing() {
    let server = server_with(&[]).await;
    let (anna, vera) = (server.program_of("anna").await, server.program_of("vera").await);
    let (shown, hidden) = (anna.start_run(20).await, anna.start_run(20).await);
    assert_eq!(vera.get("/api/v1/runs").await["runs"], json!([]));
    let made = anna.post(&format!("/api/v1/runs/{shown}/shares"), json!({ "audience": "viewers" })).await;
    assert_eq!(made["path"], Value::Null);
    assert_eq!(vera.get("/api/v1/runs").await["runs"][0]["run"], shown.as_str());
    vera.get(&format!("/api/v1/runs/{shown}")).await;
    assert_eq!(vera.answer("GET", &format!("/api/v1/runs/{hidden}"), None).await.0, 404);
    assert_eq!(vera.answer("POST", &format!("/api/v1/runs/{shown}/stop"), Some(&json!({}))).await.0, 403);
    let request = json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } });
    assert_eq!(vera.answer("POST", "/api/v1/runs", Some(&request)).await.0, 403);
    let bert = server.program_of("bert").await;
    assert_eq!(bert.answer("GET", &format!("/api/v1/runs/{shown}"), None).await.0, 404, "bert is no viewer");
    let socket = vera.socket(&format!("/ws/v1/runs/{shown}")).await.unwrap();
    anna.answer("DELETE", &format!("/api/v1/shares/{}", made["summary"]["id"].as_str().unwrap()), None).await;
    assert_eq!(code(socket).await, SIGNED_OUT);
    assert_eq!(vera.answer("GET", &format!("/api/v1/runs/{shown}"), None).await.0, 404);
}

#[tokio::test]
async fn administrators_manage_accounts_and_see_no_run_of_others() {
    let server = server_with(&[]).await;
    let (root, anna) = (server.program_of("root").await, server.program_of("anna").await);
    let request = json!({ "name": "carl", "role": "owner", "password": PASSWORD });
    for stranger in [&anna, &server.program_of("vera").await] {
        assert_eq!(stranger.answer("GET", "/api/v1/accounts", None).await.0, 403);
        assert_eq!(stranger.answer("POST", "/api/v1/accounts", Some(&request)).await.0, 403);
        assert_eq!(stranger.answer("DELETE", "/api/v1/accounts/bert", None).await.0, 403);
    }
    root.post("/api/v1/accounts", request.clone()).await;
    assert_eq!(root.answer("POST", "/api/v1/accounts", Some(&request)).await.0, 409);
    let carl = server.program_of("carl").await;
    let run = carl.start_run(20).await;
    assert_eq!(root.answer("GET", &format!("/api/v1/runs/{run}"), None).await.0, 404);
    let socket = carl.socket(&format!("/ws/v1/runs/{run}")).await.unwrap();
    assert_eq!(root.answer("DELETE", "/api/v1/accounts/carl", None).await.0, 204);
    assert_eq!(code(socket).await, SIGNED_OUT);
    assert_eq!(carl.answer("GET", "/api/v1/runs", None).await.0, 401);
    assert_eq!(root.answer("DELETE", "/api/v1/accounts/root", None).await.0, 409, "somebody must be left");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_all_tokens() {
    let server = server_with(&[]).await;
    let (here, there) = (browser_of(&server, "anna").await, browser_of(&server, "anna").await);
    let program = server.program_of("anna").await;
    let wrong = json!({ "current": "not the password", "new": "a wholly new password" });
    assert_eq!(here.answer("POST", "/rpc/change_password", Some(&wrong)).await.0, 422);
    let right = json!({ "current": PASSWORD, "new": "a wholly new password" });
    let changed = here.ask("POST", "/rpc/change_password").json(&right).send().await.unwrap();
    let here = server.nobody().with("cookie", &set_cookie(&changed).unwrap());
    here.get("/api/v1/runs").await;
    assert_eq!(there.answer("GET", "/api/v1/runs", None).await.0, 401);
    assert_eq!(program.answer("GET", "/api/v1/runs", None).await.0, 401);
    assert_eq!(refusal(&server, "anna", PASSWORD).await, SignInRefusal::Wrong);
}
