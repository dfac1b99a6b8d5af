//! What the parts of the run page share: the live run, the selection, the view.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::query_signal_with_options};
use protocol::{CallId, CallView, KindSpec, NodeId, NodeView, RunId, RunView, Timestamp};

use super::{
    clock::use_clock,
    graph::folds::Folds,
    log::EventLog,
    place::ForkDraft,
    travel::{Shown, Travel},
};
use crate::{
    components::status::{NodeSigns, node_sign},
    live::{LiveRun, OldSince, Stream, use_run},
};

/// The views of one selection, and the talk beside the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The plan and what happens on it.
    #[default]
    Graph,
    /// The runs that it has started.
    Runs,
    /// The nodes' visits along a time axis.
    Timeline,
    /// Messages, calls and products, in order.
    Transcript,
    /// The log.
    Events,
    /// Questions beside the run.
    Chat,
}

impl Tab {
    /// All, in the order of the page.
    pub const ALL: [Self; 6] =
        [Self::Graph, Self::Runs, Self::Timeline, Self::Transcript, Self::Events, Self::Chat];

    /// The name in the address.
    pub fn id(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Runs => "runs",
            Self::Timeline => "timeline",
            Self::Transcript => "transcript",
            Self::Events => "events",
            Self::Chat => "chat",
        }
    }

    /// The name on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Graph => "Graph",
            Self::Runs => "Runs",
            Self::Timeline => "Timeline",
            Self::Transcript => "Transcript",
            Self::Events => "Events",
            Self::Chat => "Chat",
        }
    }
}

impl fmt::Display for Tab {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

impl FromStr for Tab {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|tab| tab.id() == text).ok_or(())
    }
}

/// The state that the parts of the page share. What a link should restore is in the address.
#[derive(Clone, Copy)]
pub struct Screen {
    /// The run.
    pub id: RunId,
    /// What its kind's family says of it; `None`: this version does not know the kind.
    pub spec: StoredValue<Option<KindSpec>>,
    /// What happens.
    pub live: LiveRun,
    /// The run as it is shown: as it is, or as it was.
    pub view: Shown,
    /// Where in time the page stands.
    pub travel: Travel,
    /// This moment, while the run works.
    pub clock: Signal<Option<Timestamp>>,
    /// The moment that is shown: this one, or that of the chosen event.
    pub now: Signal<Option<Timestamp>>,
    /// Which groups are open.
    pub folds: Folds,
    /// Where the run is to be continued, while that is being asked.
    pub fork: ForkDraft,
    /// Whether the run was deleted while the page was open.
    pub deleted: RwSignal<bool>,
    /// The next question beside the run, while it is typed: it outlives the look at another view.
    pub question: RwSignal<String>,
    /// The raw log, loaded when it is first asked for.
    pub log: EventLog,
    tab: Memo<Option<Tab>>,
    set_tab: SignalSetter<Option<Tab>>,
    node: Memo<Option<NodeId>>,
    set_node: SignalSetter<Option<NodeId>>,
    visit: Memo<Option<u32>>,
    set_visit: SignalSetter<Option<u32>>,
}

impl Screen {
    /// Follows the run from `view` on, and shows it as it was in `past` if there is one.
    pub fn open(view: RunView, is_whole: bool, past: Option<RunView>, spec: Option<KindSpec>) -> Self {
        let id = view.summary.run;
        let live = use_run(view, is_whole);
        let is_working = Memo::new(move |_| live.view.with(|view| !view.summary.status.is_over()));
        // Looking around is no step to go back over.
        let options = || NavigateOptions {
            replace: true,
            scroll: false,
            // The present path, where the query is set, is an outer one already.
            resolve: false,
            ..NavigateOptions::default()
        };
        let (tab, set_tab) = query_signal_with_options("view", options());
        let (node, set_node) = query_signal_with_options("node", options());
        let (visit, set_visit) = query_signal_with_options("visit", options());
        let log = EventLog::new(id, live);
        let travel = Travel::new(live, log, past);
        let clock = use_clock(is_working.into());
        // What is shown of the past is not old: it is what was asked for.
        OldSince::provide(move || live.connection.get().as_of().filter(|_| !travel.is_past()));
        let shown = travel.shown();
        NodeSigns::provide(move |node| shown.with(|view| view.node(node).map(|node| node_sign(node))));
        let heard = move || clock.get().map(OldSince::heard_by);
        let now = Signal::derive(move || if travel.is_past() { travel.moment() } else { heard() });
        Self {
            id,
            spec: StoredValue::new(spec),
            live,
            view: travel.shown(),
            travel,
            clock,
            now,
            log,
            folds: Folds::default(),
            fork: ForkDraft::default(),
            deleted: RwSignal::new(false),
            question: RwSignal::new(String::new()),
            tab,
            set_tab,
            node,
            set_node,
            visit,
            set_visit,
        }
    }

