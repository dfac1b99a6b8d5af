use journal::{Journal, RunChange};
use protocol::{
    AccountId, Body, Heading, Parent, RunFilter, RunId, RunPage, RunRequest, RunStarted, RunStatus,
    RunSummary, Timestamp, Workflow,
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::sample::{Place, begin, event, finished, line, new_run, pipeline, running, start, started_as};

fn runs(page: &RunPage) -> Vec<RunId> {
    page.runs.iter().map(|summary| summary.run).collect()
}

#[tokio::test]
async fn a_summary_is_the_fold_of_the_runs_events() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![running(), line("a")]).await.unwrap();
    let events = journal.read(run, 0, 10).await.unwrap();
    let mut expected = RunSummary::begin(&events[0]).unwrap();
    events.iter().for_each(|event| expected.apply(event));
    assert_eq!(expected.status, RunStatus::Running);
    assert_eq!(expected.seq, 3);
    assert_eq!(journal.summary(run).await.unwrap(), Some(expected.clone()));
    assert_eq!(journal.unfinished().await.unwrap(), [expected]);
    assert_eq!(journal.summary(new_run()).await.unwrap(), None);

    // Also when the writer has to read it back first.
    journal.close().await;
    let journal = place.open().await;
    journal.append(run, epoch, vec![finished(RunStatus::Failed)]).await.unwrap();
    let summary = journal.summary(run).await.unwrap().unwrap();
    assert_eq!((summary.seq, summary.status), (4, RunStatus::Failed));
    assert!(journal.unfinished().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_commit_announces_each_changed_run() {
    let place = Place::new();
    let journal = place.open().await;
    let mut changes = journal.changes();
    let (run, epoch) = begin(&journal).await;
    journal.claim(run).await.unwrap();
    assert!(journal.append(run, epoch, vec![line("fenced")]).await.is_err());
    let Ok(RunChange::Grown(summary)) = changes.recv().await else { panic!("a run that has grown") };
    assert_eq!(summary.seq, 1);
    journal.close().await;
    assert!(changes.recv().await.is_err(), "neither a claim nor a refused append is a change");
}

#[tokio::test]
async fn the_runs_that_a_run_has_started_are_listed_and_left_out_of_the_list_of_what_people_started() {
    let place = Place::new();
    let journal = place.open().await;
    let (parent, _) = begin(&journal).await;
    let mut below = Vec::new();
    for _ in 0..3 {
        let run = new_run();
        let epoch = journal.claim(run).await.unwrap();
        let call = "decide:1:1".parse().unwrap();
        let started = RunStarted {
            parent: Some(Parent { run: parent, call }),
            ..start(pipeline("AAPL", "first_flow"))
        };
        journal.append(run, epoch, vec![event(Body::RunStarted(started)), line("a")]).await.unwrap();
        below.insert(0, run);
    }
    let found =
        async |filter: RunFilter| runs(&journal.summaries(&filter, Some(&AccountId::local())).await.unwrap());
    let of_parent = RunFilter { parent: Some(parent), ..RunFilter::default() };
    assert_eq!(found(of_parent.clone()).await, below);
    let next = RunFilter { limit: Some(1), before: Some(below[0]), ..of_parent.clone() };
    assert_eq!(found(next).await, [below[1]]);
    assert_eq!(found(RunFilter { parent: Some(below[0]), ..RunFilter::default() }).await, []);
    assert_eq!(found(RunFilter { top: true, ..RunFilter::default() }).await, [parent]);
    assert_eq!(found(RunFilter::default()).await.len(), 4);
    let other: AccountId = "other".parse().unwrap();
    assert!(journal.summaries(&of_parent, Some(&other)).await.unwrap().runs.is_empty());
    journal.close().await;

    // As the version before had it, without a column for the run that started one.
    let options = SqliteConnectOptions::new().filename(place.file());
    let mut file = SqliteConnection::connect_with(&options).await.unwrap();
    let before = "drop index run_parent; drop index run_top; drop index run_top_status; \
                  alter table run drop column parent; \
                  alter table run add column below integer generated always as ( \
                    case when json_valid(summary) then json_extract(summary, '$.parent') is not null else 0 end \
                  ) virtual; \
                  create index run_top on run (owner, id) where below = 0; \
                  create index run_top_status on run (owner, status, id) where below = 0; \
                  delete from _sqlx_migrations where version = 12;";
    sqlx::raw_sql(before).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
    let journal = place.open().await;
    let found =
        async |filter: RunFilter| runs(&journal.summaries(&filter, Some(&AccountId::local())).await.unwrap());
    assert_eq!(found(of_parent).await, below);
    assert_eq!(found(RunFilter { top: true, ..RunFilter::default() }).await, [parent]);
}

#[tokio::test]
async fn pages_are_newest_first_and_follow_one_another() {
    let place = Place::new();
    let journal = place.open().await;
    let mut newest_first = Vec::new();
    for _ in 0..7 {
        newest_first.insert(0, begin(&journal).await.0);
    }
    let mut filter = RunFilter { limit: Some(3), ..RunFilter::default() };
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let page = journal.summaries(&filter, None).await.unwrap();
        sizes.push((page.runs.len(), page.more));
        seen.extend(runs(&page));
        filter.before = page.runs.last().map(|summary| summary.run);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, newest_first);
    assert_eq!(sizes, [(3, true), (3, true), (1, false)]);
    filter.before = newest_first.last().copied();
    assert_eq!(journal.summaries(&filter, None).await.unwrap(), RunPage::default());
}

