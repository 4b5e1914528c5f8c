//! What the checker says, word for word.

use crdt_sim::history::{Because, Criterion, Unusable, Violation, check};

use crate::notation::history;

fn said(text: &str, criterion: Criterion) -> String {
    check(&history(text), criterion).unwrap().violation.expect("it is wrong").to_string()
}

#[test]
fn a_wrong_read_is_named_with_its_write() {
    assert_eq!(
        said("x=1 x=2 | x?1", Criterion::Reads),
        "a read of an intermediate value: session 2, transaction 1, event 1 read 1 from key 120, which \
         session 1, transaction 1, event 1 wrote"
    );
    assert_eq!(
        said("x=1 x?0", Criterion::Reads),
        "a read that misses the transaction's own write: session 1, transaction 1, event 2 read the \
         initial value of key 120"
    );
}

#[test]
fn a_circle_says_what_must_come_before_what_and_why() {
    assert_eq!(
        said("x=1 ; y=1 | y?1 ; x=2 | x?2 ; z=1 | z?1 ; x?1", Criterion::CausalConvergence),
        "the shortest circle has 4 steps:\n  \
         session 2, transaction 2 must come before session 1, transaction 1: both wrote key 120, session 4, \
         transaction 2 read it from the latter, and the former is visible to it: session 3, transaction 1 \
         read key 120 from it, and session 3, transaction 2 is later in its session, and session 4, \
         transaction 1 read key 122 from it, and session 4, transaction 2 is later in its session\n  \
         session 1, transaction 1 comes before session 1, transaction 2: the same session\n  \
         session 1, transaction 2 comes before session 2, transaction 1, which read key 121 from it\n  \
         session 2, transaction 1 comes before session 2, transaction 2: the same session"
    );
}

/// What makes a write visible in causal memory may itself follow from what the session read.
#[test]
fn causal_memory_says_by_what_constraint() {
    let text = "z=1 ; x=1 ; y=1 | x=2 ; z?0 ; y?1 ; x?2";
    assert_eq!(
        said(text, Criterion::CausalMemory),
        "the shortest circle has 2 steps:\n  \
         session 1, transaction 1 must come before the initial values: both wrote key 122, session 2, \
         transaction 2 read it from the latter, and the former is visible to it: session 1, transaction 2 \
         is later in its session, and session 2, transaction 1 must come after it, as both wrote key 120 and \
         session 2, transaction 4 read it from the latter, and session 2, transaction 2 is later in its session\n  \
         the initial values come before session 1, transaction 1, as before everything"
    );
}

/// Aborted transactions count where people count.
#[test]
fn a_session_is_one_step_however_long_it_is() {
    let text = "x=9 ! ; x=1 ; a=1 ; b=1 ; c=1 ; x=2 | x?2 ; x?1";
    let Some(Violation::Cycle(cycle)) =
        check(&history(text), Criterion::CausalConvergence).unwrap().violation
    else {
        panic!("it is a circle")
    };
    assert_eq!(cycle.steps.len(), 2);
    let session = cycle.steps.iter().find(|step| step.because == Because::Session).unwrap();
    let numbers = (session.before.unwrap().number, session.after.unwrap().number);
    assert_eq!(numbers, (2, 6));
}

#[test]
fn what_no_order_explains_is_cut_down_to_what_it_takes() {
    let text = "a=1 ; b=1 | x=1 | y=1 | x?1 y?0 ; b?1 | x?0 y?1 ; a?1";
    assert_eq!(
        said(text, Criterion::ConsistentPrefix),
        "no order of these 4 transactions explains what they read:\n  session 2, transaction 1\n  \
         session 3, transaction 1\n  session 4, transaction 1\n  session 5, transaction 1"
    );
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let error = check(&history("x=1 | y=1 x=1"), Criterion::Reads).unwrap_err();
    assert!(matches!(error, Unusable::WrittenTwice { value: 1, .. }));
    assert_eq!(
        error.to_string(),
        "the value 1 is written to key 120 twice: session 1, transaction 1, event 1, and session 2, \
         transaction 1, event 2"
    );
    let mut long = crdt_sim::history::History::new();
    long.begin_session();
    for at in 0..5_000 {
        long.begin_transaction(true);
        long.write(at, 1);
    }
    for criterion in [Criterion::CausalMemory, Criterion::ConsistentPrefix] {
        assert!(matches!(check(&long, criterion), Err(Unusable::TooLarge { .. })));
    }
    assert_eq!(check(&long, Criterion::CausalConvergence).unwrap().violation, None);
}
