//! The same start as a request of the REST interface, to be copied.

use leptos::prelude::*;
use protocol::StartRun;

use super::request::Faults;
use crate::{
    base::at,
    components::{
        copy::CopyButton,
        dialog::Modal,
        icon::{Icon, IconName},
    },
};

/// A button, and the dialog with the request.
#[component]
pub fn AsRequest(
    /// What would be started, or what is wrong with it.
    request: Memo<Result<StartRun, Faults>>,
    /// Called where something is wrong.
    refused: Callback<()>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let show = move |_| match request.with_untracked(Result::is_ok) {
        true => open.set(true),
        false => refused.run(()),
    };
    let text = move || {
        let origin = window().location().origin().unwrap_or_default();
        let address = format!("{origin}{}", at("/api/v1/runs"));
        request.with(|request| request.as_ref().ok().map(|request| command(&address, request)))
    };
    view! {
        <button type="button" class="quiet-button" on:click=show>
            <Icon name=IconName::Code />
            "As a request"
        </button>
        <Modal open id="as-request" title="The same start as a request".to_owned()>
            <p>
                "Programs start this run so. Where people sign in, the variable "
                <code>"PITWALL_TOKEN"</code>
                " holds a token of your account page."
            </p>
            <pre class="request-text" tabindex="0" aria-label="Request">{text}</pre>
            <div class="dialog-acts">
                <CopyButton text=move |()| text().unwrap_or_default() />
                <button type="button" class="button" on:click=move |_| open.set(false)>"Close"</button>
            </div>
        </Modal>
    }
}

/// The command for a shell. In its quotes nothing has a meaning but the quote itself.
fn command(address: &str, request: &StartRun) -> String {
    let body = serde_json::to_string_pretty(request).unwrap_or_default().replace('\'', r"'\''");
    format!(
        "curl -s '{address}' \\\n  -H \"authorization: Bearer $PITWALL_TOKEN\" \\\n  \
         -H 'content-type: application/json' \\\n  -d '{body}'"
    )
}

#[cfg(test)]
mod tests {
    use protocol::Workflow;

    use super::*;

    #[test]
    fn a_quote_in_an_answer_does_not_end_the_body_of_the_request() {
        let workflow = Workflow::bare("essay".parse().unwrap()).with("topic", "it's rain".into()).unwrap();
        let command = command("http://127.0.0.1:3000/api/v1/runs", &StartRun::new(workflow));
        assert!(command.contains(r#""topic": "it'\''s rain""#), "{command}");
        assert!(command.starts_with("curl -s 'http://127.0.0.1:3000/api/v1/runs' \\\n"), "{command}");
    }
}
