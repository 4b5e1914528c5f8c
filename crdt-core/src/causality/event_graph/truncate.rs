//! Forgetting the newest events.

use smallvec::SmallVec;

use super::{EventGraph, Lv};

impl EventGraph {
    /// Forgets every event from local version `len` on, as if it had never been learned.
    ///
    /// # Panics
    ///
    /// If `len` is beyond the end, inside a change, or before the end of the
    /// [`Base`](super::Base).
    pub fn truncate(&mut self, len: Lv) {
        assert!(len <= self.len, "only held events can be forgotten");
        if len == self.len {
            return;
        }
        assert!(len >= self.first(), "what was trimmed is not forgotten");
        assert!(len == 0 || self.is_change_start(len), "a change is forgotten whole");
        let mut tips: SmallVec<[Lv; 4]> =
            self.frontier.iter().copied().filter(|&tip| tip < len).collect();
        while let Some(&run) = self.runs.last() {
            let id = self.issuers[run.replica as usize].id;
            if run.start < len {
                let kept = run.seq_of(len - 1);
                if kept < self.version.get(id) {
                    self.version.set(id, kept);
                }
                tips.push(len - 1);
                break;
            }
            let parents = self.runs.parents(self.runs.len() - 1);
            tips.extend(parents.iter().copied().filter(|&parent| parent < len));
            self.version.set(id, u64::from(run.seq - 1));
            self.issuers[run.replica as usize].runs.pop();
            self.runs.pop();
        }
        while self.blocks.last().is_some_and(|block| block.start >= len) {
            self.blocks.pop();
        }
        self.len = len;
        self.forget_unused_issuers();
        self.frontier = self.maximal(&tips);
    }

    fn forget_unused_issuers(&mut self) {
        while let Some(issuer) = self.issuers.last().filter(|issuer| issuer.runs.is_empty()) {
            self.numbers.remove(&issuer.id);
            self.issuers.pop();
        }
    }
}
