//! loro: a document with one text; snapshots to store, updates to send.

use loro::{ExportMode, LoroDoc, LoroText};

use crate::engine::{Archive, Edit, Engine, Offsets, Outcome};

pub(crate) enum Loro {}

pub(crate) struct Replica {
    doc: LoroDoc,
    text: LoroText,
}

impl Replica {
    fn new(doc: LoroDoc) -> Self {
        let text = doc.get_text("text");
        Self { doc, text }
    }
}

impl Engine for Loro {
    const OFFSETS: Offsets = Offsets::CodePoints;

    type Replica = Replica;
    type Update = Vec<u8>;

    fn replica(writer: usize) -> Replica {
        let doc = LoroDoc::new();
        doc.set_peer_id(writer as u64 + 1).expect("nothing is written yet");
        Replica::new(doc)
    }

    /// Without a commit: one happens by itself before anything is exported or imported.
    fn edit(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome {
        for &Edit { at, deleted, inserted } in edits {
            if deleted > 0 {
                replica.text.delete(at, deleted)?;
            }
            if !inserted.is_empty() {
                replica.text.insert(at, inserted)?;
            }
        }
        Ok(())
    }

    fn edit_and_send(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome<Vec<u8>> {
        let before = replica.doc.oplog_vv();
        Self::edit(replica, edits)?;
        Ok(replica.doc.export(ExportMode::updates(&before))?)
    }

    fn finish(replica: &mut Replica) {
        replica.doc.commit();
    }

    fn receive(replica: &mut Replica, updates: &[&Vec<u8>]) -> Outcome {
        let status = match updates {
            [update] => replica.doc.import(update)?,
            _ => {
                let updates: Vec<Vec<u8>> = updates.iter().copied().cloned().collect();
                replica.doc.import_batch(&updates)?
            }
        };
        if status.pending.is_some() { Err("updates are missing".into()) } else { Ok(()) }
    }

    fn text(replica: &Replica) -> Outcome<String> {
        Ok(replica.text.to_string())
    }
}

impl Archive for Loro {
    fn everything(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.doc.export(ExportMode::all_updates())?)
    }

    fn merge(update: &[u8]) -> Outcome<Replica> {
        let doc = LoroDoc::new();
        doc.import(update)?;
        Ok(Replica::new(doc))
    }

    fn save(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.doc.export(ExportMode::Snapshot)?)
    }

    fn load(saved: &[u8]) -> Outcome<Replica> {
        Ok(Replica::new(LoroDoc::from_snapshot(saved)?))
    }
}
