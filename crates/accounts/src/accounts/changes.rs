//! What another process changes in the file.

use std::{sync::Weak, time::Duration};

use super::Shared;

/// How soon connections learn of what another process has revoked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Accounts are also managed from the command line, so changes by another process are noticed here.
pub(super) async fn watch(shared: Weak<Shared>) {
    let mut connection = None;
    let mut seen: Option<i64> = None;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(shared) = shared.upgrade() else { return };
        if connection.is_none() {
            connection = shared.pool.acquire().await.ok();
        }
        let Some(reader) = &mut connection else { continue };
        // The number changes with each commit of another connection.
        match sqlx::query_scalar("pragma data_version").fetch_one(&mut **reader).await {
            Ok(version) if seen == Some(version) => {}
            Ok(version) => match shared.end_leases().await.and(shared.read_allowances().await) {
                Ok(()) => seen = Some(version),
                Err(error) => tracing::warn!(%error, "what was changed cannot be read"),
            },
            Err(error) => {
                tracing::warn!(%error, "the accounts cannot be watched");
                connection = None;
            }
        }
    }
}
