//! Writing a text whose history is at hand.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::convert::Infallible;

use smallvec::SmallVec;

use super::chunk::{Chunk, Event};
use super::elements::Stretch;
use super::file::{Author, File, FileBase};
use super::growing::Growing;
use super::replay::{Replay, Taken};
use crate::causality::Lv;
use crate::sequence::delta::TextDelta;
use crate::sequence::log::OpLog;
use crate::sequence::merge::{EVERYTHING, History};
use crate::sequence::ops::OpRuns;
use crate::sequence::rope::Rope;
use crate::sequence::text_store::TextStore;
use crate::{EventGraph, ReplicaId, VersionVector};

/// The file of a text: its history in canonical order, replayed for what each deletion took.
pub(super) fn file(graph: &EventGraph, store: &TextStore) -> File {
    let base = graph.base().map(|events| FileBase {
        events: events.clone(),
        length: store.base_text().chars().count() as u32,
    });
    let mut file = File { base, authors: Vec::new(), frontier: Vec::new() };
    let whole = graph.first()..graph.len();
    let everything = TextDelta::export(graph, store, core::slice::from_ref(&whole));
    let canonical = in_order(&file, &everything);
    let everything = everything.changes();
    let (headers, log) = (&everything.headers, log_from(graph.first(), &everything.ops));
    let numbers = number_authors(&mut file, headers.replicas(), graph.version());
    let mut growing: Vec<Growing> =
        file.authors.iter().map(|author| Growing::new(author.trimmed, author.last)).collect();
    let history = History { graph: &canonical, log: &log, parts: EVERYTHING };
    let mut replay = Replay::of_base(file.base_length(), graph.first());
    let sources = Sources { base: Rope::from(store.base_text()), log: &log };
    let mut lv = graph.first();
    for (index, row) in headers.rows().iter().enumerate() {
        let parents: SmallVec<[Event; 2]> = headers
            .parents(index)
            .iter()
            .map(|&(replica, seq)| (numbers[replica as usize], seq))
            .collect();
        let edits = |chunk: &mut Chunk, events: u32| {
            for (first, run) in log.runs_in(lv..lv + events) {
                chunk.push_run(run);
                let taken = |taken| sources.push(taken, chunk);
                let advanced = replay.advance(&history, first..first + run.len, run, taken);
                advanced.expect("an edit that was applied once is valid");
            }
            lv += events;
            Ok::<_, Infallible>(())
        };
        let grown = &mut growing[numbers[row.replica as usize] as usize];
        let Ok(()) = grown.push(row.seq, row.change_len, row.count, &parents, edits);
    }
    for (author, grown) in file.authors.iter_mut().zip(growing) {
        author.chunks = grown.finish(Vec::new());
    }
    file.frontier = graph.frontier_dots().iter().map(|dot| file.number_of(dot.replica)).collect();
    file
}

/// Numbers the base's writers in ascending order, then those of `replicas` that came later, who are
/// in the order of their first changes. Returns the numbers of `replicas`.
fn number_authors(file: &mut File, replicas: &[ReplicaId], version: &VersionVector) -> Vec<u32> {
    let author = |(replica, trimmed)| {
        let last = version.get(replica);
        Author { replica, trimmed, last, chunks: Vec::new() }
    };
    if let Some(base) = &file.base {
        file.authors.extend(base.events.writers().iter().map(author));
    }
    let writers = file.authors.len();
    let number = |&replica| {
        let known = &file.authors[..writers];
        known.binary_search_by_key(&replica, |author| author.replica).unwrap_or_else(|_| {
            file.authors.push(author((replica, 0)));
            file.authors.len() - 1
        }) as u32
    };
    replicas.iter().map(number).collect()
}

/// The edits of a whole history, with local versions from `first` on.
fn log_from(first: Lv, ops: &OpRuns) -> Cow<'_, OpLog> {
    if first == 0 {
        return Cow::Borrowed(ops.log());
    }
    let mut log = OpLog::default();
    let copied = ops.copy_to(&mut log, 0..ops.events(), first);
    copied.expect("there was room for as many");
    Cow::Owned(log)
}

/// Where the text of elements is, while all of it is known.
struct Sources<'a> {
    base: Rope,
    log: &'a OpLog,
}

impl Sources<'_> {
    /// Appends the text that a deletion took.
    fn push(&self, Taken { stretch: Stretch { lv, len }, backward }: Taken, chunk: &mut Chunk) {
        let mut push = |text: &str| match backward {
            true => chunk.push_deleted_backward(text),
            false => chunk.push_deleted(text),
        };
        let Some(lv) = lv.checked_sub(self.base.len_chars()) else {
            return push(&self.base.slice(lv, len));
        };
        let pieces = self.log.pieces(lv..lv + len).map(|piece| self.log.text(piece.text));
        if backward {
            let pieces: SmallVec<[&str; 4]> = pieces.collect();
            pieces.into_iter().rev().for_each(push);
        } else {
            pieces.for_each(push);
        }
    }
}

/// The graph of a whole history, in the order of its changes.
fn in_order(file: &File, everything: &TextDelta) -> EventGraph {
    let mut graph = file.begin_graph();
    for run in everything.headers() {
        let parents = graph.full_parents(run.replica, &run.parents).expect("they were found so");
        let pushed = graph.push(run.replica, run.change_len, run.count, &parents);
        pushed.expect("there was room for as many");
    }
    graph
}
