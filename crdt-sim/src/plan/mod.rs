//! What happens in one run: drawn from a seed, or read from a file that someone has edited.

mod draw;
mod edit;
mod levels;
mod text;
mod trimming;
mod twins;

use serde::{Deserialize, Serialize};

use crate::disk::WriteFate;
pub(crate) use draw::REGISTERS;
pub use edit::Edit;
pub use levels::{ClientPlan, LevelsPlan};

/// How many of a thousand seeds have long histories, unless somebody wants more: they take most of the time.
const LONG_PERMILLE: u64 = 30;

/// A run as data: equal plans have equal traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What the run was drawn from. It goes on to decide the fates of packets, and replica ids.
    pub seed: u64,
    /// What is replicated.
    pub subject: Subject,
    /// The machines.
    pub nodes: Vec<NodePlan>,
    /// Who is connected to whom, by their places among the nodes.
    pub links: Vec<[usize; 2]>,
    /// What the network does to packets.
    pub network: NetworkPlan,
    /// What sessions and buffers are told to accept, and how long to wait.
    pub limits: LimitsPlan,
    /// Whether servers forget their history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimming: Option<TrimmingPlan>,
    /// Whether clients ask for levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<LevelsPlan>,
    /// When the faults end. From then on everything has to converge.
    pub calm_at_ms: u64,
    /// What happens besides, in order of time.
    pub steps: Vec<Step>,
    /// The faults of single packets. Without it the rates of the network decide; with it these
    /// happen and no others, which is how a plan is shrunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<Vec<PacketFault>>,
}

/// What is replicated in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Documents that sync sessions keep in step.
    Documents,
    /// Values of many types, whose changes a causal delivery buffer puts in order.
    Messages,
}

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// Where its data are.
    pub storage: Storage,
    /// What its clock shows at the beginning.
    pub clock_ms: u64,
    /// It means harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostile: Option<Hostility>,
}

/// Where a machine keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Storage {
    /// On a disk, which takes so long to make a write durable.
    Disk {
        /// How long.
        sync_ms: u64,
    },
    /// In its memory alone: a crash takes everything.
    Memory,
}

/// How a hostile peer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hostility {
    /// Its sequence numbers leap to the end.
    Jump,
    /// It claims to hold what nobody has written, and to have received what nobody has sent.
    Boast,
    /// It issues two events under one dot, one after the other to the same peer.
    Equivocate,
    /// It sends as much as it can, of every kind.
    Flood,
    /// It greets, and never acknowledges anything.
    Mute,
    /// It greets again and again with an old summary, and asks for vectors.
    Stale,
    /// It speaks a version of the protocol that does not exist.
    OtherProtocol,
}

/// What the network does to packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkPlan {
    /// How long every packet takes.
    pub latency_ms: u64,
    /// How much longer some take.
    pub jitter_ms: u64,
    /// How many of a thousand packets are lost.
    pub loss_permille: u64,
    /// How many arrive twice.
    pub duplication_permille: u64,
    /// How many are overtaken by later ones.
    pub reordering_permille: u64,
    /// How many are held up, with all that follow them.
    pub delay_permille: u64,
    /// For how long, at most.
    pub delay_ms: u64,
}

/// What sessions and buffers are told to accept, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsPlan {
    /// The longest message.
    pub message_bytes_max: u64,
    /// How many bytes may be on their way.
    pub in_flight_bytes_max: u64,
    /// How many messages may be.
    pub in_flight_messages_max: u64,
    /// The first wait for an answer.
    pub retry_ms: u64,
    /// The longest.
    pub retry_ms_max: u64,
    /// How long an acknowledgement may wait for the disk.
    pub acknowledge_ms: u64,
    /// How many messages a delivery buffer holds back.
    pub pending_max: u64,
}

/// Servers that forget what everybody has had for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrimmingPlan {
    /// So many machines, the first ones, are servers; all others are clients of theirs.
    pub servers: usize,
    /// For how long a client may be away.
    pub horizon_ms: u64,
}

