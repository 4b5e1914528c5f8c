//! The stable cut, computed anew from everything that was ever acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::StabilityTracker;

use crate::cases;
use crate::random::Random;

const LEASE_MS: u64 = 1_000;
const OWN: Slot = Slot(0);

/// What the documentation says, said once more: sets of events, and no trees, seats or looks.
struct Model {
    members: BTreeSet<Slot>,
    live: BTreeSet<Slot>,
    tracked: BTreeSet<Slot>,
    said: BTreeMap<Slot, Vec<Cut>>,
    lease_ends: BTreeMap<Slot, u64>,
    stable: BTreeSet<(Slot, u64)>,
}

impl Model {
    fn holds(&self, member: Slot) -> BTreeSet<(Slot, u64)> {
        let said = self.said.get(&member).into_iter().flatten();
        said.flat_map(|cut| {
            cut.iter().flat_map(|(slot, last)| (1..=last).map(move |at| (slot, at)))
        })
        .filter(|(slot, _)| self.tracked.contains(slot))
        .collect()
    }

    fn settle(&mut self) {
        for member in self.members.clone() {
            if self.lease_ends.contains_key(&member) && self.stable.is_subset(&self.holds(member)) {
                self.live.insert(member);
            }
        }
        if 2 * self.live.len() > self.members.len() {
            let mut all = self.live.iter().map(|member| self.holds(*member));
            let first = all.next().expect("more than half of some");
            self.stable = all.fold(first, |common, one| &common & &one);
        }
    }

    fn pass_time(&mut self, now: u64) {
        let over: Vec<Slot> = self
            .lease_ends
            .iter()
            .filter(|(member, end)| **end <= now && **member != OWN)
            .map(|(member, _)| *member)
            .collect();
        for member in over {
            self.lease_ends.remove(&member);
            self.live.remove(&member);
        }
        self.settle();
    }
}

fn as_set(cut: &Cut) -> BTreeSet<(Slot, u64)> {
    cut.iter().flat_map(|(slot, last)| (1..=last).map(move |at| (slot, at))).collect()
}

/// Members acknowledge, out of order too, fall silent, come back, join and leave; after each step the
/// stable cut and who is live are what the model says.
#[test]
fn the_stable_cut_is_what_all_live_members_hold() {
    let (mut grew, mut lapsed, mut back) = (0, 0, 0);
    for seed in 0..cases() {
        let mut random = Random(seed);
        let members = 1 + random.below(5) as u16;
        let first: BTreeSet<Slot> = (0..members).map(Slot).collect();
        let mut tracker = StabilityTracker::new(OWN, first.clone(), LEASE_MS, 0);
        let mut model = Model {
            live: first.clone(),
            tracked: first.clone(),
            lease_ends: first.iter().map(|member| (*member, LEASE_MS)).collect(),
            members: first,
            said: BTreeMap::new(),
            stable: BTreeSet::new(),
        };
        let mut now = 0;
        for _ in 0..40 {
            let live_before = model.live.len();
            match random.below(20) {
                0..=11 => {
                    let member = Slot(random.below(7) as u16);
                    let cut: Cut = (0..7).map(|slot| (Slot(slot), random.below(6))).collect();
                    let said = tracker.acknowledge(member, &cut, now);
                    let stable = model.stable.clone();
                    assert_eq!(said.is_ok(), model.members.contains(&member));
                    if model.members.contains(&member) {
                        // What is said of slots that are not tracked is not remembered.
                        let kept = cut.iter().filter(|(slot, _)| model.tracked.contains(slot));
                        model.said.entry(member).or_default().push(kept.collect());
                        model.lease_ends.insert(member, now + LEASE_MS);
                        model.settle();
                        assert_eq!(said, Ok(stable != model.stable));
                        grew += u64::from(stable != model.stable);
                    }
                }
                12..=15 => {
                    now += random.below(LEASE_MS);
                    tracker.handle_timeout(now);
                    model.pass_time(now);
                    if let Some(due) = tracker.poll_timeout() {
                        let ends = model.lease_ends.iter().filter(|(member, _)| **member != OWN);
                        let first = ends.map(|(_, end)| *end).min();
                        assert!(due > now && first.is_some_and(|first| due <= first));
                    }
                }
                16 | 17 => {
                    let member = Slot(random.below(7) as u16);
                    tracker.join(member, now);
                    if model.members.insert(member) {
                        model.tracked.insert(member);
                        // Somebody else of this slot may have been here before.
                        model.said.remove(&member);
                        if model.stable.is_empty() {
                            model.lease_ends.insert(member, now + LEASE_MS);
                        }
                        model.settle_after_join(member);
                    }
                }
                18 => {
                    let member = Slot(1 + random.below(6) as u16);
                    tracker.leave(member);
                    model.members.remove(&member);
                    model.live.remove(&member);
                    model.lease_ends.remove(&member);
                    model.settle();
                }
                _ => {
                    let gone: Vec<Slot> =
                        model.tracked.difference(&model.members).copied().collect();
                    if let Some(slot) = gone.first() {
                        tracker.drop_slot(*slot);
                        model.tracked.remove(slot);
                        model.stable.retain(|(held, _)| held != slot);
                        for said in model.said.values_mut().flatten() {
                            said.set(*slot, 0);
                        }
                        model.settle();
                    }
                }
            }
            tracker.check_invariants();
            assert_eq!(as_set(tracker.stable()), model.stable, "seed {seed}");
            assert_eq!(tracker.live().collect::<BTreeSet<_>>(), model.live, "seed {seed}");
            lapsed += u64::from(model.live.len() < live_before);
            back += u64::from(model.live.len() > live_before);
        }
    }
    let often = cases() / 4;
    assert!(grew > often && lapsed > often && back > often, "{grew} {lapsed} {back}");
}

