//! A team as a form beside its drawing: who takes part and which model answers for each, who speaks next, and when it
//! ends. What the form has no field for stays as it is, and is edited as JSON on the document's own page.

mod agents;
mod assistant;
mod change;
mod conduct;
mod conflict;
mod context;
mod draft;
mod edges;
mod ends;
mod field;
mod handoffs;
mod order;
mod parts;
mod picture;
mod rest;
mod shape;
mod steps;
mod told;
mod who;
mod work;

use leptos::{
    ev::{self, KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
};
use protocol::{ModelProfile, ToolSummary};

use self::{
    agents::Agents,
    conduct::Conduct,
    conflict::Conflict,
    draft::Draft,
    ends::Ends,
    field::{Offered, TextField},
    picture::Picture,
    rest::Rest,
    told::Told,
};
use crate::{
    api::documents::OpenedDocument,
    base::at,
    browser,
    components::{
        icon::{Icon, IconName},
        notice::FormError,
    },
};

/// Every finding in the form.
const FINDINGS: &str = ".team-told > li";

/// The id of the element that a part of the form is, by its place in the document.
fn part_id(place: &str) -> String {
    format!("part{}", place.replace('/', "-"))
}

/// The team of a document, as a form.
#[component]
pub(super) fn TeamForm(document: OpenedDocument, profiles: Vec<ModelProfile>, tools: Vec<ToolSummary>) -> impl IntoView {
    let draft = Draft::new(document);
    let offered = Offered::of(profiles, tools);
    let save = Action::new(move |(): &()| draft.save());
    let is_changed = Memo::new(move |_| draft.is_changed());
    let may_save = move || is_changed.get() && !save.pending().get() && !draft.unreadable.get();
    let try_save = move || {
        if untrack(may_save) {
            save.dispatch(());
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        try_save();
    };
    let editor = NodeRef::<html::Div>::new();
    let by_key = move |event: &KeyboardEvent| {
        if event.key() == "F8" {
            event.prevent_default();
            return browser::focus_next(FINDINGS);
        }
        if !(event.ctrl_key() || event.meta_key()) || event.alt_key() {
            return;
        }
        match (event.key().to_lowercase().as_str(), event.shift_key()) {
            ("z", false) => draft.undo(),
            ("z", true) | ("y", false) => draft.redo(),
            ("s", false) => try_save(),
            _ => return,
        }
        event.prevent_default();
    };
    // Also while nothing has the focus, as after a step back that took away the field that had it.
    Effect::new(move |_| {
        let listener = window_event_listener(ev::keydown, move |event| {
            let Some(editor) = editor.try_get_untracked().flatten() else { return };
            if !event.default_prevented() && browser::is_at_or_nowhere(&event, &editor) {
                by_key(&event);
            }
        });
        on_cleanup(move || listener.remove());
    });
    let state = move || {
        let version = draft.base.with(|base| base.version);
        match (save.pending().get(), is_changed.get(), draft.is_kept.get()) {
            (true, _, _) => "Saving …".to_owned(),
            (false, true, true) => format!("Changed since version {version}, kept in this tab"),
            (false, true, false) => format!("Changed since version {version}, and too long to be kept in this tab: save it"),
            (false, false, _) => format!("Version {version}"),
        }
    };
    let next = move || {
        let words = match draft.findings.with(Vec::len) {
            0 => return None,
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        };
        Some(view! {
            <button type="button" class="button team-next" title="Go to the next finding (F8)" on:click=move |_| browser::focus_next(FINDINGS)>
                <Icon name=IconName::Alert />
                {words}
            </button>
        })
    };
    let document = at(format!("/documents/{}", draft.id));
    let as_json = document.clone();
    view! {
        <Conflict draft />
        {move || draft.unreadable.get().then(|| view! {
            <div class="card team-conflict" role="alert">
                <p>"What you typed as JSON in this tab cannot be read yet, so that it is not shown here. It is kept."</p>
                <div class="page-acts">
                    <a class="button" href=as_json.clone()>"Go on as JSON"</a>
                    <button type="button" class="button danger" on:click=move |_| draft.forget_unreadable()>"Give it up"</button>
                </div>
            </div>
        })}
        <div class="team-edit" node_ref=editor>
            <form class="card team-form" aria-label="The team" on:submit=submit on:change=move |_| draft.end_step()>
                <div class="page-acts">
                    <span class="dim" role="status">{state}</span>
                    {next}
                    <button type="button" class="icon-button" title="Undo (Ctrl Z)" aria-label="Undo" disabled=move || !draft.can_undo() on:click=move |_| draft.undo()>
                        <Icon name=IconName::StepBack />
                    </button>
                    <button type="button" class="icon-button" title="Redo (Ctrl Shift Z)" aria-label="Redo" disabled=move || !draft.can_redo() on:click=move |_| draft.redo()>
                        <Icon name=IconName::StepOn />
                    </button>
                    <a class="button" href=document>"JSON and versions"</a>
                    <a class="button" href=at(format!("/start?type=team&team={}", draft.id))>"Run"</a>
                    <button type="submit" class="button primary" title="Ctrl S" disabled=move || !may_save()>"Save a version"</button>
                </div>
                <FormError text=draft.problem />
                <fieldset class="team-fields" disabled=draft.unreadable>
                    <div id=part_id("/team") tabindex="-1"><Told draft part="/team" /></div>
                    <Whole draft />
                    <TextField draft object="/team" name="name" label="Name" is_demanded=true />
                    <TextField draft object="/team" name="description" label="What it is for" />
                    <Rest draft place="/team" />
                    <Conduct draft team="/team".to_owned() offered />
                    <Agents draft team="/team".to_owned() offered />
                    <Ends draft team="/team".to_owned() />
                </fieldset>
            </form>
            <section class="card team-picture" aria-labelledby="team-picture-heading">
                <h2 id="team-picture-heading">"Who hands to whom"</h2>
                <Picture draft />
            </section>
        </div>
    }
}

/// What is wrong with the document as a whole.
#[component]
fn Whole(draft: Draft) -> impl IntoView {
    let whole = Memo::new(move |_| {
        draft.findings.with(|findings| {
            let whole = findings.iter().filter(|finding| !finding.place.starts_with("/team"));
            whole.map(|finding| finding.detail.clone()).collect::<Vec<_>>()
        })
    });
    move || (!whole.with(Vec::is_empty)).then(|| view! { <FormError text=whole.get().join(" ") /> })
}
