//! Lessons: written once from outcomes that are known, and told to nobody before that.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use llm::{ChatRequest, Message, Turn};
use protocol::{
    AccountId, Body, Decimal, NewEvent, NodeStatus, RunId, RunRequest, RunStatus, RunView, TurnContent,
    trading::{
        Grade, Lesson, LessonFilter, LessonVerdict, Measured, Reflection, ReflectionEnd, Task,
        UnscoredDecision,
    },
};
use serde_json::json;
use stage::{Changed, Stage, pipeline, request};
use workflows::trading::Lessons;

const AUTHOR: &str = "lesson_author";
/// The agents of AgentOS's pipeline that have a memory.
const REMEMBER: [&str; 5] =
    ["bull_researcher", "bear_researcher", "research_manager", "trader", "portfolio_manager"];

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn reflect(date: &str, max_lessons: u32) -> RunRequest {
    request(Task::Reflect { date: date.parse().unwrap(), max_lessons }, "reflections")
}

fn reflection(view: &RunView) -> Reflection {
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    view.documents().last().unwrap()
}

fn lessons(view: &RunView) -> Vec<Lesson> {
    view.documents().collect()
}

fn logs(view: &RunView) -> String {
    let logs = view.turns.iter().filter_map(|turn| match &turn.content {
        TurnContent::Log(line) => Some(line.message.as_str()),
        _ => None,
    });
    logs.collect::<Vec<_>>().join("\n")
}

/// What agents are asked, by name.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// A stage that keeps what agents are asked.
async fn listening() -> (Stage, Asked) {
    let asked = Asked::default();
    let heard = asked.clone();
    let script = move |request: &ChatRequest| {
        let texts = request.messages.iter().filter_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            _ => None,
        });
        heard.lock().unwrap().push((request.agent.clone(), texts.collect::<Vec<_>>().join("\n")));
        None
    };
    (Stage::with_script(Changed(script)).await, asked)
}

/// The section of lessons that each agent was given since, by agent; and forgets it.
fn sections(asked: &Asked) -> Vec<(String, String)> {
    let taken = std::mem::take(&mut *asked.lock().unwrap());
    let sections = taken.into_iter().filter_map(|(agent, text)| {
        let (_, section) = text.split_once("## Lessons of earlier decisions\n")?;
        let end = section.find("\n## ").or_else(|| section.find("<facts>")).unwrap_or(section.len());
        Some((agent, section[..end].trim().to_owned()))
    });
    sections.collect()
}

