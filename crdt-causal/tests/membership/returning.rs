//! Servers that come back.

use crdt_causal::cut::{Admission, Cut, Slot};
use crdt_causal::membership::{Admitted, MemberId, Membership, Refused, Standing};

/// Akka Distributed Data removes the entry of a node that has left from its counters and sets, *prunes* it,
/// and marks that for some days. If a copy from before comes back when the marker is gone, its entry is
/// merged as if it were new, and the value is wrong. Here a counter is kept in the same way, an entry
/// for each server and a sum for those that have left, and whatever comes back, however late, is
/// recognised by its epoch.
#[test]
fn akka_ttl_hole() {
    /// Sums by slot, and what was counted under slots that are settled.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Counter {
        entries: Cut,
        settled: u64,
    }
    impl Counter {
        fn value(&self) -> u64 {
            self.settled + self.entries.iter().map(|(_, count)| count).sum::<u64>()
        }
    }
    // Each increment is one admission, so that the entries are a cut.
    let (a, b) = (Slot(0), Slot(1));
    let mut membership = Membership::founded([MemberId(10), MemberId(11)]);
    let mut counter = Counter { entries: Cut::from_iter([(a, 5), (b, 3)]), settled: 0 };
    // A copy goes to sleep, in a backup of b.
    let (asleep, asleep_in) = (counter.clone(), membership.epoch());

    // b retires, its entry is pruned, and more servers than anybody remembers come and go at its slot.
    let (epoch, change) = membership.retire(b, 3).unwrap();
    membership.apply(epoch, change).unwrap();
    for slot in membership.settle(&counter.entries) {
        counter.settled += counter.entries.get(slot);
        counter.entries.set(slot, 0);
    }
    assert_eq!(counter.value(), 8);
    for age in 0..3_000_u128 {
        let (epoch, change) = membership.join(MemberId(100 + age)).unwrap();
        membership.apply(epoch, change).unwrap();
        counter.entries.observe(b, 1);

        // The copy wakes up. What it says is translated, or refused; nothing is counted twice.
        match membership.translate(asleep_in, &asleep.entries) {
            Ok(entries) => {
                let mut merged = counter.clone();
                merged.entries.join(&entries);
                assert_eq!(merged, counter, "it knows nothing new");
                assert!(age < 1_100);
            }
            Err(refused) => {
                assert_eq!(refused, Refused::Rebase);
                assert!(age > 1_000, "it was remembered for as long as there was room");
            }
        }
        // It went on counting under its old slot, which is somebody else's now.
        let late = membership.admit(asleep_in, Admission::new(b, 4));
        assert!(matches!(late, Err(Refused::Retired { last: 3, .. } | Refused::Rebase)));

        let (epoch, change) = membership.retire(b, 1).unwrap();
        membership.apply(epoch, change).unwrap();
        for slot in membership.settle(&counter.entries) {
            counter.settled += counter.entries.get(slot);
            counter.entries.set(slot, 0);
        }
        membership.check_invariants();
    }
    assert_eq!(counter.value(), 8 + 3_000);
    // Merged as it is, as after Akka's markers are gone, it would count three increments twice.
    let mut wrong = counter.clone();
    wrong.entries.join(&asleep.entries);
    assert_eq!(wrong.value(), counter.value() + 3);
}

/// A server that was away keeps its slot; one that retired is told so, and comes back as another.
#[test]
fn one_that_was_away_is_no_other() {
    let mut membership = Membership::founded([MemberId(1), MemberId(2)]);
    let before = membership.epoch();
    assert_eq!(membership.standing(MemberId(2)), Standing::Member(Slot(1)));
    let (epoch, change) = membership.join(MemberId(3)).unwrap();
    membership.apply(epoch, change).unwrap();
    // An epoch later its cuts mean what they meant.
    let held = Cut::from_iter([(Slot(0), 4), (Slot(1), 9)]);
    assert_eq!(membership.translate(before, &held), Ok(held.clone()));

    // It retires by decree; the others hold nothing of it beyond 7.
    let (epoch, change) = membership.retire(Slot(1), 7).unwrap();
    membership.apply(epoch, change).unwrap();
    let retired = Standing::Retired { slot: Slot(1), last: 7 };
    assert_eq!(membership.standing(MemberId(2)), retired);
    let refused = Refused::Retired { slot: Slot(1), last: 7 };
    assert_eq!(membership.translate(before, &held), Err(refused));
    // What it admitted before still counts, until everybody has it.
    let seventh = Admission::new(Slot(1), 7);
    assert_eq!(membership.admit(before, seventh), Ok(Admitted::As(seventh)));
    assert_eq!(membership.admit(before, Admission::new(Slot(1), 8)), Err(refused));

    let (epoch, change) = membership.join(MemberId(4)).unwrap();
    membership.apply(epoch, change).unwrap();
    assert_eq!(membership.standing(MemberId(4)), Standing::Member(Slot(3)), "slot 1 is not free");
}
