//! The configured model, as the settings describe it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use llm::{ChatModel, PriceTable, Provider, ProviderConfig, Secret, Tiers, Timeouts};

use crate::{ServeError, config::ModelOptions};

/// The model that the settings name; `None` if they name none.
///
/// # Errors
/// The settings contradict each other, or the price table cannot be read.
pub fn configured(options: &ModelOptions) -> Result<Option<Arc<dyn ChatModel>>, ServeError> {
    let Some(models) = models(options)? else { return Ok(None) };
    let prices = match &options.model_prices {
        Some(path) => PriceTable::with_file(path)?,
        None => PriceTable::bundled()?,
    };
    let usual = ProviderConfig::new(models);
    let config = ProviderConfig {
        base_url: options.model_base_url.clone(),
        api_key: match &options.model_key_file {
            Some(path) => Some(key_in(path)?),
            None => options.model_key.clone(),
        },
        fallbacks: Tiers::same(options.model_fallback.clone()),
        timeouts: timeouts(options),
        max_retries: options.model_retries,
        rate_limit_patience: options.model_rate_patience,
        requests_at_once: options.model_requests_at_once,
        answer_tokens: options.model_answer_tokens.map_or(usual.answer_tokens.clone(), Tiers::same),
        ..usual
    };
    Ok(Some(Arc::new(Provider::new(config, prices)?)))
}

fn timeouts(options: &ModelOptions) -> Timeouts {
    let usual = Timeouts::default();
    Timeouts {
        first_token: options.model_silence.unwrap_or(usual.first_token),
        idle: options.model_silence.unwrap_or(usual.idle),
        total: options.model_timeout,
        ..usual
    }
}

/// A tier without a model of its own takes the one of all tiers.
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

/// The key in a file that nobody but its owner can read.
fn key_in(path: &Path) -> Result<Secret, ServeError> {
    let unreadable = |error| ServeError::KeyFile(path.to_owned(), error);
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if !matches!(mode, 0o600 | 0o400) {
        return Err(ServeError::KeyFileMode(path.to_owned(), mode));
    }
    let key = Secret::from(fs::read_to_string(path).map_err(unreadable)?);
    if key.is_empty() { Err(ServeError::KeyFileEmpty(path.to_owned())) } else { Ok(key) }
}
