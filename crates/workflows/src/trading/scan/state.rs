//! Keys of the run's state.

/// The geopolitical scanner's report.
pub const GEOPOLITICAL_REPORT: &str = "geopolitical_report";
/// The market movers scanner's report.
pub const MARKET_MOVERS_REPORT: &str = "market_movers_report";
/// The sector scanner's report.
pub const SECTOR_PERFORMANCE_REPORT: &str = "sector_performance_report";
/// The smart money scanner's report.
pub const SMART_MONEY_REPORT: &str = "smart_money_report";
/// The report on industries.
pub const INDUSTRY_DEEP_DIVE_REPORT: &str = "industry_deep_dive_report";
/// The regime of the market.
pub const REGIME: &str = "regime";
/// The figures of all stocks.
pub const STOCKS: &str = "stocks";
/// How many stocks rise and fall.
pub const BREADTH: &str = "breadth";
/// The sectors by their return of a month.
pub const SECTORS: &str = "sectors";
/// The stocks with a footprint of large investors.
pub const FOOTPRINTS: &str = "footprints";
/// Those of them that volumes or purchases of insiders confirm.
pub const CONFIRMED: &str = "confirmed_footprints";
/// What scanners did without, a list of lists.
pub const MISSING: &str = "missing";
/// What scanners saw, a list of lists.
pub const SEEN: &str = "data_seen";
/// The result.
pub const SCAN: &str = "macro_scan_summary";
