use super::lanes::{Foresight, Lanes};
use super::{EXPECTED, EncodeStore, STEPS, WRITTEN_OUT};
use crate::causality::CausalContext;
use crate::codec::{InternedEncode, SendTable, Writer, zigzag};
use crate::{Dot, ReplicaId};

/// Writes a context and a store that it covers.
#[derive(Debug)]
pub struct StoreWriter {
    replicas: SendTable<ReplicaId>,
    lanes: Lanes,
    foresight: Foresight,
    dots: Writer,
    // The leaves that do not hold one dot, and how many have gone by since the last of them.
    unusual: Writer,
    usual: u64,
    body: Writer,
}

impl StoreWriter {
    /// The context, then the columns of the store: the dots, the leaves that do not hold just
    /// one, and the keys and values.
    pub(in crate::dot_store) fn write(
        context: &CausalContext,
        store: &impl EncodeStore,
        out: &mut Writer,
    ) {
        let mut replicas = SendTable::new();
        context.encode_interned(&mut replicas, out);
        let lanes = Lanes::of(context.vector());
        let mut writer = Self {
            replicas,
            foresight: Foresight::new(&lanes),
            lanes,
            dots: Writer::new(),
            unusual: Writer::new(),
            usual: 0,
            body: Writer::new(),
        };
        store.encode_store(None, &mut writer);
        out.bytes(writer.dots.as_bytes());
        out.bytes(writer.unusual.as_bytes());
        out.raw(writer.body.as_bytes());
    }

    /// Where keys and values go.
    pub fn body(&mut self) -> &mut Writer {
        &mut self.body
    }

    /// A dot by its name, which is told from no other dot; its number may be 0.
    pub(crate) fn name(&mut self, dot: Dot) {
        self.replicas.write(&dot.replica, 0, 0, &mut self.dots);
        self.dots.varint(dot.seq);
    }

    /// The dots of a leaf, in ascending order.
    pub fn leaf(&mut self, dots: impl ExactSizeIterator<Item = Dot>) {
        if dots.len() == 1 {
            self.usual += 1;
        } else {
            self.unusual.varint(self.usual);
            self.unusual.count(dots.len());
            self.usual = 0;
        }
        for (index, dot) in dots.enumerate() {
            // Only the first is told from where it stands: a dot without a key would else be
            // one byte, and many times as long in memory.
            if index > 0 {
                dot.encode_interned(&mut self.replicas, &mut self.dots);
            } else if let Some(number) = self.lanes.number(dot) {
                if self.foresight.expected(&self.lanes) == Some(number) {
                    self.dots.varint(EXPECTED);
                } else {
                    let base = self.foresight.base(&self.lanes);
                    self.dots.varint(STEPS + zigzag(number.wrapping_sub(base) as i64));
                }
                self.foresight.learn(dot, number, &self.lanes);
            } else {
                self.dots.varint(WRITTEN_OUT);
                dot.encode_interned(&mut self.replicas, &mut self.dots);
            }
        }
    }
}
