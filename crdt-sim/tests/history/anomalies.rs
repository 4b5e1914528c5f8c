//! Known anomalies, each with the criteria that it breaks.

use crdt_sim::history::{Criterion, check};

use crate::notation::history;

/// A history with a name.
pub(crate) struct Known {
    /// What it is called, and by whom.
    pub(crate) name: &'static str,
    /// The history, as [`notation`](crate::notation) has it.
    pub(crate) text: &'static str,
    /// The criteria that it breaks, of [`Criterion::NAMED`]; it keeps the others.
    pub(crate) breaks: &'static str,
}

const fn known(name: &'static str, text: &'static str, breaks: &'static str) -> Known {
    Known { name, text, breaks }
}

/// A read that is wrong by itself breaks everything.
const ALL: &str = "reads rc ryw mr mw wfr cc cm ccv prefix";
/// What no order explains, though each read may be right.
const ORDER: &str = "rc ryw mr mw wfr cc cm ccv prefix";
/// All but read committed.
const ATOMIC: &str = "ryw mr mw wfr cc cm ccv prefix";
/// What follows from several guarantees together, and from none alone.
const CAUSAL: &str = "cc cm ccv prefix";

/// The names in brackets: the patterns a to n of Plume (2024); examples of Bouajjani and others (2017), figure 3;
/// what Adya (1999) and Bailis and others (2014) call it.
pub(crate) const KNOWN: &[Known] = &[
    // Each read by itself.
    known("a read out of thin air [Plume a]", "x=1 | x?7", ALL),
    known("a read of an aborted write [Plume b, G1a]", "x=1 ! | x?1", ALL),
    known("a read of an aborted write by the same session", "x=1 ! ; x?1", ALL),
    known("a read of the transaction's own future [Plume c]", "x?1 x=1", ALL),
    known("a read that misses the own write [Plume d]", "x=1 | x=2 x?1", ALL),
    known("the initial value after an own write", "x=1 x?0", ALL),
    known("a read that misses the own last write [Plume e]", "x=1 x=2 x?1", ALL),
    known("a read of an intermediate value [Plume f, G1b]", "x=1 x=2 | x?1", ALL),
    // What was read from whom goes round in a circle.
    known("two transactions read from each other [Plume g, G1c]", "x?1 y=1 | y?1 x=1", ORDER),
    known("a circle through two sessions [Plume g]", "x?1 ; y=1 | y?1 ; x=1", ORDER),
    known("a circle of three", "x?1 y=1 | y?1 z=1 | z?1 x=1", ORDER),
    known("a session reads its own future", "x?1 ; x=1", ORDER),
    // Within one transaction.
    known("older after newer in one transaction [Plume h]", "x=1 ; x=2 | x?2 x?1", ORDER),
    known(
        "a transaction that was observed vanishes [Plume h, OTV]",
        "x=1 y=1 ; x=2 y=2 | x?2 y?1",
        ORDER,
    ),
    known("half a transaction, and then the initial value [Plume h]", "x=1 y=1 | x?1 y?0", ORDER),
    known(
        "two transactions saw two in different orders [Plume i]",
        "x=1 a=1 | x=2 b=1 | a?1 x?2 | b?1 x?1",
        "rc ryw mr mw wfr ccv prefix",
    ),
    known("a read that changes and changes back", "x=1 | x=2 | x?1 x?2 x?1", ORDER),
    known("a read that cannot be repeated [Plume j]", "x=1 | x=2 | x?1 x?2", ATOMIC),
    known("a fractured read, older first [Plume k]", "x=1 y=1 | y?0 x?1", ATOMIC),
    known(
        "a fractured read of one session's writes [Plume k]",
        "x=1 y=1 ; x=2 y=2 | x?1 y?2",
        ATOMIC,
    ),
    known(
        "a fractured read of concurrent writers [Plume l]",
        "x=1 y=1 | x=2 y=2 | x?1 y?2",
        ATOMIC,
    ),
    known(
        "two readers contradict each other about two writers [Plume l]",
        "x=1 a=1 | x=2 b=1 | x?2 a?1 | x?1 b?1",
        "ryw mr mw wfr ccv prefix",
    ),
    // Each guarantee of a session.
    known("a session does not see its write", "x=1 ; x?0", "ryw cc cm ccv prefix"),
    known(
        "a session sees what its write replaced",
        "x=1 | x?1 ; x=2 ; x?1",
        "ryw cc cm ccv prefix",
    ),
    known(
        "two sessions each see the other's write replace theirs [Bouajjani a]",
        "x=1 ; x?2 | x=2 ; x?1",
        "ryw ccv prefix",
    ),
    known("a session goes back to an older write", "x=1 ; x=2 | x?2 ; x?1", "mr cc cm ccv prefix"),
    known("a session goes back to the beginning", "x=1 | x?1 ; x?0", "mr cc cm ccv prefix"),
    known(
        "a transaction is seen by halves, one after the other",
        "x=1 y=1 | x?1 ; y?0",
        "mr cc cm ccv prefix",
    ),
    known(
        "a session goes back behind a write that knew the other",
        "x=1 | x?1 ; x=2 | x?2 ; x?1",
        "mr cc cm ccv prefix",
    ),
    known(
        "two sessions see two writes in different orders",
        "x=1 | x=2 | x?1 ; x?2 | x?2 ; x?1",
        "mr ccv prefix",
    ),
    known(
        "a later write is there without the earlier one",
        "x=1 ; y=1 | y?1 x?0",
        "mw cc cm ccv prefix",
    ),
    known(
        "a later write is there with something older than the earlier one",
        "x=1 | x?1 ; x=2 ; y=1 | y?1 x?1",
        "mw cc cm ccv prefix",
    ),
    known(
        "an answer is there without its question",
        "x=1 | x?1 ; y=1 | y?1 x?0",
        "wfr cc cm ccv prefix",
    ),
    known(
        "an answer within one transaction, without its question",
        "x=1 | x?1 y=1 | y?1 x?0",
        "wfr cc cm ccv prefix",
    ),
    known(
        "an answer to an answer, without the question",
        "x=1 | x?1 y=1 | y?1 z=1 | z?1 x?0",
        "wfr cc cm ccv prefix",
    ),
    // What takes several of them.
    known("the photo before it was put in the album", "x=1 ; y=1 | y?1 ; x?0", CAUSAL),
    known("write to read causality (WRC) [Plume m]", "x=1 | x?1 ; y=1 | y?1 ; x?0", CAUSAL),
    known(
        "a chain through four sessions [Plume m]",
        "x=1 | x?1 ; y=1 | y?1 ; z=1 | z?1 ; x?0",
        CAUSAL,
    ),
    known(
        "what is older than causes [Bouajjani e]",
        "x=1 ; y=1 | y?1 ; x=2 | x?2 ; z=1 | z?1 ; x?1",
        CAUSAL,
    ),
    known(
        "back and forth between concurrent writes [Bouajjani d]",
        "x=1 | x=2 ; x?1 ; x?2",
        "cm ccv prefix",
    ),
    known(
        "one session's order contradicts itself [Bouajjani b]",
        "z=1 ; x=1 ; y=1 | x=2 ; z?0 ; y?1 ; x?2",
        "cm prefix",
    ),
    known(
        "two chains order two concurrent writes differently [Plume n]",
        "x=1 ; a=1 | x=2 ; b=1 | a?1 ; x?2 | b?1 ; x?1",
        "ccv prefix",
    ),
    // One prefix for everybody.
    known("the long fork", "x=1 | y=1 | x?1 y?0 | x?0 y?1", "prefix"),
    known(
        "two readers of two writers, one after the other (IRIW)",
        "x=1 | y=1 | x?1 ; y?0 | y?1 ; x?0",
        "prefix",
    ),
    known("neither sees the other's write (store buffering)", "x=1 ; y?0 | y=1 ; x?0", "prefix"),
    known(
        "the own write is ahead of what was there before",
        "x=1 | y=1 ; x?0 | x?1 ; y?0",
        "prefix",
    ),
    // What is in order.
    known("nothing", "", ""),
    known("a read of a write", "x=1 | x?1", ""),
    known("a read before the write", "x?0 | x=1", ""),
    known("a read that lags behind", "x=1 ; x=2 | x?1 ; x?2", ""),
    known("a transaction reads what it wrote last", "x=1 x=2 x?2 | x?2", ""),
    known("what was aborted may have read anything", "x=1 | x?7 x?0 !", ""),
    known("what was aborted is not seen", "x=1 ! ; x?0", ""),
    known("a lost update [P4]", "x?0 x=1 | x?0 x=2", ""),
    known("a write skew [A5B]", "x?0 y=1 | y?0 x=1", ""),
    known("a question and an answer", "x=1 | x?1 ; y=1 | y?1 ; x?1", ""),
];

