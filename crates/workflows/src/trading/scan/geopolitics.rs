//! Politics, central banks and energy, and the regime that prices show.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use market::DataKind;
use protocol::{
    Figure, grouped, percent,
    trading::{MacroRegime, Measured, MissingInput, RegimeSignal},
};

use serde::{Deserialize, Serialize};

use super::{
    facts::GeopoliticsFacts,
    market_day::MarketDay,
    regime::judge,
    report::{Evidence, Scanner},
    state,
};
use crate::{
    node::product,
    trading::{
        measured::{Found, measure},
        prompts::{prompt, roles},
        seen::Seen,
        tools::Tool,
    },
};

/// The tool by which code judges the regime.
const MEASURE: &str = "get_macro_regime";

pub(super) const SCANNER: Scanner = Scanner {
    node: "geopolitical_scanner",
    role: "geopolitical scan",
    label: "Geopolitical scanner",
    prompt: roles::GEOPOLITICAL_SCANNER,
    title: "Geopolitical report",
    report: state::GEOPOLITICAL_REPORT,
    tools: &[Tool::GlobalNews, Tool::EconomicCalendar],
    looks_up: Some("news of the world and economic figures"),
};

/// The geopolitical scanner.
pub(super) struct Geopolitics(pub(super) MarketDay);

/// What the tool finds.
#[derive(Serialize, Deserialize)]
struct Judged {
    regime: MacroRegime,
    seen: Vec<Seen>,
}

#[async_trait]
impl Work for Geopolitics {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let day = &self.0;
        let asked = day.asked();
        let judging = async {
            let (series, seen) = day.series(SCANNER.label).await;
            let regime = judge(day.date, &series);
            let is_degraded = regime.signals.iter().any(|signal| signal.value.known().is_none());
            let value = Judged { regime, seen };
            Ok(Found { value, vendor: day.market.name(DataKind::Prices), is_degraded })
        };
        let Judged { regime, seen } = measure(node, MEASURE, &asked, judging).await?;
        let facts = GeopoliticsFacts { date: day.date, regime };
        let missing = facts.regime.signals.iter().filter_map(|signal| {
            let reason = signal.value.reason()?.to_owned();
            Some(MissingInput { input: format!("regime signal: {}", signal.name), reason })
        });
        let evidence =
            Evidence { facts: &facts, seen, missing: missing.collect(), figures: figures(&facts.regime) };
        node.emit(vec![product(facts.regime.product())?]).await?;
        let messages = prompt(SCANNER.prompt, day.header());
        SCANNER.write(node, day, messages, evidence).await?.set(state::REGIME, &facts.regime)
    }
}

fn figures(regime: &MacroRegime) -> Vec<Figure> {
    let whole = Figure {
        label: "Regime".to_owned(),
        value: format!("{} ({} points), {} confidence", regime.regime, regime.score, regime.confidence),
        source: format!("six signals as of {}", regime.date),
    };
    let of_signal = |signal: &RegimeSignal| Figure {
        label: signal.name.clone(),
        value: shown(signal),
        source: signal.rule.clone(),
    };
    [whole].into_iter().chain(regime.signals.iter().map(of_signal)).collect()
}

/// The figure of a signal with its points, or that there is none.
pub(in crate::trading) fn shown(signal: &RegimeSignal) -> String {
    match &signal.value {
        Measured::Known(value) if signal.is_fraction => {
            format!("{} ({})", percent(*value, 2), point(signal.points))
        }
        Measured::Known(value) => format!("{} ({})", grouped(*value, 2), point(signal.points)),
        Measured::Unknown(reason) => format!("no data: {reason}"),
    }
}

/// A point as it is written: `+1`, `0`, `−1`.
fn point(points: i32) -> &'static str {
    match points {
        1.. => "+1",
        0 => "0",
        _ => "\u{2212}1",
    }
}
