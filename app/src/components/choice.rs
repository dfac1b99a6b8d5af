//! An option of a list of choices, whose choice may change by another way than through the list.

use leptos::prelude::*;

/// An option that is chosen whenever `is_chosen` holds. Both say so: the attribute what the server has drawn, the property
/// what comes after a person has chosen, from when on browsers follow the attribute no more.
pub fn choice(
    value: impl Into<String>,
    label: impl Into<String>,
    is_chosen: impl Fn() -> bool + Copy + Send + 'static,
) -> impl IntoView {
    view! { <option value=value.into() selected=is_chosen prop:selected=is_chosen>{label.into()}</option> }
}
