//! Fields for what a run may use at most.

use leptos::prelude::*;
use protocol::{Decimal, Limits};

/// The fields' values while they are filled in; empty is: no limit.
#[derive(Clone, Copy)]
pub struct LimitsDraft {
    steps: RwSignal<String>,
    minutes: RwSignal<String>,
    tokens: RwSignal<String>,
    dollars: RwSignal<String>,
    beyond: StoredValue<Limits>,
}

impl LimitsDraft {
    /// The fields, filled with `limits`.
    pub fn new(limits: &Limits) -> Self {
        let shown = |value: Option<String>| RwSignal::new(value.unwrap_or_default());
        Self {
            steps: shown(Some(limits.steps.to_string())),
            minutes: shown(limits.seconds.map(minutes)),
            tokens: shown(limits.tokens.map(|tokens| tokens.to_string())),
            dollars: shown(limits.cost.map(|cost| cost.normalize().to_string())),
            beyond: StoredValue::new(limits.clone()),
        }
    }

    /// Fills the fields anew.
    pub fn fill(&self, limits: &Limits) {
        self.steps.set(limits.steps.to_string());
        self.minutes.set(limits.seconds.map(minutes).unwrap_or_default());
        self.tokens.set(limits.tokens.map(|tokens| tokens.to_string()).unwrap_or_default());
        self.dollars.set(limits.cost.map(|cost| cost.normalize().to_string()).unwrap_or_default());
        self.beyond.set_value(limits.clone());
    }

    /// The limits, or what is wrong with them.
    pub fn limits(&self) -> Result<Limits, String> {
        self.read().map_err(|fault| fault.words)
    }

    fn read(&self) -> Result<Limits, Fault> {
        read(&self.steps.get(), &self.minutes.get(), &self.tokens.get(), &self.dollars.get())
            // What has no field stays as it was.
            .map(|limits| Limits {
                concurrent_nodes: self.beyond.with_value(|it| it.concurrent_nodes),
                ..limits
            })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Steps,
    Minutes,
    Tokens,
    Cost,
}

impl Field {
    fn label(self) -> &'static str {
        match self {
            Self::Steps => "Steps",
            Self::Minutes => "Minutes",
            Self::Tokens => "Tokens",
            Self::Cost => "Cost, US $",
        }
    }

    /// Its name in a form.
    fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Minutes => "minutes",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
        }
    }

    fn fault(self, words: &str) -> Fault {
        Fault { field: self, words: words.to_owned() }
    }
}

/// What is wrong, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    field: Field,
    words: String,
}

/// Seconds as minutes, with a fraction where that is needed.
fn minutes(seconds: u64) -> String {
    (Decimal::from(seconds) / Decimal::from(60)).round_dp(2).normalize().to_string()
}

fn read(steps: &str, minutes: &str, tokens: &str, dollars: &str) -> Result<Limits, Fault> {
    let whole = |typed: &str| typed.replace([',', '_', ' '], "");
    let given = |typed: &str| !typed.trim().is_empty();
    let amount = |typed: &str, field: Field| {
        let amount = typed.trim().trim_start_matches('$').parse::<Decimal>().ok();
        amount
            .filter(|amount| *amount > Decimal::ZERO)
            .ok_or_else(|| field.fault("Write a number above 0, or leave the field empty for no limit."))
    };
    let steps = whole(steps).parse::<u32>().ok().filter(|steps| *steps > 0);
    let steps = steps.ok_or_else(|| Field::Steps.fault("Write the steps as a whole number above 0."))?;
    let minutes = given(minutes).then(|| amount(minutes, Field::Minutes)).transpose()?;
    let seconds = minutes.map(|minutes| (minutes * Decimal::from(60)).ceil().to_string().parse::<u64>());
    let seconds = seconds.transpose().map_err(|_| Field::Minutes.fault("Write fewer minutes."))?;
    let tokens = given(tokens).then(|| whole(tokens).parse::<u64>().ok().filter(|tokens| *tokens > 0));
    if tokens == Some(None) {
        let words = "Write the tokens as a whole number above 0, or leave the field empty for no limit.";
        return Err(Field::Tokens.fault(words));
    }
    let cost = given(dollars).then(|| amount(dollars, Field::Cost)).transpose()?;
    Ok(Limits { steps, seconds, tokens: tokens.flatten(), cost, ..Limits::default() })
}

/// The fields: steps, wall time, tokens, cost.
#[component]
pub fn LimitFields(
    /// Their values.
    draft: LimitsDraft,
) -> impl IntoView {
    let fault = Memo::new(move |_| draft.read().err());
    let input = |field: Field, hint: &'static str, value: RwSignal<String>| {
        let is_faulty = move || fault.with(|fault| fault.as_ref().is_some_and(|fault| fault.field == field));
        view! {
            <label class="limit-field">
                <span>{field.label()}</span>
                <input
                    class="input"
                    name=field.name()
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    placeholder=hint
                    aria-invalid=move || is_faulty().then_some("true")
                    value=value.get_untracked()
                    prop:value=value
                    on:input=move |event| value.set(event_target_value(&event))
                />
            </label>
        }
    };
    view! {
        <div class="limit-fields">
            {input(Field::Steps, "100", draft.steps)}
            {input(Field::Minutes, "no limit", draft.minutes)}
            {input(Field::Tokens, "no limit", draft.tokens)}
            {input(Field::Cost, "no limit", draft.dollars)}
        </div>
        <p class="note fault" aria-live="polite">{move || fault.get().map(|fault| fault.words)}</p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_no_limits() {
        assert_eq!(read("100", "", " ", ""), Ok(Limits::default()));
    }

    #[test]
    fn what_is_typed_becomes_limits() {
        let limits = read("40", "1.5", "20,000", "$0.50").unwrap();
        assert_eq!((limits.steps, limits.seconds, limits.tokens), (40, Some(90), Some(20_000)));
        assert_eq!(limits.cost, Some(Decimal::new(50, 2)));
    }

    #[test]
    fn nonsense_is_named_at_its_field() {
        let field = |limits: Result<Limits, Fault>| limits.unwrap_err().field;
        assert_eq!(field(read("0", "", "", "")), Field::Steps);
        assert_eq!(field(read("1", "-2", "", "")), Field::Minutes);
        assert_eq!(field(read("1", "", "many", "")), Field::Tokens);
        assert_eq!(field(read("1", "", "", "0")), Field::Cost);
    }

    #[test]
    fn limits_survive_their_fields() {
        let limits = Limits {
            seconds: Some(90),
            tokens: Some(7),
            cost: Some(Decimal::new(5, 1)),
            ..Limits::default()
        };
        Owner::new().with(|| assert_eq!(LimitsDraft::new(&limits).limits(), Ok(limits)));
    }
}
