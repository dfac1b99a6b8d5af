//! What accounts have used is counted with the events, and stays.

use journal::Journal;
use protocol::{
    AccountId, Body, CallFinished, ChatAnswered, Decimal, ForkPoint, NewEvent, Origin, RunId, RunStarted,
    RunStatus, Text, Usage,
};

use crate::sample::{Place, event, finished, line, new_run, pipeline, start};

fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

fn started_by(owner: &str) -> RunStarted {
    RunStarted { owner: account(owner), ..start(pipeline("AAPL", "first_flow")) }
}

fn call(number: u32, cost: &str) -> NewEvent {
    event(Body::CallFinished(CallFinished {
        call: format!("trader:1:{number}").parse().unwrap(),
        model: "small".into(),
        answer: Text::from("Hold."),
        thoughts: Text::default(),
        cut_off: Text::default(),
        tool_requests: Vec::new(),
        echo: None,
        usage: Usage { tokens_in: Some(100), tokens_out: Some(10) },
        cost: Some(cost.parse().unwrap()),
        latency_ms: 5,
        retries: 0,
        attempts: Vec::new(),
        error: None,
    }))
}

async fn run(journal: &Journal, started: RunStarted, events: Vec<NewEvent>) -> RunId {
    let run = new_run();
    let epoch = journal.claim(run).await.unwrap();
    let events = [vec![event(Body::RunStarted(started))], events].concat();
    journal.append(run, epoch, events).await.unwrap();
    run
}

async fn spent(journal: &Journal, owner: &str) -> (Decimal, u64) {
    let spent = journal.spent(&account(owner)).await.unwrap();
    (spent.cost, spent.tokens())
}

fn dollars(amount: &str) -> Decimal {
    amount.parse().unwrap()
}

#[tokio::test]
async fn spend_grows_with_the_events_of_each_account_and_is_there_after_a_restart() {
    let place = Place::new();
    let journal = place.open().await;
    assert_eq!(spent(&journal, "anna").await, (Decimal::ZERO, 0));
    run(&journal, started_by("anna"), vec![call(1, "0.10"), call(2, "0.05")]).await;
    run(&journal, started_by("anna"), vec![call(1, "0.01")]).await;
    run(&journal, started_by("bert"), vec![call(1, "7")]).await;
    let expected = (dollars("0.16"), 330);
    assert_eq!(spent(&journal, "anna").await, expected);
    journal.close().await;
    let journal = place.open().await;
    assert_eq!(spent(&journal, "anna").await, expected);
    run(&journal, started_by("anna"), vec![call(1, "0.04")]).await;
    assert_eq!(spent(&journal, "anna").await, (dollars("0.20"), 440));
    assert_eq!(spent(&journal, "bert").await, (dollars("7"), 110));
}

#[tokio::test]
async fn spend_is_without_imported_runs_and_without_what_was_taken_over() {
    let place = Place::new();
    let journal = place.open().await;
    let imported = RunStarted { imported_from: Some(new_run()), ..started_by("anna") };
    run(&journal, imported, vec![call(1, "500")]).await;
    assert_eq!(spent(&journal, "anna").await, (Decimal::ZERO, 0));
    let first = run(&journal, started_by("anna"), vec![call(1, "0.10")]).await;
    let origin = Some(Origin { run: first, point: ForkPoint::End, through: 2 });
    let continued = RunStarted { origin, ..started_by("anna") };
    run(&journal, continued, vec![call(1, "0.10"), call(2, "0.03")]).await;
    assert_eq!(spent(&journal, "anna").await, (dollars("0.13"), 220));
}

#[tokio::test]
async fn a_question_beside_an_imported_run_costs_who_asks_it() {
    let answer = |chat: u32, cost: &str| {
        event(Body::ChatAnswered(ChatAnswered {
            chat,
            model: "small".into(),
            answer: Text::from("It says so."),
            usage: Usage { tokens_in: Some(20), tokens_out: Some(2) },
            cost: Some(dollars(cost)),
            latency_ms: 5,
            attempts: Vec::new(),
            error: None,
        }))
    };
    let place = Place::new();
    let journal = place.open().await;
    let imported =
        RunStarted { imported_from: Some(new_run()), imported_through: Some(4), ..started_by("anna") };
    let events = vec![call(1, "500"), finished(RunStatus::Succeeded), answer(1, "300")];
    let id = run(&journal, imported, events).await;
    assert_eq!(spent(&journal, "anna").await, (Decimal::ZERO, 0), "what was asked elsewhere counts there");
    let epoch = journal.claim(id).await.unwrap();
    journal.append(id, epoch, vec![answer(2, "0.07")]).await.unwrap();
    assert_eq!(spent(&journal, "anna").await, (dollars("0.07"), 22));
    journal.remove(vec![id]).await.unwrap();
    run(&journal, started_by("anna"), vec![call(1, "0.10")]).await;
    assert_eq!(spent(&journal, "anna").await, (dollars("0.17"), 132));
}

#[tokio::test]
async fn spend_stays_when_its_run_is_deleted() {
    let place = Place::new();
    let journal = place.open().await;
    let over = finished(RunStatus::Succeeded);
    let first = run(&journal, started_by("anna"), vec![call(1, "0.10"), over]).await;
    journal.remove(vec![first]).await.unwrap();
    assert_eq!(spent(&journal, "anna").await, (dollars("0.10"), 110));
    run(&journal, started_by("anna"), vec![call(1, "0.05"), line("goes on")]).await;
    assert_eq!(spent(&journal, "anna").await, (dollars("0.15"), 220));
}

#[tokio::test]
async fn spend_of_a_file_of_the_third_form_is_counted_once() {
    // A summary as the third form has it: made by this version, in another file.
    let made = Place::new();
    let journal = made.open().await;
    let id = run(&journal, started_by("anna"), vec![call(1, "0.25"), finished(RunStatus::Succeeded)]).await;
    let summary = serde_json::to_string(&journal.summary(id).await.unwrap().unwrap()).unwrap();
    journal.close().await;

    let place = Place::new();
    let mut connection = place.of_form(3).await;
    for (run, summary) in [(new_run(), summary.as_str()), (new_run(), "no summary")] {
        let insert = "insert into run (id, epoch, seq, finished, status, kind, flow, title, summary, owner) \
                      values (?, 1, 3, 1, 'succeeded', 'pipeline', 'f', 't', ?, 'anna')";
        let insert = sqlx::query(insert).bind(run.0.as_bytes().to_vec()).bind(summary);
        insert.execute(&mut connection).await.unwrap();
    }
    for _ in 0..2 {
        let journal = place.open().await;
        assert_eq!(spent(&journal, "anna").await, (dollars("0.25"), 110));
        journal.close().await;
    }
    let times: Vec<Option<i64>> = sqlx::query_scalar("select finished_at from run order by id")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(times, [Some(1_656_547_200_000), None], "when each ended, where that is known");
}
