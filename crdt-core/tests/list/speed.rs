//! That nothing grows with the square of a list. Work is counted in time, with room for slow
//! machines: what is quadratic takes minutes.

use std::time::{Duration, Instant};

use crdt_core::{List, ReplicaId};

const N: usize = 20_000;

fn within(seconds: u64, name: &str, work: impl FnOnce()) {
    let begun = Instant::now();
    work();
    let took = begun.elapsed();
    println!("{name}: {:.3} µs each", took.as_secs_f64() * 1e6 / N as f64);
    assert!(took < Duration::from_secs(seconds), "{name}: {took:?}");
}

/// Inserts one by one, and joins each delta elsewhere.
fn insert_all(name: &str, at: impl Fn(usize) -> usize) {
    let (mut list, mut other) = (List::new(), List::new());
    let mut writer = list.writer(ReplicaId::from_u128(7));
    let mut deltas = Vec::new();
    within(20, name, || {
        for n in 0..N {
            deltas.push(list.insert(at(n), n as u64, &mut writer).unwrap());
        }
    });
    within(20, &format!("{name}, joined"), || {
        deltas.drain(..).for_each(|delta| _ = other.join(delta));
    });
    assert_eq!(list, other);
    within(20, &format!("{name}, removed"), || {
        for n in (0..N).rev() {
            deltas.push(list.remove(n / 2, &mut writer));
        }
    });
    within(20, &format!("{name}, removals joined"), || {
        deltas.drain(..).for_each(|delta| _ = other.join(delta));
    });
    assert!(other.is_empty());
    list.check_invariants();
}

#[test]
fn appending() {
    insert_all("appending", |n| n);
}

#[test]
fn inserting_in_the_middle() {
    insert_all("in the middle", |n| n / 2);
    insert_all("anywhere", |n| n * 7919 % (n + 1));
}

#[test]
fn inserting_at_the_beginning() {
    insert_all("at the beginning", |_| 0);
}

#[test]
fn moving() {
    let (mut list, mut other) = (List::new(), List::new());
    let mut writer = list.writer(ReplicaId::from_u128(7));
    other.join(list.extend(0..N as u64, &mut writer).unwrap());
    let mut deltas = Vec::new();
    within(20, "moving", || {
        for n in 0..N {
            deltas.push(list.move_to(n * 7919 % N, n, &mut writer).unwrap());
        }
    });
    within(20, "moves joined", || deltas.drain(..).for_each(|delta| _ = other.join(delta)));
    assert_eq!(list, other);
    list.check_invariants();
}

/// As many writers as elements, all at one place.
#[test]
fn many_writers_at_one_place() {
    let mut base = List::new();
    let mut writer = base.writer(ReplicaId::from_u128(7));
    let _delta = base.extend([0, 1], &mut writer).unwrap();
    let deltas: Vec<_> = (0..N)
        .map(|n| {
            let mut list = base.clone();
            let mut writer = list.writer(ReplicaId::from_u128((n * 7919 % N) as u128 + 10));
            list.insert(1, n as u64, &mut writer).unwrap()
        })
        .collect();
    within(20, "at one place", || deltas.into_iter().for_each(|delta| _ = base.join(delta)));
    assert_eq!(base.len(), N + 2);
    base.check_invariants();
}
