//! Signing in and out, tokens, shares, accounts: an account's own access.

use std::time::Duration;

use accounts::SignInError;
use async_trait::async_trait;
use axum::http::HeaderValue;
use backend::AccountBackend;
use protocol::{
    AccessMode, AccountId, AccountSummary, Audience, CredentialId, Identity, NewShare, NewToken, Problem,
    Role, RunId, SessionSummary, ShareSummary, TokenSummary,
};

use crate::{
    problem::{from_accounts, from_sign_in},
    scope::Scoped,
};

/// Lifetime of a token without one of its own.
const TOKEN_LIFE: Duration = Duration::from_secs(60 * 60);
/// The longest lifetime of a token.
const LONGEST_TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A cookie as text, for the pages.
fn text(cookie: HeaderValue) -> String {
    cookie.to_str().unwrap_or_default().to_owned()
}

fn token_life(seconds: Option<u64>) -> Duration {
    let life = seconds.map_or(TOKEN_LIFE, Duration::from_secs);
    life.clamp(Duration::from_secs(1), LONGEST_TOKEN_LIFE)
}

impl Scoped {
    /// The account, or `local` on a server without accounts.
    fn account(&self) -> Result<&AccountId, Problem> {
        let nobody = || Problem { status: 401, detail: "Sign in first.".to_owned() };
        self.caller().name().ok_or_else(nobody)
    }

    /// The account, on a server with accounts.
    fn member(&self) -> Result<&AccountId, Problem> {
        self.needs_accounts()?;
        self.account()
    }

    fn needs_accounts(&self) -> Result<(), Problem> {
        match self.access().mode() {
            AccessMode::Accounts => Ok(()),
            AccessMode::Token | AccessMode::Open => Err(Problem::conflict(
                "This server has no accounts. `pitwall account add NAME` makes one; then start it again.",
            )),
        }
    }

    /// Begins a session and returns its cookie. Without accounts, the password is the server's token.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<HeaderValue, SignInError> {
        let access = self.access();
        let account = match access.mode() {
            AccessMode::Accounts => access.accounts().check_password(name, password, self.peer()).await?,
            AccessMode::Token | AccessMode::Open => {
                access.accounts().check_attempt(self.peer(), access.is_token(password.trim()))?;
                AccountId::local()
            }
        };
        Ok(access.begin_session(&account).await?)
    }

    /// A token for a name and a password, for clients other than browsers.
    ///
    /// # Errors
    /// The name and the password do not match, or there were too many attempts; or the server has no
    /// accounts.
    pub async fn token_for(
        &self,
        name: &str,
        password: &str,
        label: &str,
        seconds: Option<u64>,
    ) -> Result<NewToken, Problem> {
        self.needs_accounts()?;
        let accounts = self.access().accounts();
        let account = accounts.check_password(name, password, self.peer()).await.map_err(from_sign_in)?;
        accounts.make_token(&account, label, token_life(seconds)).await.map_err(from_accounts)
    }

    fn administrator(&self) -> Result<(), Problem> {
        self.member()?;
        match self.caller().role() {
            Some(Role::Administrator) => Ok(()),
            _ => Err(Problem { status: 403, detail: "Only an administrator manages accounts.".to_owned() }),
        }
    }
}

#[async_trait]
impl AccountBackend for Scoped {
    async fn identity(&self) -> Identity {
        Identity {
            mode: self.access().mode(),
            account: self.caller().name().cloned(),
            role: self.caller().role(),
            by_link: self.caller().shared().next().is_some(),
        }
    }

    async fn sign_out(&self) -> Result<String, Problem> {
        let access = self.access();
        if let Some(credential) = self.caller().credential() {
            access.accounts().end_session(&credential.account, credential.id).await.map_err(from_accounts)?;
        }
        Ok(text(access.end_session_cookie()))
    }

    async fn change_password(&self, current: String, new: String) -> Result<String, Problem> {
        let (account, access) = (self.member()?, self.access());
        access.accounts().check_password(account.as_str(), &current, self.peer()).await.map_err(|error| {
            match error {
                SignInError::Refused => Problem::invalid("The present password is not right."),
                other => from_sign_in(other),
            }
        })?;
        access.accounts().set_password(account, &new).await.map_err(from_accounts)?;
        access.begin_session(account).await.map(text).map_err(from_accounts)
    }

    async fn sessions(&self) -> Result<Vec<SessionSummary>, Problem> {
        let this = self.caller().credential().map(|credential| credential.id);
        self.access().accounts().sessions(self.account()?, this).await.map_err(from_accounts)
    }

    async fn end_session(&self, id: CredentialId) -> Result<(), Problem> {
        let ended = self.access().accounts().end_session(self.account()?, id).await.map_err(from_accounts)?;
        if ended { Ok(()) } else { Err(Problem::not_found(format!("There is no session {id}."))) }
    }

    async fn tokens(&self) -> Result<Vec<TokenSummary>, Problem> {
        self.access().accounts().tokens(self.member()?).await.map_err(from_accounts)
    }

    async fn make_token(&self, label: String, seconds: Option<u64>) -> Result<NewToken, Problem> {
        // A token that can make tokens would never expire.
        if self.is_by_token() {
            return Err(Problem {
                status: 403,
                detail: "A token cannot make tokens. Sign in instead.".into(),
            });
        }
        let life = token_life(seconds);
        self.access().accounts().make_token(self.member()?, &label, life).await.map_err(from_accounts)
    }

    async fn revoke_token(&self, id: CredentialId) -> Result<(), Problem> {
        let revoked =
            self.access().accounts().revoke_token(self.member()?, id).await.map_err(from_accounts)?;
        if revoked { Ok(()) } else { Err(Problem::not_found(format!("There is no token {id}."))) }
    }

    async fn share_run(
        &self,
        run: RunId,
        audience: Audience,
        seconds: Option<u64>,
    ) -> Result<NewShare, Problem> {
        let owner = self.own_run(run).await?;
        let life = seconds.map(Duration::from_secs);
        self.access().accounts().share(&owner, run, audience, life).await.map_err(from_accounts)
    }

    async fn shares(&self) -> Result<Vec<ShareSummary>, Problem> {
        self.access().accounts().shares(self.account()?).await.map_err(from_accounts)
    }

    async fn revoke_share(&self, id: CredentialId) -> Result<(), Problem> {
        let revoked =
            self.access().accounts().revoke_share(self.account()?, id).await.map_err(from_accounts)?;
        if revoked { Ok(()) } else { Err(Problem::not_found(format!("There is no share {id}."))) }
    }

    async fn accounts(&self) -> Result<Vec<AccountSummary>, Problem> {
        self.administrator()?;
        self.access().accounts().list().await.map_err(from_accounts)
    }

    async fn add_account(&self, id: AccountId, role: Role, password: String) -> Result<(), Problem> {
        self.administrator()?;
        self.access().accounts().add(&id, role, &password).await.map_err(from_accounts)
    }

    async fn remove_account(&self, id: AccountId) -> Result<(), Problem> {
        self.administrator()?;
        if self.caller().name() == Some(&id) {
            return Err(Problem::conflict(
                "You cannot remove your own account. Let another administrator do it.",
            ));
        }
        self.access().accounts().remove(&id).await.map_err(from_accounts)
    }
}
