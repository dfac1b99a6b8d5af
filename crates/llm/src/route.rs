//! The protocol and the key for a model.

use std::collections::{BTreeSet, HashMap};

use genai::adapter::AdapterKind;

use crate::{ChatError, ProviderConfig, Secret};

/// The provider that a model is asked at directly; `None` if at the endpoint of `base_url`.
pub(crate) fn native_kind(config: &ProviderConfig, model: &str) -> Result<Option<AdapterKind>, ChatError> {
    let known = |model: &str| {
        AdapterKind::from_model(model).map_err(|error| ChatError::Configuration(error.to_string()))
    };
    if config.base_url.is_none() {
        return known(model).map(Some);
    }
    match model.split_once("::") {
        // A namespace that genai does not know is part of the model's name at the endpoint.
        Some((namespace, _)) if AdapterKind::from_lower_str(namespace).is_some() => known(model).map(Some),
        _ => Ok(None),
    }
}

/// The configured key, if a single known provider uses it: it must not be sent to a second one.
pub(crate) fn native_keys(config: &ProviderConfig) -> Result<HashMap<AdapterKind, Secret>, ChatError> {
    let (None, Some(key)) = (&config.base_url, &config.api_key) else { return Ok(HashMap::new()) };
    let models = config.models.iter().chain(config.fallbacks.iter().flatten());
    let kinds = models.map(|model| native_kind(config, model)).collect::<Result<Vec<_>, _>>()?;
    // One provider may have several protocols with one variable; local ones need no key.
    let keyed = kinds.into_iter().flatten().filter_map(|kind| Some((kind, kind.default_key_env_name()?)));
    let (kinds, variables): (Vec<_>, BTreeSet<_>) = keyed.unzip();
    if variables.len() > 1 {
        return Err(ChatError::Configuration(
            "the models belong to several providers, so that it is not clear whose the one key is; \
             set each provider's own variable instead, such as OPENAI_API_KEY and ANTHROPIC_API_KEY"
                .to_owned(),
        ));
    }
    Ok(kinds.into_iter().map(|kind| (kind, key.clone())).collect())
}

/// The key for `OpenAI` itself, from the environment.
pub(crate) fn openai_key() -> Option<Secret> {
    let variable = AdapterKind::OpenAI.default_key_env_name()?;
    std::env::var(variable).ok().map(Secret::from).filter(|key| !key.is_empty())
}
