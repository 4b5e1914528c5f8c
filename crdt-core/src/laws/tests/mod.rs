//! Each law, with something that breaks this one.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use std::panic::{UnwindSafe, catch_unwind};

use super::*;
use flawed::*;

mod flawed;

/// What is complained about.
#[track_caller]
fn complaint(judge: impl FnOnce() + UnwindSafe) -> String {
    let broken = catch_unwind(judge).expect_err("a law is broken");
    match broken.downcast::<String>() {
        Ok(complaint) => *complaint,
        Err(broken) => (*broken.downcast::<&str>().expect("a text")).into(),
    }
}

macro_rules! assert_complains {
    ($judge:expr, $of:expr) => {
        let complaint = complaint(|| _ = $judge);
        assert!(complaint.contains($of), "{complaint}");
    };
}

const fn act(at: u8, op: u8) -> Step<u8> {
    Step::Act { at, op }
}

const fn pull(to: u8, from: u8) -> Step<u8> {
    Step::Pull { to, from }
}

/// Somebody adds a 3, is restarted, and has it sent to another.
const THREE_TRAVELS: [Step<u8>; 3] =
    [act(0, 3), Step::Restart { at: 0 }, Step::Deliver { to: 1, event: 0 }];

fn play<const FLAW: Flaw>(steps: &[Step<u8>]) -> History<Flawed<FLAW>> {
    History::play(steps, Arrival::Causal)
}

#[test]
fn what_is_right_breaks_no_law() {
    check::<Flawed<NONE>>();
    decomposition::<Flawed<NONE>>();
    // 3 · 2 histories of one event, and 12 · 2² of two.
    assert_eq!(exhaustive::<Flawed<NONE>>(&[0, 3], 2), 54);
}

#[test]
fn a_history_is_what_its_steps_say() {
    let deliver = Step::Deliver { to: 1, event: 4 };
    let steps = [act(0, 0), act(0, 1), pull(2, 0), act(2, 2), Step::Restart { at: 2 }, deliver];
    let known = |arrival| {
        let history = History::<Flawed<NONE>>::play(&steps, arrival);
        assert_eq!(history.deltas, [1, 2, 4].map(Told::of));
        let pasts = history.events.iter().map(|event| (event.replica, event.past.0));
        assert_eq!(pasts.collect::<Vec<_>>(), [(0, 0b0), (0, 0b1), (2, 0b11)]);
        assert_eq!(history.everything(), Version(0b111));
        history.states.iter().map(|state| state.numbers).collect::<Vec<_>>()
    };
    // The fifth event of three, counted round, is the second, with what came before it or alone.
    assert_eq!(known(Arrival::Causal), [0b11, 0b11, 0b111]);
    assert_eq!(known(Arrival::Any), [0b11, 0b10, 0b111]);
}

#[test]
fn each_step_is_looked_at() {
    assert_complains!(play::<HIDES>(&[act(0, 3)]), "at replica 0");
    assert_complains!(play::<LEAVES_OUT>(&[act(0, 3)]), "state ⊔ delta is the new state");
    let twice = [act(0, 1), act(0, 1)];
    assert_complains!(play::<REPEATS>(&twice), "a delta brings news or is empty");
    let to_each_other = [act(0, 1), act(1, 2), pull(0, 1)];
    assert_complains!(play::<KEEPS_QUIET>(&to_each_other), "news is a change");
    assert_complains!(play::<BOASTS>(&[pull(0, 1)]), "news is a change");
    assert_complains!(play::<INVARIANT>(&[act(0, 3)]), "the invariant holds");
    assert_complains!(play::<FORGETS>(&THREE_TRAVELS), "at replica 0");
    assert_complains!(play::<DELTA_FORGETS>(&THREE_TRAVELS), "at replica 1");
    assert_complains!(play::<READS_LESS>(&THREE_TRAVELS), "a value is read to its end");
    assert_eq!(play::<NONE>(&THREE_TRAVELS).states[1].numbers, 1 << 3);
}

#[test]
fn nothing_but_values_goes_unread() {
    let unread = |steps: &[Step<u8>]| History::<Flawed<HIDES>>::play_unread(steps, Arrival::Causal);
    assert_eq!(unread(&[act(0, 3)]).states[0].numbers, 1 << 3);
    let twice = [act(0, 1), act(0, 1)];
    let judge = || History::<Flawed<REPEATS>>::play_unread(&twice, Arrival::Causal);
    assert_complains!(judge(), "a delta brings news or is empty");
}

/// A history in which a replica wrote each number, with what came of it.
fn told<const FLAW: Flaw>(
    numbers: &[u8],
    deltas: &[u8],
    states: [u8; REPLICAS],
) -> History<Flawed<FLAW>> {
    let event = |op: &u8| Event { replica: 0, op: *op, past: Version::default() };
    History {
        events: numbers.iter().map(event).collect(),
        deltas: deltas.iter().copied().map(Told::of).collect(),
        states: states.map(Known::of).to_vec(),
    }
}

fn converge<const FLAW: Flaw>(history: &History<Flawed<FLAW>>, arrival: Arrival) {
    // Whichever way the deltas go.
    (0..32).for_each(|seed| convergence(history, arrival, &mut Rng(seed)));
}

