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
    /// Not known: the ledger's view does not carry it.
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
            created_at: None,
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
    /// `null` where a holding has no price, so that the whole has no value.
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
    total_value: f64,
    cash: f64,
    equity_value: f64,
    num_positions: usize,
    holdings_snapshot: Vec<Holding>,
    metadata: SnapshotMetadata,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct SnapshotMetadata {
    risk_metrics: RiskMetrics,
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
            total_value: known(&view.total)?,
            cash: number(view.cash),
            equity_value: known(&view.equity)?,
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
            },
        })
    }
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

/// `GET /api/portfolios/{id}/summary`. A figure that is not known is `null`, and
/// `unknown` says why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    sharpe_ratio: Option<f64>,
    /// In upper case; `UNKNOWN` before the first decision.
    market_regime: String,
    beta: Option<f64>,
    /// In percent; never positive.
    drawdown: Option<f64>,
    /// Loss in US dollars, as a positive number.
    var_1d: Option<f64>,
    efficiency_label: &'static str,
    unknown: BTreeMap<&'static str, String>,
}

impl Summary {
    /// The figures of this portfolio, with the market regime of its last decision.
    pub fn new(view: &PortfolioView, regime: Option<&str>) -> Self {
        let metrics = &view.metrics;
        let mut unknown = BTreeMap::new();
        let mut figure = |name: &'static str, measured: &Measured<Decimal>| match measured {
            Measured::Known(value) => Some(*value),
            Measured::Unknown(reason) => {
                unknown.insert(name, reason.clone());
                None
            }
        };
        let sharpe = figure("sharpe_ratio", &metrics.sharpe);
        let beta = figure("beta", &metrics.beta);
        let drawdown = figure("drawdown", &metrics.max_drawdown);
        let value_at_risk = figure("var_1d", &metrics.value_at_risk);
        let total = figure("total_value", &view.total);
        Self {
            sharpe_ratio: sharpe.map(number),
            market_regime: regime.map_or_else(|| "UNKNOWN".to_owned(), str::to_uppercase),
            beta: beta.map(number),
            drawdown: drawdown.map(|fraction| number(fraction * Decimal::ONE_HUNDRED)),
            var_1d: value_at_risk.zip(total).map(|(fraction, total)| number((fraction * total).abs())),
            efficiency_label: match sharpe {
                Some(sharpe) if sharpe > Decimal::TWO => "High Efficiency",
                Some(_) => "Normal",
                None => "Unknown",
            },
            unknown,
        }
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
