//! Editing histories of real documents, if `CRDT_TRACES` names a folder of them: played as
//! their writers made them, merged in one batch and change by change. Times are printed
//! (`--nocapture`), never asserted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crdt_core::causality::{ChangeRun, ChangeWriter};
use crdt_core::codec::{self, SendTable};
use crdt_core::sequence::{InvalidTextOp, JoinError, OpWriter, SavedHistory, TextOp};
use crdt_core::{Dot, Frontier, ReplicaId, Text, TextDelta, VersionVector};
use serde_json::Value;

fn folder(kind: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("CRDT_TRACES")?).join(kind);
    folder.is_dir().then_some(folder)
}

fn read(path: &Path) -> Value {
    let file = flate2::read::GzDecoder::new(File::open(path).expect("the trace can be read"));
    serde_json::from_reader(file).expect("the trace is JSON")
}

struct Patch {
    at: u32,
    deleted: u32,
    inserted: String,
}

fn patches(txn: &Value) -> Vec<Patch> {
    let number = |value: &Value| u32::try_from(value.as_u64().expect("a number")).expect("small");
    let list = txn["patches"].as_array().expect("a list");
    list.iter()
        .map(|patch| Patch {
            at: number(&patch[0]),
            deleted: number(&patch[1]),
            inserted: patch[2].as_str().expect("a string").into(),
        })
        .collect()
}

/// The processor time of this thread where the system tells it, else the time of day.
fn now() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|line| line.split(' ').next()?.parse().ok());
    nanos.map_or_else(
        || SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later"),
        Duration::from_nanos,
    )
}

fn ops(patches: &[Patch]) -> Vec<TextOp<'_>> {
    let mut ops = Vec::new();
    for Patch { at, deleted, inserted } in patches {
        if *deleted > 0 {
            ops.push(TextOp::Delete { at: *at, len: *deleted, forward: true });
        }
        if !inserted.is_empty() {
            ops.push(TextOp::Insert { at: *at, content: inserted });
        }
    }
    ops
}

#[test]
fn sequential_traces_replay() {
    let Some(folder) = folder("sequential") else { return };
    for name in ["automerge-paper", "seph-blog1", "rustcode", "sveltecomponent"] {
        let trace = read(&folder.join(format!("{name}.json.gz")));
        let txns: Vec<Vec<Patch>> =
            trace["txns"].as_array().expect("a list").iter().map(patches).collect();
        let start = now();
        let mut text = Text::new();
        let mut writer = text.writer(ReplicaId::from_u128(1));
        let _ = text.insert(0, trace["startContent"].as_str().expect("text"), &mut writer);
        for patches in &txns {
            let _sent = text.edit(&ops(patches), &mut writer).expect("the positions fit");
        }
        let played = now() - start;
        let end = trace["endContent"].as_str().expect("text");
        assert_eq!(text.to_string(), end, "{name}");
        text.check_invariants();

        let start = now();
        let bytes = text.encode().expect("it was not loaded");
        let saved = now() - start;
        let start = now();
        let loaded = Text::decode(&bytes).expect("just encoded");
        let loading = now() - start;
        assert_eq!(loaded.to_string(), end);
        assert_eq!(loaded.encode().as_ref(), Ok(&bytes));
        let mut loaded = loaded;
        loaded.load_history().expect("just encoded");
        loaded.check_invariants();
        assert_eq!(loaded.encode().as_ref(), Ok(&bytes));
        assert_eq!(loaded, text);
        println!(
            "{name}: {} edits locally {played:.1?}, {} bytes, save {saved:.1?}, load {loading:.1?}",
            txns.len(),
            bytes.len()
        );
        less_history(&text);
    }
}

/// The later half of the history, and none: how much it takes, and that it is the same text.
fn less_history(text: &Text) {
    let half: VersionVector = text.version().iter().map(|(id, seq)| (id, seq / 2)).collect();
    for (what, history) in
        [("from the middle on", SavedHistory::Since(&half)), ("none", SavedHistory::Nothing)]
    {
        let start = now();
        let bytes = text.encode_with(history).expect("it was not loaded");
        let took = now() - start;
        let read = Text::import(&bytes).expect("just encoded");
        read.check_invariants();
        assert_eq!(read.to_string(), text.to_string());
        assert_eq!(read.encode().as_ref(), Ok(&bytes));
        let text = text.len_bytes();
        println!("    history {what}: {} bytes in {took:.1?}, for {text} of text", bytes.len());
    }
}

