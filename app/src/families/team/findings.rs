//! What a person should know of files, at its places.

use leptos::prelude::*;
use protocol::team::FileFinding;

use crate::components::{
    icon::{Icon, IconName},
    status::Tone,
};

/// A list of findings; nothing where there is none.
#[component]
pub fn Findings(findings: Vec<FileFinding>) -> impl IntoView {
    (!findings.is_empty()).then(|| {
        let rows = findings.into_iter().map(|finding| {
            let FileFinding { file, place, detail, stops_runs } = finding;
            let place: Vec<String> = file.into_iter().chain((!place.is_empty()).then_some(place)).collect();
            let sign = stops_runs.then(|| {
                view! {
                    <span class=format!("sign {}", Tone::Attention.class())>
                        <Icon name=IconName::Alert />
                        "keeps it from running"
                    </span>
                }
            });
            view! {
                <li>
                    <span>{detail}</span>
                    {sign}
                    <span class="dim mono">{place.join(" ")}</span>
                </li>
            }
        });
        view! { <ul class="team-findings">{rows.collect_view()}</ul> }
    })
}
