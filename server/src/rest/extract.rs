//! What handlers take and return: extractors and replies whose failures are sentences.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts},
};

use crate::problem::{BadRequest, ProblemResponse};

/// A JSON document, or the problem.
pub(crate) type Reply<T> = Result<Json<T>, ProblemResponse>;

/// A JSON body whose failures are sentences.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(BadRequest))]
pub(crate) struct JsonBody<T>(pub T);

/// Query parameters whose failures are sentences.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(BadRequest))]
pub(crate) struct Query<T>(pub T);

/// Parts of a path whose failures are sentences.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(BadRequest))]
pub(crate) struct Path<T>(pub T);
