//! Models.

use serde_json::Value;

use super::{envelope::Envelope, fields::Fields, importer::Importer, kind::Kind};
use crate::{
    place::Spot,
    secret::KeyFound,
    team::{AzureDeployment, Kept, ModelClient, ModelInfo, ModelProvider},
};

/// Settings of a model that have a meaning, by OpenAI's names.
const PARAMETERS: [&str; 27] = [
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "top_p",
    "top_k",
    "stop",
    "stop_sequences",
    "seed",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "response_format",
    "user",
    "parallel_tool_calls",
    "reasoning_effort",
    "stream_options",
    "timeout",
    "max_retries",
    "organization",
    "default_headers",
    "add_name_prefixes",
    "include_name_in_message",
    "options",
    "format",
    "keep_alive",
    "thinking",
];

/// The model in a field of a team or an agent.
pub(super) fn open(
    config: &mut Fields,
    key: &str,
    spot: &Spot,
    importer: &mut Importer<'_>,
) -> Option<ModelClient> {
    let value = config.take(key)?;
    let spot = spot.part([key], ["model"]);
    let envelope = Envelope::open(&value, Some(Kind::Model), &spot, importer)?;
    Some(read(envelope, &spot, importer))
}

pub(super) fn read(mut envelope: Envelope, spot: &Spot, importer: &mut Importer<'_>) -> ModelClient {
    importer.origin(spot);
    let provider = match envelope.class.as_str() {
        "OpenAIChatCompletionClient" => ModelProvider::OpenAi,
        "AzureOpenAIChatCompletionClient" => ModelProvider::AzureOpenAi,
        "AnthropicChatCompletionClient" => ModelProvider::Anthropic,
        "OllamaChatCompletionClient" => ModelProvider::Ollama,
        // Without any provider, most models speak like OpenAI.
        "" | "model" => ModelProvider::OpenAi,
        _ => ModelProvider::Other { provider: envelope.provider.clone() },
    };
    if matches!(provider, ModelProvider::Other { .. }) {
        return other(envelope, provider, importer);
    }
    let mut model = fields(&mut envelope.config, provider, importer);
    model.kept = envelope.rest(importer);
    model
}

/// A model that is asked in another way: what it has is kept as a whole.
fn other(mut envelope: Envelope, provider: ModelProvider, importer: &mut Importer<'_>) -> ModelClient {
    let config = &mut envelope.config;
    let key = KeyFound::of_mark(config.take("api_key").as_ref());
    let model = config.text("model", importer).unwrap_or_default();
    let info = info(config, &model, importer);
    let (_, kept) = envelope.into_kept();
    ModelClient { provider, info, key, kept, ..ModelClient::open_ai(model) }
}

/// The fields of a model, whatever surrounds them. What is left of them is not known.
pub(crate) fn fields(
    config: &mut Fields,
    provider: ModelProvider,
    importer: &mut Importer<'_>,
) -> ModelClient {
    let key = KeyFound::of_mark(config.take("api_key").as_ref());
    let model = config.text("model", importer).unwrap_or_default();
    let mut address = |key: &str| config.filled_text(key, importer);
    let base_url = address("base_url").or_else(|| address("api_base"));
    let azure = (provider == ModelProvider::AzureOpenAi).then(|| AzureDeployment {
        endpoint: address("azure_endpoint"),
        deployment: address("azure_deployment"),
        api_version: address("api_version"),
    });
    let base_url = match provider {
        // Files say `base_url` where the class has `host`, and often the address for OpenAI's clients.
        ModelProvider::Ollama => {
            let host = base_url.or_else(|| address("host"));
            host.map(|host| host.trim_end_matches('/').trim_end_matches("/v1").to_owned())
        }
        _ => base_url,
    };
    let info = info(config, &model, importer);
    let mut parameters = Kept::new();
    for name in PARAMETERS {
        if let Some(mut value) = config.take(name) {
            crate::secret::without_marks(&mut value);
            parameters.insert(name.to_owned(), value);
        }
    }
    ModelClient { provider, model, base_url, key, azure, info, parameters, kept: Kept::new() }
}

/// What the model can do. Files of older versions lack some of it.
fn info(config: &mut Fields, model: &str, importer: &mut Importer<'_>) -> ModelInfo {
    let expected = ModelInfo::expected_of(model);
    let older = config.take("model_capabilities");
    let place = config.place.at("model_info");
    let Some(Value::Object(info)) = config.take("model_info").or(older) else { return expected };
    let mut fields = Fields::new(info, place);
    let mut truth = |key: &str| fields.truth(key, importer);
    let [vision, function_calling, json_output, structured_output, several] =
        ["vision", "function_calling", "json_output", "structured_output", "multiple_system_messages"]
            .map(&mut truth);
    let info = ModelInfo {
        vision: vision.unwrap_or_default(),
        function_calling: function_calling.unwrap_or(expected.function_calling),
        json_output: json_output.unwrap_or_default(),
        structured_output: structured_output.unwrap_or_default(),
        family: fields.filled_text("family", importer).unwrap_or(expected.family),
        multiple_system_messages: several.unwrap_or_default(),
    };
    fields.set_aside(importer);
    info
}
