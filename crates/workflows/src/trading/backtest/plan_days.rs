//! The days of the backtest, and what lies before them.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use market::Market;
use portfolio::{Entry, references::SLOW};
use protocol::{
    Date,
    trading::{BacktestPlan, BacktestSchedule},
};
use serde_json::json;

use super::{
    assignment::Backtest,
    book::midnight,
    market_days::{Passed, gather},
    schedule::Schedule,
    state,
};
use crate::{
    node::product,
    trading::measured::{Found, measure},
};

/// The tool by which code looks for trading days.
pub(super) const LOOK: &str = "list_trading_days";
/// The tool by which code looks for the closes before the first day.
const LOOK_BACK: &str = "prices_before";
/// The id and the name of the portfolio.
const PORTFOLIO: &str = "backtest";

/// Plans the days.
pub(super) struct PlanDays(pub(super) Backtest);

#[async_trait]
impl Work for PlanDays {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Backtest { plan, market, .. } = &self.0;
        let BacktestPlan { tickers, from, to, rhythm, .. } = plan;
        let arguments = json!({ "tickers": tickers, "from": from, "to": to });
        let days: Vec<Date> = measure(node, LOOK, &arguments, async {
            let (days, vendors) = trading_days(market, plan).await?;
            Ok(Found { value: days, vendor: vendors.join(", "), is_degraded: false })
        })
        .await?;
        let schedule = Schedule::new(days, *rhythm).map_err(NodeError::Failed)?;
        let first = *schedule.days.first().unwrap_or(from);
        let instruments = self.0.instruments();
        let arguments = json!({ "tickers": instruments, "before": first, "days": SLOW });
        let before: Passed = measure(node, LOOK_BACK, &arguments, async {
            let Ok(until) = first.yesterday() else {
                return Ok(Found { value: Passed::default(), vendor: String::new(), is_degraded: true });
            };
            if until < market.first_date() {
                return Ok(Found { value: Passed::default(), vendor: String::new(), is_degraded: true });
            }
            let mut found = gather(market, &instruments, None, until).await?;
            let days = std::mem::take(&mut found.passed.days);
            let skipped = days.len().saturating_sub(SLOW);
            found.passed.days = days.into_iter().skip(skipped).collect();
            let is_degraded = !found.passed.remarks.is_empty();
            Ok(Found { value: found.passed, vendor: found.vendors.join(", "), is_degraded })
        })
        .await?;
        let shown = BacktestSchedule {
            run: node.run(),
            tickers: tickers.clone(),
            rhythm: *rhythm,
            days: schedule.days.clone(),
            decisions: schedule.decisions.clone(),
        };
        node.emit(vec![product(shown.product())?]).await?;
        let opened = opened(plan, &schedule)?;
        Outcome::default()
            .set(state::SCHEDULE, schedule)?
            .set(state::LOOK_BACK, before.days)?
            .set(state::ENTRIES, [opened])?
            .set(state::DECIDED, 0)
    }
}

/// The entry that the portfolio begins with.
///
/// # Errors
/// Never with the id as it is.
pub(super) fn opened(plan: &BacktestPlan, schedule: &Schedule) -> Result<Entry, NodeError> {
    let id = PORTFOLIO.parse().map_err(|_| NodeError::failed("The portfolio has no id."))?;
    let first = *schedule.days.first().unwrap_or(&plan.from);
    let (name, at) = (PORTFOLIO.to_owned(), midnight(first));
    Ok(Entry::Opened { id, name, cash: plan.cash, at, settings: plan.settings(), holdings: None })
}

/// The days of the range on which one of the stocks has a price, and who knows. Only the calendar is taken from what is
/// known at the end.
async fn trading_days(market: &Market, plan: &BacktestPlan) -> Result<(Vec<Date>, Vec<String>), String> {
    let BacktestPlan { tickers, from, to, .. } = plan;
    let found = gather(market, tickers, from.yesterday().ok(), *to).await?;
    Ok((found.passed.days.iter().map(|day| day.date).collect(), found.vendors))
}

/// How many decisions a backtest will take; `None` where that cannot be known before it runs.
pub(in crate::trading) async fn expected_decisions(market: &Market, plan: &BacktestPlan) -> Option<u32> {
    let (days, _) = trading_days(market, plan).await.ok()?;
    u32::try_from(Schedule::new(days, plan.rhythm).ok()?.decisions.len()).ok()
}
