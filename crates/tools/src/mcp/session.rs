//! One connection to a server, from its start to its end.

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, Peer, RoleClient, ServiceExt,
    model::{
        ClientCapabilities, ClientConfig, ClientRequest, ClientResult, ErrorCode, Implementation,
        ListToolsRequest, PaginatedRequestParams, ServerNotification, ServerRequest, ServerResult,
    },
    service::{NotificationContext, PeerRequestOptions, RequestContext, Service},
    transport::IntoTransport,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    endpoint::Endpoint,
    error::McpError,
    listing::{Listing, ListingInProgress},
    meter::Meter,
    network,
    program::Program,
    server::Supervised,
};

/// Pages of a list of tools.
const MOST_PAGES: usize = 32;
/// Between two looks at the tools: a server may say as often as it likes that they have changed.
const RELIST_PAUSE: Duration = Duration::from_secs(1);

/// Connects, and stays so until Pitwall ends.
///
/// # Errors
/// The connection does not come about or ends.
pub(super) async fn serve(server: &Arc<Supervised>, ended: &CancellationToken) -> Result<(), McpError> {
    let meter = Arc::new(Meter::new(*server.limits()));
    let served = match server.endpoint() {
        Endpoint::Program(endpoint) => {
            let (program, pipes) = Program::start(endpoint, server, &meter)?;
            let served = run_connection(server, pipes, &meter, ended).await;
            match (served, program.close().await) {
                (Err(McpError::Closed), Some(status)) if status.code().is_some() => {
                    Err(McpError::Ended(status))
                }
                // Closing it sends signals, so one says nothing of how it ended.
                (served, _) => served,
            }
        }
        Endpoint::Network(endpoint) => {
            let transport = network::connect(endpoint, server.limits(), &meter)?;
            run_connection(server, transport, &meter, ended).await
        }
    };
    // Who sends too much is cut off: that is the reason, whatever else came of it.
    served.map_err(|error| meter.why().unwrap_or(error))
}

async fn run_connection<T, E, A>(
    server: &Supervised,
    transport: T,
    meter: &Meter,
    ended: &CancellationToken,
) -> Result<(), McpError>
where
    T: IntoTransport<RoleClient, E, A>,
    E: Error + Send + Sync + 'static,
{
    let changed = Arc::new(Notify::new());
    let limit = server.limits().start;
    let connecting = async {
        let client = Client { changed: changed.clone() };
        let running = client.serve(transport).await.map_err(|error| McpError::of_start(&error))?;
        let listing = list(server, running.peer()).await?;
        Ok((running, listing))
    };
    let connected = tokio::select! {
        biased;
        () = ended.cancelled() => return Ok(()),
        () = meter.exceeded() => return Err(McpError::Closed),
        connected = tokio::time::timeout(limit, connecting) => connected,
    };
    let (running, listing) = connected.map_err(|_| McpError::Silent(limit))??;
    let peer = running.peer().clone();
    server.is_ready(peer.clone(), listing);
    tracing::info!(server = %server.name(), "a tool server is ready");
    let looking = async {
        loop {
            tokio::select! {
                () = changed.notified() => {}
                () = server.check_requested() => {}
                () = tokio::time::sleep(server.limits().check) => {}
            }
            let listing = tokio::time::timeout(limit, list(server, &peer)).await;
            match listing.map_err(|_| McpError::Silent(limit)).flatten() {
                Ok(listing) => server.is_ready(peer.clone(), listing),
                Err(error) => return error,
            }
            tokio::time::sleep(RELIST_PAUSE).await;
        }
    };
    let gone = pin!(running.waiting());
    tokio::select! {
        biased;
        () = ended.cancelled() => Ok(()),
        () = meter.exceeded() => Err(McpError::Closed),
        _ = gone => Err(McpError::Closed),
        error = looking => Err(error),
    }
}

/// All tools of a server. It is asked each time: what it told before may be kept nowhere.
async fn list(server: &Supervised, peer: &Peer<RoleClient>) -> Result<Listing, McpError> {
    let limits = server.limits();
    let mut listing = ListingInProgress::new(server.name(), limits, server.redactor());
    let mut cursor = None;
    for _ in 0..MOST_PAGES {
        let request = ClientRequest::ListToolsRequest(ListToolsRequest {
            method: Default::default(),
            params: Some(PaginatedRequestParams::default().with_cursor(cursor)),
            extensions: Default::default(),
        });
        let asked = peer.send_request_with_option(request, PeerRequestOptions::with_timeout(limits.start));
        let answered = async { asked.await?.await_response().await }.await;
        let page = match answered.map_err(|error| McpError::of_question(&error, limits))? {
            ServerResult::ListToolsResult(page) => page,
            _ => return Err(McpError::Garbage("its list of tools has not the form of one".to_owned())),
        };
        page.tools.into_iter().for_each(|tool| listing.add(tool));
        cursor = page.next_cursor;
        if cursor.is_none() || listing.is_full() {
            break;
        }
    }
    Ok(listing.end(cursor.is_some()))
}

/// Pitwall's side of the protocol: it calls tools, and does nothing else that a server may ask for.
struct Client {
    changed: Arc<Notify>,
}

impl Service<RoleClient> for Client {
    async fn handle_request(
        &self,
        request: ServerRequest,
        _: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        match request {
            ServerRequest::PingRequest(_) => Ok(ClientResult::empty(())),
            _ => Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                "Pitwall calls tools and does nothing else.",
                None,
            )),
        }
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        _: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        if let ServerNotification::ToolListChangedNotification(_) = notification {
            self.changed.notify_one();
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("pitwall", env!("CARGO_PKG_VERSION")),
        )
    }
}
