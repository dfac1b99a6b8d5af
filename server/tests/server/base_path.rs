//! The server below a path of its host name, as a proxy in front passes it on.

use axum::http::header;
use serde_json::{Value, json};

use crate::support::{Home, PASSWORD, Server, TOKEN, read_to_end, set_cookie};

const BASE: &str = "/tools/pitwall";

async fn below(variables: &[(&str, String)]) -> Server {
    let base = [("PITWALL_BASE_PATH", format!("{BASE}/"))];
    Home::new(&[&base, variables].concat()).start_kept().await
}

#[tokio::test]
async fn everything_is_below_the_path_and_nothing_beside_it() {
    let server = below(&[]).await;
    assert_eq!(server.opened, server.url(&format!("{BASE}/?token={TOKEN}")), "the address that is printed");
    let program = server.program(TOKEN);
    let request = json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } });
    let run = program.post(&format!("{BASE}/api/v1/runs"), request).await["run"].as_str().unwrap().to_owned();
    let mut socket = program.socket(&format!("{BASE}/ws/v1/runs/{run}?after=0")).await.unwrap();
    assert!(read_to_end(&mut socket).await.0.len() > 10, "the run's log");
    let foreign = program.get(&format!("{BASE}/api/run/")).await;
    assert!(foreign.to_string().contains(&run), "{foreign}");
    assert!(program.socket(&format!("{BASE}/ws/stream/{run}")).await.is_ok());
    let document = program.get(&format!("{BASE}/api/v1/openapi.json")).await;
    assert_eq!(document["servers"], json!([{ "url": BASE }]));

    for elsewhere in ["/runs", "/api/v1/runs", "/tools/pitwalls", "/tools", "/sign-in", "/ws/v1/feed"] {
        let (status, said) = program.answer("GET", elsewhere, None).await;
        assert!(
            status == 404 && said.contains("served below /tools/pitwall/"),
            "{elsewhere}: {status} {said}"
        );
    }
    // Who watches the server knows nothing of proxies.
    for path in ["/healthz".to_owned(), format!("{BASE}/healthz")] {
        assert_eq!(server.nobody().answer("GET", &path, None).await, (200, "ok".to_owned()));
    }
    let root = server.nobody().ask("GET", "/").send().await.unwrap();
    assert_eq!(root.headers()[header::LOCATION], format!("{BASE}/"));
}

#[tokio::test]
async fn every_address_in_a_page_is_below_the_path() {
    let server = below(&[]).await;
    let program = server.program(TOKEN);
    let run = program.post(&format!("{BASE}/api/v1/runs"), json!({
        "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": ["market"] },
    })).await["run"].as_str().unwrap().to_owned();
    read_to_end(&mut program.socket(&format!("{BASE}/ws/v1/runs/{run}")).await.unwrap()).await;
    let mut seen = 0;
    for path in [
        "/".to_owned(),
        "/runs?status=completed&flow=none".to_owned(),
        format!("/runs/{run}"),
        format!("/compare?left={run}&right={run}"),
        "/portfolios/main_portfolio".to_owned(),
        "/account".to_owned(),
        "/sign-in".to_owned(),
        "/nowhere".to_owned(),
    ] {
        let (_, page) = program.answer("GET", &format!("{BASE}{path}"), None).await;
        for attribute in [" href=\"", " src=\"", " action=\""] {
            for address in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let is_ours = address.starts_with(BASE) || !address.starts_with('/');
                assert!(is_ours, "{path}: {attribute}{address}");
                seen += usize::from(address.starts_with(BASE));
            }
        }
        assert!(page.contains(&format!("data-base=\"{BASE}\"")), "{path}");
    }
    assert!(seen > 50, "{seen}");
}

#[tokio::test]
async fn redirects_cookies_and_shared_links_stay_below_the_path() {
    for (origin, prefix) in [("", ""), ("https://example.com", "__Secure-")] {
        let home = Home::bare(&[
            ("PITWALL_BASE_PATH", BASE.to_owned()),
            ("PITWALL_ALLOW_ORIGIN", origin.to_owned()),
        ]);
        home.add_account("anna", "owner").await;
        let server = home.start_kept().await;
        let nobody = server.nobody();
        let led = nobody.ask("GET", &format!("{BASE}/runs")).send().await.unwrap();
        assert_eq!(led.headers()[header::LOCATION], format!("{BASE}/sign-in?next=%2Fruns"));
        let form = format!("name=anna&password={}&next=%2Fruns", PASSWORD.replace(' ', "+"));
        let request = nobody.ask("POST", &format!("{BASE}/sign-in")).body(form);
        let signed_in =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert_eq!(signed_in.headers()[header::LOCATION], format!("{BASE}/sign-in/kept?next=%2Fruns"));
        let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with(&format!("{prefix}pitwall_session")), "{cookie}");
        assert!(cookie.contains(&format!("; Path={BASE};")), "{cookie}");
        let anna = nobody.clone().with("cookie", &set_cookie(&signed_in).unwrap());
        let kept = anna.ask("GET", &format!("{BASE}/sign-in/kept?next=%2Fruns")).send().await.unwrap();
        assert_eq!(kept.headers()[header::LOCATION], format!("{BASE}/runs"));

        let step = nobody.clone().with("sec-fetch-site", "cross-site");
        let (_, page) = step.answer("GET", &format!("{BASE}/runs?a=1"), None).await;
        assert!(page.contains(&format!("url={BASE}/runs?a=1")), "{page}");

        let anna = anna.with("origin", &server.url(""));
        let request: Value =
            json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } });
        let run =
            anna.post(&format!("{BASE}/api/v1/runs"), request).await["run"].as_str().unwrap().to_owned();
        let shared = anna.post(&format!("{BASE}/api/v1/runs/{run}/shares"), json!({})).await;
        let link = shared["path"].as_str().unwrap();
        let opened = nobody.ask("GET", &format!("{BASE}{link}")).send().await.unwrap();
        assert_eq!(opened.headers()[header::LOCATION], format!("{BASE}/runs/{run}"));
        let guest = nobody.clone().with("cookie", &set_cookie(&opened).unwrap());
        assert_eq!(guest.answer("GET", &format!("{BASE}/runs/{run}"), None).await.0, 200);
    }
}
