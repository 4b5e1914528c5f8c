/// When a client that asked for session tokens gets one.
///
/// At once, when something that it wrote has become durable; and some time after something was
/// sent to it, for all that was sent until then.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    wrote: bool,
    /// What it wrote is on its way to the store.
    is_under_way: bool,
    due_at: Option<u64>,
}

/// How long what was sent is gathered, in milliseconds.
const PAUSE_MS: u64 = 500;

impl Tokens {
    pub(super) const fn wrote(&mut self) {
        self.wrote = true;
    }

    pub(super) fn on_write(&mut self) {
        self.is_under_way |= std::mem::take(&mut self.wrote);
    }

    pub(super) fn on_durable(&mut self, now: u64) {
        if std::mem::take(&mut self.is_under_way) {
            self.due_at = Some(now);
        }
    }

    /// Changes of others were sent.
    pub(super) fn was_sent(&mut self, now: u64) {
        self.due_at.get_or_insert(now + PAUSE_MS);
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        self.due_at
    }

    /// Whether one is due now; it is taken to be sent then.
    pub(super) fn is_due(&mut self, now: u64) -> bool {
        self.due_at.take_if(|due_at| *due_at <= now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_once_a_write_is_durable_and_not_before() {
        let mut tokens = Tokens::default();
        tokens.wrote();
        tokens.on_durable(1);
        assert!(!tokens.is_due(1), "an earlier write has become durable, not this one");
        tokens.on_write();
        tokens.wrote();
        tokens.on_durable(2);
        assert!(tokens.is_due(2) && !tokens.is_due(2));
        tokens.on_durable(3);
        assert!(!tokens.is_due(3), "the second write is not under way yet");
        tokens.on_write();
        tokens.on_durable(4);
        assert!(tokens.is_due(4));
    }

    #[test]
    fn what_is_sent_is_gathered() {
        let mut tokens = Tokens::default();
        tokens.was_sent(10);
        tokens.was_sent(400);
        assert_eq!(tokens.deadline(), Some(10 + PAUSE_MS));
        assert!(!tokens.is_due(9 + PAUSE_MS) && tokens.is_due(10 + PAUSE_MS));
        assert_eq!(tokens.deadline(), None);
    }
}
