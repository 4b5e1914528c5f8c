use crate::register::LwwRegisterDelta;
use crate::{Dot, LwwRegister, WriteError, Writer};

/// What takes a write of an [`LwwRegister`] back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LwwRegisterInverse<V> {
    // The write that is taken back, and the value that it replaced.
    write: Dot,
    value: V,
}

impl<V: Clone, S: Ord + Clone> LwwRegister<V, S> {
    /// What takes `delta` back; this is the register as the delta meets it. None if the delta
    /// changes nothing, or if the register was never written: it cannot be emptied again.
    pub fn inverse(&self, delta: &LwwRegisterDelta<V, S>) -> Option<LwwRegisterInverse<V>> {
        let mut after = self.clone();
        if !after.join(delta) {
            return None;
        }
        let value = self.written.as_ref()?.value.clone();
        let write = after.written.as_ref()?.dot;
        Some(LwwRegisterInverse { write, value })
    }

    /// Writes the value that was there before, unless another write has won since; then the delta
    /// is empty. The stamp has to be greater than that of the write, as for any other write.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn undo(
        &mut self,
        inverse: &LwwRegisterInverse<V>,
        stamp: S,
        writer: &mut Writer,
    ) -> Result<LwwRegisterDelta<V, S>, WriteError> {
        if self.written.as_ref().is_some_and(|written| written.dot == inverse.write) {
            self.set(inverse.value.clone(), stamp, writer)
        } else {
            Ok(LwwRegisterDelta::default())
        }
    }
}
