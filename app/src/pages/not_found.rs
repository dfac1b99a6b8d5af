//! The page for addresses that lead nowhere.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{api::set_status, base::at, components::notice::Notice};

/// Says that there is nothing here, and where to go.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status(404);
    view! {
        <Title text="Not found" />
        <Notice title="There is nothing at this address">
            <p>"The address may be mistyped, or what was here has been removed."</p>
            <p>
                <a class="button" href=at("/")>
                    "Go to the overview"
                </a>
            </p>
        </Notice>
    }
}
