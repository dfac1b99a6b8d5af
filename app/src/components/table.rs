//! Tables that become cards on narrow screens, and the small parts that stand in them.

use leptos::prelude::*;
use protocol::{Decimal, trading::Measured};
use rust_decimal::prelude::ToPrimitive;

/// A table with its head. Its roles are explicit: rows that are laid out as cards on a narrow
/// screen would otherwise no longer be rows for a screen reader.
#[component]
pub fn DataTable(
    /// What the table shows, for screen readers.
    #[prop(into)]
    caption: String,
    /// Its columns; one that begins with `#` holds numbers.
    columns: Vec<&'static str>,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let heads = columns.into_iter().map(|column| match column.strip_prefix('#') {
        Some(name) => view! { <th role="columnheader" scope="col" class="numeric">{name}</th> },
        None => view! { <th role="columnheader" scope="col" class="">{column}</th> },
    });
    view! {
        <table class="data" role="table">
            <caption class="visually-hidden">{caption}</caption>
            <thead role="rowgroup">
                <tr role="row">{heads.collect_view()}</tr>
            </thead>
            <tbody role="rowgroup">{children()}</tbody>
        </table>
    }
}

/// A cell that keeps its column's name, for the card that the row becomes.
#[component]
pub fn Cell(
    /// The column's name.
    label: &'static str,
    /// Whether it holds a number.
    #[prop(optional)]
    numeric: bool,
    /// What stands in it.
    children: Children,
) -> impl IntoView {
    let class = if numeric { "numeric" } else { "" };
    view! {
        <td role="cell" class=class data-label=label>
            {children()}
        </td>
    }
}

/// `n/a`, with the reason beside it and as its title.
#[component]
pub fn NotKnown(
    /// Why the value is not known.
    #[prop(into)]
    reason: String,
    /// Whether the reason is only a title, where there is no room for it.
    #[prop(optional)]
    brief: bool,
) -> impl IntoView {
    let class = if brief { "visually-hidden" } else { "reason" };
    view! {
        <span class="not-known" title=reason>
            "n/a "
            <span class=class>{reason.clone()}</span>
        </span>
    }
}

/// A figure as `show` writes it, or `n/a` and why.
pub fn measured(value: &Measured<Decimal>, show: impl Fn(Decimal) -> String) -> AnyView {
    match value {
        Measured::Known(amount) => show(*amount).into_any(),
        Measured::Unknown(reason) => view! { <NotKnown reason=reason.clone() /> }.into_any(),
    }
}

/// Whether an amount is a gain, a loss or neither: the sign says it too.
pub fn gain_class(amount: Option<Decimal>) -> &'static str {
    match amount {
        Some(amount) if amount.is_zero() => "flat",
        Some(amount) if amount.is_sign_negative() => "loss",
        Some(_) => "gain",
        None => "flat",
    }
}

/// A bar, full at `full`, with a line at `limit`. Decoration: the figure stands beside it.
#[component]
pub fn Bar(
    /// What the bar shows, as a fraction.
    value: Decimal,
    /// The fraction at which the bar is full.
    full: Decimal,
    /// Where to draw a line, if it lies within.
    #[prop(optional_no_strip)]
    limit: Option<Decimal>,
    /// Whether to pass the limit is a fault.
    #[prop(default = true)]
    warns: bool,
    /// More classes, such as what the bar is for.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let share = move |part: Decimal| {
        let share = part.checked_div(full).unwrap_or_default().clamp(Decimal::ZERO, Decimal::ONE);
        format!("{:.1}%", (share * Decimal::ONE_HUNDRED).to_f64().unwrap_or(0.0))
    };
    let over = warns && value > limit.unwrap_or(full);
    view! {
        <svg class=format!("bar {class}") class:over=over aria-hidden="true">
            <rect class="track" width="100%" height="100%" rx="2" />
            <rect class="fill" width=share(value) height="100%" rx="2" />
            {limit.map(|limit| view! { <line class="limit" x1=share(limit) x2=share(limit) y1="0" y2="100%" /> })}
        </svg>
    }
}

/// What will stand here, and the act that fills it.
#[component]
pub fn Empty(
    /// In a few words.
    title: &'static str,
    /// What will be here and how.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty-state">
            <p class="empty-title">{title}</p>
            {children()}
        </div>
    }
}
