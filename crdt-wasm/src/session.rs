//! The session with the server: messages in, messages and deadlines out.

use alloc::vec::Vec;

use crdt_causal::sync::{Config, Event, Refusal, Session};
use crdt_core::{ReplicaId, VersionVector};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::DocumentHandle;
use crate::convert::version_to_js;
use crate::error::Thrown;
use crate::given::version_from_js;
use crate::storage::missing;

/// What the server holds, and the session with it while there is a connection.
#[derive(Debug, Default)]
pub(crate) struct Server {
    session: Option<Session>,
    /// What the server is known to hold durably, also from earlier sessions.
    pub(crate) acknowledged: VersionVector,
    /// What it ever was known to hold. A server that trims its history does not say any more what it
    /// holds of writers that it has forgotten.
    held: VersionVector,
    /// Whether each side has had all of the other in this session.
    is_up_to_date: bool,
    /// What the session has told and nobody was told yet.
    received: u32,
    refusal: Option<Refusal>,
    /// What the session token, as it came from servers, covers of this document.
    pub(crate) attested: VersionVector,
}

/// What [`DocumentHandle::receive`] tells by its bits; `replication.js` has the same.
const RECEIVED_CHANGES: u32 = 1;
const RECEIVED_PRESENCE: u32 = 2;

#[wasm_bindgen]
impl DocumentHandle {
    /// Begins a session over a new connection. `nonce` is drawn at random.
    pub fn connect(&mut self, nonce: u64, now: f64) {
        let mut config = Config::new();
        if self.server.held.dominates(self.document.version()) {
            // The server had all of this, and makes it out by its heads alone, however many have written it.
            config = config.with_base(self.document.frontier());
        }
        self.server.session = Some(Session::new(config, nonce, now as u64));
        self.tell_session_what_is_stored();
    }

    /// The connection has ended.
    pub fn disconnect(&mut self) {
        self.server.session = None;
        self.server.is_up_to_date = false;
        self.server.refusal = None;
    }

    /// Takes in a message of the server. The result tells what it brought: 1 for changes and 2
    /// for presence, added up. After an error the session is over; what `transmit` then gives
    /// tells the server why.
    pub fn receive(&mut self, message: &[u8], now: f64) -> Result<u32, Thrown> {
        let Some(session) = &mut self.server.session else { return Ok(0) };
        let handled = session.handle(message, &mut self.document, now as u64);
        self.hear(now);
        let Some(session) = &self.server.session else { return Ok(0) };
        if let Some(acknowledged) = session.acknowledged() {
            self.server.acknowledged.clone_from(acknowledged);
            self.server.held.join(acknowledged);
        }
        self.claim_what_is_to_be_sent();
        let received = core::mem::take(&mut self.server.received);
        let error: Thrown = match (handled, self.server.refusal.take()) {
            (Ok(()), None) => return Ok(received),
            (Ok(()), Some(refusal)) => refusal.into(),
            (Err(error), _) => error.into(),
        };
        self.server.acknowledged.clone_from(&self.server.held);
        Err(error)
    }

    /// The next message to the server. To be called until there is none: after each message
    /// that came, after changes were stored, and when the timeout has passed.
    pub fn transmit(&mut self, now: f64) -> Option<Vec<u8>> {
        let session = self.server.session.as_mut()?;
        let message = session.poll_transmit(&self.document, now as u64);
        self.hear(now);
        message
    }

    /// Whether each side has had all of the other since they are connected.
    #[wasm_bindgen(js_name = isUpToDate)]
    pub fn is_up_to_date(&self) -> bool {
        self.server.is_up_to_date
    }

    /// When to call `transmit` again, if nothing happens before.
    pub fn timeout(&self) -> Option<f64> {
        self.server.session.as_ref()?.poll_timeout().map(|at| at as f64)
    }

    /// Whether the server owes an answer: to the greeting, or to changes that were sent.
    #[wasm_bindgen(js_name = awaitsAnswer)]
    pub fn awaits_answer(&self) -> bool {
        self.server.session.as_ref().is_some_and(|session| {
            session.unacknowledged(&self.storage.stored).is_none_or(|events| events > 0)
        })
    }

    /// How many changes the server is not known to hold.
    pub fn waiting(&self) -> f64 {
        missing(self.document.version(), &self.server.acknowledged)
    }

    /// What the server ever was known to hold, to be kept for the next time.
    pub fn acknowledged(&self) -> Vec<u8> {
        version_to_js(&self.server.held)
    }

    /// What the server was known to hold when the document was last open.
    #[wasm_bindgen(js_name = setAcknowledged)]
    pub fn set_acknowledged(&mut self, version: &[u8]) -> Result<(), Thrown> {
        self.server.held = version_from_js(version)?;
        self.server.acknowledged.clone_from(&self.server.held);
        Ok(())
    }

    /// Whether the server is known to hold all changes up to a version.
    #[wasm_bindgen(js_name = isAcknowledged)]
    pub fn is_acknowledged(&self, version: &[u8]) -> Result<bool, Thrown> {
        Ok(self.server.acknowledged.dominates(&version_from_js(version)?))
    }

    /// Sends a presence update along, if there is a session.
    #[wasm_bindgen(js_name = presenceSend)]
    pub fn presence_send(&mut self, update: &[u8]) {
        if let Some(session) = &mut self.server.session {
            // One that is too long for the server is not shown by the others.
            let _ = session.send_presence(update);
        }
    }
}

impl DocumentHandle {
    /// Takes what the session has to tell.
    fn hear(&mut self, now: f64) {
        let server = &mut self.server;
        while let Some(event) = server.session.as_mut().and_then(Session::poll_event) {
            match event {
                Event::Changed { .. } => server.received |= RECEIVED_CHANGES,
                Event::Presence(update) => {
                    // What cannot be read is nobody's presence.
                    let news = self.presence.apply(&update, now as u64);
                    server.received |=
                        u32::from(news.is_ok_and(|news| !news.is_empty())) * RECEIVED_PRESENCE;
                }
                Event::Refused(reason) => server.refusal = Some(reason),
                Event::UpToDate => server.is_up_to_date = true,
                _ => {}
            }
        }
    }

    /// Only what is stored may leave.
    pub(crate) fn tell_session_what_is_stored(&mut self) {
        if let Some(session) = &mut self.server.session {
            session.set_durable(&self.storage.stored);
        }
        self.claim_what_is_to_be_sent();
    }

    /// A server takes a replica's changes from those only who say that they write for it. That
    /// is this tab, and tabs of this profile that were closed before they could send: whoever
    /// made the changes that are stored here and not there.
    fn claim_what_is_to_be_sent(&mut self) {
        let Some(session) = &mut self.server.session else { return };
        let Some(acknowledged) = session.acknowledged() else { return };
        let unsent = self.storage.stored.missing_from(acknowledged);
        let writers: Vec<ReplicaId> = unsent.map(|range| range.replica).collect();
        for writer in writers {
            session.claim_writer(writer);
        }
    }
}
