//! Texts that forget their history, beside texts that do not.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::difference::apply;
use super::history::{self, Edit, History, Shape};
use super::random::Random;
use super::share;
use super::text::{everything, fork, id, random_edit, random_session};
use crate::causality::ChangeRun;
use crate::sequence::delta::Changes;
use crate::sequence::{AnchorError, HistoryError, JoinError, OpRuns, Side, TextOp};
use crate::{Dot, Frontier, ReplicaId, Text, TextDelta, VersionVector, Writer};

/// A replica that trims its history, and what it would be if it did not.
struct Replica {
    trimmed: Text,
    whole: Text,
    writer: Writer,
    has_retired: bool,
}

impl Replica {
    fn new(number: u128) -> Self {
        let (text, writer) = fork(&Text::new(), number);
        Self { trimmed: text.clone(), whole: text, writer, has_retired: false }
    }

    fn check(&self, note: &str) {
        self.trimmed.check_invariants();
        assert_eq!(self.trimmed.to_string(), self.whole.to_string(), "{note}");
        assert_eq!(self.trimmed.frontier(), self.whole.frontier(), "{note}");
        assert!(self.whole.version().dominates(self.trimmed.version()), "{note}");
        let closed = self.whole.graph.closed(self.trimmed.version());
        assert_eq!(closed, *self.whole.version(), "{note}");
    }
}

/// What everything has in its past that one of the replicas does not hold yet, or that any of them
/// may still write.
fn stable(replicas: &[Replica], at: usize) -> VersionVector {
    let held = replicas[at].whole.version();
    let mut stable = held.clone();
    for Replica { whole: Text { graph, .. }, .. } in replicas {
        stable.meet(graph.version());
        for lv in (0..graph.len()).filter(|&lv| !held.contains(graph.dot_of(lv))) {
            stable.meet(&graph.version_vector(&graph.parents_of(lv)));
        }
    }
    stable
}

/// Where a text can be cut: for each place, its maximal events.
pub(in crate::sequence) fn cuts(text: &Text) -> Vec<Frontier> {
    let mut cuts = BTreeSet::new();
    for cut in 1..=text.graph.len() {
        let mut before = text.graph.clone();
        if before.is_change_start(cut) {
            before.truncate(cut);
            if text.graph.trim_point(before.version()) == cut {
                cuts.insert(before.frontier_dots().dots().to_vec());
            }
        }
    }
    cuts.into_iter().map(|dots| dots.into_iter().collect()).collect()
}

/// Replicas that write, exchange what they have in every way there is, and trim what all of them
/// hold, at different places, again and again.
#[test]
fn trimmed_and_whole_texts_go_on_together() {
    let (mut trims, mut forgotten, mut exchanges) = (0, 0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let count = 2 + random.below(3);
        let mut replicas: Vec<Replica> = (0..count)
            .map(|number| Replica::new((random.next() as u128 % 50) * 10 + number as u128))
            .collect();
        let mut sent: Vec<TextDelta> = Vec::new();
        for step in 0..8 + random.below(32) {
            let note = alloc::format!("seed {seed}, step {step}");
            let (who, other) = (random.below(count), random.below(count));
            match random.below(10) {
                0..=3 if !replicas[who].has_retired => {
                    let Replica { trimmed, whole, writer, .. } = &mut replicas[who];
                    let delta = random_edit(trimmed, writer, &mut random);
                    whole.join(&delta).expect("nothing is missing");
                    sent.push(delta);
                }
                0..=6 if who != other => {
                    exchange(&mut replicas, (who, other), &sent, &mut random, &note);
                    exchanges += 1;
                }
                7 | 8 => {
                    let mut stable = stable(&replicas, who);
                    if random.chance(50) {
                        stable.meet(replicas[other].whole.version());
                        // Anything below will do.
                        let lower: VersionVector = stable
                            .iter()
                            .map(|(id, seq)| (id, seq - random.next() % (seq + 1).min(4)))
                            .collect();
                        stable = lower;
                    }
                    // Whoever will not write again, and whose last event is stable.
                    let last =
                        |replica: &Replica| replica.whole.version().get(replica.writer.replica());
                    let retired: Vec<ReplicaId> = replicas
                        .iter()
                        .filter(|replica| replica.has_retired)
                        .filter(|replica| stable.get(replica.writer.replica()) == last(replica))
                        .map(|replica| replica.writer.replica())
                        .collect();
                    let (all, before) = (random.chance(30), replicas[who].trimmed.version().len());
                    let keep = |replica| all || !retired.contains(&replica);
                    let gone = replicas[who].trimmed.trim(&stable, keep).expect("it is sound");
                    trims += usize::from(gone > 0);
                    forgotten += before - replicas[who].trimmed.version().len();
                }
                9 if random.chance(60) && step > 2 => replicas[who].has_retired = true,
                _ => {}
            }
            replicas[who].check(&note);
        }
        // In the end all have everything, and none is told of what it has.
        for _ in 0..2 {
            for who in 0..count {
                for other in (0..count).filter(|&other| other != who) {
                    exchange(&mut replicas, (who, other), &[], &mut random, "at the end");
                    replicas[who].check(&alloc::format!("seed {seed}, at the end"));
                }
            }
        }
        for replica in &replicas {
            assert_eq!(replica.whole, replicas[0].whole, "seed {seed}");
            assert_eq!(replica.trimmed.to_string(), replicas[0].trimmed.to_string());
        }
    }
    assert!(trims > share(1000) && forgotten > share(100), "{trims} trims, {forgotten} forgotten");
    assert!(exchanges > share(1000));
}

