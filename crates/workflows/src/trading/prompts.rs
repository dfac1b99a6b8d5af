//! The roles of the agents, each with the rules of the house.

use super::super::prompt::Prompt;

const HOUSE_RULES: &str = include_str!("prompts/house_rules.md");

/// A prompt for this role, about this case.
pub(super) fn prompt(role: &str, case: impl Into<String>) -> Prompt {
    Prompt::new(format!("{role}\n{HOUSE_RULES}"), case)
}

/// The role texts.
pub(super) mod roles {
    pub const MARKET: &str = include_str!("prompts/market_analyst.md");
    pub const SOCIAL: &str = include_str!("prompts/social_analyst.md");
    pub const NEWS: &str = include_str!("prompts/news_analyst.md");
    pub const FUNDAMENTALS: &str = include_str!("prompts/fundamentals_analyst.md");
    pub const BULL: &str = include_str!("prompts/bull_researcher.md");
    pub const BEAR: &str = include_str!("prompts/bear_researcher.md");
    pub const RESEARCH_MANAGER: &str = include_str!("prompts/research_manager.md");
    pub const TRADER: &str = include_str!("prompts/trader.md");
    pub const AGGRESSIVE: &str = include_str!("prompts/aggressive_analyst.md");
    pub const CONSERVATIVE: &str = include_str!("prompts/conservative_analyst.md");
    pub const NEUTRAL: &str = include_str!("prompts/neutral_analyst.md");
    pub const PORTFOLIO_MANAGER: &str = include_str!("prompts/portfolio_manager.md");
    pub const LESSON_AUTHOR: &str = include_str!("prompts/lesson_author.md");
    pub const HOLDING_REVIEWER: &str = include_str!("prompts/holding_reviewer.md");
    pub const MACRO: &str = include_str!("prompts/macro_analyst.md");
    pub const MICRO: &str = include_str!("prompts/micro_analyst.md");
    pub const DECISION_MAKER: &str = include_str!("prompts/decision_maker.md");
    pub const GEOPOLITICAL_SCANNER: &str = include_str!("prompts/geopolitical_scanner.md");
    pub const MARKET_MOVERS_SCANNER: &str = include_str!("prompts/market_movers_scanner.md");
    pub const SECTOR_SCANNER: &str = include_str!("prompts/sector_scanner.md");
    pub const SMART_MONEY_SCANNER: &str = include_str!("prompts/smart_money_scanner.md");
    pub const INDUSTRY_DEEP_DIVE: &str = include_str!("prompts/industry_deep_dive.md");
    pub const MACRO_SYNTHESIS: &str = include_str!("prompts/macro_synthesis.md");
}
