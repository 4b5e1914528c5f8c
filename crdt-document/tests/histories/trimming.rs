//! Documents whose history is trimmed, beside ones that keep all of it: they read alike, and go
//! on exchanging changes.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::sync::ChangeLog;
use crdt_core::laws::trials;
use crdt_document::{Document, EditError, ImportError, ReplicaId, VersionVector};
use quickcheck::{Arbitrary, Gen};

use crate::script::{REPLICAS, Script, Step, World, id, texts};
use crate::{cases, dump};

/// A script, with what is trimmed after which step.
#[derive(Clone, Debug)]
pub(crate) struct Trimming {
    script: Script,
    /// Of each step: which replica trims, whom it remembers, and whether it is loaded again.
    trims: Vec<(u8, u8, bool)>,
}

impl Arbitrary for Trimming {
    fn arbitrary(g: &mut Gen) -> Self {
        let script = Script::arbitrary(g);
        let trims = script.0.iter().map(|_| Arbitrary::arbitrary(g)).collect();
        Self { script, trims }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let trims = self.trims.clone();
        Box::new(self.script.shrink().map(move |script| Self { script, trims: trims.clone() }))
    }
}

/// What is causally stable for a replica: what everyone holds, once it has all that others did
/// before they held it. Nothing, as long as it has not.
fn stable(world: &World, who: usize) -> VersionVector {
    let held_by_all = |writer: usize| {
        let held = world.docs.iter().map(|doc| doc.version().get(id(writer)));
        (id(writer), held.min().unwrap_or(0))
    };
    let stable: VersionVector = (0..REPLICAS).map(held_by_all).collect();
    let mut counts = [0u64; REPLICAS];
    let (mut inside, mut later) = (BTreeSet::new(), Vec::new());
    for (number, event) in world.model.events.iter().enumerate() {
        counts[event.replica] += 1;
        if counts[event.replica] <= stable.get(id(event.replica)) {
            inside.insert(number);
        } else if !world.model.known[who].contains(&number) {
            later.push(event);
        }
    }
    if later.iter().all(|event| inside.is_subset(&event.past)) {
        stable
    } else {
        VersionVector::new()
    }
}

fn assert_alike(trimmed: &Document, whole: &Document) {
    trimmed.check_invariants();
    // Forks are found as if nothing had been trimmed.
    let heads = trimmed.base().into_iter().flat_map(|base| base.heads().iter());
    for dot in trimmed.changes().map(|change| change.last()).chain(heads) {
        let chain = trimmed.chain(dot);
        assert!(chain.is_some() && chain == whole.chain(dot), "{dot}");
    }
    assert_eq!(dump(trimmed), dump(whole));
    let by_path = |doc| texts(doc).into_iter().collect::<BTreeMap<_, _>>();
    assert_eq!(by_path(trimmed), by_path(whole));
    assert_eq!(trimmed.frontier(), whole.frontier());
    assert!(whole.version().dominates(trimmed.version()));
}

fn pull(from: &Document, to: &mut Document) {
    to.import(&from.changes_since(to.version())).expect("nothing is missing");
}

fn reload(doc: &Document) -> Document {
    let bytes = doc.encode();
    let again = Document::decode(&bytes).expect("own bytes");
    assert_eq!(again.encode(), bytes, "loading and saving is the identity");
    assert_eq!(again.version(), doc.version());
    again
}

