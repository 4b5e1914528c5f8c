//! A deadline that moves away each time it passes in vain.

use super::limits::Retry;

/// Exponential back-off up to a cap.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timer {
    deadline: Option<u64>,
    interval_ms: u64,
}

impl Timer {
    /// Waits for the first interval, from now on.
    pub(super) fn start(&mut self, retry: &Retry, now: u64) {
        self.interval_ms = retry.interval_ms;
        self.deadline = Some(now.saturating_add(self.interval_ms));
    }

    /// Waits again, for twice as long as before.
    pub(super) fn back_off(&mut self, retry: &Retry, now: u64) {
        self.interval_ms = self.interval_ms.saturating_mul(2).clamp(1, retry.interval_ms_max);
        self.deadline = Some(now.saturating_add(self.interval_ms));
    }

    pub(super) fn stop(&mut self) {
        self.deadline = None;
    }

    pub(super) fn is_due(&self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.deadline
    }
}
