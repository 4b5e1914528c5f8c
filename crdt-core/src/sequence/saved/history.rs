//! The history of a file, decoded and replayed.

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::chunk::{Chunk, Event};
use super::cuts::chunk_ends;
use super::error::HistoryError;
use super::file::File;
use super::replay::{Replay, Taken};
use super::split::split_chars;
use crate::causality::Lv;
use crate::causality::order::{canonical_order, left_out};
use crate::codec::DecodeErrorKind;
use crate::collections::OrderedMap;
use crate::sequence::JoinError;
use crate::sequence::log::OpLog;
use crate::sequence::merge::{EVERYTHING, History, Merge};
use crate::sequence::run::{Run, RunKind, TextOp};
use crate::{Dot, EventGraph};

/// What a text that was loaded lacks.
pub(super) struct Decoded {
    pub(super) graph: EventGraph,
    pub(super) log: OpLog,
    pub(super) merge: Merge,
    /// The base's text.
    pub(super) base: String,
}

/// Decodes the history of a file and replays it; `text` is what it has to lead to.
///
/// # Errors
///
/// [`HistoryError`], whatever is wrong with it.
pub(super) fn decode(file: &File, text: &str) -> Result<Decoded, HistoryError> {
    let parts = parts(file)?;
    let deleted: usize = parts.iter().map(|part| part.deleted().chars().count()).sum();
    let inserted: u64 = parts.iter().map(Chunk::inserted).sum();
    // Whatever was inserted was deleted, or is left: so much memory is taken, and no more.
    let inserted = u64::from(file.base_length()) + inserted;
    if inserted != (deleted + text.chars().count()) as u64 {
        return Err(HistoryError::DoesNotFit);
    }
    let (graph, shapes) = in_order(file, &parts)?;
    if !graph.frontier_dots().iter().eq(file.heads()) {
        return Err(HistoryError::DoesNotFit);
    }
    let (replay, arena) = match_texts(file, &parts, &graph, &shapes, text)?;
    let mut log = OpLog::default();
    log.reserve(shapes.run_at(shapes.end()), arena.len());
    let mut unread = &arena[..];
    let base = split_chars(&mut unread, file.base_length()).expect("each element has its text");
    for (lv, run) in shapes.runs_in(0..shapes.end()) {
        let chars = if run.kind == RunKind::Insert { run.len } else { 0 };
        let content = split_chars(&mut unread, chars).expect("each element has its text");
        log.push(lv, &op(run, content)).expect("as long as the log of shapes");
    }
    Ok(Decoded { merge: replay.into_merge(), graph, log, base: base.into() })
}

