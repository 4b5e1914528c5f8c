use alloc::vec::Vec;

use hashbrown::HashMap;

/// Values by keys, no more than so many: where there is no room left, one goes that was not asked for since all others
/// had their turn to go.
///
/// This is the clock of the early operating systems (Corbató, *A paging experiment with the Multics system*, 1968): nearly
/// the order of use, and what is asked for touches no other value. O(1) amortised: a turn that is passed was given by a
/// question.
#[derive(Clone, Debug)]
pub(super) struct Recent<V> {
    held: HashMap<u64, Held<V>>,
    /// The keys of what is held, in the order of their turns to go.
    turns: Vec<u64>,
    /// Whose turn it is.
    hand: usize,
    max: usize,
}

#[derive(Clone, Debug, Default)]
struct Held<V> {
    value: V,
    /// Whether it was asked for since it came, or since its turn was passed.
    stays: bool,
}

impl<V: Default> Recent<V> {
    /// Holds at most `max`, which is not 0.
    pub(super) fn new(max: usize) -> Self {
        Self { held: HashMap::new(), turns: Vec::new(), hand: 0, max }
    }

    /// How many values are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// The value of a key, the default if none is held.
    pub(super) fn touch(&mut self, key: u64) -> &mut V {
        let is_known = self.held.contains_key(&key);
        if !is_known {
            self.make_room(key);
        }
        let held = self.held.entry(key).or_default();
        // Not at once: who comes once is not who comes again.
        held.stays = is_known;
        &mut held.value
    }

    /// Gives a turn to a new key, that of one that goes if there are too many.
    fn make_room(&mut self, key: u64) {
        if self.turns.len() < self.max {
            self.turns.push(key);
            return;
        }
        loop {
            let turn = &mut self.turns[self.hand];
            self.hand = (self.hand + 1) % self.max;
            let held = self.held.get_mut(turn).expect("who has a turn is held");
            if !core::mem::take(&mut held.stays) {
                self.held.remove(&core::mem::replace(turn, key));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;

    /// What is held has its own value, what was forgotten begins anew, and there is never too much.
    #[test]
    fn values_are_their_keys_own() {
        let mut state = 1u64;
        for max in 1..6 {
            let mut recent: Recent<u32> = Recent::new(max);
            let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
            let mut forgotten = 0;
            for _ in 0..10_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let key = (state >> 33) % 8;
                let count = counts.entry(key).or_default();
                let value = recent.touch(key);
                assert!(*value == *count || *value == 0, "of {key}");
                forgotten += u32::from(*value != *count);
                *value += 1;
                *count = *value;
                assert!(recent.len() <= max && recent.turns.len() == recent.len());
            }
            assert!(forgotten > 1_000, "{forgotten} times with room for {max}");
        }
    }

    #[test]
    fn who_is_asked_for_all_the_time_stays() {
        let mut recent: Recent<u32> = Recent::new(3);
        recent.touch(0);
        for stranger in 1..1_000 {
            *recent.touch(0) += 1;
            assert_eq!(*recent.touch(0), stranger as u32, "it was not forgotten");
            recent.touch(stranger);
        }
    }
}
