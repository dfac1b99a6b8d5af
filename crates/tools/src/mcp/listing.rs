//! The tools that a server says it has, made fit to be offered.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use protocol::{ToolName, ToolServerName};
use rmcp::model::Tool;
use serde_json::Value;

use super::{limits::Limits, redactor::Redactor};
use crate::Definition;

/// Characters of a name that every provider takes.
const LONGEST_NAME: usize = 64;
/// Bytes of a foreign name at most: it is kept, to be called by.
const LONGEST_OWN_NAME: usize = 512;
/// Bytes of a foreign name that are shown.
const SHOWN_NAME: usize = 60;
/// Sentences about tools that cannot be offered.
const MOST_SENTENCES: usize = 8;

/// What a server offers.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) tools: Vec<Arc<ListedTool>>,
    /// Sentences about what it offers and cannot be called.
    pub(super) left_out: Vec<String>,
}

/// A tool of a server.
#[derive(Debug)]
pub(super) struct ListedTool {
    pub(super) definition: Definition,
    /// The server's own name for it.
    pub(super) own_name: String,
}

/// A list while it comes.
pub(super) struct ListingInProgress<'s> {
    server: &'s ToolServerName,
    limits: &'s Limits,
    redactor: &'s Redactor,
    taken: BTreeSet<String>,
    listing: Listing,
    beyond: usize,
    unsaid: usize,
}

impl<'s> ListingInProgress<'s> {
    pub(super) fn new(server: &'s ToolServerName, limits: &'s Limits, redactor: &'s Redactor) -> Self {
        let (taken, listing) = (BTreeSet::new(), Listing::default());
        Self { server, limits, redactor, taken, listing, beyond: 0, unsaid: 0 }
    }

    /// Whether further tools would be left out.
    pub(super) fn is_full(&self) -> bool {
        self.listing.tools.len() >= self.limits.tools
    }

    /// Takes a tool in, or says why it is left out.
    pub(super) fn add(&mut self, tool: Tool) {
        if self.is_full() {
            self.beyond += 1;
            return;
        }
        let shown = self.redactor.line(&tool.name, SHOWN_NAME);
        let Some(name) = self.free_name(&tool.name) else {
            return self.leave_out(format!("A tool without a usable name ({shown:?}) is left out."));
        };
        let description = tool.description.or(tool.title.map(Cow::Owned)).unwrap_or_default();
        let description = self.redactor.redact(&description);
        let schema = Value::Object(Arc::unwrap_or_clone(tool.input_schema));
        match Definition::new(name, &description, schema) {
            Ok(definition) => {
                self.taken.insert(definition.name().as_str().to_owned());
                let tool = ListedTool { definition, own_name: tool.name.into_owned() };
                self.listing.tools.push(Arc::new(tool));
            }
            Err(error) => {
                let reason = self.redactor.redact(&error.to_string());
                self.leave_out(format!("The tool {shown:?} is left out: {reason}."));
            }
        }
    }

    /// The list, when all of it has come.
    pub(super) fn end(mut self, has_more: bool) -> Listing {
        if self.beyond > 0 || has_more {
            let most = self.limits.tools;
            self.leave_out(format!("It offers more than {most} tools; further ones are left out."));
        }
        if self.unsaid > 0 {
            self.listing.left_out.push(format!("{} more are left out for such reasons.", self.unsaid));
        }
        self.listing
    }

    fn leave_out(&mut self, sentence: String) {
        if self.listing.left_out.len() < MOST_SENTENCES {
            self.listing.left_out.push(sentence);
        } else {
            self.unsaid += 1;
        }
    }

