//! Fields of the form, each of one value in the team's JSON.

use leptos::{html, prelude::*};
use protocol::{ModelProfile, ToolSummary};
use serde_json::Value;

use super::draft::Draft;
use crate::components::choice::choice;

/// A text. One that is left empty is taken out, unless it is demanded.
#[component]
pub(super) fn TextField(
    draft: Draft,
    #[prop(into)] object: String,
    name: &'static str,
    label: &'static str,
    #[prop(optional)] is_long: bool,
    #[prop(optional)] is_demanded: bool,
    #[prop(optional)] placeholder: &'static str,
) -> impl IntoView {
    let value = draft.at(format!("{object}/{name}"));
    let write = move |event| {
        let text = event_target_value(&event);
        draft.put(&object, name, (is_demanded || !text.is_empty()).then(|| Value::String(text)));
    };
    let field = if is_long {
        view! { <textarea class="input" rows="3" placeholder=placeholder prop:value=value on:input=write></textarea> }.into_any()
    } else {
        view! { <input class="input" type="text" placeholder=placeholder prop:value=value on:input=write /> }.into_any()
    };
    view! { <label>{label} {field}</label> }
}

/// A number above zero. Without one, the field is taken out; one that is demanded stays as it was.
#[component]
pub(super) fn NumberField(
    draft: Draft,
    #[prop(into)] object: String,
    name: &'static str,
    label: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] is_demanded: bool,
    #[prop(optional)] allows_fractions: bool,
) -> impl IntoView {
    let value = draft.at(format!("{object}/{name}"));
    let write = move |event| {
        let number = number(&event_target_value(&event), allows_fractions);
        if number.is_some() || !is_demanded {
            draft.put(&object, name, number);
        }
    };
    let field = NodeRef::<html::Input>::new();
    // Once it is left, it shows what is meant: of what is demanded, not that it is empty.
    let show = move |_| {
        if let Some(field) = field.get_untracked().filter(|_| is_demanded) {
            field.set_value(&value.get_untracked());
        }
    };
    let (min, step) = if allows_fractions { ("0", "any") } else { ("1", "1") };
    view! {
        <label>
            {label}
            <input
                class="input"
                type="number"
                min=min
                step=step
                inputmode=if allows_fractions { "decimal" } else { "numeric" }
                placeholder=placeholder
                node_ref=field
                prop:value=value
                on:input=write
                on:change=show
            />
        </label>
    }
}

/// The number above zero in a text.
fn number(text: &str, allows_fractions: bool) -> Option<Value> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<u32>() {
        return (whole > 0).then(|| whole.into());
    }
    let fraction = text.parse::<f64>().ok().filter(|number| allows_fractions && *number > 0.0)?;
    serde_json::Number::from_f64(fraction).map(Value::Number)
}

/// Yes or no.
#[component]
pub(super) fn CheckField(draft: Draft, #[prop(into)] object: String, name: &'static str, label: &'static str) -> impl IntoView {
    let value = draft.at(format!("{object}/{name}"));
    let write = move |event| draft.put(&object, name, Some(event_target_checked(&event).into()));
    view! {
        <label class="team-check">
            <input type="checkbox" prop:checked=move || value.with(|value| value == "true") on:change=write />
            {label}
        </label>
    }
}

/// That a list is longer than the form, where it is.
#[component]
pub(super) fn LeftOut(draft: Draft, #[prop(into)] list: String) -> impl IntoView {
    let count = draft.rows_left_out(list);
    move || match count.get() {
        0 => None,
        count => Some(view! { <p class="dim">{format!("{count} more are edited as JSON.")}</p> }),
    }
}

/// What this server has for agents.
#[derive(Clone, Copy)]
pub(super) struct Offered {
    /// The named models that can answer, with what people call them.
    models: StoredValue<Vec<(String, String)>>,
    /// The tools that can be called.
    pub(super) tools: StoredValue<Vec<ToolSummary>>,
}

impl Offered {
    /// These tools, and the models that have a name.
    pub(super) fn of(profiles: Vec<ModelProfile>, tools: Vec<ToolSummary>) -> Self {
        let named = profiles.into_iter().filter_map(|profile| {
            let name = profile.name?.to_string();
            let label = format!("{name} · {}", profile.models.join(", "));
            Some((name, label))
        });
        Self { models: StoredValue::new(named.collect()), tools: StoredValue::new(tools) }
    }
}

/// Which model answers: the run's, or a named one of the server.
#[component]
pub(super) fn ModelField(
    draft: Draft,
    offered: Offered,
    /// The object that names it: an assistant's role, what says who speaks next.
    #[prop(into)] object: String,
    label: &'static str,
) -> impl IntoView {
    let chosen = draft.at(format!("{object}/profile"));
    let object = StoredValue::new(object);
    let choose = move |event| {
        let name = event_target_value(&event);
        object.with_value(|object| draft.put(object, "profile", (!name.is_empty()).then(|| Value::String(name))));
        draft.end_step();
    };
    let options = move || {
        let chosen = chosen.get();
        let named = offered.models.get_value();
        let is_known = chosen.is_empty() || named.iter().any(|(name, _)| *name == chosen);
        let unknown = (!is_known).then(|| (chosen.clone(), format!("{chosen} (not in the settings)")));
        let usual = (String::new(), "The run's model".to_owned());
        let options = std::iter::once(usual).chain(unknown).chain(named);
        let options = options.map(|(name, label)| {
            let is_chosen = name == chosen;
            choice(name, label, move || is_chosen)
        });
        options.collect_view()
    };
    view! { <label>{label} <select class="input" on:change=choose>{options}</select></label> }
}

/// The kinds that a part can be of, as choices. One that the form does not know stands before them, in the words of `other`.
pub(super) fn kinds<const N: usize>(
    known: [(&'static str, &'static str); N],
    kind: &str,
    other: impl FnOnce(&str) -> String,
) -> AnyView {
    let is_known = known.iter().any(|(name, _)| *name == kind);
    let stranger = (!is_known).then(|| choice(kind.to_owned(), other(kind), || true));
    let known = known.map(|(name, label)| {
        let is_chosen = name == kind;
        choice(name, label, move || is_chosen)
    });
    (stranger, known.collect_view()).into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_above_zero_are_taken_and_fractions_where_they_mean_something() {
        assert_eq!(number(" 12 ", false), Some(12.into()));
        assert_eq!(number("0.5", true), Some(0.5.into()));
        for (text, allows_fractions) in [("0.5", false), ("0", true), ("-1", true), ("", true), ("NaN", true), ("inf", true)] {
            assert_eq!(number(text, allows_fractions), None, "{text}");
        }
    }
}
