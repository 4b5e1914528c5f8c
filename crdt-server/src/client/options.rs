use crdt_causal::sync::{Config, Limits, Retry};
use crdt_core::{Frontier, ReplicaId};

/// How a channel is set up.
#[derive(Clone, Debug, Default)]
pub struct ChannelOptions {
    pub(super) token: Option<String>,
    writers: Vec<ReplicaId>,
    base: Frontier,
    limits: Limits,
    retry: Retry,
    pub(super) durable_by_caller: bool,
}

impl ChannelOptions {
    /// For a reader without a token, whose log is not stored.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Claims the replica ids in whose name changes are sent. A server takes changes of no
    /// others, unless it has them already.
    #[must_use]
    pub fn with_writers(mut self, writers: impl IntoIterator<Item = ReplicaId>) -> Self {
        self.writers = writers.into_iter().collect();
        self
    }

    /// Brings a token for this document.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Names the version that the server held at the end of an earlier session, which makes
    /// the greetings of documents with very many replicas short.
    #[must_use]
    pub fn with_base(mut self, base: Frontier) -> Self {
        self.base = base;
        self
    }

    /// What this side accepts.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long this side waits before it repeats itself.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The caller stores the log and says what is stored, with
    /// [`Channel::set_durable`](super::Channel::set_durable); only that is sent and acknowledged. Otherwise whatever is
    /// in the log counts as stored.
    #[must_use]
    pub fn with_durability_by_caller(mut self) -> Self {
        self.durable_by_caller = true;
        self
    }

    pub(super) fn session_config(&self) -> Config {
        Config::new()
            .with_limits(self.limits)
            .with_retry(self.retry)
            .with_base(self.base.clone())
            .with_writers(self.writers.iter().copied())
    }
}
