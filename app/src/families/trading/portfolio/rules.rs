//! The rules that a portfolio trades by: as fields, and in words.

use leptos::{ev::SubmitEvent, html, prelude::*};
use protocol::{
    Decimal,
    trading::{Commission, Constraints, CostMethod, FillPrice, PortfolioId, PortfolioSettings, PortfolioView},
};

use super::figures::{read_usd, usd};
use crate::{
    browser,
    components::{choice::choice, notice::FormError},
    families::trading::api as own_api,
};

/// The rules while a person sets them; amounts as they are typed.
#[derive(Clone, Copy)]
pub struct RulesDraft {
    fill: RwSignal<FillPrice>,
    standing_orders: RwSignal<bool>,
    cost_method: RwSignal<CostMethod>,
    fixed: RwSignal<String>,
    per_share: RwSignal<String>,
    minimum: RwSignal<String>,
    /// In per cent.
    rate: RwSignal<String>,
    /// In per cent.
    slippage: RwSignal<String>,
    /// They are set by programs; saving the other rules keeps them.
    limits: RwSignal<Constraints>,
}

impl RulesDraft {
    /// A draft that begins with these.
    pub fn new(rules: &PortfolioSettings) -> Self {
        let amount = |amount: Decimal| RwSignal::new(amount.normalize().to_string());
        let PortfolioSettings { commission, .. } = rules;
        Self {
            fill: RwSignal::new(rules.fill),
            standing_orders: RwSignal::new(rules.standing_orders),
            cost_method: RwSignal::new(rules.cost_method),
            fixed: amount(commission.fixed),
            per_share: amount(commission.per_share),
            minimum: amount(commission.minimum),
            rate: amount(commission.rate * Decimal::ONE_HUNDRED),
            slippage: amount(rules.slippage * Decimal::ONE_HUNDRED),
            limits: RwSignal::new(rules.limits.clone()),
        }
    }

    /// The rules, or which field has no amount in it. The server knows the bounds.
    pub fn read(self) -> Result<PortfolioSettings, String> {
        let percent = |field, name| Ok::<_, String>(amount(field, name)? / Decimal::ONE_HUNDRED);
        Ok(PortfolioSettings {
            commission: Commission {
                fixed: amount(self.fixed, "The commission for a trade")?,
                per_share: amount(self.per_share, "The commission for a share")?,
                rate: percent(self.rate, "The commission in per cent")?,
                minimum: amount(self.minimum, "The least commission")?,
            },
            slippage: percent(self.slippage, "The slippage")?,
            cost_method: self.cost_method.get_untracked(),
            fill: self.fill.get_untracked(),
            standing_orders: self.standing_orders.get_untracked(),
            limits: self.limits.get_untracked(),
        })
    }
}

fn amount(field: RwSignal<String>, name: &str) -> Result<Decimal, String> {
    let typed = field.get_untracked().replace('%', "");
    match read_usd(&typed) {
        _ if typed.trim().is_empty() => Ok(Decimal::ZERO),
        Some(amount) if amount >= Decimal::ZERO => Ok(amount),
        _ => Err(format!("{name} must be an amount of zero or more, such as 0.5.")),
    }
}

/// The rules in words, the most important first.
pub fn in_words(rules: &PortfolioSettings) -> Vec<String> {
    let fill = match rules.fill {
        FillPrice::NextPrice => "Orders are filled at the first price after the decision.",
        FillPrice::DecisionClose => {
            "Orders are filled at the close that the decision has seen. This flatters the result."
        }
    };
    let triggers = match rules.standing_orders {
        true => "A stop loss or take profit sells as soon as a day's prices reach it.",
        false => "A stop loss or take profit is only a note.",
    };
    let method = match rules.cost_method {
        CostMethod::AverageCost => "Sales are held against the average cost.",
        CostMethod::FirstInFirstOut => "Sales are held against the shares that were bought first.",
    };
    vec![fill.to_owned(), triggers.to_owned(), costs(rules), method.to_owned()]
}

