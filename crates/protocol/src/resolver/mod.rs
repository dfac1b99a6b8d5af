//! The documents of tasks: what a person asks for, the plan of it, what its steps came to, and the report.

mod plan;
mod report;
mod request;

pub use plan::*;
pub use report::*;
pub use request::*;

use crate::{Product, ProductData, ProductKind, ProductTone, Standing};

/// The product of a document.
fn product<D: ProductData>(
    document: &D,
    headline: String,
    tone: ProductTone,
    standing: Standing,
) -> serde_json::Result<Product> {
    let data = serde_json::to_string(document)?.into();
    Ok(Product { kind: ProductKind::of_slug(D::KIND), headline, tone, standing, data })
}
