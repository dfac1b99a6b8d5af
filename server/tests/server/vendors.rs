//! Vendors of market data that a settings file names.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::Uri};
use protocol::{Body, Event, RunStatus};
use serde_json::{Value, json};

use crate::support::{Home, result};

const KEY: &str = "planted-5f1e0c8a9d7b";

/// What was asked.
type Asked = Arc<Mutex<Vec<String>>>;

/// Alpha Vantage with one company, IBM, and where it is.
async fn vendor() -> (Asked, String) {
    async fn answer(State(asked): State<Asked>, uri: Uri) -> String {
        asked.lock().unwrap().push(uri.to_string());
        let query = uri.query().unwrap_or_default();
        let answer = if !query.contains("symbol=IBM") {
            json!({ "Error Message": format!("Invalid API call with {KEY}. Please retry.") })
        } else if query.contains("TIME_SERIES_DAILY") {
            let first: protocol::Date = "2022-01-01".parse().unwrap();
            let days = (0..200_i32).map(|index| {
                let day = first.checked_add(jiff::Span::new().days(index)).unwrap();
                (
                    day.to_string(),
                    json!({ "1. open": "1", "4. close": format!("{}.5", 100 + index), "5. volume": "9" }),
                )
            });
            json!({ "Time Series (Daily)": days.collect::<serde_json::Map<String, Value>>() })
        } else {
            json!({ "symbol": "IBM", "data": [] })
        };
        answer.to_string()
    }
    let asked = Asked::default();
    let app = Router::new().fallback(answer).with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (asked, url)
}

fn home(settings: &str) -> Home {
    let home = Home::new(&[("KEY_OF_THE_TEST", KEY.to_owned())]);
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    home
}

fn request(ticker: &str) -> Value {
    json!({ "workflow": { "type": "pipeline", "ticker": ticker, "date": "2022-06-30", "analysts": ["market"] } })
}

/// The vendors of all results of tools, but for what the program itself has.
fn vendors(log: &[Event]) -> Vec<&str> {
    let returned = log.iter().filter_map(|event| match &event.body {
        Body::ToolReturned(returned) => returned.vendor.as_deref(),
        _ => None,
    });
    returned.filter(|vendor| *vendor != "Pitwall").collect()
}

#[tokio::test]
async fn runs_are_served_by_the_vendor_of_the_settings_and_after_a_restart_by_the_cache() {
    let (asked, url) = vendor().await;
    let home = home(&format!(
        "[families.trading.data]\nprices = [\"alpha_vantage\"]\n\n[families.trading.vendors.alpha_vantage]\n\
         base_url = \"{url}\"\nkey_variable = \"KEY_OF_THE_TEST\"\n"
    ));
    let server = home.start().await;
    let run = server.start_run(request("IBM")).await;
    let log = server.events_to_end(run, 0).await;
    assert_eq!(result(&log).0, RunStatus::Succeeded);
    let served = vendors(&log);
    assert!(!served.is_empty() && served.iter().all(|vendor| *vendor == "Alpha Vantage"), "{served:?}");

    let (status, problem) = server.post("/api/v1/runs", request("NOPE")).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(status == 422 && detail.contains("There are no prices of NOPE"), "{status} {detail}");

    let asked_by_now = asked.lock().unwrap().clone();
    assert!(asked_by_now.iter().all(|uri| uri.contains(KEY)), "the vendor is shown the key");
    let events = serde_json::to_string(&log).unwrap();
    assert!(!events.contains(KEY) && !detail.contains(KEY), "and nobody else");
    server.kill().await;

    let server = home.start().await;
    let run = server.start_run(request("IBM")).await;
    assert_eq!(result(&server.events_to_end(run, 0).await).0, RunStatus::Succeeded);
    assert_eq!(*asked.lock().unwrap(), asked_by_now, "nothing was asked again");
}

#[tokio::test]
async fn settings_of_vendors_that_cannot_be_used_are_named_with_what_to_write() {
    let with_key = "key_variable = \"KEY_OF_THE_TEST\"";
    for (settings, part) in [
        ("[families.racing]\na = 1".to_owned(), "no family of this name"),
        ("[families.trading]\nspeed = 1".to_owned(), "speed"),
        ("[families.trading.data]\nprices = [\"bloomberg\"]".to_owned(), "bloomberg"),
        ("[families.trading.data]\nweather = [\"yahoo\"]".to_owned(), "weather"),
        ("[families.trading.data]\nnews = [\"finnhub\"]".to_owned(), "finnhub: it needs a key"),
        ("[families.trading.data]\nfundamentals = [\"edgar\"]".to_owned(), "contact@example.com"),
        (
            "[families.trading.data]\nfundamentals = [\"edgar\"]\n[families.trading.vendors.edgar]\ncontact = \"me\"".to_owned(),
            "contact@example.com",
        ),
        (format!("[families.trading.vendors.finnhub]\n{with_key}"), "finnhub is described, and no kind of data"),
        (
            format!("[families.trading.data]\nprices = [\"yahoo\"]\n[families.trading.vendors.yahoo]\n{with_key}"),
            "yahoo: it takes no key",
        ),
        (
            "[families.trading.data]\nnews = [\"finnhub\"]\n[families.trading.vendors.finnhub]\nkey_variable = \"NOT_SET\"".to_owned(),
            "NOT_SET",
        ),
        (
            "[families.trading.data]\nprices = [\"yahoo\"]\n[families.trading.vendors.yahoo]\nbase_url = \"http://example.com\"".to_owned(),
            "https://",
        ),
        (
            "[families.trading.data]\nprices = [\"yahoo\"]\n[families.trading.vendors.yahoo]\nbase_url = \"https://a.example/?k=v\"".to_owned(),
            "leave it out",
        ),
        ("[families.trading.data]\nprices = [\"own\"]".to_owned(), "own: it needs the file"),
        ("[families.trading.data]\nprices = []".to_owned(), "prices = [\"sample\"]"),
    ] {
        let said = home(&settings).refusal(&["--addr", "127.0.0.1:0"]).await;
        assert!(said.contains("[families.") && said.contains(part), "{settings}\n{said}");
    }
}

#[tokio::test]
async fn a_table_of_own_prices_is_used_and_its_errors_are_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.csv");
    let settings = format!(
        "[families.trading.data]\nprices = [\"own\"]\n\n[families.trading.vendors.own]\nfile = {file:?}\nadjustment = \"raw\"\n"
    );
    std::fs::write(
        &file,
        "ticker,date,close\nMINE.X,2022-06-29,10\nMINE.X,2022-06-31,11\nMINE.X,2022-06-30,0\n",
    )
    .unwrap();
    let said = home(&settings).refusal(&["--addr", "127.0.0.1:0"]).await;
    assert!(said.contains("Line 3:") && said.contains("Line 4:") && !said.contains("Line 2:"), "{said}");

    std::fs::write(&file, "ticker,date,close\nMINE.X,2022-06-29,10\nMINE.X,2022-06-30,11\n").unwrap();
    let server = home(&settings).start_kept().await;
    let run = server.start_run(request("MINE.X")).await;
    let log = server.events_to_end(run, 0).await;
    assert_eq!(result(&log).0, RunStatus::Succeeded);
    assert!(vendors(&log).contains(&"Own data"));
}
