//! Taking back what was done to a tree.

use alloc::vec::Vec;

use super::key::Key;
use super::replay::Replay;
use super::step::{ROOT, Step};
use super::store::TreeStore;
use crate::Dot;
use crate::canary::is_planted;
use crate::causality::DotCloud;
use crate::collections::OrderedMap;
use crate::dot_store::{Edit, UndoStore};

impl<V> TreeStore<V> {
    /// Where a node stands, as a move of its own; spent, if the node is to be created anew.
    fn stand(&self, node: Dot, is_lost: bool) -> Option<Step> {
        let now = self.replay.place(node)?;
        let dot = if is_lost { node } else { now.dot };
        let mut stand = Step::new(now.stamp, dot, node, now.parent, now.key.clone());
        stand.spent = is_lost;
        Some(stand)
    }
}

impl<V: Clone> UndoStore for TreeStore<V> {
    /// Each node that is lost or moved, where it stood: that of a lost one as a creation that is
    /// spent. And the values that are gone.
    fn taken(&self, delta: &Self, gone: &DotCloud) -> Self {
        let mut lost: Vec<Dot> = Vec::new();
        let mut values: Vec<Dot> = Vec::new();
        for range in gone.ranges() {
            let (moves, writes) = self.dots_in(range);
            lost.extend(moves);
            values.extend(writes);
        }
        let told = delta.replay.steps();
        lost.extend(told.clone().filter(|step| step.spent).map(|step| step.dot));
        // Of what is hidden below a removed node nothing was seen.
        lost.retain(|&node| self.contains(node));
        crate::collections::sort(&mut lost);
        let mut moved: Vec<Dot> = told
            .filter(|step| !step.is_creation() && self.replay.get(step.dot).is_none())
            .map(|step| step.node)
            .filter(|node| lost.binary_search(node).is_err())
            .collect();
        crate::collections::sort(&mut moved);
        moved.dedup();
        let lost = lost.into_iter().map(|node| (node, true));
        let stands = lost.chain(moved.into_iter().map(|node| (node, false)));
        let stands = stands.filter_map(|(node, is_lost)| self.stand(node, is_lost));
        let mut taken = Self::of(Replay::of(stands));
        for dot in values {
            let (node, value) = self.written_by(dot).expect("it is held");
            taken.put_value(dot, *node, value.clone());
        }
        taken
    }

    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self) {
        for step in put.replay.steps() {
            if step.is_creation() && edit.get().replay.is_alive(step.node) {
                edit.take_node(step.node);
            }
        }
        let names = edit.create_anew(taken);
        edit.move_back(put, taken, &names);
        edit.write_back(put, taken);
    }
}

/// A node that is to be created anew.
struct Lost<'t> {
    step: &'t Step,
    /// Whether another one has its key by now.
    is_key_taken: bool,
}

/// The new names of nodes that come back.
type Names = OrderedMap<Dot, Dot>;

