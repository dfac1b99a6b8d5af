//! Parts of the OpenAPI document that hold for all routes: their refusals, and schemas with several readings.
//! A route itself only names refusals of its own.

use std::collections::BTreeMap;

use protocol::Problem;
use utoipa::{
    PartialSchema,
    openapi::{
        Components, ContentBuilder, OneOf, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
        path::{Operation, ParameterIn, PathItem},
        schema::{AnyOf, AnyOfBuilder},
    },
};

/// The meaning of each status of a refusal.
const REFUSALS: [(u16, &str); 12] = [
    (400, "The request cannot be read"),
    (401, "Nobody is signed in, or the token has ended"),
    (403, "The caller may not do this"),
    (404, "There is no such thing, or the caller may not know of it"),
    (409, "The request does not fit the present state"),
    (413, "The body is too large"),
    (415, "The body is not of the type that is taken"),
    (422, "The request can be read, but what it asks for cannot be"),
    (429, "There are too many of them at the moment"),
    (500, "The server failed; its log says more"),
    (503, "The server cannot store or read at the moment"),
    (507, "The disk is full"),
];

/// Completes the document that the routes describe.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for (status, meaning) in REFUSALS {
        components.responses.insert(name(status), RefOr::T(refusal(meaning)));
    }
    components.schemas.insert("Problem".to_owned(), Problem::schema());
    open(components);
    for item in document.paths.paths.values_mut() {
        refuse(item);
    }
}

fn name(status: u16) -> String {
    format!("Refused{status}")
}

fn refusal(meaning: &str) -> Response {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(meaning).content("application/problem+json", problem).build()
}

fn open(components: &mut Components) {
    // The derived schema describes the last variant as tagged, like the others.
    if let Some(RefOr::T(Schema::OneOf(body))) = components.schemas.get_mut("Body") {
        body.items.pop();
        body.items.push(RefOr::Ref(Ref::from_schema_name("UnknownBody")));
    }
    // What another version wrote is kept beside the kinds that are known: a known one is of its own kind, and
    // of the form that is kept as well.
    if let Some(RefOr::T(schema)) = components.schemas.get_mut("Body")
        && let Schema::OneOf(OneOf { items, description, .. }) = schema
    {
        let any = std::mem::take(items).into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
        *schema = Schema::AnyOf(AnyOf { description: description.take(), ..any.build() });
    }
}

fn refuse(item: &mut PathItem) {
    let writing = [&mut item.put, &mut item.post, &mut item.delete];
    for operation in writing.into_iter().flatten() {
        refuse_with(operation, &[403, 507]);
    }
    let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
    for operation in all.into_iter().flatten() {
        refuse_with(operation, &[401, 500, 503]);
        let parameters = operation.parameters.iter().flatten();
        let places: Vec<ParameterIn> = parameters
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some(parameter.parameter_in.clone()),
                RefOr::Ref(_) => None,
            })
            .collect();
        if places.contains(&ParameterIn::Path) {
            refuse_with(operation, &[404]);
        }
        if places.contains(&ParameterIn::Query) {
            refuse_with(operation, &[422]);
        }
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.required = Some(Required::True);
            refuse_with(operation, &[400, 413, 415, 422]);
        }
        let responses: &mut BTreeMap<String, RefOr<Response>> = &mut operation.responses.responses;
        for (status, _) in REFUSALS {
            if let Some(response) = responses.get_mut(&status.to_string()) {
                *response = RefOr::Ref(Ref::new(format!("#/components/responses/{}", name(status))));
            }
        }
    }
}

/// Adds refusals that a route does not name itself.
fn refuse_with(operation: &mut Operation, statuses: &[u16]) {
    for status in statuses {
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(Response::default()));
    }
}
