//! What must hold of an order.

use alloc::vec::Vec;

use super::order::Order;
use super::span::{Cell, NOWHERE, Span};
use crate::Dot;

impl<E> Order<E> {
    /// Panics if an index is wrong, or the order is not what the nodes say.
    pub(super) fn check_invariants(&self) {
        self.tree.check_invariants();
        self.kids.check_invariants();
        let mut spans: Vec<&Span<E>> = self.tree.iter().map(|span| &**span).collect();
        let placed: Vec<Dot> = spans.iter().map(|span| span.first).collect();
        for (&span, pair) in spans.iter().zip(placed.windows(2)) {
            assert_eq!(self.compare(span.first, pair[1]), core::cmp::Ordering::Less);
        }
        for span in &spans {
            span.check_invariants();
            let (at, offset) = self.locate(span.first).expect("a span is in the index");
            assert_eq!((self.span(at).first, offset), (span.first, 0));
            self.check_shown(span);
        }
        for (&element, moves) in &self.moves {
            assert!(!moves.is_empty() && moves.is_sorted_by(|a, b| a < b));
            for &dot in moves {
                assert!(
                    matches!(self.node(dot), Some(Some(Cell::Move(of))) if **of == element),
                    "a move is noted under its element"
                );
            }
        }
        for (&dot, ()) in &self.awaited {
            assert!(self.locate(dot).is_none(), "what is awaited is not here");
        }
        self.check_tree(&mut spans);
    }

    fn check_shown(&self, span: &Span<E>) {
        for (offset, (dot, cell)) in span.nodes().enumerate() {
            let winner = |element: Dot| self.moves.get(&element).and_then(|moves| moves.last());
            let shown = match cell {
                None => false,
                Some(Cell::Value(_)) => winner(dot).is_none(),
                Some(Cell::Move(element)) => {
                    let moves = self.moves.get(element).expect("a move is noted");
                    assert!(moves.contains(&dot));
                    winner(**element) == Some(&dot) && self.value(**element).is_some()
                }
            };
            assert_eq!(span.is_shown(offset), shown, "an element is shown once");
        }
    }

    /// Reads the tree in order, as the paper does, and compares.
    fn check_tree(&self, spans: &mut [&Span<E>]) {
        crate::collections::sort_by_key(spans, |span| span.first);
        let mut children: Vec<(Dot, bool, Dot)> = Vec::new();
        for span in spans.iter() {
            let hook = self.hook(span.place);
            children.push((hook.parent, hook.left, span.first));
        }
        crate::collections::sort(&mut children);
        for group in children.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (parent, left, first) = group[0];
            if parent != NOWHERE {
                let (at, offset) = self.locate(parent).expect("a hook is here");
                let span = self.span(at);
                assert!(if left { offset == 0 } else { offset + 1 == span.len() });
                assert!(if left { span.kids_left } else { span.kids_right });
                let order = self.compare(first, parent);
                assert_eq!(order.is_lt(), left, "a child stands on its side");
            }
            let key = (parent, left);
            match self.kids.get(&key) {
                None => assert_eq!(group.len(), 1, "siblings are noted"),
                Some(kids) => {
                    assert_eq!(kids.len(), group.len());
                    for pair in kids.windows(2) {
                        let before = if left {
                            pair[0] < pair[1]
                        } else {
                            let (at, _) = self.locate(pair[1]).expect("a child has a place");
                            let right = self.hook(self.span(at).place).right;
                            self.precedes(pair[0], right, pair[1])
                        };
                        assert!(before && self.compare(pair[0], pair[1]).is_lt());
                    }
                }
            }
        }
        let flags = |span: &&&Span<E>| (span.kids_left as usize) + (span.kids_right as usize);
        let flagged: usize = spans.iter().map(|span| flags(&span)).sum();
        let root = usize::from(children.iter().any(|&(parent, ..)| parent == NOWHERE));
        let groups = children.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).count();
        assert_eq!(groups, flagged + root, "who has children is known");
        let by_hand = self.read(NOWHERE, &children);
        assert!(self.tree.iter().map(|span| span.first).eq(by_hand), "the order is the tree's");
    }

    /// The spans below a node, in order, without recursion.
    fn read(&self, root: Dot, children: &[(Dot, bool, Dot)]) -> Vec<Dot> {
        let kids = |parent: Dot, left: bool| -> Vec<Dot> {
            let noted = self.kids.get(&(parent, left)).cloned();
            let from = children.partition_point(|&(p, l, _)| (p, l) < (parent, left));
            let own = children[from..].iter().take_while(|&&(p, l, _)| (p, l) == (parent, left));
            noted.unwrap_or_else(|| own.map(|&(.., kid)| kid).collect())
        };
        let mut order = Vec::new();
        let mut rest: Vec<(Dot, bool)> =
            kids(root, false).into_iter().rev().map(|k| (k, false)).collect();
        while let Some((dot, opened)) = rest.pop() {
            if opened {
                order.push(dot);
                continue;
            }
            let (at, _) = self.locate(dot).expect("a child has a place");
            let last = self.span(at).last();
            rest.extend(kids(last, false).into_iter().rev().map(|kid| (kid, false)));
            rest.push((dot, true));
            rest.extend(kids(dot, true).into_iter().rev().map(|kid| (kid, false)));
        }
        order
    }
}
