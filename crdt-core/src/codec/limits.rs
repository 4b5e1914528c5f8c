/// What a decoder accepts before it gives up, whatever the bytes say.
///
/// The limits protect the local machine: two replicas with different limits never disagree
/// about the value of what both have accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest input taken in one piece, in bytes. 64 MiB by default.
    pub input_bytes_max: usize,
    /// How deep nested values may go. 32 by default.
    pub depth_max: u32,
}

impl Limits {
    /// These limits with another longest input.
    #[must_use]
    pub const fn with_input_bytes_max(mut self, bytes: usize) -> Self {
        self.input_bytes_max = bytes;
        self
    }

    /// These limits with another greatest depth.
    #[must_use]
    pub const fn with_depth_max(mut self, depth: u32) -> Self {
        self.depth_max = depth;
        self
    }

    /// The defaults, usable in constants.
    pub const DEFAULT: Self = Self { input_bytes_max: 64 << 20, depth_max: 32 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
