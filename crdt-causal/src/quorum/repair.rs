//! Reading from a quorum, and giving back what some of it lack.

use alloc::collections::{BTreeMap, BTreeSet};

use crdt_core::lattice::Decompose;

use super::threshold::Quorum;

/// Joins the replies of a read, and tells what each replica lacks.
///
/// The value is the *join* of the replies: taking the greatest version would drop what was written beside
/// it. It is fixed when enough have replied; a reply that comes later can be repaired, but does not
/// change what was read. Repairing is a join as well, so it may come late, twice or after newer writes.
///
/// Returning the value at once makes a *regular* register: the next read, at other replicas, may not
/// see what this one saw of a write under way. Once a write quorum has what was read
/// ([`is_written_back`](Self::is_written_back)) no later read sees less. For versions that are totally
/// ordered that makes reads linearizable (Attiya, Bar-Noy, Dolev). Values that are joined can still be read
/// by two clients at once in parts of which neither contains the other.
///
/// ```
/// use crdt_causal::quorum::{Preset, QuorumSpec, ReadRepair, Topology};
/// use crdt_core::GrowOnlySet;
///
/// let set = |items: &[&'static str]| items.iter().copied().collect::<GrowOnlySet<_>>();
/// let topology = Topology::new([3])?;
/// let spec = QuorumSpec::of_presets(Preset::Quorum, Preset::Quorum, &topology, 0)?;
/// let mut read = ReadRepair::new(spec.read);
/// read.reply(0, set(&["tea"]));
/// assert_eq!(read.value(), None);
/// read.reply(2, set(&["milk", "tea"]));
/// assert_eq!(read.value(), Some(&set(&["milk", "tea"])));
///
/// // Replica 0 lacks the milk. With it a majority has what was read.
/// assert!(!read.is_written_back(&spec.write));
/// let lacking = read.lacking(0).expect("it lacks something");
/// assert_eq!(lacking.get(), &set(&["milk"]));
/// assert!(read.lacking(2).is_none());
/// read.repaired(0);
/// assert!(read.is_written_back(&spec.write));
/// # Ok::<(), crdt_causal::quorum::TopologyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReadRepair<S> {
    quorum: Quorum,
    replies: BTreeMap<usize, S>,
    /// The join of the first replies that were enough.
    value: Option<S>,
    repaired: BTreeSet<usize>,
}

impl<S: Decompose> ReadRepair<S> {
    /// Nobody has replied yet.
    #[must_use]
    pub const fn new(quorum: Quorum) -> Self {
        Self { quorum, replies: BTreeMap::new(), value: None, repaired: BTreeSet::new() }
    }

    /// A replica has this. Only its first reply counts, and only that of a replica that exists. Whether
    /// there are enough.
    pub fn reply(&mut self, replica: usize, state: S) -> bool {
        if self.quorum.topology().data_centre_of(replica).is_some() {
            self.replies.entry(replica).or_insert(state);
        }
        if self.value.is_none() && self.quorum.is_met_by(self.replies.keys().copied()) {
            let mut replies = self.replies.values().cloned();
            self.value = replies.next().map(|mut first| {
                for reply in replies {
                    first.join(reply);
                }
                first
            });
        }
        self.value.is_some()
    }

    /// What was read, when enough have replied.
    #[must_use]
    pub const fn value(&self) -> Option<&S> {
        self.value.as_ref()
    }

    /// What a replica that has replied lacks of what was read: to be sent to it. Costs what comparing the
    /// two values costs.
    #[must_use]
    pub fn lacking(&self, replica: usize) -> Option<S::Delta> {
        if self.repaired.contains(&replica) {
            return None;
        }
        let (value, mut reply) = (self.value.as_ref()?, self.replies.get(&replica)?.clone());
        let lacking = value.difference(&reply);
        reply.join(lacking.clone()).then_some(lacking)
    }

    /// The replicas that have not replied. What was read, whole, is a repair for them.
    pub fn silent(&self) -> impl Iterator<Item = usize> + '_ {
        let all = 0..self.quorum.topology().replicas();
        all.filter(|replica| {
            !self.replies.contains_key(replica) && !self.repaired.contains(replica)
        })
    }

    /// A replica has taken in what it lacked.
    pub fn repaired(&mut self, replica: usize) {
        if self.value.is_some() {
            self.repaired.insert(replica);
        }
    }

    /// Whether a write quorum has all that was read.
    #[must_use]
    pub fn is_written_back(&self, write: &Quorum) -> bool {
        let has_it = |replica: &usize| {
            self.repaired.contains(replica)
                || self.replies.contains_key(replica) && self.lacking(*replica).is_none()
        };
        let all = 0..self.quorum.topology().replicas();
        self.value.is_some() && write.is_met_by(all.filter(has_it))
    }
}
