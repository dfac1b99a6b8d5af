//! How a page asks the server, and what it makes of answers that are none.

use std::time::Duration;

use futures::{FutureExt, Sink, Stream, pin_mut, select, stream};
use gloo_net::http::{Method, Request};
use js_sys::Uint8Array;
use leptos::{
    __reexports::send_wrapper::SendWrapper,
    server_fn::{
        Bytes,
        client::{Client, browser::BrowserClient},
        redirect::REDIRECT_HEADER,
        request::ClientReq,
        response::ClientRes,
    },
    wasm_bindgen::JsValue,
};
use protocol::{Problem, SERVER_TIME};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::ApiError;
use crate::{
    base::at,
    browser::{self, Aborts, steady_ms},
};

/// How long an answer is waited for. Nothing that a page asks for takes the server as long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The client of all server functions.
pub struct Caller;

impl Client<ApiError> for Caller {
    type Request = Call;
    type Response = Answer;

    fn send(call: Call) -> impl Future<Output = Result<Answer, ApiError>> + Send {
        let Call { path, content_type, body } = call;
        SendWrapper::new(async move {
            post(&path, &content_type, Uint8Array::from(&*body).into(), PATIENCE).await
        })
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

/// Sends a body to an address of this server. Whoever does not wait for the answer any more, or has waited for
/// `patience`, takes the request back as far as it is not answered yet.
///
/// The headers of an answer are asked for by name: to read them all as Leptos does brings the code that knows every
/// header of HTTP into the program that all pages load.
pub async fn post(
    path: &str,
    content_type: &str,
    body: JsValue,
    patience: Duration,
) -> Result<Answer, ApiError> {
    let aborts = Aborts::new();
    let request = Request::post(&at(path)).header("content-type", content_type).header("accept", JSON);
    let request = request.abort_signal(aborts.signal().as_ref());
    let request = request.body(body).map_err(|_| unreachable())?;
    within(patience, async {
        let asked = steady_ms();
        let response = request.send().await.map_err(|_| unreachable())?;
        let headers = response.headers();
        let time = headers.get(SERVER_TIME);
        if let Some(time) = &time {
            browser::heard(time, asked, steady_ms());
        }
        let text = response.text().await.map_err(|_| broken_off())?;
        own(response.status(), time.is_some(), &text)?;
        Ok(Answer {
            status: response.status(),
            location: headers.get("location").unwrap_or_else(|| response.url()),
            has_redirect: headers.get(REDIRECT_HEADER).is_some(),
            text,
        })
    })
    .await
}

/// What all answers are.
const JSON: &str = "application/json";

/// Gives a question up after a time, so that it can be asked again.
async fn within<T>(
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
fn own(status: u16, is_marked: bool, body: &str) -> Result<(), ApiError> {
    let is_document = || match status {
        400.. => serde_json::from_str::<Problem>(body).is_ok(),
        _ => serde_json::from_str::<IgnoredAny>(body).is_ok(),
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
fn unreachable() -> ApiError {
    unreached("The server cannot be reached. Nothing was lost; try again in a moment.".into())
}

/// An answer that ended before its end.
fn broken_off() -> ApiError {
    unreached("The server's answer broke off. What you typed is kept; try again in a moment.".into())
}

fn unreached(detail: String) -> ApiError {
    ApiError(Problem { status: 0, detail })
}

/// A call of a server function: all of them are sent as the body of a `POST` request.
pub struct Call {
    path: String,
    content_type: String,
    body: Bytes,
}

impl ClientReq<ApiError> for Call {
    /// Forms are not sent to server functions.
    type FormData = ();

    fn try_new_req_query(_: &str, _: &str, _: &str, _: &str, _: Method) -> Result<Self, ApiError> {
        Err(not_sent())
    }

    fn try_new_req_text(
        path: &str,
        content_type: &str,
        accepts: &str,
        body: String,
        method: Method,
    ) -> Result<Self, ApiError> {
        Self::try_new_req_bytes(path, content_type, accepts, body.into(), method)
    }

    fn try_new_req_bytes(
        path: &str,
        content_type: &str,
        _accepts: &str,
        body: Bytes,
        method: Method,
    ) -> Result<Self, ApiError> {
        if method != Method::POST {
            return Err(not_sent());
        }
        Ok(Self { path: path.to_owned(), content_type: content_type.to_owned(), body })
    }

    fn try_new_req_form_data(_: &str, _: &str, _: &str, (): (), _: Method) -> Result<Self, ApiError> {
        Err(not_sent())
    }

    fn try_new_req_multipart(_: &str, _: &str, (): (), _: Method) -> Result<Self, ApiError> {
        Err(not_sent())
    }

    fn try_new_req_streaming(
        _: &str,
        _: &str,
        _: &str,
        _: impl Stream<Item = Bytes> + Send + 'static,
        _: Method,
    ) -> Result<Self, ApiError> {
        Err(not_sent())
    }
}

/// A server function that is declared otherwise than all others.
fn not_sent() -> ApiError {
    ApiError(Problem::internal("This page cannot ask the server in this way."))
}

/// An answer of the server, whole.
pub struct Answer {
    status: u16,
    location: String,
    has_redirect: bool,
    text: String,
}

impl Answer {
    /// Reads it as the document that was asked for, or as the reason why there is none.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let unreadable =
            || Problem { status: self.status, detail: "The server's answer cannot be read.".into() };
        match self.status {
            200..300 => serde_json::from_str(&self.text).map_err(|_| ApiError(unreadable())),
            _ => Err(ApiError(serde_json::from_str(&self.text).unwrap_or_else(|_| unreadable()))),
        }
    }
}

impl ClientRes<ApiError> for Answer {
    async fn try_into_string(self) -> Result<String, ApiError> {
        Ok(self.text)
    }

    async fn try_into_bytes(self) -> Result<Bytes, ApiError> {
        Ok(self.text.into())
    }

    fn try_into_stream(
        self,
    ) -> Result<impl Stream<Item = Result<Bytes, Bytes>> + Send + Sync + 'static, ApiError> {
        Ok(stream::iter([Ok(self.text.into())]))
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
