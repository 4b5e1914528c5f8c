//! Generated histories: valid ones, and ones that are spoilt in one place.

use crdt_sim::history::{Criterion, Event, History, Shape, Violation, check, generate};
use crdt_sim::random::Random;

fn shape() -> Shape {
    Shape { sessions: 8, events: 4_000, keys: 60, applied_max: 30, ..Shape::default() }
}

fn is_kept(history: &History, criterion: &str) -> bool {
    let criterion: Criterion = criterion.parse().unwrap();
    check(history, criterion).expect("it can be judged").violation.is_none()
}

#[test]
fn what_is_generated_is_causally_convergent() {
    for seed in 0..20 {
        let history = generate(&shape(), seed);
        assert!(history.events().len() >= 4_000);
        for criterion in ["reads", "rc", "ryw", "mr", "mw", "wfr", "mr+mw", "cc", "ccv"] {
            assert!(is_kept(&history, criterion), "seed {seed}, {criterion}");
        }
    }
}

/// A read of the initial value where the session has read a write of the key before.
fn spoil(history: &mut History, random: &mut Random) -> bool {
    let session = random.below(history.sessions() as u64) as usize;
    let mut seen: Vec<u64> = Vec::new();
    let mut places: Vec<(usize, u64)> = Vec::new();
    for transaction in history.transactions_of(session) {
        let (mut own, before) = (Vec::new(), seen.len());
        for at in history.events_of(transaction) {
            match history.events()[at] {
                Event::Write { key, .. } => own.push(key),
                Event::Read { key, value: Some(_) } if !own.contains(&key) => {
                    if seen[..before].contains(&key) {
                        places.push((at, key));
                    }
                    seen.push(key);
                }
                Event::Read { .. } => {}
            }
        }
    }
    if places.is_empty() {
        return false;
    }
    let (at, key) = *random.pick(&places);
    history.replace(at, Event::Read { key, value: None });
    true
}

#[test]
fn one_wrong_read_in_thousands_is_found_and_its_circle_is_short() {
    let mut random = Random::new(5, 5);
    let mut found = 0;
    for seed in 0..20 {
        let mut history = generate(&shape(), seed);
        if !spoil(&mut history, &mut random) {
            continue;
        }
        found += 1;
        for criterion in ["mr", "cc", "ccv"] {
            let criterion: Criterion = criterion.parse().unwrap();
            let violation = check(&history, criterion).unwrap().violation;
            let Some(Violation::Cycle(cycle)) = violation else {
                panic!("seed {seed}, {criterion}")
            };
            assert!(cycle.is_shortest && cycle.steps.len() == 2, "{cycle}");
        }
    }
    assert!(found > 10);
}

/// A circle through all writers, and no shorter one: each has a reader who sees it, and reads what another one wrote to the
/// same key.
#[test]
fn a_long_circle_is_found_whole() {
    let count = 300;
    let mut history = History::new();
    for session in 0..count {
        let next = (session + 1) % count;
        history.begin_session();
        history.begin_transaction(true);
        history.write(session, session + 1);
        history.write(next, 1_000 + session);
    }
    assert!(is_kept(&history, "ccv"));
    for session in 0..count {
        let (previous, next) = ((session + count - 1) % count, (session + 1) % count);
        history.begin_session();
        history.begin_transaction(true);
        // This writer is visible, by `next`; and of `session` the other one's value is read.
        history.read(next, Some(1_000 + session));
        history.read(session, Some(1_000 + previous));
    }
    let violation = check(&history, Criterion::CausalConvergence).unwrap().violation;
    let Some(Violation::Cycle(cycle)) = violation else { panic!("it is a circle") };
    assert_eq!((cycle.steps.len(), cycle.is_shortest), (count as usize, true));
}
