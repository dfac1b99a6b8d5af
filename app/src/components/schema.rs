//! Fields for the properties of a JSON schema: what a question asks for, and what a run takes.

mod field;
mod search_input;
mod texts_field;

use std::collections::BTreeMap;

use protocol::{Date, parse_date};
use serde_json::Value;

pub use self::{
    field::{Note, SchemaField},
    texts_field::TextsField,
};
use crate::{browser::lowercase, components::json::MOST_ENTRIES, format, legible::legible};

/// A property as a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is for.
    pub hint: Option<String>,
    /// What it may look like.
    pub example: Option<String>,
    /// What all that it offers is called.
    pub list: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// Whether the server has something to say of it while it is typed.
    pub is_checked: bool,
    /// What it takes.
    pub kind: Kind,
    /// What stands there at first: its default, as it would be typed.
    pub initial: String,
    /// What is said of a value that does not satisfy a keyword of the schema.
    messages: Vec<(String, String)>,
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of these; typed as its JSON.
    Choice(Vec<Choice>),
    /// One of many texts; typed as itself, in any case.
    Search(Vec<Choice>),
    /// Any of these, and at least so many; typed as a JSON list.
    Several(Vec<Choice>, usize),
    /// Texts by names that another field's value demands; typed as a JSON object.
    Texts(Vec<Demand>),
    /// A day from the first to the last.
    Day(Option<Date>, Option<Date>),
    /// Anything else, as JSON.
    Json,
}

/// Names that are needed where another field has a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// The other field, by its name.
    pub field: String,
    /// The value that it has then.
    pub value: Value,
    /// The names.
    pub names: Vec<String>,
}

/// One of the values that a field offers.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The value.
    pub value: Value,
    /// Its name for people.
    pub title: String,
    /// What is to be said of it.
    pub detail: Option<String>,
}

