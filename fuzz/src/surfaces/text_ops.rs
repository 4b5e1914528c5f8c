//! Streams of text edits, and the text that takes them in.

use crdt_core::EventGraph;
use crdt_core::codec::{Reader, Writer};
use crdt_core::sequence::{EVENTS_MAX, OpRuns, OpWriter, TextOp, TextStore};

use super::replicas;
use crate::memory::bounded;

/// What both streams were written upon.
const BASE: &str = "Grüße, world";

/// Reads two streams and merges them as edits that two replicas made at once: an edit is
/// refused alike or applied alike whatever the order, and whether what they were written upon is
/// an edit or all that is left of some; both orders end at one text.
pub fn run(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let Some(first) = read(&mut input) else { return };
    let second = read(&mut input).unwrap_or_default();
    if first.events().saturating_add(second.events()) > EVENTS_MAX / 2 {
        // Where one replica cannot number so many, what it refuses depends on what came first.
        Text::new().take_in(&first, 0);
        Text::trimmed().take_in(&first, 0);
        return;
    }
    let (first, second) = ((0, &first), (1, &second));
    let texts = [[first, second], [second, first]].map(|streams| {
        [Text::new(), Text::trimmed()].map(|mut text| {
            for (writer, stream) in streams {
                text.take_in(stream, writer);
            }
            text.store.to_string()
        })
    });
    assert_eq!(texts[0], texts[1], "two orders of arrival end at two texts");
    assert_eq!(texts[0][0], texts[0][1], "what was trimmed makes a difference");
}

/// Typing, deleting both ways, clearing, at one place and at two.
pub fn seeds() -> Vec<Vec<u8>> {
    let insert = |at, content| TextOp::Insert { at, content };
    let delete = |at, len, forward| TextOp::Delete { at, len, forward };
    let streams: [&[TextOp<'_>]; 5] = [
        &[insert(0, "a")],
        &[insert(12, " of ropes"), insert(3, "𝄞é"), delete(0, 4, true)],
        &[delete(2, 5, false), insert(2, "typed"), delete(6, 1, false)],
        &[TextOp::Clear { len: 1 }, insert(0, "anew")],
        &[delete(0, 12, true), insert(0, "b"), insert(0, "c"), TextOp::Clear { len: 3 }],
    ];
    let encoded = streams.map(|stream| {
        let mut writer = OpWriter::new();
        stream.iter().for_each(|op| writer.push(*op));
        let mut out = Writer::new();
        out.varint(u64::from(writer.events()));
        writer.finish(&mut out);
        out.into_bytes()
    });
    let alone = encoded.iter().cloned();
    alone
        .clone()
        .chain(alone.zip(encoded.iter().rev()).map(|(a, b)| [&a[..], &b[..]].concat()))
        .collect()
}

/// A number of events and a stream of as many. It has one encoding, the bytes it came from.
fn read(input: &mut Reader<'_>) -> Option<OpRuns> {
    let events = input.varint_u32().ok()?;
    let bytes = input.rest();
    let runs = bounded(bytes.len(), || OpRuns::read(events, input)).ok()?;
    assert_eq!(runs.events(), events);
    let taken = &bytes[..bytes.len() - input.remaining()];
    let (mut again, mut pieces) = (Writer::new(), OpWriter::new());
    runs.encode(&mut again);
    assert_eq!(again.as_bytes(), taken, "a stream has another encoding than the one accepted");
    // Cut anywhere, it is the same stream.
    let middle = events / 2;
    for (_, op) in runs.pieces(0..middle).chain(runs.pieces(middle..events)) {
        pieces.push(op);
    }
    let mut again = Writer::new();
    pieces.finish(&mut again);
    assert_eq!(again.as_bytes(), taken, "a stream in two pieces has another encoding");
    Some(runs)
}

/// A text and the graph of its events.
struct Text {
    graph: EventGraph,
    store: TextStore,
}

impl Text {
    fn new() -> Self {
        let mut text = Self { graph: EventGraph::new(), store: TextStore::new() };
        let mut base = OpRuns::new();
        base.push(TextOp::Insert { at: 0, content: BASE });
        text.take_in(&base, 2);
        text
    }

    /// The same, of which nothing is known but the text.
    fn trimmed() -> Self {
        let whole = Self::new().graph;
        let graph = EventGraph::with_base(whole.base_before(whole.len(), |_| true));
        let store = TextStore::with_base(&graph, BASE);
        Self { graph, store }
    }

    /// Takes in a stream that the replica wrote upon the base; a refused one changes nothing.
    fn take_in(&mut self, stream: &OpRuns, writer: usize) {
        if stream.events() == 0 {
            return;
        }
        let before = (self.graph.len(), self.store.to_string());
        let base = match self.graph.base() {
            Some(_) => self.graph.first(),
            None => BASE.chars().count() as u32,
        };
        let parents = if before.0 == 0 { vec![] } else { vec![base - 1] };
        let pushed = self.graph.push(replicas()[writer], 1, stream.events(), &parents);
        let Ok(events) = pushed else { return };
        let ops = stream.pieces(0..stream.events()).map(|(index, op)| (events.start + index, op));
        match self.store.stage(&self.graph, ops) {
            Ok(patches) => self.store.commit(&patches),
            Err(_) => {
                self.graph.truncate(before.0);
                assert_eq!(self.store.to_string(), before.1, "a refused edit changed the text");
            }
        }
        self.store.check_invariants();
        let tip = self.graph.frontier();
        assert_eq!(self.store.text_at(&self.graph, tip).to_string(), self.store.to_string());
    }
}
