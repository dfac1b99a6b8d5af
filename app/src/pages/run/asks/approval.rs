//! What is about to happen, and whether it may.

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::{ApprovalForm, Edits, GivenAnswer, NodeId, Text};

use super::Reply;
use crate::{
    browser::drafts::drafts_of,
    components::{
        draft::{draft_of, once_drafts_are_known},
        icon::{Icon, IconName},
        long_text::{LongText, Reading},
        whole_text::whole_text,
    },
    families,
    pages::run::{screen::Screen, state_editor::StateEditor, whole::Whole},
};

/// What a person does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Edit,
    SendBack,
    Reroute,
    Reject,
}

impl Act {
    const ALL: [Self; 4] = [Self::Edit, Self::SendBack, Self::Reroute, Self::Reject];

    /// The name of its form among the drafts of a question.
    fn form(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::SendBack => "send-back",
            Self::Reroute => "reroute",
            Self::Reject => "reject",
        }
    }
}

/// The subject, the state, and the acts.
#[component]
pub fn ApprovalAsk(
    screen: Screen,
    node: Option<NodeId>,
    form: ApprovalForm,
    /// How the names of its drafts begin.
    draft: String,
    reply: Reply,
) -> impl IntoView {
    let opened = RwSignal::new(None::<Act>);
    let draft = StoredValue::new(draft);
    let draft_name = move |act: Act| draft.with_value(|draft| format!("{draft}{}", act.form()));
    open_what_was_begun(opened, draft_name);
    let ApprovalForm { visit, subject, digest, back, routes } = form;
    let digest = StoredValue::new(digest);
    let approve = move |edits: Edits| {
        reply.dispatch(GivenAnswer::Approved { digest: digest.get_value(), edits });
    };
    let toggle = move |act: Act, icon: IconName, label: &'static str| {
        view! {
            <button
                type="button"
                class=if act == Act::Reject { "button danger" } else { "button" }
                aria-expanded=move || (opened.get() == Some(act)).to_string()
                on:click=move |_| opened.update(|opened| *opened = if *opened == Some(act) { None } else { Some(act) })
            >
                <Icon name=icon />
                {label}
            </button>
        }
    };
    let (can_go_back, can_reroute) = (!back.is_empty(), !routes.is_empty());
    let (back, routes) = (StoredValue::new(back), StoredValue::new(routes));
    // Each stays once it is made, so that what was typed in it outlives the look at another.
    let panel = move |act: Act| {
        let is_made = Memo::new(move |made: Option<&bool>| {
            made.copied().unwrap_or_default() || opened.get() == Some(act)
        });
        let form = move || {
            is_made.get().then(|| match act {
                Act::Edit => {
                    view! { <EditForm screen reply approve=Callback::new(approve) draft=draft_name(act) /> }.into_any()
                }
                Act::SendBack => {
                    view! { <WayForm screen reply nodes=back.get_value() comment=true draft=draft_name(act) /> }.into_any()
                }
                Act::Reroute => {
                    view! { <WayForm screen reply nodes=routes.get_value() comment=false draft=draft_name(act) /> }.into_any()
                }
                Act::Reject => view! { <RejectForm reply draft=draft_name(act) /> }.into_any(),
            })
        };
        view! { <div class="ask-panel" hidden=move || opened.get() != Some(act)>{form}</div> }
    };
    view! {
        {(visit > 1).then(|| view! { <p class="dim">{format!("This is its visit {visit}.")}</p> })}
        {subject.map(|subject| view! { <Subject screen subject /> })}
        <StateShown screen />
        <div class="ask-acts">
            <button type="button" class="button primary" disabled=reply.pending() on:click=move |_| approve(Edits::new())>
                <Icon name=IconName::Check />
                {move || if reply.pending().get() { "Sending …" } else { "Approve" }}
            </button>
            {toggle(Act::Edit, IconName::Document, "Edit the state …")}
            {can_go_back.then(|| toggle(Act::SendBack, IconName::StepBack, "Send back …"))}
            {can_reroute.then(|| toggle(Act::Reroute, IconName::Route, "Another route …"))}
            {toggle(Act::Reject, IconName::Cross, "Reject …")}
            <span class="dim ask-digest" title="An answer is good for exactly this. If it changes, it is asked again.">
                {node.map(|node| format!("{node} · "))}
                <span class="mono">{digest.with_value(|digest| digest.to_string().chars().take(12).collect::<String>())}</span>
            </span>
        </div>
        {Act::ALL.map(panel).collect_view()}
    }
}

/// Opens the form in which a person had begun to write before the page was loaded anew.
fn open_what_was_begun(opened: RwSignal<Option<Act>>, draft_name: impl Fn(Act) -> String + Copy + 'static) {
    Effect::new(move |_| {
        once_drafts_are_known(move || {
            let is_begun = |act: &Act| !drafts_of(&draft_name(*act)).is_empty();
            // The question may be gone by now, and what its drafts are called with it.
            if opened.try_get_untracked() == Some(None) {
                let begun = Act::ALL.into_iter().find(is_begun);
                if begun.is_some() {
                    opened.try_set(begun);
                }
            }
        });
    });
}

