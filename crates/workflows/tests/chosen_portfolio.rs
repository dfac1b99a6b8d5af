//! What agents are told of the portfolio that an analysis is made for: none, a flat one, and what it holds are three
//! different things.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use llm::{ChatRequest, Message};
use protocol::{AccountId, RunRequest, RunStatus};
use serde_json::json;
use stage::{Changed, Stage, auto, pipeline};

/// The section of the portfolio that each agent was given, by agent.
type Told = Arc<Mutex<BTreeSet<(String, String)>>>;

const INFORMED: [&str; 6] = [
    "aggressive_analyst",
    "conservative_analyst",
    "neutral_analyst",
    "portfolio_manager",
    "research_manager",
    "trader",
];

async fn listening() -> (Stage, Told) {
    let told = Told::default();
    let heard = told.clone();
    let script = move |request: &ChatRequest| {
        for message in &request.messages {
            let Message::User(text) = message else { continue };
            if let Some((_, section)) = text.split_once("## The portfolio\n") {
                let end =
                    section.find("\n\n## ").or_else(|| section.find("\n\n<facts>")).unwrap_or(section.len());
                heard.lock().unwrap().insert((request.agent.clone(), section[..end].to_owned()));
            }
        }
        None
    };
    (Stage::with_script(Changed(script)).await, told)
}

/// What all informed agents of an analysis were told, which is the same.
fn taken(told: &Told) -> String {
    let told = std::mem::take(&mut *told.lock().unwrap());
    let agents: BTreeSet<&str> = told.iter().map(|(agent, _)| agent.as_str()).collect();
    assert_eq!(agents, INFORMED.into());
    let texts: BTreeSet<&String> = told.iter().map(|(_, text)| text).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    texts.into_iter().next().unwrap().clone()
}

fn for_main(ticker: &str, date: &str) -> RunRequest {
    let request = pipeline(ticker, date, "flow");
    let workflow = request.workflow.with("portfolio", json!("main_portfolio")).unwrap();
    RunRequest { workflow, ..request }
}

#[tokio::test]
async fn no_portfolio_and_a_flat_portfolio_are_different_words() {
    let (stage, told) = listening().await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    let none = taken(&told);
    assert!(none.starts_with("No portfolio was chosen for this analysis."), "{none}");
    stage.run(for_main("LLY", "2022-06-30")).await;
    let flat = taken(&told);
    assert_eq!(
        flat,
        "The portfolio main_portfolio is flat: it holds nothing, and has 100,000.00 US dollars in cash."
    );

    stage.portfolio("2022-06-30", "flow").await;
    let decided: Vec<_> = std::mem::take(&mut *told.lock().unwrap()).into_iter().collect();
    assert_eq!(
        decided,
        [("make_decision".to_owned(), flat)],
        "the portfolio's own run says it in the same words"
    );
    stage.run(for_main("AAPL", "2022-07-29")).await;
    let held = taken(&told);
    // 15 shares at 320.403, by the close of 29 July.
    assert!(held.contains("has 95,193.96 US dollars in cash"), "{held}");
    assert!(held.contains("| LLY | 15 | 320.40 | "), "{held}");
    assert!(held.ends_with("It holds no AAPL."), "{held}");
}

#[tokio::test]
async fn the_analyses_of_an_automatic_run_are_made_for_its_portfolio() {
    let (stage, told) = listening().await;
    let view = stage.run(auto("2022-06-30", 1, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    told.lock().unwrap().retain(|(agent, _)| agent != "make_decision");
    assert!(taken(&told).starts_with("The portfolio main_portfolio is flat"));
}

#[tokio::test]
async fn another_accounts_portfolio_is_not_found() {
    let stage = Stage::new().await;
    let bert: AccountId = "bert".parse().unwrap();
    let refusal = stage.engine.start(for_main("LLY", "2022-06-30"), bert).await.unwrap_err().to_string();
    assert!(refusal.contains("no portfolio main_portfolio"), "{refusal}");
}