/// Plays a script with documents that keep their history and, beside each, one that trims it.
pub(crate) fn play(Trimming { script, trims }: &Trimming) -> (World, Vec<Document>) {
    let mut world = World::new();
    let mut small: Vec<Document> = (0..REPLICAS).map(|_| Document::reader()).collect();
    for (number, (step, &(who, remembered, reloads))) in script.0.iter().zip(trims).enumerate() {
        world.step(step);
        match *step {
            Step::Pull(to, from) | Step::PullWhole(to, from) => {
                let (to, from) = (usize::from(to) % REPLICAS, usize::from(from) % REPLICAS);
                if to != from {
                    let whole = matches!(step, Step::PullWhole(..));
                    let known =
                        if whole { VersionVector::new() } else { small[to].version().clone() };
                    let bytes = small[from].changes_since(&known);
                    small[to].import(&bytes).expect("nothing is missing");
                }
            }
            Step::Edit(..) | Step::PullPart(..) | Step::Reload(_) => {
                (0..REPLICAS).for_each(|at| pull(&world.docs[at], &mut small[at]));
            }
        }
        let who = usize::from(who) % REPLICAS;
        let (stable, before) = (stable(&world, who), small[who].len());
        // Who was forgotten must not write again under the same id, nor have done so unheard.
        let goes_on = |replica: usize| {
            let by = |by: u8| usize::from(by) % REPLICAS == replica;
            let edits = |step: &Step| matches!(*step, Step::Edit(replica, ..) if by(replica));
            let events = world.model.events.iter().filter(|event| event.replica == replica);
            script.0[number..].iter().any(edits) || events.count() as u64 > stable.get(id(replica))
        };
        let remember = |writer: ReplicaId| {
            let replica = (0..REPLICAS).find(|&replica| id(replica) == writer);
            replica.is_some_and(|at| remembered & 1 << at != 0 || goes_on(at))
        };
        let trimmed = small[who].trim(&stable, remember).expect("no transaction is open");
        assert!(trimmed.is_some() || small[who].len() == before);
        if let Some(trimmed) = trimmed {
            assert_eq!(small[who].base().map(|base| base.heads()), Some(&trimmed.base));
            assert!(trimmed.base.iter().all(|head| stable.contains(head)));
        }
        assert_eq!(small[who].trim(&stable, remember), Ok(None), "there is no more to trim");
        if reloads {
            small[who] = reload(&small[who]);
        }
        for (small, whole) in small.iter().zip(&world.docs) {
            assert_alike(small, whole);
        }
    }
    (world, small)
}

#[test]
fn trimmed_documents_read_as_whole_ones_and_converge_with_them() {
    fn law(trimming: Trimming) {
        let (mut world, mut small) = play(&trimming);
        world.settle();
        // Each from another, whichever of them have trimmed what, and from one that has all.
        for to in 0..REPLICAS {
            for from in 0..REPLICAS {
                let bytes = small[from].changes_since(small[to].version());
                small[to].import(&bytes).expect("nothing is missing");
            }
        }
        let whole = &mut world.docs[0];
        for small in &mut small {
            pull(small, whole);
            assert_alike(small, whole);
            assert_alike(&reload(small), whole);
            // The whole history is no news to the trimmed document.
            let imported = small.import(&whole.encode()).expect("it is known");
            assert!(imported.new.is_empty(), "{imported:?}");
            // Whoever comes now begins with what is left.
            let mut late = Document::reader();
            late.import(&small.encode()).expect("it is empty");
            assert_alike(&late, whole);
            assert_eq!(late.encode(), small.encode());
        }
        // Trimmed to one version, by whatever steps, they have the same bytes.
        let everything = world.docs[0].version().clone();
        let mut whole = reload(&world.docs[0]);
        whole.trim(&everything, |_| false).expect("no transaction is open");
        for small in &mut small {
            small.trim(&everything, |_| false).expect("no transaction is open");
            assert_eq!(small.encode(), whole.encode());
        }
    }
    trials().quickcheck(law as fn(_));
}

