//! Commissions and slippage.

use portfolio::{PortfolioError, check_settings};
use protocol::trading::{
    Commission, Constraints, CostMethod, FillPrice, PortfolioSettings, Side, TradeCause,
};

use crate::scenario::{Scenario, buy, decimal, free, sell, ticker};

/// At the decision's close, so that a test sees its trades at once.
pub fn at_close(commission: Commission, slippage: &str) -> PortfolioSettings {
    PortfolioSettings {
        commission,
        slippage: decimal(slippage),
        fill: FillPrice::DecisionClose,
        ..PortfolioSettings::default()
    }
}

fn per_share_with_minimum() -> Commission {
    Commission { per_share: decimal("0.005"), minimum: decimal("1"), ..Commission::default() }
}

#[test]
fn a_commission_is_fixed_by_share_and_by_amount_and_at_least_the_minimum() {
    let terms = |fixed: &str, per_share: &str, rate: &str, minimum: &str| Commission {
        fixed: decimal(fixed),
        per_share: decimal(per_share),
        rate: decimal(rate),
        minimum: decimal(minimum),
    };
    for (commission, quantity, price, expected) in [
        (terms("4.95", "0", "0", "0"), "10", "100", "4.95"),
        (terms("0", "0.005", "0", "1"), "100", "100", "1"), // 0.50 is less than the minimum
        (terms("0", "0.005", "0", "1"), "300", "100", "1.5"),
        (terms("0", "0", "0.001", "0"), "10", "123.45", "1.23"), // 1.2345
        (terms("0", "0", "0.0005", "0"), "1", "30", "0.02"),     // 0.015, half a cent up
        (terms("1", "0.01", "0.001", "0"), "50", "20", "2.5"),   // 1 + 0.50 + 1
        (Commission::default(), "50", "20", "0"),
    ] {
        let mut scenario = Scenario::with("100000", at_close(commission, "0")).price("KO", price);
        let (trades, _) = scenario.decide("a", vec![buy("KO", quantity)]);
        assert_eq!(trades[0].commission, decimal(expected), "{quantity} at {price}");
    }
}

#[test]
fn costs_of_a_purchase_belong_to_its_cost_and_those_of_a_sale_lessen_its_proceeds() {
    // 100 at 50 cost 5000 and 1; 100 at 60 bring 6000 less 1: a profit of 998.
    let mut scenario = Scenario::with("10000", at_close(per_share_with_minimum(), "0")).price("KO", "50");
    scenario.decide("a", vec![buy("KO", "100")]);
    assert_eq!(scenario.portfolio().cash(), decimal("4999"));
    assert_eq!(scenario.portfolio().holdings()[&ticker("KO")].cost_basis, decimal("5001"));
    scenario = scenario.price("KO", "60");
    let (trades, _) = scenario.decide("b", vec![sell("KO", "100")]);
    assert_eq!(trades[0].realised_profit, Some(decimal("998")));
    assert_eq!(scenario.portfolio().cash(), decimal("10998"));
    assert_eq!(scenario.portfolio().bookings().commissions, decimal("2"));
}

#[test]
fn slippage_makes_every_price_worse_and_is_shown() {
    // 0.1 % of 33.333333 is 0.033333333: 33.366667 for a purchase, 33.299999 for a sale.
    let mut scenario =
        Scenario::with("10000", at_close(Commission::default(), "0.001")).price("KO", "33.333333");
    let (bought, _) = scenario.decide("a", vec![buy("KO", "10")]);
    assert_eq!((bought[0].price, bought[0].quoted), (decimal("33.366667"), Some(decimal("33.333333"))));
    let (sold, _) = scenario.decide("b", vec![sell("KO", "10")]);
    assert_eq!((sold[0].price, sold[0].quoted), (decimal("33.299999"), Some(decimal("33.333333"))));
    // 10 * 0.033334 + 10 * 0.033334.
    assert_eq!(scenario.portfolio().bookings().slippage, decimal("0.66668"));
    assert_eq!(scenario.portfolio().realised_profit(), decimal("-0.66668"));
}

#[test]
fn a_purchase_is_refused_when_only_its_costs_are_missing() {
    let scenario = Scenario::with("1000", at_close(per_share_with_minimum(), "0")).price("KO", "100");
    let reasons = scenario.reasons(buy("KO", "10"));
    assert_eq!(reasons[0], "Insufficient cash: 1,001.00 is needed, 1,000.00 is there");
    let free_of_charge = Scenario::with("1000", at_close(Commission::default(), "0")).price("KO", "100");
    assert!(free_of_charge.reasons(buy("KO", "10")).is_empty());
}