/// Judges each known history by each criterion: how many answers are right, and the first that is not.
pub(crate) fn judge() -> (usize, Option<String>) {
    let mut right = 0;
    for known in KNOWN {
        let history = history(known.text);
        for criterion in Criterion::NAMED {
            let name = criterion.to_string();
            let breaks = known.breaks.split(' ').any(|word| word == name);
            let verdict = check(&history, criterion).expect("it can be judged");
            if verdict.violation.is_some() != breaks {
                let what = if breaks { "is not seen to break" } else { "seems to break" };
                return (right, Some(format!("{} {what} {name}", known.name)));
            }
            right += 1;
        }
    }
    (right, None)
}

#[test]
fn each_known_anomaly_breaks_what_it_breaks_and_nothing_else() {
    let (right, wrong) = judge();
    assert_eq!(wrong, None);
    println!("{} known histories, {right} verdicts", KNOWN.len());
    assert!(KNOWN.iter().filter(|known| !known.breaks.is_empty()).count() >= 40);
}

/// The table is not what the checker says but what the axioms do.
#[test]
fn the_table_agrees_with_the_axioms() {
    for known in KNOWN {
        let axioms = crate::axioms::Axioms::new(&history(known.text));
        for criterion in Criterion::NAMED {
            let breaks = known.breaks.split(' ').any(|word| word == criterion.to_string());
            assert_eq!(!axioms.hold(criterion), breaks, "{} {criterion}", known.name);
        }
    }
}
