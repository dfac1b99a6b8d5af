//! A text field that completes tickers by symbol, name or sector.
//!
//! Keyboard and roles follow the combobox pattern of the ARIA Authoring Practices.

use leptos::{
    ev::{Event, FocusEvent, KeyboardEvent},
    html,
    prelude::*,
};
use protocol::Instrument;

use super::Field;
use crate::browser::{self, lowercase};

const LIST: &str = "ticker-list";

/// The field. What is typed stands in `value`, also where nothing matches it.
#[component]
pub fn TickerInput(
    /// What can be chosen.
    instruments: Vec<Instrument>,
    /// The text of the field.
    value: RwSignal<String>,
    /// What is wrong with it.
    #[prop(into)]
    fault: Signal<Option<String>>,
) -> impl IntoView {
    let instruments = StoredValue::new(instruments);
    let (typed, set_typed) = signal(String::new());
    let (open, set_open) = signal(false);
    let (active, set_active) = signal(None::<usize>);
    let list = NodeRef::<html::Ul>::new();
    let found = Memo::new(move |_| instruments.with_value(|all| typed.with(|typed| matching(all, typed))));

    let close = move || {
        set_open.set(false);
        set_active.set(None);
    };
    let show_all = move || {
        set_typed.set(String::new());
        set_open.set(true);
    };
    let choose = move |instrument: &Instrument| {
        value.set(instrument.ticker.to_string());
        close();
    };
    let typing = move |event: Event| {
        let text = event_target_value(&event);
        value.set(text.clone());
        set_active.set((!text.trim().is_empty()).then_some(0));
        set_typed.set(text);
        // What was typed before a reload is put back while the person is elsewhere.
        set_open.set(browser::has_focus(&event));
    };
    let go_to = move |index: usize| {
        set_active.set(Some(index));
        if let Some(list) = list.get_untracked() {
            browser::scroll_to_child(&list, index);
        }
    };
    let pressed = move |event: KeyboardEvent| {
        let count = found.with_untracked(Vec::len);
        let at = active.get_untracked();
        match (event.key().as_str(), open.get_untracked()) {
            ("ArrowDown" | "ArrowUp", false) => show_all(),
            ("ArrowDown", true) if count > 0 => go_to(at.map_or(0, |at| (at + 1) % count)),
            ("ArrowUp", true) if count > 0 => go_to(at.map_or(count - 1, |at| (at + count - 1) % count)),
            ("Enter", true) => match at.and_then(|at| found.with_untracked(|found| found.get(at).cloned())) {
                Some(instrument) => choose(&instrument),
                None => return,
            },
            ("Escape", true) => close(),
            _ => return,
        }
        event.prevent_default();
    };
    let select_text = move |event: FocusEvent| browser::select_text_of(&event);
    let chosen = move || {
        let text = value.get();
        let same = |instrument: &&Instrument| instrument.ticker.as_str().eq_ignore_ascii_case(text.trim());
        instruments.with_value(|all| all.iter().find(same).map(about))
    };
    let active_id = move || {
        found.with(|found| active.get().filter(|_| open.get()).and_then(|at| found.get(at)).map(option_id))
    };

    view! {
        <Field id="ticker" label="Ticker" fault hint=Signal::derive(move || chosen().unwrap_or_default())>
            <div class="combobox">
                <input
                    id="ticker"
                    class="input"
                    name="ticker"
                    type="text"
                    role="combobox"
                    autocomplete="off"
                    autocapitalize="characters"
                    spellcheck="false"
                    placeholder="AAPL, or Apple"
                    aria-autocomplete="list"
                    aria-controls=LIST
                    aria-expanded=move || open.get().to_string()
                    aria-activedescendant=active_id
                    aria-invalid=move || fault.with(Option::is_some).then_some("true")
                    aria-describedby="ticker-note"
                    value=value.get_untracked()
                    prop:value=value
                    on:input=typing
                    on:keydown=pressed
                    on:click=move |_| show_all()
                    on:focus=select_text
                    on:blur=move |_| close()
                />
                <ul id=LIST class="options" role="listbox" aria-label="Instruments" hidden=move || !open.get() node_ref=list>
                    <For each=move || if open.get() { found.get() } else { Vec::new() } key=option_id let:instrument>
                        <InstrumentOption active_id=Signal::derive(active_id) choose=Callback::new(move |instrument| choose(&instrument)) instrument />
                    </For>
                    <Show when=move || open.get() && found.with(Vec::is_empty)>
                        <li role="option" aria-disabled="true" aria-selected="false" class="none">
                            "There are prices for no instrument that matches."
                        </li>
                    </Show>
                </ul>
            </div>
        </Field>
    }
}