/// A change as it would arrive from its writer.
fn arriving(replica: ReplicaId, seq: u64, parents: &Frontier, ops: &[TextOp<'_>]) -> TextDelta {
    let (mut out, mut stream) = (codec::Writer::new(), OpWriter::new());
    ops.iter().for_each(|&op| stream.push(op));
    let others = parents.iter().filter(|dot| dot.replica != replica);
    let run = ChangeRun {
        replica,
        seq,
        change_len: stream.events(),
        count: 1,
        parents: others.collect(),
    };
    out.u8(0);
    out.count(1);
    ChangeWriter::new().write(&run, &mut SendTable::new(), &mut out);
    stream.finish(&mut out);
    TextDelta::decode(&codec::seal(*b"cTxD", out.as_bytes())).expect("well formed")
}

/// The changes of a concurrent trace's writers, in its order, and a replica that has joined
/// them one by one, with the processor time and the time that each took. Positions past the
/// end mean the end, where an order of ties other than the recorder's gave another text.
fn play(trace: &Value) -> (Text, Vec<TextDelta>, Vec<(Duration, Duration)>) {
    let (mut text, mut deltas, mut times) = (Text::new(), Vec::new(), Vec::new());
    // The dot that each transaction's version ends with: its own last, or those of its
    // parents if it has none.
    let mut versions: Vec<Frontier> = Vec::new();
    for txn in trace["txns"].as_array().expect("a list") {
        let replica =
            ReplicaId::from_u128(1 + u128::from(txn["agent"].as_u64().expect("a number")));
        let known = txn["parents"].as_array().expect("a list");
        let known = known.iter().map(|parent| parent.as_u64().expect("a number") as usize);
        let parents = known.flat_map(|parent| versions[parent].iter()).collect();
        let parents = text.maximal(&parents).expect("the parents are known");
        let mut patches = patches(txn);
        patches.retain(|patch| patch.deleted > 0 || !patch.inserted.is_empty());
        let seq = text.version().get(replica) + 1;
        loop {
            let ops = ops(&patches);
            if ops.is_empty() {
                versions.push(parents);
                break;
            }
            let delta = arriving(replica, seq, &parents, &ops);
            let (start, clock) = (now(), Instant::now());
            let joined = text.join(&delta);
            let took = (now() - start, clock.elapsed());
            match joined {
                Ok(_) => {
                    times.push(took);
                    deltas.push(delta);
                    let last = Dot::new(replica, text.version().get(replica));
                    versions.push([last].into_iter().collect());
                    break;
                }
                Err(JoinError::Edit {
                    error: InvalidTextOp::BeyondEnd { end, length }, ..
                }) => {
                    clamp(&mut patches, end, length);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    (text, deltas, times)
}

/// Moves the first edit that reaches `end` back to where the text has ended.
fn clamp(patches: &mut [Patch], end: u32, length: u32) {
    let over = patches.iter_mut().find(|patch| patch.at + patch.deleted == end);
    let patch = over.expect("one of the edits reaches there");
    patch.at = patch.at.min(length);
    patch.deleted = patch.deleted.min(length - patch.at);
}

fn median_and_worst(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

#[test]
fn concurrent_traces_merge() {
    let Some(folder) = folder("concurrent") else { return };
    for (name, exact) in
        [("friendsforever", true), ("clownschool", true), ("git-makefile-x2", false)]
    {
        let trace = read(&folder.join(format!("{name}.json.gz")));
        let (one, deltas, times) = play(&trace);
        // The system counts processor time in ticks: the sum is right, the parts are not.
        let one_by_one: Duration = times.iter().map(|(processor, _)| processor).sum();
        let (median, worst) = median_and_worst(times.into_iter().map(|(_, time)| time).collect());
        if exact {
            assert_eq!(one.to_string(), trace["endContent"].as_str().expect("text"), "{name}");
        }
        one.check_invariants();

        let everything = one.delta_since(&VersionVector::new()).expect("it was not loaded");
        let start = now();
        let mut batch = Text::new();
        batch.join(&everything).expect("everything is there");
        let at_once = now() - start;
        assert_eq!(batch.to_string(), one.to_string(), "{name}");
        let bytes = one.encode().expect("it was not loaded");
        assert_eq!(batch.encode().as_ref(), Ok(&bytes), "{name}");
        println!(
            "{name}: {} changes, one by one {one_by_one:.1?} (median {median:.1?}, worst {worst:.1?}), in one batch \
             {at_once:.1?}; {} bytes",
            deltas.len(),
            bytes.len()
        );
        less_history(&one);
    }
}
