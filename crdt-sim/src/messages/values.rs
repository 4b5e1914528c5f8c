//! Values of many types, side by side: what messages change.

use std::fmt::Write as _;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::counter::PnCounterDelta;
use crdt_core::flag::{DisableWinsFlagDelta, EnableWinsFlagDelta};
use crdt_core::map::{LwwMapDelta, ObservedRemoveMapDelta};
use crdt_core::register::MultiValueRegisterDelta;
use crdt_core::sequence::{ListDelta, TextDelta};
use crdt_core::set::{AddWinsSetDelta, AddWinsStore, RemoveWinsSetDelta};
use crdt_core::{
    AddWinsSet, DisableWinsFlag, Dot, EnableWinsFlag, List, LwwMap, MultiValueRegister,
    ObservedRemoveMap, PnCounter, RemoveWinsSet, ReplicaId, Text, VersionVector,
};

use crate::model::Draft;
use crate::model::values::{Op, Sight, letter};
use crate::plan::Edit;

/// One of each.
#[derive(Default)]
pub struct Values {
    set: AddWinsSet<u8>,
    remove_wins: RemoveWinsSet<u8>,
    register: MultiValueRegister<u8>,
    map: ObservedRemoveMap<u8, AddWinsStore<u8>>,
    counter: PnCounter,
    enable_wins: EnableWinsFlag,
    disable_wins: DisableWinsFlag,
    list: List<u8>,
    text: Text,
    /// What clients write.
    registers: LwwMap<u8, u64>,
    /// What the model knows of what is seen here.
    sight: Sight,
}

const SET: u8 = 0;
const REMOVE_WINS: u8 = 1;
const REGISTER: u8 = 2;
const MAP: u8 = 3;
const COUNTER: u8 = 4;
const FLAGS: u8 = 5;
const LIST: u8 = 6;
const TEXT: u8 = 7;
const REGISTERS: u8 = 8;

impl Values {
    /// Makes a change here, and says what it is: to others, and to the model.
    pub(super) fn edit(
        &mut self,
        edit: &Edit,
        id: ReplicaId,
        draft: &Draft<'_, Op>,
    ) -> (Vec<u8>, Op) {
        let number = edit.number % 4;
        let mut out = Writer::new();
        // Lists and texts have the most to get wrong.
        let kind = [LIST, TEXT, TEXT, SET, REMOVE_WINS, REGISTER, MAP, COUNTER, FLAGS, LIST]
            [usize::from(edit.place) % 10];
        out.u8(kind);
        let takes_out = edit.what.is_multiple_of(3);
        let op = match kind {
            SET => {
                let mut writer = self.set.writer(id);
                if takes_out {
                    self.set.remove(&number, &mut writer).encode(&mut out);
                    Op::Remove(number)
                } else {
                    self.set.add(number, &mut writer).expect(ROOM).encode(&mut out);
                    Op::Add(number)
                }
            }
            REMOVE_WINS => {
                let mut writer = self.remove_wins.writer(id);
                if takes_out {
                    self.remove_wins.remove(number, &mut writer).expect(ROOM).encode(&mut out);
                    Op::RemoveHere(number)
                } else {
                    self.remove_wins.add(number, &mut writer).expect(ROOM).encode(&mut out);
                    Op::AddHere(number)
                }
            }
            REGISTER => {
                let mut writer = self.register.writer(id);
                if edit.what.is_multiple_of(7) {
                    self.register.clear(&mut writer).encode(&mut out);
                    Op::Erase
                } else {
                    self.register.set(number, &mut writer).expect(ROOM).encode(&mut out);
                    Op::Write(number)
                }
            }
            MAP => {
                let key = edit.len % 3;
                let mut writer = self.map.writer(id);
                if takes_out {
                    self.map.remove(&key, &mut writer).encode(&mut out);
                    Op::Drop(key)
                } else {
                    let put = self.map.update(key, &mut writer, |set| set.add(number));
                    put.expect(ROOM).encode(&mut out);
                    Op::Put(key, number)
                }
            }
            COUNTER => {
                let mut writer = self.counter.writer(id);
                let by = i64::from(edit.number) - 100;
                let amount = by.unsigned_abs();
                let delta = if by > 0 {
                    self.counter.increment(amount, &mut writer)
                } else {
                    self.counter.decrement(amount, &mut writer)
                };
                delta.expect(ROOM).encode(&mut out);
                Op::Count(by)
            }
            FLAGS => {
                let mut first = self.enable_wins.writer(id);
                let mut second = self.disable_wins.writer(id);
                if takes_out {
                    self.enable_wins.disable(&mut first).encode(&mut out);
                    self.disable_wins.disable(&mut second).expect(ROOM).encode(&mut out);
                } else {
                    self.enable_wins.enable(&mut first).expect(ROOM).encode(&mut out);
                    self.disable_wins.enable(&mut second).expect(ROOM).encode(&mut out);
                }
                Op::Switch(!takes_out)
            }
            LIST => self.edit_list(edit, id, draft, &mut out),
            _ => self.edit_text(edit, id, draft, &mut out),
        };
        self.sight.go_on(draft);
        (out.into_bytes(), op)
    }

