//! What there is to be started, to choose from.

use leptos::{ev, html, prelude::*};
use protocol::{KindSpec, ListedRun, WorkflowKind};

use super::{draft::Draft, request::Offer};
use crate::{
    browser::{self, lowercase},
    components::{
        icon::{Icon, IconName},
        import::{ImportButton, Importer},
    },
    format,
};

/// Kinds above all others that were started lately, at most.
const RECENT: usize = 3;
/// As many kinds are in sight at a glance; what was started lately is repeated above more.
const AT_A_GLANCE: usize = 6;

/// A kind, as it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    spec: KindSpec,
    words: String,
}

impl Entry {
    fn new(offer: &Offer) -> Self {
        let spec = offer.startable.spec.clone();
        Self {
            words: lowercase(&format!("{} {} {} {}", spec.label, spec.family, spec.kind, spec.hint)),
            spec,
        }
    }

    fn is_wanted(&self, words: &str) -> bool {
        lowercase(words).split_whitespace().all(|word| self.words.contains(word))
    }
}

/// The kinds by family. Words narrow the list; arrow keys choose in it while the focus stays in the words.
#[component]
pub fn KindPicker(
    /// The form's values.
    draft: Draft,
    /// Recent runs, newest first.
    recent: Signal<Vec<ListedRun>>,
    /// Takes in what is not started but was exported.
    importer: Importer,
) -> impl IntoView {
    let entries =
        StoredValue::new(draft.offers.with_value(|offers| offers.iter().map(Entry::new).collect::<Vec<_>>()));
    let words = RwSignal::new(String::new());
    let wanted = Memo::new(move |_| {
        words.with(|words| entries.with_value(|entries| kinds(entries, |entry| entry.is_wanted(words))))
    });
    let choose = move |kind: WorkflowKind| {
        browser::show_id(&row_id(&kind));
        draft.kind.set(Some(kind));
    };
    let pressed = move |event: ev::KeyboardEvent| {
        let kind = draft.kind.get_untracked();
        let next = wanted.with_untracked(|wanted| match event.key().as_str() {
            "ArrowDown" => step(wanted, kind.as_ref(), true),
            "ArrowUp" => step(wanted, kind.as_ref(), false),
            // Ctrl and Enter starts what is chosen.
            "Enter" if !event.ctrl_key() && !event.meta_key() => {
                kind.filter(|kind| wanted.contains(kind)).or_else(|| wanted.first().cloned())
            }
            _ => None,
        });
        if let Some(next) = next {
            event.prevent_default();
            choose(next);
        } else if event.key() == "Enter" {
            event.prevent_default();
        }
    };
    let find = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        // Where there is a keyboard, and nobody was quicker.
        if let Some(find) = find.get()
            && browser::matches_media("(pointer: fine)")
            && browser::is_focus_free()
        {
            browser::focus(&find);
        }
    });
    let groups = entries.with_value(|entries| by_family(entries));
    let groups = groups.into_iter().map(|(family, specs)| {
        let own: Vec<_> = specs.iter().map(|spec| spec.kind.clone()).collect();
        let is_empty = move || wanted.with(|wanted| !own.iter().any(|kind| wanted.contains(kind)));
        let heading = format!("family-{family}");
        let named = heading.clone();
        let count = specs.len();
        let rows = specs.into_iter().map(|spec| view! { <KindRow spec draft wanted /> }).collect_view();
        view! {
            <div role="group" class="kind-group" aria-labelledby=named hidden=is_empty>
                <p class="kind-family" id=heading>
                    {format::field(&family)} " " <span class="dim">{count}</span>
                </p>
                {rows}
            </div>
        }
    });
    view! {
        <div class="start-picker">
            <label class="find">
                <Icon name=IconName::Search />
                <input
                    class="input"
                    type="search"
                    aria-label="Find a kind of run"
                    placeholder="Find a kind of run"
                    autocomplete="off"
                    data-passing=""
                    node_ref=find
                    prop:value=words
                    on:input=move |event| words.set(event_target_value(&event))
                    on:keydown=pressed
                />
            </label>
            <Recent recent entries choose=Callback::new(choose) />
            <fieldset class="kind-list">
                <legend class="visually-hidden">"Type"</legend>
                {groups.collect_view()}
            </fieldset>
            <p class="quiet" role="status">
                {move || wanted.with(Vec::is_empty).then_some("No kind is called that, or does that.")}
            </p>
            <ImportButton
                importer
                look="drop-file"
                label="File of a run or a document"
                accept=".jsonl,.json,application/x-ndjson,application/json"
                title="Take in a run or a document that was exported"
            >
                <strong>"Drop a file"</strong>
                " an exported run or document"
            </ImportButton>
        </div>
    }
}

#[component]
fn KindRow(spec: KindSpec, draft: Draft, wanted: Memo<Vec<WorkflowKind>>) -> impl IntoView {
    let KindSpec { kind, label, hint, icon, .. } = spec;
    let (own, chosen, given) = (kind.clone(), kind.clone(), kind.clone());
    let row = row_id(&kind);
    let hint_id = format!("{row}-hint");
    let described = hint_id.clone();
    view! {
        <label class="kind-row" id=row hidden=move || wanted.with(|wanted| !wanted.contains(&own))>
            <input
                type="radio"
                name="type"
                aria-label=label.clone()
                aria-describedby=described
                checked=draft.kind.with_untracked(|kind| kind.as_ref() == Some(&given))
                prop:checked=move || draft.kind.with(|now| now.as_ref() == Some(&kind))
                on:change=move |_| draft.kind.set(Some(chosen.clone()))
            />
            <Icon name=IconName::of_role(&icon) />
            <span class="kind-words">
                <span class="kind-name">{label}</span> " " <span class="dim" id=hint_id>{hint}</span>
            </span>
        </label>
    }
}

