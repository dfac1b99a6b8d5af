use protocol::{AccountId, RunId, Timestamp, Totals};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, Finish};

/// A team, as a list of models has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
    /// What people call it, which names it as well where no other team is called so.
    name: String,
}

impl Model {
    /// A team of this id and title.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, made: Timestamp, owner: &AccountId) -> Self {
        Self {
            id: id.into(),
            object: "model",
            created: seconds(made),
            owned_by: owner.to_string(),
            name: title.into(),
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A list of models.
#[must_use]
pub fn models(models: &[Model]) -> Value {
    json!({ "object": "list", "data": models })
}

/// What all parts of an answer begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The run that answers.
    pub run: RunId,
    /// The team.
    pub model: String,
    /// When the run was started.
    pub at: Timestamp,
    /// Whether a stream tells the tokens in a chunk of their own; the others then say that they do not.
    pub with_usage: bool,
}

impl Heading {
    /// The whole answer.
    #[must_use]
    pub fn whole(&self, answer: &Answer) -> Value {
        let message = json!({ "role": "assistant", "content": answer.content, "refusal": null });
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": reason(answer.finish) });
        let mut whole = self.begun("chat.completion", choice);
        whole["usage"] = usage(&answer.used);
        whole
    }

    /// The first chunk of a stream.
    #[must_use]
    pub fn first(&self) -> Value {
        self.chunk(json!({ "role": "assistant", "content": "" }), None)
    }

    /// A chunk of what is said on the way to the answer.
    #[must_use]
    pub fn on_the_way(&self, said: &str) -> Value {
        self.chunk(json!({ "reasoning_content": said }), None)
    }

    /// The chunks of the answer, up to the last one.
    #[must_use]
    pub fn last(&self, answer: &Answer) -> Vec<Value> {
        let mut chunks = vec![
            self.chunk(json!({ "content": answer.content }), None),
            self.chunk(json!({}), Some(answer.finish)),
        ];
        if self.with_usage {
            let mut used = self.chunk(json!({}), None);
            used["choices"] = json!([]);
            used["usage"] = usage(&answer.used);
            chunks.push(used);
        }
        chunks
    }

    fn chunk(&self, delta: Value, finish: Option<Finish>) -> Value {
        let choice =
            json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish.map(reason) });
        let mut chunk = self.begun("chat.completion.chunk", choice);
        if self.with_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }

    fn begun(&self, object: &str, choice: Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.run),
            "object": object,
            "created": seconds(self.at),
            "model": self.model,
            "choices": [choice],
        })
    }
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

fn usage(used: &Totals) -> Value {
    json!({
        "prompt_tokens": used.tokens_in,
        "completion_tokens": used.tokens_out,
        "total_tokens": used.tokens(),
    })
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}
