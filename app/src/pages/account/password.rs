//! The form for a new password.

use leptos::{ev::SubmitEvent, html, prelude::*};

use super::Office;
use crate::{
    api::{ApiError, access},
    components::notice::Refusal,
};

/// Sets a new password; all other sessions end with the one before.
#[component]
pub fn PasswordForm(office: Office) -> impl IntoView {
    let (current, new) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let typed = |field: NodeRef<html::Input>| {
        field.try_get_untracked().flatten().map(|field| field.value()).unwrap_or_default()
    };
    let change = Action::new(move |(current, new): &(String, String)| {
        let (current, new) = (current.clone(), new.clone());
        async move {
            access::change_password(current, new).await?;
            office.changed.run(());
            Ok::<(), ApiError>(())
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        change.dispatch((typed(current), typed(new)));
    };
    view! {
        <section class="card" aria-labelledby="password">
            <h2 id="password">"Password"</h2>
            <p class="dim">"A new one ends all other sessions and all tokens."</p>
            <form class="row-form" on:submit=submit>
                <label>
                    "Present password"
                    <input class="input" type="password" name="current" node_ref=current required=true maxlength="256" autocomplete="current-password" />
                </label>
                <label>
                    "New password"
                    <input class="input" type="password" name="new" node_ref=new required=true minlength="12" maxlength="256" autocomplete="new-password" />
                </label>
                <button type="submit" class="button" disabled=move || change.pending().get()>"Set the password"</button>
            </form>
            <Refusal act=change />
        </section>
    }
}
