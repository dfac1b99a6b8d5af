//! Identifiers, each checked where it enters the program.

use std::{borrow::Cow, fmt, str::FromStr};

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
    pub(crate) fn new(what: &'static str, given: &str, rule: &'static str) -> Self {
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
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $pattern:literal, $normalise:expr, $valid:expr $(, max_length = $longest:tt)?) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = $pattern $(, max_length = $longest)?))]
        #[serde(try_from = "std::borrow::Cow<'_, str>", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::InvalidId;

            fn from_str(text: &str) -> Result<Self, $crate::InvalidId> {
                let normalise: fn(&str) -> std::borrow::Cow<'_, str> = $normalise;
                let valid: fn(&str) -> bool = $valid;
                let normal = normalise(text);
                if valid(&normal) {
                    Ok(Self(normal.as_ref().into()))
                } else {
                    Err($crate::InvalidId::new($what, text, $rule))
                }
            }
        }

        impl TryFrom<std::borrow::Cow<'_, str>> for $name {
            type Error = $crate::InvalidId;

            fn try_from(text: std::borrow::Cow<'_, str>) -> Result<Self, $crate::InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

pub(crate) use text_id;

pub(crate) fn as_given(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

pub(crate) fn is_slug(text: &str, longest: usize) -> bool {
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

/// The most bytes of a node's id.
const LONGEST_NODE: usize = 256;

/// Whether a text is a path of one or more segments, each of words with dots between them:
/// `plan/2/search`, `0.1.2`. No segment is empty or leads upwards.
fn is_path(text: &str) -> bool {
    text.len() <= LONGEST_NODE && text.split(['/', '.']).all(|word| is_slug(word, LONGEST_NODE))
}

text_id!(
    /// A node of a run's graph, such as `writer`; a node within another has the other's path before its
    /// own name, such as `plan/2/search`. What people call it is its label.
    NodeId,
    "node id",
    "it must have 1 to 256 of a-z, 0-9, _ and -, with single dots and slashes between them",
    "^[a-z0-9_-]+([./][a-z0-9_-]+)*$",
    as_given,
    is_path,
    max_length = 256
);

impl NodeId {
    /// The ids that its path leads through, the innermost first: for `plan/2/search`, `plan/2` and `plan`. A node is
    /// within the first of these that is a node.
    pub fn enclosing(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), |id| {
            let (path, _) = id.as_str().rsplit_once('/')?;
            Some(Self(path.into()))
        })
        .skip(1)
    }

    /// The id of the node of this name within this one.
    ///
    /// # Errors
    /// Together they are too long.
    pub fn within(&self, name: &Self) -> Result<Self, InvalidId> {
        format!("{self}/{name}").parse()
    }
}

text_id!(
    /// A lane of a visit, in which calls are made side by side with those of other lanes. Lanes within a lane
    /// have its path before their own name.
    LaneId,
    "lane",
    "it must have 1 to 64 of a-z, 0-9, _ and -, with single dots between them",
    "^[a-z0-9_-]+([.][a-z0-9_-]+)*$",
    as_given,
    is_lane,
    max_length = 64
);

fn is_lane(text: &str) -> bool {
    text.len() <= 64 && text.split('.').all(|word| is_slug(word, 64))
}

impl LaneId {
    /// The lane of this name within this one.
    ///
    /// # Errors
    /// They make no id together.
    pub fn within(&self, name: &str) -> Result<Self, InvalidId> {
        format!("{self}.{name}").parse()
    }

    /// Whether the other lane is this one or within it.
    pub fn holds(&self, other: &Self) -> bool {
        let rest = other.as_str().strip_prefix(self.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

text_id!(
    /// One model or tool call: `node:visit:number`, or `node:visit:lane.number`, the same when a run is resumed.
    CallId,
    "call id",
    "it must read node:visit:number, or node:visit:lane.number",
    "^[a-z0-9_-]+([./][a-z0-9_-]+)*:[0-9]{1,9}:([a-z0-9_-]+[.])*[0-9]{1,9}$",
    as_given,
    |text| {
        let mut parts = text.split(':');
        parts.next().is_some_and(is_path)
            && parts.next().is_some_and(|visit| visit.parse::<u32>().is_ok())
            && parts.next().is_some_and(|place| match place.rsplit_once('.') {
                Some((lane, number)) => is_lane(lane) && number.parse::<u32>().is_ok(),
                None => place.parse::<u32>().is_ok(),
            })
            && parts.next().is_none()
    },
    max_length = 341
);

/// What the id of an answer beside the run begins with; the number of its question follows.
const CHAT: &str = "chat:0:";

impl CallId {
    /// The id of the `number`-th call that `node` makes in its `visit`-th visit outside of all lanes.
    pub fn new(node: &NodeId, visit: u32, number: u32) -> Self {
        Self(format!("{node}:{visit}:{number}").into())
    }

    /// The same in a lane of the visit.
    pub fn in_lane(node: &NodeId, visit: u32, lane: &LaneId, number: u32) -> Self {
        Self(format!("{node}:{visit}:{lane}.{number}").into())
    }

    /// The id under which the answer to a question beside the run streams until it is in the log. No visit has the
    /// number 0.
    pub fn of_chat(chat: u32) -> Self {
        Self(format!("{CHAT}{chat}").into())
    }

    /// The question beside the run whose answer streams under this id.
    pub fn chat(&self) -> Option<u32> {
        self.0.strip_prefix(CHAT)?.parse().ok()
    }

    /// The visit that the call belongs to.
    pub fn visit(&self) -> Option<u32> {
        self.0.split(':').nth(1)?.parse().ok()
    }

    /// The node that made it; for the answer to a question beside the run, a name that no visit belongs to.
    pub fn node(&self) -> Option<NodeId> {
        self.0.split(':').next()?.parse().ok()
    }

    /// The lane of its visit that it was made in, if in one.
    pub fn lane(&self) -> Option<LaneId> {
        let (lane, _) = self.place().rsplit_once('.')?;
        lane.parse().ok()
    }

    /// Its place among all calls of its visit, or of its lane.
    pub fn number(&self) -> Option<u32> {
        self.place().rsplit('.').next()?.parse().ok()
    }

    fn place(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or_default()
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
    /// A kind of workflow, such as `pipeline`. Which kinds there are is known to the families.
    WorkflowKind,
    "kind of workflow",
    "it must have 1 to 64 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,64}$",
    as_given,
    |text| is_slug(text, 64)
);

impl WorkflowKind {
    /// The kind of this name, which must be a slug.
    pub(crate) fn of_slug(slug: &str) -> Self {
        Self(slug.into())
    }
}

text_id!(
    /// A kind of product with its family, such as `council.draft`.
    ProductKind,
    "kind of product",
    "it must read family.kind, each with 1 to 32 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,32}[.][a-z0-9_-]{1,32}$",
    as_given,
    |text| text.split_once('.').is_some_and(|(family, kind)| is_slug(family, 32) && is_slug(kind, 32))
);

impl ProductKind {
    /// The kind of this name, which must read `family.kind`.
    pub(crate) fn of_slug(slug: &str) -> Self {
        Self(slug.into())
    }

    /// The family.
    pub fn family(&self) -> &str {
        self.0.split_once('.').map_or("", |(family, _)| family)
    }
}

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
    /// A server of tools that the settings name. Without an underscore, so that the first one in a tool's
    /// name ends its server's name.
    ToolServerName,
    "tool server's name",
    "it must have 1 to 24 of a-z, 0-9 and hyphen",
    "^[a-z0-9-]{1,24}$",
    as_given,
    |text| is_slug(text, 24) && !text.contains('_')
);

text_id!(
    /// The name by which a model calls a tool, as every provider takes it.
    ToolName,
    "tool's name",
    "it must have 1 to 64 of a-z, A-Z, 0-9, hyphen and underscore",
    "^[a-zA-Z0-9_-]{1,64}$",
    as_given,
    |text| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
    }
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
    fn hostile_ids_are_refused_also_in_json() {
        for hostile in ["\"../../etc/passwd\"", "\"\"", "\"a/b\"", "\"A\"", "\"a\\u0000\""] {
            assert!(serde_json::from_str::<FlowId>(hostile).is_err(), "{hostile}");
            assert!(serde_json::from_str::<WorkflowKind>(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn a_node_id_is_a_path_that_leads_downwards_only() {
        for good in ["writer", "plan/2/search", "0.1.2", "a".repeat(256).as_str()] {
            assert_eq!(good.parse::<NodeId>().unwrap().as_str(), good);
        }
        let long = "a".repeat(257);
        for bad in ["", "/", "a/", "/a", "a//b", "..", ".", "a/../b", "a/./b", "a.", "A", "a b", "a:1", &long]
        {
            assert!(bad.parse::<NodeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_product_s_kind_names_its_family() {
        let kind: ProductKind = "council.draft".parse().unwrap();
        assert_eq!(kind.family(), "council");
        for bad in ["draft", "council.", ".draft", "a.b.c", "Council.draft"] {
            assert!(bad.parse::<ProductKind>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_call_id_names_its_node_visit_and_number() {
        let node: NodeId = "plan/2/search".parse().unwrap();
        assert_eq!(node.enclosing().map(String::from).collect::<Vec<_>>(), ["plan/2", "plan"]);
        assert_eq!("plan".parse::<NodeId>().unwrap().enclosing().count(), 0);
        assert_eq!("plan/2".parse::<NodeId>().unwrap().within(&"search".parse().unwrap()), Ok(node));
        let node: NodeId = "bull_researcher".parse().unwrap();
        assert_eq!(CallId::new(&node, 2, 1).as_str(), "bull_researcher:2:1");
        assert_eq!(
            CallId::new(&"plan/2".parse().unwrap(), 1, 0).as_str().parse::<CallId>().unwrap().as_str(),
            "plan/2:1:0"
        );
        for bad in ["bull:2", "../a:1:1", "a:1:1:1", "a:1:.1", "a:1:x", "a:1:x.", "a:1:x..1", "a:1:X.1"] {
            assert!(bad.parse::<CallId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_call_of_a_lane_names_it() {
        let node: NodeId = "0.1".parse().unwrap();
        let outer: LaneId = "critic".parse().unwrap();
        let inner = outer.within("2").unwrap();
        let call = CallId::in_lane(&node, 3, &inner, 7);
        assert_eq!(call.as_str(), "0.1:3:critic.2.7");
        assert_eq!(call.as_str().parse::<CallId>().unwrap(), call);
        assert_eq!((call.visit(), call.lane(), call.number()), (Some(3), Some(inner.clone()), Some(7)));
        let outside = CallId::new(&node, 3, 7);
        assert_eq!((outside.visit(), outside.lane(), outside.number()), (Some(3), None, Some(7)));
        assert!(outer.holds(&inner) && outer.holds(&outer) && !inner.holds(&outer));
        assert!(!outer.holds(&"critics".parse().unwrap()));
    }
}
