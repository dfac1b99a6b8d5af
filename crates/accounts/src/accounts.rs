use std::{
    collections::HashMap,
    net::IpAddr,
    path::Path,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use protocol::{
    AccountId, AccountSummary, Allowance, Audience, CredentialId, NewShare, NewToken, Role, RunId,
    SessionSummary, ShareSummary, Timestamp, TokenSummary,
};
use sqlx::SqlitePool;

use crate::{
    AccountsError, Attempts, Lease, RandomToken, SignInError, TooMany,
    clock::{after, now},
    lease::Leases,
    password,
    signature::Signer,
    store::{self, NewRow, Row},
    token::digest,
};

const SESSION: &str = "session";
const TOKEN: &str = "token";
const SHARE: &str = "share";

/// Sessions and tokens that one account has at most; the oldest go first.
const MOST_CREDENTIALS: u32 = 100;
/// How soon connections learn of what another process has revoked.
const LOOK_FOR_CHANGES: Duration = Duration::from_secs(1);
/// Characters of a label that are kept.
const LONGEST_LABEL: usize = 80;

/// The accounts and their credentials. Clones share one file.
#[derive(Clone)]
pub struct Accounts(Arc<Shared>);

struct Shared {
    pool: SqlitePool,
    signer: Signer,
    attempts: Attempts,
    leases: Leases,
    /// A copy of each account's allowance, for callers that cannot await the file.
    allowances: RwLock<HashMap<AccountId, Allowance>>,
    /// A hash that is checked where a name does not exist, so that both cases take the same time.
    nobody: String,
}

/// A credential that was presented and is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The id by which it is revoked.
    pub id: CredentialId,
    /// The account that it belongs to; for a share, the account that shares.
    pub account: AccountId,
    /// What the account may do; `None` where there is no such account.
    pub role: Option<Role>,
    /// What it is.
    pub kind: CredentialKind,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
}

/// Kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A browser's session.
    Session,
    /// An API client's token.
    Token,
    /// A link to this run, to read it.
    Share(RunId),
}

