//! Which concepts the lines of a statement are made of.
//!
//! Companies changed tags over the years, each at its own time, so that a line takes for each period the first of its
//! tags that has a value. Names are those of the taxonomies US GAAP (<https://xbrl.us/us-gaap>) and IFRS
//! (<https://www.ifrs.org/issued-standards/ifrs-taxonomy>).

use crate::Statement;

/// A line of a statement.
pub(super) struct Line {
    pub(super) label: &'static str,
    /// The first one with a value counts.
    pub(super) tags: &'static [&'static str],
}

/// The taxonomies, the first of which counts where a company uses both.
pub(super) const TAXONOMIES: [&str; 2] = ["us-gaap", "ifrs-full"];

const fn line(label: &'static str, tags: &'static [&'static str]) -> Line {
    Line { label, tags }
}

/// The lines of a statement, in its order.
pub(super) fn lines(statement: Statement) -> &'static [Line] {
    match statement {
        Statement::Income => &INCOME,
        Statement::BalanceSheet => &BALANCE,
        Statement::CashFlow => &CASH,
    }
}

static INCOME: [Line; 13] = [
    line(
        "Revenue",
        &[
            "RevenueFromContractWithCustomerExcludingAssessedTax",
            "Revenues",
            "RevenueFromContractWithCustomerIncludingAssessedTax",
            "SalesRevenueNet",
            "Revenue",
        ],
    ),
    line(
        "Cost of revenue",
        &["CostOfRevenue", "CostOfGoodsAndServicesSold", "CostOfGoodsSold", "CostOfSales"],
    ),
    line("Gross profit", &["GrossProfit"]),
    line("Research and development", &["ResearchAndDevelopmentExpense"]),
    line(
        "Selling, general and administrative",
        &["SellingGeneralAndAdministrativeExpense", "SellingGeneralAndAdministrativeExpenses"],
    ),
    line("Operating income", &["OperatingIncomeLoss", "ProfitLossFromOperatingActivities"]),
    line("Non-operating income", &["NonoperatingIncomeExpense", "OtherNonoperatingIncomeExpense"]),
    line("Income tax", &["IncomeTaxExpenseBenefit", "IncomeTaxExpenseContinuingOperations"]),
    line("Net income", &["NetIncomeLoss", "ProfitLoss"]),
    line("Earnings per share, basic", &["EarningsPerShareBasic", "BasicEarningsLossPerShare"]),
    line("Earnings per share, diluted", &["EarningsPerShareDiluted", "DilutedEarningsLossPerShare"]),
    line(
        "Shares, basic, weighted",
        &["WeightedAverageNumberOfSharesOutstandingBasic", "WeightedAverageShares"],
    ),
    line("Shares, diluted, weighted", &["WeightedAverageNumberOfDilutedSharesOutstanding"]),
];

static BALANCE: [Line; 14] = [
    line(
        "Cash and equivalents",
        &[
            "CashAndCashEquivalentsAtCarryingValue",
            "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents",
            "CashAndCashEquivalents",
        ],
    ),
    line("Receivables", &["AccountsReceivableNetCurrent", "TradeAndOtherCurrentReceivables"]),
    line("Inventory", &["InventoryNet", "Inventories"]),
    line("Current assets", &["AssetsCurrent", "CurrentAssets"]),
    line("Property, plant and equipment", &["PropertyPlantAndEquipmentNet", "PropertyPlantAndEquipment"]),
    line("Goodwill", &["Goodwill"]),
    line("Assets", &["Assets"]),
    line("Current liabilities", &["LiabilitiesCurrent", "CurrentLiabilities"]),
    line(
        "Long-term debt",
        &["LongTermDebtNoncurrent", "LongTermDebt", "NoncurrentPortionOfNoncurrentBorrowings"],
    ),
    line("Liabilities", &["Liabilities"]),
    line("Retained earnings", &["RetainedEarningsAccumulatedDeficit", "RetainedEarnings"]),
    line(
        "Equity",
        &[
            "StockholdersEquity",
            "StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest",
            "Equity",
        ],
    ),
    line("Liabilities and equity", &["LiabilitiesAndStockholdersEquity", "EquityAndLiabilities"]),
    line("Shares outstanding", &["CommonStockSharesOutstanding"]),
];

static CASH: [Line; 10] = [
    line(
        "Cash from operations",
        &["NetCashProvidedByUsedInOperatingActivities", "CashFlowsFromUsedInOperatingActivities"],
    ),
    line(
        "Depreciation and amortisation",
        &[
            "DepreciationDepletionAndAmortization",
            "DepreciationAmortizationAndAccretionNet",
            "DepreciationAndAmortisationExpense",
        ],
    ),
    line("Share-based compensation", &["ShareBasedCompensation"]),
    line(
        "Capital expenditure",
        &[
            "PaymentsToAcquirePropertyPlantAndEquipment",
            "PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities",
        ],
    ),
    line(
        "Cash from investing",
        &["NetCashProvidedByUsedInInvestingActivities", "CashFlowsFromUsedInInvestingActivities"],
    ),
    line(
        "Dividends paid",
        &[
            "PaymentsOfDividends",
            "PaymentsOfDividendsCommonStock",
            "DividendsPaidClassifiedAsFinancingActivities",
        ],
    ),
    line("Shares bought back", &["PaymentsForRepurchaseOfCommonStock"]),
    line("Debt issued", &["ProceedsFromIssuanceOfLongTermDebt"]),
    line("Debt repaid", &["RepaymentsOfLongTermDebt"]),
    line(
        "Cash from financing",
        &["NetCashProvidedByUsedInFinancingActivities", "CashFlowsFromUsedInFinancingActivities"],
    ),
];
