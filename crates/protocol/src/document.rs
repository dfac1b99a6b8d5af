//! Documents: what people make and keep, such as a team or a blueprint. Each belongs to one account, is of a
//! kind that a family offers, and keeps every version that was saved.

use std::{borrow::Cow, fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    InvalidId, Timestamp,
    id::{as_given, is_slug, text_id},
};

/// The most bytes of a document's content as JSON text without spaces. A request carries it with room to spare.
pub const LARGEST_CONTENT: usize = 512 * 1024;
/// The most levels of lists and objects within each other.
const DEEPEST_CONTENT: usize = 64;
/// The most characters of a title.
const LONGEST_TITLE: usize = 120;

/// One document; a UUID of version 7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct DocumentId(pub Uuid);

impl fmt::Display for DocumentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DocumentId({})", self.0)
    }
}

impl FromStr for DocumentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::new("document id", text, "it must be a UUID"))
    }
}

text_id!(
    /// A kind of document, such as `blueprint`. Which kinds there are is known to the families.
    DocumentKind,
    "kind of document",
    "it must have 1 to 64 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,64}$",
    as_given,
    |text| is_slug(text, 64)
);

text_id!(
    /// What a person calls a document.
    DocumentTitle,
    "title",
    "it must have 1 to 120 characters in one line, and not only spaces",
    r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
    as_given,
    |text| {
        text.chars().count() <= LONGEST_TITLE
            && !text.chars().any(char::is_control)
            && !text.trim().is_empty()
    },
    max_length = 120
);

impl DocumentTitle {
    /// What a copy is called, unless somebody says otherwise.
    #[must_use]
    pub fn of_copy(&self) -> Self {
        Self(format!("Copy of {}", self.0).chars().take(LONGEST_TITLE).collect::<String>().into())
    }
}

/// The number of a version: 1 for the first, and one more for each save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u32, minimum = 1))]
#[serde(transparent)]
pub struct DocumentVersion(NonZeroU32);

impl DocumentVersion {
    /// The version that a document begins with.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The version of this number; `None` for 0.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0.get()
    }

    /// The one that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for DocumentVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A document as a run names it: `id` as it is at the moment, or `id@3` for its version 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct DocumentReference {
    /// The document.
    pub id: DocumentId,
    /// The version; `None` for the newest one.
    pub version: Option<DocumentVersion>,
}

impl fmt::Display for DocumentReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(formatter, "{}@{version}", self.id),
            None => self.id.fmt(formatter),
        }
    }
}

impl FromStr for DocumentReference {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (id, version) = match text.split_once('@') {
            Some((id, version)) => {
                let version = version.parse().ok().and_then(DocumentVersion::new).ok_or_else(|| {
                    InvalidId::new("version of a document", version, "it must be a number from 1")
                })?;
                (id, Some(version))
            }
            None => (text, None),
        };
        Ok(Self { id: id.parse()?, version })
    }
}

impl TryFrom<Cow<'_, str>> for DocumentReference {
    type Error = InvalidId;

    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<DocumentReference> for String {
    fn from(reference: DocumentReference) -> Self {
        reference.to_string()
    }
}

/// What stands in a document: a JSON object of bounded size and depth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct DocumentContent(Map<String, Value>);

/// Why something is no [`DocumentContent`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContent {
    /// It has too many bytes.
    #[error("the content has {0} bytes, more than {LARGEST_CONTENT}")]
    TooLarge(usize),
    /// It is nested too deeply.
    #[error("the content has more than {DEEPEST_CONTENT} levels within each other")]
    TooDeep,
    /// It cannot be written as JSON.
    #[error("the content has no JSON form: {0}")]
    NoJson(String),
}

impl DocumentContent {
    /// The content with these fields.
    ///
    /// # Errors
    /// See [`InvalidContent`].
    pub fn new(fields: Map<String, Value>) -> Result<Self, InvalidContent> {
        if !fields.values().all(|value| is_within(value, DEEPEST_CONTENT - 1)) {
            return Err(InvalidContent::TooDeep);
        }
        let bytes =
            serde_json::to_string(&fields).map_err(|error| InvalidContent::NoJson(error.to_string()))?;
        if bytes.len() > LARGEST_CONTENT {
            return Err(InvalidContent::TooLarge(bytes.len()));
        }
        Ok(Self(fields))
    }

