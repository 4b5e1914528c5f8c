//! What the laboratory needs from what it replicates.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Debug;
use std::marker::PhantomData;

use crdt_core::{Dot, DotRange, ReplicaId, VersionVector};

use crate::model::{Draft, History};
use crate::plan::{Edit, Hostility, LimitsPlan};

/// What is wrong, as text: by whom it was found, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which checker found it.
    pub checker: &'static str,
    /// What it found.
    pub what: String,
}

impl Violation {
    /// Something is wrong.
    pub fn new(checker: &'static str, what: impl Into<String>) -> Self {
        Self { checker, what: what.into() }
    }
}

/// One end of a link: bytes in, bytes out, no I/O and no clock.
pub trait Machine {
    /// A connection over a link begins. `nonce` was never used before.
    fn connect(&mut self, link: usize, nonce: u64, now: u64);

    /// It has ended.
    fn disconnect(&mut self, link: usize);

    /// The next packet for the other end of a link.
    fn transmit(&mut self, link: usize, now: u64) -> Option<Vec<u8>>;

    /// When to transmit again, on the machine's own clock.
    fn timeout(&self) -> Option<u64>;
}

/// What a packet did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Events that were applied, step by step: each step at once, one step after the other.
    pub applied: Vec<Vec<DotRange>>,
    /// The connection is of no more use.
    pub over: bool,
    /// Why this end, or the other, gave it up.
    pub refused: Option<Refused>,
}

/// Why a connection was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Somebody used a dot twice.
    Equivocation(ReplicaId),
    /// What the other end lacks, or builds on, was trimmed here.
    Trimmed,
    /// The other end says that of this one.
    TrimmedByPeer,
    /// Anything else that no honest peer does.
    Offence(String),
    /// The other end says so.
    ByPeer(String),
}

/// A replica of something: events, a way to tell others, a file to keep them in.
pub trait Replica: Machine + Sized {
    /// What one event does, for the model.
    type Op: Clone + Debug;
    /// The peer that means harm to this kind of replica.
    type Hostile: Hostile<Op = Self::Op>;

    /// A replica without events, that writes under `id`.
    fn new(id: ReplicaId, limits: &LimitsPlan) -> Self;

    /// Takes in what it had written to its file, record by record.
    ///
    /// # Errors
    ///
    /// That would be a bug.
    fn load(&mut self, record: &[u8]) -> Result<(), String>;

    /// A record of what was learned after `version`, which was written before.
    fn record_since(&self, version: &VersionVector) -> Vec<u8>;

    /// Says what is durable.
    fn set_durable(&mut self, version: &VersionVector);

    /// Makes one change of some edits, here and in the model; nothing if it `fails`. Returns what of others was
    /// applied besides, step by step: where a name is used twice, what others made after the first event of
    /// that name has waited for it.
    ///
    /// # Errors
    ///
    /// If an edit that is possible is refused, or one that fails leaves something behind.
    fn edit(
        &mut self,
        edits: &[Edit],
        fails: bool,
        draft: Draft<'_, Self::Op>,
    ) -> Result<Vec<Vec<DotRange>>, Violation>;

