use llm::Secret;

use super::endpoint::Endpoint;
use crate::bounds::beginning;

/// Characters from which on a variable's value counts as secret: shorter ones, such as `1` or `true`, are found in
/// texts by chance, and redacting them would falsify results.
const SHORTEST_VALUE: usize = 8;

/// What a server was given and may say again, be it by mistake.
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        Self(match endpoint {
            Endpoint::Program(program) => {
                let values = program.variables.iter().map(|(_, value)| value.clone());
                values.filter(|value| value.reveal().chars().count() >= SHORTEST_VALUE).collect()
            }
            Endpoint::Network(network) => network.key.iter().cloned().collect(),
        })
    }

    /// The text with every secret replaced by stars.
    pub(super) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| secret.redact(&text))
    }

    /// The beginning of the text, without secrets and control characters, on one line.
    pub(super) fn line(&self, text: &str, bytes: usize) -> String {
        let redacted = self.redact(text);
        let redacted = redacted.replace(|character: char| character.is_control(), " ");
        beginning(redacted.trim(), bytes).to_owned()
    }
}
