use std::collections::BTreeMap;
use std::sync::Arc;

use crdt_causal::cut::{Epoch, Slot};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::link::PeerLink;
use super::progress::Progress;
use super::socket::{Inbound, Incoming};
use crate::frame::{Frame, FrameBody};
use crate::outbound::Outbound;
use crate::peer_message::{Greeting, PROTOCOL, PeerMessage};
use crate::realm::{Mismatch, Place};
use crate::server::Shared;
use crate::trimming::Trimming;

/// Which side of the link this server is.
pub(super) enum Side {
    /// It dialled: it greets first, and compares collections.
    Dialled {
        /// Where clients reach the other one, if it does not say otherwise.
        url: String,
        was_met: bool,
    },
    /// The other one dialled, and has greeted.
    Accepted(Greeting),
}

/// How a link has ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was up, and is not any more.
    Worked(&'static str),
    /// There is another link with that server.
    Redundant { remote: Slot },
    /// One of the two does not want it.
    Refused(String),
    /// It was not up yet.
    Broken(&'static str),
}

/// Serves a link that another server has dialled.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    greeting: &[u8],
    inbound: impl Inbound,
    outbound: Arc<Outbound>,
) {
    let ended = match PeerMessage::decode(greeting) {
        Ok(PeerMessage::Greeting(greeting)) => {
            run(shared, Side::Accepted(greeting), inbound, Arc::clone(&outbound)).await
        }
        _ => Ended::Broken("no greeting"),
    };
    match &ended {
        Ended::Refused(reason) => warn!(reason, "the link was refused"),
        ended => debug!(?ended, "the link has ended"),
    }
    close(&outbound, &ended);
}

/// Says why it ends.
pub(super) fn close(outbound: &Outbound, ended: &Ended) {
    use axum::extract::ws::{CloseFrame, close_code};
    let reason = match ended {
        Ended::Worked(reason) | Ended::Broken(reason) => reason,
        Ended::Redundant { .. } => "there is another link",
        Ended::Refused(_) => "refused",
    };
    outbound.end(CloseFrame { code: close_code::NORMAL, reason: (*reason).into() });
}

mod refusal {
    pub(super) const REDUNDANT: u32 = 1;
    pub(super) const MISMATCH: u32 = 2;
}

/// Greets, and serves the link until it ends.
pub(super) async fn run(
    shared: Arc<Shared>,
    side: Side,
    mut inbound: impl Inbound,
    outbound: Arc<Outbound>,
) -> Ended {
    let own = shared.realm.place().clone();
    let head = shared.store.head();
    let forgotten = match shared.store.realm() {
        Ok(state) => state.forgotten,
        Err(error) => {
            warn!(%error, "the store cannot be read");
            return Ended::Broken("the store cannot be read");
        }
    };
    let greeting = PeerMessage::Greeting(Greeting {
        protocol: PROTOCOL,
        realm: own.realm,
        epoch: own.epoch,
        slot: own.slot,
        log_id: shared.realm.log_id(),
        applied: shared.realm.applied(),
        logs: shared.realm.logs(),
        forgotten,
        horizon_ms: shared.realm.horizon_ms(),
        authority: shared.config.strong.authority(),
        url: shared.config.public_url.clone().unwrap_or_default(),
    });
    let (theirs, dialled) = match &side {
        Side::Accepted(theirs) => (theirs.clone(), false),
        Side::Dialled { .. } => {
            say(&outbound, &greeting);
            let limit = shared.config.limits.handshake_timeout;
            let greeted = tokio::select! {
                greeted = timeout(limit, first_message(&mut inbound)) => greeted,
                () = shared.stopping.cancelled() => return Ended::Broken("shutting down"),
            };
            match greeted {
                Ok(Ok(theirs)) => (theirs, true),
                Ok(Err(ended)) => return ended,
                Err(_) => return Ended::Broken("no greeting in time"),
            }
        }
    };
    let remote = theirs.slot;
    if let Err(reason) = meet(&shared, &theirs) {
        let text = reason.clone();
        say(&outbound, &PeerMessage::Refusal { code: refusal::MISMATCH, text });
        return Ended::Refused(reason);
    }
    if matches!(side, Side::Dialled { was_met: false, .. }) {
        shared.realm.met();
    }
    let dialled_by = if dialled { own.slot } else { remote };
    let Some(replaced) = shared.links.register(remote, own.slot, dialled_by) else {
        let text = remote.0.to_string();
        say(&outbound, &PeerMessage::Refusal { code: refusal::REDUNDANT, text });
        return Ended::Redundant { remote };
    };
    if !dialled {
        say(&outbound, &greeting);
    }
    let url = match side {
        _ if !theirs.url.is_empty() => Some(theirs.url.as_str().into()),
        Side::Dialled { url, .. } => Some(url.into()),
        Side::Accepted(_) => None,
    };
    shared.realm.set_linked(remote, true, url);
    info!(%remote, dialled, "linked");
    let held_there = theirs.applied.get(own.slot);
    let mut progress = Progress::new(remote, held_there);
    // Both sides come to the same: if the log of either is too short, the collections are compared.
    let compares = held_there < forgotten || shared.realm.applied().get(remote) < theirs.forgotten;
    if compares {
        progress.compare(head);
    }
    let (news, news_of_rooms) = mpsc::unbounded_channel();
    let inbound_bytes_max =
        shared.config.limits.inbound_bytes_max.max(shared.config.limits.message_bytes_max);
    let mut link = PeerLink {
        remote,
        dialled,
        next_channel: u32::from(!dialled),
        progress,
        comparison: None,
        channels: BTreeMap::new(),
        documents: BTreeMap::new(),
        later: Vec::new(),
        news,
        news_of_rooms,
        inbound: Arc::new(Semaphore::new(inbound_bytes_max)),
        inbound_bytes_max,
        announce_at: None,
        statements: shared.realm.trimming().map(Trimming::statements),
        stated: BTreeMap::new(),
        outbound,
        shared: Arc::clone(&shared),
    };
    let ended = tokio::select! {
        reason = link.serve(&mut inbound, compares && dialled) => Ended::Worked(reason),
        () = replaced.cancelled() => Ended::Redundant { remote },
    };
    link.leave().await;
    if shared.links.unregister(remote, &replaced) {
        shared.realm.set_linked(remote, false, None);
    }
    info!(%remote, ?ended, "unlinked");
    ended
}

