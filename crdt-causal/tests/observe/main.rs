//! Watching (T12): each alert once in a scripted run, each broken guarantee as its definition says.

#[path = "../levels/random.rs"]
mod random;

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::observe::{
    Alert, Missed, Monitor, MonitorConfig, Objective, SessionMonitor, Violation,
};
use crdt_causal::session::{Guarantees, VerifiedToken};
use random::Random;

fn alerts(monitor: &mut Monitor) -> Vec<Alert> {
    core::iter::from_fn(|| monitor.poll_alert()).collect()
}

const MINUTE: u64 = 60_000;

/// An hour of a system, told every ten seconds: what goes wrong goes wrong for a while, and is told of once.
#[test]
fn each_alert_fires_once() {
    let mut monitor = Monitor::new(MonitorConfig::default());
    let (near, far) = (Slot(0), Slot(1));
    let mut shown = Cut::new();
    let mut fired: Vec<(u64, Alert)> = Vec::new();
    for now in (0..60 * MINUTE).step_by(10_000) {
        let minute = now / MINUTE;
        // From 10 to 12 a server lags; from 20 to 24 one write of ten is refused; from 30 to 50 a server is away.
        let lag = if (10..12).contains(&minute) { 5_001 + now % 7 } else { 5_000 };
        monitor.lag(far, lag, now);
        monitor.reach(far, !(30..50).contains(&minute), now);
        monitor.reach(near, !minute.is_multiple_of(15), now);
        for write in 0..10 {
            if (20..24).contains(&minute) && write == 0 {
                monitor.refused(now);
                continue;
            }
            let position = shown.get(near) + 1;
            monitor.wrote(1, Admission::new(near, position), now);
            shown.observe(near, position);
        }
        let stale = Cut::new();
        let is_wrong = now == 55 * MINUTE;
        monitor.answered(1, near, if is_wrong { &stale } else { &shown }, now);
        fired.extend(alerts(&mut monitor).into_iter().map(|alert| (now, alert)));
    }
    let [lag, writes, reach, violation] = fired.as_slice() else { panic!("{fired:?}") };
    let missed = |(at, alert): &(u64, Alert)| match alert {
        Alert::Missed(Missed { objective, by, at: noticed }) if noticed == at => {
            (*at, *objective, *by)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(missed(lag), (10 * MINUTE, Objective::Lag(far), 5_001 + 600_000 % 7));
    // In the twelve parts of the window there are 111 writes when the sixth is refused, and that is one of twenty.
    assert_eq!(missed(writes), (20 * MINUTE + 50_000, Objective::Writes, 5));
    let quarter = 15 * MINUTE + 10_000;
    assert_eq!(missed(reach), (30 * MINUTE + quarter, Objective::Reach(far), quarter));
    let Alert::Violation(Violation { session: Some(1), server, at, broken, .. }) = &violation.1
    else {
        panic!("{violation:?}")
    };
    assert_eq!((*server, *at), (near, 55 * MINUTE));
    assert_eq!(*broken, Guarantees::READ_YOUR_WRITES | Guarantees::MONOTONIC_READS);
    assert_eq!(monitor.objectives().missed().count(), 0, "all is well in the end");
}

/// What is missed again after it was met is told of again.
#[test]
fn an_alert_that_comes_back_fires_again() {
    let mut monitor = Monitor::new(MonitorConfig::default());
    for (now, lag) in [(0, 6_000), (1, 7_000), (2, 100), (3, 6_000)] {
        monitor.lag(Slot(3), lag, now);
    }
    let at = |alert: &Alert| if let Alert::Missed(missed) = alert { missed.at } else { 99 };
    assert_eq!(alerts(&mut monitor).iter().map(at).collect::<Vec<_>>(), [0, 3]);
}

/// A write of a session, with all that its session had done before.
struct Written {
    session: u64,
    at: Admission,
    written: Vec<Admission>,
    seen: Vec<Cut>,
}

/// The definitions, over everything that happened.
fn broken(writes: &[Written], answers: &[(u64, Cut)], session: u64, shown: &Cut) -> Guarantees {
    let mut broken = Guarantees::NONE;
    let mut note = |is_kept: bool, guarantee: Guarantees| {
        if !is_kept {
            broken = broken | guarantee;
        }
    };
    let own = writes.iter().filter(|write| write.session == session);
    note(own.into_iter().all(|write| shown.contains(write.at)), Guarantees::READ_YOUR_WRITES);
    let mut seen = answers.iter().filter(|(of, _)| *of == session);
    note(seen.all(|(_, cut)| shown.dominates(cut)), Guarantees::MONOTONIC_READS);
    for write in writes.iter().filter(|write| shown.contains(write.at)) {
        note(write.written.iter().all(|at| shown.contains(*at)), Guarantees::MONOTONIC_WRITES);
        note(write.seen.iter().all(|cut| shown.dominates(cut)), Guarantees::WRITES_FOLLOW_READS);
    }
    broken
}

/// Servers that answer anything at all, some more often what is right.
#[test]
fn what_is_told_is_what_the_definitions_say() {
    let mut told = [0; 5];
    for seed in 0..4_096 {
        let mut random = Random(seed);
        let servers = random.pick(3) + 1;
        let careful = random.below(2) == 0;
        let mut monitor = SessionMonitor::new(100, 1_000);
        let (mut writes, mut answers): (Vec<Written>, Vec<(u64, Cut)>) = (Vec::new(), Vec::new());
        let mut admitted = Cut::new();
        for now in 0..40 {
            let (session, server) = (random.below(3), Slot(random.pick(servers) as u16));
            if random.below(3) == 0 {
                let at = Admission::new(server, admitted.get(server) + 1);
                admitted.observe(server, at.position);
                monitor.wrote(session, at);
                let own = writes.iter().filter(|write| write.session == session);
                let written = own.map(|write| write.at).collect();
                let of = answers.iter().filter(|(of, _)| *of == session);
                let seen = of.map(|(_, cut)| cut.clone()).collect();
                writes.push(Written { session, at, written, seen });
                continue;
            }
            let mut shown = Cut::new();
            for (slot, last) in &admitted {
                let lag = if careful { random.below(10) / 9 } else { random.below(last + 1) };
                shown.observe(slot, last - lag.min(last));
            }
            let violation = monitor.answered(session, server, &shown, now);
            let expected = broken(&writes, &answers, session, &shown);
            let found = violation.as_ref().map_or(Guarantees::NONE, |found| found.broken);
            assert_eq!(found, expected, "seed {seed}, at {now}");
            if let Some(found) = violation {
                assert!(!shown.contains(found.lacking), "seed {seed}");
            }
            told[0] += u64::from(expected.is_empty());
            let all = [
                Guarantees::READ_YOUR_WRITES,
                Guarantees::MONOTONIC_READS,
                Guarantees::MONOTONIC_WRITES,
                Guarantees::WRITES_FOLLOW_READS,
            ];
            for (count, guarantee) in told[1..].iter_mut().zip(all) {
                *count += u64::from(expected.contains(guarantee));
            }
            answers.push((session, shown));
        }
    }
    assert!(told.iter().all(|count| *count > 1_000), "each is tried: {told:?}");
}

/// What is looked at grows as operations do, for a group of a given size.
#[test]
fn an_operation_costs_the_same_however_many_there_were() {
    let examined = |operations: u64| {
        let mut random = Random(7);
        let mut monitor = SessionMonitor::new(1_000, 1_000);
        let mut admitted = Cut::new();
        for now in 0..operations {
            let (session, server) = (random.below(500), Slot(random.below(4) as u16));
            if now % 4 == 0 {
                let at = Admission::new(server, admitted.get(server) + 1);
                admitted.observe(server, at.position);
                monitor.wrote(session, at);
            } else {
                assert_eq!(monitor.answered(session, server, &admitted, now), None);
            }
        }
        monitor.examined()
    };
    let (some, twice) = (examined(20_000), examined(40_000));
    assert!(twice <= some * 21 / 10, "{some} for 20,000 operations, {twice} for 40,000");
    assert!(some < 20_000 * 4 * 12, "{some}");
}

/// Who was forgotten begins anew: too little is said then, never too much.
#[test]
fn what_is_kept_is_bounded() {
    let mut monitor = SessionMonitor::new(2, 2);
    let near = Slot(0);
    monitor.wrote(1, Admission::new(near, 1));
    for (position, session) in [2, 3, 4, 5].into_iter().enumerate() {
        monitor.wrote(session, Admission::new(near, position as u64 + 2));
    }
    assert_eq!(monitor.sessions(), 2);
    assert_eq!(monitor.answered(1, near, &Cut::new(), 0), None, "it is not known any more");
    let violation = monitor.answered(5, near, &Cut::new(), 0).expect("this one is");
    assert_eq!(violation.lacking, Admission::new(near, 5));
}

/// A session that carries what it knows is judged by that, wherever it asks, and only for what it was promised.
#[test]
fn a_token_says_what_an_answer_must_have() {
    let (near, far) = (Slot(0), Slot(1));
    let cut = |near_position, far_position| -> Cut {
        [(near, near_position), (far, far_position)].into_iter().collect()
    };
    let mut token = VerifiedToken::new(Epoch(1));
    token.observe_read(&cut(3, 5));
    token.observe_write(Admission::new(near, 7));
    // What is written after reading counts as read up to there, so that the two are told apart by the other server.
    let (lacks_own, lacks_others) = (cut(6, 5), cut(7, 4));
    let mut monitor = Monitor::new(MonitorConfig::default());
    let all = Guarantees::ALL;
    let mut now = 0;
    let mut told = |promised: Guarantees, there: &Cut, writes: bool| {
        now += 1;
        if writes {
            monitor.wrote_by_token(&token, promised, far, there, now);
        } else {
            monitor.answered_by_token(&token, promised, far, there, now);
        }
        let alert = monitor.poll_alert()?;
        assert_eq!(monitor.poll_alert(), None, "one answer is one violation");
        let Alert::Violation(violation) = alert else { panic!("{alert:?}") };
        assert_eq!((violation.session, violation.server, violation.at), (None, far, now));
        assert!(!there.contains(violation.lacking), "{violation:?}");
        Some(violation.broken)
    };
    for there in [cut(7, 5), cut(8, 9)] {
        assert_eq!((told(all, &there, false), told(all, &there, true)), (None, None), "{there:?}");
    }
    assert_eq!(told(all, &lacks_own, false), Some(Guarantees::READ_YOUR_WRITES));
    assert_eq!(told(all, &lacks_own, true), Some(Guarantees::MONOTONIC_WRITES));
    assert_eq!(told(all, &lacks_others, false), Some(Guarantees::MONOTONIC_READS));
    assert_eq!(told(all, &lacks_others, true), Some(Guarantees::WRITES_FOLLOW_READS));
    for promised in [Guarantees::NONE, Guarantees::MONOTONIC_READS, Guarantees::MONOTONIC_WRITES] {
        assert_eq!(told(promised, &lacks_own, false), None, "{promised:?}");
    }
    for promised in [Guarantees::NONE, Guarantees::READ_YOUR_WRITES, Guarantees::MONOTONIC_WRITES] {
        assert_eq!(told(promised, &lacks_others, true), None, "{promised:?}");
    }
}

/// Writes that are admitted count against those that are refused, whoever made them.
#[test]
fn taken_and_refused_writes_make_a_share() {
    let mut monitor = Monitor::new(MonitorConfig::default());
    let (token, nothing) = (VerifiedToken::new(Epoch(1)), Cut::new());
    for now in 0..18 {
        match now % 2 {
            0 => monitor.taken(now),
            _ => monitor.wrote_by_token(&token, Guarantees::ALL, Slot(0), &nothing, now),
        }
    }
    monitor.refused(18);
    assert_eq!(monitor.poll_alert(), None, "nineteen are too few to judge by");
    monitor.taken(19);
    let missed = Missed { objective: Objective::Writes, by: 5, at: 19 };
    assert_eq!(alerts(&mut monitor), [Alert::Missed(missed)]);
}