    /// Its fields, in the order in which they were given.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same as one JSON value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

impl Serialize for DocumentContent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<Map<String, Value>> for DocumentContent {
    type Error = InvalidContent;

    fn try_from(fields: Map<String, Value>) -> Result<Self, InvalidContent> {
        Self::new(fields)
    }
}

/// Whether a value has at most so many levels.
fn is_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => false,
        Value::Array(values) => values.iter().all(|value| is_within(value, levels - 1)),
        Value::Object(fields) => fields.values().all(|value| is_within(value, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// A document in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentSummary {
    /// The document.
    pub id: DocumentId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its title.
    pub title: DocumentTitle,
    /// Its newest version.
    pub version: DocumentVersion,
    /// Bytes of that version as JSON text.
    pub bytes: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved or renamed.
    pub changed_at: Timestamp,
}

/// A document at one of its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Document {
    /// How the document stands now.
    pub summary: DocumentSummary,
    /// The version whose content this is.
    pub version: DocumentVersion,
    /// What stood in that version.
    pub content: DocumentContent,
    /// What is wrong with the content by the present rules of its kind. An older version may have been saved
    /// under other rules. Empty where no family offers the kind any more.
    #[serde(default)]
    pub findings: Vec<DocumentFinding>,
}

/// Something that is wrong with a content, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentFinding {
    /// The place as a JSON pointer; empty for the content as a whole.
    pub place: String,
    /// What is wrong there, in a sentence.
    pub detail: String,
    /// How serious it is.
    pub severity: Severity,
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The content is not saved with it.
    Error,
    /// The content can be saved; a person should look at it.
    Warning,
}

/// A version in a document's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedVersion {
    /// Its number.
    pub version: DocumentVersion,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Bytes of its content as JSON text.
    pub bytes: u64,
}

/// A page of a document's history, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentHistory {
    /// The versions.
    pub versions: Vec<SavedVersion>,
    /// Whether there are older ones.
    pub more: bool,
}

/// Where a page of documents ends: the next one begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct DocumentCursor {
    /// When the last document of the page was changed.
    pub changed_at: Timestamp,
    /// That document, which tells it from others of the same moment.
    pub id: DocumentId,
}

impl FromStr for DocumentCursor {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parts = text.split_once('.').and_then(|(changed_at, id)| {
            Some(Self { changed_at: Timestamp(changed_at.parse().ok()?), id: id.parse().ok()? })
        });
        parts.ok_or_else(|| InvalidId::new("place in the list", text, "take it from the page before"))
    }
}

impl TryFrom<Cow<'_, str>> for DocumentCursor {
    type Error = InvalidId;

    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<DocumentCursor> for String {
    fn from(cursor: DocumentCursor) -> Self {
        format!("{}.{}", cursor.changed_at.0, cursor.id)
    }
}

/// Which documents to list, those that were changed last first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentFilter {
    /// Only documents of this kind.
    pub kind: Option<DocumentKind>,
    /// Words that the title must contain, in any case.
    pub search: String,
    /// Only documents after this place: the `next` of the page before.
    pub after: Option<DocumentCursor>,
    /// At most this many; the server allows 200.
    pub limit: Option<u32>,
}

/// A page of documents, those that were changed last first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentPage {
    /// The documents.
    pub documents: Vec<DocumentSummary>,
    /// Where the next page begins, if there is one.
    pub next: Option<DocumentCursor>,
}

/// A kind of document, as its family describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentKindSpec {
    /// The kind.
    pub kind: DocumentKind,
    /// The family that it belongs to, as a slug.
    pub family: String,
    /// What one is called.
    pub label: String,
    /// What several are called.
    pub plural: String,
    /// What they are for, in a sentence.
    pub hint: String,
    /// The JSON schema of their content, which is an object.
    pub schema: Value,
    /// What a new one begins with.
    pub template: DocumentContent,
}

/// A request to make a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDocument {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its title.
    pub title: DocumentTitle,
    /// What stands in it.
    pub content: DocumentContent,
}

/// A request to save a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaveDocument {
    /// The version that the new content was made from. Where there is a newer one by now, nothing is saved.
    pub base: DocumentVersion,
    /// What stands in it from now on.
    pub content: DocumentContent,
}

