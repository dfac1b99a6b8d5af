use std::fs;

use journal::{JournalError, RunChange};
use protocol::{Body, ForkPoint, Origin, RunId, RunStarted, RunStatus, Text};

use crate::sample::{Place, begin, event, finished, line, new_run, pipeline, said, start};

/// A digest that an event of the run refers to.
fn stored(body: &Body) -> Text {
    let Body::Said(said) = body else { panic!("{body:?}") };
    said.content.clone()
}

fn continuing(origin: RunId) -> Body {
    let origin = Some(Origin { run: origin, point: ForkPoint::End, through: 1 });
    Body::RunStarted(RunStarted { origin, ..start(pipeline("AAPL", "first_flow")) })
}

#[tokio::test]
async fn a_deleted_run_is_gone_and_texts_stay_only_where_another_run_names_them() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let texts = [said(&"mine ".repeat(2000)), said(&"ours ".repeat(2000))];
    let added = journal.append(run, epoch, texts.to_vec()).await.unwrap();
    let [mine, ours] = [stored(&added[0].body), stored(&added[1].body)];
    journal.append(run, epoch, vec![finished(RunStatus::Failed)]).await.unwrap();
    let fork = new_run();
    let claimed = journal.claim(fork).await.unwrap();
    let taken_over = vec![event(continuing(run)), event(added[1].body.clone())];
    journal.append(fork, claimed, taken_over).await.unwrap();

    journal.remove(vec![run]).await.unwrap();
    assert_eq!(journal.last_seq(run).await.unwrap(), None);
    assert_eq!(journal.summary(run).await.unwrap(), None);
    assert!(journal.read(run, 0, 10).await.unwrap().is_empty());
    assert!(matches!(journal.subscribe(run, 0).await.err(), Some(JournalError::NoSuchRun(_))));
    assert!(matches!(journal.remove(vec![run]).await, Err(JournalError::NoSuchRun(_))));
    assert!(matches!(journal.append(run, epoch, vec![line("late")]).await, Err(JournalError::Fenced(_))));

    assert!(matches!(journal.resolve(&mine).await, Err(JournalError::NoSuchText(_))));
    let digest = ours.stored().unwrap();
    assert_eq!(journal.text(fork, digest).await.unwrap(), Some("ours ".repeat(2000)));
    // The fork still says what it continues, and goes on; also when its row is read back.
    journal.close().await;
    let journal = place.open().await;
    assert_eq!(journal.summary(fork).await.unwrap().unwrap().origin.unwrap().run, run);
    journal.append(fork, claimed, vec![finished(RunStatus::Succeeded)]).await.unwrap();
    journal.remove(vec![fork]).await.unwrap();
    assert!(matches!(journal.resolve(&ours).await, Err(JournalError::NoSuchText(_))));
}

#[tokio::test]
async fn a_run_at_work_is_not_deleted_nor_what_is_named_with_it() {
    let place = Place::new();
    let journal = place.open().await;
    let (over, epoch) = begin(&journal).await;
    journal.append(over, epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
    let (at_work, _) = begin(&journal).await;
    let refused = journal.remove(vec![over, at_work]).await;
    assert!(matches!(refused, Err(JournalError::AtWork(run)) if run == at_work), "{refused:?}");
    assert_eq!(journal.last_seq(over).await.unwrap(), Some(2));
    let refused = journal.remove(vec![over, new_run()]).await;
    assert!(matches!(refused, Err(JournalError::NoSuchRun(_))), "{refused:?}");
    assert_eq!(journal.last_seq(over).await.unwrap(), Some(2));
    // Also an append in the same breath counts.
    let (late, epoch) = begin(&journal).await;
    let (appended, removed) = tokio::join!(
        journal.append(late, epoch, vec![finished(RunStatus::Succeeded)]),
        journal.remove(vec![late])
    );
    appended.unwrap();
    removed.unwrap();
}

#[tokio::test]
async fn who_follows_a_run_that_is_deleted_is_told() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let mut behind = journal.subscribe(run, 0).await.unwrap();
    journal.append(run, epoch, vec![line("a"), finished(RunStatus::Succeeded)]).await.unwrap();
    let mut changes = journal.changes();
    journal.remove(vec![run]).await.unwrap();
    assert!(matches!(behind.next().await, Err(JournalError::NoSuchRun(_))));
    let change = changes.recv().await.unwrap();
    let RunChange::Removed { run: removed, owner } = change else { panic!("{change:?}") };
    assert_eq!((removed, owner), (run, protocol::AccountId::local()));
}

#[tokio::test]
async fn the_file_gives_the_space_of_deleted_runs_back_and_keeps_portfolios() {
    let place = Place::new();
    let journal = place.open().await;
    let portfolio = "main".parse().unwrap();
    journal.ledger().open(&portfolio, "{}").await.unwrap();
    let mut runs = Vec::new();
    for number in 0..8 {
        let (run, epoch) = begin(&journal).await;
        let long = format!("{number}").repeat(500_000);
        journal.append(run, epoch, vec![said(&long), finished(RunStatus::Succeeded)]).await.unwrap();
        runs.push(run);
    }
    let size = || fs::metadata(place.file()).unwrap().len();
    journal.remove(vec![runs[0]]).await.unwrap();
    let before = size();
    assert!(before > 7 * 500_000, "{before} bytes");
    journal.remove(runs[1..].to_vec()).await.unwrap();
    assert!(size() < before / 10, "{} bytes of {before}", size());
    assert_eq!(journal.ledger().entries(&portfolio).await.unwrap(), ["{}"]);
}

#[tokio::test]
async fn what_continues_what_is_still_known_of_a_file_of_the_second_form() {
    let place = Place::new();
    let (origin, fork) = (new_run(), new_run());
    let mut connection = place.of_form(2).await;
    for (run, origin) in [(origin, None), (fork, Some(origin))] {
        let insert = "insert into run (id, epoch, seq, finished, status, kind, flow, title, summary, origin) \
                      values (?, 1, 1, 1, 'succeeded', 'pipeline', 'f', 't', '{}', ?)";
        let origin = origin.map(|origin: RunId| origin.0.as_bytes().to_vec());
        let id = run.0.as_bytes().to_vec();
        sqlx::query(insert).bind(id).bind(origin).execute(&mut connection).await.unwrap();
    }
    let of = |run: RunId| run.0.as_bytes().to_vec();
    place.open().await.close().await;
    let found: Option<Vec<u8>> = sqlx::query_scalar("select origin from run where id = ?")
        .bind(of(fork))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(found, Some(of(origin)));
    // The one that is continued may go first.
    let journal = place.open().await;
    journal.remove(vec![origin]).await.unwrap();
    assert_eq!(journal.last_seq(fork).await.unwrap(), Some(1));
}
