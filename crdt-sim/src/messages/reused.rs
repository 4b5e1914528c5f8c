//! A number that is used twice.

use super::*;
use crate::model::Version;
use crate::plan::Plan;

/// Counts up by one.
const EDIT: Edit = Edit { place: 7, what: 1, number: 101, len: 0 };

/// A backup is put back and goes on under a number that it had used before. What others made after the
/// first event of that number waits in its buffer and goes on with the second: all of it has to be in its file.
#[test]
fn what_waits_for_an_own_number_is_taken_in_when_that_is_used_again() {
    let [a, b] = [1, 2].map(ReplicaId::from_u128);
    let limits = Plan::draw(0).limits;
    let limits = LimitsPlan { pending_max: 100, ..limits };
    let mut history = History::default();
    let new = |id| MessagesReplica::<Values>::new(id, &limits);

    let (mut first, mut other) = (new(a), new(b));
    first.edit(&[EDIT], false, history.draft(a, Version::new())).unwrap();
    let received = other.receive(0, &first.packet(Dot::new(a, 1)), 0);
    assert_eq!(received.applied, [vec![DotRange::new(a, 1, 1)]]);
    other.edit(&[EDIT, EDIT], false, history.draft(b, [(a, 1)].into())).unwrap();

    let mut restored = new(a);
    for seq in [2, 1] {
        let received = restored.receive(0, &other.packet(Dot::new(b, seq)), 0);
        assert_eq!(received, Received::default(), "it waits");
    }
    let applied = restored.edit(&[EDIT], false, history.draft(a, Version::new())).unwrap();
    assert_eq!(applied, [1, 2].map(|seq| vec![DotRange::new(b, seq, seq)]));
    let held: VersionVector = [(a, 1), (b, 2)].into_iter().collect();
    assert_eq!(restored.version(), held);

    let mut loaded = new(a);
    loaded.load(&restored.record_since(&VersionVector::new())).unwrap();
    assert_eq!((loaded.version(), loaded.canonical()), (held, restored.canonical()));
    assert_eq!(history.forked().iter().copied().collect::<Vec<_>>(), [a]);
}