/// A request to give a document another title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenameDocument {
    /// The new title.
    pub title: DocumentTitle,
}

/// A request to copy a document. The copy begins a history of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CopyDocument {
    /// The copy's title; `None` for one made of the original's.
    pub title: Option<DocumentTitle>,
    /// The version to copy; `None` for the newest one.
    pub version: Option<DocumentVersion>,
}

/// A request to check a content without saving it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckDocument {
    /// The kind whose rules hold.
    pub kind: DocumentKind,
    /// The content.
    pub content: DocumentContent,
}

/// The forms of a [`DocumentContent`] and a [`DocumentCursor`] for the OpenAPI document.
#[cfg(feature = "openapi")]
mod schema {
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            ObjectBuilder, RefOr, Schema,
            schema::{AdditionalProperties, Type},
        },
    };

    use super::{DocumentContent, DocumentCursor};

    impl PartialSchema for DocumentContent {
        fn schema() -> RefOr<Schema> {
            let object = ObjectBuilder::new()
                .schema_type(Type::Object)
                .description(Some(
                    "What stands in a document: an object by the JSON schema of its kind, as \
                     `GET /api/v1/document-kinds` describes it.",
                ))
                .additional_properties(Some(AdditionalProperties::FreeForm(true)));
            object.into()
        }
    }

    impl ToSchema for DocumentContent {}

    impl PartialSchema for DocumentCursor {
        fn schema() -> RefOr<Schema> {
            let text = ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("A place in a list of documents: where the page before ended."));
            text.into()
        }
    }

    impl ToSchema for DocumentCursor {}
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content(value: Value) -> Result<DocumentContent, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn nested(levels: usize) -> Value {
        (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn a_content_is_an_object_of_bounded_size_and_depth() {
        assert!(content(json!({ "words": ["rain", 1, null] })).is_ok());
        for other in [json!([]), json!("text"), json!(1), Value::Null] {
            assert!(content(other.clone()).is_err(), "{other}");
        }
        assert!(content(nested(DEEPEST_CONTENT)).is_ok());
        assert!(content(nested(DEEPEST_CONTENT + 1)).unwrap_err().contains("levels within each other"));
        // Its name, quotes, colon and braces take 8 bytes.
        assert!(content(json!({ "a": "x".repeat(LARGEST_CONTENT - 8) })).is_ok());
        let refused = content(json!({ "a": "x".repeat(LARGEST_CONTENT - 7) })).unwrap_err();
        assert!(refused.contains("524289 bytes"), "{refused}");
    }

    #[test]
    fn a_content_keeps_the_order_of_its_fields() {
        let given = r#"{"z":1,"a":{"y":2,"b":3}}"#;
        let content: DocumentContent = serde_json::from_str(given).unwrap();
        assert_eq!(serde_json::to_string(&content).unwrap(), given);
    }

    #[test]
    fn a_title_is_one_line_with_something_in_it() {
        let long = "ä".repeat(LONGEST_TITLE);
        for good in ["Week 48", " a ", "週", &long] {
            assert_eq!(good.parse::<DocumentTitle>().unwrap().as_str(), good);
        }
        let too_long = format!("{long}ä");
        for bad in ["", "  ", "\u{3000}", "a\nb", "\u{85}", "a\0", &too_long] {
            assert!(bad.parse::<DocumentTitle>().is_err(), "{bad:?}");
        }
        let title: DocumentTitle = long.parse().unwrap();
        assert_eq!(title.of_copy().as_str().chars().count(), LONGEST_TITLE);
    }

    #[test]
    fn a_reference_names_a_version_or_the_newest_one() {
        let id = "0197a1b2-0000-7000-8000-000000000001";
        for text in [id.to_owned(), format!("{id}@3")] {
            let reference: DocumentReference = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(reference.to_string(), text);
        }
        for bad in [
            "",
            "@1",
            "x@1",
            &format!("{id}@"),
            &format!("{id}@0"),
            &format!("{id}@-1"),
            &format!("{id}@1@1"),
        ] {
            assert!(bad.parse::<DocumentReference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn version_0_cannot_be_written_down() {
        assert!(serde_json::from_value::<DocumentVersion>(json!(0)).is_err());
        assert_eq!(serde_json::from_value::<DocumentVersion>(json!(1)).unwrap(), DocumentVersion::FIRST);
    }
}
