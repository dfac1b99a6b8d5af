use journal::JournalError;
use protocol::{Body, Event, ForkPoint, Origin, RunStarted, Text};

use crate::sample::{Place, begin, event, new_run, pipeline, said, start};

fn content(event: &Event) -> &Text {
    match &event.body {
        Body::Said(said) => &said.content,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_text_is_replaced_by_a_preview_and_resolved_to_the_whole() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let long = "abc\n".repeat(1025);
    let added = journal.append(run, epoch, vec![said(&long)]).await.unwrap();
    let text = content(&added[0]);
    let Text::Preview { preview, bytes, digest } = text else { panic!("{text:?}") };
    assert_eq!(&**preview, &long[..400]);
    assert_eq!(*bytes, 4100);
    // printf 'abc\n%.0s' $(seq 1025) | sha256sum
    assert_eq!(digest.as_str(), "4d02b2de464142f308eecbf95f2340040322867f38cefe999102c505ff740869");
    assert_eq!(journal.resolve(text).await.unwrap(), long);
    assert_eq!(journal.text(run, digest).await.unwrap(), Some(long));
    assert_eq!(content(&journal.read(run, 1, 1).await.unwrap()[0]), text);
}

#[tokio::test]
async fn a_text_of_4096_bytes_stays_in_its_event() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let text = "x".repeat(4096);
    let added = journal.append(run, epoch, vec![said(&text), said(&(text.clone() + "x"))]).await.unwrap();
    assert_eq!(content(&added[0]).whole(), Some(text.as_str()));
    assert_eq!(content(&added[1]).whole(), None);
    assert_eq!(journal.resolve(content(&added[0])).await.unwrap(), text);
}

#[tokio::test]
async fn a_preview_ends_between_two_characters() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let added = journal.append(run, epoch, vec![said(&"a€😀".repeat(2000))]).await.unwrap();
    let shown = content(&added[0]).shown();
    assert_eq!(shown.chars().count(), 400);
    assert!(shown.ends_with('a') && shown.starts_with("a€😀"));
}

#[tokio::test]
async fn a_long_text_is_stored_once_however_often_it_is_used() {
    let place = Place::new();
    let journal = place.open().await;
    let long = "once ".repeat(100_000);
    let mut previews = Vec::new();
    for _ in 0..6 {
        let (run, epoch) = begin(&journal).await;
        let added = journal.append(run, epoch, vec![said(&long), said(&long)]).await.unwrap();
        previews.push((run, content(&added[1]).clone()));
    }
    for (run, preview) in &previews {
        assert_eq!(preview, &previews[0].1);
        let digest = preview.stored().unwrap();
        assert_eq!(journal.text(*run, digest).await.unwrap().as_deref(), Some(long.as_str()));
    }
    journal.close().await;
    let stored = std::fs::metadata(place.file()).unwrap().len();
    assert!(stored < 2 * long.len() as u64, "{stored} bytes");
}

#[tokio::test]
async fn a_text_is_named_only_by_the_run_that_has_it_and_by_what_continues_it() {
    let place = Place::new();
    let journal = place.open().await;
    let (mine, epoch) = begin(&journal).await;
    let (other, other_epoch) = begin(&journal).await;
    let added = journal.append(mine, epoch, vec![said(&"secret ".repeat(1000))]).await.unwrap();
    let preview = content(&added[0]).clone();
    let digest = preview.stored().unwrap();
    assert_eq!(journal.text(other, digest).await.unwrap(), None);

    // Who knows the digest has not the text.
    let copy = event(added[0].body.clone());
    let refused = journal.append(other, other_epoch, vec![copy.clone()]).await;
    assert!(matches!(refused, Err(JournalError::NoSuchText(_))), "{refused:?}");
    assert_eq!(journal.text(other, digest).await.unwrap(), None);
    // Who has brought it has.
    journal.append(other, other_epoch, vec![said(&"secret ".repeat(1000)), copy.clone()]).await.unwrap();
    journal.append(other, other_epoch, vec![copy.clone()]).await.unwrap();
    assert_eq!(journal.text(other, digest).await.unwrap(), Some("secret ".repeat(1000)));

    // A fork copies events with their previews, at once or later.
    let fork = new_run();
    let fork_epoch = journal.claim(fork).await.unwrap();
    let origin = Some(Origin { run: mine, point: ForkPoint::End, through: 2 });
    let start = Body::RunStarted(RunStarted { origin, ..start(pipeline("AAPL", "first_flow")) });
    journal.append(fork, fork_epoch, vec![event(start), copy.clone()]).await.unwrap();
    journal.append(fork, fork_epoch, vec![copy]).await.unwrap();
    assert_eq!(journal.text(fork, digest).await.unwrap(), Some("secret ".repeat(1000)));
}

#[tokio::test]
async fn a_preview_of_a_text_that_is_not_stored_is_refused() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let mut lost = said("");
    let Body::Said(said) = &mut lost.body else { unreachable!() };
    said.content =
        Text::Preview { preview: "lost".into(), bytes: 5000, digest: "0".repeat(64).parse().unwrap() };
    let text = said.content.clone();
    let refused = journal.append(run, epoch, vec![lost]).await;
    assert!(matches!(refused, Err(JournalError::NoSuchText(_))));
    assert!(matches!(journal.resolve(&text).await, Err(JournalError::NoSuchText(_))));
    assert_eq!(journal.last_seq(run).await.unwrap(), Some(1));
}
