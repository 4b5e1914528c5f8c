//! automerge: a document that opens and commits transactions by itself, with one text.

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, Change, ObjId, ObjType, ROOT, ReadDoc};

use crate::engine::{Archive, Edit, Engine, Offsets, Outcome};

pub(crate) enum Automerge {}

pub(crate) struct Replica {
    doc: AutoCommit,
    text: ObjId,
}

impl Replica {
    fn new(doc: AutoCommit) -> Outcome<Self> {
        let (_, text) = doc.get(ROOT, "text")?.ok_or("there is no text")?;
        Ok(Self { doc, text })
    }
}

impl Engine for Automerge {
    const OFFSETS: Offsets = Offsets::CodePoints;

    type Replica = Replica;
    /// Nothing for a transaction without an edit.
    type Update = Option<Change>;

    /// The text must have been made by one; all repeat what that one did.
    fn replica(writer: usize) -> Replica {
        let mut doc = AutoCommit::new().with_actor(ActorId::from([0]));
        let text = doc.put_object(ROOT, "text", ObjType::Text).expect("the root is a map");
        doc.commit();
        doc.set_actor(ActorId::from((writer as u64 + 1).to_be_bytes()));
        Replica { doc, text }
    }

    /// Without a commit: one happens by itself before anything is saved or received.
    fn edit(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome {
        for &Edit { at, deleted, inserted } in edits {
            replica.doc.splice_text(&replica.text, at, deleted as isize, inserted)?;
        }
        Ok(())
    }

    fn edit_and_send(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome<Option<Change>> {
        Self::edit(replica, edits)?;
        let committed = replica.doc.commit();
        Ok(committed.and_then(|_| replica.doc.get_last_local_change()))
    }

    fn finish(replica: &mut Replica) {
        replica.doc.commit();
    }

    fn receive(replica: &mut Replica, updates: &[&Option<Change>]) -> Outcome {
        let changes = updates.iter().filter_map(|update| update.as_ref()).cloned();
        Ok(replica.doc.apply_changes(changes)?)
    }

    fn text(replica: &Replica) -> Outcome<String> {
        Ok(replica.doc.text(&replica.text)?)
    }
}

impl Archive for Automerge {
    fn everything(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Self::save(replica)
    }

    fn merge(update: &[u8]) -> Outcome<Replica> {
        let mut doc = AutoCommit::new();
        doc.load_incremental(update)?;
        Replica::new(doc)
    }

    fn save(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.doc.save())
    }

    fn load(saved: &[u8]) -> Outcome<Replica> {
        Replica::new(AutoCommit::load(saved)?)
    }
}
