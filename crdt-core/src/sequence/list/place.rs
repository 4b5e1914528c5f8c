//! Where a node goes among its siblings: FugueMax.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::order::Order;
use super::span::{NOWHERE, Place, Span};
use crate::Dot;
use crate::canary::is_planted;
use crate::sequence::tree::Cursor;

impl<E> Order<E> {
    /// The order of these nodes.
    pub(super) fn of(spans: Vec<Box<Span<E>>>) -> Self {
        let mut order = Self::default();
        order.add(spans);
        order
    }

    /// Takes in nodes that are not here.
    ///
    /// Costs O(log n) for each, and the way along the siblings of those that have any. Where
    /// a node comes that others wait for, all is put in order anew: O(n log n).
    pub(super) fn add(&mut self, mut spans: Vec<Box<Span<E>>>) {
        if spans.iter().any(|span| self.is_awaited(span)) {
            spans.extend(self.take_spans());
        }
        let names: Vec<(Dot, usize)> = spans.iter().map(|span| (span.first, span.len())).collect();
        self.place_all(spans);
        for (first, len) in names {
            if self.locate(first).is_some() {
                self.note_moves(first, len);
            }
        }
    }

    /// As [`add`](Self::add), for nodes of one span.
    pub(super) fn add_one(&mut self, span: Span<E>) {
        let origins = [span.place.parent, span.place.right];
        if self.is_awaited(&span) || origins.into_iter().any(|dot| self.is_circular(dot)) {
            self.add(vec![Box::new(span)]);
            return;
        }
        let (first, len) = (span.first, span.len());
        let is_noted = self.moves.is_empty() && !span.has_moves();
        self.place(Box::new(span));
        if !is_noted {
            self.note_moves(first, len);
        }
    }

    pub(super) fn is_awaited(&self, span: &Span<E>) -> bool {
        !self.awaited.is_empty() && self.awaited.range(span.first..=span.last()).next().is_some()
    }

    fn is_circular(&self, dot: Dot) -> bool {
        let before = self.circular.range(..=dot).next_back();
        before.is_some_and(|(_, span)| span.offset(dot).is_some())
    }

    /// Places spans, each after those that it refers to.
    fn place_all(&mut self, mut spans: Vec<Box<Span<E>>>) {
        crate::collections::sort_by_key(&mut spans, |span| span.first);
        let holder = |dot: Dot| {
            let at = spans.partition_point(|span| span.first <= dot).checked_sub(1)?;
            spans[at].offset(dot).map(|_| at as u32)
        };
        // Who waits for whom.
        let mut followers: Vec<(u32, u32)> = Vec::new();
        let mut counts: Vec<u8> = vec![0; spans.len()];
        for (at, span) in (0..).zip(&spans) {
            for dot in [span.place.parent, span.place.right] {
                match holder(dot) {
                    Some(of) => followers.push((of, at)),
                    // Nothing that comes breaks a circle.
                    None if self.is_circular(dot) => {}
                    None => continue,
                }
                counts[at as usize] += 1;
            }
        }
        crate::collections::sort(&mut followers);
        let mut spans: Vec<Option<Box<Span<E>>>> = spans.into_iter().map(Some).collect();
        // In reverse, so that runs are joined again as they grow.
        let is_ready = |&at: &u32| counts[at as usize] == 0;
        let mut ready: Vec<u32> = (0..counts.len() as u32).rev().filter(is_ready).collect();
        while let Some(at) = ready.pop() {
            let span = spans[at as usize].take().expect("it is placed once");
            self.place(span);
            let from = followers.partition_point(|&(of, _)| of < at);
            for &(_, follower) in followers[from..].iter().take_while(|&&(of, _)| of == at) {
                let count = &mut counts[follower as usize];
                *count -= 1;
                if *count == 0 {
                    ready.push(follower);
                }
            }
        }
        for mut span in spans.into_iter().flatten() {
            (0..span.len()).for_each(|offset| span.show(offset, false));
            self.circular.insert(span.first, span);
        }
    }

    /// Gives a span its place. What it refers to is placed, or not here.
    fn place(&mut self, mut span: Box<Span<E>>) {
        span.show_values();
        let hook = self.hook(span.place);
        for dot in [span.place.parent, span.place.right] {
            if dot != NOWHERE && self.locate(dot).is_none() {
                self.awaited.insert(dot, ());
            }
        }
        if hook.left { self.place_left(hook, span) } else { self.place_right(hook, span) }
    }

