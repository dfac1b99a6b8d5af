//! A portfolio that begins with what a table of a person says.

use serde_json::{Value, json};

use crate::support::{Visitor, two_accounts};

const TABLE: &str = "ticker,shares,cost,bought\nAAPL,10,100,2021-05-03\naapl,5,160.50,2022-03-01\nKO,20,62.5,\n$CASH,2500.25,,\n";

async fn preview(visitor: &Visitor, csv: &str) -> Value {
    visitor.post("/api/v1/portfolio-imports/preview", json!({ "csv": csv, "as_of": "2022-06-30" })).await
}

/// The lines with errors and what is said of them.
async fn errors(visitor: &Visitor, csv: &str) -> Vec<(u64, String)> {
    let seen = preview(visitor, csv).await;
    let told = seen["errors"].as_array().unwrap_or_else(|| panic!("{seen}")).iter();
    told.map(|error| (error["line"].as_u64().unwrap(), error["reason"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn a_table_of_holdings_is_previewed_and_its_errors_say_what_to_do_by_line() {
    let (_server, anna, _) = two_accounts().await;
    assert_eq!(
        preview(&anna, TABLE).await,
        json!({
            "cash": "2500.25",
            "positions": [
                { "ticker": "AAPL", "quantity": "15", "cost": "1802.50", "lots": 2 },
                { "ticker": "KO", "quantity": "20", "cost": "1250.0", "lots": 1 },
            ],
            "unpriced": [],
            "errors": [],
            "more_errors": 0,
        })
    );
    let semicolons = "Shares;Ticker;Cost\n3;ZZZZ;4\n";
    let seen = preview(&anna, semicolons).await;
    assert_eq!((&seen["errors"], &seen["unpriced"]), (&json!([]), &json!(["ZZZZ"])), "{seen}");

    for (csv, line, words) in [
        ("ticker,cost\nKO,1\n", 1, "the column “shares” is missing"),
        ("ticker,shares,price\nKO,1,1\n", 1, "the column “price” is not known"),
        ("ticker,shares,cost\n", 1, "Write cash as $CASH,5000"),
        ("ticker,shares,cost\nKO,ten,1\n", 2, "“ten” is no number of shares. Write a number"),
        ("ticker,shares,cost\nKO,0,1\n", 2, "the shares of KO must be above 0"),
        ("ticker,shares,cost\nKO,1,\n", 2, "what a share of KO cost is missing. Write US dollars above 0"),
        ("ticker,shares,cost\nCASH,100,\n", 2, "If it is cash, call it $CASH."),
        ("ticker,shares,cost\n$CASH,100,1\n", 2, "$CASH has no cost. Leave it empty."),
        ("ticker,shares,cost\n$CASH,1,\n$CASH,2,\n", 3, "$CASH stands twice. Add the two up."),
        ("ticker,shares,cost\n^GSPC,1,1\n", 2, "^GSPC is an index, which cannot be held"),
        (
            "ticker,shares,cost\nKO,1,1\nKO,2,1\n",
            3,
            "KO stands on line 2 as well. Say in the column “bought”",
        ),
        ("ticker,shares,cost,bought\nKO,1,1,2022-07-01\n", 2, "“2022-07-01” is no day up to 2022-06-30"),
    ] {
        let told = errors(&anna, csv).await;
        assert_eq!(told.len(), 1, "{csv}: {told:?}");
        assert!(told[0].0 == line && told[0].1.contains(words), "{csv}: {told:?}");
    }
    let many = format!("ticker,shares,cost\n{}", "KO,x,1\n".repeat(1100));
    let seen = preview(&anna, &many).await;
    assert_eq!((seen["errors"].as_array().unwrap().len(), &seen["more_errors"]), (50, &json!(951)));
}

#[tokio::test]
async fn a_portfolio_begins_with_a_table_trades_on_and_is_its_owners_alone() {
    let (_server, anna, bert) = two_accounts().await;
    let request = json!({ "name": "Mine", "csv": TABLE, "as_of": "2022-06-30" });
    let opened = anna.post("/api/v1/portfolio-imports", request.clone()).await;
    let held: Vec<_> = opened["holdings"]
        .as_array()
        .unwrap_or_else(|| panic!("{opened}"))
        .iter()
        .map(|it| {
            (
                it["ticker"].as_str().unwrap(),
                it["quantity"].as_str().unwrap(),
                it["average_cost"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(held.len(), 2, "{opened}");
    assert!(held.contains(&("AAPL", "15", "120.166667")) && held.contains(&("KO", "20", "62.5")), "{held:?}");
    assert_eq!((&opened["cash"], &opened["as_of"]), (&json!("2500.25"), &json!("2022-06-30")));
    assert_eq!(opened["history"].as_array().unwrap().len(), 1, "its days begin with the table");
    assert_eq!(opened["history"][0]["total"], opened["total"]["known"]);

    let id = opened["id"].as_str().unwrap();
    assert_eq!(bert.answer("GET", &format!("/api/v1/portfolios/{id}"), None).await.0, 404);
    let early = anna.answer("GET", &format!("/api/v1/portfolios/{id}?as_of=2022-06-29"), None).await;
    assert!(early.0 == 422 && early.1.contains("2022-06-30"), "{early:?}");
    let decide = |date: &str| {
        json!({
            "workflow": { "type": "portfolio", "portfolio": id, "date": date },
            "model": { "type": "rehearsal", "characters_per_second": 0 },
        })
    };
    for (date, status) in [("2022-06-29", "failed"), ("2022-07-29", "succeeded")] {
        let started = anna.post("/api/v1/runs", decide(date)).await;
        let run = started["run"].as_str().unwrap();
        anna.wait_for_the_end(run).await;
        let view = anna.get(&format!("/api/v1/runs/{run}")).await;
        assert_eq!(view["summary"]["status"], status, "{}", view["summary"]["error"]);
    }

    let wrong = json!({ "name": "Wrong", "csv": "ticker,shares,cost\nKO,x,1\nKO,1,y\nPEP,1,\nPEP,,\n" });
    let (status, why) = anna.answer("POST", "/api/v1/portfolio-imports", Some(&wrong)).await;
    assert_eq!(status, 422);
    assert!(
        why.contains("Line 2: “x” is no number of shares") && why.contains("There are 1 more errors"),
        "{why}"
    );
    let (status, why) = anna
        .answer(
            "POST",
            "/api/v1/portfolio-imports",
            Some(&json!({ "name": "Late", "csv": TABLE, "as_of": "2023-01-03" })),
        )
        .await;
    assert!(status == 422 && why.contains("2016-01-04 to 2022-12-28"), "{why}");
    let all = anna.get("/api/v1/portfolios").await;
    assert_eq!(all.as_array().unwrap().len(), 1, "what is refused opens nothing: {all}");
}
