//! What one mutation and one join of each type cost.

use std::hint::black_box;

use crdt_core::{AddWinsSet, GCounter, LwwMap, PnCounter, ReplicaId};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const WRITERS: u128 = 10;

fn replica(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number + 1)
}

fn counters(c: &mut Criterion) {
    let mut group = c.benchmark_group("counter");
    group.throughput(Throughput::Elements(1));
    group.bench_function("grow-only: increment, 10 writers", |b| {
        let mut counter = GCounter::default();
        let mut writers: Vec<_> = (0..WRITERS).map(|n| counter.writer(replica(n))).collect();
        let mut turn = 0;
        b.iter(|| {
            turn = (turn + 1) % writers.len();
            counter.increment(1, &mut writers[turn]).expect("far from overflow")
        });
        assert!(counter.value() > 0);
    });
    group.bench_function("positive-negative: increment, 10 writers", |b| {
        let mut counter = PnCounter::default();
        let mut writers: Vec<_> = (0..WRITERS).map(|n| counter.writer(replica(n))).collect();
        let mut turn = 0;
        b.iter(|| {
            turn = (turn + 1) % writers.len();
            counter.increment(1, &mut writers[turn]).expect("far from overflow")
        });
        assert!(counter.value() > 0);
    });
    let thousand: GCounter = (0..1000).map(|n| (replica(n), 5)).collect();
    let other: GCounter = (0..1000).map(|n| (replica(n), n as u64 % 10)).collect();
    group.throughput(Throughput::Elements(1000));
    group.bench_function("grow-only: join, per writer of 1,000", |b| {
        b.iter_batched_ref(
            || (thousand.clone(), other.clone()),
            |(counter, other)| counter.join(core::mem::take(other)),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn set_of(elements: u64) -> AddWinsSet<u64> {
    let mut set = AddWinsSet::new();
    let mut writers: Vec<_> = (0..WRITERS).map(|n| set.writer(replica(n))).collect();
    for element in 0..elements {
        let writer = &mut writers[(element % WRITERS as u64) as usize];
        let _delta = set.add(element, writer).expect("numbers are left");
    }
    set
}

fn sets(c: &mut Criterion) {
    let mut group = c.benchmark_group("add-wins set");
    for elements in [10_000u64, 100_000] {
        let set = set_of(elements);
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("add to {elements}"), |b| {
            let mut set = set.clone();
            let mut writer = set.writer(replica(0));
            let mut element = 0;
            b.iter(|| {
                element = (element + 7919) % elements;
                set.add(element, &mut writer).expect("numbers are left")
            });
            assert_eq!(set.len() as u64, elements);
        });
    }
    let (left, mut right) = (set_of(10_000), set_of(10_000));
    let mut writer = right.writer(replica(99));
    for element in (0..10_000).step_by(20) {
        let _delta = right.remove(&element, &mut writer);
    }
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("join of two of 10,000, per element", |b| {
        b.iter_batched(
            || (left.clone(), right.clone()),
            |(mut left, right)| {
                assert!(left.join(right));
                assert_eq!(left.len(), 9_500);
                left
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn maps(c: &mut Criterion) {
    let mut group = c.benchmark_group("last-writer-wins map");
    const KEYS: usize = 100_000;
    let keys: Vec<String> = (0..KEYS).map(|n| format!("key-{n:06}")).collect();
    let mut map: LwwMap<String, u64> = LwwMap::new();
    let mut writer = map.writer(replica(0));
    for key in &keys {
        let _delta = map.set(key.clone(), 0, 1, &mut writer).expect("numbers are left");
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("put, 100,000 string keys", |b| {
        let (mut turn, mut stamp) = (0, 2);
        b.iter(|| {
            turn = (turn + 7919) % KEYS;
            stamp += 1;
            map.set(keys[turn].clone(), stamp, stamp, &mut writer).expect("numbers are left")
        });
        assert_eq!(map.len(), KEYS);
    });
    group.bench_function("get, 100,000 string keys", |b| {
        let mut turn = 0;
        b.iter(|| {
            turn = (turn + 7919) % KEYS;
            black_box(map.get(keys[turn].as_str())).is_some()
        });
    });
    group.finish();
}

criterion_group!(benches, counters, sets, maps);
criterion_main!(benches);