#[tokio::test]
async fn filters_select_by_status_kind_flow_and_title() {
    let place = Place::new();
    let journal = place.open().await;
    let mut ids = Vec::new();
    for (ticker, flow) in [("AAPL", "one"), ("MSFT", "one"), ("AAPL", "two")] {
        let run = new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, vec![started_as(pipeline(ticker, flow))]).await.unwrap();
        ids.push((run, epoch));
    }
    journal.append(ids[1].0, ids[1].1, vec![finished(RunStatus::Cancelled)]).await.unwrap();
    let [apple, microsoft, second_apple] = [ids[0].0, ids[1].0, ids[2].0];

    let found = async |filter: RunFilter| runs(&journal.summaries(&filter, None).await.unwrap());
    let by_search = |search: &str| RunFilter { search: search.into(), ..RunFilter::default() };
    let cancelled = RunFilter { status: Some(RunStatus::Cancelled), ..RunFilter::default() };
    assert_eq!(found(cancelled).await, [microsoft]);
    let first_flow = RunFilter { flow: Some("one".parse().unwrap()), ..RunFilter::default() };
    assert_eq!(found(first_flow.clone()).await, [microsoft, apple]);
    let pipelines = RunFilter { kind: "pipeline".parse().ok(), ..RunFilter::default() };
    assert_eq!(found(pipelines).await.len(), 3);
    let portfolios = RunFilter { kind: "portfolio".parse().ok(), ..RunFilter::default() };
    assert_eq!(found(portfolios).await, []);

    assert_eq!(found(by_search("aapl")).await, [second_apple, apple]);
    assert_eq!(found(by_search(" Line · msFT ")).await, [microsoft]);
    assert_eq!(found(by_search("2022 msft")).await, [microsoft], "words in any order");
    assert_eq!(found(RunFilter { search: "aapl".into(), ..first_flow }).await, [apple]);
    for literal in ["%", "_", "A%L", "\\", "'"] {
        assert_eq!(found(by_search(literal)).await, [], "{literal}");
    }
}

/// A run of an essay whose workflow has this parameter `made_from`, after another one that names no document.
fn essay(made_from: &str) -> RunRequest {
    let essay = Workflow::bare("essay".parse().unwrap()).with("topic", "rain@noon".into());
    let essay = essay.and_then(|essay| essay.with("made_from", made_from.into())).unwrap();
    RunRequest::new(essay, "flow".parse().unwrap())
}

#[tokio::test]
async fn runs_of_a_document_are_found_whichever_version_they_are_made_from() {
    const DOCUMENT: &str = "0197a1b2-0000-7000-8000-000000000001";
    let place = Place::new();
    let journal = place.open().await;
    let mut ids = Vec::new();
    for made_from in [
        format!("{DOCUMENT}@1"),
        DOCUMENT.replace("01", "02") + "@1",
        format!("{DOCUMENT}@12"),
        "sample".into(),
    ] {
        let run = new_run();
        let epoch = journal.claim(run).await.unwrap();
        let started = RunStarted::new(essay(&made_from), Heading::new("Essay"));
        journal.append(run, epoch, vec![event(Body::RunStarted(started)), running()]).await.unwrap();
        ids.push(run);
    }
    let filter = RunFilter { document: DOCUMENT.parse().ok(), ..RunFilter::default() };
    let local = AccountId::local();
    let page = journal.summaries(&filter, Some(&local)).await.unwrap();
    assert_eq!(runs(&page), [ids[2], ids[0]]);
    let older = RunFilter { before: Some(ids[2]), status: Some(RunStatus::Running), ..filter };
    assert_eq!(runs(&journal.summaries(&older, Some(&local)).await.unwrap()), [ids[0]]);
}

