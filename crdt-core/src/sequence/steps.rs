//! Counts what merging does, in tests: times depend on the machine, steps do not.

#[cfg(test)]
std::thread_local! {
    static STEPS: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
    static FOLDED: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

/// Something was done that costs constant or logarithmic time.
#[inline]
pub(super) fn step() {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// How many steps there were in this thread.
#[cfg(test)]
pub(super) fn steps() -> u64 {
    STEPS.with(core::cell::Cell::get)
}

/// Spans were joined or forgotten.
#[inline]
pub(super) fn fold(_spans: usize) {
    #[cfg(test)]
    FOLDED.with(|folded| folded.set(folded.get() + _spans as u64));
}

/// How many spans were joined or forgotten in this thread.
#[cfg(test)]
pub(super) fn folded() -> u64 {
    FOLDED.with(core::cell::Cell::get)
}
