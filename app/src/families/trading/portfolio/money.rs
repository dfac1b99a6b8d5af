//! Money that people pay into a portfolio or take out, and what else moves cash beside trades.

use leptos::{ev::SubmitEvent, html, prelude::*};
use protocol::{
    Decimal,
    trading::{Bookings, PortfolioId, PortfolioView, TransferMoney},
};

use super::{
    figures::{read_usd, signed_usd, usd},
    rules::{EditRules, in_words},
};
use crate::{
    browser,
    components::{day_field::day_field, notice::FormError, table::gain_class},
    families::trading::api as own_api,
    format,
};

/// Payments that are listed.
const LISTED: usize = 10;

/// The card with the rules of a portfolio and with what moved its cash beside trades.
#[component]
pub fn RulesAndMoney(
    /// The portfolio.
    view: RwSignal<PortfolioView>,
    /// Takes the portfolio after a change.
    #[prop(into)]
    on_change: Callback<PortfolioView>,
) -> impl IntoView {
    let rules = Memo::new(move |_| view.with(|view| in_words(&view.settings)));
    let bookings = Memo::new(move |_| view.with(|view| view.bookings.clone()));
    view! {
        <section class="card" aria-labelledby="rules-and-money-heading">
            <header class="card-head">
                <h2 id="rules-and-money-heading">"Rules and money"</h2>
                <EditRules view on_change />
                <MoveMoney view on_change />
            </header>
            <ul class="rule-words">
                {move || rules.get().into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}
            </ul>
            {move || view! { <Booked bookings=bookings.get() /> }}
        </section>
    }
}

#[component]
fn Booked(bookings: Bookings) -> impl IntoView {
    let Bookings { deposits, withdrawals, dividends, commissions, slippage, transfers, income, splits } = bookings;
    let sum = |name: &'static str, amount: Decimal| {
        (!amount.is_zero()).then(|| view! { <div><dt>{name}</dt><dd class="digits">{usd(amount)}</dd></div> })
    };
    let paid = transfers.into_iter().take(LISTED).map(|transfer| {
        let note = if transfer.note.is_empty() { "No note".to_owned() } else { transfer.note };
        view! {
            <li>
                <time class="dim digits" datetime=transfer.date.to_string()>{format::day(transfer.date)}</time>
                <span>{note}</span>
                <span class=format!("digits {}", gain_class(Some(transfer.amount)))>{signed_usd(transfer.amount)}</span>
            </li>
        }
    });
    let received = income.into_iter().take(LISTED).map(|dividend| {
        let what = format!("Dividend of {}, {} shares", dividend.ticker, dividend.quantity.normalize());
        view! {
            <li>
                <time class="dim digits" datetime=dividend.date.to_string()>{format::day(dividend.date)}</time>
                <span>{what}</span>
                <span class="digits">{signed_usd(dividend.amount)}</span>
            </li>
        }
    });
    let split = splits.into_iter().take(LISTED).map(|split| {
        view! {
            <li>
                <time class="dim digits" datetime=split.date.to_string()>{format::day(split.date)}</time>
                <span>{format!("Split of {}: {} for {}", split.ticker, split.to, split.from)}</span>
                <span></span>
            </li>
        }
    });
    view! {
        <dl class="facts">
            {sum("Paid in", deposits)}
            {sum("Taken out", withdrawals)}
            {sum("Dividends", dividends)}
            {sum("Commissions", commissions)}
            {sum("Cost of slippage", slippage)}
        </dl>
        <ul class="bookings" role="list">{paid.collect_view()} {received.collect_view()} {split.collect_view()}</ul>
    }
}

