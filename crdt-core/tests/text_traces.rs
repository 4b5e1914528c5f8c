//! Editing histories of real documents, if `CRDT_TRACES` names a folder of them: played as
//! their writers made them, merged in one batch and change by change. Times are printed
//! (`--nocapture`), never asserted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crdt_core::sequence::TextOp;
use crdt_core::{ReplicaId, Text, TextDelta, VersionVector, Writer};
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

/// Plays one transaction as one change. Positions past the end mean the end, where an order
/// of ties other than the recorder's has given another text.
fn edit(text: &mut Text, patches: &[Patch], writer: &mut Writer, clamp: bool) -> TextDelta {
    let mut len = text.len_chars();
    let mut ops = Vec::new();
    for patch in patches {
        let (mut at, mut deleted) = (patch.at, patch.deleted);
        if clamp {
            at = at.min(len);
            deleted = deleted.min(len - at);
        }
        if deleted > 0 {
            ops.push(TextOp::Delete { at, len: deleted, forward: true });
        }
        if !patch.inserted.is_empty() {
            ops.push(TextOp::Insert { at, content: &patch.inserted });
        }
        len = len - deleted + patch.inserted.chars().count() as u32;
    }
    text.edit(&ops, writer).expect("the positions fit")
}

#[test]
fn sequential_traces_replay() {
    let Some(folder) = folder("sequential") else { return };
    for name in ["automerge-paper", "seph-blog1", "rustcode", "sveltecomponent"] {
        let trace = read(&folder.join(format!("{name}.json.gz")));
        let txns: Vec<Vec<Patch>> =
            trace["txns"].as_array().expect("a list").iter().map(patches).collect();
        let start = Instant::now();
        let mut text = Text::new();
        let mut writer = text.writer(ReplicaId::from_u128(1));
        let _ = text.insert(0, trace["startContent"].as_str().expect("text"), &mut writer);
        for patches in &txns {
            let _sent = edit(&mut text, patches, &mut writer, false);
        }
        let played = start.elapsed();
        let end = trace["endContent"].as_str().expect("text");
        assert_eq!(text.to_string(), end, "{name}");
        text.check_invariants();

        let start = Instant::now();
        let bytes = text.encode();
        let saved = start.elapsed();
        let start = Instant::now();
        let loaded = Text::decode(&bytes).expect("just encoded");
        let loading = start.elapsed();
        assert_eq!(loaded.to_string(), end);
        assert_eq!(loaded.encode(), bytes);
        println!(
            "{name}: {} edits locally {played:.1?}, {} bytes, save {saved:.1?}, load {loading:.1?}",
            txns.len(),
            bytes.len()
        );
    }
}

/// The writers of a concurrent trace: each a replica that takes in, in one batch, what its
/// next edit needs, from one that has everything.
fn play(trace: &Value, clamp: bool) -> Vec<TextDelta> {
    let txns = trace["txns"].as_array().expect("a list");
    let agents = trace["numAgents"].as_u64().expect("a number") as usize;
    let mut texts: Vec<Text> = vec![Text::new(); agents];
    let mut writers: Vec<Writer> =
        texts.iter().zip(1..).map(|(text, id)| text.writer(ReplicaId::from_u128(id))).collect();
    let mut everything = Text::new();
    let mut sent: Vec<TextDelta> = Vec::new();
    let mut versions: Vec<VersionVector> = Vec::new();
    for txn in txns {
        let agent = txn["agent"].as_u64().expect("a number") as usize;
        let mut needed = VersionVector::new();
        for parent in txn["parents"].as_array().expect("a list") {
            needed.join(&versions[parent.as_u64().expect("a number") as usize]);
        }
        let text = &mut texts[agent];
        let news = everything.delta_between(text.version(), &needed);
        text.join(&news).expect("a version is closed");
        assert_eq!(*text.version(), needed, "an agent goes on from its own last edit");
        let delta = edit(text, &patches(txn), &mut writers[agent], clamp);
        everything.join(&delta).expect("in causal order");
        versions.push(text.version().clone());
        sent.push(delta);
    }
    sent.retain(|delta| !delta.is_empty());
    sent
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
        let start = Instant::now();
        let deltas = play(&trace, !exact);
        let played = start.elapsed();

        let mut one = Text::new();
        let mut times = Vec::new();
        let start = Instant::now();
        for delta in &deltas {
            let start = Instant::now();
            one.join(delta).expect("in causal order");
            times.push(start.elapsed());
        }
        let one_by_one = start.elapsed();
        let (median, worst) = median_and_worst(times);
        if exact {
            assert_eq!(one.to_string(), trace["endContent"].as_str().expect("text"), "{name}");
        }
        one.check_invariants();

        let everything = one.delta_since(&VersionVector::new());
        let start = Instant::now();
        let mut batch = Text::new();
        batch.join(&everything).expect("everything is there");
        let at_once = start.elapsed();
        assert_eq!(batch.to_string(), one.to_string(), "{name}");
        let bytes = one.encode();
        assert_eq!(batch.encode(), bytes, "{name}");
        println!(
            "{name}: {} changes, all writers {played:.1?}; one replica, change by change \
             {one_by_one:.1?} (median {median:.1?}, worst {worst:.1?}), in one batch \
             {at_once:.1?}; {} bytes",
            deltas.len(),
            bytes.len()
        );
    }
}
