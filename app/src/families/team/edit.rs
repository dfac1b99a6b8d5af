//! A team as a form: who takes part and which model answers for each, who speaks next, and when it ends. What the form
//! has no field for stays as it is, and is edited as JSON on the document's own page.

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::{
    ModelProfile,
    document::{CheckDocument, DocumentContent, DocumentFinding, DocumentId, DocumentVersion, SaveDocument, Severity},
    team::KIND,
};
use serde_json::{Value, json};

use super::conditions::ends_when;
use crate::{
    api::documents::{self, OpenedDocument},
    base::at,
    components::{
        icon::{Icon, IconName},
        notice::FormError,
        status::Tone,
    },
};

/// Ways to choose who speaks next that need nothing else, by the names that documents have.
const CONDUCTS: [(&str, &str); 4] = [
    ("round_robin", "In turn, one after the other"),
    ("selector", "A model chooses"),
    ("swarm", "Whoever speaks hands over"),
    ("magentic_one", "A model plans and leads"),
];

const PARTICIPANTS: &str = "/team/participants";

/// A team that is being edited.
#[derive(Clone, Copy)]
struct Draft {
    id: DocumentId,
    content: RwSignal<Value>,
    base: RwSignal<DocumentVersion>,
    findings: RwSignal<Vec<DocumentFinding>>,
    problem: RwSignal<Option<String>>,
    is_changed: RwSignal<bool>,
}

impl Draft {
    /// The text or number at a place.
    fn at(self, place: String) -> Memo<String> {
        Memo::new(move |_| {
            self.content.with(|content| match content.pointer(&place) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => String::new(),
            })
        })
    }

    /// Puts a value into the object at a place; `None` takes it out.
    fn put(self, object: &str, name: &str, value: Option<Value>) {
        self.content.update(|content| {
            let Some(Value::Object(fields)) = content.pointer_mut(object) else { return };
            match value {
                Some(value) => {
                    fields.insert(name.to_owned(), value);
                }
                None => {
                    fields.remove(name);
                }
            }
        });
        self.is_changed.set(true);
    }

    fn participants(self, change: impl FnOnce(&mut Vec<Value>)) {
        self.content.update(|content| {
            if let Some(Value::Array(participants)) = content.pointer_mut(PARTICIPANTS) {
                change(participants);
            }
        });
        self.is_changed.set(true);
    }

    fn whole(self) -> Result<DocumentContent, String> {
        let Value::Object(fields) = self.content.get_untracked() else {
            return Err("This is no team. Edit it as JSON.".to_owned());
        };
        DocumentContent::new(fields).map_err(|error| error.to_string())
    }

    async fn check(self) {
        let (Ok(content), Ok(kind)) = (self.whole(), KIND.parse()) else { return };
        // What cannot be asked just now is told when it is saved.
        if let Ok(findings) = documents::check(CheckDocument { kind, content }).await {
            self.findings.try_set(findings);
        }
    }

    async fn save(self) {
        let saved = match self.whole() {
            Ok(content) => {
                let request = SaveDocument { base: self.base.get_untracked(), content };
                documents::save(self.id, request).await.map_err(|error| error.to_string())
            }
            Err(why) => Err(why),
        };
        match saved {
            Ok(saved) => {
                self.base.try_set(saved.summary.version);
                self.findings.try_set(saved.findings);
                self.is_changed.try_set(false);
                self.problem.try_set(None);
            }
            Err(why) => {
                self.problem.try_set(Some(why));
            }
        }
    }
}