/// The button and the dialog that moves money.
#[component]
fn MoveMoney(view: RwSignal<PortfolioView>, on_change: Callback<PortfolioView>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let (takes_out, amount) = (RwSignal::new(false), RwSignal::new(String::new()));
    let (day, note) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fault = RwSignal::new(None::<String>);
    // A payment that is sent again because its answer got lost is the same one.
    let key = RwSignal::new(String::new());
    let transfer = Action::new(|(id, transfer): &(PortfolioId, TransferMoney)| {
        own_api::transfer_money(id.clone(), transfer.clone())
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            browser::close_dialog(&dialog);
        }
    };
    Effect::new(move || match transfer.value().get() {
        Some(Ok(changed)) => {
            on_change.run(changed);
            amount.set(String::new());
            note.set(String::new());
            key.set(String::new());
            close();
        }
        Some(Err(error)) => fault.set(Some(error.to_string())),
        None => {}
    });
    let open = move |_| {
        fault.set(None);
        if key.with_untracked(String::is_empty) {
            key.set(format!("{:.0}-{:.0}", browser::random() * 1e15, browser::random() * 1e15));
        }
        let shown = view.with_untracked(|view| view.as_of);
        if let Some(shown) = shown.filter(|_| day.with_untracked(String::is_empty)) {
            day.set(shown.to_string());
        }
        if let Some(dialog) = dialog.get_untracked() {
            browser::open_dialog(&dialog);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if transfer.pending().get_untracked() {
            return;
        }
        let typed = (amount.get_untracked(), day.get_untracked());
        match request(&typed.0, &typed.1, takes_out.get_untracked()) {
            Ok(request) => {
                fault.set(None);
                let request = TransferMoney { key: Some(key.get_untracked()), note: note.get_untracked(), ..request };
                transfer.dispatch((view.with_untracked(|view| view.id.clone()), request));
            }
            Err(sentence) => fault.set(Some(sentence.to_owned())),
        }
    };
    let way = move |value: bool, title: &'static str| {
        view! {
            <label class="ask-choice">
                <input type="radio" name="money-way" checked=!value prop:checked=move || takes_out.get() == value on:change=move |_| takes_out.set(value) />
                <span>{title}</span>
            </label>
        }
    };
    let day_ref = day_field(day);
    // The day that is proposed was typed by nobody.
    let forget_day = move |_| {
        if amount.with_untracked(String::is_empty) && note.with_untracked(String::is_empty) {
            day.set(String::new());
        }
    };
    view! {
        <button type="button" class="quiet-button" on:click=open>"Move money"</button>
        <dialog class="dialog" node_ref=dialog aria-labelledby="money-heading" on:close=forget_day>
            <form class="dialog-form" novalidate=true on:submit=submit>
                <h2 id="money-heading">"Pay in or take out"</h2>
                <fieldset class="ask-choices">
                    <legend class="visually-hidden">"Which way"</legend>
                    {way(false, "Pay in")}
                    {way(true, "Take out")}
                </fieldset>
                <div class="field">
                    <label for="money-amount">"Amount in US dollars"</label>
                    <input id="money-amount" class="input" type="text" inputmode="decimal" autocomplete="off" maxlength="24" placeholder="1,000" prop:value=amount on:input=move |event| amount.set(event_target_value(&event)) />
                </div>
                <div class="field">
                    <label for="money-day">"Day, after its close"</label>
                    <input id="money-day" class="input" type="date" node_ref=day_ref on:input=move |event| day.set(event_target_value(&event)) />
                    <p class="note">"Decisions and payments before this day are not possible any more."</p>
                </div>
                <div class="field">
                    <label for="money-note">"What it is for"</label>
                    <input id="money-note" class="input" type="text" maxlength="200" autocomplete="off" prop:value=note on:input=move |event| note.set(event_target_value(&event)) />
                </div>
                <FormError text=fault />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| close()>"Cancel"</button>
                    <button type="submit" class="button primary" aria-disabled=move || transfer.pending().get().then_some("true")>
                        {move || match (transfer.pending().get(), takes_out.get()) {
                            (true, _) => "Booking …",
                            (false, false) => "Pay in",
                            (false, true) => "Take out",
                        }}
                    </button>
                </div>
            </form>
        </dialog>
    }
}

/// The request, or what is missing for one.
fn request(amount: &str, day: &str, takes_out: bool) -> Result<TransferMoney, &'static str> {
    let amount = read_usd(amount).filter(|amount| *amount > Decimal::ZERO);
    let amount = amount.ok_or("The amount must be above zero, such as 1,000.")?;
    let date = day.parse().map_err(|_| "Choose the day on which the money moves.")?;
    let amount = if takes_out { -amount } else { amount };
    Ok(TransferMoney { key: None, date, amount, note: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_is_negative_and_what_is_no_amount_is_told() {
        let asked = request("$1,250.50", "2022-06-30", true).unwrap();
        assert_eq!((asked.amount, asked.date.to_string()), (Decimal::new(-125_050, 2), "2022-06-30".to_owned()));
        for amount in ["", "0", "-5", "much"] {
            assert!(request(amount, "2022-06-30", false).is_err(), "{amount}");
        }
        assert!(request("5", "", false).is_err());
    }
}
