//! Fields of the form, each of one value in the team's JSON.

use leptos::prelude::*;
use protocol::ModelProfile;
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

/// A whole number from 1; without one, the field is taken out.
#[component]
pub(super) fn NumberField(
    draft: Draft,
    #[prop(into)] object: String,
    name: &'static str,
    label: &'static str,
    #[prop(optional)] placeholder: &'static str,
) -> impl IntoView {
    let value = draft.at(format!("{object}/{name}"));
    let write = move |event| {
        let number = event_target_value(&event).trim().parse::<u32>().ok().filter(|number| *number > 0);
        draft.put(&object, name, number.map(Value::from));
    };
    view! {
        <label>
            {label}
            <input class="input" type="number" min="1" inputmode="numeric" placeholder=placeholder prop:value=value on:input=write />
        </label>
    }
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

/// The named models that can answer, with what people call them.
#[derive(Clone, Copy)]
pub(super) struct Profiles(StoredValue<Vec<(String, String)>>);

impl Profiles {
    /// Those that have a name.
    pub(super) fn of(profiles: Vec<ModelProfile>) -> Self {
        let named = profiles.into_iter().filter_map(|profile| {
            let name = profile.name?.to_string();
            let label = format!("{name} · {}", profile.models.join(", "));
            Some((name, label))
        });
        Self(StoredValue::new(named.collect()))
    }
}

/// Which model answers: the run's, or a named one of the server.
#[component]
pub(super) fn ModelField(
    draft: Draft,
    profiles: Profiles,
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
        let named = profiles.0.get_value();
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