#[test]
fn the_sale_that_funds_a_purchase_pays_its_own_costs_too() {
    // 100 in cash, 100 SGOV at 100. KO costs 1000 and 1; 900 and 1 more are needed. 10 SGOV bring 999.
    let mut scenario = Scenario::with("10101", at_close(per_share_with_minimum(), "0"))
        .price("SGOV", "100")
        .price("KO", "100")
        .given(vec![buy("SGOV", "100")]);
    scenario.cash_equivalent = Some(ticker("SGOV"));
    let (trades, rejected) = scenario.decide("b", vec![buy("KO", "10")]);
    assert_eq!(rejected, []);
    assert_eq!(
        (trades[0].cause, trades[0].side, trades[0].quantity),
        (TradeCause::Funding, Side::Sell, decimal("10"))
    );
    assert_eq!(trades[1].cause, TradeCause::Order);
    // 100 + 1000 - 1 - 1001.
    assert_eq!(scenario.portfolio().cash(), decimal("98"));
}

#[test]
fn a_sale_whose_commission_nobody_can_pay_is_refused() {
    let dear = Commission { fixed: decimal("5"), ..Commission::default() };
    let mut scenario = Scenario::with("15", at_close(dear, "0")).price("KO", "10");
    scenario.decide("a", vec![buy("KO", "1")]);
    scenario = scenario.price("KO", "2");
    assert_eq!(scenario.reasons(sell("KO", "1")), ["Insufficient cash: 3.00 is needed, 0.00 is there"]);
}

#[test]
fn sales_are_held_against_the_average_or_against_the_oldest_shares() {
    let outcome = |cost_method| {
        let settings = PortfolioSettings { cost_method, ..at_close(Commission::default(), "0") };
        let mut scenario = Scenario::with("10000", settings).price("KO", "10");
        scenario.decide("a", vec![buy("KO", "10")]);
        scenario = scenario.price("KO", "20");
        scenario.decide("b", vec![buy("KO", "10")]);
        scenario = scenario.price("KO", "30");
        let (trades, _) = scenario.decide("c", vec![sell("KO", "15")]);
        let portfolio = scenario.portfolio();
        let position = portfolio.holdings()[&ticker("KO")].clone();
        let lots: Vec<_> = position.lots.iter().map(|lot| (lot.quantity, lot.cost)).collect();
        (trades[0].realised_profit.unwrap(), position.cost_basis, lots)
    };
    // 450 for shares that cost 15 each on average, or 100 + 5 * 20.
    let left = vec![(decimal("5"), decimal("100"))];
    assert_eq!(outcome(CostMethod::AverageCost), (decimal("225"), decimal("75"), left.clone()));
    assert_eq!(outcome(CostMethod::FirstInFirstOut), (decimal("250"), decimal("100"), left));
}

#[test]
fn the_limits_hold_with_costs() {
    // 15 % of 10000 is exactly 15 shares at 100; with a commission they are too many.
    let limits = Constraints { max_position: decimal("0.15"), ..free() };
    let with = |commission| {
        Scenario::with("10000", at_close(commission, "0")).price("KO", "100").limits(limits.clone())
    };
    assert!(with(Commission::default()).reasons(buy("KO", "15")).is_empty());
    assert_eq!(with(per_share_with_minimum()).reasons(buy("KO", "15")).len(), 1);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let with = |change: fn(&mut PortfolioSettings)| {
        let mut settings = PortfolioSettings::default();
        change(&mut settings);
        check_settings(&settings)
    };
    assert_eq!(with(|_| {}), Ok(()));
    let wrong: [fn(&mut PortfolioSettings); 7] = [
        |it| it.slippage = decimal("-0.01"),
        |it| it.slippage = decimal("0.11"),
        |it| it.slippage = decimal("0.0000001"),
        |it| it.commission.fixed = decimal("-1"),
        |it| it.commission.minimum = decimal("1001"),
        |it| it.commission.per_share = decimal("10.01"),
        |it| it.commission.rate = decimal("0.2"),
    ];
    for change in wrong {
        assert!(matches!(with(change), Err(PortfolioError::InvalidSettings(_))));
    }
}
