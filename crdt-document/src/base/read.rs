use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_causal::sync::ChainHash;
use crdt_core::causality::{Base, Frontier};
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Reader, ReceiveTable};
use crdt_core::dot_store::DotSet;
use crdt_core::sequence::{EVENTS_MAX, TextStore};
use crdt_core::set::AddWinsStore;
use crdt_core::{Dot, EventGraph, ReplicaId, VersionVector};

use super::Begun;
use crate::chains::Chains;
use crate::container::{Containers, Content, Counts, MapContent, ROOT, ResetCounter};
use crate::journal::Writes;
use crate::owners::Owners;
use crate::state::State;
use crate::{Kind, Path, Step, Value};

/// Reads which version a base is.
pub(super) fn version(bytes: &[u8]) -> Result<Base, DecodeError> {
    read_version(&mut Reader::new(bytes))
}

fn read_version(input: &mut Reader<'_>) -> Result<Base, DecodeError> {
    let at = input.position();
    let heads = Frontier::decode(input)?;
    let lamport = input.varint()?;
    let writers = VersionVector::decode(input)?;
    let fits = heads.iter().all(|head| writers.get(head.replica) == head.seq);
    let base = Base::new(heads, lamport, writers).ok().filter(|_| fits);
    base.ok_or(DecodeErrorKind::OutOfRange.at(at))
}

/// Reads what [`write`](super::write) wrote, and does not keep it.
///
/// Nobody can say whether what is visible follows from events that are gone: that has to be
/// taken from whoever has the document. What can be is checked: that the bytes are those that
/// this content has, and that nothing in it is later than the base.
pub(crate) fn begin(bytes: &[u8]) -> Result<Begun, DecodeError> {
    let mut input = Reader::new(bytes);
    let base = read_version(&mut input)?;
    let lamport = base.lamport();
    let graph = EventGraph::with_base(base);
    let mut owners = Owners::default();
    owners.push(ROOT, graph.len());
    let mut containers = Containers::new();
    let mut contents = ContentReader { authors: ReceiveTable::new(), graph: &graph, lamport };
    let mut last: Option<&[u8]> = None;
    for _ in 0..input.count(3)? {
        let at = input.position();
        let path = Path::decode(&mut input)?;
        let key = &bytes[at..input.position()];
        if last.is_some_and(|last| last >= key) {
            return Err(DecodeErrorKind::NotAscending.at(at));
        }
        last = Some(key);
        let number = containers.enter(&path);
        let content = contents.content(path.kind(), &mut input)?;
        if let Content::Map(map) = &content {
            for ((key, kind), _) in map.created.iter() {
                containers.enter_child(number, &Step::new(key.clone(), *kind));
            }
        }
        containers[number].content = content;
    }
    let mut chains = Chains::default();
    if input.remaining() > 0 {
        for (replica, seq) in graph.version() {
            chains.begin(Dot::new(replica, seq), ChainHash(u64::from_le_bytes(input.array()?)));
        }
    }
    input.finish()?;
    containers.find_out_what_lives();
    let authors = contents.authors();
    let state = State { graph, owners, containers, chains, ..State::new() };
    Ok(Begun { state, authors })
}

struct ContentReader<'a> {
    authors: ReceiveTable<ReplicaId>,
    graph: &'a EventGraph,
    lamport: u64,
}

