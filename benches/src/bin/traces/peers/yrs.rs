//! yrs: a document with one text that keeps what was deleted, as the full history wants it;
//! with either of its encodings.

use std::marker::PhantomData;

use yrs::updates::decoder::Decode;
use yrs::{
    ClientID, Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact,
    TransactionMut, Update,
};

use crate::engine::{Archive, Edit, Engine, Offsets, Outcome};

/// The engine with its first encoding, which it calls the default.
pub(crate) type Yrs = With<V1>;
/// The engine with its second encoding, which is smaller.
pub(crate) type YrsV2 = With<V2>;

pub(crate) struct With<E>(PhantomData<E>);

/// One of the two encodings.
pub(crate) trait Encoding {
    fn of_transaction(transaction: &TransactionMut<'_>) -> Vec<u8>;
    fn of_everything(transaction: &impl ReadTxn) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Outcome<Update>;
}

pub(crate) enum V1 {}
pub(crate) enum V2 {}

impl Encoding for V1 {
    fn of_transaction(transaction: &TransactionMut<'_>) -> Vec<u8> {
        transaction.encode_update_v1()
    }

    fn of_everything(transaction: &impl ReadTxn) -> Vec<u8> {
        transaction.encode_state_as_update_v1(&StateVector::default())
    }

    fn read(bytes: &[u8]) -> Outcome<Update> {
        Ok(Update::decode_v1(bytes)?)
    }
}

impl Encoding for V2 {
    fn of_transaction(transaction: &TransactionMut<'_>) -> Vec<u8> {
        transaction.encode_update_v2()
    }

    fn of_everything(transaction: &impl ReadTxn) -> Vec<u8> {
        transaction.encode_state_as_update_v2(&StateVector::default())
    }

    fn read(bytes: &[u8]) -> Outcome<Update> {
        Ok(Update::decode_v2(bytes)?)
    }
}

pub(crate) struct Replica {
    doc: Doc,
    text: TextRef,
}

impl Replica {
    fn new(client: u64) -> Self {
        let mut options = Options::with_client_id(ClientID::new(client));
        options.offset_kind = OffsetKind::Bytes;
        options.skip_gc = true;
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text("text");
        Self { doc, text }
    }

    fn apply(&self, transaction: &mut TransactionMut<'_>, edits: &[Edit<'_>]) {
        for &Edit { at, deleted, inserted } in edits {
            if deleted > 0 {
                self.text.remove_range(transaction, at as u32, deleted as u32);
            }
            self.text.insert(transaction, at as u32, inserted);
        }
    }
}

/// Who goes on writing on a loaded text.
const NEWCOMER: u64 = 1 << 40;

impl<E: Encoding> Engine for With<E> {
    const OFFSETS: Offsets = Offsets::Bytes;

    type Replica = Replica;
    type Update = Vec<u8>;

    fn replica(writer: usize) -> Replica {
        Replica::new(writer as u64 + 1)
    }

    fn edit(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome {
        replica.apply(&mut replica.doc.transact_mut(), edits);
        Ok(())
    }

    fn edit_and_send(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome<Vec<u8>> {
        let mut transaction = replica.doc.transact_mut();
        replica.apply(&mut transaction, edits);
        Ok(E::of_transaction(&transaction))
    }

    fn receive(replica: &mut Replica, updates: &[&Vec<u8>]) -> Outcome {
        let mut transaction = replica.doc.transact_mut();
        for update in updates {
            transaction.apply_update(E::read(update)?)?;
        }
        Ok(())
    }

    fn text(replica: &Replica) -> Outcome<String> {
        Ok(replica.text.get_string(&replica.doc.transact()))
    }
}

impl<E: Encoding> Archive for With<E> {
    fn everything(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(E::of_everything(&replica.doc.transact()))
    }

    fn merge(update: &[u8]) -> Outcome<Replica> {
        let replica = Replica::new(NEWCOMER);
        replica.doc.transact_mut().apply_update(E::read(update)?)?;
        Ok(replica)
    }

    fn save(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Self::everything(replica)
    }

    fn load(saved: &[u8]) -> Outcome<Replica> {
        Self::merge(saved)
    }
}