    /// A name that every provider takes and no other tool has: the server's, and then its own.
    fn free_name(&self, own: &str) -> Option<ToolName> {
        if own.len() > LONGEST_OWN_NAME {
            return None;
        }
        let is_taken_by_all =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        let own: String = own
            .chars()
            .take(LONGEST_NAME)
            .map(|character| if is_taken_by_all(character) { character } else { '_' })
            .collect();
        if !own.contains(|character: char| character.is_ascii_alphanumeric()) {
            return None;
        }
        let name = |suffix: &str| {
            let mut name = format!("{}_{own}", self.server);
            name.truncate(LONGEST_NAME - suffix.len());
            name + suffix
        };
        let numbered = (2..1000).map(|number| name(&format!("_{number}")));
        let free = std::iter::once(name("")).chain(numbered).find(|name| !self.taken.contains(name))?;
        free.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::mcp::Endpoint;

    fn listing(tools: impl IntoIterator<Item = Tool>, most: usize) -> Listing {
        let server: ToolServerName = "files".parse().unwrap();
        let limits = Limits { tools: most, ..Limits::default() };
        let key = Some("sk-planted-key".into());
        let redactor = Redactor::of(&Endpoint::network("https://host/mcp", key).unwrap());
        let mut listing = ListingInProgress::new(&server, &limits, &redactor);
        tools.into_iter().for_each(|tool| listing.add(tool));
        listing.end(false)
    }

    fn tool(name: &str, description: &str, schema: Value) -> Tool {
        Tool::new(name.to_owned(), description.to_owned(), schema.as_object().unwrap().clone())
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.tools.iter().map(|tool| tool.definition.name().as_str()).collect()
    }

    #[test]
    fn names_are_made_fit_and_told_apart() {
        let own = [
            "read",
            "read file",
            "read.file",
            "read_file",
            "…",
            "",
            &"b".repeat(1000),
            &"a".repeat(100),
            &"a".repeat(90),
        ];
        let listing = listing(own.map(|name| tool(name, "", json!({}))), 64);
        let long = format!("files_{}", "a".repeat(58));
        let again = format!("files_{}_2", "a".repeat(56));
        let fit = ["files_read", "files_read_file", "files_read_file_2", "files_read_file_3", &long, &again];
        assert_eq!(names(&listing), fit);
        assert_eq!(listing.tools[1].own_name, "read file", "it is called by its own name");
        assert_eq!(listing.left_out.len(), 3, "{:?}", listing.left_out);
    }

    #[test]
    fn hostile_descriptions_and_schemas_are_bounded_and_secrets_redacted() {
        let nested = (0..60).fold(json!({}), |inner, _| json!({ "properties": { "a": inner } }));
        let all = (0..20).map(|_| tool("deep sk-planted-key", "", nested.clone()));
        let long = tool("long", &format!("sk-planted-key {}", "a".repeat(1_000_000)), json!({}));
        let listing = listing(all.chain([long]), 64);
        assert_eq!(names(&listing), ["files_long"]);
        let spec = listing.tools[0].definition.spec();
        assert!(spec.description.len() <= 2048 && spec.description.starts_with("***"), "{spec:?}");
        let said = listing.left_out.join(" ");
        assert_eq!(listing.left_out.len(), MOST_SENTENCES + 1);
        assert!(said.contains("nests deeper") && said.ends_with("12 more are left out for such reasons."));
        assert!(!said.contains("sk-planted-key"));
    }

    #[test]
    fn what_comes_after_the_most_tools_is_left_out() {
        let listing = listing((0..100).map(|number| tool(&format!("tool{number}"), "", json!({}))), 3);
        assert_eq!(listing.tools.len(), 3);
        assert_eq!(listing.left_out, ["It offers more than 3 tools; further ones are left out."]);
    }

    proptest! {
        #[test]
        fn any_names_become_names_that_providers_take(own in prop::collection::vec(".{0,80}", 0..20)) {
            let listing = listing(own.iter().map(|name| tool(name, "", json!({}))), 64);
            let names = names(&listing);
            let unique: BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len());
            for name in names {
                let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                prop_assert!(name.len() <= 64 && name.starts_with("files_") && name.bytes().all(is_fit));
            }
        }
    }
}
