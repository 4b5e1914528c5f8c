//! What servers tell each other of themselves: memberships, changes of them, and reports.

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::membership::{Change, MemberId, Membership};
use crdt_causal::stability::{Horizon, HorizonConfig, Report, StabilityConfig, Trimmer};

use crate::memory::bounded;
use crate::values::{decode, encode};

/// Servers that have retired, and one that has the slot of another.
fn membership() -> Membership {
    let mut membership = Membership::founded((0..4).map(MemberId));
    let mut make = |(epoch, change): (Epoch, Change), stable: &Cut| {
        assert_eq!(membership.apply(epoch, change), Ok(true));
        let _settled = membership.settle(stable);
        membership.clone()
    };
    let stable = Cut::from_iter([(Slot(1), 300)]);
    let founded = Membership::founded((0..4).map(MemberId));
    let membership = make(founded.retire(Slot(1), 300).expect("it is a member"), &stable);
    let membership = make(membership.retire(Slot(2), 5).expect("it is a member"), &stable);
    make(membership.join(MemberId(u128::MAX)).expect("there is room"), &stable)
}

/// The input is a membership, a change, a report, and what a server saved. What decodes is sound, and has
/// one encoding; a change is made or not; a report makes nothing shrink, and nothing be trimmed that
/// not all have.
pub fn run(bytes: &[u8]) {
    let whole = bounded(bytes.len(), || decode::<Membership>(bytes));
    let here = whole.map_or_else(membership, |(membership, _)| membership);
    here.check_invariants();
    if let Some((change, _)) = decode::<Change>(bytes) {
        let mut next = here.clone();
        let made = next.apply(Epoch(here.epoch().0.saturating_add(1)), change);
        next.check_invariants();
        assert_eq!(made == Ok(true), next != here);
    }
    if let Some((report, _)) = bounded(bytes.len(), || decode::<Report>(bytes)) {
        if let Ok(cut) = here.translate(report.epoch, &report.applied) {
            assert!(report.applied.dominates(&cut), "nothing is made up");
        }
        for (slot, position) in &report.floor {
            let _read = here.admit(report.epoch, Admission::new(slot, position));
        }
        let members = [0, 1, 2].map(Slot);
        let mut trimmer = Trimmer::new(Slot(0), members, StabilityConfig::default(), 0);
        let own = Cut::from_iter([(Slot(0), 3)]);
        trimmer.applied(&own, 0);
        for now in [1, 2 << 32] {
            bounded(bytes.len(), || trimmer.receive(Slot(1), &report, now)).expect("a member");
            trimmer.check_invariants();
            let trim = trimmer.trim_cut();
            assert!(own.dominates(trim) && report.applied.dominates(trim), "not all have that");
        }
    }
    let config = HorizonConfig::default();
    if let Ok(horizon) = bounded(bytes.len(), || Horizon::from_saved(config, bytes, 0)) {
        horizon.check_invariants();
    }
    let config = StabilityConfig::default();
    let members = [0, 1, 2].map(Slot);
    if let Ok(mut trimmer) =
        bounded(bytes.len(), || Trimmer::from_saved(Slot(0), members, config, bytes, 0))
    {
        trimmer.handle_timeout(1);
        trimmer.check_invariants();
    }
}

/// A membership with a past, the changes that made it, a report, and what a server saves.
pub fn seeds() -> Vec<Vec<u8>> {
    let members = [0, 1, 2].map(Slot);
    let mut trimmer = Trimmer::new(Slot(0), members, StabilityConfig::default(), 0);
    let mut horizon = Horizon::new(HorizonConfig::default(), 0);
    let applied = Cut::from_iter([(Slot(0), 7), (Slot(1), 300), (Slot(2), 1 << 40)]);
    for day in 0..40 {
        trimmer.applied(&applied, day << 26);
        horizon.record(&applied, day << 26);
        for member in &members[1..] {
            let report = Report {
                epoch: Epoch(0),
                applied: applied.clone(),
                floor: trimmer.floor().clone(),
                trusted: members.into(),
            };
            trimmer.receive(*member, &report, day << 26).expect("it is a member");
        }
    }
    let saved = trimmer.poll_save().expect("there is something to save");
    let join = Change::Join { id: MemberId(9), slot: Slot(1) };
    let retire = Change::Retire { slot: Slot(3), last: 1 << 30 };
    let report = encode(&trimmer.report());
    vec![encode(&membership()), encode(&join), encode(&retire), report, saved, horizon.to_saved()]
}