/// One replica gets what another has, or a part of it, and more.
fn exchange(
    replicas: &mut [Replica],
    (to, from): (usize, usize),
    sent: &[TextDelta],
    random: &mut Random,
    note: &str,
) {
    let whole = everything(&replicas[from].whole);
    let known = replicas[to].trimmed.version().clone();
    let delta = match random.below(5) {
        // From a text that has forgotten what the other has.
        0 | 1 => replicas[from].trimmed.delta_since(&known).expect("what was trimmed is known"),
        2 => replicas[from].whole.delta_since(&known).expect("it is whole"),
        // What was trimmed here long ago is offered again.
        3 => whole.clone(),
        _ => {
            let known = replicas[to].whole.version().clone();
            replicas[from].trimmed.delta_since(&known).expect("what was trimmed is known")
        }
    };
    let delta = TextDelta::decode(&delta.encode()).expect("just encoded");
    let Replica { trimmed, whole: untrimmed, .. } = &mut replicas[to];
    untrimmed.join(&whole).expect("nothing is missing");
    let editor = trimmed.to_string();
    // Old deltas, whose writers may be forgotten, beside those that show where they belong.
    let known = |delta: &&TextDelta| delta.headers().all(|run| known.contains(run.last()));
    let mut batch: Vec<&TextDelta> =
        sent.iter().filter(known).filter(|_| random.chance(20)).collect();
    batch.insert(random.below(batch.len() + 1), &delta);
    let patches = trimmed.join_all_with_patches(&batch);
    let patches = patches.unwrap_or_else(|error| panic!("{note}: {error}"));
    assert_eq!(apply(&editor, &patches), trimmed.to_string(), "{note}");
    // A delta of nothing but what is known is empty.
    let nothing = replicas[from].whole.delta_since(replicas[to].trimmed.version());
    assert!(nothing.expect("it is whole").is_empty(), "{note}");
}

/// The events of a history as deltas of one change each.
fn delta_of(history: &History, index: usize) -> TextDelta {
    let event = &history.events[index];
    let past = |bits: u64| (0..64).filter(move |at| bits & 1 << at != 0);
    let covered = past(event.past).fold(0, |bits, at| bits | history.events[at].past);
    let mut parents: Vec<Dot> = past(event.past & !covered)
        .map(|at| history.events[at].dot)
        .filter(|dot| dot.replica != event.dot.replica)
        .collect();
    parents.sort_unstable();
    let mut changes = Changes::default();
    changes.headers.push(&ChangeRun {
        replica: event.dot.replica,
        seq: event.dot.seq,
        change_len: 1,
        count: 1,
        parents: parents.into_iter().collect(),
    });
    let mut ops = OpRuns::new();
    let mut content = String::new();
    ops.push(match event.edit {
        Edit::Insert(at, value) => {
            content.push(value);
            TextOp::Insert { at: at as u32, content: &content }
        }
        Edit::Delete(at) => TextOp::Delete { at: at as u32, len: 1, forward: true },
        Edit::Clear => TextOp::Clear { len: 1 },
    });
    changes.ops = ops;
    changes.into()
}

