//! One machine: a process, its disk, its clock.

use crdt_core::{ReplicaId, VersionVector};

use crate::clock::Clock;
use crate::disk::{Disk, WriteFate};
use crate::faults::Fault;
use crate::model::Version;
use crate::plan::{Hostility, Identity, Plan, Storage};
use crate::replica::{Hostile, Machine, Replica};

use super::World;
use super::keeper::Keeper;
use super::standing::Standing;

/// What runs on a machine.
pub(super) enum Body<R: Replica> {
    /// The program under test; nothing while it is down.
    Honest(Option<R>),
    Hostile(R::Hostile),
}

/// A packet that waits for a process that stands still.
pub(super) struct Held {
    pub(super) link: usize,
    pub(super) connection: u64,
    pub(super) end: usize,
    pub(super) bytes: Vec<u8>,
}

/// One machine.
pub(super) struct Node<R: Replica> {
    pub(super) body: Body<R>,
    pub(super) id: ReplicaId,
    /// How many ids it has had before.
    pub(super) minted: u64,
    pub(super) clock: Clock,
    pub(super) storage: Storage,
    pub(super) disk: Disk,
    /// Records in its file.
    pub(super) records: u32,
    pub(super) up: bool,
    /// How often it has started: what was under way before the last time is void.
    pub(super) boots: u64,
    pub(super) paused_until: Option<u64>,
    pub(super) held: Vec<Held>,
    /// What its file holds, with the write that is under way.
    pub(super) written: VersionVector,
    /// What its file holds for sure: how the laboratory knows what is safe.
    pub(super) truth: Version,
    /// What it was seen to make and to apply: how the laboratory knows what it holds.
    pub(super) holds: Version,
    /// What was synced is damaged, or another file is in its place.
    pub(super) damaged: bool,
    /// What is to be done with the id at the next start, if anything is odd about the file.
    pub(super) identity: Option<Identity>,
    /// It writes nothing before it was up to date.
    pub(super) cautious: bool,
    /// Another machine, or another time, has the same id.
    pub(super) shares_id: bool,
    pub(super) backup: Option<(Disk, ReplicaId)>,
    /// A crash that waits for the middle of a write.
    pub(super) crash_mid_write: Option<(WriteFate, u64)>,
    /// When it is going to go on by itself.
    pub(super) wake_at: Option<u64>,
    /// A whole new file is to be written next.
    pub(super) compact: bool,
    /// What a server knows of what may be forgotten.
    pub(super) keeper: Option<Keeper>,
    /// How far behind the others it is, as it knows itself.
    pub(super) standing: Option<Standing>,
    /// What its file has of what may be forgotten, with the write that is under way.
    pub(super) saved: Vec<u8>,
    /// What it has in memory alone, and may say that it has: a copy that it can get again.
    pub(super) copy: Version,
    /// An id that it has taken and not written down.
    pub(super) unsure: Option<ReplicaId>,
    how: Option<Hostility>,
}

impl<R: Replica> Node<R> {
    pub(super) fn new(plan: &Plan, index: usize) -> Self {
        let node = &plan.nodes[index];
        let id = World::<R>::mint(plan.seed, index, 0);
        let mut body = Body::Honest(None);
        if let Some(how) = node.hostile {
            body = Body::Hostile(R::Hostile::new(how, id, plan.seed));
        } else if let Body::Honest(replica) = &mut body {
            let mut new = R::new(id, &plan.limits);
            new.set_durable(&VersionVector::new());
            *replica = Some(new);
        }
        Self {
            body,
            id,
            minted: 0,
            clock: Clock::new(0, node.clock_ms),
            storage: node.storage,
            disk: Disk::default(),
            records: 0,
            up: true,
            boots: 0,
            paused_until: None,
            held: Vec::new(),
            written: VersionVector::new(),
            truth: Version::new(),
            holds: Version::new(),
            damaged: false,
            identity: None,
            cautious: false,
            shares_id: false,
            backup: None,
            crash_mid_write: None,
            wake_at: None,
            compact: false,
            keeper: None,
            standing: None,
            saved: Vec::new(),
            copy: Version::new(),
            unsure: None,
            how: node.hostile,
        }
    }

    pub(super) fn replica(&self) -> Option<&R> {
        match &self.body {
            Body::Honest(replica) => replica.as_ref(),
            Body::Hostile(_) => None,
        }
    }

    pub(super) fn replica_mut(&mut self) -> Option<&mut R> {
        match &mut self.body {
            Body::Honest(replica) => replica.as_mut(),
            Body::Hostile(_) => None,
        }
    }

    pub(super) fn is_honest(&self) -> bool {
        matches!(self.body, Body::Honest(_))
    }

    /// Whether it runs, and does not stand still.
    pub(super) fn is_running(&self) -> bool {
        self.up && self.paused_until.is_none()
    }

    /// Its end of links.
    pub(super) fn machine(&mut self) -> Option<&mut dyn Machine> {
        match &mut self.body {
            Body::Honest(replica) => replica.as_mut().map(|replica| replica as &mut dyn Machine),
            Body::Hostile(hostile) => Some(hostile),
        }
    }

    pub(super) fn hostile_fault(&self) -> Fault {
        match self.how.expect("only hostile peers are asked") {
            Hostility::Jump => Fault::Jump,
            Hostility::Boast => Fault::Boast,
            Hostility::Equivocate => Fault::Equivocation,
            Hostility::Flood => Fault::Flood,
            Hostility::Mute => Fault::Mute,
            Hostility::Stale => Fault::StaleSummary,
            Hostility::OtherProtocol => Fault::OtherProtocol,
        }
    }
}
