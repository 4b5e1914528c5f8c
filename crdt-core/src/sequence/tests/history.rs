//! Random histories of a few replicas, played on the naive model, and their replay on the
//! engine in another order.

use alloc::string::String;
use alloc::vec::Vec;

use super::fugue_max::{FugueMax, Message};
use super::random::Random;
use crate::causality::Lv;
use crate::sequence::{PatchRun, TextOp, TextStore};
use crate::{Dot, EventGraph, ReplicaId};

/// What one event does, at its own version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edit {
    Insert(usize, char),
    Delete(usize),
    Clear,
}

/// An inserted element's neighbours where it was made, deleted ones included on the right.
pub(super) type Origins = (Option<Dot>, Option<Dot>);

/// One event with the model's idea of the text right after it, where it was made.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) dot: Dot,
    pub(super) edit: Edit,
    /// A bit for each event in its past.
    pub(super) past: u64,
    pub(super) text_after: String,
    pub(super) origins: Option<Origins>,
    messages: Vec<Message>,
}

/// At most 64 events in an order that causality allows.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) events: Vec<Event>,
    /// The model's text with all events.
    pub(super) text: String,
}

struct Peer {
    id: ReplicaId,
    seq: u64,
    known: u64,
    model: FugueMax,
    /// Where it typed last.
    cursor: usize,
}

/// How a history is made.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) events_max: usize,
    pub(super) clears: bool,
    pub(super) deletes_percent: usize,
}

/// A random history. Somewhere in it at least two replicas type at one place without knowing of
/// each other, one forwards, one backwards.
pub(super) fn random(random: &mut Random, shape: Shape) -> History {
    // Ids in random order, so that they say nothing about who comes first.
    let mut peers: Vec<Peer> = (0..2 + random.below(5))
        .map(|index| Peer {
            id: ReplicaId::from_u128(u128::from(random.next() % 1000) * 10 + index as u128),
            seq: 0,
            known: 0,
            model: FugueMax::new(),
            cursor: 0,
        })
        .collect();
    let mut history = History::default();
    let merges_percent = 5 + random.below(40);
    let bursts = bursts(random, peers.len());
    let typed: usize = bursts.iter().map(|burst| burst.len).sum();
    let others = random.below(shape.events_max - typed + 1);
    let before = random.below(others + 1);
    while history.events.len() < before {
        act(random, &mut history, &mut peers, shape, merges_percent);
    }
    type_at_one_place(random, &mut history, &mut peers, bursts);
    while history.events.len() < others + typed {
        act(random, &mut history, &mut peers, shape, merges_percent);
    }
    let all = (1u64 << (history.events.len() - 1) << 1).wrapping_sub(1);
    learn(&mut peers[0], all, &history);
    history.text = peers[0].model.text();
    for peer in &mut peers[1..] {
        learn(peer, all, &history);
        assert_eq!(peer.model.text(), history.text, "the model itself converges");
    }
    history
}

/// A few elements typed at one place.
struct Burst {
    who: usize,
    at: usize,
    len: usize,
    is_forwards: bool,
}

fn bursts(random: &mut Random, peers: usize) -> Vec<Burst> {
    let first = random.below(peers);
    let count = if peers > 2 && random.chance(40) { 3 } else { 2 };
    (0..count)
        .map(|index| Burst {
            who: (first + index) % peers,
            at: 0,
            len: 2 + random.below(2),
            is_forwards: if index < 2 { index == 0 } else { random.chance(50) },
        })
        .collect()
}

/// Those who type know the same before, and nothing of each other while they do.
fn type_at_one_place(
    random: &mut Random,
    history: &mut History,
    peers: &mut [Peer],
    mut bursts: Vec<Burst>,
) {
    let known = bursts.iter().fold(0, |known, burst| known | peers[burst.who].known);
    for burst in &bursts {
        learn(&mut peers[burst.who], known, history);
    }
    let place = random.below(peers[bursts[0].who].model.len() + 1);
    bursts.iter_mut().for_each(|burst| burst.at = place);
    while !bursts.is_empty() {
        let next = random.below(bursts.len());
        let Burst { who, at, len, is_forwards } = &mut bursts[next];
        insert(history, &mut peers[*who], *at);
        *at += usize::from(*is_forwards);
        *len -= 1;
        if *len == 0 {
            bursts.swap_remove(next);
        }
    }
}

/// Somebody hears of what somebody else knows, or edits.
fn act(
    random: &mut Random,
    history: &mut History,
    peers: &mut [Peer],
    shape: Shape,
    merges_percent: usize,
) {
    let who = random.below(peers.len());
    if random.chance(merges_percent) {
        let known = peers[random.below(peers.len())].known;
        learn(&mut peers[who], known, history);
        return;
    }
    let peer = &mut peers[who];
    let len = peer.model.len();
    if shape.clears && random.chance(4) {
        let deletions = (0..len).map(|at| peer.model.delete(at)).collect();
        push(history, peer, Edit::Clear, None, deletions);
    } else if len > 0 && random.chance(shape.deletes_percent) {
        let at = if random.chance(50) { peer.cursor.min(len - 1) } else { random.below(len) };
        peer.cursor = if random.chance(50) { at } else { at.saturating_sub(1) };
        let deletion = peer.model.delete(at);
        push(history, peer, Edit::Delete(at), None, alloc::vec![deletion]);
    } else {
        let at = match random.below(4) {
            // Forwards and backwards at one place, at the beginning, anywhere.
            0 | 1 => peer.cursor.min(len),
            2 => 0,
            _ => random.below(len + 1),
        };
        peer.cursor = if random.chance(70) { at + 1 } else { at };
        insert(history, peer, at);
    }
}