    fn edit_list(
        &mut self,
        edit: &Edit,
        id: ReplicaId,
        draft: &Draft<'_, Op>,
        out: &mut Writer,
    ) -> Op {
        let seen = self.sight.list(draft);
        let len = seen.len();
        let mut writer = self.list.writer(id);
        // After a fork the two may differ.
        let at = edit.position(len).min(self.list.len());
        if edit.what.is_multiple_of(3) && at < self.list.len() && at < len {
            self.list.remove(at, &mut writer).encode(out);
            let taken = seen.before(at + 1).expect("it is one of them");
            seen.take(taken);
            return Op::Take(Some(taken));
        }
        self.list.insert(at, edit.what, &mut writer).expect(ROOM).encode(out);
        let place = seen.insert_after(seen.before(at), draft.next_dot(), edit.what);
        Op::Insert(edit.what, place)
    }

    fn edit_text(
        &mut self,
        edit: &Edit,
        id: ReplicaId,
        draft: &Draft<'_, Op>,
        out: &mut Writer,
    ) -> Op {
        let seen = self.sight.text(draft);
        let mut writer = self.text.writer(id);
        let len = seen.len().min(self.text.len_chars() as usize);
        let at = edit.position(len);
        if edit.what.is_multiple_of(3) {
            let end = (at + usize::from(edit.len)).min(len);
            let delta = self.text.delete(at as u32, (end - at) as u32, &mut writer);
            out.bytes(&delta.expect(ROOM).encode());
            let gone: Vec<Dot> = seen.shown().take(end).skip(at).map(|(dot, _)| dot).collect();
            gone.iter().for_each(|dot| seen.take(*dot));
            return Op::Delete(gone);
        }
        let mut left = seen.before(at);
        let mut typed = Vec::new();
        for index in 0..usize::from(edit.len % 5) {
            let char = char::from(b'a' + (edit.what % 20) + index as u8);
            let dot = letter(draft.next_dot(), index);
            typed.push((char, seen.insert_after(left, dot, char)));
            left = Some(dot);
        }
        let content: String = typed.iter().map(|(char, _)| char).collect();
        let delta = self.text.insert(at as u32, &content, &mut writer);
        out.bytes(&delta.expect(ROOM).encode());
        Op::Type(typed)
    }

    /// Writes into a register: by Lamport time, so that what was seen has lost.
    pub(super) fn put(
        &mut self,
        register: u8,
        value: u64,
        id: ReplicaId,
        draft: &Draft<'_, Op>,
    ) -> (Vec<u8>, Op) {
        let mut out = Writer::new();
        out.u8(REGISTERS);
        let mut writer = self.registers.writer(id);
        let delta = self.registers.set(register, value, draft.next_lamport(), &mut writer);
        delta.expect(ROOM).encode(&mut out);
        self.sight.go_on(draft);
        (out.into_bytes(), Op::Keep(register, value))
    }

    /// What is in a register.
    pub(super) fn get(&self, register: u8) -> Option<u64> {
        self.registers.get(&register).copied()
    }

    /// Takes in a change of somebody else.
    pub(super) fn apply(&mut self, payload: &[u8]) -> Result<(), String> {
        let mut input = Reader::new(payload);
        let input = &mut input;
        self.read(input).and_then(|()| input.finish()).map_err(|error| error.to_string())
    }

