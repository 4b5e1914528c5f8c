//! Bugs that are planted on purpose, for the tests to find.
//!
//! An ordinary build has none of them: [`is_planted`] is `false`, and what hangs on it is left
//! out. Built with `--cfg canary="chosen"` a program can plant one of them, by its name; see
//! `cargo xtask canaries`.

/// Whether the bug of this name is planted.
#[cfg(not(canary = "chosen"))]
#[inline(always)]
#[must_use]
pub const fn is_planted(_name: &str) -> bool {
    false
}

#[cfg(canary = "chosen")]
pub use chosen::{is_planted, plant};

#[cfg(canary = "chosen")]
mod chosen {
    use core::sync::atomic::{AtomicU64, Ordering};

    /// The hash of the name of the bug that is planted, or 0.
    static PLANTED: AtomicU64 = AtomicU64::new(0);

    /// Plants one bug and takes out any other. Of the whole program: one thread calls this,
    /// before it starts others.
    pub fn plant(name: &str) {
        PLANTED.store(hash(name), Ordering::SeqCst);
    }

    /// Whether the bug of this name is planted.
    #[must_use]
    pub fn is_planted(name: &str) -> bool {
        PLANTED.load(Ordering::Relaxed) == hash(name)
    }

    /// FNV-1a (Fowler, Noll, Vo).
    const fn hash(name: &str) -> u64 {
        let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        hash
    }
}
