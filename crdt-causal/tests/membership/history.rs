//! What slots meant, by a table of all epochs there ever were.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::membership::{Admitted, ChangeError, MemberId, Membership, Refused, Standing};
use crdt_core::codec::{Decode, Encode, Reader, Writer};

use crate::{Random, cases};

/// Everything that ever was: who had which slot in which epoch, and who retired when and how.
#[derive(Default)]
struct History {
    epochs: Vec<BTreeMap<Slot, MemberId>>,
    retired: BTreeMap<MemberId, u64>,
    settled: BTreeSet<MemberId>,
}

/// An event by its server's name, which means the same for ever.
type Events = BTreeSet<(MemberId, u64)>;

impl History {
    /// What a cut of an epoch stands for, or `None` if it names somebody who was not there.
    fn events(&self, epoch: Epoch, cut: &Cut) -> Option<Events> {
        let owners = &self.epochs[epoch.0 as usize];
        let mut events = Events::new();
        for (slot, last) in cut {
            let owner = owners.get(&slot)?;
            events.extend((1..=last).map(|position| (*owner, position)));
        }
        Some(events)
    }

    fn has_never_happened(&self, events: &Events) -> bool {
        let beyond = |(member, position): &(MemberId, u64)| {
            self.retired.get(member).is_some_and(|last| position > last)
        };
        events.iter().any(beyond)
    }

    fn unsettled(&self, events: &Events) -> Events {
        events.iter().filter(|(member, _)| !self.settled.contains(member)).copied().collect()
    }
}

fn saved(membership: &Membership) -> Membership {
    let mut out = Writer::new();
    membership.encode(&mut out);
    let mut input = Reader::new(out.as_bytes());
    let read = Membership::decode(&mut input).expect("it was written");
    input.finish().expect("nothing else was");
    read
}

/// Servers join and retire, and slots settle, at random; cuts of all epochs are translated after each step.
/// A translated cut stands for the same events, but for those of servers that are settled; it is refused
/// exactly if it names what has never happened.
#[test]
fn a_translated_cut_stands_for_the_same_events() {
    let (mut translated, mut refused, mut reused) = (0, 0, 0);
    for seed in 0..cases() {
        let mut random = Random(seed);
        let mut next_id = 1 + random.below(3);
        let founders: Vec<MemberId> = (0..next_id).map(|id| MemberId(u128::from(id))).collect();
        let mut membership = Membership::founded(founders.clone());
        let mut history = History::default();
        history
            .epochs
            .push(founders.iter().enumerate().map(|(slot, id)| (Slot(slot as u16), *id)).collect());
        for _ in 0..12 {
            match random.below(3) {
                0 => {
                    let id = MemberId(u128::from(next_id));
                    next_id += 1;
                    let (epoch, change) = membership.join(id).expect("there is room");
                    assert_eq!(membership.apply(epoch, change), Ok(true));
                    let Standing::Member(slot) = membership.standing(id) else { panic!() };
                    let mut now = history.epochs.last().unwrap().clone();
                    reused += u64::from(now.contains_key(&slot));
                    now.insert(slot, id);
                    history.epochs.push(now);
                }
                1 => {
                    let members: Vec<_> = membership.members().collect();
                    if members.is_empty() {
                        continue;
                    }
                    let (slot, id) = members[random.below(members.len() as u64) as usize];
                    let last = random.below(4);
                    let (epoch, change) = membership.retire(slot, last).unwrap();
                    assert_eq!(membership.apply(epoch, change), Ok(true));
                    assert_eq!(membership.apply(epoch, change), Ok(false), "it is known");
                    assert_eq!(membership.standing(id), Standing::Retired { slot, last });
                    history.retired.insert(id, last);
                    // For those who do not know better, the slot is still its.
                    let now = history.epochs.last().unwrap().clone();
                    history.epochs.push(now);
                }
                _ => {
                    let stable: Cut = (0..6).map(|slot| (Slot(slot), random.below(5))).collect();
                    let now = history.epochs.last().unwrap();
                    let all: BTreeMap<Slot, u64> = membership.retiring().collect();
                    let settled = membership.settle(&stable);
                    for (slot, last) in all {
                        assert_eq!(settled.contains(&slot), stable.get(slot) >= last);
                    }
                    history.settled.extend(settled.iter().map(|slot| now[slot]));
                }
            }
            membership.check_invariants();
            assert_eq!(saved(&membership), membership);
            let here = membership.epoch();
            assert_eq!(here.0 as usize + 1, history.epochs.len());

            let of = Epoch(random.below(u64::from(here.0) + 1) as u32);
            let cut: Cut =
                (0..5).map(|slot| (Slot(slot), random.below(2) * random.below(6))).collect();
            let meant = history.events(of, &cut);
            match (membership.translate(of, &cut), meant) {
                (Ok(now), Some(meant)) => {
                    assert!(!history.has_never_happened(&meant), "seed {seed}");
                    let means = history.events(here, &now).expect("slots of now");
                    assert_eq!(means, history.unsettled(&meant), "seed {seed}");
                    translated += 1;
                }
                (Err(Refused::Retired { .. }), Some(meant)) => {
                    assert!(history.has_never_happened(&meant), "seed {seed}");
                    refused += 1;
                }
                (Err(_), None) => refused += 1,
                (got, meant) => panic!("seed {seed}: {got:?} for {meant:?}"),
            }
            let ahead = membership.translate(Epoch(here.0 + 1), &cut);
            assert_eq!(ahead, Err(Refused::Ahead { here }));
        }
    }
    assert!(translated > cases() && refused > cases() && reused > cases() / 10);
}

