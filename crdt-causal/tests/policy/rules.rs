//! C11, C15, C18, C19: what is asked for.

use crdt_causal::level::Level;
use crdt_causal::policy::{
    DEADLINES, LevelRange, Limit, MONSOON, OpContext, Operation, Policy, Rule, URGENCIES, Urgency,
    order_platform,
};
use crdt_causal::quorum::Preset;
use crdt_causal::session::Guarantees;

const SESSION: Level = Level::session(Guarantees::ALL);

#[test]
fn c11_one_order_has_four_levels() {
    // What, the level, and what it is never below.
    let table = [
        ("payment", Level::STRONG, Level::STRONG),
        ("order status", Level::CAUSAL, SESSION),
        ("notification", SESSION, Level::EVENTUAL),
        ("menu", Level::EVENTUAL, Level::EVENTUAL),
        ("rating", Level::EVENTUAL, Level::EVENTUAL),
        ("anything else", Level::CAUSAL, SESSION),
    ];
    for (class, level, floor) in table {
        for operation in [Operation::Read, Operation::Write] {
            let choice = order_platform().decide(&OpContext::new(class, operation));
            assert_eq!((choice.level, choice.floor), (level, floor), "{class}");
            assert_eq!(choice.limit, Limit::None);
        }
    }
}

#[test]
fn c11_the_first_rule_that_matches_holds() {
    let mut in_mumbai = Rule::class("balance", LevelRange::exactly(Level::STRONG));
    in_mumbai.region = Some("mumbai");
    let mut reading = Rule::class("balance", LevelRange::at_best(SESSION));
    reading.operation = Some(Operation::Read);
    let rules = [in_mumbai, reading];
    let policy = Policy::new(&rules, &[], LevelRange::exactly(Level::CAUSAL));
    let read = OpContext::new("balance", Operation::Read);
    let write = OpContext::new("balance", Operation::Write);
    let decided = |context: OpContext<'_>| {
        let choice = policy.decide(&context);
        (choice.rule, choice.level)
    };
    assert_eq!(decided(read.in_region("mumbai")), (Some(0), Level::STRONG));
    assert_eq!(decided(read.in_region("delhi")), (Some(1), SESSION));
    assert_eq!(decided(write.in_region("delhi")), (None, Level::CAUSAL));
}

#[test]
fn c15_deadlines_are_upper_bounds() {
    let policy = Policy::new(&[], &DEADLINES, LevelRange::at_best(Level::STRONG));
    let table = [
        (0, Level::EVENTUAL),
        (999, Level::EVENTUAL),
        (1_000, SESSION),
        (4_999, SESSION),
        (5_000, Level::CAUSAL),
        (29_999, Level::CAUSAL),
        (30_000, Level::STRONG),
        (u64::MAX, Level::STRONG),
    ];
    let context = OpContext::new("anything", Operation::Read);
    for (remaining_ms, level) in table {
        let choice = policy.decide(&context.due_in(remaining_ms));
        assert_eq!(choice.level, level, "{remaining_ms} ms");
        let limit = if level == Level::STRONG { Limit::None } else { Limit::Deadline };
        assert_eq!(choice.limit, limit);
        let spec = choice.spec(&context.due_in(remaining_ms), 100);
        assert_eq!(spec.deadline(), Some(remaining_ms.saturating_add(100)));
    }
    assert_eq!(policy.decide(&context).level, Level::STRONG, "there is no hurry");
    // It bounds what is preferred; it raises nothing.
    let weak = Policy::new(&[], &DEADLINES, LevelRange::at_best(SESSION));
    assert_eq!(weak.decide(&context.due_in(60_000)).level, SESSION);
    for remaining_ms in [0, 999, 1_000, 5_000, 30_000] {
        let payment = OpContext::new("payment", Operation::Write).due_in(remaining_ms);
        assert_eq!(order_platform().decide(&payment).level, Level::STRONG, "never below the floor");
    }
}

/// All levels of a few, as what is preferred, as the floor, as what the deadline leaves and as what there is.
#[test]
fn no_choice_is_below_its_floor_or_above_what_is_preferred() {
    let bounded = Level::bounded(100, 300_000);
    let mut levels = vec![Level::EVENTUAL, Level::CONSISTENT_PREFIX, Level::CAUSAL, Level::STRONG];
    levels.extend(Guarantees::combinations().map(Level::session));
    levels.extend([bounded, Level::bounded(5, 1_000), bounded.join(SESSION)]);
    let mut lowered = 0;
    for &prefer in &levels {
        for &floor in &levels {
            let Some(range) = LevelRange::new(prefer, floor) else {
                assert!(!prefer.promises(floor));
                continue;
            };
            for &attainable in &levels {
                for limit in [Level::STRONG, SESSION, Level::EVENTUAL] {
                    let deadlines = [crdt_causal::policy::DeadlineRule { below_ms: 10, limit }];
                    let policy = Policy::new(&[], &deadlines, range);
                    let context = OpContext::new("", Operation::Read).due_in(9);
                    let choice = policy.decide(&context.where_attainable(attainable));
                    assert!(choice.level >= floor && choice.level <= prefer);
                    // Where the floor allows it, it is no more than there is.
                    if attainable >= floor && limit >= floor {
                        assert!(choice.level <= attainable && choice.level <= limit);
                    }
                    assert_eq!(choice.limit == Limit::None, choice.level == prefer);
                    lowered += u64::from(choice.level < prefer);
                }
            }
        }
    }
    assert!(lowered > 1_000);
}

#[test]
fn c18_time_is_an_input() {
    let policy = Policy::new(&URGENCIES, &[], LevelRange::exactly(Level::EVENTUAL));
    let decided = |urgency, hour: u16, minute: u16| {
        let context = OpContext::new("stock", Operation::Write).with_urgency(urgency);
        policy.decide(&context.at_minute(hour * 60 + minute)).level
    };
    assert_eq!(decided(Urgency::Immediate, 8, 59), Level::CAUSAL);
    assert_eq!(decided(Urgency::Immediate, 9, 0), Level::STRONG);
    assert_eq!(decided(Urgency::Immediate, 17, 59), Level::STRONG);
    assert_eq!(decided(Urgency::Immediate, 18, 0), Level::CAUSAL);
    assert_eq!(decided(Urgency::NearRealTime, 12, 0), Level::CAUSAL);
    assert_eq!(decided(Urgency::Background, 12, 0), Level::EVENTUAL);
    // Through midnight.
    let mut night = Rule::new(LevelRange::exactly(Level::EVENTUAL));
    night.minutes = Some((22 * 60, 6 * 60));
    let is_night =
        |hour: u16| night.matches(&OpContext::new("", Operation::Read).at_minute(hour * 60));
    assert_eq!([21, 22, 23, 0, 5, 6].map(is_night), [false, true, true, true, true, false]);
}

#[test]
fn c19_the_monsoon_presets() {
    let said = MONSOON.map(|preset| (preset.replicas, preset.quorum, preset.timeout_ms));
    let expected =
        [(5, Preset::Quorum, 2_000), (3, Preset::LocalQuorum, 1_000), (3, Preset::One, 500)];
    assert_eq!(said, expected);
    let mut monsoon = Rule::class("menu", LevelRange::at_best(Level::EVENTUAL));
    monsoon.circumstance = Some("monsoon");
    let context = OpContext::new("menu", Operation::Read);
    assert!(monsoon.matches(&context.during("monsoon")));
    assert!(!monsoon.matches(&context.during("festival")) && !monsoon.matches(&context));
}
