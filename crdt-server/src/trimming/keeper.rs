//! What is done about trimming from time to time, in the order in which it has to be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crdt_causal::cut::Cut;
use crdt_causal::stability::Report;
use tracing::{info, warn};

use super::Trimming;
use crate::server::Shared;

/// Looks after trimming until the server stops, if it trims.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let Some(trimming) = shared.realm.trimming() else { return };
    let mut moves = trimming.clock.moves();
    let mut told = Told::default();
    loop {
        if !trimming.look(&shared, &mut told).await {
            // The store has failed: the server ends, and says so itself.
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
            () = moves.next() => {}
            () = trimming.wake.notified() => {}
        }
    }
}

/// The longest that nobody looks. Leases and strata are much longer.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// How many documents are read from the store at a time.
const PAGE: usize = 256;

/// What the rooms went by, and the other servers were told, last.
#[derive(Default)]
pub(super) struct Told {
    floor_cut: Cut,
    trusted: BTreeSet<crdt_causal::cut::Slot>,
    swept: u64,
    /// When this server has last said where it is.
    pub(super) stated_at: u64,
}

impl Trimming {
    /// One look; `false` if the store has failed.
    async fn look(&self, shared: &Shared, told: &mut Told) -> bool {
        let now = self.clock.now();
        // Somebody that is to be dialled was never heard of: nothing is known of what it lacks.
        if shared.realm.has_unmet() {
            return true;
        }
        let is_due = self.state().is_due(now);
        if is_due {
            // What is known of others was here before the stratum begins.
            let mut applied = shared.realm.applied();
            self.known(&mut applied);
            let Ok(stratum) = shared.store.begin_stratum().await else { return false };
            applied.set(shared.realm.place().slot, stratum);
            self.state().applied(&applied, now);
        }
        let look = self.state().look(now);
        self.elapsed.store(self.state().elapsed_ms(), Ordering::SeqCst);
        if let Some(saved) = look.saved
            && !shared.realm.note_now(Some(saved)).await
        {
            return false;
        }
        self.lags.store(look.lags, Ordering::SeqCst);
        let is_raised = self.floor.swap(look.floor, Ordering::SeqCst) != look.floor;
        // And some times in a horizon they note who is here, whatever happens.
        if is_due || is_raised || look.floor_cut != told.floor_cut || look.trusted != told.trusted {
            // From here on nothing is taken in by the former rules, and what was is durable.
            shared.rooms.renew_floors().await;
            (told.floor_cut, told.trusted) = (look.floor_cut.clone(), look.trusted.clone());
        }
        let mut applied = shared.realm.applied();
        self.known(&mut applied);
        let report = Report {
            epoch: shared.realm.place().epoch,
            applied,
            floor: look.floor_cut,
            trusted: look.trusted,
        };
        self.state_own(report, told, now);
        let trim = look.trim.filter(|trim| *trim >= self.held_since).unwrap_or(0);
        self.trim.store(trim, Ordering::SeqCst);
        if told.swept < trim {
            self.sweep(shared, trim).await;
            told.swept = trim;
        }
        self.looked_at.store(now, Ordering::SeqCst);
        true
    }

    /// Trims the documents that have become old, open or not, one by one.
    async fn sweep(&self, shared: &Shared, position: u64) {
        let mut after: Arc<str> = "".into();
        let mut count = 0_u64;
        loop {
            let page = shared.store.older_documents(Arc::clone(&after), position, PAGE).await;
            let documents = match page {
                Ok(documents) => documents,
                Err(error) => return warn!(%error, "documents to be trimmed cannot be found"),
            };
            let Some(last) = documents.last() else { break };
            after = Arc::clone(last);
            for document in documents {
                if shared.stopping.is_cancelled() {
                    return;
                }
                shared.rooms.trim(&document).await;
                count += 1;
            }
        }
        if count > 0 {
            info!(documents = count, position, "history was looked through for what is old");
        }
    }
}
