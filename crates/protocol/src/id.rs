use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is no valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" is not a valid {what}: {rule}")]
pub struct InvalidId {
    what: &'static str,
    shown: String,
    rule: &'static str,
}

impl InvalidId {
    fn new(what: &'static str, given: &str, rule: &'static str) -> Self {
        let shown = given.chars().take(40).filter(|c| !c.is_control()).collect();
        Self { what, shown, rule }
    }
}

/// One run; a UUID of version 7, so that ids sort by creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RunId({})", self.0)
    }
}

impl FromStr for RunId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::new("run id", text, "it must be a UUID"))
    }
}

/// A text identifier that is validated wherever it enters the program.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $pattern:literal, $normalise:expr, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = $pattern))]
        #[serde(try_from = "Cow<'_, str>", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let normalise: fn(&str) -> Cow<'_, str> = $normalise;
                let valid: fn(&str) -> bool = $valid;
                let normal = normalise(text);
                if valid(&normal) {
                    Ok(Self(normal.as_ref().into()))
                } else {
                    Err(InvalidId::new($what, text, $rule))
                }
            }
        }

        impl TryFrom<Cow<'_, str>> for $name {
            type Error = InvalidId;

            fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

fn as_given(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn is_slug(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
}

text_id!(
    /// An account: who owns runs and portfolios, and who acts.
    AccountId,
    "account name",
    "it must have 1 to 32 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,32}$",
    as_given,
    |text| is_slug(text, 32)
);

impl AccountId {
    /// The one account of a server without accounts.
    pub fn local() -> Self {
        Self("local".into())
    }
}

impl Default for AccountId {
    fn default() -> Self {
        Self::local()
    }
}

text_id!(
    /// A node of a run's graph, such as `market_analyst`.
    NodeId,
    "node id",
    "it must have 1 to 64 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,64}$",
    as_given,
    |text| is_slug(text, 64)
);

text_id!(
    /// One model or tool call: `node:visit:number`, the same when a run is resumed.
    CallId,
    "call id",
    "it must read node:visit:number",
    "^[a-z0-9_-]{1,64}:[0-9]{1,9}:[0-9]{1,9}$",
    as_given,
    |text| {
        let mut parts = text.split(':');
        parts.next().is_some_and(|node| is_slug(node, 64))
            && parts.next().is_some_and(|visit| visit.parse::<u32>().is_ok())
            && parts.next().is_some_and(|number| number.parse::<u32>().is_ok())
            && parts.next().is_none()
    }
);

impl CallId {
    /// The id of the `number`-th call that `node` makes in its `visit`-th visit.
    pub fn new(node: &NodeId, visit: u32, number: u32) -> Self {
        Self(format!("{node}:{visit}:{number}").into())
    }
}

text_id!(
    /// A paper portfolio, such as `main_portfolio`.
    PortfolioId,
    "portfolio id",
    "it must have 1 to 64 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,64}$",
    as_given,
    |text| is_slug(text, 64)
);

/// Stands in a portfolio's id between its owner's name and its own; no account's name has it.
const BORDER: &str = "--";

impl PortfolioId {
    /// Whose portfolio it is: the account that its id begins with, or the one account of a server
    /// without accounts. `None`: no account can have such a portfolio.
    pub fn owner(&self) -> Option<AccountId> {
        match self.0.split_once(BORDER) {
            Some((owner, _)) => owner.parse().ok(),
            None => Some(AccountId::local()),
        }
    }

    /// The whole id of what the account calls `self`; `None` if it can have no portfolio of this name.
    pub fn of(&self, account: &AccountId) -> Option<Self> {
        let is_local = *account == AccountId::local();
        let id = if is_local || self.owner().as_ref() == Some(account) {
            self.clone()
        } else {
            format!("{account}{BORDER}{self}").parse().ok()?
        };
        (id.owner().as_ref() == Some(account)).then_some(id)
    }
}

text_id!(
    /// Runs that belong together: a portfolio run reads the analyses of its flow.
    FlowId,
    "flow id",
    "it must have 1 to 64 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,64}$",
    as_given,
    |text| is_slug(text, 64)
);

text_id!(
    /// An instrument's symbol, in upper case: `AAPL`, `BRK.B`, `^GSPC`.
    Ticker,
    "ticker",
    "it must have 1 to 12 letters, digits, dots, hyphens or a leading ^",
    "^(\\^[A-Za-z0-9.-]{1,11}|[A-Za-z0-9.-]{1,12})$",
    |text| Cow::Owned(text.trim().to_ascii_uppercase()),
    |text| {
        let symbol = text.strip_prefix('^').unwrap_or(text);
        !symbol.is_empty()
            && text.len() <= 12
            && symbol
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
    }
);

text_id!(
    /// A model that the server's settings name.
    ProfileName,
    "model's name",
    "it must have 1 to 40 of a-z, 0-9, hyphen and underscore",
    "^[a-z0-9_-]{1,40}$",
    as_given,
    |text| is_slug(text, 40)
);

text_id!(
    /// The SHA-256 of a stored text, in lower-case hexadecimal digits.
    Digest,
    "digest",
    "it must have 64 of 0-9 and a-f",
    "^[0-9a-f]{64}$",
    as_given,
    |text| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticker_is_upper_cased_and_checked() {
        assert_eq!("aapl".parse::<Ticker>().unwrap().as_str(), "AAPL");
        assert_eq!("^gspc".parse::<Ticker>().unwrap().as_str(), "^GSPC");
        for hostile in ["", "^", "../etc", "AAPL;DROP", "A".repeat(13).as_str(), "AA PL"] {
            assert!(hostile.parse::<Ticker>().is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn hostile_ids_are_refused_also_in_json() {
        for hostile in ["\"../../etc/passwd\"", "\"\"", "\"a/b\"", "\"A\"", "\"a\\u0000\""] {
            assert!(serde_json::from_str::<FlowId>(hostile).is_err(), "{hostile}");
            assert!(serde_json::from_str::<PortfolioId>(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn a_call_id_names_its_node_visit_and_number() {
        let node: NodeId = "bull_researcher".parse().unwrap();
        assert_eq!(CallId::new(&node, 2, 1).as_str(), "bull_researcher:2:1");
        assert!("bull:2".parse::<CallId>().is_err());
    }
}
