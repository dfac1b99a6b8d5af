//! All accounts, for administrators.

use leptos::{ev::SubmitEvent, html, prelude::*};
use protocol::{AccountId, AccountSummary, Problem, Role};

use super::{Act, Office};
use crate::{
    api::{ApiError, access},
    components::{
        dialog::Modal,
        notice::Refusal,
        table::{Cell, DataTable},
    },
    format,
};

/// The accounts, and the form that adds one.
#[component]
pub fn Accounts(accounts: Vec<AccountSummary>, own: Option<AccountId>, office: Office) -> impl IntoView {
    let (leaving, open) = (RwSignal::new(None::<AccountId>), RwSignal::new(false));
    let row = move |account: AccountSummary| {
        let AccountSummary { id, role, created_at, .. } = account;
        let is_own = own.as_ref() == Some(&id);
        let name = id.to_string();
        let of = format!(" the account {id}");
        let remove = move |_| {
            leaving.set(Some(id.clone()));
            open.set(true);
        };
        view! {
            <tr role="row">
                <Cell label="Name">{name} {is_own.then_some(" (you)")}</Cell>
                <Cell label="Role">{role.label()}</Cell>
                <Cell label="Made (UTC)">
                    <time datetime=created_at.to_string()>{format::moment(created_at)}</time>
                </Cell>
                <Cell label="">
                    {(!is_own)
                        .then(|| view! {
                            <button type="button" class="quiet-button" on:click=remove>
                                "Remove"
                                <span class="visually-hidden">{of}</span>
                            </button>
                        })}
                </Cell>
            </tr>
        }
    };
    view! {
        <section class="card" aria-labelledby="accounts">
            <h2 id="accounts">"Accounts"</h2>
            <p class="dim">"An account sees its own runs and portfolios alone."</p>
            <DataTable caption="Accounts" columns=vec!["Name", "Role", "Made (UTC)", ""]>
                {accounts.into_iter().map(row).collect_view()}
            </DataTable>
            <NewAccountForm office />
            <RemoveDialog leaving open office />
        </section>
    }
}

/// Asks once more, for removing cannot be taken back.
#[component]
fn RemoveDialog(leaving: RwSignal<Option<AccountId>>, open: RwSignal<bool>, office: Office) -> impl IntoView {
    let remove = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(id) = leaving.get_untracked() {
            office.act.dispatch(Act::RemoveAccount(id));
        }
        open.set(false);
    };
    let title = Signal::derive(move || {
        let name = leaving.get().map(|id| id.to_string()).unwrap_or_default();
        format!("Remove the account {name}?")
    });
    view! {
        <Modal open id="remove-account" title>
            <p>"It is signed out everywhere at once, and its tokens and shared links end. Its runs stay in the log."</p>
            <form class="dialog-form" on:submit=remove>
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| open.set(false)>"Keep it"</button>
                    <button type="submit" class="button danger">"Remove the account"</button>
                </div>
            </form>
        </Modal>
    }
}

#[component]
fn NewAccountForm(office: Office) -> impl IntoView {
    let name = NodeRef::<html::Input>::new();
    let role = NodeRef::<html::Select>::new();
    let password = NodeRef::<html::Input>::new();
    let add = Action::new(move |(name, role, password): &(String, String, String)| {
        let request = name.parse::<AccountId>().map_err(|error| error.to_string());
        let request = request.and_then(|name| Ok((name, role.parse::<Role>()?)));
        let password = password.clone();
        async move {
            let (name, role) = request.map_err(|why| ApiError(Problem::invalid(why)))?;
            access::add_account(name, role, password).await?;
            office.changed.run(());
            Ok::<(), ApiError>(())
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = |field: NodeRef<html::Input>| {
            field.try_get_untracked().flatten().map(|field| field.value()).unwrap_or_default()
        };
        let role = role.try_get_untracked().flatten().map(|field| field.value()).unwrap_or_default();
        add.dispatch((typed(name), role, typed(password)));
    };
    view! {
        <form class="row-form" on:submit=submit>
            <label>
                "Name"
                <input class="input" name="account" node_ref=name required=true maxlength="32" autocomplete="off" autocapitalize="none" spellcheck="false" />
            </label>
            <label>
                "Role"
                <select class="input" name="role" node_ref=role>
                    {[Role::Owner, Role::Viewer, Role::Administrator]
                        .map(|role| view! { <option value=role.to_string()>{role.label()}</option> })
                        .collect_view()}
                </select>
            </label>
            <label>
                "Password"
                <input class="input" type="password" name="first-password" node_ref=password required=true minlength="12" maxlength="256" autocomplete="new-password" />
            </label>
            <button type="submit" class="button" disabled=move || add.pending().get()>"Add an account"</button>
        </form>
        <Refusal act=add />
    }
}