impl ContentReader<'_> {
    /// Everyone who has written something that is visible.
    fn authors(&self) -> Vec<ReplicaId> {
        (0..).map_while(|number| self.authors.get(number).copied()).collect()
    }

    fn content(&mut self, kind: Kind, input: &mut Reader<'_>) -> Result<Content, DecodeError> {
        let at = input.position();
        let content = match kind {
            Kind::Map => Content::Map(self.map(input)?),
            Kind::Set => Content::Set(self.set(input)?),
            Kind::Counter => Content::Counter(self.counter(input)?),
            Kind::Text => {
                let text = input.string()?;
                if text.len() > EVENTS_MAX as usize {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
                Content::Text(TextStore::with_base(self.graph, text).into())
            }
            Kind::Unknown(_) => return Err(DecodeErrorKind::UnknownTag.at(at)),
        };
        let says_nothing = match &content {
            Content::Map(map) => map.values.is_empty() && map.created.is_empty(),
            Content::Set(set) => set.is_empty(),
            Content::Counter(counter) => *counter == ResetCounter::default(),
            Content::Text(text) => text.is_empty(),
            Content::Unknown => true,
        };
        if says_nothing { Err(DecodeErrorKind::NotCanonical.at(at)) } else { Ok(content) }
    }

    fn map(&mut self, input: &mut Reader<'_>) -> Result<MapContent, DecodeError> {
        let mut map = MapContent::default();
        let mut last: Option<&str> = None;
        for _ in 0..input.count(5)? {
            let at = input.position();
            let name = input.string()?;
            if last.is_some_and(|last| last >= name) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            last = Some(name);
            let (mut writes, mut before) = (Writes::new(), None);
            for _ in 0..positive(input, 4)? {
                let dot = self.dot(&mut before, input)?;
                let stamp = input.varint_max(self.lamport)?;
                writes.insert(dot, (stamp, Arc::new(Value::decode(input)?)));
            }
            map.values.restore(name.into(), Some(writes));
        }
        let mut last: Option<(&str, Kind)> = None;
        for _ in 0..input.count(4)? {
            let at = input.position();
            let (name, kind) = (input.string()?, Kind::decode(input)?);
            if last.is_some_and(|last| last >= (name, kind)) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            last = Some((name, kind));
            map.created.restore((name.into(), kind), Some(self.dots(input)?));
        }
        Ok(map)
    }

    fn set(&mut self, input: &mut Reader<'_>) -> Result<AddWinsStore<Arc<Value>>, DecodeError> {
        let mut set = AddWinsStore::default();
        let mut last: Option<Arc<Value>> = None;
        for _ in 0..input.count(4)? {
            let at = input.position();
            let element = Arc::new(Value::decode(input)?);
            if last.is_some_and(|last| last >= element) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            set.restore(element.clone(), Some(self.dots(input)?));
            last = Some(element);
        }
        Ok(set)
    }

    fn counter(&mut self, input: &mut Reader<'_>) -> Result<ResetCounter, DecodeError> {
        let at = input.position();
        let settled = match input.u8()? {
            0 => None,
            1 => Some(i128::from(input.signed()?) << 64 | i128::from(input.varint()?)),
            _ => return Err(DecodeErrorKind::UnknownTag.at(at)),
        };
        // No more can be counted by as many as there may be.
        if settled.is_some_and(|sum| sum.unsigned_abs() >> 96 != 0) {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        let mut counts: Vec<(ReplicaId, Counts)> = Vec::new();
        for _ in 0..input.count(5)? {
            let at = input.position();
            let replica = self.author(input)?;
            let [up, down] = [input.varint()?, input.varint()?];
            let [up_cancelled, down_cancelled] = [input.varint_max(up)?, input.varint_max(down)?];
            let remembered = self.graph.version().get(replica) > 0;
            let ascends = counts.last().is_none_or(|(last, _)| *last < replica);
            if !remembered || !ascends || (up == 0 && down == 0) {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            counts.push((replica, Counts { up, down, up_cancelled, down_cancelled }));
        }
        Ok(ResetCounter::of(settled, &counts))
    }

    /// At least one dot, in ascending order.
    fn dots(&mut self, input: &mut Reader<'_>) -> Result<DotSet, DecodeError> {
        let (mut dots, mut before) = (DotSet::new(), None);
        for _ in 0..positive(input, 2)? {
            dots.insert(self.dot(&mut before, input)?);
        }
        Ok(dots)
    }

    /// A dot of an event that was trimmed, greater than the one before.
    fn dot(
        &mut self,
        before: &mut Option<Dot>,
        input: &mut Reader<'_>,
    ) -> Result<Dot, DecodeError> {
        let at = input.position();
        let replica = self.author(input)?;
        let dot = Dot::new(replica, input.seq()?);
        let last = match self.graph.version().get(replica) {
            // Of a forgotten writer it is not known how far it went.
            0 => self.lamport,
            last => last,
        };
        if dot.seq > last || before.is_some_and(|before| before >= dot) {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        *before = Some(dot);
        Ok(dot)
    }

    fn author(&mut self, input: &mut Reader<'_>) -> Result<ReplicaId, DecodeError> {
        let (number, _) = self.authors.read(0, input)?;
        Ok(*self.authors.get(number).expect("the table returns numbers that it knows"))
    }
}

/// A count that is not 0.
fn positive(input: &mut Reader<'_>, element_bytes_min: usize) -> Result<usize, DecodeError> {
    let at = input.position();
    match input.count(element_bytes_min)? {
        0 => Err(DecodeErrorKind::NotCanonical.at(at)),
        count => Ok(count),
    }
}