    /// A client writes a value into a register, here and in the model. Returns what [`edit`](Self::edit) does; or
    /// `None` if nothing was written, since somebody else writes under this id.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    fn put(
        &mut self,
        register: u8,
        value: u64,
        draft: Draft<'_, Self::Op>,
    ) -> Result<Option<Vec<Vec<DotRange>>>, Violation>;

    /// What a client reads in a register.
    fn get(&self, register: u8) -> Option<u64>;

    /// Takes in a packet.
    fn receive(&mut self, link: usize, bytes: &[u8], now: u64) -> Received;

    /// What is held.
    fn version(&self) -> VersionVector;

    /// What the other end of a link is believed to hold durably.
    fn acknowledged(&self, link: usize) -> Option<VersionVector>;

    /// Whether some peer and this replica have told each other everything, since it started.
    fn was_up_to_date(&self) -> bool;

    /// All of it, in the one form that equal replicas have.
    fn canonical(&self) -> Vec<u8>;

    /// Compares what can be read with what the model says, at the version that is held.
    ///
    /// # Errors
    ///
    /// The difference.
    fn compare(&self, history: &History<Self::Op>) -> Result<(), String>;

    /// What this replica and another one hold under one name and is not the same, if that is
    /// something that they have to find out when they meet.
    fn contradicts(&self, other: &Self) -> Option<String> {
        let _ = other;
        None
    }

    /// Drops the history of what is in `stable`, and says how many events went. Nothing, where nothing is trimmed.
    fn trim(&mut self, stable: &VersionVector) -> u64 {
        let _ = stable;
        0
    }

    /// From now on takes in only what has seen all of `floor`, but for what comes over these links.
    fn set_floor(&mut self, floor: VersionVector, trusted: BTreeSet<usize>) {
        let _ = (floor, trusted);
    }

    /// What it lacks was trimmed: begins to get a copy of what others have, to write under another id then.
    fn begin_anew(&mut self, id: ReplicaId) {
        let _ = id;
    }

    /// How much of a copy it has, if it has begun to get one.
    fn copying(&self) -> Option<&VersionVector> {
        None
    }

    /// The copy, once it is whole: its id, and what it has.
    fn copied(&self) -> Option<(ReplicaId, VersionVector)> {
        None
    }

    /// Does again in the copy, and in the model, what it had done and the copy lacks; goes on with the copy. Returns
    /// the values of registers that were written again.
    ///
    /// # Errors
    ///
    /// If something of it is lost.
    fn come_back(&mut self, draft: Draft<'_, Self::Op>) -> Result<Vec<u64>, Violation> {
        draft.give_up();
        Ok(Vec::new())
    }

    /// What is left of [`canonical`](Self::canonical) when all history is trimmed.
    fn without_history(&self) -> Vec<u8> {
        self.canonical()
    }

    /// Checks what must hold inside, and the bounds of what is kept for others. Panics or tells.
    ///
    /// # Errors
    ///
    /// Which bound is exceeded.
    fn check(&self) -> Result<(), String>;
}

/// A peer that means harm.
pub trait Hostile: Machine {
    /// What one event does, for the model.
    type Op;

    /// One that behaves in this way.
    fn new(how: Hostility, id: ReplicaId, seed: u64) -> Self;

    /// The events that it issues and that others may well take, for they are valid.
    fn events(&self) -> Vec<(Dot, Self::Op)>;

    /// A packet came.
    fn receive(&mut self, link: usize, bytes: &[u8], now: u64);

    /// How often it did what it is there for.
    fn done(&self) -> u64;

    /// Whether whoever gets this packet has to see that somebody used a dot twice.
    fn betrays(&self, bytes: &[u8]) -> bool {
        let _ = bytes;
        false
    }

    /// What an honest peer did that it should not have done.
    fn missed(&self) -> Option<&str>;
}

/// There is no peer that means harm.
#[derive(Debug)]
pub struct Nobody<O>(Infallible, PhantomData<O>);

impl<O> Machine for Nobody<O> {
    fn connect(&mut self, _: usize, _: u64, _: u64) {
        match self.0 {}
    }

    fn disconnect(&mut self, _: usize) {
        match self.0 {}
    }

    fn transmit(&mut self, _: usize, _: u64) -> Option<Vec<u8>> {
        match self.0 {}
    }

    fn timeout(&self) -> Option<u64> {
        match self.0 {}
    }
}

impl<O> Hostile for Nobody<O> {
    type Op = O;

    fn new(_: Hostility, _: ReplicaId, _: u64) -> Self {
        panic!("the plans of types and schemas of others have no hostile peers")
    }

    fn events(&self) -> Vec<(Dot, O)> {
        match self.0 {}
    }

    fn receive(&mut self, _: usize, _: &[u8], _: u64) {
        match self.0 {}
    }

    fn done(&self) -> u64 {
        match self.0 {}
    }

    fn missed(&self) -> Option<&str> {
        match self.0 {}
    }
}
