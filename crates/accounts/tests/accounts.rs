//! Accounts through their public interface.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{net::IpAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use accounts::{Accounts, AccountsError, Attempts, CredentialKind, SignInError};
use database::FileError;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use protocol::{AccountId, Audience, Role, RunId};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";
const HOUR: Duration = Duration::from_secs(3600);

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("accounts.db")
    }

    /// The accounts, with one named anna.
    async fn with_anna(&self) -> (Accounts, AccountId) {
        let accounts = Accounts::open(&self.file()).await.unwrap();
        let anna: AccountId = "anna".parse().unwrap();
        accounts.add(&anna, Role::Owner, PASSWORD).await.unwrap();
        (accounts, anna)
    }

    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.unwrap()
    }
}

fn here() -> IpAddr {
    [127, 0, 0, 1].into()
}

#[tokio::test]
async fn a_name_and_its_password_let_in_and_nothing_else_does() {
    let home = Home::new();
    let (accounts, anna) = home.with_anna().await;
    assert_eq!(accounts.check_password("anna", PASSWORD, here()).await.unwrap(), anna);
    for (name, password) in
        [("anna", "wrong"), ("anna", ""), ("bert", PASSWORD), ("", PASSWORD), ("../anna", PASSWORD)]
    {
        let refused = accounts.check_password(name, password, here()).await;
        assert!(matches!(refused, Err(SignInError::Refused)), "{name} {password}");
    }
}