#[test]
fn who_has_not_seen_what_was_trimmed_is_told_so_and_changes_nothing() {
    fn law(trimming: Trimming, when: u8, edits: Vec<bool>) -> Result<(), EditError> {
        let mut early = trimming.clone();
        early.script.0.truncate(usize::from(when) % (trimming.script.0.len() + 1));
        let (early, _) = play(&early);
        // Someone leaves with what they have, and writes.
        let mut away = reload(&early.docs[0]);
        away.set_replica(ReplicaId::from_u128(99))?;
        let left_with = away.version().clone();
        for _ in &edits {
            away.transact(|tx| tx.text("away").insert(0, "x").map(drop))?;
        }
        let (world, small) = play(&trimming);
        for (small, whole) in small.iter().zip(&world.docs) {
            let mut trimmed = reload(small);
            let before = trimmed.encode();
            let seen = trimmed.base().is_none_or(|base| base.is_in(&left_with));
            for bytes in [away.encode(), away.changes_since(trimmed.version())] {
                match trimmed.import(&bytes) {
                    Ok(_) => {
                        assert!(seen || edits.is_empty());
                        trimmed = reload(small);
                    }
                    Err(ImportError::BeforeTrim(_)) => assert!(!seen),
                    Err(error) => panic!("{error}"),
                }
                assert_eq!(trimmed.encode(), before);
            }
            // The other way round: only who has nothing else begins with a base.
            let mut back = reload(&away);
            let before = back.encode();
            match back.import(&trimmed.changes_since(back.version())) {
                Ok(_) => {
                    back.check_invariants();
                    let mut both = reload(whole);
                    both.import(&away.encode()).expect("nothing is missing");
                    assert_eq!(dump(&back), dump(&both));
                }
                Err(ImportError::HistoryNeeded(base)) => {
                    assert!(!seen && base == *trimmed.base().expect("it has one").heads());
                    assert_eq!(back.encode(), before);
                }
                Err(error) => panic!("{error}"),
            }
        }
        Ok(())
    }
    trials()
        .tests(cases() / 4)
        .quickcheck(law as fn(Trimming, u8, Vec<bool>) -> Result<(), EditError>);
}

/// Somebody uses an id twice, and one change of theirs goes on from before what was trimmed here.
#[test]
fn another_change_across_the_base_is_an_equivocation() -> Result<(), Box<dyn std::error::Error>> {
    let mut doc = Document::new(id(0));
    for _ in 0..2 {
        doc.transact(|tx| tx.text("t").push("x").map(drop))?;
    }
    let stable = doc.version().clone();
    doc.trim(&stable, |_| false)?;
    doc.transact(|tx| tx.text("t").push("x").map(drop))?;
    let before = doc.encode();
    let mut other = Document::new(id(0));
    other.transact(|tx| tx.text("t").push("xxx").map(drop))?;
    let refused = ImportError::Equivocation { replica: id(0), seq: 1 };
    assert_eq!(doc.import(&other.encode()), Err(refused));
    assert_eq!(doc.encode(), before);
    Ok(())
}

/// Somebody writes under an id that was forgotten, as nobody must: trimming gives up, and nothing else.
#[test]
fn who_writes_under_a_forgotten_id_does_not_bring_trimming_down()
-> Result<(), Box<dyn std::error::Error>> {
    let mut doc = Document::new(id(1));
    for number in 0..3 {
        doc.transact(|tx| {
            tx.root().set("k", number);
            Ok(())
        })?;
    }
    doc.set_replica(id(0))?;
    doc.transact(|tx| tx.text("t").push("x").map(drop))?;
    let stable = doc.version().clone();
    assert_eq!(doc.trim(&stable, |_| false)?.map(|trimmed| trimmed.forgotten), Some(1));
    let mut again = reload(&doc);
    again.set_replica(id(1))?;
    again.transact(|tx| tx.text("t").push("y").map(drop))?;
    doc.import(&again.changes_since(doc.version()))?;
    let (stable, before) = (doc.version().clone(), doc.encode());
    assert_eq!(doc.trim(&stable, |_| false)?, None);
    doc.check_invariants();
    assert_eq!(doc.encode(), before);
    // It has no snapshot either.
    let opened = Document::open(doc.save())?;
    assert!(opened.has_history());
    assert_eq!(opened.encode(), before);
    Ok(())
}
