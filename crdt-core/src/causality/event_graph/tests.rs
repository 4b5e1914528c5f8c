use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::laws::trials;
use quickcheck::{Arbitrary, Gen};

use super::*;

/// A history: each step is a replica, a change length, a count, and which of the earlier
/// steps it has merged before.
#[derive(Clone, Debug)]
struct History(Vec<(u8, u8, u8, Vec<u8>)>);

impl Arbitrary for History {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut steps: Vec<(u8, u8, u8, Vec<u8>)> = Arbitrary::arbitrary(g);
        steps.truncate(24);
        Self(steps)
    }

    fn shrink(&self) -> alloc::boxed::Box<dyn Iterator<Item = Self>> {
        alloc::boxed::Box::new(self.0.shrink().map(Self))
    }
}

/// The graph as plain sets: the past of every event, itself included.
#[derive(Default)]
struct Model {
    past: Vec<BTreeSet<Lv>>,
    dots: Vec<Dot>,
}

impl Model {
    fn past_of(&self, version: &[Lv]) -> BTreeSet<Lv> {
        version.iter().flat_map(|&lv| self.past[lv as usize].iter().copied()).collect()
    }

    fn maximal(&self, events: &BTreeSet<Lv>) -> Vec<Lv> {
        let below = |lv: &Lv| {
            events.iter().any(|other| other != lv && self.past[*other as usize].contains(lv))
        };
        events.iter().copied().filter(|lv| !below(lv)).collect()
    }
}

fn build(history: &History) -> (EventGraph, Model) {
    let (mut graph, mut model) = (EventGraph::new(), Model::default());
    let mut seen_by: [BTreeSet<Lv>; 4] = Default::default();
    for (replica, len, count, merged) in &history.0 {
        let (index, len, count) = (usize::from(replica % 4), 1 + len % 3, 1 + count % 3);
        let id = ReplicaId::from_u128(index as u128 + 1);
        for other in merged.iter().take(2) {
            if !graph.is_empty() {
                let lv = Lv::from(*other) % graph.len();
                // Whole changes are merged, as the graph's users do.
                let last = graph.change_of(lv).end - 1;
                let past = model.past[last as usize].clone();
                seen_by[index].extend(past);
            }
        }
        let parents = model.maximal(&seen_by[index]);
        let lvs = graph.push(id, u32::from(len), u32::from(count), &parents).expect("small");
        graph.check_invariants();
        for lv in lvs {
            let mut past = seen_by[index].clone();
            past.insert(lv);
            seen_by[index].insert(lv);
            model.past.push(past);
            model.dots.push(graph.dot_of(lv));
        }
    }
    (graph, model)
}

fn flat(ranges: &[Range<Lv>]) -> BTreeSet<Lv> {
    assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "ascending, apart");
    ranges.iter().cloned().flatten().collect()
}

