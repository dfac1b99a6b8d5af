//! How a page asks the server, and what it makes of answers that are none.

use std::time::Duration;

use futures::{FutureExt, Sink, Stream, pin_mut, select, stream};
use leptos::{
    __reexports::send_wrapper::SendWrapper,
    server_fn::{
        Bytes,
        client::{Client, browser::BrowserClient},
        request::browser::BrowserRequest,
        response::ClientRes,
    },
};
use protocol::{Problem, SERVER_TIME};
use serde::de::IgnoredAny;

use super::ApiError;
use crate::browser::{self, steady_ms};

/// How long an answer is waited for. Nothing that a page asks for takes the server as long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The client of all server functions.
pub struct Caller;

impl Client<ApiError> for Caller {
    type Request = BrowserRequest;
    type Response = Answer;

    fn send(request: BrowserRequest) -> impl Future<Output = Result<Answer, ApiError>> + Send {
        SendWrapper::new(within(PATIENCE, async move {
            let asked = steady_ms();
            let response = <BrowserClient as Client<ApiError>>::send(request).await?;
            let headers = response.generate_headers();
            let time = headers.get(SERVER_TIME).and_then(|time| time.to_str().ok());
            if let Some(time) = time {
                browser::heard(time, asked, steady_ms());
            }
            let status = ClientRes::<ApiError>::status(&response);
            let location = ClientRes::<ApiError>::location(&response);
            let has_redirect = ClientRes::<ApiError>::has_redirect(&response);
            let is_own = time.is_some();
            let bytes: Result<Bytes, ApiError> = response.try_into_bytes().await;
            let bytes = bytes.map_err(|_| broken_off())?;
            own(status, is_own, &bytes)?;
            Ok(Answer { status, location, has_redirect, bytes })
        }))
    }

    async fn open_websocket(
        path: &str,
    ) -> Result<
        (impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static, impl Sink<Bytes> + Send + 'static),
        ApiError,
    > {
        <BrowserClient as Client<ApiError>>::open_websocket(path).await
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<ApiError>>::spawn(future);
    }
}

/// Gives a question up after a time, so that it can be asked again.
pub async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let (answer, time_is_up) = (answer.fuse(), browser::sleep(patience).fuse());
    pin_mut!(answer, time_is_up);
    select! {
        answer = answer => answer,
        () = time_is_up => Err(unreached(format!(
            "The server did not answer within {} seconds. What you typed is kept. It may have done what you \
             asked for all the same: look before you try again.",
            patience.as_secs(),
        ))),
    }
}

/// Whether an answer is the server's. One that does not say so may have lost its mark on the way: then it
/// is a document as the server writes them.
pub fn own(status: u16, is_marked: bool, body: &[u8]) -> Result<(), ApiError> {
    let is_document = || match status {
        400.. => serde_json::from_slice::<Problem>(body).is_ok(),
        _ => serde_json::from_slice::<IgnoredAny>(body).is_ok(),
    };
    if is_marked || is_document() {
        return Ok(());
    }
    Err(unreached(format!(
        "The answer did not come from Pitwall but from something on the way to it (status {status}): a proxy, \
         or a network that wants a sign-in. What you typed is kept; try again in a moment."
    )))
}

/// Nothing came back.
pub fn unreachable() -> ApiError {
    unreached("The server cannot be reached. Nothing was lost; try again in a moment.".into())
}

/// An answer that ended before its end.
pub fn broken_off() -> ApiError {
    unreached("The server's answer broke off. What you typed is kept; try again in a moment.".into())
}

fn unreached(detail: String) -> ApiError {
    ApiError(Problem { status: 0, detail })
}

/// An answer of the server, whole.
pub struct Answer {
    status: u16,
    location: String,
    has_redirect: bool,
    bytes: Bytes,
}

impl ClientRes<ApiError> for Answer {
    async fn try_into_string(self) -> Result<String, ApiError> {
        String::from_utf8(self.bytes.to_vec()).map_err(|_| broken_off())
    }

    async fn try_into_bytes(self) -> Result<Bytes, ApiError> {
        Ok(self.bytes)
    }

    fn try_into_stream(
        self,
    ) -> Result<impl Stream<Item = Result<Bytes, Bytes>> + Send + Sync + 'static, ApiError> {
        Ok(stream::iter([Ok(self.bytes)]))
    }

    fn status(&self) -> u16 {
        self.status
    }

    fn status_text(&self) -> String {
        String::new()
    }

    fn location(&self) -> String {
        self.location.clone()
    }

    fn has_redirect(&self) -> bool {
        self.has_redirect
    }
}
