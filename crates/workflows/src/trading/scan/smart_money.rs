//! Footprints of large investors: breakouts, unusual volume, and what insiders buy.

use std::collections::BTreeSet;

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use jiff::ToSpan;
use market::{DataKind, Source};
use protocol::{
    Decimal,
    trading::{Measured, MissingInput, Ticker},
};

use super::{
    facts::{Footprint, InsiderBuying, SmartMoneyFacts, StockFacts},
    figures,
    market_day::MarketDay,
    report::{Evidence, Scanner},
    state,
};
use crate::trading::{
    measured::{Found, measure},
    prompts::{prompt, roles},
    seen::{Seen, Served},
};

/// The tools by which code looks for footprints.
const BREAKOUTS: &str = "get_breakout_accumulation_stocks";
const UNUSUAL_VOLUME: &str = "get_unusual_volume_stocks";
const INSIDERS: &str = "get_insider_buying_stocks";
/// Times the usual volume, from which on it is unusual.
const UNUSUAL: Decimal = Decimal::TWO;
/// US dollars, below which a stock is not looked at.
const LOWEST_CLOSE: Decimal = Decimal::TEN;
/// Calendar days within which trades of insiders count.
const INSIDER_DAYS: i64 = 90;
/// Stocks of a kind that are shown.
const MOST: usize = 5;

pub(super) const SCANNER: Scanner = Scanner {
    node: "smart_money_scanner",
    role: "smart money scan",
    label: "Smart money scanner",
    prompt: roles::SMART_MONEY_SCANNER,
    title: "Smart money report",
    report: state::SMART_MONEY_REPORT,
    tools: &[],
    looks_up: None,
};

/// The smart money scanner.
pub(super) struct SmartMoney(pub(super) MarketDay);

#[async_trait]
impl Work for SmartMoney {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let day = &self.0;
        let insider_buying = measure(node, INSIDERS, &day.asked(), insiders(day)).await?;
        let unusual_volume = measure(node, UNUSUAL_VOLUME, &day.asked(), unusual_volume(day)).await?;
        let breakouts = measure(node, BREAKOUTS, &day.asked(), breakouts(day)).await?;
        let mut facts = SmartMoneyFacts {
            date: day.date,
            breakouts,
            unusual_volume,
            insider_buying,
            missing: Vec::new(),
        };
        facts.missing = missing(&facts);
        let evidence = Evidence {
            facts: &facts,
            seen: seen(day, &facts),
            missing: facts.missing.clone(),
            figures: Vec::new(),
        };
        let messages = prompt(SCANNER.prompt, day.header())
            .section("Sector performance", node.state().text(state::SECTOR_PERFORMANCE_REPORT));
        let outcome = SCANNER.write(node, day, messages, evidence).await?;
        outcome.set(state::FOOTPRINTS, footprints(&facts))?.set(state::CONFIRMED, confirmed(&facts))
    }
}

/// What there is nothing of. That an investor's own books are no source is said in any case.
fn missing(facts: &SmartMoneyFacts) -> Vec<MissingInput> {
    let of = |input: &str, reason: Option<&str>| {
        reason.map(|reason| MissingInput { input: input.to_owned(), reason: reason.to_owned() })
    };
    let measured = [
        of("breakouts", facts.breakouts.reason()),
        of("unusual volume", facts.unusual_volume.reason()),
        of("insider buying", facts.insider_buying.reason()),
    ];
    let never = of(
        "holdings of institutions, options and dark pools",
        Some("No vendor of Pitwall serves these data."),
    );
    measured.into_iter().chain([never]).flatten().collect()
}

/// The stocks with any footprint.
fn footprints(facts: &SmartMoneyFacts) -> BTreeSet<Ticker> {
    let in_prices =
        [&facts.breakouts, &facts.unusual_volume].into_iter().filter_map(Measured::known).flatten();
    let bought = facts.insider_buying.known().into_iter().flatten();
    in_prices.map(|footprint| &footprint.ticker).chain(bought.map(|bought| &bought.ticker)).cloned().collect()
}

/// Those that more than a price shows.
fn confirmed(facts: &SmartMoneyFacts) -> BTreeSet<Ticker> {
    let breakouts = facts.breakouts.known().into_iter().flatten();
    let with_volume = breakouts.filter(|footprint| footprint.relative_volume.known().is_some());
    let unusual = facts.unusual_volume.known().into_iter().flatten();
    let bought = facts.insider_buying.known().into_iter().flatten().map(|bought| &bought.ticker);
    with_volume.chain(unusual).map(|footprint| &footprint.ticker).chain(bought).cloned().collect()
}

