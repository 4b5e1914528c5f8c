use crdt_causal::cut::Slot;
use crdt_causal::sync::{Refusal, Session};
use crdt_core::{DotRange, VersionVector};
use tokio::sync::mpsc;

use crate::peer::Watch;

/// A room's way back to the link that a peer's channel belongs to.
#[derive(Clone, Debug)]
pub(crate) struct PeerSide {
    /// The server on the other side.
    pub(crate) slot: Slot,
    pub(crate) channel: u32,
    /// As long as there are watches, and a few for each channel.
    pub(crate) news: mpsc::UnboundedSender<News>,
}

/// What a room tells the link of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) channel: u32,
    pub(crate) what: What,
}

/// See [`News`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// What was watched for with these positions is durable there.
    Done(Vec<u64>),
    /// Everything that the document had is durable there.
    WholeDone,
    /// Each side has what the other has, and everything was said.
    Quiet,
    /// The channel has ended. The two documents can never be kept in step, if they are forked.
    Ended { forked: bool },
}

/// What the session with another server is watched for. Its end, wherever it comes to it, is the last
/// news of its channel.
#[derive(Debug)]
pub(crate) struct PeerMember {
    side: PeerSide,
    whole: Option<VersionVector>,
    ranges: Vec<(u64, DotRange)>,
    is_up_to_date: bool,
    forked: bool,
}

impl PeerMember {
    pub(crate) const fn new(side: PeerSide) -> Self {
        Self { side, whole: None, ranges: Vec::new(), is_up_to_date: false, forked: false }
    }

    pub(super) const fn slot(&self) -> Slot {
        self.side.slot
    }

    /// Whether nothing is watched for.
    pub(super) const fn is_idle(&self) -> bool {
        self.whole.is_none() && self.ranges.is_empty()
    }

    /// Watches for more; `version` is what the document has.
    pub(super) fn watch(&mut self, watch: Watch, version: &VersionVector) {
        if watch.whole {
            self.whole = Some(version.clone());
        }
        self.ranges.extend(watch.ranges);
    }

    /// Tells what has become durable on the other side. O(what is watched), and O(replicas)
    /// while a whole document is.
    pub(super) fn report(&mut self, session: &Session) {
        let Some(known) = session.acknowledged() else { return };
        if self.whole.as_ref().is_some_and(|whole| known.dominates(whole)) {
            self.whole = None;
            self.tell(What::WholeDone);
        }
        let mut done = Vec::new();
        self.ranges.retain(|(position, range)| {
            let waits = known.get(range.replica) < range.last;
            if !waits {
                done.push(*position);
            }
            waits
        });
        if !done.is_empty() {
            self.tell(What::Done(done));
        }
        if self.is_up_to_date && session.poll_timeout().is_none() {
            self.is_up_to_date = false;
            self.tell(What::Quiet);
        }
    }

    /// The session says that both sides have what the other has.
    pub(super) const fn up_to_date(&mut self) {
        self.is_up_to_date = true;
    }

    /// The session ends, or will, for this reason.
    pub(super) const fn refused(&mut self, refusal: Refusal) {
        self.forked = is_for_ever(refusal);
    }

    fn tell(&self, what: What) {
        // A link that is gone needs no news.
        let _ = self.side.news.send(News { channel: self.side.channel, what });
    }
}

/// However the channel ends.
impl Drop for PeerMember {
    fn drop(&mut self) {
        self.tell(What::Ended { forked: self.forked });
    }
}

/// Whether the same two documents will always be refused.
const fn is_for_ever(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::UnrelatedGenesis
            | Refusal::Equivocation { .. }
            | Refusal::InvalidChanges
            | Refusal::BodyTooLarge { .. }
            | Refusal::MessageTooLarge { .. }
            | Refusal::Trimmed
    )
}
