//! What a model is asked, with each message of a conversation stored once.

use std::{
    fmt::{self, Formatter},
    sync::Arc,
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{CallId, Digest, Text};

/// What a model is asked. All of it is [`Prompt::whole`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Prompt {
    /// All messages in one text, as logs of earlier versions have them.
    One(Text),
    /// Message by message.
    Messages {
        /// Where its first messages are, if an earlier call was asked the same ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        begins: Option<Beginning>,
        /// The messages after those, each as a `[role] text` block.
        messages: Vec<Text>,
    },
}

/// The first messages of a prompt: those that an earlier prompt begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Beginning {
    /// The call before it in the same lane of the same node, in this visit or an earlier one.
    pub call: CallId,
    /// How many of its messages.
    pub messages: u32,
}

/// All messages of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholePrompt<'p> {
    /// The messages in order, without those that are missing.
    pub messages: Vec<&'p Text>,
    /// How many at the beginning an earlier call was asked as well.
    pub known: usize,
    /// How many more the log should have, and does not.
    pub missing: u32,
}

impl Prompt {
    /// The messages that stand here, not in the prompt of an earlier call.
    pub fn own(&self) -> &[Text] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Messages { messages, .. } => messages,
        }
    }

    /// The same, to be changed.
    pub fn own_mut(&mut self) -> &mut [Text] {
        match self {
            Self::One(text) => std::slice::from_mut(text),
            Self::Messages { messages, .. } => messages,
        }
    }

    /// Where its first messages are, if not here.
    pub fn begins(&self) -> Option<&Beginning> {
        match self {
            Self::One(_) => None,
            Self::Messages { begins, .. } => begins.as_ref(),
        }
    }

    /// All messages. `earlier` gives the prompt of a call that was made before all those that it was asked for
    /// already: what a log says must not lead in a circle.
    pub fn whole<'p>(&'p self, mut earlier: impl FnMut(&CallId) -> Option<&'p Self>) -> WholePrompt<'p> {
        let mut messages: Vec<_> = self.own().iter().rev().collect();
        let own = messages.len();
        let mut needed = self.begins().map_or(0, |begins| begins.messages);
        let mut missing = 0;
        let mut prompt = self;
        while needed > 0 {
            let Some(before) = prompt.begins().and_then(|begins| earlier(&begins.call)) else { break };
            let shared = before.begins().map_or(0, |begins| begins.messages);
            let taken = needed.saturating_sub(shared);
            let there = before.own().get(..taken as usize).unwrap_or(before.own());
            missing += taken - u32::try_from(there.len()).unwrap_or(taken).min(taken);
            messages.extend(there.iter().rev());
            needed = needed.min(shared);
            prompt = before;
        }
        messages.reverse();
        let known = messages.len() - own;
        WholePrompt { messages, known, missing: missing.saturating_add(needed) }
    }
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Messages { begins: None, messages: Vec::new() }
    }
}

/// A prompt of these messages alone.
impl FromIterator<Text> for Prompt {
    fn from_iter<I: IntoIterator<Item = Text>>(messages: I) -> Self {
        Self::Messages { begins: None, messages: messages.into_iter().collect() }
    }
}

/// Reads what the derived `Serialize` writes: a text, whole or as a preview, or messages.
impl<'de> Deserialize<'de> for Prompt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Prompt;

            fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, its preview, or messages")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Prompt, E> {
                Ok(Prompt::One(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Prompt, A::Error> {
                #[derive(Deserialize)]
                struct Fields {
                    preview: Option<Arc<str>>,
                    bytes: Option<u64>,
                    digest: Option<Digest>,
                    begins: Option<Beginning>,
                    messages: Option<Vec<Text>>,
                }
                let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
                let Fields { preview, bytes, digest, begins, messages } = fields;
                match (messages, preview, bytes, digest) {
                    (Some(messages), ..) => Ok(Prompt::Messages { begins, messages }),
                    (None, Some(preview), Some(bytes), Some(digest)) => {
                        Ok(Prompt::One(Text::Preview { preview, bytes, digest }))
                    }
                    _ => Err(de::Error::custom("it is neither a preview nor messages")),
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u32) -> CallId {
        CallId::new(&"writer".parse().unwrap(), 1, number)
    }

    fn prompt(begins: Option<(u32, u32)>, messages: &[&str]) -> Prompt {
        let begins = begins.map(|(number, messages)| Beginning { call: call(number), messages });
        Prompt::Messages { begins, messages: messages.iter().map(|text| Text::from(*text)).collect() }
    }

    /// All messages of the last prompt, where each may begin with any before it.
    fn whole(prompts: &[Prompt]) -> (String, usize, u32) {
        let (last, mut end) = (prompts.len() - 1, prompts.len() - 1);
        let whole = prompts[last].whole(|asked| {
            let place = (0..end).rev().find(|place| call(u32::try_from(*place).unwrap()) == *asked)?;
            end = place;
            Some(&prompts[place])
        });
        let messages: Vec<_> = whole.messages.iter().map(|text| text.shown()).collect();
        (messages.join(" "), whole.known, whole.missing)
    }

    #[test]
    fn a_prompt_is_put_together_from_those_that_it_begins_with() {
        let first = prompt(None, &["a", "b", "c"]);
        let second = prompt(Some((0, 3)), &["d", "e"]);
        // Goes back behind what the second one added, and on in another way.
        let third = prompt(Some((1, 4)), &["x"]);
        let fourth = prompt(Some((2, 2)), &[]);
        let prompts = [first, second, third, fourth];
        assert_eq!(whole(&prompts[..1]), ("a b c".into(), 0, 0));
        assert_eq!(whole(&prompts[..2]), ("a b c d e".into(), 3, 0));
        assert_eq!(whole(&prompts[..3]), ("a b c d x".into(), 4, 0));
        assert_eq!(whole(&prompts), ("a b".into(), 2, 0));
    }

    #[test]
    fn what_the_log_does_not_have_is_counted_as_missing() {
        assert_eq!(whole(&[prompt(Some((7, 4)), &["e"])]), ("e".into(), 0, 4));
        let short = [prompt(None, &["a"]), prompt(Some((0, 3)), &["d"])];
        assert_eq!(whole(&short), ("a d".into(), 1, 2));
        let itself = [prompt(Some((0, u32::MAX)), &["a"])];
        assert_eq!(whole(&itself), ("a".into(), 0, u32::MAX));
    }

    #[test]
    fn a_prompt_of_an_earlier_version_is_read_and_written_as_it_is() {
        let digest = "a".repeat(64);
        for json in [
            r#""[system] Be brief.\n\n[user] Why?""#.to_owned(),
            format!(r#"{{"preview":"[system]","bytes":5000,"digest":"{digest}"}}"#),
            r#"{"messages":["[user] Why?"]}"#.to_owned(),
            r#"{"begins":{"call":"writer:1:2","messages":3},"messages":[]}"#.to_owned(),
        ] {
            let prompt: Prompt = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&prompt).unwrap(), json);
        }
        assert!(serde_json::from_str::<Prompt>(r#"{"preview":"[system]"}"#).is_err());
    }
}
