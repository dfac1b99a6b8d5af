//! What came of a question to a vendor: data with where they are from, or one of four reasons for none.

use std::{fmt, time::Duration};

use protocol::Date;
use serde::{Deserialize, Serialize};

/// Data, or why there are none.
pub type Outcome<T> = Result<Answer<T>, NoData>;

/// Data, and where they are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The data. Nothing in them was published after [`Source::as_of`].
    pub data: T,
    /// Where they are from.
    pub source: Source,
}

impl<T> Answer<Vec<T>> {
    /// Rows of a vendor as of a day; where there are none, why.
    pub(crate) fn of_rows(
        vendor: &str,
        as_of: Date,
        data: Vec<T>,
        nothing: impl FnOnce() -> String,
    ) -> Outcome<Vec<T>> {
        if data.is_empty() {
            return Err(NoData::empty(vendor, nothing()));
        }
        Ok(Self { data, source: Source::new(vendor, as_of) })
    }
}

/// Where data are from, and as of when they hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The vendor that served them.
    pub vendor: String,
    /// The day that was asked for.
    pub as_of: Date,
    /// The day on which the newest of them became public, where there are any.
    pub published: Option<Date>,
    /// Currency or unit and adjustment, where they hold for all of the data.
    pub unit: Option<String>,
    /// What a reader has to know of them: a range that is shorter than asked for, vendors that did not serve.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Source {
    /// Data of this vendor as of this day.
    pub fn new(vendor: &str, as_of: Date) -> Self {
        Self { vendor: vendor.to_owned(), as_of, published: None, unit: None, notes: Vec::new() }
    }
}

/// Why a vendor gave no data. It is never told by an empty table or a price of 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{vendor} {why}: {reason}")]
pub struct NoData {
    /// The vendor, or several of them.
    pub vendor: String,
    /// What kind of reason it is.
    pub why: Why,
    /// The reason in a sentence, with the vendor's own words where it gave any, keys blotted out.
    pub reason: String,
}

/// The kinds of reasons for no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What was asked about is known, and there is nothing of this kind or in this range.
    Empty,
    /// The vendor does not know the symbol.
    Unknown,
    /// Key, plan or settings do not allow it. It is not asked again.
    Denied,
    /// A throttle or an outage, for about this long.
    Later(Duration),
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("has no such data"),
            Self::Unknown => formatter.write_str("does not know the symbol"),
            Self::Denied => formatter.write_str("does not serve this"),
            Self::Later(wait) => match wait.as_secs() {
                0..90 => write!(formatter, "cannot answer for about {} s", wait.as_secs().max(1)),
                seconds @ 90..5400 => {
                    write!(formatter, "cannot answer for about {} min", seconds.div_ceil(60))
                }
                seconds => write!(formatter, "cannot answer for about {} h", seconds.div_ceil(3600)),
            },
        }
    }
}

impl NoData {
    /// Why this vendor gave none.
    pub fn new(vendor: &str, why: Why, reason: impl Into<String>) -> Self {
        Self { vendor: vendor.to_owned(), why, reason: reason.into() }
    }

    /// What is known, and has nothing of this kind or in this range.
    pub fn empty(vendor: &str, reason: impl Into<String>) -> Self {
        Self::new(vendor, Why::Empty, reason)
    }

    /// What the vendor does not know.
    pub fn unknown(vendor: &str, symbol: &impl fmt::Display) -> Self {
        Self::new(vendor, Why::Unknown, format!("there is nothing under {symbol}."))
    }

    /// Whether asking again later may give data.
    pub fn may_pass(&self) -> bool {
        matches!(self.why, Why::Later(_))
    }

    /// What it comes to when every vendor of an order has been asked. One that may answer later outweighs what
    /// others do not have; that the symbol is known to one outweighs that it is unknown to others.
    pub(crate) fn of_all(refusals: Vec<Self>) -> Option<Self> {
        let weight = |why: Why| match why {
            Why::Later(_) => 3,
            Why::Empty => 2,
            Why::Unknown => 1,
            Why::Denied => 0,
        };
        let why = refusals.iter().map(|refusal| refusal.why).max_by_key(|why| weight(*why))?;
        if let [only] = refusals.as_slice() {
            return Some(only.clone());
        }
        let vendors = refusals.iter().map(|refusal| refusal.vendor.as_str()).collect::<Vec<_>>();
        let reasons = refusals.iter().map(ToString::to_string).collect::<Vec<_>>();
        Some(Self { vendor: vendors.join(", "), why, reason: reasons.join(" ") })
    }
}

/// The data that are built in cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} is damaged: {reason}. Restore the file.")]
pub struct Damaged {
    /// The file.
    pub file: &'static str,
    /// What is wrong with it, and where.
    pub reason: String,
}