/// The chunks of each author as one.
fn parts(file: &File) -> Result<Vec<Chunk>, HistoryError> {
    let count = file.authors.len() as u32;
    let mut parts = Vec::with_capacity(file.authors.len());
    for author in &file.authors {
        let (mut part, mut seq) = (Chunk::default(), author.trimmed + 1);
        let ends = chunk_ends(author.trimmed, author.last);
        for (chunk, end) in author.chunks.iter().zip(ends) {
            let chunk = chunk.unpack(count)?;
            // A change is in the chunk in which its first event lies.
            let last = chunk.rows().last().map_or(0, |row| row.change_len);
            let next = seq + u64::from(chunk.events());
            if next <= end || next - u64::from(last) > end && last > 0 {
                return Err(HistoryError::DoesNotFit);
            }
            seq = next;
            part.append(&chunk);
        }
        if seq != author.last + 1 {
            return Err(HistoryError::DoesNotFit);
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Changes of one author, up to where others follow them.
struct Node {
    author: u32,
    /// The row whose parents the first change has, if it is the first of its row.
    row: Option<u32>,
    seq: u64,
    change_len: u32,
    count: u32,
}

impl Node {
    fn events(&self) -> u32 {
        self.change_len * self.count
    }

    fn end(&self) -> u64 {
        self.seq + u64::from(self.events())
    }
}

/// The events in canonical order: their graph, and a log of their edits that has a
/// placeholder for each inserted code point.
fn in_order(file: &File, parts: &[Chunk]) -> Result<(EventGraph, OpLog), HistoryError> {
    let (nodes, firsts) = nodes(file, parts);
    let dot = |(author, seq): Event| Dot::new(file.authors[author as usize].replica, seq);
    let parents = |node: &Node| {
        node.row.map_or(&[][..], |row| parts[node.author as usize].parents(row as usize))
    };
    // The node that holds an event.
    let holder = |(author, seq): Event| {
        let own = firsts[author as usize]..firsts[author as usize + 1];
        let after = nodes[own.clone()].partition_point(|node| node.seq <= seq);
        let node = own.start + after.checked_sub(1)?;
        (seq < nodes[node].end()).then_some(node as u32)
    };
    let follows: Vec<SmallVec<[u32; 2]>> = nodes
        .iter()
        .map(|node| {
            let own = node.seq.checked_sub(1).and_then(|seq| holder((node.author, seq)));
            own.into_iter().chain(parents(node).iter().filter_map(|&event| holder(event))).collect()
        })
        .collect();
    let keys: Vec<Dot> = nodes.iter().map(|node| dot((node.author, node.seq))).collect();
    let order = canonical_order(&keys, &follows);
    if let Some(node) = left_out(&order, nodes.len()) {
        return Err(JoinError::Cycle { change: keys[node as usize] }.into());
    }
    drop(follows);

    let longest =
        parts.iter().flat_map(|part| part.runs()).filter(|run| run.kind == RunKind::Insert);
    let placeholders = "x".repeat(longest.map(|run| run.len as usize).max().unwrap_or(0));
    let (mut graph, mut log) = (file.begin_graph(), OpLog::default());
    graph.reserve(nodes.len());
    let mut runs: Vec<Unread<'_>> = parts.iter().map(|part| Unread::new(part.runs())).collect();
    let mut newcomer = file.base_writers() as u32;
    for node in order {
        let (change, node) = (keys[node as usize], &nodes[node as usize]);
        if node.author > newcomer {
            return Err(DecodeErrorKind::NotCanonical.at(0).into());
        }
        newcomer = newcomer.max(node.author + 1);
        let explicit: SmallVec<[Dot; 2]> = parents(node).iter().map(|&event| dot(event)).collect();
        if !explicit.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(DecodeErrorKind::NotAscending.at(0).into());
        }
        let full = graph
            .full_parents(change.replica, &explicit)
            .map_err(|error| JoinError::of_parents(change, error))?;
        let pushed = graph.push(change.replica, node.change_len, node.count, &full);
        let mut lv = pushed.map_err(JoinError::Full)?.start;
        runs[node.author as usize].take(node.events(), |run| {
            let content = &placeholders[..placeholders.len().min(run.len as usize)];
            log.push(lv, &op(run, content)).expect("there is room: it was read");
            lv += run.len;
        });
    }
    Ok((graph, log))
}

/// The nodes of all authors, by author and sequence number, and where those of each begin.
fn nodes(file: &File, parts: &[Chunk]) -> (Vec<Node>, Vec<usize>) {
    let rows = |part: &Chunk| part.rows().len();
    let mut cuts: Vec<Event> = parts
        .iter()
        .flat_map(|part| (0..rows(part)).flat_map(|row| part.parents(row)))
        .copied()
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let (mut nodes, mut firsts) = (Vec::new(), Vec::with_capacity(parts.len() + 1));
    for (author, part) in (0..).zip(parts) {
        firsts.push(nodes.len());
        let mut seq = file.authors[author as usize].trimmed + 1;
        for (index, row) in (0..).zip(part.rows()) {
            let (change_len, mut count) = (row.change_len, row.count);
            let mut first = Some(index);
            let last = seq + u64::from(row.events()) - 1;
            let from = cuts.partition_point(|&cut| cut < (author, seq));
            for &(_, cut) in cuts[from..].iter().take_while(|&&cut| cut < (author, last)) {
                // A parent that does not end a change is refused when it is resolved.
                let changes = ((cut + 1 - seq) / u64::from(change_len)) as u32;
                if changes > 0 {
                    nodes.push(Node { author, row: first.take(), seq, change_len, count: changes });
                    seq += u64::from(changes * change_len);
                    count -= changes;
                }
            }
            nodes.push(Node { author, row: first, seq, change_len, count });
            seq += u64::from(count * change_len);
        }
    }
    firsts.push(nodes.len());
    (nodes, firsts)
}

/// Runs of edits, taken a few events at a time.
struct Unread<'a> {
    runs: core::slice::Iter<'a, Run>,
    rest: Option<Run>,
}

impl<'a> Unread<'a> {
    fn new(runs: &'a [Run]) -> Self {
        Self { runs: runs.iter(), rest: None }
    }

    fn take(&mut self, mut events: u32, mut found: impl FnMut(Run)) {
        while events > 0 {
            let run = self.rest.take().or_else(|| self.runs.next().copied());
            let run = run.expect("the edits have as many events as the changes");
            if run.len > events {
                let (now, rest) = run.split(events);
                self.rest = Some(rest);
                return found(now);
            }
            events -= run.len;
            found(run);
        }
    }
}

/// The operation of a run, whose text is `content` if it is an insertion.
fn op(run: Run, content: &str) -> TextOp<'_> {
    let Run { kind, at, len } = run;
    match kind {
        RunKind::Insert => TextOp::Insert { at, content },
        RunKind::DeleteForward => TextOp::Delete { at, len, forward: true },
        RunKind::DeleteBackward => TextOp::Delete { at, len, forward: false },
        RunKind::Clear => TextOp::Clear { len },
    }
}