/// Inserts an element of a value that no other one of the history has.
fn insert(history: &mut History, peer: &mut Peer, at: usize) {
    let value = char::from(b'A' + history.events.len() as u8);
    let insertion = peer.model.insert(Dot::new(peer.id, peer.seq + 1), at, value);
    let origins = Some(peer.model.origins(at));
    push(history, peer, Edit::Insert(at, value), origins, alloc::vec![insertion]);
}

fn push(
    history: &mut History,
    peer: &mut Peer,
    edit: Edit,
    origins: Option<Origins>,
    messages: Vec<Message>,
) {
    messages.iter().for_each(|message| peer.model.receive(message));
    peer.seq += 1;
    let (dot, past) = (Dot::new(peer.id, peer.seq), peer.known);
    peer.known |= 1 << history.events.len();
    let text_after = peer.model.text();
    history.events.push(Event { dot, edit, past, text_after, origins, messages });
}

fn learn(peer: &mut Peer, known: u64, history: &History) {
    for (index, event) in history.events.iter().enumerate() {
        if known & !peer.known & 1 << index != 0 {
            event.messages.iter().for_each(|message| peer.model.receive(message));
        }
    }
    peer.known |= known;
}

impl History {
    /// Where the place at `gap` after event `index` is in the end, by the model: where the
    /// element on its left or right is, or was.
    pub(super) fn resolve(&self, index: usize, gap: usize, right: bool) -> usize {
        let mut then = FugueMax::new();
        let past = self.events[index].past | 1 << index;
        for (at, event) in self.events.iter().enumerate().filter(|(at, _)| past & 1 << at != 0) {
            debug_assert!(at <= index);
            event.messages.iter().for_each(|message| then.receive(message));
        }
        let mut end = FugueMax::new();
        for event in &self.events {
            event.messages.iter().for_each(|message| end.receive(message));
        }
        let visible = then.visible();
        let element =
            if right { visible.get(gap) } else { gap.checked_sub(1).map(|at| &visible[at]) };
        match element {
            None if right => end.len(),
            None => 0,
            Some(&element) => {
                let (before, is_there) = end.place_of(element);
                before + usize::from(is_there && !right)
            }
        }
    }
}

/// A replica of the engine.
#[derive(Clone, Default)]
pub(super) struct Engine {
    pub(super) graph: EventGraph,
    pub(super) store: TextStore,
    /// The local version of each event of the history, where it is known.
    pub(super) lvs: Vec<Option<Lv>>,
}

impl Engine {
    pub(super) fn new(history: &History) -> Self {
        Self { lvs: alloc::vec![None; history.events.len()], ..Self::default() }
    }

    /// The events whose past is known and which are not.
    pub(super) fn ready(&self, history: &History) -> Vec<usize> {
        let known = |past: u64| (0..64).all(|i| past & 1 << i == 0 || self.lvs[i].is_some());
        (0..history.events.len())
            .filter(|&index| self.lvs[index].is_none() && known(history.events[index].past))
            .collect()
    }

    fn push(&mut self, history: &History, index: usize) -> Lv {
        let event = &history.events[index];
        let past: Vec<Lv> =
            (0..64).filter(|i| event.past & 1 << i != 0).filter_map(|i| self.lvs[i]).collect();
        let parents = self.graph.maximal(&past);
        let lv = self.graph.push(event.dot.replica, 1, 1, &parents).expect("there is room").start;
        self.lvs[index] = Some(lv);
        lv
    }

    /// Takes in the next `count` events in a random order that causality allows.
    pub(super) fn receive(&mut self, history: &History, count: usize, random: &mut Random) {
        let patches = self.stage(history, count, random);
        self.store.commit(&patches);
        self.store.check_invariants();
    }

    /// Takes in the next events, and changes its mind.
    pub(super) fn receive_and_roll_back(
        &mut self,
        history: &History,
        count: usize,
        random: &mut Random,
    ) {
        let (before, lvs) = (self.graph.len(), self.lvs.clone());
        let _patches = self.stage(history, count, random);
        self.store.roll_back();
        self.graph.truncate(before);
        self.lvs = lvs;
    }

    fn stage(&mut self, history: &History, count: usize, random: &mut Random) -> Vec<PatchRun> {
        let mut staged = Vec::new();
        let mut texts = Vec::new();
        let mut stay = None;
        for _ in 0..count {
            let ready = self.ready(history);
            if ready.is_empty() {
                break;
            }
            // Mostly on along one replica's events, as a real sender does.
            let same = ready.iter().copied().find(|&index| {
                Some(history.events[index].dot.replica) == stay && random.chance(70)
            });
            let index = same.unwrap_or_else(|| *random.pick(&ready));
            stay = Some(history.events[index].dot.replica);
            let lv = self.push(history, index);
            staged.push((lv, history.events[index].edit));
            texts.push(match history.events[index].edit {
                Edit::Insert(_, value) => String::from(value),
                _ => String::new(),
            });
        }
        let ops = staged.iter().zip(&texts).map(|(&(lv, edit), text)| {
            let op = match edit {
                Edit::Insert(at, _) => TextOp::Insert { at: at as u32, content: text },
                Edit::Delete(at) => TextOp::Delete { at: at as u32, len: 1, forward: true },
                Edit::Clear => TextOp::Clear { len: 1 },
            };
            (lv, op)
        });
        self.store.stage(&self.graph, ops).expect("the history is valid")
    }

    pub(super) fn receive_all(&mut self, history: &History, random: &mut Random) {
        while !self.ready(history).is_empty() {
            let most = if random.chance(50) { 3 } else { 40 };
            let count = 1 + random.below(most);
            self.receive(history, count, random);
        }
    }
}
