//! The drawing beside the form: who hands to whom.

use leptos::prelude::*;

use super::{draft::Draft, part_id, shape::{Drawn, Shape}};
use crate::{
    browser,
    components::icon::{Icon, IconName},
    graph::layout::{Area, CARD_HEIGHT, CARD_WIDTH, FRAME_HEAD, Layout},
};

/// Around the drawing: lines bow out beyond the cards.
const MARGIN: i32 = 40;

/// The drawing, with all ways in words below it.
#[component]
pub(super) fn Picture(draft: Draft) -> impl IntoView {
    let shape = Memo::new(move |_| draft.content.with(|content| Shape::of(content, "/team")));
    move || {
        let shape = shape.get();
        let layout = shape.layout();
        let ways = shape.ways(&layout).into_iter().map(|way| {
            let class = if way.is_conditional { "wire wire-conditional" } else { "wire" };
            view! {
                <g class=class>
                    <title>{way.words}</title>
                    <path class="wire-line" d=way.line />
                    <path class="wire-head" d=way.head />
                </g>
            }
        });
        let frames = layout.frames.iter().filter_map(|frame| Some((shape.nodes.get(frame.node)?, frame.area)));
        let frames = frames.map(|(node, area)| view! { <Frame draft node=node.clone() area /> });
        let cards = layout.cards.iter().filter_map(|card| Some((shape.nodes.get(card.node)?, card.area())));
        let cards = cards.map(|(node, area)| view! { <Card draft node=node.clone() area /> });
        let words = shape.sentences();
        let has_words = !words.is_empty();
        let words = words.into_iter().map(|words| view! { <li>{words}</li> });
        let left_out = (shape.left_out > 0)
            .then(|| view! { <p class="dim">{format!("{} more take part and are not drawn.", shape.left_out)}</p> });
        let is_empty = shape.nodes.is_empty();
        view! {
            {is_empty.then(|| view! { <p class="dim">"Nobody takes part yet. Add an agent."</p> })}
            {(!is_empty).then(|| view! {
                <div class="team-canvas" tabindex="0" role="group" aria-label="Who hands to whom">
                    <svg
                        viewBox=view_box(&layout)
                        width=(layout.width + 2 * MARGIN).to_string()
                        height=(layout.height + 2 * MARGIN).to_string()
                    >
                        <g>{frames.collect_view()}</g>
                        <g>{ways.collect_view()}</g>
                        <g>{cards.collect_view()}</g>
                    </svg>
                </div>
            })}
            {left_out}
            {has_words.then(|| view! {
                <details class="team-ways">
                    <summary>"The same in words"</summary>
                    <ul>{words.collect_view()}</ul>
                </details>
            })}
        }
    }
}

fn view_box(layout: &Layout) -> String {
    format!("{} {} {} {}", -MARGIN, -MARGIN, layout.width + 2 * MARGIN, layout.height + 2 * MARGIN)
}

/// How many findings there are at a node's place, or within it as far as no other node stands for that.
fn found_at(draft: Draft, place: String) -> Memo<usize> {
    Memo::new(move |_| {
        draft.findings.with(|findings| {
            findings.iter().filter(|finding| super::told::is_at(&finding.place, &place)).count()
        })
    })
}

#[component]
fn Card(draft: Draft, node: Drawn, area: Area) -> impl IntoView {
    let Drawn { plan, icon, place, what } = node;
    let part = format!("#{}", part_id(&place));
    let found = found_at(draft, place);
    let title = format!("{}: {what}", plan.label);
    view! {
        <foreignObject x=area.at.x.to_string() y=area.at.y.to_string() width=CARD_WIDTH.to_string() height=CARD_HEIGHT.to_string()>
            <button type="button" class="team-card" title=title on:click=move |_| browser::focus_first(&part)>
                <span class="team-card-head">
                    <Icon name=icon />
                    <strong>{plan.label}</strong>
                    <Found found />
                </span>
                <span class="dim">{what}</span>
            </button>
        </foreignObject>
    }
}

#[component]
fn Frame(draft: Draft, node: Drawn, area: Area) -> impl IntoView {
    let Drawn { plan, icon, place, what } = node;
    let part = format!("#{}", part_id(&place));
    let found = found_at(draft, place);
    view! {
        <rect class="team-frame" x=area.at.x.to_string() y=area.at.y.to_string() width=area.width.to_string() height=area.height.to_string() rx="10" />
        <foreignObject x=area.at.x.to_string() y=area.at.y.to_string() width=area.width.to_string() height=FRAME_HEAD.to_string()>
            <button type="button" class="team-frame-head" title=what on:click=move |_| browser::focus_first(&part)>
                <Icon name=icon />
                <strong>{plan.label}</strong>
                <Found found />
            </button>
        </foreignObject>
    }
}

#[component]
fn Found(found: Memo<usize>) -> impl IntoView {
    move || {
        let count = found.get();
        (count > 0).then(|| {
            let words = if count == 1 { "one finding".to_owned() } else { format!("{count} findings") };
            view! {
                <span class="team-found tone-attention" title=words>
                    <Icon name=IconName::Alert />
                    <span class="visually-hidden">{words.clone()}</span>
                </span>
            }
        })
    }
}