#[test]
fn answers_as_plain_sets_do() {
    fn law(history: History, picks: Vec<u16>) -> bool {
        let (graph, model) = build(&history);
        let all: Vec<Lv> = (0..graph.len()).collect();
        if all.is_empty() {
            return true;
        }
        let pick = |index: usize| Lv::from(*picks.get(index).unwrap_or(&0)) % graph.len();
        let left = model.maximal(&BTreeSet::from([pick(0), pick(1)]));
        let right = model.maximal(&BTreeSet::from([pick(2), pick(3), pick(4)]));
        let (past_left, past_right) = (model.past_of(&left), model.past_of(&right));

        let (only_left, only_right) = graph.diff(&left, &right);
        assert_eq!(flat(&only_left), &past_left - &past_right);
        assert_eq!(flat(&only_right), &past_right - &past_left);
        for &lv in &all {
            assert_eq!(graph.contains(&left, lv), past_left.contains(&lv), "{left:?} {lv}");
            assert_eq!(graph.lv_of(graph.dot_of(lv)), Some(lv));
        }
        let vector = graph.version_vector(&right);
        for &lv in &all {
            assert_eq!(vector.contains(graph.dot_of(lv)), past_right.contains(&lv));
        }
        let some: BTreeSet<Lv> = (0..5).map(pick).collect();
        let asked: Vec<Lv> = (0..5).map(pick).collect();
        assert_eq!(graph.maximal(&asked)[..], model.maximal(&some)[..]);

        // As a change of each replica would be announced that has seen `right`.
        for number in 1..=4 {
            let id = ReplicaId::from_u128(number);
            let last = graph.lv_of(Dot::new(id, graph.last_of(id)));
            let named: Vec<Lv> =
                right.iter().copied().filter(|&lv| graph.replica_of(lv) != id).collect();
            let dots: Vec<Dot> = named.iter().map(|&lv| graph.dot_of(lv)).collect();
            let inside = named.iter().any(|&lv| !graph.is_change_start(lv + 1));
            let all: BTreeSet<Lv> = named.iter().copied().chain(last).collect();
            let expected = model.maximal(&all);
            let lost = named.iter().any(|lv| !expected.contains(lv));
            match graph.full_parents(id, &dots) {
                Ok(parents) => assert!(!inside && !lost && parents[..] == expected[..]),
                Err(ParentsError::InsideChange(_)) => assert!(inside),
                Err(error) => assert!(lost && matches!(error, ParentsError::Redundant(_))),
            }
        }
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

#[test]
fn truncation_is_never_having_learned() {
    fn law(history: History, cut: u8) -> bool {
        let (whole, _) = build(&history);
        let steps = usize::from(cut) % (history.0.len() + 1);
        let shorter = History(history.0[..steps].to_vec());
        let (expected, _) = build(&shorter);
        let mut cut = whole.clone();
        cut.truncate(expected.len());
        cut.check_invariants();
        assert_eq!(cut, expected);
        assert_eq!(cut.frontier(), expected.frontier());
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

#[test]
fn headers_travel() {
    fn law(history: History) -> bool {
        use crate::causality::{ChangeReader, ChangeRun, ChangeWriter};
        use crate::codec::{Reader, ReceiveTable, SendTable, Writer};

        let (graph, _) = build(&history);
        let (mut out, mut table, mut writer) =
            (Writer::new(), SendTable::new(), ChangeWriter::new());
        for span in graph.changes(0..graph.len()) {
            let run = ChangeRun {
                replica: span.replica,
                seq: span.seq,
                change_len: span.change_len,
                count: span.count,
                parents: graph.explicit_parents(span.lvs.start),
            };
            writer.write(&run, &mut table, &mut out);
        }
        let (mut input, mut table, mut reader) =
            (Reader::new(out.as_bytes()), ReceiveTable::new(), ChangeReader::new());
        let mut copy = EventGraph::new();
        while !input.is_empty() {
            let run = reader.read(&mut table, &mut input).expect("just written");
            let parents = copy.full_parents(run.replica, &run.parents).expect("in causal order");
            copy.push(run.replica, run.change_len, run.count, &parents).expect("it fitted before");
            copy.check_invariants();
        }
        assert_eq!(copy, graph);
        assert_eq!(copy.frontier(), graph.frontier());
        true
    }
    trials().quickcheck(law as fn(_) -> _);
}

#[test]
fn a_version_has_one_name() {
    let [a, b, c] = [1, 2, 3].map(ReplicaId::from_u128);
    let mut graph = EventGraph::new();
    let first = graph.push(a, 2, 1, &[]).expect("room").end - 1;
    let second = graph.push(b, 1, 1, &[first]).expect("room").start;
    let (dot_a, dot_b) = (Dot::new(a, 2), Dot::new(b, 1));

    assert_eq!(graph.full_parents(c, &[dot_b]).as_deref(), Ok(&[second][..]));
    assert_eq!(graph.full_parents(c, &[dot_a, dot_b]), Err(ParentsError::Redundant(dot_a)));
    assert_eq!(graph.full_parents(b, &[dot_a]), Err(ParentsError::Redundant(dot_a)));
    assert_eq!(graph.full_parents(b, &[dot_b]), Err(ParentsError::OwnEvent(dot_b)));
    let unknown = Dot::new(a, 3);
    assert_eq!(graph.full_parents(c, &[unknown]), Err(ParentsError::Missing(unknown)));
    // The own predecessor is in the past of what `a` has merged since.
    assert_eq!(graph.full_parents(a, &[dot_b]).as_deref(), Ok(&[second][..]));
}

#[test]
fn a_full_graph_refuses_and_stays_as_it_was() {
    let a = ReplicaId::from_u128(1);
    let mut graph = EventGraph::new();
    let lvs = graph.push(a, u32::MAX - 1, 1, &[]).expect("it just fits");
    assert_eq!(graph.push(a, 1, 1, &[lvs.end - 1]), Err(GraphError::TooManyEvents));
    assert_eq!(graph.push(a, u32::MAX, u32::MAX, &[lvs.end - 1]), Err(GraphError::TooManyEvents));
    assert_eq!(graph.len(), u32::MAX - 1);
}

/// The events that all others follow, as the definition has it: those of a prefix.
fn trim_point_by_sets(graph: &EventGraph, model: &Model, stable: &VersionVector) -> Lv {
    let is_cut = |&cut: &Lv| {
        let before: BTreeSet<Lv> = (0..cut).collect();
        graph.is_change_start(cut)
            && before.iter().all(|&lv| stable.contains(graph.dot_of(lv)))
            && (cut..graph.len()).all(|lv| before.is_subset(&model.past[lv as usize]))
    };
    (0..=graph.len()).rev().find(is_cut).expect("nothing can always be cut off")
}

/// The graph without the events before `cut`, and how much smaller local versions are in it.
fn trimmed(graph: &EventGraph, cut: Lv, keep: impl Fn(ReplicaId) -> bool) -> (EventGraph, Lv) {
    let mut copy = EventGraph::with_base(graph.base_before(cut, keep));
    copy.check_invariants();
    for span in graph.changes(cut..graph.len()) {
        let explicit = graph.explicit_parents(span.lvs.start);
        let parents = copy.full_parents(span.replica, &explicit).expect("it follows the base");
        copy.push(span.replica, span.change_len, span.count, &parents).expect("room");
        copy.check_invariants();
    }
    let less = cut - copy.first();
    (copy, less)
}

#[test]
fn it_is_cut_where_everything_later_follows_everything_earlier() {
    fn law(history: History, stable: [u8; 4]) -> bool {
        let (graph, model) = build(&history);
        let ids = [1, 2, 3, 4].map(ReplicaId::from_u128);
        let stable: VersionVector =
            ids.into_iter().zip(stable.map(|seq| u64::from(seq % 16))).collect();
        assert_eq!(graph.trim_point(&stable), trim_point_by_sets(&graph, &model, &stable));
        let whole = graph.version().clone();
        assert_eq!(graph.trim_point(&whole), graph.len());
        for len in (0..graph.len()).filter(|&len| graph.is_change_start(len)) {
            let mut before = graph.clone();
            before.truncate(len);
            let stable = before.version();
            assert_eq!(graph.trim_point(stable), trim_point_by_sets(&graph, &model, stable));
        }
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

#[test]
fn a_trimmed_graph_answers_as_the_whole_one_about_what_is_left() {
    fn law(history: History, cut: u8, keep: bool, picks: Vec<u16>) -> bool {
        let (graph, model) = build(&history);
        // Every place where it can be cut, the chosen one of them.
        let cuts: Vec<Lv> = (1..=graph.len())
            .filter(|&cut| {
                let mut before = graph.clone();
                graph.is_change_start(cut) && {
                    before.truncate(cut);
                    graph.trim_point(before.version()) == cut
                }
            })
            .collect();
        let Some(&cut) = cuts.get(usize::from(cut) % cuts.len().max(1)) else { return true };
        let (small, less) = trimmed(&graph, cut, |_| keep);
        assert!(graph.version().dominates(small.version()));
        assert!(!keep || small.version() == graph.version());
        assert_eq!(small.frontier_dots(), graph.frontier_dots());
        let base = small.base().expect("it was trimmed").clone();
        assert!(base.is_in(graph.version()));

        for lv in cut..graph.len() {
            let dot = graph.dot_of(lv);
            assert_eq!(small.dot_of(lv - less), dot);
            assert_eq!(small.lv_of(dot), Some(lv - less));
            assert_eq!(small.lamport(lv - less), graph.lamport(lv));
            assert_eq!(small.dots(&small.parents_of(lv - less)), graph.dots(&graph.parents_of(lv)));
        }
        for lv in 0..cut {
            let dot = graph.dot_of(lv);
            let is_head = base.heads().iter().any(|head| head == dot);
            assert_eq!(small.lv_of(dot).is_some(), is_head);
            assert_eq!(small.is_trimmed(dot), !is_head && base.writers().contains(dot));
        }
        // Who has the whole history knows what was left out.
        assert_eq!(graph.closed(small.version()), *graph.version());
        assert_eq!(small.closed(graph.version()), *graph.version());
        assert_eq!(small.closed(&VersionVector::new()), VersionVector::new());
        let later: Vec<Lv> = (cut..graph.len()).collect();
        if !later.is_empty() {
            let pick =
                |index: usize| later[usize::from(*picks.get(index).unwrap_or(&0)) % later.len()];
            let left = model.maximal(&BTreeSet::from([pick(0), pick(1)]));
            let right = model.maximal(&BTreeSet::from([pick(2), pick(3), pick(4)]));
            let here = |version: &[Lv]| -> Vec<Lv> { version.iter().map(|lv| lv - less).collect() };
            let there = |ranges: Vec<Range<Lv>>| -> Vec<Range<Lv>> {
                ranges.into_iter().map(|range| range.start + less..range.end + less).collect()
            };
            let (only_left, only_right) = small.diff(&here(&left), &here(&right));
            assert_eq!((there(only_left), there(only_right)), graph.diff(&left, &right));
            let vector = small.version_vector(&here(&right));
            let whole = graph.version_vector(&right);
            assert!(base.is_in(&vector) && whole.dominates(&vector));
            assert_eq!(graph.closed(&vector), whole);
            for &lv in &later {
                assert_eq!(vector.contains(graph.dot_of(lv)), whole.contains(graph.dot_of(lv)));
                assert_eq!(small.contains(&here(&left), lv - less), graph.contains(&left, lv));
            }
        }
        // It can be trimmed again, where the whole one can.
        let again = small.trim_point(small.version());
        assert_eq!(again, small.len());
        for &further in cuts.iter().filter(|&&further| further >= cut) {
            let mut before = graph.clone();
            before.truncate(further);
            assert_eq!(small.trim_point(before.version()) + less, further);
        }
        true
    }
    trials().quickcheck(law as fn(_, _, _, _) -> _);
}

/// Of what was trimmed, those stay who may be named again: the heads' writers, those who went on,
/// and those whom the caller keeps.
#[test]
fn a_base_remembers_who_goes_on() {
    let [a, b, c, d] = [1, 2, 3, 4].map(ReplicaId::from_u128);
    let mut graph = EventGraph::new();
    // Each has seen all before, and `a` goes on at the end.
    for (tip, replica) in [c, d, a, b, a].into_iter().enumerate() {
        let parents: Vec<Lv> = (tip as Lv).checked_sub(1).into_iter().collect();
        graph.push(replica, 1, 1, &parents).expect("room");
    }
    let base = graph.base_before(4, |replica| replica == d);
    assert_eq!(base.heads().dots(), [Dot::new(b, 1)]);
    assert_eq!(base.writers(), &VersionVector::from_iter([(a, 1), (b, 1), (d, 1)]));
    assert_eq!(base.lamport(), 4);
}

#[test]
fn a_base_with_two_heads_is_followed_whole() {
    let [a, b, c] = [1, 2, 3].map(ReplicaId::from_u128);
    let heads: Frontier = [Dot::new(a, 3), Dot::new(b, 2)].into_iter().collect();
    let base = Base::new(heads, 3, VersionVector::new()).expect("possible");
    let mut graph = EventGraph::with_base(base);
    graph.check_invariants();
    // To have seen its own head is not to have seen the other.
    for (own, other) in [(a, b), (b, a)] {
        let lacking = Dot::new(other, graph.last_of(other));
        assert_eq!(graph.full_parents(own, &[]), Err(ParentsError::BeforeTrim(lacking)));
        assert_eq!(graph.full_parents(own, &[lacking]).as_deref(), Ok(&[0, 1][..]));
    }
    graph.push(c, 2, 1, &[0, 1]).expect("room");
    graph.check_invariants();
    // What was seen of one head says nothing of what came before the other.
    let of_a = VersionVector::from_iter([(a, 3)]);
    assert_eq!(graph.closed(&of_a), of_a);
    assert_eq!(graph.closed(&VersionVector::new()), VersionVector::new());
    let of_c = VersionVector::from_iter([(c, 2)]);
    assert_eq!(&graph.closed(&of_c), graph.version());
}

/// Two who take turns: a run for each event.
fn turns(count: Lv) -> EventGraph {
    let mut graph = EventGraph::new();
    for lv in 0..count {
        let parents: Vec<Lv> = lv.checked_sub(1).into_iter().collect();
        graph.push(ReplicaId::from_u128(u128::from(lv % 2)), 1, 1, &parents).expect("room");
    }
    graph
}

/// What is compared costs the runs in between, and no history before them.
#[test]
fn a_comparison_ends_where_both_are_the_same() {
    let apart = |graph: &EventGraph, left, right, most| {
        let sides = graph.diff_within(&[left], &[right], most);
        sides.map(|(left, right)| (flat(&left), flat(&right)))
    };
    let mut graph = turns(100);
    assert_eq!(apart(&graph, 99, 98, 2), Some(([99].into(), [].into())));
    assert_eq!(apart(&graph, 98, 99, 1), None);
    assert_eq!(apart(&graph, 99, 99, 0), Some(([].into(), [].into())));
    // Two that fork from 98: both, and where they meet.
    graph.push(ReplicaId::from_u128(7), 2, 1, &[98]).expect("room");
    assert_eq!(apart(&graph, 99, 101, 3), Some(([99].into(), [100, 101].into())));
    assert_eq!(apart(&graph, 99, 101, 2), None);
    // One that merges them.
    graph.push(ReplicaId::from_u128(8), 1, 1, &[99, 101]).expect("room");
    assert_eq!(apart(&graph, 102, 99, 4), Some(([100, 101, 102].into(), [].into())));
    assert_eq!(apart(&graph, 102, 99, 3), None);
    // Within one run.
    assert_eq!(apart(&graph, 101, 100, 1), Some(([101].into(), [].into())));
}

#[test]
fn what_follows_an_event_in_its_run_is_found() {
    let graph = two_writers();
    let [a, b] = [1, 2].map(ReplicaId::from_u128);
    assert_eq!(graph.run_from(Dot::new(a, 1)), Some(0..3));
    assert_eq!(graph.run_from(Dot::new(a, 3)), Some(2..3));
    assert_eq!(graph.run_from(Dot::new(b, 1)), Some(3..4));
    assert_eq!(graph.run_from(Dot::new(b, 2)), None);
}

#[test]
fn what_has_not_seen_the_base_is_refused() {
    let [a, b, c] = [1, 2, 3].map(ReplicaId::from_u128);
    let mut graph = EventGraph::new();
    graph.push(a, 1, 3, &[]).expect("room");
    graph.push(b, 1, 1, &[2]).expect("room");
    let cut = graph.trim_point(graph.version());
    let mut trimmed = EventGraph::with_base(graph.base_before(cut, |_| true));
    let (head, old) = (Dot::new(b, 1), Dot::new(a, 3));
    let before = |dot| Err(ParentsError::BeforeTrim(dot));
    assert_eq!(trimmed.full_parents(c, &[]), before(head));
    assert_eq!(trimmed.full_parents(c, &[old]), before(old));
    assert_eq!(trimmed.full_parents(a, &[]), before(head));
    assert_eq!(trimmed.full_parents(c, &[head]).as_deref(), Ok(&[0][..]));
    assert_eq!(trimmed.full_parents(b, &[]).as_deref(), Ok(&[0][..]));
    let unknown = Dot::new(c, 1);
    assert_eq!(trimmed.full_parents(a, &[unknown]), Err(ParentsError::Missing(unknown)));
    // Whoever is remembered goes on where they were.
    let parents = trimmed.full_parents(a, &[head]).expect("it has seen the head");
    let lvs = trimmed.push(a, 1, 1, &parents).expect("room");
    assert_eq!(trimmed.dot_of(lvs.start), Dot::new(a, 4));
    assert_eq!(trimmed.lamport(lvs.start), 5);
    trimmed.check_invariants();

    let heads = || [head].into_iter().collect::<Frontier>();
    let further = VersionVector::from_iter([(b, 2)]);
    assert_eq!(Base::new(heads(), 9, further), Err(GraphError::NoBase));
    assert_eq!(Base::new(heads(), 0, VersionVector::new()), Err(GraphError::NoBase));
    assert_eq!(Base::new(Frontier::new(), 9, VersionVector::new()), Err(GraphError::NoBase));
    let greatest = u64::from(u32::MAX - 3);
    let full = Base::new(heads(), greatest, VersionVector::new()).expect("it just fits");
    let mut full = EventGraph::with_base(full);
    assert_eq!(full.push(b, 1, 1, &[0]), Ok(1..2));
    assert_eq!(full.push(b, 1, 1, &[1]), Err(GraphError::TooManyEvents));
}

/// A graph of two writers, of whom the second follows the first.
fn two_writers() -> EventGraph {
    let mut graph = EventGraph::new();
    let first = graph.push(ReplicaId::from_u128(1), 1, 3, &[]).expect("room").end - 1;
    graph.push(ReplicaId::from_u128(2), 1, 1, &[first]).expect("room");
    graph.check_invariants();
    graph
}

#[test]
#[should_panic(expected = "left == right")]
fn events_that_are_not_there_are_noticed() {
    let mut graph = two_writers();
    graph.version.observe(ReplicaId::from_u128(2), 2);
    graph.check_invariants();
}

#[test]
#[should_panic(expected = "left == right")]
fn a_head_that_is_none_is_noticed() {
    let mut graph = two_writers();
    graph.frontier.insert(0, 2);
    graph.check_invariants();
}

/// One writer's events are one run, as long as nothing comes between.
#[test]
#[should_panic(expected = "does not go on")]
fn a_run_that_is_in_two_pieces_is_noticed() {
    let mut graph = EventGraph::new();
    graph.push(ReplicaId::from_u128(1), 1, 5, &[]).expect("room");
    graph.check_invariants();
    graph.runs.push(3, (0, 4), 4, &[2]);
    graph.issuers[0].runs.push(1);
    graph.check_invariants();
}

#[test]
fn what_a_graph_refuses_it_says_in_words() {
    use alloc::string::ToString as _;

    assert!(GraphError::TooManyEvents.to_string().contains("full"));
    assert!(GraphError::NoBase.to_string().contains("trimmed"));
}
