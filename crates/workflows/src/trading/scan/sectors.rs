//! The eleven sectors, by their returns.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use market::{DailyPrice, DataKind};
use protocol::{
    Decimal, Figure,
    trading::{Measured, MissingInput, Ticker},
};
use serde::{Deserialize, Serialize};

use super::{
    facts::{SectorFacts, SectorsFacts},
    figures::{MONTH, WEEK, fraction, return_of_year, return_over},
    market_day::{self, History, MarketDay, SECTORS, Sector, Stocks},
    report::{Evidence, Scanner},
    state,
};
use crate::trading::{
    facts::Unit,
    measured::{Found, measure},
    prompts::{prompt, roles},
    seen::Seen,
};

/// The tool by which code measures the sectors.
const MEASURE: &str = "get_sector_performance";

pub(super) const SCANNER: Scanner = Scanner {
    node: "sector_scanner",
    role: "sector scan",
    label: "Sector scanner",
    prompt: roles::SECTOR_SCANNER,
    title: "Sector performance report",
    report: state::SECTOR_PERFORMANCE_REPORT,
    tools: &[],
    looks_up: None,
};

/// The sector scanner.
pub(super) struct Sectors(pub(super) MarketDay);

#[derive(Serialize, Deserialize)]
struct Measurements {
    facts: SectorsFacts,
    seen: Vec<Seen>,
}

#[async_trait]
impl Work for Sectors {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let day = &self.0;
        let Measurements { facts, seen } = measure(node, MEASURE, &day.asked(), measure_sectors(day)).await?;
        let figures = facts.sectors.iter().filter_map(|sector| {
            let month = *sector.month.known()?;
            Some(Figure {
                label: format!("{}, 21 days", sector.sector),
                value: Unit::Fraction.show(month),
                source: sector.basis.known().cloned().unwrap_or_default(),
            })
        });
        let evidence =
            Evidence { facts: &facts, seen, missing: facts.missing.clone(), figures: figures.collect() };
        let messages = prompt(SCANNER.prompt, day.header());
        SCANNER.write(node, day, messages, evidence).await?.set(state::SECTORS, &facts.sectors)
    }
}

async fn measure_sectors(day: &MarketDay) -> Result<Found<Measurements>, String> {
    let listed = day.stocks().await;
    let mut seen =
        market_day::seen(SCANNER.label, "prices of listed stocks", listed.found.iter().map(|(_, it)| it));
    let mut sectors = Vec::new();
    for sector in &SECTORS {
        let fund = fund(day, sector, &listed).await;
        if let Some(fund) = &fund {
            seen.extend(market_day::seen(
                SCANNER.label,
                &format!("prices {}", sector.fund),
                std::iter::once(fund),
            ));
        }
        sectors.push(measure_sector(sector, fund.as_ref(), &listed));
    }
    // The highest return first; an unknown one is below all others.
    sectors.sort_by(|one, two| {
        two.month.known().cmp(&one.month.known()).then_with(|| one.sector.cmp(&two.sector))
    });
    let missing: Vec<MissingInput> = sectors
        .iter()
        .filter_map(|sector| {
            let reason = sector.basis.reason()?.to_owned();
            Some(MissingInput { input: format!("sector {}", sector.sector), reason })
        })
        .collect();
    let is_degraded = !missing.is_empty();
    let facts = SectorsFacts { date: day.date, sectors, missing };
    Ok(Found { value: Measurements { facts, seen }, vendor: day.market.name(DataKind::Prices), is_degraded })
}

/// The fund that follows a sector, if there are prices of the same day as of the stocks.
async fn fund(day: &MarketDay, sector: &Sector, listed: &Stocks) -> Option<History> {
    let ticker: Ticker = sector.fund.parse().ok()?;
    let history = day.history(&ticker).await.ok()?;
    let last = history.days.last().map(|day| day.date);
    (last >= listed.session).then_some(history)
}

fn measure_sector(sector: &Sector, fund: Option<&History>, listed: &Stocks) -> SectorFacts {
    let members: Vec<&[DailyPrice]> = listed
        .found
        .iter()
        .filter(|(stock, _)| stock.sector == sector.name)
        .map(|(_, history)| history.days.as_slice())
        .collect();
    let (basis, histories) = match (fund, members.len()) {
        (Some(fund), _) => (Measured::Known(format!("the fund {}", sector.fund)), vec![fund.days.as_slice()]),
        (None, 0) => {
            let reason = format!(
                "There are no prices of the fund {}, and no listed stock is of this sector.",
                sector.fund
            );
            (Measured::Unknown(reason), members)
        }
        (None, 1) => (Measured::Known("its one listed stock".to_owned()), members),
        (None, count) => (Measured::Known(format!("the mean of its {count} listed stocks")), members),
    };
    let of = |measure: &Measure| match &basis {
        Measured::Known(_) => fraction(mean(&histories, measure)),
        Measured::Unknown(reason) => Measured::Unknown(reason.clone()),
    };
    SectorFacts {
        sector: sector.name.to_owned(),
        day: of(&|days| return_over(days, 1)),
        week: of(&|days| return_over(days, WEEK)),
        month: of(&|days| return_over(days, MONTH)),
        year_to_date: of(&return_of_year),
        basis,
    }
}

/// A figure of a price history, not rounded yet.
type Measure = dyn Fn(&[DailyPrice]) -> Result<Decimal, String>;

/// The mean of a figure, where it is known of all: with other members each time, figures could not be compared.
fn mean(histories: &[&[DailyPrice]], measure: &Measure) -> Result<Decimal, String> {
    let sum = histories.iter().try_fold(Decimal::ZERO, |sum, days| Ok::<_, String>(sum + measure(days)?))?;
    sum.checked_div(Decimal::from(histories.len())).ok_or_else(|| "there are no stocks".to_owned())
}