    fn place_left(&mut self, hook: Place, span: Box<Span<E>>) {
        let (at, offset) = self.locate(hook.parent).expect("the parent is here");
        let at = self.split_before(at, offset);
        let key = (hook.parent, true);
        if !self.span(at).kids_left {
            self.tree.update(at, |parent| parent.kids_left = true);
            self.insert_before(at, span);
            return;
        }
        let siblings = self.siblings(key);
        let slot = siblings.partition_point(|&kid| kid < span.first);
        let next = siblings.get(slot).copied();
        let at = next.map_or(at, |next| self.leftmost(next));
        self.note_sibling(key, slot, span.first);
        self.insert_before(at, span);
    }

    fn place_right(&mut self, hook: Place, span: Box<Span<E>>) {
        let key = (hook.parent, false);
        let (after, has_kids) = if hook.parent == NOWHERE {
            (None, self.tree.get(self.tree.start()).is_some())
        } else {
            let (at, offset) = self.locate(hook.parent).expect("the parent is here");
            if offset + 1 == self.span(at).len() && !self.span(at).kids_right {
                if self.span(at).continues_with(&span) {
                    self.tree.update(at, |parent| parent.append(*span));
                    return;
                }
                self.tree.update(at, |parent| parent.kids_right = true);
                self.insert_after(at, span);
                return;
            }
            (Some(self.split_after(at, offset)), true)
        };
        if !has_kids {
            self.insert_before(self.tree.start(), span);
            return;
        }
        self.siblings(key);
        let siblings = &self.kids[&key];
        let slot = siblings.partition_point(|&kid| self.precedes(kid, hook.right, span.first));
        let after = match slot.checked_sub(1) {
            Some(before) => Some(self.rightmost(siblings[before])),
            None => after,
        };
        self.note_sibling(key, slot, span.first);
        match after {
            Some(at) => self.insert_after(at, span),
            None => self.insert_before(self.tree.start(), span),
        };
    }

    /// Whether a right child stands before one with that right origin and name. Those with
    /// the farther right origins stand first: FugueMax.
    pub(super) fn precedes(&self, kid: Dot, right: Dot, name: Dot) -> bool {
        let (at, _) = self.locate(kid).expect("a child has a place");
        let kid_right = self.hook(self.span(at).place).right;
        let farther = match (kid_right, right) {
            (a, b) if a == b => Ordering::Equal,
            (NOWHERE, _) => Ordering::Greater,
            (_, NOWHERE) => Ordering::Less,
            (a, b) => self.compare(a, b),
        };
        farther.is_gt() || farther.is_eq() && (kid < name || is_planted("siblings-by-arrival"))
    }

    /// The children of a node that has some on that side, noted from now on.
    fn siblings(&mut self, key: (Dot, bool)) -> &[Dot] {
        if !self.kids.contains_key(&key) {
            let only = self.only_kid(key);
            self.kids.insert(key, vec![only]);
        }
        &self.kids[&key]
    }

    fn note_sibling(&mut self, key: (Dot, bool), slot: usize, kid: Dot) {
        let siblings = self.kids.get_mut(&key).expect("the siblings are noted");
        if siblings.len() == siblings.capacity() {
            // By a quarter: what was decoded may be one long row.
            siblings.reserve_exact(siblings.len() / 4 + 3);
        }
        siblings.insert(slot, kid);
    }

    /// The only child on one side: what stands beside the parent hangs on it.
    fn only_kid(&self, (parent, left): (Dot, bool)) -> Dot {
        let beside = if parent == NOWHERE {
            Some(self.tree.start())
        } else {
            let (at, _) = self.locate(parent).expect("the parent is here");
            if left { self.tree.previous(at) } else { self.tree.next(at) }
        };
        let mut at = beside.expect("the children stand beside the parent");
        loop {
            let span = self.span(at);
            let hook = self.hook(span.place);
            if hook.left == left {
                debug_assert_eq!(hook.parent, parent);
                return span.first;
            }
            at = self.locate(hook.parent).expect("it is no child of the beginning").0;
        }
    }

    /// The first span of what hangs on a node and its children.
    fn leftmost(&self, mut kid: Dot) -> Cursor {
        loop {
            let (at, _) = self.locate(kid).expect("a child has a place");
            let span = self.span(at);
            if !span.kids_left {
                return at;
            }
            let key = (span.first, true);
            kid = self.kids.get(&key).map_or_else(|| self.only_kid(key), |kids| kids[0]);
        }
    }

    /// The last span of what hangs on a node and its children.
    fn rightmost(&self, mut kid: Dot) -> Cursor {
        loop {
            let (at, _) = self.locate(kid).expect("a child has a place");
            let span = self.span(at);
            if !span.kids_right {
                return at;
            }
            let key = (span.last(), false);
            let last = |kids: &Vec<Dot>| kids[kids.len() - 1];
            kid = self.kids.get(&key).map_or_else(|| self.only_kid(key), last);
        }
    }
}
