use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use reqwest::{Response, StatusCode, header};
use serde::de::DeserializeOwned;

use super::OUTAGE;
use crate::{Why, written::words};

/// How long a vendor is left alone that does not say how long.
const THROTTLED: Duration = Duration::from_secs(5 * 60);

/// Why an answer is no data, as its body and status say.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(super) why: Why,
    pub(super) reason: String,
    /// Whether it holds for every question to the vendor.
    pub(super) whole: bool,
}

impl Refused {
    pub(crate) fn empty(reason: impl Into<String>) -> Self {
        Self { why: Why::Empty, reason: reason.into(), whole: false }
    }

    pub(crate) fn unknown(reason: impl Into<String>) -> Self {
        Self { why: Why::Unknown, reason: reason.into(), whole: false }
    }

    /// This question is not allowed; others may be.
    pub(crate) fn denied(reason: impl Into<String>) -> Self {
        Self { why: Why::Denied, reason: reason.into(), whole: false }
    }

    /// Nothing can be asked, as key or settings are wrong.
    pub(crate) fn locked_out(reason: impl Into<String>) -> Self {
        Self { why: Why::Denied, reason: reason.into(), whole: true }
    }

    pub(crate) fn later(wait: Duration, reason: impl Into<String>) -> Self {
        Self { why: Why::Later(wait), reason: reason.into(), whole: true }
    }

    /// A throttle that says no time.
    pub(crate) fn throttled(reason: impl Into<String>) -> Self {
        Self::later(THROTTLED, reason)
    }
}

/// An answer before it is judged.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Cookies that it sets, as `name=value`.
    pub(crate) cookies: Vec<String>,
    /// Where it leads instead.
    pub(crate) location: Option<String>,
    /// When it came.
    pub(crate) fetched: Timestamp,
}

impl Reply {
    /// An answer from the cache, which holds data alone.
    pub(super) fn kept(fetched: Timestamp, body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK.as_u16(), body, cookies: Vec::new(), location: None, fetched }
    }

    pub(super) async fn receive(
        mut response: Response,
        most: usize,
        fetched: Timestamp,
    ) -> Result<Result<Self, Refused>, reqwest::Error> {
        let status = response.status().as_u16();
        let values = |name| {
            let values = response.headers().get_all(name).iter();
            values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect::<Vec<_>>()
        };
        let cookies = values(header::SET_COOKIE);
        let cookies = cookies.iter().filter_map(|cookie| Some(cookie.split(';').next()?.trim().to_owned()));
        let (cookies, location) = (cookies.collect(), values(header::LOCATION).pop());
        let packed = values(header::CONTENT_ENCODING).iter().any(|value| value.eq_ignore_ascii_case("gzip"));
        let too_much = || Refused::empty(format!("the answer has more than {most} bytes."));
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > most {
                return Ok(Err(too_much()));
            }
            body.extend_from_slice(&piece);
        }
        if packed {
            let mut unpacked = Vec::new();
            let room = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
            if GzDecoder::new(body.as_slice()).take(room).read_to_end(&mut unpacked).is_err() {
                return Ok(Err(Refused::later(OUTAGE, "the answer broke off.")));
            }
            if unpacked.len() > most {
                return Ok(Err(too_much()));
            }
            body = unpacked;
        }
        Ok(Ok(Self { status, body, cookies, location, fetched }))
    }

    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// What it says, in short.
    pub(crate) fn words(&self) -> String {
        words(&self.text())
    }

    /// The body as JSON. Anything else is an outage, whatever the status says.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let said =
                if self.body.is_empty() { "nothing".to_owned() } else { format!("“{}”", self.words()) };
            Refused::throttled(format!(
                "it sent {said} with status {}, which cannot be read: {error}.",
                self.status
            ))
        })
    }

    /// Refuses a status that says by itself that the vendor is at fault or throttles.
    pub(crate) fn checked(&self) -> Result<&Self, Refused> {
        match self.status {
            429 => Err(Refused::throttled(format!("too many requests: “{}”.", self.words()))),
            500.. => {
                Err(Refused::later(OUTAGE, format!("an outage, status {}: “{}”.", self.status, self.words())))
            }
            300..400 => {
                let place = self.location.as_deref().map(words).unwrap_or_default();
                Err(Refused::locked_out(format!("it leads to {place} instead of answering.")))
            }
            _ => Ok(self),
        }
    }
}

/// What went wrong on the way.
pub(super) fn transport(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "it did not answer in time.".to_owned()
    } else if error.is_connect() {
        "it cannot be reached.".to_owned()
    } else {
        format!("the connection broke off: {error}.")
    }
}
