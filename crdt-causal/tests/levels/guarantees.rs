//! C3: Terry's four guarantees, each alone and in every combination.

use crdt_causal::level::{Level, Spec};
use crdt_causal::session::Guarantees;

use crate::histories;
use crate::world::{Violations, World};

/// A history of clients that ask for these guarantees and no others, of servers at random.
pub(crate) fn history(seed: u64, guarantees: Guarantees) -> World {
    let mut world = World::new(seed, 3, 2, 4_000);
    let spec = Spec::new(Level::session(guarantees));
    for _ in 0..40 {
        let client = world.random.pick(2);
        let server = world.random.pick(3);
        match world.random.below(10) {
            0..4 => drop(world.read(client, server, spec)),
            4..8 => drop(world.write(client, server, spec)),
            8 => world.write_offline(client),
            _ => {}
        }
        if world.random.below(3) == 0 {
            let ms = world.random.below(2_000);
            world.pass(ms);
        }
    }
    world.pass(30_000);
    world
}

fn violations(guarantees: Guarantees) -> (Violations, u32) {
    let (mut violations, mut served) = (Violations::default(), 0);
    for seed in 0..histories() {
        let world = history(seed, guarantees);
        violations.add(world.violations);
        served += world.counts.served;
    }
    (violations, served)
}

/// Whatever is asked for is kept in every history. Whatever is not asked for is broken in some: so
/// each switch does what its name says, and only that; and each check that is dropped is missed.
#[test]
fn exactly_what_is_not_asked_for_is_broken() {
    for asked in Guarantees::combinations() {
        let (violations, served) = violations(asked);
        assert!(served > 0);
        println!("C3 asked for {asked}: {served} operations, {violations:?}");
        assert_eq!(violations.kinds(), Guarantees::ALL - asked, "asked for {asked}");
    }
}

/// After the last write and some time, all servers hold the same, whatever was asked for.
#[test]
fn and_all_servers_converge() {
    for seed in 0..histories() / 4 {
        let world = history(seed, Guarantees::ALL);
        let held = &world.servers[0].holds;
        assert!(world.servers.iter().all(|server| server.holds == *held), "seed {seed}");
        assert!(!held.is_empty());
    }
}
