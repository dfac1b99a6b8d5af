//! What AgentOS's clients see of a portfolio.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use protocol::{trading::*, *};
use serde_json::{Value, json};
use wire::agentos::{AccountRecord, Latest, Summary};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn unknown<T>() -> Measured<T> {
    Measured::Unknown("20 days are needed and 3 are there".to_owned())
}

/// 100 AAPL bought at 150, now at 182.50, and 10,000 in cash.
fn view() -> PortfolioView {
    let trade = |number: i64| Trade {
        key: format!("order-{number}"),
        side: Side::Buy,
        ticker: "AAPL".parse().unwrap(),
        quantity: decimal("0.1"),
        price: decimal("195.5"),
        date: "2022-06-29".parse().unwrap(),
        executed_at: Timestamp(1_700_000_000_000),
        rationale: "Momentum".to_owned(),
        stop_loss: Some(decimal("270")),
        take_profit: None,
        realised_profit: None,
        run: None,
        commission: Decimal::ZERO,
        quoted: None,
        cause: TradeCause::Order,
    };
    PortfolioView {
        id: "growth".parse().unwrap(),
        name: "Growth".to_owned(),
        entries: 12,
        as_of: Some("2022-06-30".parse().unwrap()),
        cash: decimal("10000"),
        initial_cash: decimal("25000"),
        equity: Measured::Known(decimal("18250")),
        total: Measured::Known(decimal("28250")),
        unrealised_profit: Measured::Known(decimal("3250")),
        realised_profit: Decimal::ZERO,
        holdings: vec![HoldingView {
            ticker: "AAPL".parse().unwrap(),
            name: "Apple Inc.".to_owned(),
            sector: "Technology".to_owned(),
            quantity: decimal("100"),
            average_cost: decimal("150"),
            cost_basis: decimal("15000"),
            price: Some(decimal("182.5")),
            market_value: Some(decimal("18250.0")),
            unrealised_profit: Some(decimal("3250.0")),
            unrealised_fraction: Some(decimal("0.2166666667")),
            weight: Some(decimal("0.6460176991")),
            lots: Vec::new(),
            stop_loss: None,
            take_profit: None,
        }],
        trades: (1..=12).map(trade).collect(),
        last_decision: None,
        allocation: Vec::new(),
        history: Vec::new(),
        metrics: PortfolioMetrics {
            sharpe: Measured::Known(decimal("2.1")),
            sortino: unknown(),
            value_at_risk: Measured::Known(decimal("-0.02")),
            max_drawdown: Measured::Known(decimal("-0.024")),
            beta: unknown(),
            days: 3,
        },
        constraints: Constraints::default(),
        price_table: None,
        updated_at: Timestamp(1_656_547_200_000),
        opened_at: Some(Timestamp(1_641_168_000_000)),
        settings: PortfolioSettings::default(),
        bookings: Bookings::default(),
        pending: Vec::new(),
    }
}

fn latest(view: &PortfolioView) -> Value {
    serde_json::to_value(Latest::from(view)).unwrap()
}

/// AgentOS 6.C 15.
#[test]
fn holdings_are_shown_at_their_prices() {
    let shown = latest(&view());
    let holding = json!({
        "ticker": "AAPL", "quantity": 100.0, "avg_cost": 150.0, "current_price": 182.5,
        "market_value": 18250.0, "unrealized_pnl": 3250.0, "sector": "Technology",
    });
    assert_eq!(shown["holdings"], json!([holding]));
    assert_eq!(shown["snapshot"]["total_value"], 28250.0);
    assert_eq!(shown["snapshot"]["equity_value"], 18250.0);
    assert_eq!(shown["snapshot"]["num_positions"], 1);
    assert_eq!(shown["snapshot"]["snapshot_date"], "2022-06-30");
    assert_eq!(shown["snapshot"]["metadata"]["risk_metrics"]["max_drawdown"], -0.024);
}

