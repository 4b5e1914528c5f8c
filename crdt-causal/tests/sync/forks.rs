//! Two writers under one replica id: found when their logs meet, and no false alarm.

use std::collections::BTreeMap;

use crdt_causal::sync::{ChangeLog, Config, Event, Refusal, Session, SessionError};
use crdt_core::{Dot, ReplicaId};

use crate::cases;
use crate::log::{TestError, TestLog};
use crate::network::Random;

/// Runs sessions of two logs until both are silent. Returns the replica that a fork was found of.
fn meet(logs: &mut [TestLog], here: usize, there: usize, base: bool) -> Option<ReplicaId> {
    let config = |log: &TestLog| match base {
        true => Config::new().with_base(log.frontier()),
        false => Config::new(),
    };
    let configs = [config(&logs[there]), config(&logs[here])];
    let mut sessions = [0, 1].map(|side| Session::new(configs[side].clone(), side as u64 + 1, 0));
    let (mut now, mut found, mut aware) = (0, None, [false; 2]);
    loop {
        let mut silent = true;
        for (side, own, other) in [(0, here, there), (1, there, here)] {
            sessions[side].set_durable(logs[own].version());
            while let Some(message) = sessions[side].poll_transmit(&logs[own], now) {
                silent = false;
                match sessions[1 - side].handle(&message, &mut logs[other], now) {
                    Ok(()) | Err(SessionError::Over) => {}
                    Err(
                        SessionError::Fork(dot)
                        | SessionError::Import(TestError::Equivocation(dot)),
                    ) => {
                        found = Some(dot.replica);
                        aware[1 - side] = true;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            sessions[side].check_invariants();
        }
        for side in [0, 1] {
            while let Some(event) = sessions[side].poll_event() {
                if let Event::Refused(Refusal::Equivocation { replica }) = event {
                    assert_eq!(found, Some(replica));
                    aware[side] = true;
                }
            }
        }
        let Some(next) = sessions.iter().filter_map(Session::poll_timeout).min() else { break };
        if silent && next <= now {
            break;
        }
        now = now.max(next);
        assert!(now < 100_000_000, "it never ends");
    }
    assert_eq!(aware, [found.is_some(); 2], "both sides find out, or are told");
    found
}

/// The dots under which two logs hold different events.
fn conflicts(here: &TestLog, there: &TestLog) -> Vec<Dot> {
    let theirs: BTreeMap<_, _> = there.contents();
    let ours = here.contents();
    ours.iter()
        .filter(|(dot, (_, payload))| theirs.get(dot).is_some_and(|(_, other)| other != payload))
        .map(|(dot, _)| *dot)
        .collect()
}

/// Random histories of a few nodes, of which the first two write under one id, if `cloned`.
/// Returns how many meetings there were of logs that hold different events under one name.
fn play(seed: u64, cloned: bool) -> usize {
    let mut random = Random(seed);
    let nodes = 2 + random.below(4) as usize;
    let mut logs = vec![TestLog::default(); nodes];
    let writer =
        |node: usize| ReplicaId::from_u128(if cloned { node.max(1) } else { node } as u128);
    let mut forks = 0;
    for step in 0..6 + random.below(40) {
        let here = random.below(nodes as u64) as usize;
        if random.percent(45) {
            let len = 1 + random.below(3);
            // Who wrote an event is in it, so that no two of them are the same.
            let payloads: Vec<_> =
                (0..len).map(|at| (format!("node {here}"), format!("{step}.{at}"))).collect();
            logs[here].change(writer(here), &payloads);
            continue;
        }
        let there = (here + 1 + random.below(nodes as u64 - 1) as usize) % nodes;
        let different = conflicts(&logs[here], &logs[there]);
        let found = meet(&mut logs, here, there, random.percent(30));
        if different.is_empty() {
            // A clone may go on where the other one is: then the second event of a name comes
            // with the changes of one meeting, which finds that out.
            let later = conflicts(&logs[here], &logs[there]);
            assert!(later.is_empty(), "seed {seed}: joined what is different, {later:?}");
            assert_eq!(found, None, "seed {seed}: a false alarm");
            assert_eq!(logs[here].contents(), logs[there].contents(), "seed {seed}");
        } else {
            forks += 1;
            assert_eq!(found, Some(different[0].replica), "seed {seed}: unseen {different:?}");
        }
    }
    forks
}

#[test]
fn every_fork_is_found_when_logs_meet() {
    let forks: usize = (0..cases()).map(|seed| play(seed, true)).sum();
    println!("{forks} meetings of different histories, all of them noticed");
    assert!(forks as u64 > cases());
}

#[test]
fn nobody_is_accused_who_did_not_fork() {
    assert_eq!((0..cases()).map(|seed| play(seed, false)).sum::<usize>(), 0);
}

/// The two cases that no dot shows: equal numbers, and a graft.
#[test]
fn equal_numbers_and_grafts_are_found() {
    let [a, b, c] = [1, 2, 3].map(ReplicaId::from_u128);
    let mut common = TestLog::default();
    common.write(a, "common");

    let mut logs = [common.clone(), common.clone()];
    logs[0].write(a, "original");
    logs[1].write(a, "clone");
    assert_eq!(meet(&mut logs, 0, 1, false), Some(a));

    let mut logs = [common.clone(), common.clone()];
    logs[0].write(a, "original");
    logs[1].write(a, "clone");
    logs[1].write(a, "the clone goes on");
    let before = logs[0].contents();
    assert_eq!(meet(&mut logs, 0, 1, false), Some(a));
    assert_eq!(logs[0].contents(), before, "nothing was grafted");

    // Others have built on both branches, and neither frontier names the replica.
    let mut logs = [common.clone(), common];
    logs[0].write(a, "original");
    logs[1].write(a, "clone");
    logs[0].write(b, "after the original");
    logs[1].write(c, "after the clone");
    assert_eq!(meet(&mut logs, 0, 1, false), Some(a));
}
