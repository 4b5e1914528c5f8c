//! What the integration tests share; each of them uses a part.
#![allow(dead_code, unreachable_pub)]

pub mod gated_store;
pub mod http;
pub mod medium;
pub mod proxy;
pub mod running;

use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::{Channel, ChannelOptions, Client};

/// A document and the channel that keeps it in step.
pub struct Writer {
    pub replica: ReplicaId,
    pub document: Document,
    pub channel: Channel,
}

impl Writer {
    /// Opens `name` on `client` as a new replica.
    pub async fn open(client: &Client, name: &str, replica: u128) -> Self {
        let replica = ReplicaId::from_u128(replica);
        let document = Document::new(replica);
        let options = ChannelOptions::new().with_writers([replica]);
        let channel = client.open(name, options).await.expect("the connection is up");
        Self { replica, document, channel }
    }

    /// Types at the start of the text.
    pub fn edit(&mut self, text: &str) {
        edit(&mut self.document, text);
    }

    pub async fn until_acknowledged(&mut self) {
        self.channel.until_acknowledged(&mut self.document).await.expect("the channel is open");
    }

    pub async fn until_holds(&mut self, other: &Document) {
        let version = other.version().clone();
        let held = self.channel.until_holds(&mut self.document, &version);
        held.await.expect("the channel is open");
    }

    /// Everything there is, in a form that is equal for equal sets of events.
    pub fn contents(&self) -> Vec<u8> {
        self.document.encode()
    }
}

/// Types at the start of the text.
pub fn edit(document: &mut Document, text: &str) {
    let edited = document.transact(|tx| tx.text("body").insert(0, text).map(drop));
    edited.expect("the start of the text is in bounds");
}
