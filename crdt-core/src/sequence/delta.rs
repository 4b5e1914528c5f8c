//! A set of changes of a text: what replicas exchange, and what a text is saved as.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use smallvec::SmallVec;

use super::headers::{Headers, Row};
use super::join::JoinError;
use super::one_edit::OneEdit;
use super::ops::OpRuns;
use super::run::EVENTS_MAX;
use super::saved::HistoryError;
use super::text_store::TextStore;
use crate::causality::order::canonical_order;
use crate::causality::{ChangeReader, ChangeRun, ChangeSpan, ChangeWriter, GraphError, Lv};
use crate::codec::{
    self, DecodeError, DecodeErrorKind, Reader, ReceiveTable, SendTable, Writer, seal,
};
use crate::{Dot, EventGraph, VersionVector};

const MAGIC: [u8; 4] = *b"cTxD";
const VERSION: u8 = 0;

/// Changes of a [`Text`](super::Text): what a mutator returns, and
/// [`Text::delta_since`](super::Text::delta_since).
///
/// A delta holds whole changes. They need not be causally closed by themselves, but one
/// replica's changes have no gap. That of an ordinary edit is about a hundred bytes and needs
/// no memory besides.
#[must_use = "a delta has to reach the other replicas"]
#[derive(Clone, Debug)]
pub struct TextDelta {
    pub(super) form: Form,
}

/// A delta as it is held.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Of one ordinary edit.
    Edit(OneEdit),
    /// Of any changes.
    Changes(Box<Changes>),
}

/// Any changes: the headers of all, and what they do.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub(super) headers: Headers,
    pub(super) ops: OpRuns,
}

/// The delta of no changes.
impl Default for TextDelta {
    fn default() -> Self {
        Changes::default().into()
    }
}

impl From<Changes> for TextDelta {
    fn from(changes: Changes) -> Self {
        Self { form: Form::Changes(Box::new(changes)) }
    }
}

impl TextDelta {
    /// Whether there is no change in it, so that it need not be sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    fn rows(&self) -> usize {
        match &self.form {
            Form::Edit(_) => 1,
            Form::Changes(changes) => changes.headers.rows().len(),
        }
    }

    /// The headers of the changes, without what they do.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = ChangeRun> + '_ {
        (0..self.rows()).map(|row| match &self.form {
            Form::Edit(edit) => edit.header(),
            Form::Changes(changes) => changes.headers.run(row),
        })
    }

    /// The changes in the form that all can have.
    pub(super) fn changes(&self) -> Cow<'_, Changes> {
        match &self.form {
            Form::Edit(edit) => Cow::Owned(edit.to_changes()),
            Form::Changes(changes) => Cow::Borrowed(changes),
        }
    }

    /// The changes in `ranges` of a graph, which begin and end with one, in canonical order.
    pub(super) fn export(graph: &EventGraph, store: &TextStore, ranges: &[Range<Lv>]) -> Self {
        let spans = independent_spans(graph, ranges);
        let mut changes = Changes::default();
        for index in canonical(graph, &spans) {
            let span = &spans[index as usize];
            changes.headers.push_joined(&ChangeRun {
                replica: span.replica,
                seq: span.seq,
                change_len: span.change_len,
                count: span.count,
                parents: graph.explicit_parents(span.lvs.start),
            });
            store.ops(span.lvs.clone()).for_each(|(_, op)| changes.ops.push(op));
        }
        changes.into()
    }

    /// The bytes, with a checksum. Equal sets of changes have equal bytes if they were made
    /// by [`Text::delta_since`](super::Text::delta_since).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.encode_as(MAGIC)
    }

    pub(super) fn encode_as(&self, magic: [u8; 4]) -> Vec<u8> {
        let (mut out, mut table, mut headers) =
            (Writer::new(), SendTable::new(), ChangeWriter::new());
        out.u8(VERSION);
        let changes = self.changes();
        out.count(changes.headers.rows().len());
        for run in self.headers() {
            headers.write(&run, &mut table, &mut out);
        }
        changes.ops.encode(&mut out);
        seal(magic, out.as_bytes())
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes. Whether the changes are valid shows when they are
    /// joined.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_as(MAGIC, Reader::with_limits(bytes, codec::Limits::DEFAULT)?)
    }

    /// The encoding up to the headers, and how many rows of these there are.
    pub(super) fn open(bytes: &[u8]) -> Result<(Reader<'_>, usize), DecodeError> {
        Self::open_as(MAGIC, Reader::with_limits(bytes, codec::Limits::DEFAULT)?)
    }

    fn open_as(magic: [u8; 4], input: Reader<'_>) -> Result<(Reader<'_>, usize), DecodeError> {
        let mut input = codec::open(magic, input)?;
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        // A row takes its replica's number and a change length, at least.
        let count = input.count(2)?;
        Ok((input, count))
    }

    pub(super) fn decode_as(magic: [u8; 4], input: Reader<'_>) -> Result<Self, DecodeError> {
        let (mut input, count) = Self::open_as(magic, input)?;
        let mut headers = Headers::with_capacity(input.capacity(count, size_of::<Row>()));
        let (mut table, mut reader) = (ReceiveTable::new(), ChangeReader::new());
        let mut events = 0u64;
        for _ in 0..count {
            let at = input.position();
            let run = reader.read(&mut table, &mut input)?;
            events += run.events();
            if events > u64::from(EVENTS_MAX) {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            headers.push(&run);
        }
        headers.shrink_to_fit();
        drop((table, reader));
        let ops = OpRuns::read(events as u32, &mut input)?;
        input.finish()?;
        Ok(Changes { headers, ops }.into())
    }
}

