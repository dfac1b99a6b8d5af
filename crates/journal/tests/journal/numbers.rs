use journal::Numbered;
use protocol::{
    AccountId, RunStatus, Timestamp,
    document::{DocumentContent, DocumentId},
};
use uuid::Uuid;

use crate::sample::{Place, finished, new_run, started};

fn anna() -> AccountId {
    "anna".parse().unwrap()
}

#[tokio::test]
async fn a_number_stays_the_same_over_restarts_and_is_given_once() {
    let place = Place::new();
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let journal = place.open().await;
    let given = journal.numbers().of(&anna(), vec![one, other]).await.unwrap();
    assert_ne!(given[0], given[1]);
    assert_eq!(
        journal.numbers().of(&anna(), vec![other, one, other]).await.unwrap(),
        [given[1], given[0], given[1]]
    );
    journal.close().await;

    let journal = place.open().await;
    let third = Uuid::now_v7();
    let again = journal.numbers().of(&anna(), vec![third, one]).await.unwrap();
    assert_eq!(again[1], given[0]);
    assert!(!given.contains(&again[0]), "{again:?} {given:?}");
    let found = journal.numbers().find(given[1]).await.unwrap();
    assert_eq!(found, Some(Numbered { owner: anna(), subject: other, within: None }));
    for unknown in [0, 1 << 40, u64::MAX] {
        assert_eq!(journal.numbers().find(unknown).await.unwrap(), None);
    }
    journal.close().await;
}

#[tokio::test]
async fn what_is_to_be_a_run_says_where_it_belongs_until_it_begins_and_its_number_goes_with_it() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, session) = (new_run(), Uuid::now_v7());
    let number = journal.numbers().reserve(&anna(), run.0, session).await.unwrap();
    let found = journal.numbers().find(number).await.unwrap().unwrap();
    assert_eq!((found.subject, found.within), (run.0, Some(session)));
    let reserved = async |owner: &AccountId, within| journal.numbers().reserved(owner, within).await.unwrap();
    assert_eq!(reserved(&anna(), session).await, [(number, run.0)]);
    assert_eq!(reserved(&anna(), Uuid::now_v7()).await, []);
    assert_eq!(reserved(&AccountId::local(), session).await, [], "nobody else's");

    let epoch = journal.claim(run).await.unwrap();
    journal.append(run, epoch, vec![started()]).await.unwrap();
    let found = journal.numbers().find(number).await.unwrap().unwrap();
    assert_eq!((found.subject, found.within), (run.0, None));
    assert_eq!(reserved(&anna(), session).await, [], "it has begun");

    journal.append(run, epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
    journal.remove(vec![run]).await.unwrap();
    assert_eq!(journal.numbers().find(number).await.unwrap(), None);
    let next = journal.numbers().of(&anna(), vec![Uuid::now_v7()]).await.unwrap();
    assert!(next[0] > number, "the number of what is deleted stands for nothing else");
    journal.close().await;
}

#[tokio::test]
async fn the_number_of_a_document_goes_with_it() {
    let place = Place::new();
    let journal = place.open().await;
    let id = DocumentId(Uuid::now_v7());
    let content = DocumentContent::default();
    let (owner, documents) = (anna(), journal.documents());
    let (kind, title) = ("team".parse().unwrap(), "Hers".parse().unwrap());
    documents.create(&owner, id, kind, title, &content, Timestamp(0)).await.unwrap();
    let number = journal.numbers().of(&anna(), vec![id.0]).await.unwrap()[0];
    journal.documents().delete(&anna(), id).await.unwrap();
    assert_eq!(journal.numbers().find(number).await.unwrap(), None);
    journal.close().await;
}

#[tokio::test]
async fn runs_that_never_begin_do_not_grow_without_end() {
    let place = Place::new();
    let journal = place.open().await;
    let session = Uuid::now_v7();
    let mut numbers = Vec::new();
    for _ in 0..1003 {
        numbers.push(journal.numbers().reserve(&anna(), Uuid::now_v7(), session).await.unwrap());
    }
    let is_known = async |number| journal.numbers().find(number).await.unwrap().is_some();
    assert!(!is_known(numbers[2]).await);
    assert!(is_known(numbers[3]).await && is_known(numbers[1002]).await);
    journal.close().await;
}
