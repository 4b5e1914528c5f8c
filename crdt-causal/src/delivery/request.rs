//! When to ask for what is missing of one replica.

use super::limits::Retry;

/// The requests for the missing dots of one replica: no dot is asked for again before the
/// interval of its last request is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// Missing dots up to here were asked for.
    asked: u64,
    /// When those may be asked for again.
    again_at: u64,
    /// How long the last request may take.
    interval_ms: u64,
    /// When the missing dots beyond `asked` are asked for.
    beyond_at: Option<u64>,
}

/// What a request asks for: missing dots after the first number, up to the second.
pub(super) type Span = (u64, u64);

impl Request {
    /// Dots up to `horizon` turned out to exist.
    pub(super) fn noticed(&mut self, horizon: u64, retry: &Retry, now: u64) {
        if horizon > self.asked && self.beyond_at.is_none() {
            self.beyond_at = Some(now.saturating_add(retry.patience_ms));
        }
    }

    /// A dot arrived. If it was asked for, answers are on their way: patience begins anew.
    pub(super) fn arrived(&mut self, seq: u64, retry: &Retry, now: u64) {
        if seq <= self.asked {
            self.interval_ms = retry.interval_ms;
            self.again_at = now.saturating_add(retry.interval_ms);
        }
    }

    /// Whether an answer with a dot after `seq` would be one to a request.
    pub(super) const fn is_open_after(&self, seq: u64) -> bool {
        self.asked > seq
    }

    /// What to ask for now, where the dots after `delivered` up to `horizon` may be missing.
    pub(super) fn due(&self, delivered: u64, horizon: u64, now: u64) -> Option<Span> {
        if delivered < self.asked && now >= self.again_at {
            return Some((delivered, horizon));
        }
        let beyond = self.asked.max(delivered);
        (beyond < horizon && self.beyond_at.is_some_and(|at| now >= at))
            .then_some((beyond, horizon))
    }

    /// The dots of `span` up to `to` were asked for; beyond that there was no room to ask.
    pub(super) fn asked(&mut self, span: Span, to: u64, retry: &Retry, now: u64) {
        let again = span.0 < self.asked;
        self.interval_ms = if again {
            self.interval_ms.saturating_mul(2).min(retry.interval_ms_max)
        } else {
            retry.interval_ms
        };
        self.again_at = now.saturating_add(self.interval_ms);
        self.asked = self.asked.max(to);
        self.beyond_at = (self.asked < span.1).then_some(now);
    }

    /// When [`due`](Self::due) may give something.
    pub(super) fn due_at(&self, delivered: u64, horizon: u64) -> Option<u64> {
        let again = (delivered < self.asked).then_some(self.again_at);
        let beyond = self.beyond_at.filter(|_| self.asked.max(delivered) < horizon);
        again.into_iter().chain(beyond).min()
    }
}
