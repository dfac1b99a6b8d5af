use journal::{DocumentError, DocumentLimits, Documents, Journal, Options};
use protocol::{
    AccountId, Timestamp,
    document::{
        DocumentContent, DocumentFilter, DocumentId, DocumentSummary, DocumentVersion, LARGEST_CONTENT,
    },
};
use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use crate::sample::Place;

fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

fn content(words: &str) -> DocumentContent {
    serde_json::from_value(json!({ "words": words })).unwrap()
}

fn version(number: u32) -> DocumentVersion {
    DocumentVersion::new(number).unwrap()
}

/// A document of anna's, with this title and these words.
async fn create(documents: &Documents, title: &str, at: i64) -> DocumentSummary {
    create_of(documents, "team", title, at).await.unwrap()
}

async fn create_of(
    documents: &Documents,
    kind: &str,
    title: &str,
    at: i64,
) -> Result<DocumentSummary, DocumentError> {
    let id = DocumentId(Uuid::now_v7());
    let (kind, words) = (kind.parse().unwrap(), content(title));
    documents.create(&account("anna"), id, kind, title.parse().unwrap(), &words, Timestamp(at)).await
}

async fn titles(documents: &Documents, filter: &DocumentFilter) -> Vec<String> {
    let page = documents.list(&account("anna"), filter).await.unwrap();
    page.documents.iter().map(|document| document.title.to_string()).collect()
}

#[tokio::test]
async fn every_version_is_kept_also_after_a_restart() {
    let place = Place::new();
    let journal = place.open().await;
    let (documents, anna) = (journal.documents(), account("anna"));
    let id = create(&documents, "Week 48", 1).await.id;
    let saved = documents.save(&anna, id, version(1), &content("two"), Timestamp(2)).await.unwrap();
    assert_eq!((saved.version, saved.changed_at), (version(2), Timestamp(2)));
    let renamed = documents.rename(&anna, id, "Week 49".parse().unwrap(), Timestamp(3)).await.unwrap();
    assert_eq!((renamed.version, renamed.changed_at), (version(2), Timestamp(3)));
    journal.close().await;

    let documents = place.open().await.documents();
    let now = documents.read(&anna, id, None).await.unwrap().unwrap();
    assert_eq!((now.summary, now.version, now.content), (renamed, version(2), content("two")));
    let first = documents.read(&anna, id, Some(version(1))).await.unwrap().unwrap();
    assert_eq!((first.version, first.content), (version(1), content("Week 48")));
    assert!(documents.read(&anna, id, Some(version(3))).await.unwrap().is_none());
    let history = documents.history(&anna, id, None, 1).await.unwrap().unwrap();
    assert_eq!((history.versions[0].version, history.more), (version(2), true));
    let older = documents.history(&anna, id, Some(version(2)), 10).await.unwrap().unwrap();
    assert_eq!((older.versions[0].saved_at, older.versions.len(), older.more), (Timestamp(1), 1, false));
}

#[tokio::test]
async fn who_saves_after_an_older_version_gets_a_conflict_and_a_repeat_gets_none() {
    let place = Place::new();
    let journal = place.open().await;
    let (documents, anna) = (journal.documents(), account("anna"));
    let id = create(&documents, "a", 1).await.id;
    documents.save(&anna, id, version(1), &content("b"), Timestamp(2)).await.unwrap();
    for wrong in [1, 3] {
        let refused = documents.save(&anna, id, version(wrong), &content("c"), Timestamp(3)).await;
        assert!(
            matches!(refused, Err(DocumentError::Conflict { newest, .. }) if newest == version(2)),
            "{refused:?}"
        );
    }
    // The answer to the first was lost.
    let again = documents.save(&anna, id, version(1), &content("b"), Timestamp(9)).await.unwrap();
    assert_eq!((again.version, again.changed_at), (version(2), Timestamp(2)));
}

#[tokio::test]
async fn of_many_that_save_at_once_one_wins() {
    let place = Place::new();
    let journal = place.open().await;
    let (documents, anna) = (journal.documents(), account("anna"));
    let id = create(&documents, "a", 1).await.id;
    let mut saves = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (documents, anna) = (documents.clone(), anna.clone());
        let words = content(&number.to_string());
        saves.spawn(async move { documents.save(&anna, id, version(1), &words, Timestamp(2)).await });
    }
    let outcomes = saves.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let conflicts = |outcome: &&Result<_, _>| matches!(outcome, Err(DocumentError::Conflict { .. }));
    assert_eq!(outcomes.iter().filter(conflicts).count(), 19);
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let place = Place::new();
    let journal = place.open().await;
    let (documents, bert) = (journal.documents(), account("bert"));
    let before = create(&documents, "hers", 1).await;
    let id = before.id;
    assert!(documents.read(&bert, id, None).await.unwrap().is_none());
    assert!(documents.history(&bert, id, None, 10).await.unwrap().is_none());
    assert_eq!(documents.list(&bert, &DocumentFilter::default()).await.unwrap().documents, []);
    for refused in [
        documents.save(&bert, id, version(1), &content("his"), Timestamp(2)).await,
        documents.rename(&bert, id, "his".parse().unwrap(), Timestamp(2)).await,
        documents.delete(&bert, id).await,
    ] {
        assert!(matches!(refused, Err(DocumentError::NoSuchDocument(_))), "{refused:?}");
    }
    let now = documents.read(&account("anna"), id, None).await.unwrap().unwrap();
    assert_eq!((now.summary, now.content), (before, content("hers")));
}

