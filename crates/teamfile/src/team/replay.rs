//! Models that give answers which stand in the file, one after the other: AutoGen's replay client.

use serde_json::Value;

use super::{ModelClient, ModelProvider};
use crate::message::{ToolCall, Usage};

/// The class that AutoGen calls so.
const CLASS: &str = "ReplayChatCompletionClient";

/// An answer that stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayedAnswer {
    /// The text; empty where tools are called.
    pub text: String,
    /// What the model is said to have thought.
    pub thought: Option<String>,
    /// The tools that it calls.
    pub calls: Vec<ToolCall>,
    /// The tokens of the answer, where the file says them.
    pub usage: Option<Usage>,
}

/// The answers that stand in the file, in their order. Each is read when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replay<'f>(&'f [Value]);

impl Replay<'_> {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The answer of this number, from 0; `None` beyond the last.
    #[must_use]
    pub fn answer(&self, number: usize) -> Option<ReplayedAnswer> {
        self.0.get(number).map(answer)
    }
}

impl ModelClient {
    /// The answers that it gives; `None` for a model that has to be asked.
    #[must_use]
    pub fn replay(&self) -> Option<Replay<'_>> {
        let ModelProvider::Other { provider } = &self.provider else { return None };
        if provider.rsplit('.').next() != Some(CLASS) {
            return None;
        }
        let answers = self.kept.get("chat_completions").and_then(Value::as_array);
        Some(Replay(answers.map_or(&[], Vec::as_slice)))
    }
}

/// A text, or the fields of a whole answer.
fn answer(value: &Value) -> ReplayedAnswer {
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let tokens = |field: &str| value.get("usage").and_then(|usage| usage.get(field)).and_then(Value::as_u64);
    let usage = tokens("completion_tokens")
        .map(|completion| Usage { prompt: tokens("prompt_tokens").unwrap_or_default(), completion });
    match value {
        Value::String(text) => ReplayedAnswer { text: text.clone(), ..ReplayedAnswer::default() },
        _ => ReplayedAnswer {
            text: text("content").unwrap_or_default(),
            thought: text("thought"),
            calls: value.get("content").and_then(Value::as_array).into_iter().flatten().map(call).collect(),
            usage,
        },
    }
}

fn call(value: &Value) -> ToolCall {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    ToolCall { id: text("id"), name: text("name"), arguments: text("arguments") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_texts_or_whole_ones_and_other_clients_have_none() {
        let mut client = ModelClient::open_ai("m");
        assert!(client.replay().is_none());
        client.provider = ModelProvider::Other {
            provider: "autogen_ext.models.replay.ReplayChatCompletionClient".to_owned(),
        };
        assert_eq!(client.replay().unwrap().count(), 0);
        let called = json!({ "content": [{ "id": "c1", "name": "add", "arguments": "{\"a\":1}" }], "thought": "hm",
            "usage": { "prompt_tokens": 3, "completion_tokens": 4 } });
        client.kept.insert("chat_completions".to_owned(), json!(["one", called, { "content": "two" }]));
        let replay = client.replay().unwrap();
        let answers: Vec<_> = (0..replay.count()).filter_map(|number| replay.answer(number)).collect();
        assert_eq!((answers.len(), replay.answer(3)), (3, None));
        assert_eq!(answers[0], ReplayedAnswer { text: "one".to_owned(), ..ReplayedAnswer::default() });
        assert_eq!((answers[1].calls[0].name.as_str(), answers[1].thought.as_deref()), ("add", Some("hm")));
        assert_eq!(answers[1].usage, Some(Usage { prompt: 3, completion: 4 }));
        assert_eq!(answers[2].text, "two");
    }
}