    fn read(&mut self, input: &mut Reader<'_>) -> Result<(), DecodeError> {
        match input.u8()? {
            SET => drop(self.set.join(AddWinsSetDelta::decode(input)?)),
            REMOVE_WINS => drop(self.remove_wins.join(RemoveWinsSetDelta::decode(input)?)),
            REGISTER => drop(self.register.join(MultiValueRegisterDelta::decode(input)?)),
            MAP => drop(self.map.join(ObservedRemoveMapDelta::decode(input)?)),
            COUNTER => drop(self.counter.join(PnCounterDelta::decode(input)?)),
            FLAGS => {
                self.enable_wins.join(EnableWinsFlagDelta::decode(input)?);
                self.disable_wins.join(DisableWinsFlagDelta::decode(input)?);
            }
            LIST => drop(self.list.join(ListDelta::decode(input)?)),
            REGISTERS => drop(self.registers.join(LwwMapDelta::decode(input)?)),
            TEXT => {
                let delta = TextDelta::decode(input.bytes()?)?;
                // A delta whose past is here can be joined; causal delivery sees to that.
                if self.text.join(&delta).is_err() {
                    return Err(input.error(DecodeErrorKind::OutOfRange));
                }
            }
            _ => return Err(input.error(DecodeErrorKind::UnknownTag)),
        }
        Ok(())
    }

    /// Takes in other values, whole.
    pub(super) fn join(&mut self, other: Self) -> Result<(), String> {
        self.set.join(other.set);
        self.remove_wins.join(other.remove_wins);
        self.register.join(other.register);
        self.map.join(other.map);
        self.counter.join(other.counter);
        self.enable_wins.join(other.enable_wins);
        self.disable_wins.join(other.disable_wins);
        self.list.join(other.list);
        self.registers.join(other.registers);
        let text = other.text.delta_since(&VersionVector::new()).map_err(|e| e.to_string())?;
        self.text.join(&text).map(drop).map_err(|error| error.to_string())
    }

    /// All of it, in the one form that equal values have.
    pub(super) fn encode(&self, out: &mut Writer) {
        self.set.encode(out);
        self.remove_wins.encode(out);
        self.register.encode(out);
        self.map.encode(out);
        self.counter.encode(out);
        self.enable_wins.encode(out);
        self.disable_wins.encode(out);
        self.list.encode(out);
        self.registers.encode(out);
        out.bytes(&self.text.encode().expect("what was saved is whole"));
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub(super) fn decode(input: &mut Reader<'_>) -> Result<Self, String> {
        let text = |error: DecodeError| error.to_string();
        Ok(Self {
            set: Decode::decode(input).map_err(text)?,
            remove_wins: Decode::decode(input).map_err(text)?,
            register: Decode::decode(input).map_err(text)?,
            map: Decode::decode(input).map_err(text)?,
            counter: Decode::decode(input).map_err(text)?,
            enable_wins: Decode::decode(input).map_err(text)?,
            disable_wins: Decode::decode(input).map_err(text)?,
            list: Decode::decode(input).map_err(text)?,
            registers: Decode::decode(input).map_err(text)?,
            text: Text::decode(input.bytes().map_err(text)?).map_err(|error| error.to_string())?,
            sight: Sight::default(),
        })
    }

    /// Everything that can be read, in the form in which the model writes it.
    pub(super) fn dump(&self) -> String {
        let set: Vec<u8> = self.set.iter().copied().collect();
        let remove_wins: Vec<u8> = self.remove_wins.iter().copied().collect();
        let mut register: Vec<u8> = self.register.values().copied().collect();
        register.sort_unstable();
        let list: Vec<u8> = self.list.iter().copied().collect();
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write!(out, "set {{{}}}", join(&set));
        let _ = write!(out, " remove-wins [{}] register [{}]", join(&remove_wins), join(&register));
        for key in 0..3 {
            let elements: Vec<u8> =
                self.map.get(&key).into_iter().flat_map(|set| set.keys().copied()).collect();
            let _ = write!(out, " key {{{}}}", join(&elements));
        }
        let (first, second) = (self.enable_wins.is_enabled(), self.disable_wins.is_enabled());
        let _ = write!(out, " counter {} flags {first} {second}", self.counter.value());
        let letters: String = self.text.chars().collect();
        let _ = write!(out, " list [{}] text {letters:?}", join(&list));
        let registers: Vec<(u8, u64)> =
            self.registers.iter().map(|(key, write)| (*key, *write)).collect();
        let _ = write!(out, " registers {registers:?}");
        out
    }

    pub(super) fn check_invariants(&self) {
        self.set.check_invariants();
        self.remove_wins.check_invariants();
        self.register.check_invariants();
        self.map.check_invariants();
        self.counter.check_invariants();
        self.enable_wins.check_invariants();
        self.disable_wins.check_invariants();
        self.list.check_invariants();
        self.registers.check_invariants();
        self.text.check_invariants();
    }
}

/// Runs are far shorter than any limit.
const ROOM: &str = "there is room";

fn join(items: &[u8]) -> String {
    items.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}