/// What a trade costs: `A trade costs $1.00 and 0.1 % of the amount, at least $2.00; slippage is 0.05 %.`
fn costs(rules: &PortfolioSettings) -> String {
    let Commission { fixed, per_share, rate, minimum } = &rules.commission;
    let above = |amount: &Decimal, words: String| (!amount.is_zero()).then_some(words);
    let parts: Vec<String> = [
        above(fixed, usd(*fixed)),
        above(per_share, format!("${} a share", per_share.normalize())),
        above(rate, format!("{} of the amount", per_cent(*rate))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let least = above(minimum, format!("at least {}", usd(*minimum)));
    let commission = match (parts.is_empty(), least) {
        (true, None) => "Trades cost no commission".to_owned(),
        (true, Some(least)) => format!("A trade costs {least}"),
        (false, None) => format!("A trade costs {}", parts.join(" and ")),
        (false, Some(least)) => format!("A trade costs {}, {least}", parts.join(" and ")),
    };
    match rules.slippage.is_zero() {
        true => format!("{commission}; slippage is not counted."),
        false => format!("{commission}; slippage is {}.", per_cent(rules.slippage)),
    }
}

fn per_cent(fraction: Decimal) -> String {
    format!("{} %", (fraction * Decimal::ONE_HUNDRED).normalize())
}

/// The fields of the rules.
#[component]
pub fn RulesFields(
    /// What they set.
    draft: RulesDraft,
    /// Keeps their ids apart from those of others.
    id: &'static str,
    /// Whether the portfolio is only just being opened: how costs are counted is chosen once.
    #[prop(optional)]
    is_new: bool,
) -> impl IntoView {
    let fill = move |value: FillPrice, title: &'static str, detail: &'static str| {
        view! {
            <label class="ask-choice">
                <input type="radio" name=format!("{id}-fill") checked=draft.fill.get_untracked() == value prop:checked=move || draft.fill.get() == value on:change=move |_| draft.fill.set(value) />
                <span>{title} " " <span class="dim">{detail}</span></span>
            </label>
        }
    };
    let triggers = move |value: bool, title: &'static str, detail: &'static str| {
        view! {
            <label class="ask-choice">
                <input type="radio" name=format!("{id}-triggers") checked=draft.standing_orders.get_untracked() == value prop:checked=move || draft.standing_orders.get() == value on:change=move |_| draft.standing_orders.set(value) />
                <span>{title} " " <span class="dim">{detail}</span></span>
            </label>
        }
    };
    let methods = [(CostMethod::AverageCost, "Average cost"), (CostMethod::FirstInFirstOut, "First in, first out")];
    let choose_method = move |event| {
        let chosen = event_target_value(&event);
        if let Some((method, _)) = methods.into_iter().find(|(_, title)| *title == chosen) {
            draft.cost_method.set(method);
        }
    };
    let method = is_new.then(|| {
        let options = methods.map(|(method, title)| {
            choice(title, title, move || draft.cost_method.get() == method)
        });
        view! {
            <div class="field">
                <label for=format!("{id}-method")>"Cost of what is sold"</label>
                <select id=format!("{id}-method") class="input" on:change=choose_method>{options}</select>
            </div>
        }
    });
    view! {
        <fieldset class="ask-choices">
            <legend>"Orders are filled"</legend>
            {fill(FillPrice::NextPrice, "at the next price", "the first one after the decision")}
            {fill(FillPrice::DecisionClose, "at the decision's close", "flatters: nobody can trade at a close that has been seen")}
        </fieldset>
        <fieldset class="ask-choices">
            <legend>"A stop loss or a take profit"</legend>
            {triggers(true, "is a standing order", "all is sold when a day's prices reach it")}
            {triggers(false, "is a note", "nothing happens by itself")}
        </fieldset>
        <div class="amounts">
            <AmountField id=format!("{id}-fixed") label="Commission a trade, $" value=draft.fixed />
            <AmountField id=format!("{id}-share") label="Commission a share, $" value=draft.per_share />
            <AmountField id=format!("{id}-rate") label="Commission, % of the amount" value=draft.rate />
            <AmountField id=format!("{id}-least") label="Least commission a trade, $" value=draft.minimum />
            <AmountField id=format!("{id}-slippage") label="Slippage, % of the price" value=draft.slippage />
            {method}
        </div>
    }
}

#[component]
fn AmountField(id: String, label: &'static str, value: RwSignal<String>) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input id=id class="input" type="text" inputmode="decimal" autocomplete="off" maxlength="20" value=value.get_untracked() prop:value=value on:input=move |event| value.set(event_target_value(&event)) />
        </div>
    }
}

/// The button and the dialog that changes them.
#[component]
pub fn EditRules(
    /// The portfolio.
    view: RwSignal<PortfolioView>,
    /// Takes the portfolio with its new rules.
    #[prop(into)]
    on_change: Callback<PortfolioView>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let draft = RwSignal::new(None::<RulesDraft>);
    let fault = RwSignal::new(None::<String>);
    let save = Action::new(|(id, rules): &(PortfolioId, PortfolioSettings)| {
        own_api::configure_portfolio(id.clone(), rules.clone())
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            browser::close_dialog(&dialog);
        }
    };
    Effect::new(move || match save.value().get() {
        Some(Ok(changed)) => {
            on_change.run(changed);
            close();
        }
        Some(Err(error)) => fault.set(Some(error.to_string())),
        None => {}
    });
    let open = move |_| {
        draft.set(Some(view.with_untracked(|view| RulesDraft::new(&view.settings))));
        fault.set(None);
        if let Some(dialog) = dialog.get_untracked() {
            browser::open_dialog(&dialog);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(draft) = draft.get_untracked().filter(|_| !save.pending().get_untracked()) else { return };
        match draft.read() {
            Ok(rules) => {
                fault.set(None);
                save.dispatch((view.with_untracked(|view| view.id.clone()), rules));
            }
            Err(sentence) => fault.set(Some(sentence)),
        }
    };
    view! {
        <button type="button" class="quiet-button" on:click=open>"Change the rules"</button>
        <dialog class="dialog" node_ref=dialog aria-labelledby="rules-heading">
            <form class="dialog-form" novalidate=true on:submit=submit>
                <h2 id="rules-heading">"Rules of the portfolio"</h2>
                <p class="note">"They hold from now on, also for orders that wait. What was traded stays as it is."</p>
                {move || draft.get().map(|draft| view! { <RulesFields draft id="rules" /> })}
                <FormError text=fault />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| close()>"Cancel"</button>
                    <button type="submit" class="button primary" aria-disabled=move || save.pending().get().then_some("true")>
                        {move || if save.pending().get() { "Saving …" } else { "Save" }}
                    </button>
                </div>
            </form>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trade_costs_is_said_in_a_sentence() {
        let mut rules = PortfolioSettings::default();
        assert_eq!(costs(&rules), "Trades cost no commission; slippage is not counted.");
        rules.commission.minimum = Decimal::TWO;
        assert_eq!(costs(&rules), "A trade costs at least $2.00; slippage is not counted.");
        rules.commission.fixed = Decimal::ONE;
        rules.commission.rate = Decimal::new(1, 3);
        rules.slippage = Decimal::new(5, 4);
        assert_eq!(
            costs(&rules),
            "A trade costs $1.00 and 0.1 % of the amount, at least $2.00; slippage is 0.05 %."
        );
    }

    #[test]
    fn rules_that_are_read_back_are_the_same_and_what_is_no_amount_is_told() {
        Owner::new().with(|| {
            let commission = Commission { rate: Decimal::new(15, 4), ..Commission::default() };
            let limits = Constraints { max_positions: 3, ..Constraints::default() };
            let rules = PortfolioSettings { commission, slippage: Decimal::new(5, 4), limits, ..PortfolioSettings::default() };
            let draft = RulesDraft::new(&rules);
            assert_eq!(draft.read(), Ok(rules));
            for typed in ["much", "-1"] {
                draft.slippage.set(typed.to_owned());
                assert!(draft.read().unwrap_err().starts_with("The slippage"));
            }
        });
    }
}
