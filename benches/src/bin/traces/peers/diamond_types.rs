//! diamond-types: an operation log and a branch at its tip, together a `ListCRDT`.

use diamond_types::AgentId;
use diamond_types::list::ListCRDT;
use diamond_types::list::encoding::{ENCODE_FULL, ENCODE_PATCH};

use crate::engine::{Archive, Edit, Engine, Offsets, Outcome};

pub(crate) enum DiamondTypes {}

pub(crate) struct Replica {
    list: ListCRDT,
    agent: AgentId,
}

impl Replica {
    fn new(mut list: ListCRDT, name: &str) -> Self {
        let agent = list.oplog.get_or_create_agent_id(name);
        Self { list, agent }
    }
}

impl Engine for DiamondTypes {
    const OFFSETS: Offsets = Offsets::CodePoints;

    type Replica = Replica;
    type Update = Vec<u8>;

    fn replica(writer: usize) -> Replica {
        Replica::new(ListCRDT::new(), &writer.to_string())
    }

    fn edit(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome {
        let Replica { list, agent } = replica;
        for &Edit { at, deleted, inserted } in edits {
            if deleted > 0 {
                list.delete_without_content(*agent, at..at + deleted);
            }
            if !inserted.is_empty() {
                list.insert(*agent, at, inserted);
            }
        }
        Ok(())
    }

    fn edit_and_send(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome<Vec<u8>> {
        let before = replica.list.oplog.local_version();
        Self::edit(replica, edits)?;
        Ok(replica.list.oplog.encode_from(ENCODE_PATCH, &before))
    }

    fn receive(replica: &mut Replica, updates: &[&Vec<u8>]) -> Outcome {
        let ListCRDT { oplog, branch } = &mut replica.list;
        for update in updates {
            oplog.decode_and_add(update)?;
        }
        branch.merge(oplog, oplog.local_version_ref());
        Ok(())
    }

    fn text(replica: &Replica) -> Outcome<String> {
        Ok(replica.list.branch.content().to_string())
    }
}

impl Archive for DiamondTypes {
    fn everything(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.list.oplog.encode(ENCODE_PATCH))
    }

    fn merge(update: &[u8]) -> Outcome<Replica> {
        let mut list = ListCRDT::new();
        list.merge_data_and_ff(update)?;
        Ok(Replica::new(list, "newcomer"))
    }

    fn save(replica: &mut Replica) -> Outcome<Vec<u8>> {
        Ok(replica.list.oplog.encode(ENCODE_FULL))
    }

    fn load(saved: &[u8]) -> Outcome<Replica> {
        Ok(Replica::new(ListCRDT::load_from(saved)?, "newcomer"))
    }
}
