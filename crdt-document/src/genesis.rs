use core::fmt;

use hmac_sha256::Hash;

/// The version of the merge rules that this release applies: what each kind of operation
/// means under concurrency. Documents of other rules are refused, never merged.
pub const MERGE_RULES: u8 = 0;

/// Where a document begins: the same name or template gives the same sixteen bytes
/// everywhere, and documents of different genesis refuse to merge.
///
/// The first byte is the version of the merge rules ([`MERGE_RULES`]), the others are the
/// start of a SHA-256.
///
/// ```
/// use crdt_document::Genesis;
///
/// assert_eq!(Genesis::named("notes"), Genesis::named("notes"));
/// assert_ne!(Genesis::named("notes"), Genesis::named("tasks"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Genesis([u8; 16]);

impl Genesis {
    /// The genesis of documents that were made without a name.
    pub const fn new() -> Self {
        // Written out, so that who names no document needs no SHA-256.
        Self(UNNAMED)
    }

    /// The genesis of the documents of one name, such as an application's or a template's.
    pub fn named(name: &str) -> Self {
        Self::of(b"crdt-document genesis", &[name.as_bytes()])
    }

    /// The genesis of documents that start with the same content.
    pub(crate) fn of_template(name: &str, content: &[u8]) -> Self {
        Self::of(b"crdt-document template", &[name.as_bytes(), content])
    }

    /// The sixteen bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The genesis with these bytes, as another replica states it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The version of the merge rules that it names.
    pub const fn merge_rules(&self) -> u8 {
        self.0[0]
    }

    fn of(domain: &[u8], parts: &[&[u8]]) -> Self {
        let mut bytes = digest(domain, parts);
        bytes[0] = MERGE_RULES;
        Self(bytes)
    }
}

/// What [`Genesis::named`] gives for the empty name.
const UNNAMED: [u8; 16] = [
    0x00, 0x01, 0xff, 0x89, 0x86, 0xc5, 0x29, 0x66, 0x79, 0x6f, 0x97, 0x01, 0xfa, 0xec, 0x8d, 0x11,
];

/// Sixteen bytes of SHA-256 over parts whose lengths are hashed too.
pub(crate) fn digest(domain: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Hash::new();
    for part in core::iter::once(&domain).chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let whole = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&whole[..16]);
    bytes
}

impl Default for Genesis {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Genesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Genesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Genesis({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_is_what_is_computed() {
        assert_eq!(Genesis::new(), Genesis::named(""));
    }
}
