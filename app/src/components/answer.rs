//! What a model answered: prose, or the form that it filled in.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::{Map, Value};

use super::{
    json::{self, MOST_ENTRIES},
    verbatim::Verbatim,
};
use crate::{format, legible::legible, markdown::Markdown};

/// An answer as Markdown. One that is a JSON object is shown by its fields, in the model's order.
#[component]
pub fn Answer(
    /// What the model wrote.
    #[prop(into)]
    text: Arc<str>,
) -> impl IntoView {
    match fields(&text) {
        Some(fields) => {
            let field = |(name, value): (String, Value)| view! { <dt>{legible(&format::field(&name)).into_owned()}</dt><dd>{shown(value)}</dd> };
            view! { <dl class="answer-fields">{fields.into_iter().map(field).collect_view()}</dl> }.into_any()
        }
        None => view! { <Markdown text /> }.into_any(),
    }
}

/// The fields of a JSON object; `None` for anything else, such as the beginning of one.
fn fields(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim();
    let is_braced = text.starts_with('{') && text.ends_with('}');
    match is_braced.then(|| json::read(text)).flatten()? {
        Value::Object(fields) if (1..=MOST_ENTRIES).contains(&fields.len()) => Some(fields),
        _ => None,
    }
}

fn shown(value: Value) -> AnyView {
    match value {
        Value::String(text) if !text.trim().is_empty() => view! { <Markdown text /> }.into_any(),
        Value::String(_) | Value::Null => view! { <span class="dim">"left empty"</span> }.into_any(),
        Value::Array(values) if values.is_empty() => view! { <span class="dim">"none"</span> }.into_any(),
        Value::Bool(is_so) => if is_so { "yes" } else { "no" }.into_any(),
        Value::Number(number) => number.to_string().into_any(),
        Value::Array(values) if values.len() <= MOST_ENTRIES && values.iter().all(Value::is_string) => {
            let entries = values.iter().filter_map(Value::as_str).map(|entry| {
                view! { <li><Markdown text=entry /></li> }
            });
            view! { <ul class="prose">{entries.collect_view()}</ul> }.into_any()
        }
        nested => view! { <Verbatim text=legible(&format!("{nested:#}")).into_owned() /> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        view! { <Answer text /> }.to_html()
    }

    #[test]
    fn a_form_is_shown_by_its_fields_in_the_model_s_order() {
        let html = html(
            r#"{"stop_loss": 12.50, "thesis": "It **falls**.", "held": false, "risks": ["rates", "oil"], "sells": []}"#,
        );
        let places: Vec<_> = [
            "Stop loss",
            "12.5",
            "Thesis",
            "<strong>",
            "falls",
            "Held",
            "no",
            "Risks",
            "<li",
            "rates",
            "oil",
            "Sells",
            "none",
        ]
        .map(|part| html.find(part).unwrap_or_else(|| panic!("{part} in {html}")))
        .to_vec();
        assert!(places.is_sorted(), "{html}");
        assert!(!html.contains('{'), "{html}");
    }

    #[test]
    fn prose_and_what_is_no_whole_object_stay_as_they_are() {
        for text in ["It **falls**.", r#"{"grade": "se"#, "{}", "{braced}", r#"["a"]"#] {
            assert!(!html(text).contains("<dl"), "{text}");
        }
    }

    #[test]
    fn a_form_of_any_depth_or_size_is_shown() {
        let deep = |levels: usize| format!(r#"{{"a": {}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
        let wide = format!(r#"{{"a": [{}"x"]}}"#, r#""x","#.repeat(20_000));
        let fields: String = (0..20_000).map(|field| format!(r#""f{field}": 1,"#)).collect();
        let swollen = format!(r#"{{"a": {}{}1{}}}"#, "[".repeat(120), "1,".repeat(60_000), "]".repeat(120));
        for text in [deep(20), deep(120), deep(400_000), wide, format!("{{{fields}\"last\": 1}}"), swollen] {
            let html = html(&text);
            assert!(html.len() < 10 * text.len() + 1_000, "{} for {text:.60}", html.len());
            assert!(html.matches("<").count() < 5_000, "{text:.60}");
        }
    }

    #[test]
    fn control_characters_in_a_form_are_replaced() {
        let html = html(r#"{"a\u0000": "b\u0000", "c": {"d": ["\u0001", "e"]}, "f": ["g\u0002"]}"#);
        assert!(!html.contains(['\0', '\u{1}', '\u{2}']), "{html:?}");
        assert!(html.matches('\u{fffd}').count() == 3, "{html:?}");
    }

    #[test]
    fn a_field_is_as_harmless_as_prose() {
        let html = html(r#"{"<script>": "<script>alert(1)</script>", "deep": {"a": ["<img src=x>"]}}"#);
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }
}
