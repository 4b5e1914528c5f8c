//! C21: sagas.

use std::cell::Cell;
use std::collections::BTreeSet;

use crdt_causal::policy::{Saga, SagaCommand, SagaReply, SagaState};
use crdt_core::codec::{Encode, Writer};

const STEPS: [&str; 4] = ["order", "payment", "inventory", "shipping"];

fn saved(saga: &Saga) -> Vec<u8> {
    let mut out = Writer::new();
    saga.encode(&mut out);
    out.into_bytes()
}

/// The participants: what each has done, and what it was asked to take back.
#[derive(Default)]
struct World {
    done: BTreeSet<u32>,
    taken_back: BTreeSet<u32>,
    /// What happened, in words.
    log: Vec<String>,
    refuses: Option<u32>,
    /// How often compensations go unanswered before they are done.
    deaf: u32,
}

impl World {
    fn ask(&mut self, command: SagaCommand) -> Option<SagaReply> {
        let step = command.key().step;
        let name = STEPS[step as usize];
        match command {
            SagaCommand::Do(_) if self.refuses == Some(step) || self.taken_back.contains(&step) => {
                return Some(SagaReply::Refused);
            }
            SagaCommand::Do(_) => {
                if self.done.insert(step) {
                    self.log.push(format!("+{name}"));
                }
            }
            SagaCommand::Compensate(_) => {
                if self.deaf > 0 {
                    self.deaf -= 1;
                    return None;
                }
                self.taken_back.insert(step);
                if self.done.remove(&step) {
                    self.log.push(format!("-{name}"));
                }
            }
        }
        Some(SagaReply::Done)
    }
}

/// Plays a saga, with a crash at one of its moments, or none; how many moments there were.
fn play(world: &mut World, crash_at: Option<u32>, abort_at: Option<u32>) -> (SagaState, u32) {
    let (mut disk, mut now, moment) = (None::<Vec<u8>>, 0, Cell::new(0));
    let mut saga = Saga::new(9, 4, 100);
    loop {
        let crashes = || crash_at == Some(moment.replace(moment.get() + 1));
        // What is in memory alone is lost; a saga that was never saved never began.
        let restored = |disk: &Option<Vec<u8>>| match disk {
            Some(bytes) => Saga::from_saved(bytes, 100).expect("it was saved"),
            None => Saga::new(9, 4, 100),
        };
        assert_eq!(saga.poll(now), None, "nothing goes out that is not saved");
        if crashes() {
            saga = restored(&disk);
        }
        disk = Some(saved(&saga));
        saga.saved(saga.revision()).unwrap();
        if crashes() {
            saga = restored(&disk);
        }
        loop {
            let Some(command) = saga.poll(now) else {
                match saga.poll_timeout() {
                    Some(at) => now = at.max(now + 1),
                    None => return (saga.state(), moment.get()),
                }
                continue;
            };
            if crashes() {
                saga = restored(&disk);
                continue;
            }
            let reply = world.ask(command);
            if crashes() {
                saga = restored(&disk);
                continue;
            }
            let before = saga.revision();
            if abort_at == Some(moment.get()) {
                assert!(saga.abort());
            } else if let Some(reply) = reply {
                saga.reply(command.key().step, reply);
            }
            if saga.revision() > before {
                break;
            }
        }
    }
}

/// What has to have happened, whatever crashed.
fn expected(refuses: Option<u32>) -> Vec<String> {
    let count = refuses.unwrap_or(4) as usize;
    let mut log: Vec<String> = STEPS[..count].iter().map(|name| format!("+{name}")).collect();
    if refuses.is_some() {
        log.extend(STEPS[..count].iter().rev().map(|name| format!("-{name}")));
    }
    log
}

#[test]
fn c21_a_crash_at_any_moment_of_order_payment_inventory_shipping() {
    let mut played = 0;
    for refuses in [None, Some(0), Some(1), Some(2), Some(3)] {
        let world = || World { refuses, deaf: 3, ..World::default() };
        let mut calm = world();
        let (state, moments) = play(&mut calm, None, None);
        let wanted = if refuses.is_none() { SagaState::Committed } else { SagaState::Compensated };
        assert_eq!((state, calm.log), (wanted, expected(refuses)));
        for crash_at in 0..moments {
            let mut world = world();
            let (state, _) = play(&mut world, Some(crash_at), None);
            assert_eq!(state, wanted, "refused {refuses:?}, crash {crash_at}");
            assert_eq!(world.log, expected(refuses), "refused {refuses:?}, crash {crash_at}");
            played += 1;
        }
    }
    println!("C21 {played} crashes, each step and compensation once, in order");
    assert!(played > 50);
}

/// Given up at any moment: everything that was done is taken back, also what was not answered.
#[test]
fn c21_what_is_given_up_is_taken_back() {
    let (_, moments) = play(&mut World::default(), None, None);
    let mut aborted = 0;
    for abort_at in 0..moments {
        for crash_at in 0..moments {
            let mut world = World::default();
            let (state, _) = play(&mut world, Some(crash_at), Some(abort_at));
            match state {
                SagaState::Compensated => {
                    aborted += 1;
                    assert!(world.done.is_empty(), "{:?}", world.log);
                    let (done, taken): (Vec<_>, Vec<_>) =
                        world.log.iter().partition(|line| line.starts_with('+'));
                    let names = |lines: Vec<&String>| -> Vec<String> {
                        lines.iter().map(|line| line[1..].to_owned()).collect()
                    };
                    let (done, mut taken) = (names(done), names(taken));
                    taken.reverse();
                    assert_eq!(done, taken, "in reverse order");
                }
                SagaState::Committed => assert_eq!(world.done.len(), 4),
                other => panic!("{other:?} is no end"),
            }
        }
    }
    assert!(aborted > 20);
}

#[test]
fn c21_a_compensation_is_asked_for_until_it_is_acknowledged() {
    let mut world = World { refuses: Some(1), deaf: 1_000, ..World::default() };
    assert_eq!(play(&mut world, None, None).0, SagaState::Compensated);
    assert_eq!(world.log, ["+order", "-order"]);
    // To refuse one is no answer.
    let mut saga = Saga::new(1, 1, 10);
    assert!(saga.abort());
    saga.reply(0, SagaReply::Refused);
    assert_eq!(saga.state(), SagaState::Compensating(0));
    saga.reply(0, SagaReply::Done);
    assert_eq!(saga.state(), SagaState::Compensated);
    assert!(saga.abort());
}

#[test]
fn what_comes_late_changes_nothing() {
    let mut saga = Saga::new(1, 2, 10);
    saga.saved(1).unwrap();
    assert!(saga.saved(2).is_err());
    assert!(matches!(saga.poll(0), Some(SagaCommand::Do(_))));
    assert_eq!(saga.poll(9), None);
    assert!(matches!(saga.poll(10), Some(SagaCommand::Do(_))), "again");
    saga.reply(0, SagaReply::Done);
    saga.reply(0, SagaReply::Done);
    saga.reply(0, SagaReply::Refused);
    assert_eq!(saga.state(), SagaState::Doing(1));
    saga.reply(1, SagaReply::Done);
    assert_eq!((saga.state(), saga.abort()), (SagaState::Committed, false));
    assert_eq!(Saga::new(1, 0, 10).state(), SagaState::Committed);
}
