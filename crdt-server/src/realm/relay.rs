use std::collections::VecDeque;

use crdt_causal::cut::Cut;

/// What other servers have said, with the position of this one at which they did.
///
/// Everything in what was said was held durably then, and so was numbered here before: whoever has
/// everything of this server up to that position has all of it, too. So positions travel on through
/// servers that know each other only by a third.
#[derive(Debug)]
pub(super) struct Relay {
    /// Ascending in both.
    said: VecDeque<(u64, Cut)>,
    forgotten: u64,
}

/// How many of the latest words are told apart.
const SAID_MAX: usize = 64;

impl Relay {
    pub(super) fn new(head: u64, said: Cut) -> Self {
        Self { said: [(head, said)].into(), forgotten: 0 }
    }

    /// All that others have said by now, at the position `head`.
    pub(super) fn learned(&mut self, head: u64, said: Cut) {
        match self.said.back_mut() {
            Some(last) if last.0 == head => last.1 = said,
            _ => self.said.push_back((head, said)),
        }
        if self.said.len() > SAID_MAX {
            // The second one: what comes after it says it, too, and later.
            self.said.remove(1);
        }
    }

    /// What whoever has everything up to `position` has of others.
    pub(super) fn upto(&self, position: u64) -> Option<&Cut> {
        self.said.iter().rev().find(|(head, _)| *head <= position).map(|(_, said)| said)
    }

    /// Up to where the store was last told to forget.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(super) const fn set_forgotten(&mut self, position: u64) {
        self.forgotten = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_causal::cut::Slot;

    fn cut(position: u64) -> Cut {
        Cut::from_iter([(Slot(7), position)])
    }

    #[test]
    fn a_word_travels_no_faster_than_what_it_is_about() {
        let mut relay = Relay::new(10, cut(1));
        relay.learned(20, cut(2));
        relay.learned(20, cut(3));
        relay.learned(30, cut(4));
        for (position, expected) in
            [(9, None), (10, Some(1)), (19, Some(1)), (20, Some(3)), (29, Some(3)), (99, Some(4))]
        {
            assert_eq!(relay.upto(position), expected.map(cut).as_ref(), "{position}");
        }
    }

    #[test]
    fn many_words_are_bounded_and_never_too_early() {
        let mut relay = Relay::new(0, cut(1));
        for head in 1..1000 {
            relay.learned(head, cut(head + 1));
        }
        assert!(relay.said.len() <= SAID_MAX);
        for position in 0..1000 {
            let upto = relay.upto(position).expect("the first stays").get(Slot(7));
            assert!(upto <= position + 1, "{upto} at {position}");
        }
        assert_eq!(relay.upto(999), Some(&cut(1000)));
    }
}
