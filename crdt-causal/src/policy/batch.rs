use alloc::vec::Vec;

use crate::elapsed::Elapsed;
use crate::level::Level;

/// Gathers operations for a window of time, and gives them out strongest first.
///
/// Each session keeps its order: where a weaker operation came before a stronger one of the same session, it
/// goes along with that, rather than being overtaken by it. Operations of equal rank go in the order in which they came.
///
/// O(n log n) for the n operations of a window.
///
/// ```
/// use crdt_causal::level::Level;
/// use crdt_causal::policy::Batcher;
///
/// let mut batcher = Batcher::new(100, 0);
/// batcher.push("asha", Level::EVENTUAL, "rate the meal", 10);
/// batcher.push("ravi", Level::EVENTUAL, "fill the basket", 20);
/// batcher.push("ravi", Level::STRONG, "pay", 30);
/// assert_eq!(batcher.poll(99), None);
/// let batch = batcher.poll(100).expect("the window is over");
/// let order: Vec<_> = batch.into_iter().map(|(_, operation)| operation).collect();
/// assert_eq!(order, ["fill the basket", "pay", "rate the meal"]);
/// ```
#[derive(Clone, Debug)]
pub struct Batcher<S, T> {
    window_ms: u64,
    elapsed: Elapsed,
    began_at: u64,
    operations: Vec<(S, Level, T)>,
}

impl<S: Ord, T> Batcher<S, T> {
    /// Nothing is gathered.
    #[must_use]
    pub const fn new(window_ms: u64, now: u64) -> Self {
        Self { window_ms, elapsed: Elapsed::since(now), began_at: 0, operations: Vec::new() }
    }

    /// Takes an operation of a session. A window begins with the first.
    pub fn push(&mut self, session: S, level: Level, operation: T, now: u64) {
        let at = self.elapsed.advance(now, u64::MAX);
        if self.operations.is_empty() && at - self.began_at >= self.window_ms {
            self.began_at = at;
        }
        self.operations.push((session, level, operation));
    }

    /// The operations of the window with their levels, if it is over and there are some.
    pub fn poll(&mut self, now: u64) -> Option<Vec<(Level, T)>> {
        let at = self.elapsed.advance(now, u64::MAX);
        if self.operations.is_empty() || at - self.began_at < self.window_ms {
            return None;
        }
        self.began_at = at;
        let operations = core::mem::take(&mut self.operations);
        let mut by_session: Vec<usize> = (0..operations.len()).collect();
        by_session.sort_by_key(|&at| (&operations[at].0, core::cmp::Reverse(at)));
        // From the last of each session backwards: none goes later than what comes after it.
        let mut ranks = alloc::vec![0; operations.len()];
        let mut later: Option<usize> = None;
        for &at in &by_session {
            let own = rank(operations[at].1);
            let after = later.filter(|&later| operations[later].0 == operations[at].0);
            ranks[at] = after.map_or(own, |later| own.max(ranks[later]));
            later = Some(at);
        }
        let mut ranked: Vec<_> = operations.into_iter().zip(ranks).collect();
        ranked.sort_by_key(|(_, rank)| core::cmp::Reverse(*rank));
        Some(ranked.into_iter().map(|((_, level, operation), _)| (level, operation)).collect())
    }

    /// When to poll next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let over_at = self.began_at.saturating_add(self.window_ms);
        let left = over_at.saturating_sub(self.elapsed.total_ms());
        (!self.operations.is_empty()).then(|| self.elapsed.read_at().saturating_add(left))
    }
}

/// Levels in a row, as far as batches go.
fn rank(level: Level) -> u8 {
    if level.is_strong() {
        3
    } else if level.promises(Level::CAUSAL) {
        2
    } else {
        u8::from(level > Level::EVENTUAL)
    }
}