/// A text that trims whatever the rest of a history follows shows what the paper's tree shows,
/// in the end and at each version that is left.
#[test]
fn a_trimmed_text_is_that_of_the_papers_tree() {
    let (mut trims, mut looked_at) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let shape = Shape { events_max: 40, clears: seed % 4 == 0, deletes_percent: 30 };
        let history = history::random(&mut random, shape);
        let all = history.events.len();
        let (mut text, mut held) = (Text::new(), 0u64);
        while held.count_ones() < all as u32 {
            let ready: Vec<usize> = (0..all)
                .filter(|&at| held & 1 << at == 0 && history.events[at].past & !held == 0)
                .collect();
            let next = *random.pick(&ready);
            text.join(&delta_of(&history, next)).expect("nothing is missing");
            held |= 1 << next;
            text.check_invariants();
            if random.chance(30) {
                // Whatever is still to come has this in its past.
                let later = (0..all).filter(|at| held & 1 << at == 0);
                let stable = later.fold(held, |bits, at| bits & history.events[at].past);
                let stable: Vec<Dot> = (0..all)
                    .filter(|at| stable & 1 << at != 0)
                    .map(|at| history.events[at].dot)
                    .collect();
                let mut vector = VersionVector::new();
                stable.iter().for_each(|dot| vector.observe(dot.replica, dot.seq));
                trims += usize::from(text.trim(&vector, |_| true).expect("sound") > 0);
                text.check_invariants();
            }
        }
        assert_eq!(text.to_string(), history.text, "seed {seed}");
        for (at, event) in history.events.iter().enumerate() {
            let version = Frontier::from_iter([event.dot]);
            let first = text.graph.first();
            let is_left = text.graph.lv_of(event.dot).is_some_and(|lv| lv >= first || first == 1);
            match text.text_at(&version) {
                Ok(then) => {
                    looked_at += 1;
                    assert!(is_left);
                    assert_eq!(then, event.text_after, "seed {seed}, event {at}");
                }
                Err(error) => {
                    assert!(!is_left && matches!(error, HistoryError::BeforeTrim(_)), "{error}");
                }
            }
        }
    }
    assert!(trims > share(1000) && looked_at > share(1000), "{trims} trims, {looked_at} versions");
}

