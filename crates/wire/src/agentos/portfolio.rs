use std::collections::BTreeMap;

use protocol::{
    Date, Decimal,
    trading::{HoldingView, Measured, PortfolioView, Side, Trade},
};
use serde::Serialize;

/// Trades that `/latest` shows.
const RECENT_TRADES: usize = 10;

/// A portfolio, as `GET /api/portfolios/` lists it and `GET /api/portfolios/{id}` shows it.
/// It carries the id and the cash under both of the names that AgentOS uses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountRecord {
    id: String,
    portfolio_id: String,
    name: String,
    cash: f64,
    cash_balance: f64,
    initial_cash: f64,
    currency: &'static str,
    /// `null` where a view of an earlier version does not say.
    created_at: Option<String>,
    updated_at: String,
    report_path: Option<String>,
    metadata: NoMetadata,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct NoMetadata {}

impl From<&PortfolioView> for AccountRecord {
    fn from(view: &PortfolioView) -> Self {
        let cash = number(view.cash);
        Self {
            id: view.id.to_string(),
            portfolio_id: view.id.to_string(),
            name: view.name.clone(),
            cash,
            cash_balance: cash,
            initial_cash: number(view.initial_cash),
            currency: "USD",
            created_at: view.opened_at.map(|at| at.to_string()),
            updated_at: view.updated_at.to_string(),
            report_path: None,
            metadata: NoMetadata {},
        }
    }
}

/// `GET /api/portfolios/{id}/latest`: holdings at real prices, and the last trades.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latest {
    portfolio: AccountRecord,
    /// `null` for a view without a day. AgentOS' page shows it as it stands, and is told here what it shows as zero
    /// among the holdings, because it is not known.
    snapshot: Option<Snapshot>,
    holdings: Vec<Holding>,
    recent_trades: Vec<TradeRecord>,
}