impl Model {
    /// One that joins counts at once where there is nothing that it could lack.
    fn settle_after_join(&mut self, member: Slot) {
        if self.stable.is_empty() {
            self.live.insert(member);
        }
    }
}

/// The cost that is promised: one look at each entry, ⌈log₂ members⌉ comparisons for one that grew;
/// on the whole fewer, since most members are not the last.
#[test]
fn an_acknowledgement_costs_its_entries_and_a_logarithm_for_those_that_grew() {
    for members in [2_u16, 3, 8, 64, 300] {
        let slots: Vec<Slot> = (0..members).map(Slot).collect();
        let depth = u64::from(members.next_power_of_two().ilog2());
        let mut tracker = StabilityTracker::new(OWN, slots.clone(), LEASE_MS, 0);
        let mut random = Random(u64::from(members));
        let mut held = vec![Cut::new(); slots.len()];
        let (mut looks, mut grown) = (0, 0);
        for _ in 0..100_000_u64.div_ceil(u64::from(members)) {
            let member = random.below(u64::from(members)) as usize;
            for slot in &slots {
                let more = random.below(3);
                grown += u64::from(more > 0);
                let position = held[member].get(*slot) + more;
                held[member].observe(*slot, position);
            }
            looks += held[member].len() as u64;
            let before = tracker.examined();
            tracker.acknowledge(slots[member], &held[member], 0).unwrap();
            let cost = tracker.examined() - before;
            let bound = held[member].len() as u64 * (1 + depth);
            assert!(cost <= bound, "{cost} > {bound}");
        }
        let comparisons = tracker.examined() - looks;
        assert!(comparisons <= grown * depth);
        assert!(members < 8 || comparisons < grown * depth, "{comparisons} for {grown}");
        println!(
            "{members} members: {:.2} comparisons for each entry that has grown",
            comparisons as f64 / grown as f64
        );
        // An acknowledgement that says nothing new costs a look at each entry.
        let before = tracker.examined();
        tracker.acknowledge(OWN, &held[0].clone(), 0).unwrap();
        assert_eq!(tracker.examined() - before, held[0].len() as u64);
    }
}

/// Of two halves that cannot see each other, the smaller one stands still.
#[test]
fn a_minority_makes_nothing_stable() {
    let members = [0, 1, 2].map(Slot);
    let mut lonely = StabilityTracker::new(OWN, members, LEASE_MS, 0);
    lonely.acknowledge(OWN, &Cut::from_iter([(OWN, 9)]), 2 * LEASE_MS).unwrap();
    assert!(!lonely.is_quorate() && lonely.stable().is_empty());
    // It is heard again.
    for member in &members[1..] {
        lonely.acknowledge(*member, &Cut::from_iter([(OWN, 4)]), 3 * LEASE_MS).unwrap();
    }
    assert_eq!(lonely.stable(), &Cut::from_iter([(OWN, 4)]));
}

/// What was stable before a restart stays so, and those who lack some of it have to catch up.
#[test]
fn a_tracker_goes_on_after_a_restart() {
    let members = [0, 1, 2].map(Slot);
    let stable = Cut::from_iter([(Slot(0), 5), (Slot(7), 2)]);
    let mut tracker = StabilityTracker::resumed(OWN, members, stable.clone(), LEASE_MS, 0);
    tracker.check_invariants();
    assert_eq!(tracker.live().count(), 0);
    let more = Cut::from_iter([(Slot(0), 6), (Slot(7), 2)]);
    tracker.acknowledge(Slot(1), &Cut::from_iter([(Slot(0), 4)]), 0).unwrap();
    tracker.acknowledge(Slot(0), &more, 0).unwrap();
    assert_eq!(tracker.stable(), &stable, "one of three is no majority");
    tracker.acknowledge(Slot(2), &more, 0).unwrap();
    tracker.check_invariants();
    assert!(!tracker.is_live(Slot(1)));
    assert_eq!(tracker.stable(), &more);
}
