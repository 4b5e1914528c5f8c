//! Writing a text whose history is at hand.

use alloc::vec::Vec;
use core::convert::Infallible;

use smallvec::SmallVec;

use super::chunk::{Chunk, Event};
use super::file::{Author, File};
use super::growing::Growing;
use super::replay::Replay;
use crate::EventGraph;
use crate::sequence::delta::TextDelta;
use crate::sequence::merge::{EVERYTHING, History};
use crate::sequence::text_store::TextStore;

/// The file of a text: its history in canonical order, replayed for what each deletion took.
pub(super) fn file(graph: &EventGraph, store: &TextStore) -> File {
    if graph.is_empty() {
        return File { authors: Vec::new(), frontier: Vec::new() };
    }
    let whole = 0..graph.len();
    let everything = TextDelta::export(graph, store, core::slice::from_ref(&whole));
    let canonical = in_order(&everything);
    let everything = everything.changes();
    let (headers, log) = (&everything.headers, everything.ops.log());
    let history = History { graph: &canonical, log, parts: EVERYTHING };
    let version = graph.version();
    // Who comes first in canonical order has the first number.
    let replicas = headers.replicas();
    let mut growing: Vec<Growing> =
        replicas.iter().map(|&replica| Growing::new(version.get(replica))).collect();
    let (mut replay, mut lv) = (Replay::default(), 0);
    for (index, row) in headers.rows().iter().enumerate() {
        let parents: &[Event] = headers.parents(index);
        let edits = |chunk: &mut Chunk, events: u32| {
            for (first, run) in log.runs_in(lv..lv + events) {
                chunk.push_run(run);
                let taken = |taken: super::replay::Taken| {
                    let stretch = taken.stretch;
                    let pieces = log.pieces(stretch.lv..stretch.lv + stretch.len);
                    if taken.backward {
                        let pieces: SmallVec<[_; 4]> = pieces.collect();
                        for piece in pieces.into_iter().rev() {
                            chunk.push_deleted_backward(log.text(piece.text));
                        }
                    } else {
                        pieces.for_each(|piece| chunk.push_deleted(log.text(piece.text)));
                    }
                };
                let advanced = replay.advance(&history, first..first + run.len, run, taken);
                advanced.expect("an edit that was applied once is valid");
            }
            lv += events;
            Ok::<_, Infallible>(())
        };
        let Ok(()) =
            growing[row.replica as usize].push(row.seq, row.change_len, row.count, parents, edits);
    }
    let authors: Vec<Author> = replicas
        .iter()
        .zip(growing)
        .map(|(&replica, grown)| Author {
            replica,
            last: version.get(replica),
            chunks: grown.finish(Vec::new()),
        })
        .collect();
    let number = |replica| {
        authors.iter().position(|author| author.replica == replica).expect("it has events") as u32
    };
    let frontier = graph.frontier_dots().iter().map(|dot| number(dot.replica)).collect();
    File { authors, frontier }
}

/// The graph of a whole history, in the order of its changes.
fn in_order(everything: &TextDelta) -> EventGraph {
    let mut graph = EventGraph::new();
    for run in everything.headers() {
        let parents = graph.full_parents(run.replica, &run.parents).expect("they were found so");
        let pushed = graph.push(run.replica, run.change_len, run.count, &parents);
        pushed.expect("there was room for as many");
    }
    graph
}