#[tokio::test]
async fn runs_of_a_file_of_the_tenth_form_are_found_by_their_documents() {
    const DOCUMENT: &str = "0197a1b2-0000-7000-8000-000000000001";
    let place = Place::new();
    let mut connection = place.of_form(10).await;
    let mut ids = Vec::new();
    let named = [
        format!("{DOCUMENT}@3"),
        DOCUMENT.to_owned(),
        format!("{DOCUMENT}@0"),
        format!("{DOCUMENT}@1x"),
        "0197a1b2-0000-7000-8000-00000000000g@3".to_owned(),
    ];
    for made_from in named {
        let (run, request) = (new_run(), essay(&made_from));
        let summary = RunSummary::new(run, request, Heading::new("Essay"), Timestamp(0));
        let insert = "insert into run (id, epoch, seq, finished, status, kind, flow, title, summary) \
                      values (?, 1, 1, 1, 'succeeded', 'essay', 'flow', 'essay', ?)";
        let insert = sqlx::query(insert).bind(run.0.as_bytes().to_vec());
        insert.bind(serde_json::to_string(&summary).unwrap()).execute(&mut connection).await.unwrap();
        ids.push(run);
    }
    let journal = place.open().await;
    let filter = RunFilter { document: DOCUMENT.parse().ok(), ..RunFilter::default() };
    let page = journal.summaries(&filter, Some(&AccountId::local())).await.unwrap();
    assert_eq!(runs(&page), ids[..1]);
}

#[tokio::test]
async fn a_rare_word_is_found_wherever_it_stands_until_its_run_is_deleted() {
    let place = Place::new();
    let journal = place.open().await;
    let mut ids = Vec::new();
    for ticker in ["AAPL", "MSFT", "NVDA"] {
        let run = new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, vec![started_as(pipeline(ticker, "one"))]).await.unwrap();
        journal.append(run, epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
        ids.push(run);
    }
    let found = async |journal: &Journal, search: &str, status| {
        let filter = RunFilter { search: search.into(), status, ..RunFilter::default() };
        runs(&journal.summaries(&filter, Some(&AccountId::local())).await.unwrap())
    };
    for search in ["nvda", "VDA", "pipeline nvd", "2022-06-30 vda", "ne · nvda", "da"] {
        assert_eq!(found(&journal, search, None).await, [ids[2]], "{search}");
        assert_eq!(found(&journal, search, Some(RunStatus::Succeeded)).await, [ids[2]], "{search}");
        assert_eq!(found(&journal, search, Some(RunStatus::Failed)).await, [], "{search}");
    }
    // What has a meaning in a query of the index is only letters here.
    for search in ["\"nvda", "nv\"da", "nvda*", "title:nvda", "nvda OR msft", "nvd\0a", "(nvda)", "'''"] {
        assert_eq!(found(&journal, search, None).await, [], "{search:?}");
    }
    assert_eq!(found(&journal, "pipeline", None).await, [ids[2], ids[1], ids[0]]);
    journal.remove(vec![ids[2]]).await.unwrap();
    assert_eq!(found(&journal, "nvda", None).await, []);
    assert_eq!(found(&journal, "msft", None).await, [ids[1]]);
}

#[tokio::test]
async fn runs_of_a_file_of_the_fifth_form_are_found_by_their_titles() {
    let place = Place::new();
    let mut connection = place.of_form(5).await;
    for title in ["pipeline · aapl", "pipeline · msft"] {
        let insert = "insert into run (id, epoch, seq, finished, status, kind, flow, title, summary) \
                      values (?, 1, 1, 1, 'succeeded', 'pipeline', 'f', ?, '{}')";
        let insert = sqlx::query(insert).bind(new_run().0.as_bytes().to_vec()).bind(title);
        insert.execute(&mut connection).await.unwrap();
    }
    let journal = place.open().await;
    let filter = RunFilter { search: "msft".into(), ..RunFilter::default() };
    let page = journal.summaries(&filter, Some(&AccountId::local())).await.unwrap();
    assert_eq!(page.runs.iter().map(|run| run.title.as_str()).collect::<Vec<_>>(), ["pipeline · msft"]);
}
