//! Random histories of a few larger transactions, against the axioms.

use crdt_causal::session::Guarantees;
use crdt_core::laws::cases;
use crdt_sim::history::{Criterion, Event, History};
use crdt_sim::random::Random;

use crate::exhaustive::agree;

/// Up to six transactions of up to four events. Nearly all reads are of what somebody else wrote last, so
/// that it is the order that is wrong, if anything is.
fn draw(random: &mut Random) -> History {
    let keys = random.between(1, 4);
    let transactions = random.between(2, 6) as usize;
    let mut shapes: Vec<Vec<(bool, u64)>> = Vec::new();
    for _ in 0..transactions {
        let event = |random: &mut Random| (random.permille(450), random.below(keys));
        shapes.push((0..random.between(1, 4)).map(|_| event(random)).collect());
    }
    let value = |transaction: usize, at: usize| (10 * transaction + at + 1) as u64;
    let mut history = History::new();
    for (transaction, events) in shapes.iter().enumerate() {
        if transaction == 0 || random.permille(450) {
            history.begin_session();
        }
        history.begin_transaction(true);
        for (at, &(is_write, key)) in events.iter().enumerate() {
            let is = |&(is_write, of): &(bool, u64)| is_write && of == key;
            history.push(if is_write {
                Event::Write { key, value: value(transaction, at) }
            } else if let Some(own) = events[..at].iter().rposition(is) {
                Event::Read { key, value: Some(value(transaction, own)) }
            } else {
                let others = shapes.iter().enumerate().filter(|(other, _)| *other != transaction);
                let lasts = others.filter_map(|(t, e)| Some(value(t, e.iter().rposition(is)?)));
                let mut choices: Vec<Option<u64>> = lasts.map(Some).collect();
                choices.push(None);
                Event::Read { key, value: *random.pick(&choices) }
            });
        }
    }
    history
}

#[test]
fn the_axioms_agree_on_random_histories() {
    let sessions = Guarantees::combinations().map(Criterion::Session);
    let criteria: Vec<Criterion> = Criterion::NAMED.into_iter().chain(sessions).collect();
    let (mut clean, mut broken) = (0, 0);
    for seed in 0..cases() {
        let against = agree(&draw(&mut Random::new(seed, 11)), &criteria);
        clean += u64::from(against == 0);
        broken += u64::from(against > 0);
    }
    println!("{clean} histories that break nothing, {broken} that break something");
    assert!(clean > cases() / 50 && broken > cases() / 50);
}