/// What exactly is to be done: as the run's family shows it, or else as JSON.
#[component]
fn Subject(screen: Screen, subject: Text) -> impl IntoView {
    let whole = whole_text(screen.id, subject.clone());
    let kind = screen.live.view.with_untracked(|view| view.summary.request.workflow.kind().clone());
    let views = screen.spec.with_value(|spec| families::views(spec.as_ref().map_or("", |spec| &spec.family)));
    move || match whole.get() {
        None => view! { <p class="dim">"Loading what is to be done …"</p> }.into_any(),
        Some(json) => views.get().and_then(|views| (views.approval)(&kind, &json)).unwrap_or_else(|| {
            view! { <LongText run=screen.id text=subject.clone() reading=Reading::Verbatim /> }.into_any()
        }),
    }
}

/// The state that the node will get, key by key.
#[component]
fn StateShown(screen: Screen) -> impl IntoView {
    let keys =
        Memo::new(move |_| screen.live.view.with(|view| view.state.keys().cloned().collect::<Vec<_>>()));
    let opened = RwSignal::new(false);
    let entries = move |key: &str| {
        screen.live.view.with_untracked(|view| view.state.get(key).cloned().unwrap_or_default())
    };
    let row = move |key: String| {
        let texts = entries(&key).into_iter().map(|entry| {
            view! { <LongText run=screen.id text=entry.value.clone() reading=Reading::Verbatim /> }
        });
        view! {
            <h3 class="mono">{key}</h3>
            {texts.collect_view()}
        }
    };
    view! {
        <details class="ask-state" on:toggle=move |_| opened.update(|opened| *opened = !*opened)>
            <summary>"The state that it gets"</summary>
            <Show when=move || opened.get()>
                <Whole screen>{move || keys.get().into_iter().map(row).collect_view()}</Whole>
            </Show>
        </details>
    }
}

#[component]
fn EditForm(screen: Screen, reply: Reply, approve: Callback<Edits>, draft: String) -> impl IntoView {
    let edits = RwSignal::new(Ok(Edits::new()));
    let form = draft_of({
        let draft = draft.clone();
        move || draft.clone()
    });
    let is_ready = move || {
        edits.with(|edits: &Result<Edits, String>| edits.as_ref().is_ok_and(|edits| !edits.is_empty()))
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Ok(edits) = edits.get_untracked() {
            approve.run(edits);
        }
    };
    view! {
        <form class="ask-form ask-panel" on:submit=submit node_ref=form>
            <Whole screen>
                <StateEditor screen edits draft=draft.clone() />
            </Whole>
            <div class="ask-acts">
                <button type="submit" class="button primary" disabled=move || !is_ready() || reply.pending().get()>
                    "Change the state and go on"
                </button>
            </div>
        </form>
    }
}

/// To one of some nodes: back, with a comment, or on.
#[component]
fn WayForm(screen: Screen, reply: Reply, nodes: Vec<NodeId>, comment: bool, draft: String) -> impl IntoView {
    let to = RwSignal::new(nodes.first().cloned());
    let said = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(to) = to.get_untracked() else { return };
        reply.dispatch(match comment {
            true => GivenAnswer::SentBack { to, comment: said.get_untracked().trim().to_owned() },
            false => GivenAnswer::Rerouted { to },
        });
    };
    let options = nodes.into_iter().map(|node| {
        let label =
            screen.live.view.with_untracked(|view| view.node(&node).map(|node| node.plan.label.clone()));
        view! { <option value=node.to_string()>{label.unwrap_or_else(|| node.to_string())}</option> }
    });
    view! {
        <form class="ask-form ask-panel" on:submit=submit node_ref=draft_of(move || draft.clone())>
            <label class="ask-label">
                {if comment { "Back to" } else { "On to" }}
                <select class="input" name="to" on:change=move |event| to.set(event_target_value(&event).parse().ok())>{options.collect_view()}</select>
            </label>
            {comment.then(|| view! {
                <label class="ask-label">
                    "What it shall do differently"
                    <textarea class="input" name="comment" rows="2" required=true prop:value=said on:input=move |event| said.set(event_target_value(&event))></textarea>
                </label>
            })}
            <div class="ask-acts">
                <button type="submit" class="button primary" disabled=reply.pending()>
                    {if comment { "Send back" } else { "Take this route" }}
                </button>
            </div>
        </form>
    }
}

#[component]
pub fn RejectForm(reply: Reply, draft: String) -> impl IntoView {
    let reason = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let reason = Some(reason.get_untracked().trim().to_owned()).filter(|reason| !reason.is_empty());
        reply.dispatch(GivenAnswer::Rejected { reason });
    };
    view! {
        <form class="ask-form ask-panel" on:submit=submit node_ref=draft_of(move || draft.clone())>
            <label class="ask-label">
                "Reason, for the log (optional)"
                <input class="input" name="reason" type="text" maxlength="300" autocomplete="off" prop:value=reason on:input=move |event| reason.set(event_target_value(&event)) />
            </label>
            <p class="dim">"The run ends here. What it found so far is kept, and it can be continued from any finished node."</p>
            <div class="ask-acts">
                <button type="submit" class="button danger" disabled=reply.pending()>"Reject and end the run"</button>
            </div>
        </form>
    }
}
