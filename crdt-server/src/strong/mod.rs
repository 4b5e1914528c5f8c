//! Strong operations: who decides them.
//!
//! `level=strong` asks for linearizability: an operation takes effect at one moment between its request
//! and its answer, for everybody (Herlihy and Wing, 1990). Merging cannot give that; somebody has to
//! put strong operations in one order. [`Strong`] says who.
//!
//! * **An authority**, the least that does it: one server of the realm, named by its slot. It carries strong
//!   operations out itself: the task of the document puts them in one order, and each is answered
//!   once it, and everything that it has seen, is on the disk. The other servers pass strong requests on to
//!   it. While it cannot be reached they refuse; that is the price (C of CAP), and the only
//!   alternative is to answer something weaker, which a request can allow by its floor.
//! * **An engine** of one's own ([`StrongEngine`]): a database, a log with a majority.
//!
//! Where an answer is lost on the way, nobody knows whether the operation was carried out: the answer is
//! then *indeterminate*, never a refusal. With an `Idempotency-Key` the request can be sent again.
//!
//! # What an authority does not promise
//!
//! It is one server, and does not move by itself: that it is lost means that nothing strong is answered
//! until a person names another one, after the former has stopped for good. Servers that link up
//! find out if they name different ones. Changes that are not strong go on everywhere; strong operations see
//! those that have come to the authority, and a change that was made elsewhere at the same time as a strong one is
//! merged with it when it comes. So what has to be decided strongly, such as who has a name, has to be
//! *written* strongly, always.

mod forward;

use core::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::engine::Outcome;

pub(crate) use forward::{FORWARDED, Forward, Forwarded};

/// Who decides strong operations.
#[derive(Clone, Debug, Default)]
pub enum Strong {
    /// Nobody: they are refused.
    #[default]
    Nobody,
    /// The server with this slot, the same on all servers of the realm.
    Authority(Slot),
    /// The engine of the embedding application.
    Engine(Arc<dyn StrongEngine>),
}

/// What decides strong operations in place of an authority, as one server sees it.
///
/// It is [`crdt_causal::level::engine::Engine`] for those who may wait: an operation is a future. The
/// server waits for it up to [`strong_timeout`](crate::limits::Limits::strong_timeout); a change that has not
/// ended by then is indeterminate, as it may still take effect.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use crdt_causal::cut::Cut;
/// use crdt_causal::level::engine::Outcome;
/// use crdt_server::strong::{OutcomeFuture, StrongEngine, StrongOperation};
///
/// /// Numbers, each given out once; of which this process is the only sequencer.
/// #[derive(Debug, Default)]
/// struct Numbers(AtomicU64);
///
/// impl StrongEngine for Numbers {
///     fn run(&self, operation: StrongOperation) -> OutcomeFuture<'_> {
///         Box::pin(async move {
///             let last = if operation.is_read() {
///                 self.0.load(Ordering::SeqCst)
///             } else {
///                 self.0.fetch_add(1, Ordering::SeqCst) + 1
///             };
///             Outcome::Committed { position: last, answer: last.into() }
///         })
///     }
///
///     fn durable(&self, applied: &Cut) -> Cut {
///         applied.clone()
///     }
///
///     fn shown(&self) -> u64 {
///         u64::MAX
///     }
/// }
/// ```
pub trait StrongEngine: fmt::Debug + Send + Sync + 'static {
    /// Carries an operation out, and says what came of it. A position is at least the
    /// [`at_least`](StrongOperation::at_least) of the operation.
    fn run(&self, operation: StrongOperation) -> OutcomeFuture<'_>;

    /// The events that survive whatever the engine survives; `applied` are those that are on this
    /// server's disk. An operation waits until what its session depends on is in here.
    fn durable(&self, applied: &Cut) -> Cut;

    /// Up to which position of the engine the documents here show its operations; [`u64::MAX`] if these
    /// are no part of the documents. What is not strong waits for that in a session that has done
    /// something strong.
    fn shown(&self) -> u64;
}

/// What becomes of an operation.
pub type OutcomeFuture<'a> = Pin<Box<dyn Future<Output = Outcome<serde_json::Value>> + Send + 'a>>;

/// A strong operation on its way to an engine. Who asks may do it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrongOperation {
    /// `GET /v1/docs/{id}?path=…`
    Read {
        /// The document.
        document: Arc<str>,
        /// The keys from the root.
        path: Vec<String>,
        /// The position that the answer must not be before.
        at_least: u64,
    },
    /// `POST /v1/docs/{id}/ops`
    Write {
        /// The document.
        document: Arc<str>,
        /// The body, as it came: it is the engine's to read.
        body: Bytes,
        /// The digest of the idempotency key and of who has asked, if there is a key.
        key: Option<[u8; 32]>,
        /// The position that the answer must not be before.
        at_least: u64,
    },
}

impl StrongOperation {
    /// The position that the answer must not be before.
    pub const fn at_least(&self) -> u64 {
        match self {
            Self::Read { at_least, .. } | Self::Write { at_least, .. } => *at_least,
        }
    }

    /// Whether it changes nothing.
    pub const fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

impl Strong {
    /// The slot of the authority, if there is one.
    pub(crate) const fn authority(&self) -> Option<Slot> {
        match self {
            Self::Authority(slot) => Some(*slot),
            Self::Nobody | Self::Engine(_) => None,
        }
    }
}
