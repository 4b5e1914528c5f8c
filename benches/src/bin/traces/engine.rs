//! What a library has to be able to do to be measured. Each is one file that implements
//! this the way the library's documentation recommends.

use std::error::Error;

/// A value, or what the library said instead.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Replaces `deleted` units at offset `at` by a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit<'t> {
    pub(crate) at: usize,
    pub(crate) deleted: usize,
    pub(crate) inserted: &'t str,
}

/// What an engine's offsets count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offsets {
    CodePoints,
    Bytes,
}

/// An engine with which one can write, alone and with others.
pub(crate) trait Engine {
    const OFFSETS: Offsets;

    /// One writer's copy of the text.
    type Replica;
    /// What others need to take over one transaction.
    type Update;

    /// An empty text; writers are numbered from zero.
    fn replica(writer: usize) -> Self::Replica;

    /// Applies the edits of one transaction, each to the text that the one before left.
    fn edit(replica: &mut Self::Replica, edits: &[Edit<'_>]) -> Outcome;

    /// As [`edit`](Self::edit), for others to [`receive`](Self::receive).
    fn edit_and_send(replica: &mut Self::Replica, edits: &[Edit<'_>]) -> Outcome<Self::Update>;

    /// Ends what the engine leaves open between edits, so that what is held is what stays.
    fn finish(_replica: &mut Self::Replica) {}

    /// Takes over transactions of others, which come after those that they follow.
    fn receive(replica: &mut Self::Replica, updates: &[&Self::Update]) -> Outcome;

    fn text(replica: &Self::Replica) -> Outcome<String>;
}

/// An engine that keeps the whole history and can write it down.
pub(crate) trait Archive: Engine {
    /// One update with everything.
    fn everything(replica: &mut Self::Replica) -> Outcome<Vec<u8>>;

    /// What a new replica is after that update.
    fn merge(update: &[u8]) -> Outcome<Self::Replica>;

    /// The form in which a replica stores the text with its whole history.
    fn save(replica: &mut Self::Replica) -> Outcome<Vec<u8>>;

    /// Reads what was saved, to go on as a new writer.
    fn load(saved: &[u8]) -> Outcome<Self::Replica>;
}
