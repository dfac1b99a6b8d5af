//! Conditions of the end, and how much of a conversation is read.

use serde_json::Value;

use super::{envelope::Envelope, fields::Fields, importer::Importer, kind::Kind, model};
use crate::{
    finding::Problem,
    limits::{DEEPEST_CONDITION, MOST_CONDITIONS},
    place::Spot,
    team::{Condition, Context},
};

/// A condition as it stands in a field.
pub(super) fn open(value: &Value, spot: &Spot, importer: &mut Importer<'_>) -> Option<Condition> {
    nested(value, spot, 1, importer)
}

fn nested(value: &Value, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Option<Condition> {
    if depth > DEEPEST_CONDITION {
        importer.tell(&spot.file, Problem::ConditionTooDeep);
        return None;
    }
    let envelope = Envelope::open(value, Some(Kind::Condition), spot, importer)?;
    Some(read(envelope, spot, depth, importer))
}

/// A condition, `depth` levels within others.
pub(super) fn read(
    mut envelope: Envelope,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Condition {
    importer.origin(spot);
    let class = match Kind::of_class(&envelope.class) {
        Some(Kind::Condition) => envelope.class.as_str(),
        _ => class_of_shape(&envelope.config),
    };
    let condition = match class {
        "OrTerminationCondition" => {
            Some(Condition::Any { conditions: within(&mut envelope.config, spot, depth, importer) })
        }
        "AndTerminationCondition" => {
            Some(Condition::All { conditions: within(&mut envelope.config, spot, depth, importer) })
        }
        class => simple(class, &mut envelope.config, importer),
    };
    match condition {
        Some(condition) => {
            envelope.set_aside(importer);
            condition
        }
        None => {
            let (provider, config) = envelope.into_kept();
            Condition::Unknown { provider, config }
        }
    }
}

fn within(config: &mut Fields, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Vec<Condition> {
    let place = config.place.at("conditions");
    let values = config.list("conditions", importer).unwrap_or_default();
    if values.len() > MOST_CONDITIONS {
        importer.tell(&place, Problem::TooManyConditions { count: values.len() });
    }
    let mut conditions = Vec::new();
    for (number, value) in values.iter().enumerate().take(MOST_CONDITIONS) {
        let spot =
            Spot { file: place.at(number), document: spot.document.at("conditions").at(conditions.len()) };
        conditions.extend(nested(value, &spot, depth + 1, importer));
    }
    conditions
}

/// The class of a condition that is named wrongly or not at all.
fn class_of_shape(config: &Fields) -> &'static str {
    let shapes = [
        ("text", "TextMentionTermination"),
        ("max_messages", "MaxMessageTermination"),
        ("timeout_seconds", "TimeoutTermination"),
        ("max_total_token", "TokenUsageTermination"),
        ("sources", "SourceMatchTermination"),
        ("target", "HandoffTermination"),
        ("function_name", "FunctionCallTermination"),
    ];
    shapes.iter().find(|(key, _)| config.has(key)).map_or("", |(_, class)| class)
}

/// A condition without others in it; `None` where it is not known or lacks what it needs.
pub(super) fn simple(class: &str, config: &mut Fields, importer: &mut Importer<'_>) -> Option<Condition> {
    Some(match class {
        "MaxMessageTermination" => Condition::MaxMessages {
            max_messages: config.count("max_messages", importer)?,
            include_agent_event: config.truth("include_agent_event", importer).unwrap_or_default(),
        },
        "TextMentionTermination" => Condition::TextMention { text: config.text("text", importer)? },
        "StopMessageTermination" => Condition::StopMessage,
        "TokenUsageTermination" => Condition::TokenUsage {
            max_total: config.count("max_total_token", importer),
            max_prompt: config.count("max_prompt_token", importer),
            max_completion: config.count("max_completion_token", importer),
        },
        "TimeoutTermination" => Condition::Timeout { seconds: config.number("timeout_seconds", importer)? },
        "ExternalTermination" => Condition::External,
        "HandoffTermination" => Condition::Handoff { target: config.text("target", importer)? },
        "SourceMatchTermination" => {
            Condition::SourceMatch { sources: config.texts("sources", importer).unwrap_or_default() }
        }
        "TextMessageTermination" => Condition::TextMessage { source: config.filled_text("source", importer) },
        "FunctionCallTermination" => {
            Condition::FunctionCall { function_name: config.text("function_name", importer)? }
        }
        _ => return None,
    })
}

/// How much of a conversation is read.
pub(super) fn context(value: &Value, spot: &Spot, importer: &mut Importer<'_>) -> Context {
    importer.origin(spot);
    let Some(mut envelope) = Envelope::open(value, Some(Kind::Context), spot, importer) else {
        return Context::default();
    };
    // Messages that were read before the file was written are no part of a team.
    envelope.config.take("initial_messages");
    let config = &mut envelope.config;
    let context = match envelope.class.as_str() {
        "UnboundedChatCompletionContext" => Some(Context::Unbounded),
        "BufferedChatCompletionContext" => {
            config.small_count("buffer_size", importer).map(|size| Context::Buffered { size })
        }
        "HeadAndTailChatCompletionContext" => {
            let head = config.small_count("head_size", importer);
            head.zip(config.small_count("tail_size", importer))
                .map(|(head, tail)| Context::HeadAndTail { head, tail })
        }
        "TokenLimitedChatCompletionContext" => {
            let inner = spot.part(["config"], []);
            let model = model::open(config, "model_client", &inner, importer).map(Box::new);
            let limit = config.small_count("token_limit", importer);
            config.take("tool_schema");
            Some(Context::TokenLimited { model, limit })
        }
        _ => None,
    };
    match context {
        Some(context) => {
            envelope.set_aside(importer);
            context
        }
        None => {
            let (provider, config) = envelope.into_kept();
            Context::Unknown { provider, config }
        }
    }
}
