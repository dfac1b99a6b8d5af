//! What changes is lit for a moment.

use std::time::Duration;

use leptos::prelude::*;

/// How long something stays lit; the style sheet lets it fade.
const LIT: Duration = Duration::from_millis(1_800);

/// True for a moment after each change of `value`; at once, if it is `fresh`.
pub fn use_lit<T>(value: Memo<T>, fresh: bool) -> ReadSignal<bool>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let (lit, set_lit) = signal(false);
    let changes = StoredValue::new(0_u32);
    Effect::new(move |before: Option<T>| {
        let now = value.get();
        if before.as_ref().map_or(fresh, |before| *before != now) {
            light(set_lit, changes);
        }
        now
    });
    lit
}

fn light(set_lit: WriteSignal<bool>, changes: StoredValue<u32>) {
    changes.update_value(|changes| *changes += 1);
    let change = changes.get_value();
    set_lit.set(true);
    let fade = move || {
        // A later change keeps it lit for its own time.
        if changes.try_get_value() == Some(change) {
            set_lit.try_set(false);
        }
    };
    set_timeout(fade, LIT);
}
