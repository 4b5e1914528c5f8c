//! The connections of a replay: one for each writer, or a few that groups of writers share.

use crdt_server::client::Client;
use tokio::sync::Mutex;

use crate::failure::{Failure, Outcome};

/// Where writers get their connections.
pub(super) struct Sockets {
    url: String,
    /// The shared ones; empty if each writer has its own.
    shared: Vec<Mutex<Option<Client>>>,
}

impl Sockets {
    /// `shared` sockets for everybody, or one for each writer.
    pub(super) fn new(url: String, shared: Option<usize>) -> Self {
        let shared = (0..shared.unwrap_or(0)).map(|_| Mutex::new(None)).collect();
        Self { url, shared }
    }

    /// A connection for a writer: a new one, or its group's.
    pub(super) async fn client(&self, writer: usize) -> Outcome<Client> {
        let Some(slot) = self.shared.get(writer % self.shared.len().max(1)) else {
            return self.connect().await;
        };
        let mut slot = slot.lock().await;
        match &*slot {
            Some(client) if client.is_connected() => Ok(client.clone()),
            _ => Ok(slot.insert(self.connect().await?).clone()),
        }
    }

    async fn connect(&self) -> Outcome<Client> {
        Client::connect(&self.url)
            .await
            .map_err(|error| Failure::new(format!("the server does not answer: {error}")))
    }
}
