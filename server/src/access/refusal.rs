//! The responses to requests that are not let in.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use protocol::{AccessMode, Problem};

use crate::{headers::escape, problem::ProblemResponse};

/// The response to a program without valid credentials.
pub fn unauthorized(mode: AccessMode) -> Response {
    let detail = match mode {
        AccessMode::Accounts => {
            "Sign in first: send a token as \"Authorization: Bearer …\", or as ?token=… on a socket. \
             POST /api/v1/tokens gives one for a name and a password."
        }
        AccessMode::Open | AccessMode::Token => {
            "Sign in first: send the token that the server printed at its start as \
             \"Authorization: Bearer …\", or as ?token=… on a socket."
        }
    };
    let problem = Problem { status: 401, detail: detail.to_owned() };
    ([(header::WWW_AUTHENTICATE, "Bearer")], ProblemResponse(problem)).into_response()
}

/// The texts around a problem that is shown as a page.
pub struct Refusal {
    heading: &'static str,
    why: &'static str,
}

/// The host is not one of this server's names.
pub const NOT_THIS_NAME: Refusal = Refusal {
    heading: "Pitwall is not opened under this name",
    why: "Other names are refused because a page of another site could otherwise lead a name of its own to this \
          machine and act as you.",
};

/// The form was sent by a page of another origin.
pub const NOT_FROM_THERE: Refusal = Refusal {
    heading: "Nobody can sign in from this address",
    why: "Other addresses are refused because a page of another site could otherwise act as you.",
};

/// A problem as a page of its own, for callers that cannot load the application either. The last words are a
/// setting to copy.
pub fn refused_page(problem: &Problem, Refusal { heading, why }: &Refusal) -> Response {
    let detail = escape(&problem.detail);
    let detail = match detail.split_once(" --allow-") {
        Some((words, setting)) => format!("{words} <code>--allow-{setting}</code>"),
        None => detail,
    };
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{heading}</title></head>\
         <body><main><h1>{heading}</h1><p>{detail}</p><p>{why}</p></main></body></html>"
    );
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::MISDIRECTED_REQUEST);
    (status, Html(page)).into_response()
}
