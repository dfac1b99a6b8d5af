//! A server that is asked over the network.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{StreamExt, future, stream::BoxStream};
use http::{HeaderName, HeaderValue};
use reqwest::Client;
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::{
            SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
            StreamableHttpPostResponse, StreamableHttpResponseLimits,
        },
    },
};
use sse_stream::Sse;

use super::{endpoint::NetworkEndpoint, error::McpError, limits::Limits, meter::Meter};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an event besides its data.
const EVENT: usize = 64;

type Headers = HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;
type Answered<T> = Result<T, StreamableHttpError<reqwest::Error>>;

/// What messages travel through.
///
/// # Errors
/// The client cannot be made.
pub(super) fn connect(
    endpoint: &NetworkEndpoint,
    limits: &Limits,
    meter: &Arc<Meter>,
) -> Result<StreamableHttpClientTransport<MeteredClient>, McpError> {
    // Refused where somebody was faster: then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .connect_timeout(CONNECT)
        // The key is shown to nobody else.
        .redirect(reqwest::redirect::Policy::none());
    // A proxy cannot reach this machine's own addresses.
    let client = if endpoint.is_loopback { client.no_proxy() } else { client };
    let client = client.build().map_err(|error| McpError::NoClient(error.to_string()))?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(endpoint.url.as_str())
        .max_sse_event_size(limits.message_bytes)
        .max_json_response_size(limits.message_bytes);
    if let Some(key) = &endpoint.key {
        config = config.auth_header(key.reveal());
    }
    let client = MeteredClient { client, meter: meter.clone() };
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// A client whose streams end when too much comes.
#[derive(Clone)]
pub(super) struct MeteredClient {
    client: Client,
    meter: Arc<Meter>,
}

impl MeteredClient {
    fn metered(&self, events: Events) -> Events {
        let meter = self.meter.clone();
        let is_bounded = move |event: &Result<Sse, SseError>| {
            let data = event.as_ref().ok().and_then(|event| event.data.as_ref()).map_or(0, String::len);
            future::ready(meter.count(data.saturating_add(EVENT)))
        };
        events.take_while(is_bounded).boxed()
    }
}

impl StreamableHttpClient for MeteredClient {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        key: Option<String>,
        headers: Headers,
    ) -> Answered<StreamableHttpPostResponse> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session, key, headers, limits).await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        key: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Answered<StreamableHttpPostResponse> {
        let answered =
            self.client.post_message_with_response_limits(uri, message, session, key, headers, limits);
        let answered = answered.await;
        if let Err(StreamableHttpError::ResponseBodyTooLarge { .. }) = &answered {
            self.meter.message_too_long();
        }
        Ok(match answered? {
            StreamableHttpPostResponse::Sse(events, session) => {
                StreamableHttpPostResponse::Sse(self.metered(events), session)
            }
            whole => whole,
        })
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        key: Option<String>,
        headers: Headers,
    ) -> Answered<()> {
        self.client.delete_session(uri, session, key, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        key: Option<String>,
        headers: Headers,
    ) -> Answered<Events> {
        let bytes = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(uri, session, last_event, key, headers, bytes).await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        key: Option<String>,
        headers: Headers,
        bytes: usize,
    ) -> Answered<Events> {
        let opened =
            self.client.get_stream_with_max_sse_event_size(uri, session, last_event, key, headers, bytes);
        Ok(self.metered(opened.await?))
    }
}
