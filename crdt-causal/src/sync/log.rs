//! What a session needs from the log of events that it keeps in step.

use alloc::vec::Vec;

use crdt_core::codec::{Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, VersionVector};

use super::chain::ChainHash;
use super::refusal::Refusal;
use super::table::{ReceiveTables, SendTables};

/// A causally closed set of events that can be encoded in parts and imported.
///
/// A [`Session`](super::Session) keeps two of these in step. It never looks into a body:
/// what a change is, and how it is written, is the log's own business. The contract between
/// the two is only about versions:
///
/// * [`version`](Self::version) grows by local changes and by [`import_changes`](Self::import_changes),
///   and by nothing that a peer merely claims;
/// * a body that one log encodes after `known` can be imported by every log that holds `known`;
/// * bodies are imported in the order in which they were encoded, so that the tables of both
///   sides grow alike.
///
/// No method has a body here, though for a small log most answers are short: a log that wraps
/// another one and did not pass on one of them would be blind where the other one sees, to forks
/// and to trimmed history, and nothing would show it.
pub trait ChangeLog {
    /// Why an import was refused.
    type Error: core::error::Error;

    /// Names the common beginning. Logs of unrelated genesis refuse to merge.
    fn genesis(&self) -> [u8; 16];

    /// The events that are held, durable or not.
    fn version(&self) -> &VersionVector;

    /// The maximal events of [`version`](Self::version).
    fn frontier(&self) -> Frontier;

    /// The maximal events of a causally closed `version` that is held.
    ///
    /// `None` makes the session describe that version by its vector instead, which is always
    /// right and only longer. A small log may know the whole version alone; one that is often
    /// saved later than it is changed should answer for earlier versions too.
    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier>;

    /// Whether every event of `frontier` is held.
    fn knows(&self, frontier: &Frontier) -> bool;

    /// The events that happened before or at `frontier`; `None` if one of its events is not
    /// held. `frontier` comes from the peer: any set of dots must be answered.
    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector>;

    /// What a peer holds that says that it holds `claimed`: also what happened before that, as far
    /// as this log can tell. Whoever has trimmed its history leaves out of its vector the writers
    /// that it forgot.
    ///
    /// Where everyone remembers every writer that is `claimed` itself.
    fn closed(&self, claimed: VersionVector) -> VersionVector;

    /// Whether a peer that holds `known` can be brought up to date from here. If not, history that
    /// it lacks was trimmed, and the session ends with [`Refusal::Trimmed`]. A log that never trims
    /// serves everybody.
    fn serves(&self, known: &VersionVector) -> bool;

    /// The running hash of a replica's events up to `dot`, if it is known.
    ///
    /// It is a function of what these events are, however they came. A log that knows none is not
    /// told of forks that its dots do not show. `dot` may come from the peer: any must be answered.
    fn chain(&self, dot: Dot) -> Option<ChainHash>;

    /// What the changes in `ranges`, which are held, directly build on: their parents, and each
    /// replica's event before its first one. It may name events that are among `ranges`.
    ///
    /// The session sends the running hashes of these, if there are any, so that changes are never
    /// joined to other events of the same names. A log without hashes names nothing.
    fn follows(&self, ranges: &[DotRange]) -> Vec<Dot>;

    /// Appends changes that `upto` covers and `known` does not, and returns their dots. If there
    /// are none it returns no range, and what it wrote or interned is taken back; it has written
    /// no header through [`SendTables::changes`] then.
    ///
    /// * A log that holds `known` can import the result: the changes are a causally closed
    ///   addition to it, in an order that respects causality.
    /// * `upto` is causally closed and held, and ends where changes end. `known` may be none of
    ///   these: a peer can claim what does not exist.
    /// * `bytes_max` is where to stop: another change is added only while the body is shorter
    ///   than this. One change is never split, so the body may end up longer; the session sends
    ///   it in fragments.
    fn encode_changes(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
        bytes_max: usize,
        tables: &mut SendTables,
        body: &mut Writer,
    ) -> Vec<DotRange>;

    /// Imports one body, all or nothing, and returns the dots that it covers, new or held before.
    ///
    /// # Errors
    ///
    /// The log is left as it was, and the session is over. Nothing that a peer sends may panic.
    fn import_changes(
        &mut self,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, Self::Error>;

    /// What the peer is told when an import was refused with `error`.
    fn refusal(error: &Self::Error) -> Refusal;
}