/// The team of a document, as a form.
#[component]
pub(super) fn TeamForm(document: OpenedDocument, profiles: Vec<ModelProfile>) -> impl IntoView {
    let OpenedDocument { summary, version, text, findings } = document;
    let draft = Draft {
        id: summary.id,
        content: RwSignal::new(serde_json::from_str(&text).unwrap_or_default()),
        base: RwSignal::new(version),
        findings: RwSignal::new(findings),
        problem: RwSignal::new(None),
        is_changed: RwSignal::new(false),
    };
    let names = profiles.into_iter().filter_map(|profile| {
        let name = profile.name?.to_string();
        let label = format!("{name} · {}", profile.models.join(", "));
        Some((name, label))
    });
    let names = StoredValue::new(names.collect::<Vec<_>>());
    let check = Action::new(move |(): &()| draft.check());
    let save = Action::new(move |(): &()| draft.save());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        save.dispatch(());
    };
    let add = move |_| {
        draft.participants(|participants| {
            let name = format!("agent_{}", participants.len() + 1);
            participants.push(json!({ "name": name, "role": { "kind": "assistant" } }));
        });
    };
    let count = Memo::new(move |_| {
        let participants = |content: &Value| content.pointer(PARTICIPANTS).and_then(Value::as_array).map_or(0, Vec::len);
        draft.content.with(participants)
    });
    let end = move || {
        draft.content.with(|content| {
            let turns = content.pointer("/team/max_turns").and_then(Value::as_u64);
            ends_when(content.pointer("/team/termination"), turns)
        })
    };
    let turns = draft.at("/team/max_turns".to_owned());
    let set_turns = move |event| {
        let turns = event_target_value(&event).trim().parse::<u32>().ok().filter(|turns| *turns > 0);
        draft.put("/team", "max_turns", turns.map(Value::from));
    };
    let state = move || match (save.pending().get(), draft.is_changed.get()) {
        (true, _) => "Saving …".to_owned(),
        (false, true) => format!("Changed since version {}", draft.base.get()),
        (false, false) => format!("Version {}", draft.base.get()),
    };
    view! {
        <form class="card team-form" aria-label="The team" on:submit=submit on:change=move |_| { check.dispatch(()); }>
            <div class="page-acts">
                <span class="dim" role="status">{state}</span>
                <a class="button" href=at(format!("/documents/{}", draft.id))>"JSON and versions"</a>
                <a class="button" href=at(format!("/start?type=team&team={}", draft.id))>"Run"</a>
                <button type="submit" class="button primary" disabled=move || save.pending().get() || !draft.is_changed.get()>
                    "Save a version"
                </button>
            </div>
            <FormError text=draft.problem />
            <Told draft within="" />
            <Field draft object="/team".to_owned() name="name" label="Name" is_long=false />
            <Field draft object="/team".to_owned() name="description" label="What it is for" is_long=false />
            <fieldset>
                <legend>"Who speaks next"</legend>
                <Conduct draft />
                <Told draft within="/team/conduct" />
            </fieldset>
            <fieldset>
                <legend>"Agents"</legend>
                <For each=move || 0..count.get() key=|number| *number let:number>
                    <Agent draft number names count />
                </For>
                <Told draft within=PARTICIPANTS />
                <button type="button" class="button" on:click=add>"Add an agent"</button>
            </fieldset>
            <fieldset>
                <legend>"Ends when"</legend>
                <p>{end}</p>
                <label>
                    "Turns at most"
                    <input class="input" type="number" min="1" prop:value=turns on:change=set_turns />
                </label>
                <Told draft within="/team/termination" />
            </fieldset>
        </form>
    }
}

/// A text of an object.
#[component]
fn Field(draft: Draft, object: String, name: &'static str, label: &'static str, is_long: bool) -> impl IntoView {
    let value = draft.at(format!("{object}/{name}"));
    let write = move |text: String| {
        // A name is demanded also where it is empty; everything else is left out then.
        let value = (name == "name" || !text.is_empty()).then(|| Value::String(text));
        draft.put(&object, name, value);
    };
    let field = if is_long {
        view! { <textarea class="input" rows="3" prop:value=value on:change=move |event| write(event_target_value(&event))></textarea> }
            .into_any()
    } else {
        view! { <input class="input" type="text" prop:value=value on:change=move |event| write(event_target_value(&event)) /> }
            .into_any()
    };
    view! { <label>{label} {field}</label> }
}

/// Who speaks next. What needs more than a name, such as a graph, is shown and edited as JSON.
#[component]
fn Conduct(draft: Draft) -> impl IntoView {
    let kind = draft.at("/team/conduct/kind".to_owned());
    let choose = move |event| draft.put("/team", "conduct", Some(json!({ "kind": event_target_value(&event) })));
    move || {
        let kind = kind.get();
        if CONDUCTS.iter().all(|(name, _)| *name != kind) {
            return view! { <p>{format!("By “{kind}”, which is edited as JSON.")}</p> }.into_any();
        }
        let choices = CONDUCTS.map(|(name, label)| view! { <option value=name selected=name == kind>{label}</option> });
        view! { <select class="input" aria-label="Who speaks next" on:change=choose>{choices.collect_view()}</select> }.into_any()
    }
}