/// Differences, old texts and anchors, wherever it is cut: what is left is as it was, and the rest
/// has a typed answer, or the nearest place.
#[test]
fn what_is_left_is_as_it_was() {
    let (mut before, mut after) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (texts, deltas) = random_session(&mut random);
        let mut whole = Text::new();
        let mut versions = Vec::new();
        for delta in &deltas {
            whole.join(delta).expect("made in this order");
            versions.push((whole.frontier(), whole.version().clone(), whole.len_chars()));
        }
        texts.iter().for_each(|text| whole.join(&everything(text)).expect("nothing is missing"));
        let all = cuts(&whole);
        let Some(cut) = all.get(random.below(all.len().max(1))) else { continue };
        let local = whole.graph.local(cut).expect("it is held");
        let stable = whole.graph.version_vector(&local);
        let mut text = whole.clone();
        assert!(text.trim(&stable, |_| random_keep(seed)).expect("sound") > 0);
        text.check_invariants();
        let base = text.base().expect("it was trimmed").clone();
        assert_eq!(base.heads(), cut);
        assert_eq!(text.trim(&stable, |_| random_keep(seed)), Ok(0), "again changes nothing");
        let base_length = text.text_at(cut).expect("it is left").chars().count() as u32;
        assert_eq!(text.text_at(cut), whole.text_at(cut), "seed {seed}");
        for (frontier, version, length) in &versions {
            let gap = random.below(*length as usize + 1) as u32;
            let side = if random.chance(50) { Side::Before } else { Side::After };
            let anchor = crate::sequence::Anchor { version: frontier.clone(), gap, side };
            if base.is_in(version) {
                after += 1;
                assert_eq!(text.text_at(frontier), whole.text_at(frontier), "seed {seed}");
                for (other, _, _) in versions.iter().filter(|(_, other, _)| base.is_in(other)) {
                    assert_eq!(text.diff(frontier, other), whole.diff(frontier, other));
                }
                assert_eq!(text.maximal(frontier), Ok(frontier.clone()));
                assert_eq!(text.resolve(&anchor), whole.resolve(&anchor), "seed {seed}");
                let (ours, theirs) = (text.delta_since(version), whole.delta_since(version));
                let (ours, theirs) = (ours.expect("it is left"), theirs.expect("it is whole"));
                assert_eq!(ours.encode(), theirs.encode(), "seed {seed}");
                continue;
            }
            before += 1;
            let refused = |error: HistoryError| {
                let is_typed = match error {
                    HistoryError::BeforeTrim(dot) => whole.version().contains(dot),
                    HistoryError::Missing(dot) => !text.version().contains(dot),
                    _ => false,
                };
                assert!(is_typed, "seed {seed}: {error}");
            };
            refused(text.text_at(frontier).expect_err("it was trimmed"));
            refused(text.diff(frontier, &text.frontier()).expect_err("it was trimmed"));
            refused(text.delta_since(version).expect_err("it was trimmed"));
            // The place is looked for in the text at the cut.
            match text.resolve(&anchor) {
                Ok(place) => {
                    let nearest = crate::sequence::Anchor {
                        version: cut.clone(),
                        gap: gap.min(base_length),
                        side,
                    };
                    assert_eq!(whole.resolve(&nearest), Ok(place), "seed {seed}");
                }
                Err(error) => {
                    let HistoryError::Anchor(AnchorError::Missing(dot)) = error else {
                        panic!("seed {seed}: {error}")
                    };
                    assert!(!text.version().contains(dot), "its writer is forgotten");
                }
            }
        }
        // A peer that lacks something of the base is told so, and what it sends is refused.
        for peer in &texts {
            if !base.is_in(peer.version()) {
                let (mut late, mut writer) = fork(peer, 99_999);
                let delta = random_edit(&mut late, &mut writer, &mut random);
                let everything = everything(&late);
                if delta.is_empty() {
                    continue;
                }
                let shown = text.clone();
                match text.join(&everything) {
                    Err(JoinError::BeforeTrim { .. } | JoinError::Missing(_)) => {}
                    other => panic!("seed {seed}: {other:?}"),
                }
                assert_eq!(text, shown);
                assert_eq!(text.to_string(), shown.to_string());
                text.check_invariants();
            }
        }
        let empty = crate::sequence::Anchor { version: Frontier::new(), gap: 0, side: Side::After };
        assert_eq!(text.resolve(&empty), whole.resolve(&empty));
    }
    assert!(before > share(1000) && after > share(1000), "{before} before, {after} after");
}

fn random_keep(seed: u64) -> bool {
    !seed.is_multiple_of(3)
}

/// A peer from before the cut: its own changes are refused by name, whatever it sends with them.
#[test]
fn a_replica_from_before_gets_a_typed_answer() {
    let (mut text, mut anna) = fork(&Text::new(), 1);
    let first = text.insert(0, "one two", &mut anna).expect("in bounds");
    let (mut late, mut bela) = fork(&text, 2);
    let second = text.delete(0, 4, &mut anna).expect("in bounds");
    let stable = text.version().clone();
    assert_eq!(text.trim(&stable, |_| true), Ok(11));

    let edit = late.insert(7, "!", &mut bela).expect("in bounds");
    let refused = text.join(&edit);
    let (change, trimmed) = (Dot::new(id(2), 1), Dot::new(id(1), 7));
    assert_eq!(refused, Err(JoinError::BeforeTrim { change, trimmed }));
    assert_eq!(text.join(&everything(&late)), Err(JoinError::BeforeTrim { change, trimmed }));
    assert_eq!(text.to_string(), "two");
    let head = Dot::new(id(1), 11);
    assert_eq!(text.delta_since(late.version()).err(), Some(HistoryError::BeforeTrim(head)));
    assert_eq!(text.text_at(&late.frontier()), Err(HistoryError::Missing(change)));
    let old = Frontier::from_iter([trimmed]);
    assert_eq!(text.text_at(&old), Err(HistoryError::BeforeTrim(trimmed)));
    assert_eq!(text.maximal(&old), Err(HistoryError::BeforeTrim(trimmed)));
    for known in [&first, &second] {
        assert_eq!(text.join(known), Ok(()), "what was trimmed is known");
    }

    // It asks for a copy, and makes its edit there.
    let mut copy = text.clone();
    let mut bela = copy.writer(id(2));
    let edit = copy.insert(3, "!", &mut bela).expect("in bounds");
    text.join(&edit).expect("nothing is missing");
    assert_eq!(text.to_string(), "two!");
}