/// Replays the edits, and finds the text of each insertion where it was deleted or is left.
/// Returns all of it, the base's first, in the order of the events.
fn match_texts(
    file: &File,
    parts: &[Chunk],
    graph: &EventGraph,
    shapes: &OpLog,
    text: &str,
) -> Result<(Replay, String), HistoryError> {
    let numbers: OrderedMap<_, _> = file
        .authors
        .iter()
        .zip(0usize..)
        .map(|(author, number)| (author.replica, number))
        .collect();
    let history = History { graph, log: shapes, parts: EVERYTHING };
    let mut replay = Replay::of_base(file.base_length(), graph.first());
    let mut unread: Vec<&str> = parts.iter().map(Chunk::deleted).collect();
    // Pieces of text, each with its first element.
    let mut texts: Vec<(Lv, &str)> = Vec::new();
    for (chain, _) in graph.chains(graph.first()..graph.len()) {
        let author = &mut unread[numbers[&graph.replica_of(chain.start)]];
        for (lv, run) in shapes.runs_in(chain) {
            let mut fits = true;
            let advanced = replay.advance(&history, lv..lv + run.len, run, |taken| {
                fits = fits && read_taken(author, taken, &mut texts);
            });
            advanced.map_err(|(lv, error)| JoinError::Edit { event: graph.dot_of(lv), error })?;
            if !fits {
                return Err(HistoryError::DoesNotFit);
            }
        }
    }
    let mut left = text;
    for stretch in replay.survivors() {
        if !read_taken(&mut left, Taken { stretch, backward: false }, &mut texts) {
            return Err(HistoryError::DoesNotFit);
        }
    }
    // There are as many elements as code points, so that all are read when all are found.
    debug_assert!(left.is_empty() && unread.iter().all(|text| text.is_empty()));
    texts.sort_unstable_by_key(|&(lv, _)| lv);
    let mut arena = String::with_capacity(texts.iter().map(|(_, text)| text.len()).sum());
    texts.iter().for_each(|(_, text)| arena.push_str(text));
    Ok((replay, arena))
}

/// Reads the text of elements off the front of `unread`, if there is so much.
fn read_taken<'t>(unread: &mut &'t str, taken: Taken, texts: &mut Vec<(Lv, &'t str)>) -> bool {
    let Taken { stretch, backward } = taken;
    let Some(mut text) = split_chars(unread, stretch.len) else { return false };
    if backward {
        for lv in (stretch.lv..stretch.lv + stretch.len).rev() {
            let c = split_chars(&mut text, 1).expect("as many as were split off");
            texts.push((lv, c));
        }
    } else {
        texts.push((stretch.lv, text));
    }
    true
}
