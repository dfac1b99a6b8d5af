//! The table that a new portfolio begins with: chosen from a file, and looked at before anything is opened.

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    parse_date,
    trading::{StartingCsv, StartingPosition, StartingPreview},
};

use super::figures::usd;
use crate::{
    components::{
        day_field::day_field,
        notice::FormError,
        table::{Cell, DataTable},
    },
    families::trading::{
        api as own_api,
        csv_file::{ChooseCsv, CsvFile, LineErrors},
    },
    format,
};

/// The most positions of a table that are shown.
const SHOWN: usize = 50;

/// What was chosen so far.
#[derive(Clone, Copy)]
pub struct StartingDraft {
    csv: RwSignal<Option<String>>,
    as_of: RwSignal<String>,
    seen: RwSignal<Option<StartingPreview>>,
    problem: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// Counts what was asked, so that an answer that comes late takes the place of none that came after it.
    asked: StoredValue<u32>,
}

impl StartingDraft {
    /// Without a table.
    pub fn new() -> Self {
        Self {
            csv: RwSignal::new(None),
            as_of: RwSignal::new(String::new()),
            seen: RwSignal::new(None),
            problem: RwSignal::new(None),
            busy: RwSignal::new(false),
            asked: StoredValue::new(0),
        }
    }

    /// Whether a table takes the place of the cash to start with.
    pub fn is_chosen(self) -> bool {
        self.csv.with(Option::is_some)
    }

    /// The table, if one was chosen.
    ///
    /// # Errors
    /// It cannot be used, in a sentence.
    pub fn read(self) -> Result<Option<StartingCsv>, String> {
        let Some(csv) = self.csv.get_untracked() else { return Ok(None) };
        let is_wrong = self.seen.with_untracked(|seen| seen.as_ref().is_some_and(|seen| !seen.errors.is_empty()));
        if is_wrong {
            return Err("Mend the lines of the table and choose it again, or begin without it.".to_owned());
        }
        Ok(Some(StartingCsv { csv, as_of: self.day()? }))
    }

    fn day(self) -> Result<Option<protocol::Date>, String> {
        match self.as_of.get_untracked().trim() {
            "" => Ok(None),
            written => match parse_date(written) {
                Some(day) => Ok(Some(day)),
                None => Err("Choose the day at whose close this is held, or leave it empty.".to_owned()),
            },
        }
    }

    fn take_out(self) {
        self.asked.update_value(|asked| *asked += 1);
        self.csv.set(None);
        self.seen.set(None);
        self.problem.set(None);
        self.busy.set(false);
    }

    fn look(self) {
        let Some(csv) = self.csv.get_untracked() else { return };
        let as_of = match self.day() {
            Ok(as_of) => as_of,
            Err(why) => return self.problem.set(Some(why)),
        };
        self.asked.update_value(|asked| *asked += 1);
        let number = self.asked.get_value();
        self.busy.set(true);
        spawn_local(async move {
            let seen = own_api::preview_portfolio(StartingCsv { csv, as_of }).await;
            if self.asked.try_get_value() != Some(number) {
                return;
            }
            self.busy.set(false);
            match seen {
                Ok(seen) => {
                    self.problem.set(None);
                    self.seen.set(Some(seen));
                }
                Err(error) => {
                    self.seen.set(None);
                    self.problem.set(Some(error.to_string()));
                }
            }
        });
    }
}

/// The fields for a table.
#[component]
pub fn StartingFields(
    /// What was chosen.
    draft: StartingDraft,
) -> impl IntoView {
    let StartingDraft { as_of, seen, problem, busy, .. } = draft;
    let on_read = Callback::new(move |file: Option<CsvFile>| {
        draft.take_out();
        draft.csv.set(file.map(|file| file.text));
        draft.look();
    });
    let change_day = move |event| {
        as_of.set(event_target_value(&event));
        draft.look();
    };
    view! {
        <p>
            "A CSV file with the columns " <code>"ticker"</code> ", " <code>"shares"</code> " and " <code>"cost"</code>
            " (what a share cost, in US dollars). Where a stock was bought more than once, give each purchase a line with its day in the column "
            <code>"bought"</code> ". Cash is a line " <code>"$CASH,5000"</code> "."
        </p>
        <div class="field">
            <label for="starting-day">"Held at the close of"</label>
            <input id="starting-day" class="input" type="date" node_ref=day_field(as_of) on:change=change_day />
            <p class="note">"The portfolio's days begin there. Left empty, it is the last day with prices."</p>
        </div>
        <ChooseCsv label="File of holdings" busy problem on_read />
        <FormError text=problem />
        {move || seen.get().map(|seen| view! { <Preview seen /> })}
        <Show when=move || draft.is_chosen()>
            <button type="button" class="quiet-button" on:click=move |_| draft.take_out()>"Begin without the table"</button>
        </Show>
    }
}

/// What is in a table, or what is wrong with it line by line.
#[component]
fn Preview(seen: StartingPreview) -> impl IntoView {
    let StartingPreview { cash, positions, unpriced, errors, more_errors } = seen;
    if !errors.is_empty() {
        return view! { <LineErrors errors more=more_errors /> }.into_any();
    }
    let count = positions.len();
    let rows = positions.into_iter().take(SHOWN).map(|position| view! { <PositionRow position /> });
    let left_out = (count > SHOWN)
        .then(|| view! { <p class="dim">{format!("{SHOWN} of {count} stocks are shown.")}</p> });
    let unpriced = (!unpriced.is_empty()).then(|| {
        const NAMED: usize = 8;
        let named: Vec<&str> = unpriced.iter().take(NAMED).map(|ticker| ticker.as_str()).collect();
        let more = match unpriced.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = named.join(", ");
        view! {
            <p class="note">
                {format!("There are no prices of {named}{more} on that day: the portfolio's value will be unknown.")}
            </p>
        }
    });
    view! {
        <div class="price-preview" role="status">
            <DataTable caption="What the portfolio begins with" columns=vec!["Ticker", "#Shares", "#Cost", "#Purchases"]>
                {rows.collect_view()}
            </DataTable>
            {left_out}
            <p>{format!("Cash: {}", usd(cash))}</p>
            {unpriced}
        </div>
    }
    .into_any()
}

#[component]
fn PositionRow(position: StartingPosition) -> impl IntoView {
    let StartingPosition { ticker, quantity, cost, lots } = position;
    view! {
        <tr role="row">
            <Cell label="Ticker">{ticker.to_string()}</Cell>
            <Cell label="Shares" numeric=true>{quantity.normalize().to_string()}</Cell>
            <Cell label="Cost" numeric=true>{usd(cost)}</Cell>
            <Cell label="Purchases" numeric=true>{format::count(lots)}</Cell>
        </tr>
    }
}
