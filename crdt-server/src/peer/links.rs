use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crdt_causal::cut::Slot;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Which servers this one is linked with: one link for each, though both may dial.
///
/// Of two links that are made at once both sides keep the same one, that which the server
/// with the smaller slot has dialled. A later link of the same side replaces an earlier one, which the other
/// side has given up before this one knows.
#[derive(Debug, Default)]
pub(crate) struct Links {
    state: Mutex<BTreeMap<Slot, Registered>>,
    ended: Notify,
    frames: AtomicU64,
}

#[derive(Debug)]
struct Registered {
    dialled_by: Slot,
    replaced: CancellationToken,
}

impl Links {
    /// Makes a link the one with `remote`. Returns what is cancelled when another one
    /// takes its place; `None` if there is one that stays.
    pub(super) fn register(
        &self,
        remote: Slot,
        own: Slot,
        dialled_by: Slot,
    ) -> Option<CancellationToken> {
        let mut links = self.state();
        if let Some(present) = links.get(&remote)
            && present.dialled_by != dialled_by
            && present.dialled_by == own.min(remote)
        {
            return None;
        }
        let replaced = CancellationToken::new();
        let registered = Registered { dialled_by, replaced: replaced.clone() };
        if let Some(former) = links.insert(remote, registered) {
            former.replaced.cancel();
        }
        Some(replaced)
    }

    /// The link has ended; returns whether it was still the one with `remote`.
    pub(super) fn unregister(&self, remote: Slot, replaced: &CancellationToken) -> bool {
        let was_present = !replaced.is_cancelled() && self.state().remove(&remote).is_some();
        self.ended.notify_waiters();
        was_present
    }

    pub(super) fn is_linked(&self, remote: Slot) -> bool {
        self.state().contains_key(&remote)
    }

    /// A frame was received on a link, other than a heartbeat.
    pub(super) fn count_frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// How many frames were received on links, without heartbeats.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Resolves when a link ends.
    pub(super) async fn an_end(&self) {
        self.ended.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<Slot, Registered>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Slot = Slot(1);
    const HIGH: Slot = Slot(2);

    /// Both sides, whichever link comes first at each.
    #[test]
    fn both_sides_keep_the_same_of_two_links() {
        for order_at_low in [[LOW, HIGH], [HIGH, LOW]] {
            for order_at_high in [[LOW, HIGH], [HIGH, LOW]] {
                let kept = |own, remote, order: [Slot; 2]| {
                    let links = Links::default();
                    let made = order.map(|by| (by, links.register(remote, own, by)));
                    let alive = made.iter().filter(|(_, token)| {
                        token.as_ref().is_some_and(|token| !token.is_cancelled())
                    });
                    alive.map(|(by, _)| *by).collect::<Vec<_>>()
                };
                assert_eq!(kept(LOW, HIGH, order_at_low), [LOW]);
                assert_eq!(kept(HIGH, LOW, order_at_high), [LOW]);
            }
        }
    }

    #[test]
    fn a_link_of_the_same_side_replaces_the_one_before() {
        let links = Links::default();
        let first = links.register(HIGH, LOW, LOW).expect("the first");
        let second = links.register(HIGH, LOW, LOW).expect("a reconnect");
        assert!(first.is_cancelled() && !second.is_cancelled());
        assert!(!links.unregister(HIGH, &first) && links.is_linked(HIGH));
        assert!(links.unregister(HIGH, &second) && !links.is_linked(HIGH));
    }
}
