use alloc::collections::{BTreeMap, VecDeque};

use crate::cut::Cut;

/// What something depends on, over all layers: a token that is carried from a strong root through a causal
/// middle to an eventual leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// What was admitted at servers.
    pub cut: Cut,
    /// The position in the order of strong operations, 0 for none.
    pub strong: u64,
}

impl Past {
    /// Depends on nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { cut: Cut::new(), strong: 0 }
    }

    /// On strong operations up to this position.
    #[must_use]
    pub const fn of_strong(position: u64) -> Self {
        Self { cut: Cut::new(), strong: position }
    }

    /// On what either depends on.
    pub fn join(&mut self, other: &Self) {
        self.cut.join(&other.cut);
        self.strong = self.strong.max(other.strong);
    }

    /// Whether everything in `other` is in here.
    #[must_use]
    pub fn dominates(&self, other: &Self) -> bool {
        self.strong >= other.strong && self.cut.dominates(&other.cut)
    }
}

/// The gate holds as much as it may: the item is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateFull<T>(pub T);

impl<T> core::fmt::Display for GateFull<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("too much waits for what it depends on")
    }
}

impl<T: core::fmt::Debug> core::error::Error for GateFull<T> {}

/// Holds what has come until everything is visible here that it depends on, in whatever layer.
///
/// An eventual store shows what it gets. If what it gets depends on a write of a stronger layer, which comes by another
/// way, it may show an effect without its cause. So at the border each write carries its [`Past`], and a
/// gate stands before the store. What one session wrote leaves in the order in which it came.
///
/// O(log n) for n sessions with something that waits, and a look at the first item of each whenever something has
/// become visible.
///
/// ```
/// use crdt_causal::policy::{Gate, Past};
///
/// let mut gate = Gate::new(1_000);
/// // "Your order is on its way" depends on the payment, strong operation 12.
/// gate.hold(7_u64, Past::of_strong(12), "on its way")?;
/// assert_eq!(gate.poll(), None);
/// gate.advance(&Past::of_strong(12));
/// assert_eq!(gate.poll(), Some("on its way"));
/// # Ok::<(), crdt_causal::policy::GateFull<&str>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gate<S, T> {
    visible: Past,
    waiting: BTreeMap<S, VecDeque<(Past, T)>>,
    ready: VecDeque<T>,
    held: usize,
    held_max: usize,
}

impl<S: Ord + Clone, T> Gate<S, T> {
    /// Nothing is visible and nothing waits; so many items may.
    #[must_use]
    pub const fn new(held_max: usize) -> Self {
        Self {
            visible: Past::new(),
            waiting: BTreeMap::new(),
            ready: VecDeque::new(),
            held: 0,
            held_max,
        }
    }

    /// Takes an item of a session.
    ///
    /// # Errors
    ///
    /// [`GateFull`], with the item, if it had to wait and too many do: it has to be asked for again.
    pub fn hold(&mut self, session: S, past: Past, item: T) -> Result<(), GateFull<T>> {
        if !self.waiting.contains_key(&session) && self.visible.dominates(&past) {
            self.ready.push_back(item);
            return Ok(());
        }
        if self.held >= self.held_max {
            return Err(GateFull(item));
        }
        self.held += 1;
        self.waiting.entry(session).or_default().push_back((past, item));
        Ok(())
    }

    /// More is visible here.
    pub fn advance(&mut self, visible: &Past) {
        self.visible.join(visible);
        let (visible, ready, held) = (&self.visible, &mut self.ready, &mut self.held);
        self.waiting.retain(|_, items| {
            while items.front().is_some_and(|(past, _)| visible.dominates(past)) {
                ready.extend(items.pop_front().map(|(_, item)| item));
                *held -= 1;
            }
            !items.is_empty()
        });
    }

    /// The next item that may be shown.
    pub fn poll(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// How many wait.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }
}
