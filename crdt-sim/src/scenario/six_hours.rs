//! Six hours apart: fifteen data centres hear nothing of each other, and write on; then all is mended.

use super::profile::Profile;
use super::profile::TIER_1;
use super::world::{Setup, World};
use super::{Bound, Options, Report, Verdict, Without};

const CENTRES: usize = 15;
const EDIT_EVERY_MS: u64 = 60_000;

/// A little of everything that is written: a post, a like, a line of text, a tag.
fn write(world: &mut World, centre: usize) {
    let (kind, number) = (world.random.below(4), world.random.below(200));
    let value = world.fresh_value(0);
    world.edit(centre, |tx| {
        match kind {
            0 => drop(tx.map("posts").set(&number.to_string(), value as i64)),
            1 => drop(tx.counter("likes").increment(1)),
            2 => drop(tx.text("notes").push("a line that somebody has written\n")?),
            _ => drop(tx.set("tags").add(number as i64)),
        }
        Ok(())
    });
}

fn work(world: &mut World, ms: u64) -> u64 {
    let (until, mut edits) = (world.now + ms, 0);
    while world.now < until {
        for centre in 0..CENTRES {
            write(world, centre);
            edits += 1;
        }
        world.run_for(EDIT_EVERY_MS);
    }
    edits
}

pub(super) fn play(options: &Options) -> Report {
    let names: Vec<String> = (1..=CENTRES).map(|n| format!("centre {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // All are connected to the first.
    let links: Vec<(usize, usize, Profile)> = (1..CENTRES).map(|n| (0, n, TIER_1)).collect();
    let mut setup = Setup::new(options.seed, &names, &links);
    setup.beat_ms = 30_000;
    let mut world = World::new(setup);
    world.phase("whole", "fifteen data centres, all connected to the first");
    work(&mut world, 10 * 60_000);
    let together = world.converge(60_000);
    let versions: Vec<_> = (0..CENTRES).map(|n| world.doc(n).version().clone()).collect();

    world.phase("apart", "nobody hears of anybody");
    let groups: Vec<usize> = (0..CENTRES).collect();
    world.cut(&groups);
    world.hang_up();
    let hours = options.brief_or(1, 6);
    let edits = work(&mut world, hours * 3_600_000);
    world.say(format!("{edits} changes were made in {hours} hours"));
    let deltas: Vec<u64> =
        (0..CENTRES).map(|n| world.doc(n).changes_since(&versions[n]).len() as u64).collect();
    let everybody_needs = deltas.iter().sum::<u64>() * (CENTRES as u64 - 1);
    world.phase("healed", "everybody is back");
    let before = world.sync_bytes;
    let mut converged = None;
    if !options.lacks(Without::Synchronisation) {
        world.heal();
        for &(a, b, _) in &links {
            world.reconnect(a, b);
        }
        converged = world.converge(3_600_000);
    }
    world.run_for(60_000);
    let sent = world.sync_bytes - before;
    let state = world.doc(0).encode().len() as u64;
    let took = converged.map_or("never".to_string(), |ms| format!("{ms} ms"));
    world.say(format!("everybody has everything: {took}"));
    let permille = sent * 1_000 / everybody_needs;
    let table = format!(
        "what was written apart is {everybody_needs} bytes, for all who need it; {sent} bytes of sessions were sent \
         since the end of the cut; the states of all, sent over each link both ways, would be \
         {} bytes",
        state * 2 * (CENTRES as u64 - 1),
    );
    let verdicts = vec![
        Verdict::new(
            "T8",
            "whether all were equal before",
            u64::from(together.is_some()),
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T8",
            "milliseconds until all were equal",
            converged.unwrap_or(Verdict::NEVER),
            Bound::AtMost(30_000),
        ),
        Verdict::new(
            "T8",
            "bytes sent, in permille of the sum of what everybody lacked",
            permille,
            Bound::AtMost(1_500),
        ),
        Verdict::new(
            "T8",
            "events that were made and are nowhere",
            world.lost_writes(0),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T8",
            "different documents, byte by byte",
            world.different_documents(),
            Bound::Exactly(1),
        ),
    ];
    let mut report = world.report(verdicts);
    report.tables.push(table);
    report
}