/// A new browser session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The token for the browser's cookie.
    pub token: RandomToken,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Accounts {
    /// Opens the file of the accounts, or makes it, readable for its owner alone.
    ///
    /// # Errors
    /// The file is another program's, a newer Pitwall's, or damaged; then it is left as it was. Or it
    /// cannot be opened.
    pub async fn open(path: &Path) -> Result<Self, AccountsError> {
        let pool = store::open(path).await?;
        store::delete_expired(&pool, now()).await?;
        let signer = Signer::new(&store::signing_key(&pool).await?);
        let nobody = password::hash(RandomToken::new().reveal()).await?;
        let shared = Arc::new(Shared {
            pool,
            signer,
            attempts: Attempts::default(),
            leases: Leases::default(),
            allowances: RwLock::default(),
            nobody,
        });
        shared.read_allowances().await?;
        tokio::spawn(look_for_changes(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// Whether there is any account.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn any(&self) -> Result<bool, AccountsError> {
        store::any_account(&self.0.pool).await
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn list(&self) -> Result<Vec<AccountSummary>, AccountsError> {
        store::accounts(&self.0.pool).await
    }

    /// One account; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn get(&self, id: &AccountId) -> Result<Option<AccountSummary>, AccountsError> {
        store::account(&self.0.pool, id).await
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`AccountsError::Exists`], [`AccountsError::UnfitName`], [`AccountsError::UnfitPassword`].
    pub async fn add(&self, id: &AccountId, role: Role, password: &str) -> Result<(), AccountsError> {
        let name = id.as_str();
        // The ids of what an account owns begin with its name and "--".
        if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
            return Err(AccountsError::UnfitName);
        }
        let hash = password::hash(password).await?;
        let added = store::add_account(&self.0.pool, id, role, &hash, now()).await?;
        if added { Ok(()) } else { Err(AccountsError::Exists(id.clone())) }
    }

    /// Removes an account with all its credentials, and ends their connections. Its runs stay in the log.
    ///
    /// # Errors
    /// [`AccountsError::NoSuchAccount`].
    pub async fn remove(&self, id: &AccountId) -> Result<(), AccountsError> {
        found(store::remove_account(&self.0.pool, id).await?, id)?;
        self.end_leases().await
    }

    /// Sets an account's password. All its sessions and tokens end.
    ///
    /// # Errors
    /// [`AccountsError::NoSuchAccount`], [`AccountsError::UnfitPassword`].
    pub async fn set_password(&self, id: &AccountId, new: &str) -> Result<(), AccountsError> {
        let hash = password::hash(new).await?;
        found(store::set_password(&self.0.pool, id, &hash).await?, id)?;
        self.end_leases().await
    }

    /// Sets what an account may use.
    ///
    /// # Errors
    /// [`AccountsError::NoSuchAccount`].
    pub async fn set_allowance(&self, id: &AccountId, allowance: &Allowance) -> Result<(), AccountsError> {
        let json = serde_json::to_string(allowance)
            .map_err(|error| sqlx::Error::Encode(error.into()))
            .map_err(AccountsError::from)?;
        found(store::set_allowance(&self.0.pool, id, &json).await?, id)?;
        self.0.read_allowances().await
    }

    /// What an account may use; nothing is limited where nothing was set.
    pub fn allowance(&self, id: &AccountId) -> Allowance {
        self.0.allowances.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned().unwrap_or_default()
    }

    /// Checks a name and a password, within the limits of [`Attempts`].
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn check_password(
        &self,
        name: &str,
        password: &str,
        peer: IpAddr,
    ) -> Result<AccountId, SignInError> {
        self.0.attempts.begin(name, peer).map_err(|TooMany(wait)| SignInError::TooMany(wait))?;
        let id = name.parse::<AccountId>().ok();
        let known = match &id {
            Some(id) => store::password(&self.0.pool, id).await?,
            None => None,
        };
        let matches = password::matches(password, known.as_ref().unwrap_or(&self.0.nobody)).await?;
        match id {
            Some(id) if matches && known.is_some() => {
                self.0.attempts.succeeded(name, peer);
                Ok(id)
            }
            _ => Err(SignInError::Refused),
        }
    }

    /// Counts an attempt to sign in with the token of a server without accounts.
    ///
    /// # Errors
    /// [`SignInError::Refused`] where it failed, [`SignInError::TooMany`].
    pub fn check_attempt(&self, peer: IpAddr, is_right: bool) -> Result<(), SignInError> {
        // The empty name belongs to no account, so only the peer's own counter matters.
        let name = peer.to_string();
        self.0.attempts.begin(&name, peer).map_err(|TooMany(wait)| SignInError::TooMany(wait))?;
        if is_right {
            self.0.attempts.succeeded(&name, peer);
            Ok(())
        } else {
            Err(SignInError::Refused)
        }
    }

    /// Begins a browser's session.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn begin_session(
        &self,
        account: &AccountId,
        life: Duration,
    ) -> Result<NewSession, AccountsError> {
        let (token, created_at) = (RandomToken::new(), now());
        let expires_at = after(created_at, life);
        let row = NewRow {
            kind: SESSION,
            account,
            digest: Some(digest(token.reveal())),
            label: "",
            run: None,
            created_at,
            expires_at: Some(expires_at),
        };
        store::delete_expired(&self.0.pool, created_at).await?;
        store::add(&self.0.pool, row).await?;
        store::keep_newest(&self.0.pool, SESSION, account, MOST_CREDENTIALS).await?;
        Ok(NewSession { token, expires_at })
    }

    /// The session of a browser's cookie.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<Credential>, AccountsError> {
        credential(store::by_digest(&self.0.pool, SESSION, &digest(token), now()).await?)
    }

    /// An account's sessions, newest first; `this` marks the one that asks.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn sessions(
        &self,
        account: &AccountId,
        this: Option<CredentialId>,
    ) -> Result<Vec<SessionSummary>, AccountsError> {
        let rows = store::of_account(&self.0.pool, SESSION, account, now()).await?;
        let summary = |row: Row| SessionSummary {
            id: CredentialId(row.id),
            is_this: this == Some(CredentialId(row.id)),
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at.unwrap_or(i64::MAX)),
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Ends an account's session and its connections. `false` if it has no such session.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn end_session(&self, account: &AccountId, id: CredentialId) -> Result<bool, AccountsError> {
        let ended = store::revoke(&self.0.pool, SESSION, account, id).await?;
        self.end_leases().await?;
        Ok(ended)
    }

    /// Makes a token for an API client.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn make_token(
        &self,
        account: &AccountId,
        label: &str,
        life: Duration,
    ) -> Result<NewToken, AccountsError> {
        let label: String = label.trim().chars().take(LONGEST_LABEL).collect();
        let created_at = now();
        let expires_at = after(created_at, life);
        let row = NewRow {
            kind: TOKEN,
            account,
            digest: None,
            label: &label,
            run: None,
            created_at,
            expires_at: Some(expires_at),
        };
        let id = store::add(&self.0.pool, row).await?;
        store::keep_newest(&self.0.pool, TOKEN, account, MOST_CREDENTIALS).await?;
        let token = self.0.signer.sign(id, account, created_at, expires_at)?;
        Ok(NewToken { token, summary: TokenSummary { id, label, created_at, expires_at } })
    }

    /// The credential of an API client's token, if it is signed by this server, not expired and not revoked.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn token(&self, token: &str) -> Result<Option<Credential>, AccountsError> {
        let Some((id, account)) = self.0.signer.check(token) else { return Ok(None) };
        let row = store::by_id(&self.0.pool, TOKEN, id, now()).await?;
        credential(row.filter(|row| row.account == account.as_str()))
    }

    /// An account's tokens, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn tokens(&self, account: &AccountId) -> Result<Vec<TokenSummary>, AccountsError> {
        let rows = store::of_account(&self.0.pool, TOKEN, account, now()).await?;
        let summary = |row: Row| TokenSummary {
            id: CredentialId(row.id),
            label: row.label,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at.unwrap_or(i64::MAX)),
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Revokes an account's token and ends its connections. `false` if it has no such token.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn revoke_token(&self, account: &AccountId, id: CredentialId) -> Result<bool, AccountsError> {
        let revoked = store::revoke(&self.0.pool, TOKEN, account, id).await?;
        self.end_leases().await?;
        Ok(revoked)
    }

    /// Shares a run for reading.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn share(
        &self,
        account: &AccountId,
        run: RunId,
        audience: Audience,
        life: Option<Duration>,
    ) -> Result<NewShare, AccountsError> {
        let token = match audience {
            Audience::Link => Some(RandomToken::new()),
            Audience::Viewers => None,
        };
        let created_at = now();
        let expires_at = life.map(|life| after(created_at, life));
        let row = NewRow {
            kind: SHARE,
            account,
            digest: token.as_ref().map(|token| digest(token.reveal())),
            label: "",
            run: Some(run),
            created_at,
            expires_at,
        };
        let id = store::add(&self.0.pool, row).await?;
        let path = token.map(|token| format!("/s/{}", token.reveal()));
        Ok(NewShare { path, summary: ShareSummary { id, run, audience, created_at, expires_at } })
    }

    /// The share of a link's token.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn shared(&self, token: &str) -> Result<Option<Credential>, AccountsError> {
        credential(store::by_digest(&self.0.pool, SHARE, &digest(token), now()).await?)
    }

    /// The runs that are shared with this server's viewers.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn shared_with_viewers(&self) -> Result<Vec<(RunId, Credential)>, AccountsError> {
        let mut shared = Vec::new();
        for row in store::for_viewers(&self.0.pool, now()).await? {
            if let Some(credential) = credential(Some(row))?
                && let CredentialKind::Share(run) = credential.kind
            {
                shared.push((run, credential));
            }
        }
        Ok(shared)
    }

    /// What an account shares, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn shares(&self, account: &AccountId) -> Result<Vec<ShareSummary>, AccountsError> {
        let rows = store::of_account(&self.0.pool, SHARE, account, now()).await?;
        let summary = |row: Row| {
            Some(ShareSummary {
                id: CredentialId(row.id),
                run: RunId(row.run?),
                audience: if row.has_secret { Audience::Link } else { Audience::Viewers },
                created_at: Timestamp(row.created_at),
                expires_at: row.expires_at.map(Timestamp),
            })
        };
        Ok(rows.into_iter().filter_map(summary).collect())
    }

    /// Revokes what an account shares. `false` if it shares no such thing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn revoke_share(&self, account: &AccountId, id: CredentialId) -> Result<bool, AccountsError> {
        let revoked = store::revoke(&self.0.pool, SHARE, account, id).await?;
        self.end_leases().await?;
        Ok(revoked)
    }

    /// Revokes all shares of a deleted run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn end_shares_of(&self, run: RunId) -> Result<(), AccountsError> {
        store::revoke_shares_of(&self.0.pool, run).await?;
        self.end_leases().await
    }

    /// A lease for a connection that this credential opened.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn lease(&self, credential: &Credential) -> Result<Lease, AccountsError> {
        // Taken before the check, so that a revocation in between ends it.
        let lease = self.0.leases.take(credential.id, credential.expires_at);
        let is_valid = store::is_valid(&self.0.pool, credential.id, now()).await?;
        Ok(if is_valid { lease } else { Lease::over() })
    }

    async fn end_leases(&self) -> Result<(), AccountsError> {
        self.0.end_leases().await
    }
}

