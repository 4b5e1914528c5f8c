//! Monsoon: round trips three times as long, one packet of twenty lost, connections that end, six tenths of
//! the bandwidth, for ten minutes; then the sky clears.

use crdt_causal::session::Guarantees;

use super::order_tracking::habits;
use super::profile::DATA_CENTRES;
use super::world::{Client, Setup, World};
use super::{Bound, Options, Report, Verdict, Without};
use crate::history::Criterion;

const CITIES: [&str; 3] = ["Mumbai", "Delhi", "Bengaluru"];
/// What three people type while nobody hears of anybody.
const WORDS: [&str; 3] = ["API", "REST", "GRAPHQL"];
/// The longest round trip between the cities when it does not rain.
const ROUND_TRIP_MS: u64 = 52;

pub(super) fn play(options: &Options) -> Report {
    let links = DATA_CENTRES.map(|(a, b, profile)| (a, b, profile.with_bandwidth(250_000)));
    let mut setup = Setup::new(options.seed, &CITIES, &links);
    setup.has_tokens = !options.lacks(Without::Tokens);
    let client = |n: usize| Client::new(n % 3, 250, habits());
    setup.clients =
        (0..12).map(|n| if n % 3 == 0 { client(n) } else { client(n).roaming() }).collect();
    let mut world = World::new(setup);
    world.phase("dry", "three cities, twelve people");
    world.run_until(options.brief_or(5_000, 30_000));

    world.phase("monsoon", "the monsoon comes");
    let pairs: Vec<(usize, usize)> = links.iter().map(|&(a, b, _)| (a, b)).collect();
    for &(a, b) in &pairs {
        let rain = world.wires.profile(a, b).in_monsoon();
        world.wires.set_profile(a, b, rain);
    }
    let until = world.now + options.brief_or(90_000, 600_000);
    let mut cut_at = world.now + 15_000;
    while world.now < until {
        let (a, b) = *world.random.pick(&pairs);
        world.reconnect(a, b);
        let pause = world.random.between(4_000, 12_000);
        world.run_for(pause);
        if world.now > cut_at {
            let lonely = world.random.below(3) as usize;
            let mut groups = [0; 3];
            groups[lonely] = 1;
            world.say(format!("{} hears of nobody", CITIES[lonely]));
            world.cut(&groups);
            let lasts = world.random.between(2_000, 10_000);
            world.run_for(lasts);
            world.heal();
            cut_at = world.now + 30_000;
        }
    }
    world.say("nobody hears of anybody, and three people write one document");
    world.cut(&[0, 1, 2]);
    for place in 0..WORDS[2].len() {
        for (city, word) in WORDS.iter().enumerate() {
            let Some(letter) = word.get(place..=place) else { continue };
            world.edit(city, |tx| tx.text("document").insert(place, letter).map(drop));
        }
        world.run_for(700);
    }

    world.phase("calm", "the sky clears");
    world.set_open(false);
    for &(a, b, profile) in &links {
        world.wires.set_profile(a, b, profile);
    }
    let mut converged = None;
    if !options.lacks(Without::Synchronisation) {
        world.heal();
        for &(a, b) in &pairs {
            world.reconnect(a, b);
        }
        converged = world.converge(600_000);
    }
    let took = converged.map_or("never".to_string(), |ms| format!("{ms} ms"));
    world.say(format!("everybody has everything: {took}"));
    // What clients still wait for is answered, or not.
    world.run_for(45_000);
    let late = world.converge(60_000).map_or(0, |_| 1);

    let all = ["causal", "session"];
    let broken =
        world.broken(&all, &[Criterion::Session(Guarantees::ALL), Criterion::CausalConsistency]);
    let text: String = world.doc(0).text("document").chars().collect();
    let whole = WORDS.iter().filter(|word| text.contains(**word)).count() as u64;
    world.say(format!("the document reads {text}"));
    let verdicts = vec![
        Verdict::new(
            "T3",
            "violations that the checker of histories finds",
            broken.len() as u64,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T3",
            format!(
                "milliseconds until all were equal after the rain (one round trip takes {ROUND_TRIP_MS})"
            ),
            converged.unwrap_or(Verdict::NEVER),
            Bound::AtMost(20 * ROUND_TRIP_MS),
        ),
        Verdict::new(
            "T3",
            "different documents, byte by byte",
            world.different_documents(),
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T3",
            "events that were made and are nowhere",
            world.lost_writes(0),
            Bound::Exactly(0),
        ),
        Verdict::new("T3", "words of three that stand in one piece", whole, Bound::Exactly(3)),
        Verdict::new("T3", "whether what came late converged too", late, Bound::Exactly(1)),
        Verdict::new(
            "T3",
            "answers that were older than they said",
            world.false_claims,
            Bound::Exactly(0),
        ),
    ];
    world.report(verdicts)
}
