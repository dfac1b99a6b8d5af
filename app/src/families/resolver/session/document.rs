use std::sync::Arc;

use leptos::prelude::*;
use protocol::{Product, ProductData, RunId, RunView};

use crate::components::whole_text::whole_text;

/// What a product holds, once all of it is here; `None` before, and where it is not what its kind promises.
pub(super) fn document<D>(run: RunId, product: &Arc<Product>) -> Memo<Option<D>>
where
    D: ProductData + PartialEq + Send + Sync + 'static,
{
    let whole = whole_text(run, product.data.clone());
    Memo::new(move |_| whole.with(|data| serde_json::from_str(data.as_deref()?).ok()))
}

/// The last product of a kind that a run has brought forth.
pub(super) fn last_of<D: ProductData>(view: &RunView) -> Option<Arc<Product>> {
    view.products.iter().rev().find(|product| product.holds::<D>()).cloned()
}