#[component]
fn InstrumentOption(
    instrument: Instrument,
    active_id: Signal<Option<String>>,
    choose: Callback<Instrument>,
) -> impl IntoView {
    let id = option_id(&instrument);
    let own_id = id.clone();
    let is_active = Memo::new(move |_| active_id.with(|active| active.as_deref() == Some(own_id.as_str())));
    let ticker = instrument.ticker.to_string();
    let about = about(&instrument);
    view! {
        <li
            id=id
            role="option"
            aria-selected=move || is_active.get().to_string()
            // The field keeps the focus, so that it does not close the list before the click.
            on:mousedown=|event| event.prevent_default()
            on:click=move |_| choose.run(instrument.clone())
        >
            <strong>{ticker}</strong>
            " "
            <span class="dim">{about}</span>
        </li>
    }
}

fn option_id(instrument: &Instrument) -> String {
    format!("ticker-{}", instrument.ticker)
}

/// `Apple Inc. · Technology`.
fn about(instrument: &Instrument) -> String {
    let sector = if instrument.sector.is_empty() { "index or fund" } else { &instrument.sector };
    format!("{} · {sector}", instrument.name)
}

/// Instruments that the text stands for, the best first: its ticker, tickers that begin with it,
/// names with a word that begins with it, then such sectors.
fn matching(instruments: &[Instrument], typed: &str) -> Vec<Instrument> {
    let wanted = lowercase(typed.trim());
    let mut ranked: Vec<(u8, &Instrument)> =
        instruments.iter().filter_map(|instrument| Some((rank(instrument, &wanted)?, instrument))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, instrument)| instrument.clone()).collect()
}

fn rank(instrument: &Instrument, wanted: &str) -> Option<u8> {
    let ticker = lowercase(instrument.ticker.as_str());
    let name = lowercase(&instrument.name);
    let begins = |text: &str| text.split_whitespace().any(|word| word.starts_with(wanted));
    if wanted.is_empty() || ticker == wanted {
        Some(0)
    } else if ticker.trim_start_matches('^').starts_with(wanted) {
        Some(1)
    } else if begins(&name) {
        Some(2)
    } else if begins(&lowercase(&instrument.sector)) {
        Some(3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(ticker: &str, name: &str, sector: &str) -> Instrument {
        Instrument {
            ticker: ticker.parse().unwrap(),
            name: name.into(),
            sector: sector.into(),
            industry: String::new(),
        }
    }

    #[test]
    fn the_ticker_itself_comes_before_names_and_sectors() {
        let all = [
            instrument("AMD", "Advanced Micro Devices Inc.", "Technology"),
            instrument("MSFT", "Microsoft Corporation", "Technology"),
            instrument("MRK", "Merck & Co.", "Healthcare"),
            instrument("M", "Macy's", "Consumer Cyclical"),
        ];
        let found = |typed: &str| -> Vec<String> {
            matching(&all, typed).iter().map(|instrument| instrument.ticker.to_string()).collect()
        };
        assert_eq!(found("m"), ["M", "MSFT", "MRK", "AMD"]);
        assert_eq!(found("mer"), ["MRK"]);
        assert_eq!(found("tech"), ["AMD", "MSFT"]);
        assert_eq!(found(""), ["AMD", "MSFT", "MRK", "M"]);
        assert!(found("zzz").is_empty());
    }
}
