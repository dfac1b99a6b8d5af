//! Something that a run has brought forth.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{Product, ProductTone, RunId};

use super::{answer::Answer, status::Tone, whole_text::whole_text};
use crate::families;

/// The card of its family, or else, and until that is there, its headline and the fields of its data.
#[component]
pub fn ProductCard(
    /// The run whose log holds it.
    run: RunId,
    /// The product.
    product: Arc<Product>,
) -> impl IntoView {
    let whole = whole_text(run, product.data.clone());
    let views = families::views(product.kind.family());
    move || {
        let own = views.get().and_then(|views| whole.with(|data| (views.card)(&product, data.as_deref()?)));
        own.unwrap_or_else(|| {
            let (headline, tone) = (product.headline.clone(), tone_of(product.tone));
            view! {
                <article class="result-card card">
                    <header><span class=format!("grade {}", tone.class())>{headline}</span></header>
                    {whole.get().map(|data| view! { <Answer text=data /> })}
                </article>
            }
            .into_any()
        })
    }
}

/// The colour of a tone.
pub(crate) fn tone_of(tone: ProductTone) -> Tone {
    match tone {
        ProductTone::Good => Tone::Done,
        ProductTone::Neutral => Tone::Quiet,
        ProductTone::Attention => Tone::Attention,
        ProductTone::Bad => Tone::Failed,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Standing, Text};
    use serde_json::json;

    use super::*;

    fn html(kind: &str, data: impl Into<Text>) -> String {
        let product = Arc::new(Product {
            kind: kind.parse().unwrap(),
            headline: "Draft 2 of 3".into(),
            tone: ProductTone::Attention,
            standing: Standing::Result,
            data: data.into(),
        });
        let run = RunId(Default::default());
        Owner::new().with(|| view! { <ProductCard run product /> }.to_html())
    }

    #[test]
    fn what_no_family_draws_is_shown_by_its_headline_and_fields() {
        let html = html("writing.draft", json!({ "first_line": "It **rains**.", "words": 12 }).to_string());
        for shown in ["Draft 2 of 3", "tone-attention", "First line", "<strong>", "rains", "Words", "12"] {
            assert!(html.contains(shown), "{shown} in {html}");
        }
    }

    #[test]
    fn data_that_are_not_what_their_kind_promises_are_shown_like_any() {
        let html = html("trading.rating", json!({ "grade": "<b>much</b>" }).to_string());
        assert!(html.contains("Draft 2 of 3") && html.contains("Grade"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
    }

    #[test]
    fn of_data_whose_beginning_alone_is_here_the_headline_stands_until_they_come() {
        let digest = "0".repeat(64).parse().unwrap();
        let html = html("trading.rating", Text::Preview { preview: "{".into(), bytes: 9000, digest });
        assert!(html.contains("Draft 2 of 3"), "{html}");
    }
}
