//! SIGKILL leaves the page cache alone, a power cut does not: here the store runs on a
//! medium that forgets, and tears, whatever was not synced when the power went.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use crdt_core::{DotRange, ReplicaId};
use crdt_server::auth::Owner;
use crdt_server::store::{
    Admitted, Content, EmbeddedStore, LogEntry, Store, StoreWriter, StoredDocument, Write,
};

use support::medium::Medium;

const DOCUMENTS: [&str; 3] = ["a", "a/b", "zebra"];

/// What the store has reported as durable.
type Acknowledged = (BTreeMap<&'static str, StoredDocument>, Vec<LogEntry>);

/// What is written in one commit.
type Group = (Vec<Write>, Vec<LogEntry>);

/// How a run ends that should not have.
#[derive(Debug)]
enum Loss {
    /// The store does not open any more.
    DoesNotOpen(#[expect(dead_code, reason = "printed")] String),
    /// It opens, and acknowledged content is missing or altered.
    Differs(#[expect(dead_code, reason = "printed")] &'static str),
}

#[test]
fn no_acknowledged_change_is_lost_in_200_crashes() {
    let mut crashes = 0;
    for seed in 0..40 {
        crashes += run(seed, 5, false).unwrap_or_else(|loss| panic!("seed {seed}: {loss:?}"));
    }
    assert_eq!(crashes, 200);
}

/// The same checker, with the sync removed, must notice: otherwise it checks nothing.
#[test]
fn without_sync_the_loss_is_noticed() {
    // Where pages are torn that the engine believes to be synced, it may also panic.
    let loses = |&seed: &u64| !matches!(std::panic::catch_unwind(|| run(seed, 5, true)), Ok(Ok(_)));
    let losses = (0..40).filter(loses).count();
    assert!(losses >= 36, "only {losses} of 40 runs noticed that nothing is ever synced");
}

/// Whoever was told a position is told nothing else after a crash.
#[test]
fn no_position_that_was_told_is_taken_back() {
    let told: usize =
        (0..60).map(|seed| told(seed).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"))).sum();
    assert!(told > 600, "only {told} positions were told");
}

/// Writes through the writer, several at a time, cuts the power and looks for what was told: how much
/// that was, or what is wrong.
pub(crate) fn told(seed: u64) -> Result<usize, &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut medium = Medium::default();
    drop(EmbeddedStore::with_backend(medium.clone()).map_err(|_| "a new store does not open")?);
    let mut told: Vec<(DotRange, u64)> = Vec::new();
    for _ in 0..3 {
        medium.crash_after(rng.u64(1..200));
        // The power may go before it is open.
        let store = EmbeddedStore::with_backend(medium.clone()).map(Arc::new);
        let started = store.and_then(|store| StoreWriter::start(store, false));
        if let Ok((writer, thread)) = started {
            runtime.block_on(write_and_note(&writer, &mut rng, &mut told));
            drop(writer);
            thread.join().expect("the thread ends");
        }
        medium = medium.after_the_crash(&mut rng);
        let store = EmbeddedStore::with_backend(medium.clone()).map_err(|_| "it does not open")?;
        let head = store.realm().map_err(|_| "it cannot be read")?.head;
        let log = store.admissions(0, usize::MAX).map_err(|_| "its log cannot be read")?;
        for (range, position) in &told {
            if *position > head {
                return Err("a position was told that is not there");
            }
            let entry = log.iter().find(|entry| entry.range == *range);
            if entry.is_none_or(|entry| entry.last() > *position) {
                return Err("events are not where it was told");
            }
        }
    }
    Ok(told.len())
}

/// Until the power goes.
async fn write_and_note(
    writer: &StoreWriter,
    rng: &mut fastrand::Rng,
    told: &mut Vec<(DotRange, u64)>,
) {
    loop {
        let mut under_way = Vec::new();
        for _ in 0..rng.usize(1..6) {
            let mut write = random_write(rng);
            let range = DotRange::new(ReplicaId::from_u128(rng.u128(..)), 1, rng.u64(1..4));
            write.admitted.push(Admitted { range, from: None });
            under_way.push((range, writer.write(write)));
        }
        for (range, durable) in under_way {
            match durable.await {
                Ok(position) => told.push((range, position)),
                Err(_) => return,
            }
        }
    }
}

/// Writes to a store, cuts the power and compares what comes back with what was
/// acknowledged, `crashes` times in a row on the same medium.
fn run(seed: u64, crashes: u32, sync_lies: bool) -> Result<u32, Loss> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut medium = Medium::default();
    let mut acknowledged: Acknowledged =
        (DOCUMENTS.map(|name| (name, <_>::default())).into(), Vec::new());
    drop(
        EmbeddedStore::with_backend(medium.clone())
            .map_err(|e| Loss::DoesNotOpen(e.to_string()))?,
    );
    if sync_lies {
        medium.let_sync_lie();
    }
    for _ in 0..crashes {
        // Now and then the power goes while the store recovers from the crash before.
        let calm = rng.u64(0..200);
        medium.crash_after(calm.max(1));
        let under_way = write_until_the_crash(&medium, &mut acknowledged, &mut rng);
        assert!(medium.is_dead());
        medium = medium.after_the_crash(&mut rng);
        let store = EmbeddedStore::with_backend(medium.clone())
            .map_err(|error| Loss::DoesNotOpen(error.to_string()))?;
        compare(&store, &mut acknowledged, under_way)?;
    }
    Ok(crashes)
}

/// Returns the group whose commit the crash interrupted.
fn write_until_the_crash(
    medium: &Medium,
    acknowledged: &mut Acknowledged,
    rng: &mut fastrand::Rng,
) -> Group {
    let Ok(store) = EmbeddedStore::with_backend(medium.clone()) else { return Group::default() };
    loop {
        let writes: Vec<_> = (0..rng.usize(1..6)).map(|_| random_write(rng)).collect();
        let mut next = acknowledged.1.last().map_or(1, |entry| entry.last() + 1);
        let mut log = Vec::new();
        for write in &writes {
            let range = DotRange::new(ReplicaId::from_u128(rng.u128(..)), 1, rng.u64(1..4));
            let document = Arc::clone(&write.document);
            log.push(LogEntry { first: next, document, range, from: None, admitted_at: next });
            next += range.len();
        }
        let group = (writes, log);
        if store.commit(&group.0, &group.1, Some(0)).is_err() {
            return group;
        }
        apply(acknowledged, &group);
    }
}

fn random_write(rng: &mut fastrand::Rng) -> Write {
    let document = DOCUMENTS[rng.usize(..DOCUMENTS.len())];
    // Most changes are small; some span several pages.
    let len = if rng.u8(..10) == 0 { rng.usize(..40_000) } else { rng.usize(..200) };
    let bytes = std::iter::repeat_with(|| rng.u8(..)).take(len).collect();
    let content =
        if rng.u8(..20) == 0 { Content::Snapshot(bytes) } else { Content::Changes(bytes) };
    let owners = if rng.u8(..10) == 0 {
        vec![(ReplicaId::from_u128(rng.u128(..)), Owner::of(&rng.u64(..).to_string()))]
    } else {
        Vec::new()
    };
    let mut write = Write::new(document, content);
    write.owners = owners;
    write
}

fn apply((state, log): &mut Acknowledged, group: &Group) {
    log.extend(group.1.iter().cloned());
    for write in &group.0 {
        let stored = state.get_mut(&*write.document).expect("one of the three");
        match &write.content {
            Content::Changes(bytes) => stored.log.push(bytes.clone()),
            Content::Snapshot(bytes) => {
                stored.snapshot = Some(bytes.clone());
                stored.log.clear();
            }
            Content::Unchanged => {}
        }
        stored.owners.extend(write.owners.iter().copied());
    }
}

/// The store must hold what was acknowledged, and of the group that was under way all or
/// nothing. Whatever it holds counts as acknowledged from here on.
fn compare(
    store: &EmbeddedStore,
    acknowledged: &mut Acknowledged,
    under_way: Group,
) -> Result<(), Loss> {
    let unreadable = |error: crdt_server::store::StoreError| Loss::DoesNotOpen(error.to_string());
    let mut found = Acknowledged::default();
    for name in DOCUMENTS {
        found.0.insert(name, store.load(name).map_err(unreadable)?);
    }
    found.1 = store.admissions(0, usize::MAX).map_err(unreadable)?;
    // Documents and positions come together, or not at all.
    let head = found.1.last().map_or(0, LogEntry::last);
    if store.realm().map_err(unreadable)?.head != head {
        return Err(Loss::Differs("head"));
    }
    if found == *acknowledged {
        return Ok(());
    }
    apply(acknowledged, &under_way);
    if found.1 != acknowledged.1 {
        return Err(Loss::Differs("log"));
    }
    match DOCUMENTS.into_iter().find(|name| found.0[name] != acknowledged.0[name]) {
        Some(name) => Err(Loss::Differs(name)),
        None => Ok(()),
    }
}