impl From<&PortfolioView> for Latest {
    fn from(view: &PortfolioView) -> Self {
        Self {
            portfolio: view.into(),
            snapshot: Snapshot::of(view),
            holdings: view.holdings.iter().map(Holding::from).collect(),
            recent_trades: view.trades.iter().take(RECENT_TRADES).map(TradeRecord::from).collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Snapshot {
    snapshot_id: String,
    portfolio_id: String,
    snapshot_date: Date,
    /// `null` where a holding has no price, so that the whole has no value.
    total_value: Option<f64>,
    cash: f64,
    equity_value: Option<f64>,
    num_positions: usize,
    holdings_snapshot: Vec<Holding>,
    metadata: SnapshotMetadata,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct SnapshotMetadata {
    risk_metrics: RiskMetrics,
    /// Why, for each of these figures that is not known, and for each holding without a price.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unknown: BTreeMap<String, String>,
}

/// Losses are negative; `null` is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct RiskMetrics {
    sharpe: Option<f64>,
    sortino: Option<f64>,
    var_95: Option<f64>,
    max_drawdown: Option<f64>,
    beta: Option<f64>,
}

impl Snapshot {
    fn of(view: &PortfolioView) -> Option<Self> {
        let snapshot_date = view.as_of?;
        let metrics = &view.metrics;
        Some(Self {
            // The ledger's length and the day of the prices determine all of its values.
            snapshot_id: format!("{}:{}:{snapshot_date}", view.id, view.entries),
            portfolio_id: view.id.to_string(),
            snapshot_date,
            total_value: known(&view.total),
            cash: number(view.cash),
            equity_value: known(&view.equity),
            num_positions: view.holdings.len(),
            holdings_snapshot: view.holdings.iter().map(Holding::from).collect(),
            metadata: SnapshotMetadata {
                risk_metrics: RiskMetrics {
                    sharpe: known(&metrics.sharpe),
                    sortino: known(&metrics.sortino),
                    var_95: known(&metrics.value_at_risk),
                    max_drawdown: known(&metrics.max_drawdown),
                    beta: known(&metrics.beta),
                },
                unknown: unknown(view, snapshot_date),
            },
        })
    }
}

/// What a portfolio's figures leave open, with the reasons.
fn unknown(view: &PortfolioView, day: Date) -> BTreeMap<String, String> {
    let metrics = &view.metrics;
    let figures = [
        ("total_value", &view.total),
        ("equity_value", &view.equity),
        ("sharpe", &metrics.sharpe),
        ("sortino", &metrics.sortino),
        ("var_95", &metrics.value_at_risk),
        ("max_drawdown", &metrics.max_drawdown),
        ("beta", &metrics.beta),
    ];
    let figures =
        figures.into_iter().filter_map(|(name, figure)| Some((name.to_owned(), figure.reason()?.to_owned())));
    let unpriced = view.holdings.iter().filter(|holding| holding.price.is_none());
    let holdings = unpriced.map(|holding| {
        let reason = format!("It has no price as of {day}, so that its value and its profit are not known.");
        (holding.ticker.to_string(), reason)
    });
    figures.chain(holdings).collect()
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Holding {
    ticker: String,
    quantity: f64,
    avg_cost: f64,
    current_price: Option<f64>,
    market_value: Option<f64>,
    unrealized_pnl: Option<f64>,
    sector: String,
}

impl From<&HoldingView> for Holding {
    fn from(holding: &HoldingView) -> Self {
        Self {
            ticker: holding.ticker.to_string(),
            quantity: number(holding.quantity),
            avg_cost: number(holding.average_cost),
            current_price: holding.price.map(number),
            market_value: holding.market_value.map(number),
            unrealized_pnl: holding.unrealised_profit.map(number),
            sector: holding.sector.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct TradeRecord {
    id: String,
    ticker: String,
    action: Side,
    quantity: f64,
    price: f64,
    /// The day whose price was paid, which is the run's and not the wall clock's.
    executed_at: Date,
    rationale: String,
    stop_loss: Option<f64>,
    take_profit: Option<f64>,
}

impl From<&Trade> for TradeRecord {
    fn from(trade: &Trade) -> Self {
        Self {
            id: trade.key.clone(),
            ticker: trade.ticker.to_string(),
            action: trade.side,
            quantity: number(trade.quantity),
            price: number(trade.price),
            executed_at: trade.date,
            rationale: trade.rationale.clone(),
            stop_loss: trade.stop_loss.map(number),
            take_profit: trade.take_profit.map(number),
        }
    }
}

/// `GET /api/portfolios/{id}/summary`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    sharpe_ratio: f64,
    /// In upper case; `UNKNOWN` before the first decision.
    market_regime: String,
    beta: f64,
    /// In percent; never positive.
    drawdown: f64,
    /// Loss in US dollars, as a positive number.
    var_1d: f64,
    efficiency_label: &'static str,
}

/// The answer where one of the four figures is not known, with status 404: AgentOS' page cannot bear a figure that is
/// `null`, and shows its own empty state for an answer that is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoSummary {
    /// What is not known, in a sentence.
    pub detail: String,
    /// Why, for each figure that is not known.
    pub unknown: BTreeMap<&'static str, String>,
    /// Those that are known.
    pub known: BTreeMap<&'static str, f64>,
}

impl Summary {
    /// The figures of this portfolio, with the market regime of its last decision.
    ///
    /// # Errors
    /// One of the figures is not known.
    pub fn new(view: &PortfolioView, regime: Option<&str>) -> Result<Self, NoSummary> {
        let (mut unknown, mut all) = (BTreeMap::new(), BTreeMap::new());
        let mut figure = |name: &'static str, measured: Measured<Decimal>| match measured {
            Measured::Known(value) => drop(all.insert(name, number(value))),
            Measured::Unknown(reason) => drop(unknown.insert(name, reason)),
        };
        let metrics = &view.metrics;
        figure("sharpe_ratio", metrics.sharpe.clone());
        figure("beta", metrics.beta.clone());
        figure("drawdown", map(&metrics.max_drawdown, |fraction| fraction.checked_mul(Decimal::ONE_HUNDRED)));
        let lost = match &view.total {
            Measured::Known(total) => {
                map(&metrics.value_at_risk, |fraction| Some(fraction.checked_mul(*total)?.abs()))
            }
            Measured::Unknown(reason) => Measured::Unknown(reason.clone()),
        };
        figure("var_1d", lost);
        let [Some(sharpe_ratio), Some(beta), Some(drawdown), Some(var_1d)] =
            ["sharpe_ratio", "beta", "drawdown", "var_1d"].map(|name| all.get(name).copied())
        else {
            let names: Vec<_> = unknown.keys().copied().collect();
            let detail = format!("Not known yet: {}. See \"unknown\" for the reasons.", names.join(", "));
            return Err(NoSummary { detail, unknown, known: all });
        };
        Ok(Self {
            sharpe_ratio,
            market_regime: regime.map_or_else(|| "UNKNOWN".to_owned(), str::to_uppercase),
            beta,
            drawdown,
            var_1d,
            efficiency_label: if sharpe_ratio > 2.0 { "High Efficiency" } else { "Normal" },
        })
    }
}

fn map(measured: &Measured<Decimal>, change: impl Fn(Decimal) -> Option<Decimal>) -> Measured<Decimal> {
    match measured {
        Measured::Known(value) => match change(*value) {
            Some(value) => Measured::Known(value),
            None => Measured::Unknown("the amounts are too large".to_owned()),
        },
        Measured::Unknown(reason) => Measured::Unknown(reason.clone()),
    }
}

fn known(measured: &Measured<Decimal>) -> Option<f64> {
    measured.known().copied().map(number)
}

/// The double nearest to an exact amount.
fn number(amount: Decimal) -> f64 {
    // Reading the digits rounds once and correctly; a decimal's digits are always a number.
    amount.to_string().parse().unwrap_or(f64::NAN)
}
