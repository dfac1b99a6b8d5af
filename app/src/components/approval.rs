//! Before which nodes a run pauses.

use leptos::prelude::*;
use protocol::{Approval, NodeAdded, NodeId, PlannedNode, RunView};

/// The nodes of a run's plan, to choose from.
pub fn choices(view: &RunView) -> Vec<PlannedNode> {
    let plans = view.nodes.iter().map(|node| &node.plan);
    let choice = |plan: &NodeAdded| PlannedNode {
        id: plan.id.clone(),
        label: plan.label.clone(),
        phase: plan.phase.clone(),
    };
    plans.map(choice).collect()
}

/// None, every one, or some of these nodes.
#[component]
pub fn ApprovalPicker(
    /// What is chosen.
    value: RwSignal<Approval>,
    /// The plan's nodes, in their order.
    #[prop(into)]
    nodes: Signal<Vec<PlannedNode>>,
    /// Keeps two pickers on one page apart.
    name: &'static str,
) -> impl IntoView {
    // What was chosen stays, while another mode is looked at.
    let chosen = RwSignal::new(match value.get_untracked() {
        Approval::Nodes { nodes } => nodes,
        _ => Default::default(),
    });
    let mode = move |label: &'static str,
                     hint: &'static str,
                     is: fn(&Approval) -> bool,
                     choose: Callback<()>| {
        view! {
            <label class="ask-choice">
                <input type="radio" name=name prop:checked=move || value.with(is) checked=value.with_untracked(is) on:change=move |_| choose.run(()) />
                <span>{label} " " <span class="dim">{hint}</span></span>
            </label>
        }
    };
    let toggle = move |node: NodeId, on: bool| {
        chosen.update(|chosen| {
            if on {
                chosen.insert(node);
            } else {
                chosen.remove(&node);
            }
        });
        value.set(Approval::Nodes { nodes: chosen.get_untracked() });
    };
    let list = move || {
        let groups = by_phase(nodes.get()).into_iter().map(|(phase, nodes)| {
            let boxes = nodes.into_iter().map(|PlannedNode { id, label, .. }| {
                let is_on = {
                    let id = id.clone();
                    move || chosen.with(|chosen| chosen.contains(&id))
                };
                view! {
                    <label class="ask-choice">
                        <input type="checkbox" prop:checked=is_on on:change=move |event| toggle(id.clone(), event_target_checked(&event)) />
                        <span>{label}</span>
                    </label>
                }
            });
            view! {
                <fieldset class="node-group">
                    <legend class="dim">{phase}</legend>
                    {boxes.collect_view()}
                </fieldset>
            }
        });
        groups.collect_view()
    };
    let choose_nodes = move |()| value.set(Approval::Nodes { nodes: chosen.get_untracked() });
    view! {
        <fieldset class="ask-choices">
            <legend class="visually-hidden">"Pauses"</legend>
            {mode("Off", "never pauses", |it| *it == Approval::Off, Callback::new(move |()| value.set(Approval::Off)))}
            {mode("Every node", "pauses before each", |it| *it == Approval::Every, Callback::new(move |()| value.set(Approval::Every)))}
            {mode("Chosen nodes", "pauses before these", |it| matches!(it, Approval::Nodes { .. }), Callback::new(choose_nodes))}
        </fieldset>
        <div class="node-choices" hidden=move || !value.with(|value| matches!(value, Approval::Nodes { .. }))>
            {list}
        </div>
    }
}

fn by_phase(nodes: Vec<PlannedNode>) -> Vec<(String, Vec<PlannedNode>)> {
    let mut phases: Vec<(String, Vec<PlannedNode>)> = Vec::new();
    for node in nodes {
        match phases.iter_mut().find(|(phase, _)| *phase == node.phase) {
            Some((_, nodes)) => nodes.push(node),
            None => phases.push((node.phase.clone(), vec![node])),
        }
    }
    phases
}
