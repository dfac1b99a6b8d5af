//! What a field for a day shows.

use leptos::{html, prelude::*};

/// Lets the field that it is given to show a day. It is set only where it shows another one: a day that
/// is being typed is empty until all its parts stand, and a field that is set to empty drops those that
/// stand already.
pub fn day_field(day: RwSignal<String>) -> NodeRef<html::Input> {
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        let day = day.get();
        if let Some(field) = field.get()
            && field.value() != day
        {
            field.set_value(&day);
        }
    });
    field
}