pub(super) fn say(outbound: &Outbound, message: &PeerMessage) {
    let message = message.to_bytes();
    outbound.send(&Frame { channel: 0, body: FrameBody::Peer(&message) });
}

/// The other side's greeting, or why there is none.
async fn first_message(inbound: &mut impl Inbound) -> Result<Greeting, Ended> {
    loop {
        let bytes = match inbound.next().await {
            Incoming::Frame(bytes) => bytes,
            Incoming::Alive => continue,
            Incoming::End => return Err(Ended::Broken("it ended before a greeting")),
        };
        let Ok(Frame { body: FrameBody::Peer(message), .. }) = Frame::decode(&bytes) else {
            return Err(Ended::Broken("no greeting"));
        };
        return match PeerMessage::decode(message) {
            Ok(PeerMessage::Greeting(greeting)) => Ok(greeting),
            Ok(PeerMessage::Refusal { code: refusal::REDUNDANT, text }) => {
                let remote = text.parse().map(Slot);
                // It tells our own slot: the link that it has is with us.
                remote
                    .map_err(|_| Ended::Broken("a malformed refusal"))
                    .and(Err(Ended::Broken("the other server keeps a link that it dialled")))
            }
            Ok(PeerMessage::Refusal { text, .. }) => {
                Err(Ended::Refused(format!("the other server refuses: {text}")))
            }
            _ => Err(Ended::Broken("no greeting")),
        };
    }
}

/// Whether the two servers may work together; if not, why, and what to do about it.
fn meet(shared: &Shared, theirs: &Greeting) -> Result<(), String> {
    if theirs.protocol != PROTOCOL {
        return Err(format!("protocol version {} is not spoken here", theirs.protocol));
    }
    let place = Place { realm: theirs.realm, epoch: theirs.epoch, slot: theirs.slot };
    let Place { realm, epoch, slot } = shared.realm.place();
    let Greeting { log_id, applied, logs, horizon_ms, .. } = theirs;
    // One that knows of no authority refuses what is strong, and does no harm.
    if let (Some(ours), Some(theirs)) = (shared.config.strong.authority(), theirs.authority)
        && ours != theirs
    {
        return Err(format!(
            "its authority for strong operations is {theirs}, and here it is {ours}: start both \
             with the same --strong-authority"
        ));
    }
    let met = shared.realm.meet(&place, *log_id, applied, logs, *horizon_ms);
    met.map_err(|mismatch| match mismatch {
        Mismatch::Realm => format!("{} is not {realm}", theirs.realm),
        Mismatch::Epoch { theirs: Epoch(theirs) } => {
            format!("membership epoch {theirs} is not {}: restart both with the same", epoch.0)
        }
        Mismatch::SameSlot => {
            format!(
                "slot {} is taken (this server has {}): give it one of its own",
                theirs.slot, slot
            )
        }
        Mismatch::Retired => {
            format!("slot {} has retired: give it one that was not used", theirs.slot)
        }
        Mismatch::Horizon { theirs_ms } => format!(
            "it keeps history for {}, and this server for {}: start both with the same \
             --horizon-days",
            days(theirs_ms),
            days(shared.realm.horizon_ms())
        ),
        Mismatch::OtherLog => "a slot was used with another store before: give the new store a \
             slot that was not used"
            .to_owned(),
        Mismatch::TheyWentBack { known } => format!(
            "the store of {} has lost positions up to {known}: give it a slot that was not used",
            theirs.slot
        ),
        Mismatch::WeWentBack { known } => format!(
            "the store of {slot} has lost positions up to {known}: give it a slot that was not used"
        ),
    })
}

fn days(horizon_ms: u64) -> String {
    const DAY_MS: u64 = 24 * 3_600_000;
    match horizon_ms {
        0 => "ever".to_owned(),
        ms if ms.is_multiple_of(DAY_MS) => format!("{} days", ms / DAY_MS),
        ms => format!("{ms} ms"),
    }
}
