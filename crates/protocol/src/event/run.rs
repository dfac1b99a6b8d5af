//! A run's start, its status and its end.

use serde::{Deserialize, Deserializer, Serialize};

use super::Parent;
use crate::{AccountId, Heading, Origin, RunId, RunRequest, RunStatus, Stopped, Totals, upcast};

/// The start of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunStarted {
    /// What was asked for.
    pub request: RunRequest,
    /// What the run is called.
    pub heading: Heading,
    /// Whose run it is.
    #[serde(default)]
    pub owner: AccountId,
    /// The run that this one continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The run that started this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The id that it had where it was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<RunId>,
    /// The last event that came from the file; what follows was added here. `None` in an imported run
    /// of an earlier version: all counts as from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_through: Option<u64>,
}

impl RunStarted {
    /// The start of a run that continues no other, on a server without accounts.
    pub fn new(request: RunRequest, heading: Heading) -> Self {
        Self {
            request,
            heading,
            owner: AccountId::local(),
            origin: None,
            parent: None,
            imported_from: None,
            imported_through: None,
        }
    }
}

/// The start of a run that an earlier version began has no heading.
impl<'de> Deserialize<'de> for RunStarted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            request: RunRequest,
            heading: Option<Heading>,
            #[serde(default)]
            owner: AccountId,
            origin: Option<Origin>,
            parent: Option<Parent>,
            imported_from: Option<RunId>,
            imported_through: Option<u64>,
        }
        let Stored { request, heading, owner, origin, parent, imported_from, imported_through } =
            Stored::deserialize(deserializer)?;
        let heading = heading.unwrap_or_else(|| upcast::heading(&request.workflow));
        Ok(Self { request, heading, owner, origin, parent, imported_from, imported_through })
    }
}

/// The run stands somewhere else now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatusChanged {
    /// Where it stands.
    pub status: RunStatus,
    /// The reason, where the status alone does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunFinished {
    /// Succeeded, failed or cancelled.
    pub status: RunStatus,
    /// The error or limit that ended it, or who stopped it and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who stopped it and why, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What it used.
    pub totals: Totals,
}
