//! When to stop.

use std::io;

use tracing::info;

/// Resolves when the process is asked to end: by Ctrl-C, or by SIGTERM on Unix.
///
/// # Errors
///
/// If the signals cannot be listened for.
pub async fn requested() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => info!(signal = "SIGTERM", "shutting down"),
            _ = interrupt.recv() => info!(signal = "SIGINT", "shutting down"),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await?;
        info!(signal = "Ctrl-C", "shutting down");
    }
    Ok(())
}