impl<V: Clone> Edit<'_, TreeStore<V>> {
    /// Creates the lost nodes, each before what stood below it, and has what still stands below
    /// them follow.
    fn create_anew(&mut self, taken: &TreeStore<V>) -> Names {
        let mut names = Names::new();
        let mut lost: Vec<&Step> = taken.replay.steps().filter(|step| step.spent).collect();
        crate::collections::sort_by_key(&mut lost, |step| (step.parent, &step.key, step.node));
        let mut tops: Vec<Dot> = lost.iter().map(|step| step.parent).collect();
        tops.dedup();
        tops.retain(|&parent| taken.replay.get(parent).is_none_or(|step| !step.spent));
        let mut rest: Vec<Lost<'_>> = Vec::new();
        tops.into_iter().rev().for_each(|top| rest.extend(self.lost_below(top, top, &lost)));
        let mut stood: OrderedMap<Dot, &Step> = OrderedMap::new();
        while let Some(Lost { step, is_key_taken }) = rest.pop() {
            let parent = names.get(&step.parent).copied().unwrap_or(step.parent);
            // Below what is not here, nobody would see it.
            if parent != ROOT && self.get().replay.get(parent).is_none() {
                continue;
            }
            let key = match is_key_taken {
                true => self.key_anew(step, parent, &stood),
                false => step.key.clone(),
            };
            let node = self.put_step(None, parent, key);
            names.insert(step.node, node);
            stood.insert(node, step);
            self.write_anew(step.node, node, taken);
            let kids =
                self.get().replay.kids(step.node).filter(|_| !is_planted("undo-leaves-children"));
            let kids: Vec<(Dot, Key)> = kids.map(|kid| (kid.node, kid.key.clone())).collect();
            for (kid, key) in kids {
                self.put_step(Some(kid), node, key);
            }
            rest.extend(self.lost_below(step.node, node, &lost));
        }
        names
    }

    /// Those of the lost nodes, which are in the order of their parents, that stood below one, the last to be
    /// created first. That one is called `parent` now. Those that get their own keys again come before all
    /// others, so that a key between two neighbours is found where these are.
    fn lost_below<'t>(
        &self,
        node: Dot,
        parent: Dot,
        lost: &[&'t Step],
    ) -> impl Iterator<Item = Lost<'t>> + use<'t, V> {
        let stayed: Vec<&Key> = self.get().replay.kids(parent).map(|kid| &kid.key).collect();
        let lost = &lost[lost.partition_point(|step| step.parent < node)..];
        let lost = lost.iter().copied().take_while(|step| step.parent == node);
        let is_taken = |step: &&Step| stayed.binary_search(&&step.key).is_ok();
        let (others, own): (Vec<&Step>, Vec<&Step>) = lost.partition(is_taken);
        let all = [(others, true), (own, false)].into_iter();
        all.flat_map(|(steps, is_key_taken)| {
            steps.into_iter().rev().map(move |step| Lost { step, is_key_taken })
        })
    }

    /// A key between the neighbours that a node had, where another one has its own by now. What was created just now
    /// is where it `stood` before.
    fn key_anew(&mut self, step: &Step, parent: Dot, stood: &OrderedMap<Dot, &Step>) -> Key {
        let kids = || self.get().replay.kids(parent);
        let is_before = |kid: &&Step| {
            let place = stood.get(&kid.node).copied().unwrap_or(kid);
            (&place.key, place.node) < (&step.key, step.node)
        };
        let index = kids().filter(is_before).count();
        let parent = Some(parent).filter(|&parent| parent != ROOT);
        self.make_room(None, parent, index).expect("there are as many siblings")
    }

    /// Gives a node the values of the one that it stands for: those that it has got since it
    /// was lost, or those that it had.
    fn write_anew(&mut self, lost: Dot, node: Dot, taken: &TreeStore<V>) {
        let values = |tree: &TreeStore<V>| -> Vec<V> {
            let written = |dot| tree.written_by(dot).map(|(_, value)| value.clone());
            tree.writes(lost).into_iter().filter_map(written).collect()
        };
        let mut known = values(self.get());
        if known.is_empty() {
            known = values(taken);
        }
        self.take_values(lost);
        known.into_iter().for_each(|value| self.put_value_beside(node, value));
    }

    /// Moves back what still stands where the delta has moved it, the last move first.
    fn move_back(&mut self, put: &TreeStore<V>, taken: &TreeStore<V>, names: &Names) {
        let mut stands: OrderedMap<Dot, &Step> = OrderedMap::new();
        for step in taken.replay.steps().filter(|step| !step.spent) {
            stands.insert(step.node, step);
        }
        for step in put.replay.steps().rev() {
            let Some(stand) = stands.remove(&step.node) else { continue };
            let parent = names.get(&stand.parent).copied().unwrap_or(stand.parent);
            let replay = &self.get().replay;
            let is_moved =
                replay.place(step.node).is_some_and(|now| put.replay.get(now.dot).is_some());
            let is_here = parent == ROOT || replay.get(parent).is_some();
            if is_moved && is_here && !replay.is_above(step.node, parent) {
                self.put_step(Some(step.node), parent, stand.key.clone());
            }
        }
    }

    /// Takes out the values that were put, and where those stood or none was put, puts back
    /// those that were taken.
    fn write_back(&mut self, put: &TreeStore<V>, taken: &TreeStore<V>) {
        let mut replaced: OrderedMap<Dot, bool> = OrderedMap::new();
        for (&dot, (node, _)) in put.values() {
            let stood = self.get().written_by(dot).is_some();
            *replaced.entry(*node).or_default() |= stood;
            if stood {
                self.take_value(dot);
            }
        }
        for (_, (node, value)) in taken.values() {
            let stood = replaced.get(node).is_none_or(|stood| *stood);
            if stood && self.get().replay.is_alive(*node) {
                self.put_value_beside(*node, value.clone());
            }
        }
    }
}
