//! C7: what is read is one state that there was.

use std::collections::BTreeSet;

use crdt_causal::level::{Level, Spec};

use crate::client::Outcome;
use crate::histories;
use crate::world::{World, Write};

const PREFIX: fn() -> Spec = || Spec::new(Level::CONSISTENT_PREFIX);

/// For each server, whether each other one's cut stands for a prefix of its log: all of it up to the
/// position is held here.
fn cuts_are_prefixes(world: &World) -> bool {
    world.servers.iter().all(|server| {
        server.progress.applied().iter().all(|(slot, position)| {
            let log = &world.servers[usize::from(slot.0)].log;
            let position = usize::try_from(position).expect("small");
            position <= log.len()
                && log[..position].iter().all(|write| server.holds.contains(write))
        })
    })
}

/// Whether there is one order of all writes of which every read is a prefix: found by search, which
/// is what there is for small histories.
fn one_order_explains(reads: &[BTreeSet<Write>], writes: usize) -> bool {
    fn search(reads: &[&BTreeSet<Write>], prefix: &mut BTreeSet<Write>, writes: usize) -> bool {
        // Reads of this length are the prefix; longer ones begin with it.
        let fits = |read: &&BTreeSet<Write>| read.len() < prefix.len() || prefix.is_subset(read);
        if !reads.iter().all(fits) {
            return false;
        }
        if prefix.len() == writes {
            return true;
        }
        // What the next longer read holds comes next; anything, if there is none.
        let next = reads.iter().filter(|read| read.len() > prefix.len()).min_by_key(|r| r.len());
        (0..writes).any(|write| {
            let open = !prefix.contains(&write) && next.is_none_or(|read| read.contains(&write));
            open && {
                prefix.insert(write);
                let found = search(reads, prefix, writes);
                prefix.remove(&write);
                found
            }
        })
    }
    search(&reads.iter().collect::<Vec<_>>(), &mut BTreeSet::new(), writes)
}

/// A small history with one server that admits, as there is for a log of its own.
fn with_one_log(world: &mut World) -> Vec<BTreeSet<Write>> {
    let mut reads = Vec::new();
    for _ in 0..30 {
        let client = world.random.pick(3);
        if world.random.below(2) == 0 {
            world.write(client, 0, Spec::new(Level::EVENTUAL));
        } else {
            let server = world.random.pick(3);
            let outcome = world.read(client, server, PREFIX());
            assert!(matches!(outcome, Outcome::Served(level) if level >= Level::CONSISTENT_PREFIX));
            reads.push(world.servers[server].holds.clone());
        }
        let ms = world.random.below(1_500);
        world.pass(ms);
    }
    reads
}

#[test]
fn every_read_is_a_prefix_of_one_order() {
    let (mut reads_in_all, mut caught) = (0, 0);
    for seed in 0..histories() {
        let mut world = World::new(seed, 3, 3, 4_000);
        let reads = with_one_log(&mut world);
        assert!(one_order_explains(&reads, world.writes.len()), "seed {seed}");
        assert!(cuts_are_prefixes(&world));
        reads_in_all += reads.len();
        // Servers that take what comes as it comes.
        let mut world = World::new(seed, 3, 3, 4_000).out_of_order();
        let reads = with_one_log(&mut world);
        caught += u64::from(!one_order_explains(&reads, world.writes.len()));
    }
    println!(
        "C7 {reads_in_all} reads, each a prefix of one order; {caught} of {} histories of servers \
         that apply on arrival have none",
        histories()
    );
    assert!(caught > histories() / 10);
}

/// With several servers that admit there is no one order, but a cut: a prefix of each.
#[test]
fn every_read_is_a_prefix_of_each_log() {
    let mut caught = 0;
    for seed in 0..histories() {
        for in_order in [true, false] {
            let mut world = World::new(seed, 4, 3, 4_000);
            if !in_order {
                world = world.out_of_order();
            }
            let mut holds = true;
            for _ in 0..30 {
                let (client, server) = (world.random.pick(3), world.random.pick(4));
                world.write(client, server, Spec::new(Level::EVENTUAL));
                world.read(client, server, PREFIX());
                let ms = world.random.below(1_500);
                world.pass(ms);
                holds &= cuts_are_prefixes(&world);
            }
            assert!(holds || !in_order, "seed {seed}");
            caught += u64::from(!holds);
        }
    }
    assert!(caught > histories() / 10, "{caught}");
}

/// The checker itself.
#[test]
fn the_search_finds_what_there_is() {
    let reads = |reads: &[&[Write]]| -> Vec<BTreeSet<Write>> {
        reads.iter().map(|read| read.iter().copied().collect()).collect()
    };
    assert!(one_order_explains(&reads(&[&[], &[1], &[1, 3], &[0, 1, 2, 3]]), 5));
    assert!(!one_order_explains(&reads(&[&[1], &[2]]), 3));
    assert!(!one_order_explains(&reads(&[&[0, 1], &[1, 2, 3]]), 4));
}
