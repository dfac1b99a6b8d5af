//! Fields that name one who takes part.

use leptos::prelude::*;

use crate::components::choice::choice;

/// One of these names. A name that is none of them is shown as such.
#[component]
pub(super) fn WhoField(
    #[prop(into)] names: Signal<Vec<String>>,
    chosen: Memo<String>,
    #[prop(into)] label: Signal<String>,
    choose: Callback<String>,
    /// What it means that nobody is named; without it, somebody has to be.
    #[prop(optional_no_strip)]
    nobody: Option<&'static str>,
) -> impl IntoView {
    let options = move || {
        let chosen = chosen.get();
        let names = names.get();
        let is_known = chosen.is_empty() || names.contains(&chosen);
        let stranger = (!is_known).then(|| (chosen.clone(), format!("{chosen} (takes no part)")));
        let nobody = nobody.or(chosen.is_empty().then_some("Choose one")).map(|label| (String::new(), label.to_owned()));
        let own = names.into_iter().map(|name| (name.clone(), name));
        let options = nobody.into_iter().chain(stranger).chain(own).map(|(value, label)| {
            let is_chosen = value == chosen;
            choice(value, label, move || is_chosen)
        });
        options.collect_view()
    };
    view! { <select class="input" aria-label=label on:change=move |event| choose.run(event_target_value(&event))>{options}</select> }
}

/// A box for one of several names, of which any can be chosen.
#[component]
pub(super) fn NameBox(
    name: String,
    #[prop(into)] is_chosen: Signal<bool>,
    #[prop(into)] choose: Callback<bool>,
) -> impl IntoView {
    view! {
        <label class="team-check">
            <input type="checkbox" prop:checked=is_chosen on:change=move |event| choose.run(event_target_checked(&event)) />
            {name}
        </label>
    }
}
