//! The models that runs can be answered by, as options and settings describe them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use llm::{EndpointQueues, ModelRegistry, PriceTable, Provider, ProviderConfig, Tiers, Timeouts};
use protocol::{ModelProfile, ProfileName, Tier};

use crate::{
    config::ModelOptions,
    error::ServeError,
    key,
    settings::{ModelSettings, Settings},
};

/// All models: the one of the options, and those of the settings.
///
/// # Errors
/// Options and settings contradict each other, or something that they name cannot be read.
pub fn registry(options: &ModelOptions, settings: &Settings) -> Result<ModelRegistry, ServeError> {
    let prices = match &options.model_prices {
        Some(path) => PriceTable::with_file(path)?,
        None => PriceTable::bundled()?,
    };
    // Several models at one address are one server, and have one line.
    let queues = EndpointQueues::default();
    let mut all = ModelRegistry::default();
    if let Some(config) = of_options(options)? {
        let tiers = Tier::ALL.to_vec();
        let profile = profile(None, &config, &prices, tiers);
        all = all.with_unnamed(profile, Arc::new(Provider::new(config, prices.clone(), &queues)?));
    }
    for (name, model) in &settings.models {
        let (config, prices) = of_settings(options, model, &prices)
            .map_err(|error| ServeError::ModelOfSettings(name.clone(), Box::new(error)))?;
        let profile = profile(Some(name.clone()), &config, &prices, Vec::new());
        let provider = Provider::new(config, prices, &queues)
            .map_err(|error| ServeError::ModelOfSettings(name.clone(), Box::new(error.into())))?;
        all = all.with_named(profile, Arc::new(provider));
    }
    match (&settings.tiers, all.configured()) {
        (Some(_), Some(_)) => Err(ServeError::TwoModels),
        (Some(tiers), None) => Ok(all.with_tiers(tiers)?),
        (None, _) => Ok(all),
    }
}

fn profile(
    name: Option<ProfileName>,
    config: &ProviderConfig,
    prices: &PriceTable,
    tiers: Vec<Tier>,
) -> ModelProfile {
    let mut models: Vec<String> = config.models.iter().cloned().collect();
    models.dedup();
    ModelProfile {
        name,
        priced: models.iter().all(|model| prices.knows(model)),
        models,
        host: config.base_url.as_deref().map(|url| host(url).to_owned()),
        tiers,
        requests_at_once: config.requests_at_once.get(),
    }
}

/// Host and port of a URL, without credentials.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// The model of the options, if they name one.
fn of_options(options: &ModelOptions) -> Result<Option<ProviderConfig>, ServeError> {
    let Some(models) = models(options)? else { return Ok(None) };
    let usual = patient(options, ProviderConfig::new(models));
    Ok(Some(ProviderConfig {
        base_url: options.model_base_url.clone(),
        api_key: match &options.model_key_file {
            Some(path) => Some(key::in_file(path)?),
            None => options.model_key.clone(),
        },
        fallbacks: fallbacks(options),
        ..usual
    }))
}

/// One model of the settings; what they leave out is as in the options.
fn of_settings(
    options: &ModelOptions,
    model: &ModelSettings,
    prices: &PriceTable,
) -> Result<(ProviderConfig, PriceTable), ServeError> {
    let name = match &model.provider {
        Some(provider) => format!("{provider}::{}", model.model),
        None => model.model.clone(),
    };
    let usual = patient(options, ProviderConfig::new(Tiers::same(name.clone())));
    let api_key = key::named(model.key_variable.as_deref(), model.key_file.as_deref())?;
    let silence = model.silence.map(|seconds| Duration::from_secs(seconds.get()));
    let timeouts = Timeouts {
        first_token: silence.unwrap_or(usual.timeouts.first_token),
        idle: silence.unwrap_or(usual.timeouts.idle),
        total: model.timeout.map_or(usual.timeouts.total, |seconds| Duration::from_secs(seconds.get())),
        ..usual.timeouts
    };
    let prices = match &model.price {
        Some(price) => prices.clone().with_price(&name, &price.input, &price.output)?,
        None => prices.clone(),
    };
    let config = ProviderConfig {
        base_url: model.base_url.clone(),
        api_key,
        fallbacks: Tiers::same(model.fallback.clone()),
        timeouts,
        max_retries: model.retries.unwrap_or(usual.max_retries),
        requests_at_once: model.requests_at_once.unwrap_or(usual.requests_at_once),
        answer_tokens: answer_tokens(model.answer_tokens, usual.answer_tokens.clone()),
        ..usual
    };
    Ok((config, prices))
}

/// Applies the timeouts and limits of the options, which hold for all models.
fn patient(options: &ModelOptions, usual: ProviderConfig) -> ProviderConfig {
    ProviderConfig {
        timeouts: Timeouts {
            first_token: options.model_silence.unwrap_or(usual.timeouts.first_token),
            idle: options.model_silence.unwrap_or(usual.timeouts.idle),
            total: options.model_timeout,
            ..usual.timeouts
        },
        max_retries: options.model_retries,
        rate_limit_patience: options.model_rate_patience,
        requests_at_once: options.model_requests_at_once,
        answer_tokens: answer_tokens(options.model_answer_tokens, usual.answer_tokens.clone()),
        ..usual
    }
}

fn answer_tokens(same: Option<NonZeroU32>, usual: Tiers<NonZeroU32>) -> Tiers<NonZeroU32> {
    same.map_or(usual, Tiers::same)
}

/// A tier without a fallback of its own uses the one for all tiers.
fn fallbacks(options: &ModelOptions) -> Tiers<Option<String>> {
    let tier = |own: &Option<String>| own.clone().or_else(|| options.model_fallback.clone());
    Tiers {
        quick: tier(&options.model_fallback_quick),
        mid: tier(&options.model_fallback_mid),
        deep: tier(&options.model_fallback_deep),
    }
}

/// A tier without a model of its own uses the one for all tiers.
fn models(options: &ModelOptions) -> Result<Option<Tiers<String>>, ServeError> {
    let named = [&options.model_quick, &options.model_mid, &options.model_deep];
    let any = options.model.is_some() || named.iter().any(|model| model.is_some());
    if !any {
        let needless = options.model_base_url.is_some()
            || options.model_key.is_some()
            || options.model_key_file.is_some();
        return if needless { Err(ServeError::NoModelNamed) } else { Ok(None) };
    }
    let tier = |own: &Option<String>| own.clone().or_else(|| options.model.clone());
    match named.map(tier) {
        [Some(quick), Some(mid), Some(deep)] => Ok(Some(Tiers { quick, mid, deep })),
        _ => Err(ServeError::TierWithoutModel),
    }
}
