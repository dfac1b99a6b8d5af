//! The dialog that opens a portfolio.

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::{
    Decimal,
    trading::{CreatePortfolio, ImportPortfolio, PortfolioSettings},
};

use super::{
    figures::read_usd,
    rules::{RulesDraft, RulesFields},
    starting_table::{StartingDraft, StartingFields},
};
use crate::{
    browser::{self, drafts::forget_draft},
    components::{
        draft::draft_of,
        icon::{Icon, IconName},
        notice::FormError,
    },
    families::trading::api as own_api,
};

/// The name of what is typed in it.
const DRAFT: &str = "new portfolio";

/// The button and its dialog. It leads to the new portfolio.
#[component]
pub fn NewPortfolio(
    /// Whether the button stands back behind others.
    #[prop(optional)]
    quiet: bool,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let name = RwSignal::new(String::new());
    let cash = RwSignal::new("100,000".to_owned());
    let rules = RulesDraft::new(&PortfolioSettings::default());
    let fault = RwSignal::new(None::<String>);
    let starting = StartingDraft::new();
    let create = Action::new(|request: &Asked| {
        let request = request.clone();
        async move {
            match request {
                Asked::WithCash(request) => own_api::create_portfolio(request).await,
                Asked::WithTable(request) => own_api::import_portfolio(request).await,
            }
        }
    });

    let navigate = use_navigate();
    Effect::new(move || match create.value().get() {
        Some(Ok(portfolio)) => {
            close(dialog);
            forget_draft(DRAFT);
            navigate(&format!("/portfolios/{}", portfolio), Default::default());
        }
        Some(Err(error)) => fault.set(Some(error.to_string())),
        None => {}
    });
    let open = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            browser::open_dialog(&dialog);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if create.pending().get_untracked() {
            return;
        }
        let asked = || {
            let (name, settings) = (name.get_untracked(), rules.read()?);
            match starting.read()? {
                Some(table) => Ok(Asked::WithTable(ImportPortfolio { id: None, name: named(&name)?, table, settings })),
                None => {
                    let request = request(&name, &cash.get_untracked())?;
                    Ok::<_, String>(Asked::WithCash(CreatePortfolio { settings, ..request }))
                }
            }
        };
        match asked() {
            Ok(request) => {
                fault.set(None);
                create.dispatch(request);
            }
            Err(sentence) => fault.set(Some(sentence)),
        }
    };
    view! {
        <button type="button" class=if quiet { "quiet-button" } else { "button" } on:click=open>
            <Icon name=IconName::Plus />
            "New portfolio"
        </button>
        <dialog class="dialog" node_ref=dialog aria-labelledby="new-portfolio-heading">
            <form novalidate=true on:submit=submit node_ref=draft_of(|| DRAFT.to_owned())>
                <h2 id="new-portfolio-heading">"New portfolio"</h2>
                <div class="field">
                    <label for="portfolio-name">"Name"</label>
                    <input id="portfolio-name" class="input" type="text" maxlength="80" autocomplete="off" placeholder="Value stocks" prop:value=name on:input=move |event| name.set(event_target_value(&event)) />
                </div>
                <div class="field" hidden=move || starting.is_chosen()>
                    <label for="portfolio-cash">"Cash to start with, in US dollars"</label>
                    <input id="portfolio-cash" class="input" type="text" inputmode="decimal" autocomplete="off" value="100,000" prop:value=cash on:input=move |event| cash.set(event_target_value(&event)) />
                    <p class="note">"Paper money: nothing is bought anywhere but here."</p>
                </div>
                <details class="fold">
                    <summary>"What it holds" <span class="dim">"from a CSV file"</span></summary>
                    <div class="fold-body"><StartingFields draft=starting /></div>
                </details>
                <details class="fold">
                    <summary>"Rules" <span class="dim">"prices, commission, slippage"</span></summary>
                    <div class="fold-body"><RulesFields draft=rules id="new-portfolio" is_new=true /></div>
                </details>
                <FormError text=fault />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| close(dialog)>"Cancel"</button>
                    <button type="submit" class="button primary" aria-disabled=move || create.pending().get().then_some("true")>
                        {move || if create.pending().get() { "Opening …" } else { "Open the portfolio" }}
                    </button>
                </div>
            </form>
        </dialog>
    }
}

fn close(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        browser::close_dialog(&dialog);
    }
}

/// What is asked for.
#[derive(Clone)]
enum Asked {
    WithCash(CreatePortfolio),
    WithTable(ImportPortfolio),
}

fn named(name: &str) -> Result<String, &'static str> {
    let name = name.trim();
    if name.is_empty() { Err("Give the portfolio a name.") } else { Ok(name.to_owned()) }
}

/// The request, or what is missing for one.
fn request(name: &str, cash: &str) -> Result<CreatePortfolio, &'static str> {
    let name = named(name)?;
    match read_usd(cash) {
        Some(cash) if cash > Decimal::ZERO => {
            let settings = PortfolioSettings::default();
            Ok(CreatePortfolio { id: None, name, cash, settings })
        }
        _ => Err("Cash must be an amount above zero, such as 100,000."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_people_write_it() {
        let request = request(" Value ", "$250,000.50").unwrap();
        assert_eq!((request.name.as_str(), request.cash), ("Value", Decimal::new(25_000_050, 2)));
    }

    #[test]
    fn without_a_name_or_money_nothing_is_asked_for() {
        assert!(request("  ", "100").is_err());
        for cash in ["", "0", "-5", "much"] {
            assert!(request("Value", cash).is_err(), "{cash}");
        }
    }
}
