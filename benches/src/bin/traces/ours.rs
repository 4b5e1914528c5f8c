//! This library.

use crdt_core::sequence::{Rope, Text, TextDelta, TextError, TextOp};
use crdt_core::{ReplicaId, VersionVector, Writer};

use crate::engine::{Archive, Edit, Engine, Offsets, Outcome};

pub(crate) enum Ours {}

/// A text and the one who writes on it.
pub(crate) struct Replica {
    text: Text,
    writer: Writer,
}

/// Who goes on writing on a loaded text.
const NEWCOMER: u128 = u128::MAX;

impl Replica {
    fn new(text: Text, id: u128) -> Self {
        let writer = text.writer(ReplicaId::from_u128(id));
        Self { text, writer }
    }

    pub(crate) fn rope(&self) -> &Rope {
        self.text.rope()
    }
}

impl Engine for Ours {
    const OFFSETS: Offsets = Offsets::CodePoints;

    type Replica = Replica;
    type Update = TextDelta;

    fn replica(writer: usize) -> Replica {
        Replica::new(Text::new(), writer as u128 + 1)
    }

    fn edit(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome {
        match write(replica, edits) {
            Ok(_delta) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn edit_and_send(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome<TextDelta> {
        Ok(write(replica, edits)?)
    }

    fn receive(replica: &mut Replica, updates: &[&TextDelta]) -> Outcome {
        Ok(replica.text.join_all(updates)?)
    }

    fn text(replica: &Replica) -> Outcome<String> {
        Ok(replica.text.to_string())
    }
}

fn write(replica: &mut Replica, edits: &[Edit<'_>]) -> Result<TextDelta, TextError> {
    let Replica { text, writer } = replica;
    match *edits {
        [Edit { at, deleted, inserted }] => {
            text.splice(at as u32, deleted as u32, inserted, writer)
        }
        _ => text.edit(&edits.iter().flat_map(ops).collect::<Vec<_>>(), writer),
    }
}

fn ops<'e>(edit: &Edit<'e>) -> impl Iterator<Item = TextOp<'e>> {
    let Edit { at, deleted, inserted } = *edit;
    let (at, len) = (at as u32, deleted as u32);
    let deletion = (len > 0).then_some(TextOp::Delete { at, len, forward: true });
    let insertion = (!inserted.is_empty()).then_some(TextOp::Insert { at, content: inserted });
    deletion.into_iter().chain(insertion)
}

impl Archive for Ours {
    fn everything(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.text.delta_since(&VersionVector::new())?.encode())
    }

    fn merge(update: &[u8]) -> Outcome<Replica> {
        let mut text = Text::new();
        text.join_encoded(update)?;
        Ok(Replica::new(text, NEWCOMER))
    }

    fn save(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.text.encode()?)
    }

    fn load(saved: &[u8]) -> Outcome<Replica> {
        Ok(Replica::new(Text::decode(saved)?, NEWCOMER))
    }
}
