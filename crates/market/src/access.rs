//! How a vendor is asked over the network: at its pace, through the cache, within bounds, and without its key
//! standing anywhere but in the request.

mod cache;
mod pace;
mod reply;

use std::{sync::Arc, time::Duration};

use jiff::{Span, Timestamp};
use llm::Secret;
use protocol::Date;
use reqwest::{Client, Method, Url, header};
use tokio::sync::Semaphore;

pub use cache::Cache;
pub(crate) use pace::Limit;
use pace::Pace;
pub(crate) use reply::{Refused, Reply};

use crate::{
    Clock, NoData, Why, session,
    written::{utc_day, words},
};

/// How long one question may wait for its turn by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a vendor that cannot be reached is left alone.
const OUTAGE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE_ANSWER: Duration = Duration::from_secs(60);
/// Bytes of an answer at most, if nothing else is said.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How long an answer is used again while its day still goes on.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// Days after which what was asked for a day is taken as complete.
const SETTLED_AFTER: i64 = 2;

/// What all vendors share.
#[derive(Clone)]
pub struct Network {
    pub(crate) http: Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cache: Option<Arc<Cache>>,
}

impl Network {
    /// A network with this clock; answers are kept in the cache, if there is one.
    ///
    /// # Errors
    /// In a sentence, if the system offers no encrypted connections.
    pub fn new(clock: Arc<dyn Clock>, cache: Option<Arc<Cache>>) -> Result<Self, String> {
        // Whoever comes second finds the same provider installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE_ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("No connections can be made: {error}."))?;
        Ok(Self { http, clock, cache })
    }
}

/// How a vendor is shown its key.
#[derive(Clone)]
pub(crate) enum Key {
    /// As a parameter of the address.
    Parameter(&'static str, Secret),
    /// As a header.
    Header(&'static str, Secret),
}

/// How one vendor is asked.
pub(crate) struct Access {
    vendor: &'static str,
    network: Network,
    key: Option<Key>,
    /// Headers of every request: the user agent, for one.
    headers: Vec<(header::HeaderName, String)>,
    pace: Pace,
    /// One request of a vendor at a time, so that equal questions find the first one's answer in the cache.
    turn: Semaphore,
}

/// How long an answer is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Never.
    Never,
    /// For this long.
    For(Duration),
    /// For as long as it is there, once it was fetched some days after this day; shortly, before.
    AsOf(Date),
}

/// One question.
pub(crate) struct Call {
    /// What is asked, without the key.
    pub(crate) url: Url,
    /// What a refusal is remembered for: the function, and the symbol where plans tell them apart.
    pub(crate) scope: String,
    pub(crate) keep: Keep,
    pub(crate) body: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) most_bytes: usize,
    /// What is left out of the name in the cache, such as a crumb that changes.
    pub(crate) without: Option<&'static str>,
}

impl Call {
    pub(crate) fn new(url: Url, scope: impl Into<String>, keep: Keep) -> Self {
        let scope = scope.into();
        Self { url, scope, keep, body: None, cookie: None, most_bytes: MOST_BYTES, without: None }
    }

