use super::DotStore;
use super::causal::Causal;
use super::delta::Delta;
use crate::DotRange;
use crate::causality::{CausalContext, DotCloud};
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, InternedDecode, InternedEncode, Reader,
    ReceiveTable, SendTable, Writer,
};

/// What a [`Causal`] value holds and has seen, without its content: what a peer needs to know to
/// send exactly what is lacking.
///
/// Its size is that of the contexts: O(replicas + gaps), where a gap is also a dot that was
/// removed between others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest {
    seen: CausalContext,
    // A part of what was seen.
    live: DotCloud,
    // A part of what is held.
    redacted: DotCloud,
}

impl Digest {
    /// The digest, if what is held was seen, and what is redacted is held.
    pub(crate) fn of_parts(
        seen: CausalContext,
        held: CausalContext,
        redacted: CausalContext,
    ) -> Option<Self> {
        let fits = seen.dominates(&held) && held.dominates(&redacted);
        let cloud = |dots: &CausalContext| dots.ranges().collect();
        fits.then(|| Self { live: cloud(&held), redacted: cloud(&redacted), seen })
    }

    /// All events that the value has seen.
    pub fn seen(&self) -> &CausalContext {
        &self.seen
    }

    /// Those whose dots it holds.
    pub fn live(&self) -> &DotCloud {
        &self.live
    }

    /// Those of which the content is redacted.
    pub fn redacted(&self) -> &DotCloud {
        &self.redacted
    }
}

impl<S: DotStore> Causal<S> {
    /// What the value holds and has seen. Costs what the contexts are large, or O(n) for a
    /// store in which content can be redacted.
    pub fn digest(&self) -> Digest {
        let mut redacted = DotCloud::new();
        self.store().for_each_redacted(&mut |dot| {
            redacted.insert(dot);
        });
        Digest { seen: self.context().clone(), live: self.live().clone(), redacted }
    }

    /// The smallest delta that tells everything known here to the value of which `other` is the
    /// digest: what it has not seen, and what it holds and is removed or redacted here. Costs O(n), and the
    /// delta is as large as the difference.
    pub fn missing_from(&self, other: &Digest) -> Delta<S>
    where
        S: Clone,
    {
        let mut news = CausalContext::new();
        for range in self.context().ranges() {
            outside(range, &other.seen, &mut |fresh| news.insert_range(fresh));
        }
        // What it holds and this side does not, if this side has seen it.
        let held_here = CausalContext::from(self.live().clone());
        let mut removed = CausalContext::new();
        for range in other.live.ranges() {
            outside(range, &held_here, &mut |gone| removed.insert_range(gone));
        }
        for range in removed.ranges() {
            let mut unseen = CausalContext::new();
            outside(range, self.context(), &mut |range| unseen.insert_range(range));
            outside(range, &unseen, &mut |gone| news.insert_range(gone));
        }
        self.store().for_each_redacted(&mut |dot| {
            if other.live.contains(dot) && !other.redacted.contains(dot) {
                news.insert(dot);
            }
        });
        if news.is_empty() {
            return Delta::default();
        }
        let store = self.store().select(&mut |dot| news.contains(dot));
        Delta { store, context: news, ..Delta::default() }
    }
}

/// Passes the parts of `range` that are not in `context`.
fn outside(range: DotRange, context: &CausalContext, part: &mut dyn FnMut(DotRange)) {
    let replica = range.replica;
    let settled = context.vector().get(replica);
    let settled = (settled > 0).then(|| DotRange::new(replica, 1, settled));
    let mut first = range.first;
    for covered in settled.into_iter().chain(context.cloud().ranges_of(replica)) {
        if covered.first > range.last {
            break;
        }
        if covered.first > first {
            part(DotRange::new(replica, first, covered.first - 1));
        }
        first = first.max(covered.last + 1);
    }
    if first <= range.last {
        part(DotRange::new(replica, first, range.last));
    }
}

const VERSION: u8 = 0;

impl Encode for Digest {
    /// The format version, what was seen, what is held, then what is redacted of it, all as contexts.
    fn encode(&self, out: &mut Writer) {
        let mut replicas = SendTable::new();
        out.u8(VERSION);
        self.seen.encode_interned(&mut replicas, out);
        CausalContext::from(self.live.clone()).encode_interned(&mut replicas, out);
        CausalContext::from(self.redacted.clone()).encode_interned(&mut replicas, out);
    }
}

impl Decode for Digest {
    const BYTES_MIN: usize = 4;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        let mut replicas = ReceiveTable::new();
        let seen = CausalContext::decode_interned(&mut replicas, input)?;
        let at = input.position();
        let held = CausalContext::decode_interned(&mut replicas, input)?;
        let redacted = CausalContext::decode_interned(&mut replicas, input)?;
        Self::of_parts(seen, held, redacted).ok_or(DecodeErrorKind::OutOfRange.at(at))
    }
}
