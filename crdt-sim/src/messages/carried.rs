//! What messages change: the laboratory's own values, or a type of somebody else.

use std::fmt::Debug;

use crdt_core::codec::{Decode, Encode, Reader, Writer};
use crdt_core::{Lattice, ReplicaId};

use super::hostile::HostileSender;
use super::values::Values;
use crate::laboratory::Type;
use crate::model::values::{Op, dump};
use crate::model::{Draft, History, Version};
use crate::plan::Edit;
use crate::random::{Random, mixed};
use crate::replica::{Hostile, Nobody};

/// What messages change.
pub trait Carried: Default + 'static {
    /// What one event does, for the model.
    type Op: Clone + Debug;
    /// The peer that means harm.
    type Hostile: Hostile<Op = Self::Op>;

    /// Makes a change here, and says what it is: to others, and to the model.
    fn edit(
        &mut self,
        edit: &Edit,
        id: ReplicaId,
        draft: &Draft<'_, Self::Op>,
    ) -> (Vec<u8>, Self::Op);

    /// Writes into a register, as [`edit`](Self::edit) makes changes; `None` if there are no registers.
    fn put(
        &mut self,
        register: u8,
        value: u64,
        id: ReplicaId,
        draft: &Draft<'_, Self::Op>,
    ) -> Option<(Vec<u8>, Self::Op)>;

    /// What is in a register.
    fn get(&self, register: u8) -> Option<u64>;

    /// Makes a change of somebody else.
    ///
    /// # Errors
    ///
    /// If its bytes are none.
    fn apply(&mut self, payload: &[u8]) -> Result<(), String>;

    /// Takes in an older state, which must not change anything.
    ///
    /// # Errors
    ///
    /// If it cannot be taken in.
    fn join(&mut self, older: Self) -> Result<(), String>;

    /// The canonical form.
    fn write(&self, out: &mut Writer);

    /// What the form says.
    ///
    /// # Errors
    ///
    /// If it is none.
    fn read(input: &mut Reader<'_>) -> Result<Self, String>;

    /// Compares what is read with what it should be.
    ///
    /// # Errors
    ///
    /// The difference.
    fn compare(&self, history: &History<Self::Op>, version: &Version) -> Result<(), String>;

    /// Panics if something is not as it has to be inside.
    fn check(&self);
}

impl Carried for Values {
    type Op = Op;
    type Hostile = HostileSender;

    fn edit(&mut self, edit: &Edit, id: ReplicaId, draft: &Draft<'_, Op>) -> (Vec<u8>, Op) {
        Self::edit(self, edit, id, draft)
    }

    fn put(
        &mut self,
        register: u8,
        value: u64,
        id: ReplicaId,
        draft: &Draft<'_, Op>,
    ) -> Option<(Vec<u8>, Op)> {
        Some(Self::put(self, register, value, id, draft))
    }

    fn get(&self, register: u8) -> Option<u64> {
        Self::get(self, register)
    }

    fn apply(&mut self, payload: &[u8]) -> Result<(), String> {
        Self::apply(self, payload)
    }

    fn join(&mut self, older: Self) -> Result<(), String> {
        Self::join(self, older)
    }

    fn write(&self, out: &mut Writer) {
        self.encode(out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, String> {
        Self::decode(input)
    }

    fn compare(&self, history: &History<Op>, version: &Version) -> Result<(), String> {
        let read = self.dump();
        let specified = history.computed(version, || dump(history, version));
        if read == *specified {
            return Ok(());
        }
        Err(format!("reads {read}, and the model says {specified}"))
    }

    fn check(&self) {
        self.check_invariants();
    }
}

/// A type of somebody else.
pub struct OfType<T: Type>(T::Root);

impl<T: Type> Default for OfType<T> {
    fn default() -> Self {
        Self(T::Root::default())
    }
}

impl<T: Type> Carried for OfType<T> {
    type Op = ();
    type Hostile = Nobody<()>;

    fn edit(&mut self, edit: &Edit, id: ReplicaId, _: &Draft<'_, ()>) -> (Vec<u8>, ()) {
        let Edit { place, what, number, len } = *edit;
        let parts = [place, what, number, len].map(u64::from);
        let delta = T::edit(&mut self.0, id, &mut Random::new(mixed(&parts), 0x0f));
        let mut out = Writer::new();
        delta.encode(&mut out);
        (out.into_bytes(), ())
    }

    fn put(&mut self, _: u8, _: u64, _: ReplicaId, _: &Draft<'_, ()>) -> Option<(Vec<u8>, ())> {
        None
    }

    fn get(&self, _: u8) -> Option<u64> {
        None
    }

    fn apply(&mut self, payload: &[u8]) -> Result<(), String> {
        let mut input = Reader::new(payload);
        let delta = <T::Root as Lattice>::Delta::decode(&mut input);
        let delta = delta.and_then(|delta| input.finish().map(|()| delta));
        self.0.join(delta.map_err(|error| format!("its own delta is not read: {error}"))?);
        Ok(())
    }

    fn join(&mut self, older: Self) -> Result<(), String> {
        self.0.join(older.0);
        Ok(())
    }

    fn write(&self, out: &mut Writer) {
        self.0.encode(out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, String> {
        T::Root::decode(input).map(Self).map_err(|error| error.to_string())
    }

    fn compare(&self, _: &History<()>, _: &Version) -> Result<(), String> {
        T::check(&self.0)
    }

    fn check(&self) {}
}