    /// What names the question in the cache.
    fn name(&self, vendor: &str) -> String {
        let mut url = self.url.clone();
        if let Some(left_out) = self.without {
            let kept: Vec<_> = self.url.query_pairs().filter(|(name, _)| name != left_out).map(own).collect();
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
        format!("{vendor}\n{url}\n{}", self.body.as_deref().unwrap_or_default())
    }
}

fn own((name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

impl Access {
    pub(crate) fn new(vendor: &'static str, network: Network, key: Option<Key>, limits: &[Limit]) -> Self {
        let pace = Pace::new(limits);
        Self { vendor, network, key, headers: Vec::new(), pace, turn: Semaphore::new(1) }
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.network.clock.now()
    }

    /// The newest day of publication that counts as of a day, see [`session::public_until`].
    pub(crate) fn public_until(&self, as_of: Date) -> Date {
        session::public_until(as_of, self.now())
    }

    /// Refuses a past day for what the vendor knows of now alone.
    pub(crate) fn only_now(&self, as_of: Date, what: &str) -> Result<(), NoData> {
        session::only_now(self.vendor, as_of, self.now(), what)
    }

    /// Asks, and has the answer judged by its body. Only what is judged to be data is kept.
    pub(crate) async fn ask<T>(
        &self,
        call: &Call,
        judge: impl Fn(&Reply) -> Result<T, Refused> + Send,
    ) -> Result<T, NoData> {
        let _turn = self.turn.acquire().await.map_err(|_| self.later(OUTAGE, "the server shuts down."))?;
        let name = call.name(self.vendor);
        if let Some(cache) = &self.network.cache
            && let Some((fetched, body)) = cache.read(&name).await
            && self.is_usable(fetched, call.keep)
            && let Ok(data) = judge(&Reply::kept(fetched, body))
        {
            return Ok(data);
        }
        self.admit(&call.scope).await?;
        let reply = self.send(call).await?;
        match judge(&reply) {
            Ok(data) => {
                if let Some(cache) = &self.network.cache
                    && call.keep != Keep::Never
                {
                    cache.write(&name, self.now(), &reply.body).await;
                }
                Ok(data)
            }
            Err(refused) => Err(self.remember(&call.scope, refused)),
        }
    }

    fn is_usable(&self, fetched: Timestamp, keep: Keep) -> bool {
        let age = self.now().duration_since(fetched).unsigned_abs();
        match keep {
            Keep::Never => false,
            Keep::For(time) => age < time,
            Keep::AsOf(day) => {
                let settled = day.saturating_add(Span::new().days(SETTLED_AFTER));
                utc_day(fetched) >= settled || age < FRESH
            }
        }
    }

    /// Waits for the vendor's pace. What it refused before is not asked again.
    async fn admit(&self, scope: &str) -> Result<(), NoData> {
        loop {
            match self.pace.next(self.now(), scope) {
                pace::Next::Now => return Ok(()),
                pace::Next::Wait(wait) if wait <= PATIENCE => self.network.clock.sleep(wait).await,
                pace::Next::Wait(wait) => {
                    return Err(self.later(wait, "the requests that its rules allow are used up."));
                }
                pace::Next::Quiet(wait, reason) => return Err(self.later(wait, reason)),
                pace::Next::Denied(reason) => return Err(NoData::new(self.vendor, Why::Denied, reason)),
            }
        }
    }

    async fn send(&self, call: &Call) -> Result<Reply, NoData> {
        let (mut url, method) =
            (call.url.clone(), if call.body.is_some() { Method::POST } else { Method::GET });
        if let Some(Key::Parameter(name, key)) = &self.key {
            url.query_pairs_mut().append_pair(name, key.reveal());
        }
        let mut request = self.network.http.request(method, url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(Key::Header(name, key)) = &self.key {
            request = request.header(*name, key.reveal());
        }
        if let Some(cookie) = &call.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        let received = async { Reply::receive(request.send().await?, call.most_bytes, self.now()).await };
        match received.await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(too_much)) => Err(self.remember(&call.scope, too_much)),
            // The address may hold the key.
            Err(error) => {
                let reason = reply::transport(&error.without_url());
                Err(self.remember(&call.scope, Refused::later(OUTAGE, reason)))
            }
        }
    }

    /// The refusal as people are told of it; what it means for further questions is kept.
    fn remember(&self, scope: &str, refused: Refused) -> NoData {
        let reason = self.redacted(&refused.reason);
        match refused.why {
            Why::Later(wait) => self.pace.quiet(self.now(), wait, &reason),
            Why::Denied if refused.whole => self.pace.deny(None, &reason),
            Why::Denied => self.pace.deny(Some(scope), &reason),
            Why::Empty | Why::Unknown => {}
        }
        NoData::new(self.vendor, refused.why, reason)
    }

    fn later(&self, wait: Duration, reason: impl Into<String>) -> NoData {
        NoData::new(self.vendor, Why::Later(wait), reason)
    }

    /// The beginning of the text on one line, without the key.
    fn redacted(&self, text: &str) -> String {
        let text = match &self.key {
            Some(Key::Parameter(_, key) | Key::Header(_, key)) => key.redact(text),
            None => text.to_owned(),
        };
        words(&text)
    }
}

/// The address of a path at a base, which keeps its own path.
pub(crate) fn at(base: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}
