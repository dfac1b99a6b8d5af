//! Which vendors trading's data come from, as `[families.trading]` in the settings file says. Without it, all data are
//! those that are built in.

use std::{
    collections::BTreeMap,
    fs, io,
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::Arc,
};

use llm::Secret;
use market::{
    AlphaVantage, Cache, DataKind, Edgar, EdgarAddresses, Finnhub, Market, Network, OwnData, SystemClock,
    Url, Vendor, Yahoo, YahooAddresses,
};
use protocol::trading::OwnAdjustment;
use serde::Deserialize;

use crate::key;

/// Where answers of vendors are kept, in the data folder.
const CACHE: &str = "market-cache";
/// Megabytes that they may take, if nothing else is said.
const CACHE_MEGABYTES: u64 = 512;
const MEGABYTE: u64 = 1024 * 1024;
/// Bytes of a table of own prices at most.
const LARGEST_TABLE: u64 = 64 * MEGABYTE;

/// What stands under `[families.trading]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Vendors by kind of data, the first of which is asked first.
    #[serde(default)]
    data: BTreeMap<DataKind, Vec<Named>>,
    /// What some vendors need.
    #[serde(default)]
    vendors: BTreeMap<Named, VendorSettings>,
    /// Megabytes that answers of vendors may take on the disk; 0 keeps none.
    cache_megabytes: Option<u64>,
}

/// A vendor as the settings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    /// The data that are built in.
    Sample,
    Yahoo,
    AlphaVantage,
    Finnhub,
    Edgar,
    /// A table of the operator's own prices.
    Own,
}

impl Named {
    fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Yahoo => "yahoo",
            Self::AlphaVantage => "alpha_vantage",
            Self::Finnhub => "finnhub",
            Self::Edgar => "edgar",
            Self::Own => "own",
        }
    }
}

/// What a vendor needs to be asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorSettings {
    /// Another address than the public one, such as a mirror.
    base_url: Option<String>,
    /// The environment variable that holds the key.
    key_variable: Option<String>,
    /// The file that holds the key; nobody but its owner may read it.
    key_file: Option<PathBuf>,
    /// Who asks, as EDGAR's rules demand: `Company contact@example.com`.
    contact: Option<String>,
    /// The CSV file of own prices.
    file: Option<PathBuf>,
    /// What its prices are adjusted for.
    adjustment: Option<OwnAdjustment>,
}

/// The market that the settings describe.
///
/// # Errors
/// In a sentence without its full stop, what is wrong with them.
pub fn market(table: toml::Table, data: &Path) -> Result<Market, String> {
    let settings: Settings = table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let market = Market::sample().map_err(|damaged| damaged.to_string())?;
    if settings.data.is_empty() && settings.vendors.is_empty() {
        return Ok(market);
    }
    let clock = Arc::new(SystemClock);
    let network = Network::new(clock.clone(), cache(&settings, data)?)?;
    let mut opened: BTreeMap<Named, Arc<dyn Vendor>> = BTreeMap::new();
    opened.insert(Named::Sample, market.built_in().clone());
    let mut market = market;
    for (kind, order) in &settings.data {
        if order.is_empty() && *kind == DataKind::Prices {
            return Err("prices need a vendor: prices = [\"sample\"], for one".to_owned());
        }
        let mut vendors = Vec::new();
        for name in order {
            if !opened.contains_key(name) {
                let own = settings.vendors.get(name).cloned().unwrap_or_default();
                let vendor = vendor(*name, own, &network).map_err(|why| format!("{}: {why}", name.name()))?;
                opened.insert(*name, vendor);
            }
            vendors.extend(opened.get(name).cloned());
        }
        if *kind == DataKind::Prices && order.iter().any(|name| *name != Named::Sample) {
            market = market.with_live_prices(clock.clone());
        }
        market = market.with_order(*kind, vendors);
    }
    if let Some(name) = settings.vendors.keys().find(|name| !opened.contains_key(name)) {
        return Err(format!("{} is described, and no kind of data under `data` names it", name.name()));
    }
    Ok(market)
}

fn cache(settings: &Settings, data: &Path) -> Result<Option<Arc<Cache>>, String> {
    let megabytes = settings.cache_megabytes.unwrap_or(CACHE_MEGABYTES);
    let Some(megabytes) = NonZeroU64::new(megabytes) else { return Ok(None) };
    let folder = data.join(CACHE);
    let cache = Cache::open(&folder, megabytes.get().saturating_mul(MEGABYTE))
        .map_err(|error| format!("the cache {} cannot be opened: {error}", folder.display()))?;
    Ok(Some(Arc::new(cache)))
}