    /// The same, with what is loaded of the run so far in the place of its outline.
    pub fn so_far(self) -> Self {
        Self { view: self.view.so_far(self.log), ..self }
    }

    /// Whether all of what is shown is here, and not its outline alone.
    pub fn is_whole(&self) -> bool {
        if self.travel.is_past() { self.travel.is_whole() } else { self.live.is_whole.get() }
    }

    /// The view that is shown.
    pub fn tab(&self) -> Tab {
        self.tab.get().unwrap_or_default()
    }

    /// The same, outside of what reacts.
    pub fn tab_untracked(&self) -> Tab {
        self.tab.get_untracked().unwrap_or_default()
    }

    /// Shows a view.
    pub fn show(&self, tab: Tab) {
        self.set_tab.set(Some(tab).filter(|tab| *tab != Tab::default()));
    }

    /// The selected node.
    pub fn selected(&self) -> Option<NodeId> {
        self.node.get()
    }

    /// Whether this node is selected.
    pub fn is_selected(&self, node: &NodeId) -> bool {
        self.node.with(|selected| selected.as_ref() == Some(node))
    }

    /// The same, outside of what reacts.
    pub fn is_selected_untracked(&self, node: &NodeId) -> bool {
        self.node.with_untracked(|selected| selected.as_ref() == Some(node))
    }

    /// Selects a node with its last visit, or nothing.
    pub fn select(&self, node: Option<NodeId>) {
        if self.visit.get_untracked().is_some() {
            self.set_visit.set(None);
        }
        if self.node.get_untracked() != node {
            self.set_node.set(node);
        }
    }

    /// The visit that was chosen; `None` is the last.
    pub fn visit(&self) -> Option<u32> {
        self.visit.get()
    }

    /// Chooses a visit of the selected node.
    pub fn choose_visit(&self, visit: u32) {
        self.set_visit.set(Some(visit));
    }

    /// Selects the next node of the plan, or the one before.
    pub fn step(&self, by: isize) {
        let selected = self.node.get_untracked();
        let next = self.view.with_untracked(|view| {
            let at = selected.as_ref().and_then(|selected| view.nodes.place(selected));
            let next = match at {
                Some(at) => at.saturating_add_signed(by).min(view.nodes.len().saturating_sub(1)),
                None => 0,
            };
            view.nodes.get(next).map(|node| node.plan.id.clone())
        });
        if next.is_some() {
            self.select(next);
        }
    }

    /// A node, which tells when it changes and not when another does.
    pub fn node(&self, index: usize) -> Memo<Option<Arc<NodeView>>> {
        let view = self.view;
        Memo::new(move |_| view.with(|view| view.nodes.get(index).cloned()))
    }

    /// What a call in flight brings at this moment, which tells when there is more. What was written
    /// at a moment of the past is not kept.
    pub fn stream(&self, call: &CallId) -> Option<Stream> {
        if self.travel.is_past() { None } else { self.live.streams.of(call) }
    }

    /// Tokens that models are writing at this moment, estimated.
    pub fn tokens_in_flight(&self) -> u64 {
        if self.travel.is_past() { 0 } else { self.live.streams.tokens() }
    }

    /// A model call, which tells when it changes.
    pub fn call(&self, id: CallId) -> Memo<Option<Arc<CallView>>> {
        let view = self.view;
        Memo::new(move |_| view.with(|view| view.call(&id).cloned()))
    }
}

/// The model call in flight of each node; of several, the newest.
pub fn calls_in_flight(view: &RunView) -> BTreeMap<NodeId, CallId> {
    let mut newest = BTreeMap::<NodeId, &CallView>::new();
    for call in view.summary.open_calls.iter().filter_map(|call| view.call(call)) {
        let Some(node) = &call.node else { continue };
        let known = newest.entry(node.clone()).or_insert(call);
        if known.started_at <= call.started_at {
            *known = call;
        }
    }
    newest.into_iter().map(|(node, call)| (node, call.id.clone())).collect()
}

/// The visit that a call belongs to.
pub fn visit_of(call: &CallId) -> Option<u32> {
    call.visit()
}
