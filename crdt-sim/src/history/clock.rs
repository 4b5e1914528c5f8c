use super::index::Index;
use super::visible::Past;

/// What is visible, as a prefix of each session: where monotonic writes hold.
///
/// A vector of one number for each session, as in Mattern's and Fidge's clocks. O(k) for k sessions.
#[derive(Debug)]
pub(super) struct Clock(Vec<u32>);

impl Past for Clock {
    fn new(index: &Index<'_>) -> Self {
        Self(vec![0; index.sessions()])
    }

    fn clear(&mut self) {
        self.0.fill(0);
    }

    fn add(&mut self, index: &Index<'_>, transaction: u32) {
        let last = &mut self.0[index.session(transaction) as usize];
        *last = (*last).max(index.position(transaction));
    }

    fn join(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*other);
        }
    }

    fn size_bytes(&self) -> usize {
        self.0.len() * size_of::<u32>()
    }

    fn covers(&self, index: &Index<'_>, _key: u32, writer: u32) -> bool {
        index.position(writer) <= self.0[index.session(writer) as usize]
    }

    fn last_writers(&self, index: &Index<'_>, key: u32, mut found: impl FnMut(u32)) {
        for group in index.groups(key) {
            let visible = self.0[group.session as usize];
            if let Some(writer) = index.last_within(key, group, visible) {
                found(writer);
            }
        }
    }
}
