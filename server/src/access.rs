//! Access control: every request passes [`guard`], and leaves it with a [`Caller`].
//!
//! - `admission`: the right to open a socket, and how many one account may have
//! - `caller`: the authenticated caller and its permissions
//! - `request_head`, `cookies`, `origin`: the parts of HTTP that the rules read and write
//! - `refusal`: the responses to requests that are not let in
//! - `proxy`: the client's address behind a trusted proxy

mod admission;
mod caller;
mod cookies;
mod origin;
mod proxy;
mod refusal;
mod request_head;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ::accounts::{Accounts, AccountsError, Credential, CredentialKind, RandomToken, same_secret};
use axum::{
    body::{Body, HttpBody},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use http_body_util::Limited;
use protocol::{AccessMode, AccountId, Problem, Role, RunId};

pub use admission::Admission;
pub use caller::{Caller, RequestContext};
use cookies::Cookies;
use origin::AllowedOrigins;
use proxy::Proxies;
use refusal::{NOT_FROM_THERE, NOT_THIS_NAME, refused_page, unauthorized};
use request_head::RequestHead;

use crate::{
    base_path::BasePath,
    config::AccessOptions,
    error::ServeError,
    headers::{escape, protect},
    limits::LONGEST_ADDRESS,
    problem::{ProblemResponse, from_accounts, too_large},
};

/// The path of the sign-in form, and of its target.
pub const SIGN_IN: &str = "/sign-in";

/// The peer address of a connection.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub SocketAddr);

/// The access rules of one server.
pub struct Access {
    mode: AccessMode,
    base: BasePath,
    token: Option<String>,
    accounts: Accounts,
    allowed: AllowedOrigins,
    proxies: Proxies,
    cookies: Cookies,
    session_life: Duration,
    slots: admission::SocketSlots,
}

impl Access {
    /// The rules for a server that listens at `address` and serves below `base`.
    ///
    /// # Errors
    /// The settings would let strangers in.
    pub async fn new(
        options: &AccessOptions,
        base: BasePath,
        accounts: Accounts,
        address: SocketAddr,
    ) -> Result<Self, ServeError> {
        let mode = mode(options, &accounts, address.ip()).await?;
        let token = match (mode, &options.token) {
            (AccessMode::Token, Some(token)) => Some(token.reveal().to_owned()),
            (AccessMode::Token, None) => Some(RandomToken::new().reveal().to_owned()),
            (AccessMode::Open | AccessMode::Accounts, _) => None,
        };
        let allowed = AllowedOrigins::new(address, &options.allow_host, &options.allow_origin);
        Ok(Self {
            mode,
            token,
            accounts,
            cookies: Cookies::new(address.port(), allowed.is_secure(), &base),
            base,
            allowed,
            proxies: Proxies(options.trusted_proxy.clone()),
            session_life: options.session_life,
            slots: admission::SocketSlots::new(options.sockets_per_account),
        })
    }

    /// Who the server lets in.
    pub fn mode(&self) -> AccessMode {
        self.mode
    }

    /// The address to open, with the token where there is one.
    pub fn address_to_open(&self, address: SocketAddr) -> String {
        match &self.token {
            Some(token) => format!("http://{address}{}?token={token}", self.base.at("/")),
            None => format!("http://{address}{}", self.base.as_str()),
        }
    }

    /// The accounts and their credentials.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Whether this is the server's own token.
    pub fn is_token(&self, given: &str) -> bool {
        self.token.as_ref().is_some_and(|token| same_secret(token, given))
    }

    /// Begins a session and returns its cookie.
    ///
    /// # Errors
    /// The session cannot be stored.
    pub async fn begin_session(&self, account: &AccountId) -> Result<HeaderValue, AccountsError> {
        let session = self.accounts.begin_session(account, self.session_life).await?;
        Ok(self.cookies.set_session(session.token.reveal(), self.session_life))
    }

    /// The cookie that takes the session away.
    pub fn end_session_cookie(&self) -> HeaderValue {
        self.cookies.end_session()
    }

    /// Whether the browser sent a session's cookie.
    pub fn has_session_cookie(&self, headers: &HeaderMap) -> bool {
        self.cookies.session(headers).is_some()
    }

    /// Whether, as far as the settings tell, a browser reaches a server that needs HTTPS without it.
    pub fn lacks_https(&self, headers: &HeaderMap) -> bool {
        self.allowed.is_secure() && self.allowed.is_plain(headers)
    }

    /// A browser that follows a link from another site withholds a strict cookie. A step from this page of our
    /// own carries it.
    pub fn step_within(&self, headers: &HeaderMap, address: &str) -> Option<Response> {
        let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        (site == Some("cross-site")).then(|| {
            let address = escape(&self.base.at(address));
            let page = format!(
                "<!DOCTYPE html><html lang=\"en\"><title>Pitwall</title>\
                 <meta http-equiv=\"refresh\" content=\"0;url={address}\"><a href=\"{address}\">Go on</a></html>"
            );
            (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
        })
    }

    /// Authenticates a request. `None`: without valid credentials.
    async fn caller(&self, request: &RequestHead<'_>) -> Result<Option<Caller>, AccountsError> {
        let shared = self.shared(request.headers).await?;
        let known = match self.mode {
            AccessMode::Open => Some(Caller::local(None)),
            _ => match request.token() {
                Some(token) if self.is_token(token) => Some(Caller::local(None)),
                Some(token) => self.by_credential(self.accounts.token(token).await?),
                None => match self.cookies.session(request.headers) {
                    Some(token) => self.by_credential(self.accounts.session(token).await?),
                    None => None,
                },
            },
        };
        let caller = match known {
            Some(caller) if caller.role() == Some(Role::Viewer) => {
                Some(caller.with_shared(self.accounts.shared_with_viewers().await?))
            }
            known => known,
        };
        if shared.is_empty() {
            return Ok(caller);
        }
        let caller = caller.unwrap_or_else(Caller::nobody);
        Ok(Some(caller.with_shared(shared)))
    }

    fn by_credential(&self, credential: Option<Credential>) -> Option<Caller> {
        let credential = credential?;
        match (self.mode, credential.role) {
            // The account `local` of a server without accounts has no row.
            (AccessMode::Token, _) if credential.account == AccountId::local() => {
                Some(Caller::local(Some(credential)))
            }
            (AccessMode::Accounts, Some(role)) => Some(Caller::account(role, credential)),
            _ => None,
        }
    }

    /// The runs whose share links this browser has opened.
    async fn shared(&self, headers: &HeaderMap) -> Result<Vec<(RunId, Credential)>, AccountsError> {
        let mut shared = Vec::new();
        for token in self.cookies.shares(headers) {
            if let Some(credential) = self.accounts.shared(token).await?
                && let CredentialKind::Share(run) = credential.kind
            {
                shared.push((run, credential));
            }
        }
        Ok(shared)
    }
}

/// Refuses settings that would let strangers in.
async fn mode(options: &AccessOptions, accounts: &Accounts, ip: IpAddr) -> Result<AccessMode, ServeError> {
    let any = accounts.any().await?;
    if options.no_auth && !ip.is_loopback() {
        return Err(ServeError::OpenToAll(ip));
    }
    if any && !options.no_auth {
        return Ok(AccessMode::Accounts);
    }
    if !ip.is_loopback() {
        return Err(ServeError::NoAccounts(ip));
    }
    match &options.token {
        _ if options.no_auth => Ok(AccessMode::Open),
        Some(token) if token.reveal().len() < 16 => Err(ServeError::ShortToken),
        _ => Ok(AccessMode::Token),
    }
}

/// The middleware in front of all routes: checks host, origin and credentials.
pub async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let is_page = RequestHead::new(&request).is_page();
    let mut response = match admit(&access, request).await {
        Ok(request) => next.run(request).await,
        Err(answer) => answer,
    };
    protect(response.headers_mut(), is_page);
    response
}

/// The request with its caller, or the response that refuses it.
async fn admit(access: &Access, request: Request) -> Result<Request, Response> {
    let refuse = |problem: Problem| ProblemResponse(problem).into_response();
    let peer =
        request.extensions().get::<PeerAddress>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let client = access.proxies.client(peer, request.headers());
    let head = RequestHead::new(&request);
    if head.uri.path() == "/healthz" {
        return Ok(request);
    }
    access.allowed.check_host(head.uri, head.headers).map_err(|problem| match head.wants_html() {
        true => refused_page(&problem, &NOT_THIS_NAME),
        false => refuse(problem),
    })?;
    check_size(&head, &request).map_err(refuse)?;
    if let Some(answer) = swap_token(access, &head).await? {
        return Err(answer);
    }
    let caller = access.caller(&head).await.map_err(|error| refuse(from_accounts(error)))?;
    if head.is_write() || head.is_socket() {
        let by_cookie = head.token().is_none() && access.cookies.any(head.headers);
        access.allowed.check_origin(head.headers, by_cookie).map_err(|problem| match head.is_form() {
            true => refused_page(&problem, &NOT_FROM_THERE),
            false => refuse(problem),
        })?;
    }
    let caller = match caller {
        Some(caller) => caller,
        None if head.is_public() => Caller::nobody(),
        None if head.is_page() => return Err(to_sign_in(access, &head)),
        None => return Err(unauthorized(access.mode)),
    };
    let largest_body = head.largest_body();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(RequestContext { caller, peer: client });
    let body = Body::new(Limited::new(body, largest_body));
    Ok(Request::from_parts(parts, body))
}

fn check_size(head: &RequestHead<'_>, request: &Request) -> Result<(), Problem> {
    if head.uri.path_and_query().is_some_and(|address| address.as_str().len() > LONGEST_ADDRESS) {
        let detail = format!("The address is longer than {LONGEST_ADDRESS} bytes.");
        return Err(Problem { status: 414, detail });
    }
    let most = head.largest_body();
    if request.body().size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    Ok(())
}

/// Exchanges a token in a page's URL for a session cookie, and redirects to the URL without it.
async fn swap_token(access: &Access, head: &RequestHead<'_>) -> Result<Option<Response>, Response> {
    let Some(token) = head.query_token().filter(|_| head.is_page() && !head.is_public()) else {
        return Ok(None);
    };
    let address = head.without_token();
    if !access.is_token(token) {
        return Ok((access.mode == AccessMode::Token).then(|| Redirect::to(SIGN_IN).into_response()));
    }
    let cookie = access.begin_session(&AccountId::local()).await;
    let cookie = cookie.map_err(|error| ProblemResponse(from_accounts(error)).into_response())?;
    Ok(Some(([(header::SET_COOKIE, cookie)], Redirect::to(&kept_then(&address))).into_response()))
}

/// Redirects a page that needs authentication to the sign-in form.
fn to_sign_in(access: &Access, head: &RequestHead<'_>) -> Response {
    let address = head.uri.path_and_query().map_or("/", |address| address.as_str());
    if let Some(step) = access.step_within(head.headers, address) {
        return step;
    }
    let form = match address {
        "/" => SIGN_IN.to_owned(),
        _ => format!("{SIGN_IN}?next={}", encoded(address)),
    };
    Redirect::to(&form).into_response()
}

/// A text within the query of an address.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The address that checks whether the browser kept the cookie of this response, and then redirects to
/// `next`.
pub fn kept_then(next: &str) -> String {
    format!("{SIGN_IN}/kept?next={}", encoded(next))
}

/// `GET /s/{token}`: stores the link's token in a cookie, and redirects to its run.
pub async fn open_share(
    State(access): State<Arc<Access>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ProblemResponse> {
    let shared = access.accounts.shared(&token).await.map_err(from_accounts)?;
    match shared.map(|credential| credential.kind) {
        Some(CredentialKind::Share(run)) => {
            let cookie = access.cookies.add_share(&headers, &token);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&format!("/runs/{run}"))).into_response())
        }
        _ => Err(Problem::not_found("This link leads nowhere: it was revoked, or has expired.").into()),
    }
}