/// With room for few that have left, what cannot be read any more is refused, and nothing is misread.
#[test]
fn what_is_forgotten_is_refused_and_never_misread() {
    let mut membership = Membership::founded([MemberId(0)]).with_former_max(2);
    let cut = Cut::from_iter([(Slot(0), 1), (Slot(1), 1)]);
    let mut epochs = vec![];
    for round in 0..5_u128 {
        let (epoch, change) = membership.join(MemberId(1 + round)).unwrap();
        membership.apply(epoch, change).unwrap();
        epochs.push(epoch);
        let (epoch, change) = membership.retire(Slot(1), 1).unwrap();
        membership.apply(epoch, change).unwrap();
        assert_eq!(membership.settle(&cut), [Slot(1)]);
        membership.check_invariants();
    }
    let read: Vec<_> = epochs.iter().map(|epoch| membership.translate(*epoch, &cut)).collect();
    let own = Ok(Cut::from_iter([(Slot(0), 1)]));
    assert_eq!(read[..3], vec![Err(Refused::Rebase); 3]);
    assert_eq!(read[3..], vec![own.clone(); 2]);
    // A cut that names none of the forgotten can be read whatever its age.
    assert_eq!(membership.translate(Epoch(0), &Cut::from_iter([(Slot(0), 1)])), own);
    assert_eq!(membership.standing(MemberId(1)), Standing::Unknown);
}

#[test]
fn changes_come_in_their_order_and_from_one_authority() {
    let mut membership = Membership::founded([MemberId(0), MemberId(1)]);
    let (first, retire) = membership.retire(Slot(1), 5).unwrap();
    let (_, join) = membership.join(MemberId(2)).unwrap();
    let gap = ChangeError::Gap { expected: first };
    assert_eq!(membership.apply(Epoch(first.0 + 1), join), Err(gap));
    assert_eq!(membership.apply(first, retire), Ok(true));
    assert_eq!(membership.apply(first, join), Err(ChangeError::Conflict { epoch: first }));
    let taken = ChangeError::NameTaken { id: MemberId(1) };
    assert_eq!(membership.join(MemberId(1)).unwrap_err(), taken, "it retired, and stays so");
    let none = ChangeError::NoMember { slot: Slot(1) };
    assert_eq!(membership.retire(Slot(1), 6).unwrap_err(), none);

    // The authority knows slot 1 to be settled. Here that is not known yet, and the change has to wait.
    let mut authority = membership.clone();
    assert_eq!(authority.settle(&Cut::from_iter([(Slot(1), 5)])), [Slot(1)]);
    let (epoch, join) = authority.join(MemberId(2)).unwrap();
    authority.apply(epoch, join).unwrap();
    let early = membership.apply(epoch, join);
    assert_eq!(early, Err(ChangeError::SlotTaken { slot: Slot(1) }));
    assert_eq!(membership.settle(&Cut::from_iter([(Slot(1), 5)])), [Slot(1)]);
    assert_eq!(membership.apply(epoch, join), Ok(true));
    assert_eq!(membership, authority);

    let event = Admission::new(Slot(1), 3);
    assert_eq!(membership.admit(first, event), Ok(Admitted::Settled), "that of the one before");
    assert_eq!(membership.admit(epoch, event), Ok(Admitted::As(event)));
}

#[test]
fn golden_bytes() {
    let mut membership = Membership::founded([MemberId(7), MemberId(8)]);
    let (epoch, change) = membership.retire(Slot(1), 300).unwrap();
    membership.apply(epoch, change).unwrap();
    let mut out = Writer::new();
    membership.encode(&mut out);
    let name = |last: u8| [vec![0; 15], vec![last]].concat();
    let bytes =
        [vec![1, 0, 2, 0, 1], name(7), vec![0, 0, 0, 1], name(8), vec![0, 1, 1, 172, 2]].concat();
    assert_eq!(out.as_bytes(), bytes);
    for len in 0..bytes.len() {
        assert!(Membership::decode(&mut Reader::new(&bytes[..len])).is_err());
    }
    let mut out = Writer::new();
    change.encode(&mut out);
    assert_eq!(out.as_bytes(), [1, 1, 172, 2]);
}

/// Whatever is read is a membership that could have come about.
#[test]
fn bytes_that_are_wrong_are_refused() {
    let mut read = 0;
    for seed in 0..cases() {
        let mut random = Random(seed);
        let mut membership = Membership::founded((0..3).map(MemberId));
        for id in 3..6 {
            let last = random.below(3);
            if let Ok((epoch, change)) = membership.retire(Slot(random.below(4) as u16), last) {
                membership.apply(epoch, change).unwrap();
            }
            let _ = membership.settle(&Cut::from_iter([(Slot(0), 1), (Slot(1), 2)]));
            let (epoch, change) = membership.join(MemberId(id)).unwrap();
            membership.apply(epoch, change).unwrap();
        }
        let mut out = Writer::new();
        membership.encode(&mut out);
        let mut bytes = out.into_bytes();
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] = random.below(4) as u8;
        if let Ok(membership) = Membership::decode(&mut Reader::new(&bytes)) {
            membership.check_invariants();
            read += 1;
        }
    }
    assert!(read > cases() / 10, "not everything is refused: {read}");
}