/// AgentOS 6.C 20, 7.6.10.
#[tokio::test]
async fn a_decision_is_scored_once_from_the_first_close_after_it() {
    let (stage, asked) = listening().await;
    for ticker in ["AAPL", "CVX", "KO"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    // The first close after it is that of 1 July; 31 July, 30 days later, is a Sunday.
    for early in ["2022-07-29", "2022-07-31"] {
        let view = stage.run(reflect(early, 20)).await;
        assert_eq!(reflection(&view).decisions, []);
        assert!(view.calls.is_empty());
        assert_eq!(view.summary.result.as_deref(), Some("No decision to learn from"));
    }
    let view = stage.run(reflect("2022-08-01", 20)).await;
    assert_eq!(view.summary.result.as_deref(), Some("3 lessons: 0 borne out, 2 refuted"), "{}", logs(&view));
    assert_eq!(view.calls.len(), 3);
    // By a calculation in another language, on the same prices.
    let known = |text: &str| Measured::Known(decimal(text));
    for (ticker, grade, stock, excess, best, worst, peak, verdict) in [
        ("AAPL", Grade::Underweight, "0.162529", "0.085856", "0.169726", "0", 19, LessonVerdict::Refuted),
        ("CVX", Grade::Hold, "0.095553", "0.01888", "0.117875", "-0.072149", 19, LessonVerdict::Open),
        (
            "KO",
            Grade::Overweight,
            "0.002176",
            "-0.074497",
            "0.002176",
            "-0.046908",
            20,
            LessonVerdict::Refuted,
        ),
    ] {
        let lesson = lessons(&view).into_iter().find(|lesson| lesson.ticker.as_str() == ticker).unwrap();
        let score = &lesson.score;
        assert_eq!(
            (score.from.to_string().as_str(), lesson.known().to_string().as_str()),
            ("2022-07-01", "2022-08-01")
        );
        assert_eq!((lesson.grade, lesson.verdict, score.days_to_peak), (grade, verdict, peak), "{ticker}");
        assert_eq!((&score.index_return, &score.excess), (&known("0.076673"), &known(excess)), "{ticker}");
        assert_eq!(score.stock_return, decimal(stock), "{ticker}");
        assert_eq!((score.best, score.worst), (decimal(best), decimal(worst)), "{ticker}");
    }
    // Neither a later reflection nor another run on the same stock and day makes a second lesson.
    stage.pipeline("KO", "2022-06-30", "another").await;
    asked.lock().unwrap().clear();
    let later = stage.run(reflect("2022-12-28", 20)).await;
    assert_eq!(reflection(&later).decisions, []);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_score_is_the_same_on_whichever_later_day_it_is_computed() {
    let scored = async |date: &str| {
        let stage = Stage::new().await;
        stage.pipeline("LLY", "2022-03-31", "flow").await;
        lessons(&stage.run(reflect(date, 20)).await).remove(0).score
    };
    assert_eq!(scored("2022-05-02").await, scored("2022-12-28").await);
}

#[tokio::test]
async fn a_run_in_the_past_is_told_of_no_lesson_that_became_known_later() {
    let (stage, asked) = listening().await;
    stage.pipeline("AAPL", "2022-06-30", "flow").await;
    let told: BTreeSet<String> = sections(&asked)
        .into_iter()
        .map(|(agent, section)| {
            assert_eq!(section, "None: by 2022-06-30 the outcome of no earlier decision was known.");
            agent
        })
        .collect();
    assert_eq!(told, REMEMBER.map(str::to_owned).into());
    stage.run(reflect("2022-12-28", 20)).await;
    assert!(sections(&asked).is_empty(), "the author of lessons is told of none");
    // The lesson was written, and its outcome became known on 1 August.
    stage.pipeline("AAPL", "2022-07-29", "flow").await;
    let then = sections(&asked);
    assert_eq!(then.len(), 7, "two rounds of the debate, and three once");
    for (agent, section) in then {
        assert_eq!(section, "None: by 2022-07-29 the outcome of no earlier decision was known.", "{agent}");
    }
    stage.pipeline("AAPL", "2022-08-01", "flow").await;
    let now = sections(&asked);
    assert_eq!(now.iter().map(|(agent, _)| agent.clone()).collect::<BTreeSet<_>>(), told);
    for (agent, section) in now {
        let line = "- **AAPL, Underweight of 2022-06-30 (medium confidence), outcome known on 2022-08-01**: +16.25 % from \
                    2022-07-01 on, the index +7.67 %, +8.59 % against it: refuted. When: ";
        assert!(section.contains(line), "{agent}: {section}");
    }
    // Another stock has none of its own, and with one lesson in all no word of it is rare.
    stage.pipeline("KO", "2022-08-01", "flow").await;
    for (agent, section) in sections(&asked) {
        assert_eq!(section, "None of the 1 that were known by 2022-08-01 fits this case.", "{agent}");
    }
}

/// AgentOS 6.C 34.
#[tokio::test]
async fn a_portfolio_run_gets_the_lessons_on_what_it_holds_and_may_buy() {
    let (stage, asked) = listening().await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    stage.portfolio("2022-06-30", "flow").await;
    stage.run(reflect("2022-08-01", 20)).await;
    asked.lock().unwrap().clear();
    stage.portfolio("2022-08-01", "later").await;
    let told = sections(&asked);
    let agents: BTreeSet<&str> = told.iter().map(|(agent, _)| agent.as_str()).collect();
    assert_eq!(agents, ["make_decision", "micro_summary", "review_holdings"].into());
    // Advice about what is held reaches those who decide about it, as it does not in AgentOS (6.C 34).
    for (agent, section) in &told {
        assert!(section.contains("**LLY, Buy of 2022-06-30"), "{agent}: {section}");
        assert!(section.contains(" What is held: The closes stayed between"), "{agent}: {section}");
    }
}

#[tokio::test]
async fn lessons_are_written_up_to_a_number_and_the_oldest_first() {
    let stage = Stage::new().await;
    for (ticker, date) in [("KO", "2022-05-31"), ("AAPL", "2022-03-31"), ("LLY", "2022-04-29")] {
        stage.pipeline(ticker, date, "flow").await;
    }
    let first = reflection(&stage.run(reflect("2022-12-28", 2)).await);
    let stocks = |it: &Reflection| it.decisions.iter().map(|it| it.ticker.to_string()).collect::<Vec<_>>();
    assert_eq!((stocks(&first), first.left), (vec!["AAPL".to_owned(), "LLY".to_owned()], 1));
    let second = reflection(&stage.run(reflect("2022-12-28", 2)).await);
    assert_eq!((stocks(&second), second.left), (vec!["KO".to_owned()], 0));
}

#[tokio::test]
async fn a_lesson_that_fails_stops_no_other_and_is_taken_up_again() {
    let script = |request: &ChatRequest| {
        let is_ko = request
            .messages
            .iter()
            .any(|message| matches!(message, Message::User(text) if text.contains("Stock: KO.")));
        (request.agent == AUTHOR && is_ko).then(|| Turn::Answer("I learnt a lot.".into()))
    };
    let stage = Stage::with_script(Changed(script)).await;
    for ticker in ["AAPL", "KO"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    let view = stage.run(reflect("2022-08-01", 20)).await;
    let [aapl, ko] = &reflection(&view).decisions[..] else { panic!() };
    assert_eq!(aapl.end, ReflectionEnd::Written { verdict: LessonVerdict::Refuted });
    assert!(
        matches!(&ko.end, ReflectionEnd::Failed { reason } if reason.contains("no usable answer")),
        "{ko:?}"
    );
    assert_eq!(stage::status(&view, "lesson_2_ko"), NodeStatus::Failed);
    let result = "Completed with errors: 1 without a lesson. 1 lesson: 0 borne out, 1 refuted";
    assert_eq!(view.summary.result.as_deref(), Some(result));
    let stage = stage.restarted().await;
    let again = stage.run(reflect("2022-08-01", 20)).await;
    let [ko] = &reflection(&again).decisions[..] else { panic!() };
    assert_eq!(
        (ko.ticker.as_str(), &ko.end),
        ("KO", &ReflectionEnd::Written { verdict: LessonVerdict::Refuted })
    );
}

/// AgentOS 7.6.10.
#[tokio::test]
async fn a_reflection_that_is_cut_off_goes_on_and_asks_and_scores_once() {
    let stage = Stage::new().await;
    for ticker in ["AAPL", "CVX", "KO", "LLY", "PG"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    let run = stage.engine.start(reflect("2022-08-01", 20), AccountId::local()).await.unwrap();
    let mut log = stage.journal.subscribe(run, 0).await.unwrap();
    let mut written = 0;
    while written == 0 {
        let events = log.next().await.unwrap().unwrap();
        let is_answer = |body: &Body| matches!(body, Body::CallFinished(_));
        written += events.iter().filter(|event| is_answer(&event.decode().unwrap().body)).count();
    }
    drop(log);
    let stage = stage.restarted().await;
    stage.engine.resume().await.unwrap();
    let view = stage.end(run).await;
    assert_eq!(reflection(&view).decisions.len(), 5);
    let (mut answered, mut scored) = (BTreeSet::new(), 0);
    for event in stage.events(run).await {
        match event.body {
            Body::CallFinished(finished) => drop(answered.insert(finished.call)),
            Body::CallStarted(started) => {
                assert!(!answered.contains(&started.call), "{} was asked again", started.call);
            }
            Body::ToolReturned(returned) if returned.call.to_string().contains("find_decisions") => {
                scored += 1
            }
            _ => {}
        }
    }
    assert_eq!((answered.len(), scored), (5, 1));
    let all = lessons(&view);
    let stocks: BTreeSet<&str> = all.iter().map(|lesson| lesson.ticker.as_str()).collect();
    assert_eq!((all.len(), stocks.len()), (5, 5));
}

/// Takes the log of a run in as a file would bring it to another account.
async fn import(stage: &Stage, view: &RunView, id: &str, owner: &AccountId) {
    let run: RunId = id.parse().unwrap();
    let mut events = stage.events(view.summary.run).await;
    for event in &mut events {
        // A file holds whole texts.
        for text in event.body.texts_mut() {
            *text = stage.journal.resolve(text).await.unwrap().into();
        }
        if let Body::RunStarted(started) = &mut event.body {
            started.imported_from = Some(view.summary.run);
            started.owner = owner.clone();
        }
    }
    let events =
        events.into_iter().map(|event| NewEvent { at: event.at, node: event.node, body: event.body });
    let epoch = stage.journal.claim(run).await.unwrap();
    stage.journal.append(run, epoch, events.collect::<Vec<_>>()).await.unwrap();
}

#[tokio::test]
async fn lessons_are_their_accounts_own_and_an_imported_one_is_nobodys() {
    let (stage, asked) = listening().await;
    let (local, bert): (AccountId, AccountId) = (AccountId::local(), "bert".parse().unwrap());
    let run = async |request: RunRequest, owner: &AccountId| {
        let run = stage.engine.start(request, owner.clone()).await.unwrap();
        stage.end(run).await
    };
    let rated = run(pipeline("AAPL", "2022-06-30", "flow"), &local).await;
    // Neither another's decision nor one of a file is looked back at.
    import(&stage, &rated, "0197a1b2-0000-7000-8000-000000000001", &bert).await;
    let berts = run(reflect("2022-08-01", 20), &bert).await;
    assert_eq!(reflection(&berts).decisions, []);
    let learnt = run(reflect("2022-08-01", 20), &local).await;
    assert_eq!(reflection(&learnt).decisions.len(), 1);
    // Neither another's lesson nor one of a file is told.
    import(&stage, &learnt, "0197a1b2-0000-7000-8000-000000000002", &bert).await;
    asked.lock().unwrap().clear();
    run(pipeline("AAPL", "2022-08-01", "flow"), &bert).await;
    let told = sections(&asked);
    assert_eq!(told.len(), 7);
    for (agent, section) in told {
        assert_eq!(section, "None: by 2022-08-01 the outcome of no earlier decision was known.", "{agent}");
    }
    let lessons = Lessons::new(stage.journal.clone());
    assert_eq!(lessons.of(&bert).await.unwrap(), []);
    assert_eq!(lessons.of(&local).await.unwrap().len(), 1);
}

/// AgentOS 6.C 20, E 14.
#[tokio::test]
async fn lessons_are_searched_by_their_words_with_absolute_scores() {
    let stage = Stage::new().await;
    for ticker in ["AAPL", "CVX", "JPM", "KO", "LLY", "XOM"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    stage.run(reflect("2022-08-01", 20)).await;
    let lessons = Lessons::new(stage.journal.clone());
    let page = async |filter: LessonFilter| lessons.page(&AccountId::local(), &filter).await.unwrap();
    let found = async |search: &str| {
        let page = page(LessonFilter { search: search.to_owned(), ..LessonFilter::default() }).await;
        let found = page.lessons.into_iter().map(|it| (it.lesson.ticker.to_string(), it.relevance.unwrap()));
        found.collect::<Vec<_>>()
    };
    let of_lly = found("lly healthcare").await;
    assert_eq!(of_lly[0].0, "LLY");
    // Both words are in one of six lessons: ln(5.5 / 1.5) each, a little more or less by length.
    assert!(of_lly[0].1 > decimal("2") && of_lly[0].1 < decimal("4"), "{of_lly:?}");
    // All lessons have these, so that even the best of them fits next to nothing.
    let common = found("rated index days").await;
    assert_eq!(common.len(), 6);
    assert!(common.iter().all(|(_, relevance)| *relevance < decimal("0.01")), "{common:?}");
    assert_eq!(found("\" OR NEAR( * ^ body:").await, []);
    assert_eq!(page(LessonFilter::default()).await.total, 6);
    let before = LessonFilter { known_by: Some("2022-07-31".parse().unwrap()), ..LessonFilter::default() };
    assert_eq!(page(before).await.total, 0);
    let two = page(LessonFilter { limit: Some(2), ..LessonFilter::default() }).await;
    assert_eq!((two.lessons.len(), two.total), (2, 6));
}

#[tokio::test]
async fn a_similar_lesson_on_another_stock_is_told_as_such() {
    let (stage, asked) = listening().await;
    for ticker in ["AAPL", "CVX", "JPM", "KO", "LLY", "RRC", "HD"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    stage.run(reflect("2022-08-01", 20)).await;
    asked.lock().unwrap().clear();
    stage.pipeline("MRK", "2022-08-01", "flow").await;
    let told = sections(&asked);
    assert_eq!(told.len(), 7);
    for (agent, section) in told {
        assert!(section.contains("**LLY, Buy of 2022-06-30"), "{agent}: {section}");
        assert!(section.contains("(another stock, a similar situation)"), "{agent}: {section}");
        assert!(section.lines().count() <= 3, "{section}");
    }
}

#[tokio::test]
async fn what_cannot_be_run_is_refused() {
    let stage = Stage::new().await;
    for (max_lessons, words) in
        [(json!(0), "must be 1 to 100; 0 was asked for"), (json!("many"), "cannot be read")]
    {
        let mut request = reflect("2022-08-01", 20);
        request.workflow = request.workflow.with("max_lessons", max_lessons).unwrap();
        let refusal = stage.engine.start(request, AccountId::local()).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    let late =
        stage.engine.start(reflect("2023-08-01", 20), AccountId::local()).await.unwrap_err().to_string();
    assert!(late.contains("no prices as of 2023-08-01"), "{late}");
    let none: Vec<UnscoredDecision> = Vec::new();
    assert_eq!(reflection(&stage.run(reflect("2022-08-01", 20)).await).unscored, none);
}