/// AgentOS 6.C 15.
#[test]
fn a_holding_without_a_price_has_null_and_not_zero_and_the_snapshot_says_why() {
    let mut unpriced = view();
    let holding = &mut unpriced.holdings[0];
    (holding.price, holding.market_value, holding.unrealised_profit) = (None, None, None);
    unpriced.total = Measured::Unknown("No price found for AAPL".to_owned());
    unpriced.equity = unpriced.total.clone();
    let shown = latest(&unpriced);
    for field in ["current_price", "market_value", "unrealized_pnl"] {
        assert_eq!(shown["holdings"][0][field], Value::Null, "{field}");
    }
    // The page adds nothing up: it shows the snapshot as it stands.
    let snapshot = &shown["snapshot"];
    assert_eq!((&snapshot["total_value"], &snapshot["equity_value"]), (&Value::Null, &Value::Null));
    assert_eq!(snapshot["cash"], 10000.0);
    assert_eq!(
        snapshot["metadata"]["unknown"],
        json!({
            "AAPL": "It has no price as of 2022-06-30, so that its value and its profit are not known.",
            "total_value": "No price found for AAPL", "equity_value": "No price found for AAPL",
            "beta": "20 days are needed and 3 are there", "sortino": "20 days are needed and 3 are there",
        })
    );
}

#[test]
fn at_most_ten_trades_are_shown_newest_first() {
    let shown = latest(&view());
    let trades = shown["recent_trades"].as_array().unwrap();
    assert_eq!(trades.len(), 10);
    assert_eq!(
        trades[0],
        json!({
            "id": "order-1", "ticker": "AAPL", "action": "BUY", "quantity": 0.1, "price": 195.5,
            "executed_at": "2022-06-29", "rationale": "Momentum", "stop_loss": 270.0, "take_profit": null,
        })
    );
}

/// AgentOS 6.C 16.
#[test]
fn an_account_has_its_id_and_cash_under_both_names() {
    let account = serde_json::to_value(AccountRecord::from(&view())).unwrap();
    assert_eq!(
        account,
        json!({
            "id": "growth", "portfolio_id": "growth", "name": "Growth", "cash": 10000.0,
            "cash_balance": 10000.0, "initial_cash": 25000.0, "currency": "USD",
            "created_at": "2022-01-03T00:00:00.000Z",
            "updated_at": "2022-06-30T00:00:00.000Z", "report_path": null, "metadata": {},
        })
    );
    assert_eq!(latest(&view())["portfolio"], account);
}

/// AgentOS 6.C 17.
#[test]
fn the_summary_has_all_of_its_figures_or_is_none() {
    let mut whole = view();
    whole.metrics.beta = Measured::Known(Decimal::new(95, 2));
    let summary = serde_json::to_value(Summary::new(&whole, Some("risk-on")).unwrap()).unwrap();
    assert_eq!(
        summary,
        json!({
            "sharpe_ratio": 2.1, "market_regime": "RISK-ON", "beta": 0.95, "drawdown": -2.4,
            "var_1d": 565.0, "efficiency_label": "High Efficiency",
        })
    );

    let none = serde_json::to_value(Summary::new(&view(), None).unwrap_err()).unwrap();
    assert_eq!(
        none,
        json!({
            "detail": "Not known yet: beta. See \"unknown\" for the reasons.",
            "unknown": {"beta": "20 days are needed and 3 are there"},
            "known": {"sharpe_ratio": 2.1, "drawdown": -2.4, "var_1d": 565.0},
        })
    );

    let mut unpriced = whole;
    unpriced.total = Measured::Unknown("No price found for AMD".to_owned());
    let none = Summary::new(&unpriced, None).unwrap_err();
    assert_eq!(none.unknown, [("var_1d", "No price found for AMD".to_owned())].into());

    let mut fresh = view();
    fresh.metrics = PortfolioMetrics {
        sharpe: unknown(),
        sortino: unknown(),
        value_at_risk: unknown(),
        max_drawdown: unknown(),
        beta: unknown(),
        days: 0,
    };
    let none = Summary::new(&fresh, None).unwrap_err();
    assert_eq!(none.unknown.into_keys().collect::<Vec<_>>(), ["beta", "drawdown", "sharpe_ratio", "var_1d"]);
    assert!(none.known.is_empty());
}
