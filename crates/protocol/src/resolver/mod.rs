//! The documents of tasks: what a person asks for, the plan of it, what its steps came to, the report, and the session that
//! all of these are said in.

mod plan;
mod report;
mod request;
mod session;

pub use plan::*;
pub use report::*;
pub use request::*;
pub use session::*;

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