fn vendor(name: Named, settings: VendorSettings, network: &Network) -> Result<Arc<dyn Vendor>, String> {
    let base = settings.base_url.as_deref().map(address).transpose()?;
    let key = key::named(settings.key_variable.as_deref(), settings.key_file.as_deref())
        .map_err(|error| error.to_string().trim_end_matches('.').to_owned())?;
    let takes_key = matches!(name, Named::AlphaVantage | Named::Finnhub);
    if key.is_some() && !takes_key {
        return Err("it takes no key: leave key_variable and key_file out".to_owned());
    }
    if settings.contact.is_some() && name != Named::Edgar {
        return Err("it takes no contact: leave it out".to_owned());
    }
    if (settings.file.is_some() || settings.adjustment.is_some()) && name != Named::Own {
        return Err("it takes no file and no adjustment: leave them out".to_owned());
    }
    let needed = |key: Option<Secret>| {
        key.ok_or_else(|| "it needs a key: name where it is in key_variable or key_file".to_owned())
    };
    let public = || "its address cannot be read".to_owned();
    Ok(match name {
        Named::Own => Arc::new(own(settings.file.as_deref(), settings.adjustment.unwrap_or_default())?),
        Named::Sample => return Err("it is built in, and has no settings".to_owned()),
        Named::Yahoo => {
            let addresses =
                base.as_ref().map(YahooAddresses::at).or_else(YahooAddresses::public).ok_or_else(public)?;
            Arc::new(Yahoo::new(network.clone(), addresses))
        }
        Named::AlphaVantage => {
            let base = base.or_else(AlphaVantage::public).ok_or_else(public)?;
            Arc::new(AlphaVantage::new(network.clone(), base, needed(key)?))
        }
        Named::Finnhub => {
            let base = base.or_else(Finnhub::public).ok_or_else(public)?;
            Arc::new(Finnhub::new(network.clone(), base, needed(key)?))
        }
        Named::Edgar => {
            let contact = settings.contact.filter(|contact| contact.contains('@') && contact.is_ascii());
            let contact = contact.ok_or_else(|| {
                "it needs a contact, as the rules of the SEC demand: contact = \"Company contact@example.com\"".to_owned()
            })?;
            let addresses =
                base.as_ref().map(EdgarAddresses::at).or_else(EdgarAddresses::public).ok_or_else(public)?;
            Arc::new(Edgar::new(network.clone(), addresses, &contact))
        }
    })
}

/// The operator's own prices; what is wrong with the table is told line by line.
fn own(file: Option<&Path>, adjustment: OwnAdjustment) -> Result<OwnData, String> {
    let file =
        file.ok_or_else(|| "it needs the file with the prices: file = \"/srv/prices.csv\"".to_owned())?;
    let unreadable = |error: io::Error| format!("{} cannot be read: {error}", file.display());
    let bytes = fs::metadata(file).map_err(unreadable)?.len();
    if bytes > LARGEST_TABLE {
        return Err(format!("{} has {bytes} bytes, more than {LARGEST_TABLE}", file.display()));
    }
    let (preview, data) = OwnData::read(&fs::read_to_string(file).map_err(unreadable)?, adjustment);
    data.ok_or_else(|| {
        let lines: Vec<String> = preview.errors.iter().map(ToString::to_string).collect();
        let more = if preview.more_errors > 0 {
            format!(" And {} more.", preview.more_errors)
        } else {
            String::new()
        };
        let said = format!("{} has errors. {}{more}", file.display(), lines.join(" "));
        said.trim_end_matches('.').to_owned()
    })
}

/// An address by https, or by http on this machine: the network between would read the key.
fn address(written: &str) -> Result<Url, String> {
    let url = Url::parse(written.trim()).map_err(|error| format!("its base_url cannot be read ({error})"))?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "https" if is_bare => Ok(url),
        "http" if is_bare && is_here => Ok(url),
        _ if !is_bare => {
            Err("its base_url holds a name, a password, a query or a fragment: leave it out".to_owned())
        }
        _ => Err("its base_url must begin with https://, or with http:// at a loopback address".to_owned()),
    }
}