impl Choice {
    /// The value as people write it.
    pub fn word(&self) -> String {
        word(&self.value)
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The fields of an object's schema, in their order; `None` for any other schema, and for one with
/// more properties than a person can fill in.
pub fn fields(schema: &Value) -> Option<Vec<Field>> {
    let properties = schema.get("properties")?.as_object()?;
    if schema.get("type").is_some_and(|kind| kind != "object")
        || !(1..=MOST_ENTRIES).contains(&properties.len())
    {
        return None;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        required.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    };
    let field = |(name, property): (&String, &Value)| {
        let kind = kind_of(property, || demands(schema, name));
        let messages = property.get("errorMessage").and_then(Value::as_object);
        let messages = messages.into_iter().flatten();
        Field {
            name: name.clone(),
            title: said(property, "title").unwrap_or_else(|| words(&format::field(name))),
            hint: said(property, "description"),
            example: property.get("examples").and_then(|all| all.get(0)?.as_str()).map(words),
            list: said(property, "x-list"),
            required: is_required(name),
            is_checked: property.get("x-checked").is_some_and(|checked| checked == true),
            initial: property.get("default").map(|value| typed(&kind, value)).unwrap_or_default(),
            messages: messages
                .filter_map(|(keyword, text)| Some((keyword.clone(), words(text.as_str()?))))
                .collect(),
            kind,
        }
    };
    Some(properties.iter().map(field).collect())
}

fn words(text: &str) -> String {
    legible(text).into_owned()
}

fn said(schema: &Value, key: &str) -> Option<String> {
    schema.get(key).and_then(Value::as_str).map(words)
}

/// What other fields demand of a property: the conditions in `allOf` that name one value of one other property, and then
/// names that this one has to have.
fn demands(schema: &Value, name: &str) -> Vec<Demand> {
    let conditions = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().take(MOST_ENTRIES);
    let demand = |condition: &Value| {
        let (field, other) = condition.pointer("/if/properties")?.as_object()?.iter().next()?;
        let names = condition.get("then")?.get("properties")?.get(name)?.get("required")?.as_array()?;
        let names = names.iter().take(MOST_ENTRIES).filter_map(Value::as_str).map(str::to_owned);
        Some(Demand { field: field.clone(), value: other.get("const")?.clone(), names: names.collect() })
    };
    conditions.filter_map(demand).collect()
}

fn kind_of(property: &Value, demands: impl FnOnce() -> Vec<Demand>) -> Kind {
    if let Some(choices) = choices_of(property) {
        let is_searched = property.pointer("/errorMessage/search").is_some();
        return if is_searched { Kind::Search(choices) } else { Kind::Choice(choices) };
    }
    let day = |key: &str| property.get(key).and_then(Value::as_str).and_then(parse_date);
    match property.get("type").and_then(Value::as_str) {
        Some("string") if property.get("format").is_some_and(|format| format == "date") => {
            Kind::Day(day("formatMinimum"), day("formatMaximum"))
        }
        Some("string") => Kind::Text,
        Some("number") => Kind::Number,
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        Some("array") => match property.get("items").and_then(choices_of) {
            Some(choices) => {
                let least = property.get("minItems").and_then(Value::as_u64).unwrap_or(0);
                Kind::Several(choices, usize::try_from(least).unwrap_or(usize::MAX))
            }
            None => Kind::Json,
        },
        Some("object")
            if property.pointer("/additionalProperties/type").is_some_and(|kind| kind == "string") =>
        {
            Kind::Texts(demands())
        }
        _ => Kind::Json,
    }
}

/// The values that a schema lists; `None` where it lists none, or more than can be drawn.
fn choices_of(schema: &Value) -> Option<Vec<Choice>> {
    let listed =
        |key: &str| schema.get(key).and_then(Value::as_array).filter(|all| all.len() <= MOST_ENTRIES);
    if let Some(values) = listed("enum") {
        let choice =
            |value: &Value| Choice { value: value.clone(), title: words(&word(value)), detail: None };
        return Some(values.iter().map(choice).collect());
    }
    let choice = |option: &Value| {
        let value = option.get("const")?.clone();
        let title = said(option, "title").unwrap_or_else(|| words(&word(&value)));
        Some(Choice { value, title, detail: said(option, "description") })
    };
    listed("oneOf")?.iter().map(choice).collect()
}

/// Texts by their names, as they are typed.
fn texts(typed: &str) -> BTreeMap<String, String> {
    let Ok(Value::Object(texts)) = serde_json::from_str(typed) else { return BTreeMap::new() };
    let text = |(name, text): (String, Value)| Some((name, text.as_str()?.to_owned()));
    texts.into_iter().filter_map(text).collect()
}

fn json_of(texts: BTreeMap<String, String>) -> Value {
    texts
        .into_iter()
        .map(|(name, text)| (name, Value::String(text)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A value as it would be typed.
fn typed(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::Text | Kind::Search(_) | Kind::Day(..), Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

impl Field {
    /// What the schema says of a value that does not satisfy this keyword.
    pub fn message(&self, keyword: &str) -> Option<&str> {
        self.messages.iter().find(|(known, _)| known == keyword).map(|(_, text)| text.as_str())
    }

    fn fault(&self, keyword: &str, given: &str, otherwise: &str) -> String {
        self.message(keyword).unwrap_or(otherwise).replace("{}", given)
    }

    /// The value that was typed; `None` where an optional field was left empty.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn read(&self, typed: &str) -> Result<Option<Value>, String> {
        let typed = typed.trim();
        if typed.is_empty() && !matches!(self.kind, Kind::Several(..) | Kind::Day(..)) {
            return if self.required { Err(self.fault("required", "", "This is needed.")) } else { Ok(None) };
        }
        let value = match &self.kind {
            Kind::Text => Value::String(typed.to_owned()),
            Kind::Integer => {
                Value::from(typed.parse::<i64>().map_err(|_| "Write a whole number, such as 10.")?)
            }
            Kind::Number => {
                Value::Number(serde_json::from_str(typed).map_err(|_| "Write a number, such as 1.5.")?)
            }
            Kind::Boolean => serde_json::from_str(typed).map_err(|_| "Choose one of these.".to_owned())?,
            Kind::Choice(choices) => {
                let value: Option<Value> = serde_json::from_str(typed).ok();
                let known = value.filter(|value| choices.iter().any(|choice| choice.value == *value));
                known.ok_or_else(|| self.fault("oneOf", typed, "Choose one of these."))?
            }
            Kind::Search(choices) => {
                let wanted = lowercase(typed);
                let known = choices.iter().find(|choice| lowercase(&choice.word()) == wanted);
                let known = known.map(|choice| choice.value.clone());
                known.ok_or_else(|| self.fault("oneOf", typed, "Choose one from the list."))?
            }
            Kind::Several(choices, least) => {
                let chosen: Vec<Value> = serde_json::from_str(typed).unwrap_or_default();
                let chosen: Vec<Value> = choices
                    .iter()
                    .map(|choice| &choice.value)
                    .filter(|it| chosen.contains(it))
                    .cloned()
                    .collect();
                if chosen.len() < *least {
                    return Err(self.fault("minItems", typed, "Choose more of these."));
                }
                Value::Array(chosen)
            }
            Kind::Day(first, last) => {
                if typed.is_empty() && !self.required {
                    return Ok(None);
                }
                match parse_date(typed) {
                    None => return Err(self.fault("format", typed, "Choose a day.")),
                    Some(day) if first.is_some_and(|first| day < first) => {
                        return Err(self.fault("formatMinimum", typed, "Choose a later day."));
                    }
                    Some(day) if last.is_some_and(|last| day > last) => {
                        return Err(self.fault("formatMaximum", typed, "Choose an earlier day."));
                    }
                    Some(day) => Value::String(day.to_string()),
                }
            }
            Kind::Json | Kind::Texts(_) => {
                serde_json::from_str(typed).map_err(|error| format!("This is not valid JSON: {error}."))?
            }
        };
        Ok(Some(value))
    }

    /// The names that it needs, by what is typed into the other fields; none where it takes no texts by names.
    pub fn names<'t>(&self, typed: impl Fn(&str) -> Option<Value> + 't) -> Vec<String> {
        let Kind::Texts(demands) = &self.kind else { return Vec::new() };
        let holds = |demand: &&Demand| typed(&demand.field).as_ref() == Some(&demand.value);
        demands.iter().filter(holds).flat_map(|demand| demand.names.iter().cloned()).collect()
    }

    /// The texts under these names that were typed; `None` where there are no names.
    ///
    /// # Errors
    /// Which of them are empty, in a sentence.
    pub fn read_texts(&self, typed: &str, names: &[String]) -> Result<Option<Value>, String> {
        if names.is_empty() {
            return Ok(None);
        }
        let mut texts = texts(typed);
        texts.retain(|name, text| names.contains(name) && !text.trim().is_empty());
        let lacking: Vec<String> =
            names.iter().filter(|name| !texts.contains_key(*name)).map(|name| words(name)).collect();
        if !lacking.is_empty() {
            return Err(self.fault("required", &lacking.join(", "), "Fill in all of these."));
        }
        Ok(Some(json_of(texts)))
    }

    /// What would be typed for a value, such as one of an earlier run; `None` if the field does not take it.
    pub fn typed_value(&self, value: &Value) -> Option<String> {
        let typed = typed(&self.kind, value);
        self.read(&typed).is_ok().then_some(typed)
    }

    /// What would be typed for a word of an address; `None` if the field does not take it.
    pub fn typed_of(&self, word: &str) -> Option<String> {
        let typed = match &self.kind {
            Kind::Choice(choices) => choices.iter().find(|choice| choice.word() == word)?.value.to_string(),
            _ => word.to_owned(),
        };
        self.read(&typed).ok().flatten().map(|_| typed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "size_limit": { "type": "integer", "description": "Shares at most", "default": 10 },
                "mood": { "enum": ["calm", "bold"] },
                "hedge": { "type": "boolean", "title": "Hedge it" },
                "share": { "type": "number" },
                "notes": { "type": "array" },
                "why": { "type": "string" }
            },
            "required": ["size_limit", "why"]
        })
    }

    #[test]
    fn every_property_becomes_a_field_that_fits_its_type() {
        let fields = fields(&schema()).unwrap();
        let kinds: Vec<_> = fields.iter().map(|field| (field.title.as_str(), &field.kind)).collect();
        let mood = |word: &str| Choice { value: json!(word), title: word.into(), detail: None };
        let moods = Kind::Choice(vec![mood("calm"), mood("bold")]);
        assert_eq!(
            kinds,
            [
                ("Size limit", &Kind::Integer),
                ("Mood", &moods),
                ("Hedge it", &Kind::Boolean),
                ("Share", &Kind::Number),
                ("Notes", &Kind::Json),
                ("Why", &Kind::Text)
            ]
        );
        assert_eq!((fields[0].required, fields[0].initial.as_str()), (true, "10"));
        assert_eq!(fields[0].hint.as_deref(), Some("Shares at most"));
    }

    #[test]
    fn what_is_typed_becomes_a_value_or_a_sentence() {
        let fields = fields(&schema()).unwrap();
        assert_eq!(fields[0].read(" 12 "), Ok(Some(json!(12))));
        assert!(fields[0].read("1.5").is_err());
        assert!(fields[0].read("").is_err());
        assert_eq!(fields[1].read("\"bold\""), Ok(Some(json!("bold"))));
        assert_eq!(fields[2].read("true"), Ok(Some(json!(true))));
        assert_eq!(fields[3].read("1.5"), Ok(Some(json!(1.5))));
        assert_eq!(fields[3].read(""), Ok(None));
        assert!(fields[4].read("[1").unwrap_err().contains("not valid JSON"));
        assert_eq!(fields[5].read("because"), Ok(Some(json!("because"))));
    }

    #[test]
    fn a_schema_of_any_size_is_asked_for_in_a_form_that_can_be_drawn() {
        let many = |count: usize| {
            (0..count).map(|name| (name.to_string(), json!({}))).collect::<serde_json::Map<_, _>>()
        };
        assert_eq!(fields(&json!({ "properties": many(100_000) })), None);
        let options = (0..100_000).map(Value::from).collect::<Vec<_>>();
        let fields =
            fields(&json!({ "properties": { "a\0": { "enum": options, "description": "b\0" } } })).unwrap();
        assert_eq!((&fields[0].kind, fields[0].title.as_str()), (&Kind::Json, "A\u{fffd}"));
        assert_eq!((fields[0].name.as_str(), fields[0].hint.as_deref()), ("a\0", Some("b\u{fffd}")));
    }

    #[test]
    fn a_schema_that_is_no_object_has_no_fields() {
        assert_eq!(fields(&json!({ "type": "array" })), None);
        assert_eq!(fields(&json!({ "type": "object" })), None);
    }

    fn of_a_run() -> Vec<Field> {
        let schema = json!({
            "type": "object",
            "properties": {
                "stock": {
                    "type": "string",
                    "oneOf": [{ "const": "KO", "title": "Coca-Cola" }, { "const": "PEP", "title": "PepsiCo" }],
                    "default": "KO",
                    "errorMessage": { "required": "Type one.", "oneOf": "There is no \"{}\".", "search": "None." }
                },
                "day": {
                    "type": "string", "format": "date", "formatMinimum": "2016-01-04", "formatMaximum": "2022-12-30",
                    "errorMessage": { "format": "From … to ….", "formatMaximum": "Too late." }
                },
                "who": {
                    "type": "array", "minItems": 1,
                    "items": { "oneOf": [{ "const": "a", "title": "A", "description": "first" }, { "const": "b" }] },
                    "default": ["a", "b"],
                    "errorMessage": { "minItems": "Choose at least one." }
                },
                "book": { "type": "string", "oneOf": [] }
            },
            "required": ["stock", "day", "who", "book"]
        });
        fields(&schema).unwrap()
    }

    #[test]
    fn a_search_takes_a_listed_word_in_any_case_and_says_what_the_schema_says_else() {
        let stock = &of_a_run()[0];
        assert_eq!(stock.initial, "KO");
        assert_eq!(stock.read(" pep"), Ok(Some(json!("PEP"))));
        assert_eq!(stock.read("XYZ"), Err("There is no \"XYZ\".".into()));
        assert_eq!(stock.read(""), Err("Type one.".into()));
    }

    #[test]
    fn a_day_must_lie_in_its_range() {
        let day = &of_a_run()[1];
        assert_eq!(day.read("2022-06-30"), Ok(Some(json!("2022-06-30"))));
        assert_eq!(day.read("2022-12-31"), Err("Too late.".into()));
        assert!(day.read("2016-01-03").is_err());
        assert_eq!(day.read(""), Err("From … to ….".into()));
    }

    #[test]
    fn of_several_those_that_are_listed_are_taken_in_the_order_of_the_list() {
        let who = &of_a_run()[2];
        assert_eq!(who.initial, r#"["a","b"]"#);
        assert_eq!(who.read(r#"["b","x","a"]"#), Ok(Some(json!(["a", "b"]))));
        for none in ["[]", "", "[1"] {
            assert_eq!(who.read(none), Err("Choose at least one.".into()), "{none}");
        }
    }

    #[test]
    fn texts_are_asked_for_by_the_names_that_another_fields_value_demands() {
        let asks = |team: &str, names: Value| {
            json!({ "if": { "properties": { "team": { "const": team } } },
                "then": { "properties": { "inputs": { "required": names } } } })
        };
        let schema = json!({ "type": "object", "properties": {
            "team": { "type": "string" },
            "inputs": { "type": "object", "additionalProperties": { "type": "string" }, "default": {},
                "errorMessage": { "required": "Fill in {}." } } },
            "allOf": [asks("crew", json!(["topic", "year"])), asks("other", json!(["place"])), { "if": 7 }, null] });
        let inputs = &fields(&schema).unwrap()[1];
        let of_team = |team: &'static str| inputs.names(move |field| (field == "team").then(|| json!(team)));
        assert_eq!(
            (of_team("crew"), of_team("plain")),
            (vec!["topic".to_owned(), "year".to_owned()], vec![])
        );
        let read = |typed: &str| inputs.read_texts(typed, &of_team("crew"));
        assert_eq!(read("{}"), Err("Fill in topic, year.".into()));
        assert_eq!(read(r#"{"topic":"bees","year":"  "}"#), Err("Fill in year.".into()));
        // What was typed for another team does not go along.
        let typed = r#"{"topic":"bees","year":"2026","place":"Bonn"}"#;
        assert_eq!(read(typed), Ok(Some(json!({ "topic": "bees", "year": "2026" }))));
        assert_eq!(inputs.read_texts(typed, &[]), Ok(None));
        for odd in ["", "[1", "7", r#"{"topic":7}"#] {
            assert_eq!(read(odd), Err("Fill in topic, year.".into()), "{odd}");
        }
    }

    #[test]
    fn a_word_of_an_address_is_taken_where_the_field_takes_it() {
        let fields = of_a_run();
        assert_eq!(fields[0].typed_of("pep").as_deref(), Some("pep"));
        assert_eq!(fields[0].typed_of("../etc"), None);
        assert_eq!(fields[1].typed_of("2022-06-30").as_deref(), Some("2022-06-30"));
        assert_eq!(fields[3].typed_of("main"), None, "nothing is listed");
    }
}
