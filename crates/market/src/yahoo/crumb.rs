//! The cookie and the crumb that some of Yahoo's addresses ask for.

use std::sync::{Mutex, PoisonError};

use reqwest::Url;

use super::YahooAddresses;
use crate::{
    NoData,
    access::{Access, Call, Keep, Refused, Reply, at},
};

/// What proves a visit of the pages.
#[derive(Clone)]
pub(super) struct Pass {
    pub(super) cookie: String,
    pub(super) crumb: String,
}

/// The pass that is used until it is refused.
#[derive(Default)]
pub(super) struct Passes(Mutex<Option<Pass>>);

impl Passes {
    /// The pass in use, or a new one.
    pub(super) async fn current(&self, access: &Access, addresses: &YahooAddresses) -> Result<Pass, NoData> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(pass) => Ok(pass),
            None => self.renewed(access, addresses).await,
        }
    }

    /// A new pass.
    pub(super) async fn renewed(&self, access: &Access, addresses: &YahooAddresses) -> Result<Pass, NoData> {
        let cookie = Call::new(addresses.cookie.clone(), "cookie", Keep::Never);
        let cookie = access.ask(&cookie, |reply| Ok(reply.cookies.join("; "))).await?;
        let crumb = Call {
            cookie: Some(cookie.clone()),
            ..Call::new(at(&addresses.query, "v1/test/getcrumb", &[]), "crumb", Keep::Never)
        };
        let crumb = access.ask(&crumb, crumb_of).await?;
        let pass = Pass { cookie, crumb };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(pass.clone());
        Ok(pass)
    }
}

/// The body is the crumb, unless it is a refusal in plain text.
fn crumb_of(reply: &Reply) -> Result<String, Refused> {
    let said = reply.text();
    let crumb = said.trim();
    let is_crumb = reply.status == 200
        && !crumb.is_empty()
        && crumb.len() <= 64
        && !crumb.contains(['<', '{'])
        && !crumb.contains("Too Many");
    if is_crumb {
        return Ok(crumb.to_owned());
    }
    reply.checked()?;
    Err(Refused::throttled(format!("it gives no crumb, but “{}”.", reply.words())))
}

/// The address with the crumb, in its encoding for addresses.
pub(super) fn with_crumb(mut url: Url, pass: &Pass) -> Url {
    url.query_pairs_mut().append_pair("crumb", &pass.crumb);
    url
}
