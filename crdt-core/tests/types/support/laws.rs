//! The laws of `Lattice`, and that all ways of replication lead to one value.

use crdt_core::Lattice;
use quickcheck::{QuickCheck, Testable};

use super::history::{Arrival, History, Step, Subject};
use super::rng::Rng;
use super::{bytes, cases, reload};

/// Tries every law of the type.
pub(crate) fn check<S: Subject>() {
    quickcheck(convergence::<S> as fn(Vec<Step<S::Op>>, u64) -> bool);
    quickcheck(lattice::<S> as fn(Vec<Step<S::Op>>, u64) -> bool);
}

fn quickcheck(law: impl Testable) {
    QuickCheck::new().tests(cases()).quickcheck(law);
}

/// States joined == deltas joined in any order, grouped, repeated, saved and loaded == the
/// specification; the bytes are equal too.
fn convergence<S: Subject>(steps: Vec<Step<S::Op>>, seed: u64) -> bool {
    let mut rng = Rng(seed);
    for arrival in [Arrival::Causal, Arrival::Any] {
        let history = History::<S>::play(&steps, arrival);
        let mut joined = S::Root::default();
        for state in &history.states {
            joined.join(state.clone());
        }
        S::check(&joined);
        if arrival == Arrival::Causal {
            let specified = S::specified(&history.events, history.everything());
            assert_eq!(S::value(&joined), specified, "all states joined");
        }

        // Every delta once or twice, in any order, as it is or gathered into groups.
        let mut mail: Vec<&S::Delta> = history.deltas.iter().collect();
        mail.extend(history.deltas.iter().filter(|_| rng.below(3) == 0));
        rng.shuffle(&mut mail);
        let mut loaded = S::Root::default();
        let mut group = S::Delta::default();
        for delta in mail {
            match rng.below(4) {
                0 => _ = group.join(delta.clone()),
                1 => _ = loaded.join(reload(&std::mem::take(&mut group))),
                2 => loaded = reload(&loaded),
                _ => {}
            }
            // What went into a group arrives by itself too: repetition changes nothing.
            loaded.join(delta.clone());
            S::check(&loaded);
        }
        loaded.join(group);
        assert_eq!(loaded, joined, "{arrival:?}: deltas joined are states joined");
        assert_eq!(bytes(&loaded), bytes(&joined), "equal states have equal bytes");
        assert_eq!(reload(&joined), joined);

        // Groups alone, joined as a tree.
        let mut groups = history.deltas.clone();
        while groups.len() > 1 {
            let taken = groups.swap_remove(rng.below(groups.len()));
            let into = rng.below(groups.len());
            groups[into].join(taken);
        }
        let mut grouped = S::Root::default();
        grouped.join(groups.pop().unwrap_or_default());
        assert_eq!(grouped, joined, "{arrival:?}: one group of all deltas");
    }
    true
}

/// Commutative, associative, idempotent, inflationary: for states with gaps and without,
/// and for deltas.
fn lattice<S: Subject>(steps: Vec<Step<S::Op>>, seed: u64) -> bool {
    let mut rng = Rng(seed);
    for arrival in [Arrival::Causal, Arrival::Any] {
        let history = History::<S>::play(&steps, arrival);
        let states: Vec<S::Delta> = history.states.iter().cloned().map(S::Delta::from).collect();
        let pool: Vec<&S::Delta> = states.iter().chain(&history.deltas).collect();
        for _ in 0..4 {
            let [a, b, c] = [(); 3].map(|()| pool[rng.below(pool.len())]);
            semilattice(a, b, c);
        }
        let [a, b, c] = [0, 1, 2].map(|index| &history.states[index]);
        semilattice(a, b, c);
    }
    true
}

fn semilattice<L: Lattice + Clone + PartialEq + std::fmt::Debug>(a: &L, b: &L, c: &L) {
    let join = |a: &L, b: &L| {
        let mut joined = a.clone();
        let news = joined.join(b.clone());
        assert_eq!(news, joined != *a, "join tells whether it brought news");
        joined
    };
    let ab = join(a, b);
    assert_eq!(ab, join(b, a), "commutative");
    assert_eq!(join(&ab, c), join(a, &join(b, c)), "associative");
    assert_eq!(join(a, a), *a, "idempotent");
    assert_eq!(join(a, &ab), ab, "inflationary");
    assert_eq!(join(b, &ab), ab, "inflationary");
}