#[test]
fn convergence_is_of_states_deltas_groups_bytes_and_the_specification() {
    use Arrival::{Any, Causal};
    converge(&told::<NONE>(&[0, 1, 2], &[1, 2, 4], [1, 2, 4]), Causal);
    let lacking = told::<NONE>(&[0], &[1], [0; 3]);
    assert_complains!(converge(&lacking, Causal), "all states joined");
    let untold = told::<NONE>(&[0], &[0], [1, 0, 0]);
    assert_complains!(converge(&untold, Causal), "Causal: deltas joined are states joined");
    assert_complains!(converge(&untold, Any), "Any: deltas joined are states joined");
    let counted = told::<COUNTS_JOINS>(&[0, 1], &[1, 2], [1, 2, 0]);
    assert_complains!(converge(&counted, Causal), "equal states have equal bytes");
    let gathered = told::<GATHERS_TWO>(&[0, 1, 2], &[1, 2, 4], [1, 2, 4]);
    assert_complains!(converge(&gathered, Causal), "Causal: one group of all deltas");
    let forgotten = told::<FORGETS>(&[3], &[1 << 3], [1 << 3, 0, 0]);
    for seed in 0..32 {
        let judge = || convergence(&forgotten, Causal, &mut Rng(seed));
        assert_complains!(judge(), "left == right");
    }
    // Of states, and of what the deltas come to.
    for (delta, state) in [(0, 1 << 3), (1 << 3, 0)] {
        let broken = told::<INVARIANT>(&[3], &[delta], [state, 0, 0]);
        assert_complains!(converge(&broken, Any), "the invariant holds");
    }
}

#[test]
fn a_lattice_is_one_of_states_and_of_deltas() {
    let judge = |history: &History<Flawed<DELTA_BOASTS>>| lattice(history, &mut Rng(0));
    assert_complains!(judge(&told(&[0], &[1], [0; 3])), "join tells whether it brought news");
    let judge = |history: &History<Flawed<BOASTS>>| lattice(history, &mut Rng(0));
    assert_complains!(judge(&told(&[0], &[1], [0; 3])), "join tells whether it brought news");
}

/// What two numbers come to, one rule for each law that it breaks.
const RULES: [fn(u8, u8) -> u8; 4] = [
    |one, _| one,
    // Of three in a circle each beats the next.
    |one, other| if (one + 1) % 3 == other { one } else { other },
    |one, other| one + other,
    |one, other| match (one.min(other), one.max(other)) {
        (0, 1) => 2,
        (0, 2) => 3,
        (_, greater) => greater,
    },
];

#[derive(Clone, Debug, PartialEq)]
struct Ruled<const RULE: usize>(u8);

impl<const RULE: usize> Lattice for Ruled<RULE> {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        let before = self.0;
        self.0 = RULES[RULE](before, other.into().0);
        self.0 != before
    }
}

#[test]
fn a_rule_breaks_one_law() {
    fn judge<const RULE: usize>([a, b, c]: [u8; 3]) -> String {
        complaint(|| semilattice(&Ruled::<RULE>(a), &Ruled(b), &Ruled(c)))
    }
    assert!(judge::<0>([0, 1, 2]).contains("commutative"));
    assert!(judge::<1>([0, 1, 2]).contains("associative"));
    assert!(judge::<2>([1, 1, 1]).contains("idempotent"));
    assert!(judge::<3>([0, 1, 0]).contains("inflationary"));
    assert!(judge::<3>([1, 0, 1]).contains("inflationary"));
}

#[test]
fn parts_are_all_there_is_and_no_more() {
    fn judge<const FLAW: Flaw>() -> String {
        let steps = vec![act(0, 0), act(0, 1), act(0, 3), pull(1, 0), act(1, 2)];
        // Whichever two replicas are asked.
        complaint(|| (0..32).for_each(|seed| _ = parts::<Flawed<FLAW>>(steps.clone(), seed)))
    }
    assert!(judge::<PARTS_LESS>().contains("the parts joined are the value"));
    assert!(judge::<PARTS_TWICE>().contains("each part is needed"));
    assert!(judge::<PARTS_PAIRED>().contains("a part cannot be divided"));
    assert!(judge::<DIFFERENCE_LESS>().contains("a difference tells all that is lacking"));
    assert!(judge::<DIFFERENCE_FOR_NOTHING>().contains("and nothing if nothing is"));
    assert!(judge::<DIFFERENCE_MORE>().contains("a difference tells no more than is lacking"));
}

#[test]
fn every_history_is_looked_at() {
    fn judge<const FLAW: Flaw>(ops: &[u8]) -> String {
        complaint(|| _ = exhaustive::<Flawed<FLAW>>(ops, 3))
    }
    assert!(judge::<BEGINS_WITH_ONE>(&[1]).contains("before the first event"));
    assert!(judge::<HIDES>(&[3]).contains("1 of [Event"));
    assert!(judge::<LEAVES_OUT>(&[3]).contains("left: Known { numbers: 8"));
    assert!(judge::<INVARIANT>(&[3]).contains("the invariant holds"));
    assert!(judge::<ORDER>(&[0, 1]).contains("0 last of 101 in [Event"));
    assert!(judge::<TAKES_ONE>(&[0, 1, 2]).contains("111 to 0 of [Event"));
    assert!(judge::<FORGETS>(&[3]).contains("left: [0, 0]"));
}

/// Those that only one of the laws sees.
#[test]
fn all_laws_are_tried() {
    assert_complains!(check::<Flawed<HIDES>>(), "at replica");
    assert_complains!(check::<Flawed<COUNTS_JOINS>>(), "equal states have equal bytes");
    assert_complains!(check::<Flawed<DELTA_BOASTS>>(), "join tells whether it brought news");
    assert_complains!(decomposition::<Flawed<PARTS_TWICE>>(), "each part is needed");
}
