//! The caller of a request and its permissions.

use std::{collections::BTreeMap, net::IpAddr};

use accounts::Credential;
use protocol::{AccountId, Problem, Role, RunId, RunSummary, trading::PortfolioId};

/// The caller of one request, and its client address.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The caller.
    pub caller: Caller,
    /// The client's address.
    pub peer: IpAddr,
}

/// The caller of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    account: Option<(AccountId, Role)>,
    credential: Option<Credential>,
    /// Runs of other accounts that may be read, with the share that permits it.
    shared: BTreeMap<RunId, Credential>,
}

impl Caller {
    /// A caller without credentials; sees nothing.
    pub fn nobody() -> Self {
        Self { account: None, credential: None, shared: BTreeMap::new() }
    }

    /// The one account of a server without accounts.
    pub fn local(credential: Option<Credential>) -> Self {
        Self { account: Some((AccountId::local(), Role::Owner)), credential, ..Self::nobody() }
    }

    /// An account, authenticated by this credential.
    pub fn account(role: Role, credential: Credential) -> Self {
        let account = Some((credential.account.clone(), role));
        Self { account, credential: Some(credential), ..Self::nobody() }
    }

    /// The same caller with shared runs.
    #[must_use]
    pub fn with_shared(mut self, shared: impl IntoIterator<Item = (RunId, Credential)>) -> Self {
        self.shared.extend(shared);
        self
    }

    /// The account's name.
    pub fn name(&self) -> Option<&AccountId> {
        self.account.as_ref().map(|(name, _)| name)
    }

    /// What the account may do.
    pub fn role(&self) -> Option<Role> {
        self.account.as_ref().map(|(_, role)| *role)
    }

    /// The credential, if it can be revoked.
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// Runs of others that may be read.
    pub fn shared(&self) -> impl Iterator<Item = RunId> {
        self.shared.keys().copied()
    }

    /// The shares that permit reading: that of one run, or all.
    pub fn shares(&self, run: Option<RunId>) -> impl Iterator<Item = &Credential> {
        self.shared
            .iter()
            .filter(move |(shared, _)| run.is_none_or(|run| run == **shared))
            .map(|(_, share)| share)
    }

    /// Whether the run is the caller's own. Viewers own nothing.
    pub fn owns(&self, run: &RunSummary) -> bool {
        self.is_owner(&run.owner)
    }

    fn is_owner(&self, owner: &AccountId) -> bool {
        self.account.as_ref().is_some_and(|(name, role)| name == owner && *role != Role::Viewer)
    }

    /// Whether the run may be read.
    pub fn may_read(&self, run: &RunSummary) -> bool {
        self.may_know(run.run, &run.owner)
    }

    /// Whether the caller may know of a run of this owner.
    pub fn may_know(&self, run: RunId, owner: &AccountId) -> bool {
        self.is_owner(owner) || self.shared.contains_key(&run)
    }

    /// The account on whose behalf to write.
    ///
    /// # Errors
    /// 403: the caller may only read.
    pub fn writer(&self) -> Result<&AccountId, Problem> {
        match &self.account {
            Some((name, Role::Owner | Role::Administrator)) => Ok(name),
            _ => Err(Problem { status: 403, detail: "You may read here, and change nothing.".to_owned() }),
        }
    }

    /// Whether the caller operates the server: an administrator, or the one account of a server without
    /// accounts.
    pub fn operates(&self) -> bool {
        match &self.account {
            Some((name, role)) => *role == Role::Administrator || *name == AccountId::local(),
            None => false,
        }
    }

    /// Whether a portfolio is the caller's. Viewers own nothing.
    pub fn owns_portfolio(&self, id: &PortfolioId) -> bool {
        self.owner().is_some_and(|name| id.owner().as_ref() == Some(name))
    }

    /// The account that owns what the caller makes. Viewers own nothing.
    pub fn owner(&self) -> Option<&AccountId> {
        match &self.account {
            Some((_, Role::Viewer)) | None => None,
            Some((name, Role::Owner | Role::Administrator)) => Some(name),
        }
    }

    /// The full id of a portfolio that the caller names; never one of another account.
    ///
    /// # Errors
    /// 404: the caller can have no portfolio of this id.
    pub fn portfolio(&self, id: &PortfolioId) -> Result<PortfolioId, Problem> {
        let full = self.owner().and_then(|name| id.of(name));
        full.ok_or_else(|| {
            Problem::not_found(format!("There is no portfolio {id}. Create it first, or check the id."))
        })
    }
}
