//! What only tasks show: the plan as a list that is ticked off while the run works, the report, and the pages of their
//! sessions.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
mod cards;
mod session;
mod sessions;

use leptos::prelude::*;
use protocol::{
    Product, ProductData, WorkflowKind,
    resolver::{TaskPlan, TaskReport},
};

use self::{
    cards::{PlanCard, TaskReportCard},
    session::SessionPage,
    sessions::SessionsPage,
};
use super::{FamilyAddress, Section, Views};
use crate::{
    components::product::tone_of,
    pages::not_found::NotFoundPage,
};

/// What the pages know of tasks before their parts are there.
#[cfg(not(feature = "hydrate"))]
pub fn outline() -> super::Outline {
    super::Outline {
        family: "resolver".to_owned(),
        page: Some(super::FamilyPage {
            name: "Tasks".to_owned(),
            path: SESSIONS.to_owned(),
            below: vec![SESSIONS.to_owned()],
        }),
    }
}

/// What tasks show of their own on the pages of runs.
pub fn views() -> Views {
    Views { card, approval, beside: None, above_transcript: None, below_transcript: None }
}

/// Tasks have no section of the overview.
pub const OVERVIEW: Option<Section> = None;

/// The address of all sessions, below which each has its own.
const SESSIONS: &str = "/tasks";

/// The pages of the sessions.
pub fn pages() -> AnyView {
    let address = FamilyAddress::open();
    let is_all = Memo::new(move |_| address.with(|address| address == SESSIONS));
    let id = Memo::new(move |_| address.with(|address| session_at(address).map(str::to_owned)));
    let is_one = Memo::new(move |_| id.with(Option::is_some));
    let shown = move || match (is_all.get(), is_one.get()) {
        (true, _) => view! { <SessionsPage /> }.into_any(),
        (false, true) => view! { <SessionPage id=Signal::derive(move || id.get().unwrap_or_default()) /> }.into_any(),
        (false, false) => view! { <NotFoundPage /> }.into_any(),
    };
    shown.into_any()
}

/// The session at this address.
fn session_at(address: &str) -> Option<&str> {
    let id = address.strip_prefix(SESSIONS)?.strip_prefix('/')?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// The card of a product; `None` if its data are not what its kind promises.
fn card(product: &Product, data: &str) -> Option<AnyView> {
    fn read<D: ProductData>(product: &Product, data: &str) -> Option<D> {
        product.holds::<D>().then(|| serde_json::from_str(data).ok()).flatten()
    }
    let headline = product.headline.clone();
    if let Some(plan) = read::<TaskPlan>(product, data) {
        return Some(view! { <PlanCard headline plan /> }.into_any());
    }
    let report = read::<TaskReport>(product, data)?;
    Some(view! { <TaskReportCard headline tone=tone_of(product.tone) report /> }.into_any())
}

/// Nothing of a task is approved in another form than the general one.
fn approval(_: &WorkflowKind, _: &str) -> Option<AnyView> {
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::{
        NodeId, RunId,
        resolver::{NotDone, Refined, Step},
    };

    use super::*;
    use crate::components::{
        icon::IconName,
        status::{NodeSigns, Sign, Tone},
    };

    fn step(id: &str, node: &str, title: &str, depends_on: &[&str]) -> Step {
        Step {
            id: id.to_owned(),
            node: node.parse().unwrap(),
            title: title.to_owned(),
            instruction: "Look <b>here</b>.".to_owned(),
            depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    fn html(product: &Product) -> String {
        card(product, product.data.whole().unwrap()).unwrap().to_html()
    }

    #[test]
    fn the_plan_is_ticked_off_as_its_nodes_work() {
        let steps = vec![step("a", "step_1", "Apple <i>", &[]), step("b", "step_2", "Comparison", &["a"])];
        let product = TaskPlan { steps }.product().unwrap();
        Owner::new().with(|| {
            let plain = html(&product);
            assert!(!plain.contains("class=\"sign"), "no run is followed: {plain}");
            let signs = RwSignal::new(BTreeMap::<NodeId, Sign>::new());
            NodeSigns::provide(move |node| signs.with(|signs| signs.get(node).copied()));
            let sign = |icon, word, tone| Sign { icon, word, tone };
            let done = ("step_1".parse().unwrap(), sign(IconName::Check, "done", Tone::Done));
            let works = ("step_2".parse().unwrap(), sign(IconName::CircleDot, "working", Tone::Live));
            signs.set(BTreeMap::from([done, works]));
            let followed = html(&product);
            for shown in ["A plan of 2 steps", "tone-done", ">done<", ">working<", "after Apple &lt;i&gt;"] {
                assert!(followed.contains(shown), "{shown} in {followed}");
            }
            assert!(!followed.contains("<i>") && !followed.contains("<b>"), "{followed}");
        });
    }

    #[test]
    fn a_report_names_its_gaps_and_leads_to_its_refinement() {
        let run: RunId = "0190f7d4-0000-7000-8000-000000000001".parse().unwrap();
        let report = TaskReport {
            run,
            request: "Compare them.".to_owned(),
            markdown: "Apple **fell**. <script>".to_owned(),
            done: 1,
            not_done: vec![NotDone { title: "Tesla".to_owned(), reason: "No prices <b>.".to_owned() }],
            refines: None,
        };
        let shown = Owner::new().with(|| html(&report.product().unwrap()));
        for part in ["1 of 2 steps are done", "tone-attention", "<strong>fell"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert!(shown.contains(&format!("/start?type=refinement&amp;of={run}")), "{shown}");
        assert!(shown.contains(&format!("/tasks/{run}")), "{shown}");
        assert!(!shown.contains("<script>"), "{shown}");

        let of = "0190f7d4-0000-7000-8000-000000000002".parse().unwrap();
        let refines = Some(Refined { of, instruction: "Shorter.".to_owned() });
        let shown = Owner::new().with(|| html(&TaskReport { refines, ..report }.product().unwrap()));
        for part in ["Rewritten: Shorter.", &format!("/runs/{of}"), "Tesla", "No prices &lt;b&gt;."] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn data_that_are_not_what_their_kind_promises_are_left_to_the_general_form() {
        let mut product = TaskPlan { steps: Vec::new() }.product().unwrap();
        product.data = "{\"steps\":7}".into();
        assert!(Owner::new().with(|| card(&product, "{\"steps\":7}").is_none()));
    }
}
