use serde::{Deserialize, Serialize};

use crate::random::{Random, mixed};

/// The purpose of the streams that bursts are drawn from.
const BURST: u64 = 3;
/// How many of a thousand edits of a burst are a whole line.
const LINES_PERMILLE: u64 = 60;

/// An edit: numbers that pick among what is possible where it is made, so that it still means
/// something when other parts of the plan are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Which container, or which type.
    pub place: u8,
    /// What to do there.
    pub what: u8,
    /// With what, or where in it.
    pub number: u8,
    /// How much of it.
    pub len: u8,
}

impl Edit {
    /// Some edits of one change of a [burst](super::Action::Burst): mostly small ones, and now and then somebody puts in a line.
    #[must_use]
    pub fn burst(chance: u64, change: u32, places: u8) -> Vec<Self> {
        let random = &mut Random::new(mixed(&[chance, u64::from(change)]), BURST);
        let edit = |random: &mut Random| {
            let mut edit = super::draw::edit(random, u64::from(places.max(1)));
            if random.permille(LINES_PERMILLE) {
                edit.len = random.between(20, 120) as u8;
            }
            edit
        };
        (0..1 + random.below(3)).map(|_| edit(random)).collect()
    }

    /// Where the edit is in a sequence of so many items: anywhere in a short one, and in a long one spread over it.
    #[must_use]
    pub fn position(&self, len: usize) -> usize {
        let number = usize::from(self.number);
        if len < 256 { number % (len + 1) } else { number * len / 255 }
    }
}