/// One who takes part.
#[component]
fn Agent(draft: Draft, number: usize, names: StoredValue<Vec<(String, String)>>, count: Memo<usize>) -> impl IntoView {
    let place = format!("{PARTICIPANTS}/{number}");
    let role = format!("{place}/role");
    let kind = draft.at(format!("{role}/kind"));
    let name = draft.at(format!("{place}/name"));
    let profile = draft.at(format!("{role}/profile"));
    let is_last = move || number + 1 >= count.get();
    let swap = move |with: usize| draft.participants(|all| {
        if number.max(with) < all.len() {
            all.swap(number, with);
        }
    });
    let remove = move |_| draft.participants(|all| {
        if number < all.len() {
            all.remove(number);
        }
    });
    let own = role.clone();
    let models = move || {
        let (role, chosen) = (own.clone(), profile.get());
        let choose = move |event| {
            let name = event_target_value(&event);
            draft.put(&role, "profile", (!name.is_empty()).then(|| Value::String(name)));
        };
        let is_known = chosen.is_empty() || names.with_value(|names| names.iter().any(|(name, _)| *name == chosen));
        let unknown = (!is_known).then(|| view! { <option value=chosen.clone() selected=true>{format!("{chosen} (not in the settings)")}</option> });
        let choices = names.get_value().into_iter().map(|(name, label)| view! { <option value=name.clone() selected=name == chosen>{label}</option> });
        view! {
            <label>
                "Model"
                <select class="input" on:change=choose>
                    <option value="" selected=chosen.is_empty()>"The run's model"</option>
                    {unknown}
                    {choices.collect_view()}
                </select>
            </label>
        }
    };
    let system = role;
    let rest = move || match kind.get().as_str() {
        "assistant" => view! {
            {models.clone()}
            <Field draft object=system.clone() name="system_message" label="Instructions" is_long=true />
        }
        .into_any(),
        "user_proxy" => view! { <p class="dim">"A person, who is asked"</p> }.into_any(),
        other => view! { <p class="dim">{format!("A “{other}”, which is edited as JSON")}</p> }.into_any(),
    };
    view! {
        <fieldset class="team-agent">
            <legend>{move || name.get()}</legend>
            <Field draft object=place.clone() name="name" label="Name" is_long=false />
            <Field draft object=place.clone() name="description" label="What the others are told of it" is_long=false />
            {rest}
            <Told draft within=place />
            <div class="page-acts">
                <button type="button" class="button" disabled={number == 0} on:click=move |_| swap(number.saturating_sub(1))>"Up"</button>
                <button type="button" class="button" disabled=is_last on:click=move |_| swap(number + 1)>"Down"</button>
                <button type="button" class="button danger" on:click=remove>"Remove"</button>
            </div>
        </fieldset>
    }
}

/// The findings that belong to a part of the form: those at its place, and for a part with parts of its own none of
/// theirs.
#[component]
fn Told(draft: Draft, #[prop(into)] within: String) -> impl IntoView {
    let is_own = move |place: &str| {
        let within = within.as_str();
        let is_of_part = |root: &str| place == root || place.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
        match within {
            "" => !["/team/conduct", PARTICIPANTS, "/team/termination"].into_iter().any(is_of_part),
            PARTICIPANTS => place == PARTICIPANTS,
            within => is_of_part(within),
        }
    };
    move || {
        let own = draft.findings.with(|findings| {
            findings.iter().filter(|finding| is_own(&finding.place)).cloned().collect::<Vec<_>>()
        });
        let rows = own.into_iter().map(|finding| {
            let (icon, tone) = match finding.severity {
                Severity::Error => (IconName::Cross, Tone::Failed),
                Severity::Warning => (IconName::Alert, Tone::Attention),
            };
            view! { <li class=tone.class()><Icon name=icon /><span>{finding.detail}</span></li> }
        });
        let rows: Vec<_> = rows.collect();
        (!rows.is_empty()).then(|| view! { <ul class="team-told" role="status">{rows}</ul> })
    }
}
