//! The handle of the accounts: who there is, what each may use, and who comes in by a password.

mod changes;
mod credential;
mod sessions;
mod shares;
mod tokens;

use std::{
    collections::HashMap,
    net::IpAddr,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use protocol::{AccountId, AccountSummary, Allowance, Role};
use sqlx::SqlitePool;

pub use credential::{Credential, CredentialKind};
pub use sessions::NewSession;

use crate::{
    AccountsError, Attempts, Lease, RandomToken, SignInError, TooMany, clock::now, lease::Leases, password,
    signature::Signer, store,
};

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
        tokio::spawn(changes::watch(Arc::downgrade(&shared)));
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

fn found(found: bool, id: &AccountId) -> Result<(), AccountsError> {
    if found { Ok(()) } else { Err(AccountsError::NoSuchAccount(id.clone())) }
}