#[tokio::test]
async fn unfit_names_and_passwords_are_refused_with_a_sentence() {
    let home = Home::new();
    let (accounts, anna) = home.with_anna().await;
    let again = accounts.add(&anna, Role::Owner, PASSWORD).await;
    assert!(matches!(again, Err(AccountsError::Exists(_))));
    for name in ["a--b", "-a", "a-"] {
        let unfit = accounts.add(&name.parse().unwrap(), Role::Owner, PASSWORD).await;
        assert!(matches!(unfit, Err(AccountsError::UnfitName)), "{name}");
    }
    for password in ["short", &"x".repeat(257)] {
        let unfit = accounts.add(&"bert".parse().unwrap(), Role::Owner, password).await;
        assert!(matches!(unfit, Err(AccountsError::UnfitPassword)));
    }
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone_and_holds_only_hashes() {
    let home = Home::new();
    let (accounts, anna) = home.with_anna().await;
    let session = accounts.begin_session(&anna, HOUR).await.unwrap();
    let token = accounts.make_token(&anna, "nightly", HOUR).await.unwrap().token;
    let share = accounts.share(&anna, RunId(uuid::Uuid::now_v7()), Audience::Link, None).await.unwrap();
    let mut stored = Vec::new();
    for entry in std::fs::read_dir(home.0.path()).unwrap() {
        let path = entry.unwrap().path();
        stored.extend(std::fs::read(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    let stored = String::from_utf8_lossy(&stored);
    assert!(stored.contains("$argon2id$"));
    let link = share.path.unwrap();
    for secret in [PASSWORD, session.token.reveal(), &token, link.trim_start_matches("/s/")] {
        assert!(!stored.contains(secret));
    }
}

#[tokio::test]
async fn a_token_counts_with_its_algorithm_issuer_audience_subject_and_time_alone() {
    let home = Home::new();
    let (accounts, anna) = home.with_anna().await;
    let made = accounts.make_token(&anna, "", HOUR).await.unwrap();
    let key: Vec<u8> =
        sqlx::query_scalar("select key from signing_key").fetch_one(&mut home.connect().await).await.unwrap();
    let now = made.summary.created_at.0 / 1000;
    let id = made.summary.id.to_string();
    let claims = json!({ "iss": "pitwall", "aud": "pitwall:api", "sub": "anna", "jti": id, "iat": now, "exp": now + 60 });
    let signed = |algorithm: Algorithm, claims: &Value| {
        encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(&key)).unwrap()
    };
    let credential = accounts.token(&signed(Algorithm::HS256, &claims)).await.unwrap().expect("a good one");
    assert_eq!((credential.account, credential.kind), (anna, CredentialKind::Token));
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(accounts.token(&signed(algorithm, &claims)).await.unwrap(), None, "{algorithm:?}");
    }
    let changes = [
        ("iss", json!("another")),
        ("aud", json!("another")),
        ("sub", json!("bert")),
        ("exp", json!(now - 1)),
        ("jti", json!(uuid::Uuid::now_v7().to_string())),
    ];
    for (claim, value) in changes {
        let mut changed = claims.clone();
        changed[claim] = value;
        assert_eq!(
            accounts.token(&signed(Algorithm::HS256, &changed)).await.unwrap(),
            None,
            "another {claim}"
        );
        changed.as_object_mut().unwrap().remove(claim);
        assert_eq!(accounts.token(&signed(Algorithm::HS256, &changed)).await.unwrap(), None, "no {claim}");
    }
}

#[tokio::test]
async fn a_lease_ends_when_its_credential_is_revoked_and_not_with_others() {
    let home = Home::new();
    let (accounts, anna) = home.with_anna().await;
    let mut leases = Vec::new();
    for _ in 0..2 {
        let session = accounts.begin_session(&anna, HOUR).await.unwrap();
        let credential = accounts.session(session.token.reveal()).await.unwrap().unwrap();
        leases.push((accounts.lease(&credential).await.unwrap(), credential));
    }
    let (ended, kept) = (&leases[0], &leases[1]);
    assert!(accounts.end_session(&anna, ended.1.id).await.unwrap());
    ended.0.ended().await;
    let late = accounts.lease(&ended.1).await.unwrap();
    late.ended().await;
    let still = tokio::time::timeout(Duration::from_millis(50), kept.0.ended()).await;
    assert!(still.is_err(), "the other session goes on");
}

#[tokio::test]
async fn another_process_is_heard_of() {
    let home = Home::new();
    let (here, anna) = home.with_anna().await;
    let there = Accounts::open(&home.file()).await.unwrap();
    let session = here.begin_session(&anna, HOUR).await.unwrap();
    let credential = here.session(session.token.reveal()).await.unwrap().unwrap();
    let lease = here.lease(&credential).await.unwrap();
    there.remove(&anna).await.unwrap();
    lease.ended().await;
    assert_eq!(here.session(session.token.reveal()).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_as_it_was() {
    let home = Home::new();
    let refused = async |content: &[u8]| {
        std::fs::write(home.file(), content).unwrap();
        let why = Accounts::open(&home.file()).await.err().unwrap();
        assert_eq!(std::fs::read(home.file()).unwrap(), content);
        why
    };
    assert!(matches!(refused(b"no database at all").await, AccountsError::File(FileError::Damaged { .. })));
    let other = TempDir::new().unwrap();
    let path = other.path().join("other.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    sqlx::query("create table theirs (id integer)")
        .execute(&mut options.connect().await.unwrap())
        .await
        .unwrap();
    assert!(matches!(
        refused(&std::fs::read(&path).unwrap()).await,
        AccountsError::File(FileError::Foreign(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn five_attempts_are_free_and_further_ones_are_earned() {
    let attempts = Attempts::default();
    for _ in 0..5 {
        attempts.begin("anna", here()).unwrap();
    }
    let wait = attempts.begin("anna", here()).unwrap_err().0;
    assert_eq!(wait, Duration::from_secs(60));
    tokio::time::advance(wait).await;
    attempts.begin("anna", here()).unwrap();
    attempts.begin("anna", here()).unwrap_err();
    // One who signs in has not failed.
    for _ in 0..50 {
        attempts.begin("bert", [10, 0, 0, 1].into()).unwrap();
        attempts.succeeded("bert", [10, 0, 0, 1].into());
    }
    // Many names from one place are bounded, too.
    let refused =
        (0..30).filter(|name| attempts.begin(&format!("name{name}"), [10, 0, 0, 2].into()).is_err()).count();
    assert!(refused >= 10, "{refused}");
}