/// Something that happens at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When, on the virtual clock.
    pub at_ms: u64,
    /// What.
    pub action: Action,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// A user makes a change of some edits; it fails in the end if the flag is set.
    Edit {
        /// Where.
        node: usize,
        /// What.
        edits: Vec<Edit>,
        /// The change is given up.
        fails: bool,
    },
    /// A user makes many changes, one right after the other: what long histories are made of.
    Burst {
        /// Where.
        node: usize,
        /// How many.
        changes: u32,
        /// Among how many places.
        places: u8,
        /// What the edits are drawn from, change by change.
        chance: u64,
    },
    /// A client comes, from wherever it was before.
    Visit {
        /// Which client.
        client: u8,
        /// Where it comes to.
        node: usize,
        /// The register that it writes; without it, it reads all of them.
        writes: Option<u8>,
        /// It brings what it has seen and written, and is not served by who has less. Where clients ask for levels
        /// they all do, and these decide.
        has_token: bool,
    },
    /// A machine writes its whole state into a new file.
    Compact {
        /// Which one.
        node: usize,
    },
    /// A process ends without warning, and comes back.
    Crash {
        /// Where.
        node: usize,
        /// How long it stays away.
        down_ms: u64,
        /// Not now, but in the middle of the next write.
        mid_write: bool,
        /// What becomes of a write that was not synced.
        fate: WriteFate,
    },
    /// A crash, and a bit on the disk is wrong afterwards.
    Rot {
        /// Where.
        node: usize,
        /// How long it stays away.
        down_ms: u64,
        /// Which bit.
        bit: u32,
    },
    /// A process stands still: a suspended laptop, a long pause of some virtual machine.
    Pause {
        /// Where.
        node: usize,
        /// For how long.
        for_ms: u64,
    },
    /// Packets of some links are lost, in both directions or in one.
    Partition {
        /// What cut them.
        cut: Cut,
        /// For how long.
        for_ms: u64,
    },
    /// Packets of a link wait, and then come all at once.
    Clog {
        /// Which link.
        link: usize,
        /// For how long.
        for_ms: u64,
    },
    /// Both ends lose the connection, and know it.
    Disconnect {
        /// Which link.
        link: usize,
        /// For how long.
        for_ms: u64,
    },
    /// Someone sets a clock.
    ClockStep {
        /// Where.
        node: usize,
        /// Forwards or backwards.
        by_ms: i64,
    },
    /// A clock is too fast or too slow from now on.
    ClockDrift {
        /// Where.
        node: usize,
        /// By so many millionths.
        ppm: i64,
    },
    /// A copy of a disk is put aside.
    Backup {
        /// Whose.
        node: usize,
    },
    /// A disk is replaced by the copy that was put aside.
    Restore {
        /// Whose.
        node: usize,
        /// How long it takes.
        down_ms: u64,
        /// Under which id the machine writes then.
        identity: Identity,
    },
    /// A disk is copied to another machine.
    Clone {
        /// From where.
        from: usize,
        /// To where.
        to: usize,
        /// Under which id the other machine writes then.
        identity: Identity,
    },
}

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// Those between these nodes and the others.
    Symmetric(Vec<usize>),
    /// The same, but only what these nodes send is lost.
    Asymmetric(Vec<usize>),
    /// These links, whoever they connect: two nodes may be apart and each near a third.
    Partial(Vec<usize>),
}

/// What a program does that finds a replica id in its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// It has no proof that nobody else writes under it, and takes a new one: as it should.
    Mint,
    /// It goes on with it, but writes nothing before it was up to date once.
    Cautious,
    /// It goes on with it.
    Keep,
}

/// A fault of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PacketFault {
    /// The link, by its place in the plan.
    pub link: usize,
    /// The how-many-th connection over it.
    pub connection: u64,
    /// Which end sends.
    pub end: usize,
    /// The how-many-th packet of that end and connection.
    pub packet: u64,
    /// What befalls it.
    pub fault: PacketFate,
}

/// What befalls a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PacketFate {
    /// It never arrives.
    Lost,
    /// It arrives again so much later.
    Twice(u64),
    /// It arrives so much later, and is overtaken.
    Overtaken(u64),
    /// It arrives so much later, and so does all that follows.
    Delayed(u64),
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        Self::draw_long(seed, LONG_PERMILLE)
    }

    /// The plan of a seed where so many of a thousand have long histories: thousands of operations at each
    /// replica instead of dozens. Whatever the number is, what else a seed draws is the same, and so are the
    /// seeds that are long with a smaller one.
    #[must_use]
    pub fn draw_long(seed: u64, long_permille: u64) -> Self {
        draw::plan(seed, long_permille)
    }

    /// The plan of a seed in which a replica id gets into two hands, and little else happens: what
    /// is left is how long it takes until someone notices.
    #[must_use]
    pub fn draw_twins(seed: u64) -> Self {
        twins::plan(seed)
    }

    /// Whether packets arrive after the latency that every packet has, machines run as long as
    /// they are not copied, and links end only where the plan says that both ends know.
    #[must_use]
    pub fn is_undisturbed(&self) -> bool {
        let NetworkPlan { jitter_ms, loss_permille, delay_permille, reordering_permille, .. } =
            self.network;
        let rates = [jitter_ms, loss_permille, delay_permille, reordering_permille];
        rates == [0; 4]
            && self.packets.as_ref().is_none_or(Vec::is_empty)
            && self.nodes.iter().all(|node| node.hostile.is_none())
            && self.steps.iter().all(|step| {
                matches!(
                    step.action,
                    Action::Edit { .. }
                        | Action::Burst { .. }
                        | Action::Compact { .. }
                        | Action::Disconnect { .. }
                        | Action::Backup { .. }
                        | Action::Restore { .. }
                        | Action::Clone { .. }
                )
            })
    }

    /// How long it takes at most until both ends of a new connection have heard what the other
    /// end holds, and each the answer: one round of syncing, where nothing disturbs it.
    #[must_use]
    pub fn round_ms(&self) -> u64 {
        let sync_ms = |node: &NodePlan| match node.storage {
            Storage::Disk { sync_ms } => sync_ms,
            Storage::Memory => 0,
        };
        2 * self.network.latency_ms + self.nodes.iter().map(sync_ms).max().unwrap_or(0)
    }
}
