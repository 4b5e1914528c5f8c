//! C4 and C5: a client goes from region to region with its token.

use crdt_causal::level::{Lacking, Level, Refusal, Spec};
use crdt_causal::session::Guarantees;

use crate::client::Outcome;
use crate::histories;
use crate::world::World;

/// Asks one region, and does what it is told until it is served or refused for good.
fn ask(world: &mut World, mut region: usize, level: Level, is_write: bool) -> bool {
    let deadline = world.now + 12_000;
    loop {
        let spec = Spec::new(level).until(deadline);
        // Half of the requests would rather go elsewhere than wait.
        let spec = if world.random.below(2) == 0 { spec } else { Spec::new(level) };
        let outcome =
            if is_write { world.write(0, region, spec) } else { world.read(0, region, spec) };
        match outcome {
            Outcome::Served(achieved) => {
                assert!(achieved >= level);
                return true;
            }
            Outcome::Wait(until) => {
                assert!(world.now < until && until == deadline);
                world.pass(500);
            }
            Outcome::Elsewhere(regions) => region = regions[0],
            Outcome::Refused(_) if world.now >= deadline => return false,
            Outcome::Refused(_) => world.pass(500),
        }
    }
}

fn roam(seed: u64, level: Level) -> World {
    let mut world = World::new(seed, 5, 1, 5_000);
    for _ in 0..60 {
        let region = world.random.pick(5);
        let is_write = world.random.below(3) == 0;
        if world.random.below(10) == 0 {
            world.write_offline(0);
        }
        // Reading what was written offline has to wait until it was sent.
        if !ask(&mut world, region, level, is_write) {
            assert!(!is_write);
            assert!(ask(&mut world, region, level, true), "a write takes offline writes along");
        }
        let ms = world.random.below(400);
        world.pass(ms);
    }
    world
}

/// C4: five regions with 0 to 5 s of lag.
#[test]
fn a_roaming_client_never_reads_the_past() {
    let (mut served, mut waiting, mut redirected, mut longest) = (0, 0, 0, 0);
    let mut careless = 0;
    for seed in 0..histories() / 2 {
        let world = roam(seed, Level::CAUSAL);
        assert_eq!(world.violations.kinds(), Guarantees::NONE, "seed {seed}");
        served += world.counts.served;
        waiting += world.counts.waiting;
        redirected += world.counts.redirected;
        longest = longest.max(world.longest_token);
        // The same client, without asking for anything.
        let violations = roam(seed, Level::EVENTUAL).violations;
        careless += violations.monotonic_reads + violations.read_your_writes;
    }
    println!(
        "C4 {served} operations, 0 stale ({careless} where nothing is asked for); told to wait \
         {waiting} times, to go elsewhere {redirected} times; longest token {longest} bytes"
    );
    assert!(careless > 0 && waiting > 0 && redirected > 0);
    assert!(longest <= 96, "{longest}");
}

/// C5: nobody has what the token demands. The answer is to wait, to go elsewhere or no; when it has
/// come, it is served.
#[test]
fn nobody_answers_with_less_than_the_token_asks_for() {
    let mut world = World::new(1, 3, 1, 1_000);
    let causal = Spec::new(Level::CAUSAL);
    world.pass(5_000);
    world.servers[0].is_cut_off = true;
    assert!(matches!(world.write(0, 0, causal), Outcome::Served(_)));
    world.pass(5_000);
    for server in [1, 2] {
        let spec = causal.until(world.now + 100);
        assert_eq!(world.read(0, server, spec), Outcome::Wait(world.now + 100));
        assert_eq!(world.write(0, server, spec), Outcome::Wait(world.now + 100));
        // Nobody has told that it has it. The deadline has come.
        let refused = world.read(0, server, causal.until(world.now));
        let Outcome::Refused(Refusal::Lacking(Lacking::Admission(event))) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((event.slot.0, event.position), (0, 1));
        // Less was all right for someone else, and then it is said to be less.
        let floor = causal.or_at_least(Level::CONSISTENT_PREFIX);
        let token = world.clients[0].token.clone();
        let Outcome::Served(level) = world.read(0, server, floor) else { panic!("it will do") };
        assert!(level >= Level::CONSISTENT_PREFIX && !(level.promises(Level::CAUSAL)));
        // That was a read of the past, and the checker has seen it.
        assert!(world.violations.read_your_writes > 0);
        (world.violations, world.clients[0].token) = (Default::default(), token);
    }
    world.servers[0].is_cut_off = false;
    world.pass(5_000);
    for server in [0, 1, 2] {
        assert!(matches!(world.read(0, server, causal), Outcome::Served(_)));
    }
    assert_eq!(world.violations.kinds(), Guarantees::NONE);
}

/// C5: the first server is no better than the others when it is the one that lags.
#[test]
fn the_primary_lags_too() {
    let mut world = World::new(2, 3, 1, 1_000);
    let causal = Spec::new(Level::CAUSAL);
    world.pass(5_000);
    world.servers[0].is_cut_off = true;
    assert!(matches!(world.write(0, 1, causal), Outcome::Served(_)));
    world.pass(5_000);
    let spec = causal.until(world.now + 1);
    assert_eq!(world.read(0, 0, spec), Outcome::Wait(world.now + 1));
    assert!(matches!(world.read(0, 0, causal), Outcome::Refused(_)), "it has heard nothing");
    // What it last heard names the others, once they have told.
    world.servers[0].peers[0].applied = world.servers[1].progress.applied().clone();
    assert_eq!(world.read(0, 0, causal), Outcome::Elsewhere(vec![1]));
    assert!(matches!(world.read(0, 1, causal), Outcome::Served(_)));
    assert_eq!(world.violations.kinds(), Guarantees::NONE);
}

/// C5 at random: servers are cut off and come back, and no answer is ever older than the token.
#[test]
fn no_answer_is_older_than_the_token() {
    let mut counts = [0; 4];
    for seed in 0..histories() {
        let mut world = World::new(seed, 4, 2, 3_000);
        for _ in 0..40 {
            let (client, server) = (world.random.pick(2), world.random.pick(4));
            if world.random.below(5) == 0 {
                world.servers[server].is_cut_off ^= true;
            }
            let now = world.now;
            let spec = Spec::new(Level::CAUSAL);
            let spec = if world.random.below(2) == 0 { spec.until(now + 9) } else { spec };
            if world.random.below(2) == 0 {
                world.write(client, server, spec);
            } else {
                world.read(client, server, spec);
            }
            let ms = world.random.below(3_000);
            world.pass(ms);
        }
        assert_eq!(world.violations.kinds(), Guarantees::NONE, "seed {seed}");
        let of = world.counts;
        for (sum, count) in
            counts.iter_mut().zip([of.served, of.waiting, of.redirected, of.refused])
        {
            *sum += count;
        }
    }
    let [served, waiting, redirected, refused] = counts;
    println!("C5 {served} served, {waiting} waiting, {redirected} redirected, {refused} refused");
    assert!(counts.iter().all(|count| *count > 0));
}