fn seen(day: &MarketDay, facts: &SmartMoneyFacts) -> Vec<Seen> {
    let looked = |tool: &str, kind: DataKind, found: Option<usize>| {
        found.map(|found| {
            let vendor = day.market.name(kind);
            let source = Source { notes: vec![format!("{found} found")], ..Source::new(&vendor, day.date) };
            let served = Served { source, rows: found, from: None, to: None };
            Seen::of(SCANNER.label, tool, served)
        })
    };
    [
        looked(BREAKOUTS, DataKind::Prices, facts.breakouts.known().map(Vec::len)),
        looked(UNUSUAL_VOLUME, DataKind::Prices, facts.unusual_volume.known().map(Vec::len)),
        looked(INSIDERS, DataKind::Insiders, facts.insider_buying.known().map(Vec::len)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn stocks(day: &MarketDay) -> Vec<StockFacts> {
    let listed = day.stocks().await.found;
    listed.iter().filter_map(|(stock, history)| figures::measure(stock, &history.days)).collect()
}

/// Stocks at a new high, with more than twice their usual volume where that is known.
async fn breakouts(day: &MarketDay) -> Result<Found<Measured<Vec<Footprint>>>, String> {
    let stocks = stocks(day).await;
    let known = stocks.iter().any(|stock| stock.new_high.known().is_some());
    let broken_out = stocks.iter().filter(|stock| {
        stock.new_high == Measured::Known(true)
            && stock.relative_volume.known().is_none_or(|volume| *volume > UNUSUAL)
    });
    let reason = stocks.first().and_then(|stock| stock.new_high.reason());
    Ok(found(day, known, reason, broken_out))
}

async fn unusual_volume(day: &MarketDay) -> Result<Found<Measured<Vec<Footprint>>>, String> {
    let stocks = stocks(day).await;
    let known = stocks.iter().any(|stock| stock.relative_volume.known().is_some());
    let unusual =
        stocks.iter().filter(|stock| stock.relative_volume.known().is_some_and(|volume| *volume > UNUSUAL));
    let reason = stocks.first().and_then(|stock| stock.relative_volume.reason());
    Ok(found(day, known, reason, unusual))
}

/// The largest of what was found, by volume and then by the return of a month.
fn found<'s>(
    day: &MarketDay,
    known: bool,
    reason: Option<&str>,
    stocks: impl Iterator<Item = &'s StockFacts>,
) -> Found<Measured<Vec<Footprint>>> {
    let vendor = day.market.name(DataKind::Prices);
    if !known {
        let reason = reason.unwrap_or("there are no prices").to_owned();
        return Found { value: Measured::Unknown(reason), vendor, is_degraded: true };
    }
    let mut stocks: Vec<&StockFacts> = stocks.filter(|stock| stock.close > LOWEST_CLOSE).collect();
    stocks.sort_by(|one, two| {
        let weight =
            |stock: &StockFacts| (stock.relative_volume.known().copied(), stock.month.known().copied());
        weight(two).cmp(&weight(one)).then_with(|| one.ticker.cmp(&two.ticker))
    });
    let footprint = |stock: &StockFacts| Footprint {
        ticker: stock.ticker.clone(),
        name: stock.name.clone(),
        sector: stock.sector.clone(),
        close: stock.close,
        month: stock.month.clone(),
        relative_volume: stock.relative_volume.clone(),
    };
    let footprints = stocks.into_iter().take(MOST).map(footprint).collect();
    Found { value: Measured::Known(footprints), vendor, is_degraded: false }
}

/// Stocks of which insiders bought more on the market than they sold.
async fn insiders(day: &MarketDay) -> Result<Found<Measured<Vec<InsiderBuying>>>, String> {
    let first = day.date.saturating_sub(INSIDER_DAYS.days());
    let (mut bought, mut answered, mut reasons) = (Vec::new(), false, BTreeSet::new());
    for (stock, _) in &day.stocks().await.found {
        let trades = match day.market.insider_trades(&stock.ticker, day.date).await {
            Ok(answer) => answer.data,
            Err(refusal) => {
                reasons.insert(refusal.to_string());
                continue;
            }
        };
        answered = true;
        let on_market = trades.iter().filter(|trade| {
            matches!(trade.code.as_str(), "P" | "S")
                && trade.published <= day.date
                && (first..=day.date).contains(&trade.date)
        });
        let on_market: Vec<_> = on_market.collect();
        let shares =
            on_market.iter().try_fold(Decimal::ZERO, |shares, trade| shares.checked_add(trade.change));
        let published = on_market.iter().map(|trade| trade.published).max();
        if let (Some(shares), Some(published)) = (shares, published)
            && shares > Decimal::ZERO
        {
            let (ticker, name) = (stock.ticker.clone(), stock.name.clone());
            bought.push(InsiderBuying { ticker, name, shares, trades: on_market.len(), published });
        }
    }
    let vendor = day.market.name(DataKind::Insiders);
    if !answered {
        let reasons: Vec<String> = reasons.into_iter().take(2).collect();
        let reason =
            if reasons.is_empty() { "there are no listed stocks".to_owned() } else { reasons.join(" ") };
        return Ok(Found { value: Measured::Unknown(reason), vendor, is_degraded: true });
    }
    bought.sort_by(|one, two| two.shares.cmp(&one.shares).then_with(|| one.ticker.cmp(&two.ticker)));
    bought.truncate(MOST);
    Ok(Found { value: Measured::Known(bought), vendor, is_degraded: !reasons.is_empty() })
}
