//! The models that the settings name, and whether they answer.

use leptos::prelude::*;
use protocol::{ModelProfile, ModelTest, ProfileName};

use crate::{
    api::{self, ApiError},
    components::{
        icon::IconName,
        status::{Sign, SignLabel, Tone},
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// All of them, without their keys.
#[component]
pub fn Models(models: Vec<ModelProfile>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="models">
            <h2 id="models">"Models"</h2>
            <p class="dim">
                "What the settings name: models in " <code>"pitwall.toml"</code> ", or the one of "
                <code>"PITWALL_MODEL"</code> ". A test asks one short question, which the provider charges for."
            </p>
            {if models.is_empty() {
                view! { <Empty title="No models">"The rehearsal answers all runs."</Empty> }.into_any()
            } else {
                view! {
                    <DataTable caption="Models" columns=vec!["Name", "Model", "Asked at", "At once", "Price", ""]>
                        {models.into_iter().map(|profile| view! { <Model profile /> }).collect_view()}
                    </DataTable>
                }
                    .into_any()
            }}
        </section>
    }
}

#[component]
fn Model(profile: ModelProfile) -> impl IntoView {
    let ModelProfile { name, models, host, tiers, requests_at_once, priced } = profile;
    let shown = name.as_ref().map_or_else(|| "configured".to_owned(), ToString::to_string);
    let tiers = tiers.iter().map(|tier| tier.label()).collect::<Vec<_>>().join(", ");
    let test = Action::new(|name: &Option<ProfileName>| api::test_model(name.clone()));
    let of = format!(" the model {shown}");
    view! {
        <tr role="row">
            <Cell label="Name">
                {shown} {(!tiers.is_empty()).then(|| view! { <span class="dim">{format!(" · {tiers}")}</span> })}
            </Cell>
            <Cell label="Model"><span class="mono">{models.join(", ")}</span></Cell>
            <Cell label="Asked at">{host.unwrap_or_else(|| "its own provider".to_owned())}</Cell>
            <Cell label="At once">{requests_at_once}</Cell>
            <Cell label="Price">{if priced { "known" } else { "unknown" }}</Cell>
            <Cell label="">
                <button
                    type="button"
                    class="quiet-button"
                    disabled=test.pending()
                    on:click=move |_| drop(test.dispatch(name.clone()))
                >
                    {move || if test.pending().get() { "Asking …" } else { "Test" }}
                    <span class="visually-hidden">{of}</span>
                </button>
                <p class="model-test" aria-live="polite">
                    {move || test.value().get().map(|tested| view! { <SignLabel sign=sign(&tested) /> " " {words(tested)} })}
                </p>
            </Cell>
        </tr>
    }
}

fn sign(tested: &Result<ModelTest, ApiError>) -> Sign {
    match tested {
        Ok(ModelTest { error: None, .. }) => {
            Sign { icon: IconName::Check, word: "Answered", tone: Tone::Done }
        }
        _ => Sign { icon: IconName::Cross, word: "No answer", tone: Tone::Failed },
    }
}

fn words(tested: Result<ModelTest, ApiError>) -> String {
    let tested = match tested {
        Err(error) => return error.to_string(),
        Ok(ModelTest { error: Some(error), .. }) => return error,
        Ok(tested) => tested,
    };
    let cost = tested.cost.map_or_else(|| "of unknown cost".to_owned(), format::dollars);
    format!("in {} · {} · {cost}", format::duration(tested.latency_ms), format::tokens(tested.usage))
}