impl Changes {
    /// The changes of several deltas, one after the other.
    ///
    /// # Errors
    ///
    /// If they have more events than there can be.
    pub(super) fn of_all(deltas: &[&TextDelta]) -> Result<Self, JoinError> {
        let mut all = Self::default();
        for delta in deltas {
            let changes = delta.changes();
            let full = |_| JoinError::Full(GraphError::TooManyEvents);
            all.ops.extend(&changes.ops, 0..changes.ops.events()).map_err(full)?;
            (0..changes.headers.rows().len())
                .for_each(|row| all.headers.push(&changes.headers.run(row)));
        }
        Ok(all)
    }
}

/// The changes in `ranges`, cut wherever another of them follows the middle of a span.
fn independent_spans(graph: &EventGraph, ranges: &[Range<Lv>]) -> Vec<ChangeSpan> {
    let spans = || ranges.iter().flat_map(|range| graph.changes(range.clone()));
    let mut cuts: Vec<Lv> =
        spans().flat_map(|span| span.parents.into_iter().map(|parent| parent + 1)).collect();
    cuts.sort_unstable();
    let mut found = Vec::new();
    for mut span in spans() {
        let first = cuts.partition_point(|&cut| cut <= span.lvs.start);
        for &cut in &cuts[first..] {
            if cut >= span.lvs.end {
                break;
            }
            if cut > span.lvs.start {
                found.push(take_front(&mut span, cut));
            }
        }
        found.push(span);
    }
    found
}

/// Takes the changes before local version `cut` off a span.
fn take_front(span: &mut ChangeSpan, cut: Lv) -> ChangeSpan {
    let count = (cut - span.lvs.start) / span.change_len;
    let mut front = span.clone();
    front.lvs.end = cut;
    front.count = count;
    span.seq += u64::from(cut - span.lvs.start);
    span.lvs.start = cut;
    span.count -= count;
    span.parents = SmallVec::from_slice(&[cut - 1]);
    front
}

fn canonical(graph: &EventGraph, spans: &[ChangeSpan]) -> Vec<u32> {
    if spans.len() == 1 {
        return alloc::vec![0];
    }
    // Parents are last events of spans, where they are among them at all.
    let by_last: BTreeMap<Lv, u32> =
        spans.iter().enumerate().map(|(index, span)| (span.lvs.end - 1, index as u32)).collect();
    let follows: Vec<SmallVec<[u32; 2]>> = spans
        .iter()
        .map(|span| span.parents.iter().filter_map(|parent| by_last.get(parent).copied()).collect())
        .collect();
    let keys: Vec<_> = spans.iter().map(|span| (span.replica, span.seq)).collect();
    debug_assert!(spans.iter().all(|span| span.lvs.end <= graph.len()));
    canonical_order(&keys, &follows)
}

/// The local versions of the changes that have an event in `upto` which `known` lacks,
/// ascending.
///
/// # Errors
///
/// [`HistoryError::BeforeTrim`] where `known` lacks something that was trimmed.
pub(super) fn changes_between(
    graph: &EventGraph,
    known: &VersionVector,
    upto: &VersionVector,
) -> Result<Vec<Range<Lv>>, HistoryError> {
    let (mut known, upto) = (closed(graph, known), closed(graph, upto));
    if let Some(base) = graph.base() {
        if let Some(unseen) = base.heads().iter().find(|&head| !known.contains(head)) {
            return Err(HistoryError::BeforeTrim(unseen));
        }
        known.to_mut().join(base.writers());
    }
    let mut found: Vec<Range<Lv>> = Vec::new();
    for range in graph.version().missing_from(&known) {
        let last = range.last.min(upto.get(range.replica));
        let mut seq = range.first;
        while seq <= last {
            let lv = graph.lv_of(Dot::new(range.replica, seq)).expect("it is in the version");
            let (chain, _) = graph.chains(lv..graph.len()).next().expect("the range has an event");
            let end = chain.end.min(lv + (last - seq) as u32 + 1);
            found.push(graph.change_of(lv).start..graph.change_of(end - 1).end);
            seq += u64::from(end - lv);
        }
    }
    found.sort_unstable_by_key(|range| range.start);
    Ok(found)
}

/// A version with the writers that are left out of it, but are in the past of others.
fn closed<'v>(graph: &EventGraph, version: &'v VersionVector) -> Cow<'v, VersionVector> {
    let leaves_out = graph.version().missing_from(version).any(|range| range.first == 1);
    if version.is_empty() || !leaves_out {
        return Cow::Borrowed(version);
    }
    Cow::Owned(graph.closed(version))
}
