//! Asking for memory before it is needed.

use core::hint::black_box;

/// Whether anything is asked for: a browser downloads what that takes, and does without.
pub(super) const IS_FAR: bool = cfg!(not(target_arch = "wasm32"));

/// How many are asked for together.
pub(super) const TOGETHER: usize = 16;

/// Reads something that is needed soon, and does nothing with it.
///
/// What is somewhere in many megabytes takes as long to come as a hundred steps take to run, and where one
/// place is known only from the one before it, the processor waits each time. Places that are known
/// together, and read one right after the other, come at once.
#[inline]
pub(super) fn ask_for<T: Copy>(value: impl FnOnce() -> Option<T>) {
    if IS_FAR {
        black_box(value());
    }
}
