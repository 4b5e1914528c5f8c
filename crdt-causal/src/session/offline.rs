use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::{Dot, ReplicaId};

use super::realm::LogTag;

/// Where the offline writes of a replica to a log end.
type Entry = ((ReplicaId, LogTag), u64);

/// Writes that no server has attested: of each replica and log, the last one.
///
/// The last one says it all, since a replica's writes to a log are held without gaps. Only the
/// session's client knows of them, and a server believes it about its own replica alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OfflineWrites {
    /// Ascending, and without zeros.
    last: Vec<Entry>,
}

impl OfflineWrites {
    pub(super) const NONE: Self = Self { last: Vec::new() };

    /// The sequence number of the last write of a replica to a log, 0 if there is none.
    pub fn get(&self, replica: ReplicaId, log: LogTag) -> u64 {
        self.find(replica, log).map_or(0, |index| self.last[index].1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The last writes, each with its log, in the order of replicas and tags.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (LogTag, Dot)> + '_ {
        self.last.iter().map(|&((replica, log), seq)| (log, Dot::new(replica, seq)))
    }

    pub(super) fn record(&mut self, replica: ReplicaId, log: LogTag, seq: u64) {
        match self.find(replica, log) {
            Ok(index) => self.last[index].1 = self.last[index].1.max(seq),
            Err(index) if seq > 0 => self.last.insert(index, ((replica, log), seq)),
            Err(_) => {}
        }
    }

    /// Forgets the writes of a replica to a log, if all are within the first `seq`.
    pub(super) fn settle(&mut self, replica: ReplicaId, log: LogTag, seq: u64) -> bool {
        let settled = self.find(replica, log).ok().filter(|&index| self.last[index].1 <= seq);
        settled.map(|index| self.last.remove(index)).is_some()
    }

    pub(super) fn join(&mut self, other: &Self) {
        for (log, dot) in other.iter() {
            self.record(dot.replica, log, dot.seq);
        }
    }

    /// Takes out everything that was in `other` already.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.last.retain(|&((replica, log), seq)| seq > other.get(replica, log));
    }

    /// Takes out what is not of a replica that `is_own`, and returns it.
    pub(super) fn split_foreign(&mut self, is_own: impl Fn(ReplicaId) -> bool) -> Self {
        let foreign = self.last.extract_if(.., |((replica, _), _)| !is_own(*replica)).collect();
        Self { last: foreign }
    }

    fn find(&self, replica: ReplicaId, log: LogTag) -> Result<usize, usize> {
        self.last.binary_search_by_key(&(replica, log), |&(key, _)| key)
    }
}

impl Encode for OfflineWrites {
    /// The count of replicas, then of each its id, the count of its logs, and of each of these its
    /// tag and the sequence number.
    fn encode(&self, out: &mut Writer) {
        let of_one_replica = || self.last.chunk_by(|a, b| a.0.0 == b.0.0);
        out.count(of_one_replica().count());
        for entries in of_one_replica() {
            entries[0].0.0.encode(out);
            out.count(entries.len());
            for ((_, log), seq) in entries {
                log.encode(out);
                out.varint(*seq);
            }
        }
    }
}

impl Decode for OfflineWrites {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut last: Vec<Entry> = Vec::new();
        let replicas = input.count(ReplicaId::BYTES_MIN + 1 + LogTag::BYTES_MIN + 1)?;
        for _ in 0..replicas {
            let replica = ReplicaId::decode(input)?;
            let at = input.position();
            let logs = input.count(LogTag::BYTES_MIN + 1)?;
            if logs == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            for index in 0..logs {
                let at = input.position();
                let key = (replica, LogTag::decode(input)?);
                // Replicas ascend strictly, and so do the logs of each.
                let ascends = last.last().is_none_or(|&(before, _)| {
                    if index == 0 { before.0 < key.0 } else { before < key }
                });
                if !ascends {
                    return Err(DecodeErrorKind::NotAscending.at(at));
                }
                last.push((key, input.seq()?));
            }
        }
        Ok(Self { last })
    }
}
