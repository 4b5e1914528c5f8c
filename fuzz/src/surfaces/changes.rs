//! The header columns of changes, which texts, documents and connections share, and the
//! event graph that takes them in.

use crdt_core::causality::{ChangeReader, ChangeRun, ChangeWriter};
use crdt_core::codec::{Reader, ReceiveTable, SendTable, Writer};
use crdt_core::{Dot, EventGraph, ReplicaId};

use super::replicas;
use crate::memory::bounded;

/// Reads rows until one is wrong, and gives the graph those whose past it holds. Rows that
/// were read have one encoding, which is the bytes they came from.
pub fn run(bytes: &[u8]) {
    // What reads rows keeps a little for each replica; a row that is kept is its keeper's.
    let taken = bounded(bytes.len(), || read(bytes, drop));
    let mut rows = Vec::new();
    read(bytes, |row| rows.push(row));
    let mut out = Writer::new();
    let (mut writer, mut table) = (ChangeWriter::new(), SendTable::new());
    for row in &rows {
        writer.write(row, &mut table, &mut out);
    }
    assert_eq!(out.as_bytes(), &bytes[..taken], "rows have another encoding than the one accepted");

    let mut graph = EventGraph::new();
    for row in &rows {
        if graph.version().get(row.replica) + 1 != row.seq {
            continue;
        }
        let Ok(parents) = graph.full_parents(row.replica, &row.parents) else { continue };
        let before = graph.len();
        match graph.push(row.replica, row.change_len, row.count, &parents) {
            Ok(events) => {
                assert_eq!(events, before..graph.len());
                assert_eq!(graph.lv_of(row.last()), Some(events.end - 1));
            }
            // A full graph takes in nothing and stays as it was.
            Err(_) => assert_eq!(graph.len(), before),
        }
    }
    // The check visits every pair of runs in part; long inputs are not worth it.
    if rows.len() <= 64 {
        graph.check_invariants();
    }
}

/// One replica's typing, a merge, and a run of equal changes.
pub fn seeds() -> Vec<Vec<u8>> {
    let [a, b, c] = replicas();
    let row = |replica, seq, change_len, count, parents: &[Dot]| ChangeRun {
        replica,
        seq,
        change_len,
        count,
        parents: parents.iter().copied().collect(),
    };
    let rows = [
        row(a, 1, 1, 1, &[]),
        row(a, 2, 1, 500, &[]),
        row(b, 1, 20, 3, &[]),
        row(c, 1, 1, 1, &[Dot::new(a, 501), Dot::new(b, 60)]),
        row(b, 61, 7, 1, &[Dot::new(a, 300)]),
        row(a, 502, 1, 1, &[Dot::new(b, 67), Dot::new(c, 1)]),
    ];
    (1..=rows.len()).map(|len| write(&rows[..len])).collect()
}

/// Reads rows until one is wrong, and returns how many bytes the right ones take.
fn read(bytes: &[u8], mut row: impl FnMut(ChangeRun)) -> usize {
    let mut input = Reader::new(bytes);
    let (mut reader, mut table) = (ChangeReader::new(), ReceiveTable::<ReplicaId>::new());
    let mut taken = 0;
    while !input.is_empty() {
        let Ok(read) = reader.read(&mut table, &mut input) else { break };
        row(read);
        taken = input.position();
    }
    taken
}

fn write(rows: &[ChangeRun]) -> Vec<u8> {
    let (mut out, mut writer, mut table) = (Writer::new(), ChangeWriter::new(), SendTable::new());
    for row in rows {
        writer.write(row, &mut table, &mut out);
    }
    out.into_bytes()
}