/// A delta cannot hide events that are held behind what was trimmed, nor make a forgotten writer
/// go on.
#[test]
fn what_an_offer_says_of_the_past_is_not_believed_against_what_is_held() {
    let (mut text, mut anna) = fork(&Text::new(), 1);
    let _sent = text.insert(0, "a", &mut anna).expect("in bounds");
    let mut bela = text.writer(id(2));
    let head = text.insert(1, "b", &mut bela).expect("in bounds");
    let mut whole = text.clone();
    let stable = text.version().clone();
    text.trim(&stable, |_| false).expect("sound");
    assert_eq!(text.version(), &VersionVector::from_iter([(id(2), 1)]));

    // Cleo wrote after the cut; an offer says that the cut follows her.
    let mut cleo = text.writer(id(3));
    let later = text.insert(2, "c", &mut cleo).expect("in bounds");
    whole.join(&later).expect("nothing is missing");
    let mut forged = Changes::default();
    let mut header = head.headers().next().expect("one");
    header.parents = [Dot::new(id(3), 1)].into_iter().collect();
    forged.headers.push(&header);
    forged.ops.push(TextOp::Insert { at: 1, content: "b" });
    let before = text.clone();
    let refused = text.join(&forged.into());
    assert_eq!(refused, Err(JoinError::Equivocation { replica: id(3) }));
    assert_eq!(text, before);

    // Anna was forgotten, and writes again all the same.
    let again = whole.insert(0, "!", &mut anna).expect("in bounds");
    assert!(matches!(text.join(&again), Err(JoinError::Missing(_))));
    let (change, trimmed) = (Dot::new(id(1), 2), Dot::new(id(1), 1));
    let refused = text.join(&everything(&whole));
    assert_eq!(refused, Err(JoinError::BeforeTrim { change, trimmed }));
    assert_eq!(text, before);
}

/// Lamport times have an end, which a forged base may be close to: what does not fit is refused,
/// before the history is looked at and after.
#[test]
fn a_base_near_the_end_of_time_leaves_no_room() {
    let (mut text, mut anna) = fork(&Text::new(), 1);
    let _sent = text.insert(0, "a", &mut anna).expect("in bounds");
    let base =
        crate::causality::Base::new(text.frontier(), u64::from(u32::MAX) - 3, VersionVector::new());
    text.graph = crate::EventGraph::with_base(base.expect("it just fits"));
    text.store = crate::sequence::TextStore::with_base(&text.graph, "a");
    let saved = text.encode().expect("sound");
    for loads in [false, true] {
        let mut again = Text::decode(&saved).expect("just encoded");
        let mut anna = again.writer(id(1));
        if loads {
            again.load_history().expect("just encoded");
        }
        assert!(again.insert(1, "bc", &mut anna).is_err());
        let last = again.insert(1, "b", &mut anna).expect("there is room for one");
        assert!(again.insert(1, "c", &mut anna).is_err());
        again.load_history().expect("what was written fits");
        again.check_invariants();

        let mut peer = Text::decode(&saved).expect("just encoded");
        peer.join(&last).expect("it fits there too");
        let (mut ahead, mut bela) = fork(&Text::new(), 1);
        for (at, content) in (0..).zip(["a", "b", "c"]) {
            let _sent = ahead.insert(at, content, &mut bela).expect("in bounds");
        }
        let beyond = everything(&ahead);
        assert!(matches!(peer.join(&beyond), Err(JoinError::Full(_))));
        assert_eq!(peer.to_string(), "ab");
    }
}
