//! Checks of host and origin against exact lists.

use std::{collections::BTreeSet, net::SocketAddr};

use axum::http::{HeaderMap, Uri, header, uri::Authority};
use protocol::Problem;

use crate::config::Origin;

/// The longest name of a host (253 bytes), with a port.
const LONGEST_HOST: usize = 260;

/// The hosts that this server answers to, and the origins whose pages may call it.
pub struct AllowedOrigins {
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
}

impl AllowedOrigins {
    /// The names of this machine with the listening port, and what the settings add.
    pub fn new(address: SocketAddr, hosts: &[String], origins: &[Origin]) -> Self {
        let port = address.port();
        let mut all: BTreeSet<String> =
            ["127.0.0.1", "localhost", "[::1]"].iter().map(|name| format!("{name}:{port}")).collect();
        if !address.ip().is_unspecified() {
            all.insert(address.to_string());
        }
        if port == 80 {
            all.extend(["127.0.0.1", "localhost", "[::1]"].map(str::to_owned));
        }
        all.extend(hosts.iter().cloned());
        let mut allowed =
            Self { origins: all.iter().map(|host| format!("http://{host}")).collect(), hosts: all };
        for origin in origins {
            allowed.hosts.insert(origin.host.clone());
            allowed.origins.insert(origin.to_string());
        }
        allowed
    }

    /// Whether pages are served by HTTPS, through a proxy in front.
    pub fn is_secure(&self) -> bool {
        self.origins.iter().any(|origin| origin.starts_with("https://"))
    }

    /// Refuses hosts that are not ours: a page of another name that resolves to this machine (DNS rebinding).
    pub fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(header::HOST).iter();
        let host = match (uri.authority(), given.next(), given.next()) {
            (Some(authority), ..) => Some(authority.as_str()),
            (None, Some(host), None) => host.to_str().ok(),
            _ => None,
        };
        if host.is_some_and(|host| self.hosts.contains(&host.to_ascii_lowercase())) {
            return Ok(());
        }
        // The host is only repeated in the refusal if it is a valid name.
        let named = host.filter(|host| host.len() <= LONGEST_HOST && host.parse::<Authority>().is_ok());
        let detail = match named {
            Some(host) => format!(
                "This server does not answer to the name {host}. Where that is your own name for it, such as \
                 that of a forwarded port, start it again with --allow-host {host}"
            ),
            None => {
                "This server does not answer to the host name that was asked for. Its settings can allow \
                     one: --allow-host NAME:PORT"
                    .to_owned()
            }
        };
        Err(Problem { status: 421, detail })
    }

    /// Checks that a write or a socket comes from one of our pages, or from a client that is no browser.
    ///
    /// A browser sends the page's origin with every write and every socket, and a page cannot change it. A
    /// strict cookie alone is not enough, since all ports of a machine are one site to browsers. A client
    /// that is no browser sends no origin, and no cookie.
    pub fn check_origin(&self, headers: &HeaderMap, by_cookie: bool) -> Result<(), Problem> {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
        let fits = match (text("origin"), text("sec-fetch-site")) {
            (Some(origin), _) => self.origins.contains(&origin.to_ascii_lowercase()),
            (None, Some(site)) => matches!(site, "same-origin" | "none"),
            (None, None) => !by_cookie,
        };
        if fits {
            return Ok(());
        }
        Err(Problem { status: 403, detail: self.refusal(text("origin")) })
    }

    /// Whether, as far as the settings tell, a browser reaches this host without HTTPS.
    pub fn is_plain(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        !host.is_some_and(|host| self.origins.contains(&format!("https://{}", host.to_ascii_lowercase())))
    }

    /// Why an origin is refused, and what to set. It is only repeated if it is a valid one.
    fn refusal(&self, origin: Option<&str>) -> String {
        let origin =
            origin.filter(|origin| origin.len() <= LONGEST_HOST).and_then(|origin| origin.parse().ok());
        match origin {
            Some(Origin { is_secure: false, host }) if self.origins.contains(&format!("https://{host}")) => {
                format!("This address needs https: open https://{host} instead.")
            }
            Some(origin) => format!(
                "This was sent by a page of {origin}, which is not known here as an address of this server. Where \
                 you open Pitwall under it, start the server again with --allow-origin {origin}"
            ),
            None => {
                "This was sent by a page of another site, or does not say from where it comes. The server's \
                     settings can allow an origin: --allow-origin https://NAME."
                    .to_owned()
            }
        }
    }
}
