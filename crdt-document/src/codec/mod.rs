//! The bytes: bodies of changes, and the bundles that carry them. See `docs/format.md`.

pub(crate) mod body;
pub(crate) mod bundle;
mod rows;
mod stream;
mod sums;
mod text;

pub(crate) use stream::StreamWriter;
