use protocol::{Problem, RunId};
use serde::Serialize;
use serde_json::{Value, json};

/// An error as OpenAI's clients read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status, where nothing was sent yet.
    pub status: u16,
    message: String,
    param: Option<&'static str>,
    code: Option<Code>,
}

/// What programs tell errors apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No team is called so, or it is another's.
    ModelNotFound,
    /// Several teams are called so.
    ModelAmbiguous,
    /// The messages are longer than a run takes.
    ContextLengthExceeded,
    /// The run failed.
    RunFailed,
    /// Somebody stopped the run.
    RunStopped,
    /// The run goes on, and nobody waits for it any more.
    RunGoesOn,
}

impl Error {
    /// A field of the request cannot be taken.
    #[must_use]
    pub fn of_field(param: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into(), param: Some(param), code: None }
    }

    /// No team is called so.
    #[must_use]
    pub fn no_model() -> Self {
        let message = "There is no such model: a model is one of your teams. GET /v1/models lists them.";
        Self { status: 404, code: Some(Code::ModelNotFound), ..Self::of_field("model", message) }
    }

    /// Several teams are called so.
    #[must_use]
    pub fn ambiguous_model() -> Self {
        let message = "Several teams have this title. Name one by its id; GET /v1/models lists them.";
        Self { code: Some(Code::ModelAmbiguous), ..Self::of_field("model", message) }
    }

    /// The messages are longer than a run takes.
    #[must_use]
    pub fn too_long(why: &str) -> Self {
        let message =
            format!("The messages are too long for a team: {why}. Leave older ones out, or shorten them.");
        Self { code: Some(Code::ContextLengthExceeded), ..Self::of_field("messages", message) }
    }

    /// The run came to no answer.
    pub(super) fn of_run(status: u16, code: Code, message: String) -> Self {
        Self { status, message, param: None, code: Some(code) }
    }

    /// Nobody waits for the run any more, and it goes on.
    #[must_use]
    pub fn goes_on(run: RunId, why: &str) -> Self {
        let message = format!("{why} The run goes on: GET /api/v1/runs/{run} has what comes of it.");
        Self::of_run(503, Code::RunGoesOn, message)
    }

    /// Whether the same request again would start a second run beside, or after, the one that this tells of.
    #[must_use]
    pub fn is_of_a_run(&self) -> bool {
        matches!(self.code, Some(Code::RunFailed | Code::RunStopped | Code::RunGoesOn))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Value {
        let Self { status, message, param, code } = self;
        let kind = match status {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            400..500 => "invalid_request_error",
            _ => "server_error",
        };
        json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
    }
}

/// A refusal of Pitwall's own. What cannot be taken as it is has one status there, and another one here.
impl From<Problem> for Error {
    fn from(Problem { status, detail }: Problem) -> Self {
        let status = if status == 422 { 400 } else { status };
        Self { status, message: detail, param: None, code: None }
    }
}