#[tokio::test]
async fn a_deleted_document_is_gone_with_its_versions_and_gives_its_share_back() {
    let place = Place::new();
    let limits = DocumentLimits { documents: 2, bytes: 2 << 20 };
    let options = Options { documents: limits, ..Options::default() };
    let journal = Journal::open_with(&place.file(), &options).await.unwrap();
    let (documents, anna) = (journal.documents(), account("anna"));
    let first = create(&documents, "one", 1).await;
    create(&documents, "two", 2).await;
    let refused = create_of(&documents, "team", "three", 3).await;
    assert!(matches!(refused, Err(DocumentError::TooMany { most: 2 })), "{refused:?}");

    // "words" with its quotes, colon and braces takes 12 bytes.
    let large = |letter: &str| content(&letter.repeat(LARGEST_CONTENT - 12));
    let mut newest = version(1);
    let refused = loop {
        match documents.save(&anna, first.id, newest, &large(&newest.to_string()), Timestamp(4)).await {
            Ok(saved) => newest = saved.version,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, DocumentError::NoRoom { .. }), "{refused:?}");
    assert_eq!(newest, version(4), "three of half a MiB have room, beside what else is kept");

    assert_eq!(documents.delete(&anna, first.id).await.unwrap().version, newest);
    assert!(documents.read(&anna, first.id, Some(version(1))).await.unwrap().is_none());
    create(&documents, "three", 5).await;
    journal.close().await;
    let options = SqliteConnectOptions::new().filename(place.file());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let query = sqlx::query_scalar("select count(*) from document_version");
    let versions: i64 = query.fetch_one(&mut connection).await.unwrap();
    assert_eq!(versions, 2);
}

#[tokio::test]
async fn lists_come_page_by_page_by_the_last_change_and_by_kind_and_words() {
    let place = Place::new();
    let journal = place.open().await;
    let (documents, anna) = (journal.documents(), account("anna"));
    // Two of the same moment.
    let oldest = create(&documents, "Storage OUTLOOK", 1).await;
    for title in ["Week 47", "Week 48"] {
        create(&documents, title, 2).await;
    }
    create_of(&documents, "agent", "Ökonom", 3).await.unwrap();
    let all = DocumentFilter::default();
    assert_eq!(titles(&documents, &all).await, ["Ökonom", "Week 48", "Week 47", "Storage OUTLOOK"]);
    documents.rename(&anna, oldest.id, "Storage outlook 2030".parse().unwrap(), Timestamp(4)).await.unwrap();

    let mut filter = DocumentFilter { limit: Some(1), ..DocumentFilter::default() };
    let mut pages = Vec::new();
    loop {
        let page = documents.list(&anna, &filter).await.unwrap();
        pages.extend(page.documents.iter().map(|document| document.title.to_string()));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, ["Storage outlook 2030", "Ökonom", "Week 48", "Week 47"]);
    let of = |kind: &str, search: &str| DocumentFilter {
        kind: kind.parse().ok(),
        search: search.to_owned(),
        ..DocumentFilter::default()
    };
    assert_eq!(titles(&documents, &of("agent", "")).await, ["Ökonom"]);
    assert_eq!(titles(&documents, &of("team", "week 47")).await, ["Week 47"]);
    assert_eq!(titles(&documents, &of("", "öKO")).await, ["Ökonom"]);
    assert_eq!(titles(&documents, &of("", "outlook storage")).await, ["Storage outlook 2030"]);
    assert_eq!(titles(&documents, &of("", "%")).await, [""; 0]);
}

#[tokio::test]
async fn a_check_finds_a_version_that_is_missing() {
    let place = Place::new();
    let journal = place.open().await;
    let (documents, anna) = (journal.documents(), account("anna"));
    let id = create(&documents, "a", 1).await.id;
    documents.save(&anna, id, version(1), &content("b"), Timestamp(2)).await.unwrap();
    journal.close().await;
    assert_eq!(journal::check(&place.file()).await.unwrap().faults, [""; 0]);
    let options = SqliteConnectOptions::new().filename(place.file());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("delete from document_version where version = 1").execute(&mut connection).await.unwrap();
    let faults = journal::check(&place.file()).await.unwrap().faults;
    assert_eq!(faults, [format!("A version of the document {id} is missing or cannot be read.")]);
}