impl Shared {
    async fn read_allowances(&self) -> Result<(), AccountsError> {
        let accounts = store::accounts(&self.pool).await?;
        let allowances = accounts.into_iter().map(|account| (account.id, account.allowance)).collect();
        *self.allowances.write().unwrap_or_else(PoisonError::into_inner) = allowances;
        Ok(())
    }

    async fn end_leases(&self) -> Result<(), AccountsError> {
        let valid = store::valid(&self.pool, now()).await?;
        self.leases.keep(|id| valid.contains(id));
        Ok(())
    }
}

/// Accounts are also managed from the command line, so changes by another process are noticed here.
async fn look_for_changes(shared: Weak<Shared>) {
    let mut connection = None;
    let mut seen: Option<i64> = None;
    loop {
        tokio::time::sleep(LOOK_FOR_CHANGES).await;
        let Some(shared) = shared.upgrade() else { return };
        if connection.is_none() {
            connection = shared.pool.acquire().await.ok();
        }
        let Some(reader) = &mut connection else { continue };
        // The number changes with each commit of another connection.
        match sqlx::query_scalar("pragma data_version").fetch_one(&mut **reader).await {
            Ok(version) if seen == Some(version) => {}
            Ok(version) => match shared.end_leases().await.and(shared.read_allowances().await) {
                Ok(()) => seen = Some(version),
                Err(error) => tracing::warn!(%error, "what was changed cannot be read"),
            },
            Err(error) => {
                tracing::warn!(%error, "the accounts cannot be watched");
                connection = None;
            }
        }
    }
}

fn found(found: bool, id: &AccountId) -> Result<(), AccountsError> {
    if found { Ok(()) } else { Err(AccountsError::NoSuchAccount(id.clone())) }
}

fn credential(row: Option<Row>) -> Result<Option<Credential>, AccountsError> {
    let Some(row) = row else { return Ok(None) };
    let decode = |error: String| AccountsError::from(sqlx::Error::Decode(error.into()));
    let kind = match (row.kind.as_str(), row.run) {
        (SESSION, _) => CredentialKind::Session,
        (TOKEN, _) => CredentialKind::Token,
        (SHARE, Some(run)) => CredentialKind::Share(RunId(run)),
        (other, _) => return Err(decode(format!("{other} is no kind of credential"))),
    };
    Ok(Some(Credential {
        id: CredentialId(row.id),
        account: row.account.parse().map_err(|error: protocol::InvalidId| decode(error.to_string()))?,
        role: row.role.map(|role| role.parse().map_err(decode)).transpose()?,
        kind,
        expires_at: row.expires_at.map(Timestamp),
    }))
}