/// What was started lately, where that is quicker than to look for it.
#[component]
fn Recent(
    recent: Signal<Vec<ListedRun>>,
    entries: StoredValue<Vec<Entry>>,
    choose: Callback<WorkflowKind>,
) -> impl IntoView {
    let specs = Memo::new(move |_| {
        let lately = recent.with(|runs| recent_kinds(runs));
        entries.with_value(|entries| {
            let spec = |kind| entries.iter().find(|entry| entry.spec.kind == kind).map(|it| it.spec.clone());
            let many = entries.len() > AT_A_GLANCE;
            lately.into_iter().filter(|_| many).filter_map(spec).take(RECENT).collect::<Vec<_>>()
        })
    });
    move || {
        let specs = specs.get();
        (!specs.is_empty()).then(|| {
            let chips = specs.into_iter().map(|KindSpec { kind, label, icon, .. }| {
                view! {
                    <button type="button" class="button" on:click=move |_| choose.run(kind.clone())>
                        <Icon name=IconName::of_role(&icon) />
                        {label}
                    </button>
                }
            });
            view! {
                <div class="recent-kinds" role="group" aria-label="Started lately">
                    <span class="dim">"Recent"</span>
                    {chips.collect_view()}
                </div>
            }
        })
    }
}

fn row_id(kind: &WorkflowKind) -> String {
    format!("kind-{kind}")
}

fn kinds(entries: &[Entry], is_wanted: impl Fn(&Entry) -> bool) -> Vec<WorkflowKind> {
    // In the order in which they stand in the list.
    let in_order = by_family(entries).into_iter().flat_map(|(_, specs)| specs).map(|spec| spec.kind);
    let is_wanted =
        |kind: &WorkflowKind| entries.iter().any(|entry| entry.spec.kind == *kind && is_wanted(entry));
    in_order.filter(is_wanted).collect()
}

/// The families in the order of their first kinds.
fn by_family(entries: &[Entry]) -> Vec<(String, Vec<KindSpec>)> {
    let mut families: Vec<(String, Vec<KindSpec>)> = Vec::new();
    for Entry { spec, .. } in entries {
        match families.iter_mut().find(|(family, _)| *family == spec.family) {
            Some((_, specs)) => specs.push(spec.clone()),
            None => families.push((spec.family.clone(), vec![spec.clone()])),
        }
    }
    families
}

/// The kinds of what was started here, the latest first.
fn recent_kinds(runs: &[ListedRun]) -> Vec<WorkflowKind> {
    let mut kinds: Vec<WorkflowKind> = Vec::new();
    for run in runs.iter().filter(|run| run.imported_from.is_none()) {
        if !kinds.contains(run.kind()) {
            kinds.push(run.kind().clone());
        }
    }
    kinds
}

/// The kind after the one that is chosen, or before it; the first where none of these is.
fn step(kinds: &[WorkflowKind], chosen: Option<&WorkflowKind>, on: bool) -> Option<WorkflowKind> {
    let count = kinds.len();
    let at = chosen.and_then(|chosen| kinds.iter().position(|kind| kind == chosen));
    let next = match (at, on) {
        (None, true) => 0,
        (None, false) => count.checked_sub(1)?,
        (Some(at), true) => (at + 1) % count,
        (Some(at), false) => (at + count - 1) % count,
    };
    kinds.get(next).cloned()
}

#[cfg(test)]
mod tests {
    use protocol::FlowSpec;

    use super::*;

    fn entry(kind: &str, family: &str, hint: &str) -> Entry {
        let spec = KindSpec {
            only_below: false,
            kind: kind.parse().unwrap(),
            family: family.into(),
            label: kind.into(),
            hint: hint.into(),
            icon: String::new(),
            subject: None,
            day: None,
            phases: Vec::new(),
            flow: FlowSpec { new: String::new(), joined: String::new(), reads: None },
        };
        let words = lowercase(&format!("{kind} {family} {kind} {hint}"));
        Entry { spec, words }
    }

    fn entries() -> [Entry; 3] {
        [
            entry("essay", "writing", "Writes about a Topic."),
            entry("scan", "markets", "Looks around."),
            entry("review", "writing", "Reads essays."),
        ]
    }

    fn words(kinds: Vec<WorkflowKind>) -> Vec<String> {
        kinds.into_iter().map(String::from).collect()
    }

    #[test]
    fn a_kind_is_found_by_its_name_its_family_and_what_it_does() {
        let found = |typed: &str| words(kinds(&entries(), |entry| entry.is_wanted(typed)));
        assert_eq!(found(""), ["essay", "review", "scan"], "families stand together");
        assert_eq!(found("TOPIC"), ["essay"]);
        assert_eq!(found("writing essay"), ["essay", "review"]);
        assert!(found("opera").is_empty());
    }

    #[test]
    fn arrow_keys_go_around_what_is_in_sight() {
        let all = kinds(&entries(), |_| true);
        let from = |chosen: &str, on| step(&all, chosen.parse().ok().as_ref(), on).map(String::from);
        assert_eq!(from("essay", true).as_deref(), Some("review"));
        assert_eq!(from("scan", true).as_deref(), Some("essay"));
        assert_eq!(from("essay", false).as_deref(), Some("scan"));
        assert_eq!(from("hidden", true).as_deref(), Some("essay"));
        assert_eq!(step(&[], None, false), None);
    }
}
