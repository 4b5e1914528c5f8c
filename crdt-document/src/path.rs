use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// How many steps a [`Path`] may have.
pub const PATH_STEPS_MAX: usize = 32;

/// What a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Plain values and further containers by key.
    Map,
    /// An add-wins set of plain values.
    Set,
    /// A number that replicas add to.
    Counter,
    /// Collaborative text.
    Text,
    /// A kind that this release does not know: it is kept and relayed, and cannot be read.
    Unknown(u32),
}

impl Kind {
    const MAP: u32 = 1;
    const SET: u32 = 2;
    const COUNTER: u32 = 3;
    const TEXT: u32 = 4;

    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Map => Self::MAP,
            Self::Set => Self::SET,
            Self::Counter => Self::COUNTER,
            Self::Text => Self::TEXT,
            Self::Unknown(code) => code,
        }
    }

    pub(crate) fn encode(self, out: &mut Writer) {
        out.varint(u64::from(self.code()));
    }

    pub(crate) fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        Ok(match input.varint_u32()? {
            0 => return Err(DecodeErrorKind::UnknownTag.at(at)),
            Self::MAP => Self::Map,
            Self::SET => Self::Set,
            Self::COUNTER => Self::Counter,
            Self::TEXT => Self::Text,
            code => Self::Unknown(code),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map => f.write_str("map"),
            Self::Set => f.write_str("set"),
            Self::Counter => f.write_str("counter"),
            Self::Text => f.write_str("text"),
            Self::Unknown(code) => write!(f, "kind {code}"),
        }
    }
}

/// One step down: a key with the kind of container that stands there.
///
/// Two kinds at one key are two containers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    // Bytes, since what names a child of an unknown kind of container need not be text.
    name: Arc<[u8]>,
    kind: Kind,
}

impl Step {
    pub(crate) fn new(key: impl Into<Arc<str>>, kind: Kind) -> Self {
        Self { name: key.into().into(), kind }
    }

    /// The key in the map above, or `None` below a container of unknown kind.
    pub fn key(&self) -> Option<&str> {
        core::str::from_utf8(&self.name).ok()
    }

    /// The kind of container that stands there.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) const fn name(&self) -> &Arc<[u8]> {
        &self.name
    }
}

/// Where a container is: the steps to it from the document's root, which is a map.
///
/// Two replicas that go the same path reach the same container, whoever used it first.
///
/// ```
/// use crdt_document::Path;
///
/// let path = Path::root().map("chapters").text("one");
/// assert_eq!(path.to_string(), "chapters/one");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The path of the root map.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// One step down, to the map at `key`.
    #[must_use]
    pub fn map(self, key: &str) -> Self {
        self.step(key, Kind::Map)
    }

    /// One step down, to the set at `key`.
    #[must_use]
    pub fn set(self, key: &str) -> Self {
        self.step(key, Kind::Set)
    }

    /// One step down, to the counter at `key`.
    #[must_use]
    pub fn counter(self, key: &str) -> Self {
        self.step(key, Kind::Counter)
    }

    /// One step down, to the text at `key`.
    #[must_use]
    pub fn text(self, key: &str) -> Self {
        self.step(key, Kind::Text)
    }

    /// One step down.
    #[must_use]
    pub fn step(mut self, key: &str, kind: Kind) -> Self {
        self.0.push(Step::new(key, kind));
        self
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it is the path of the root map.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The kind of the container at the end of the path.
    pub fn kind(&self) -> Kind {
        self.0.last().map_or(Kind::Map, Step::kind)
    }

    /// The last key, if there is one that is text.
    pub fn key(&self) -> Option<&str> {
        self.0.last().and_then(Step::key)
    }

    pub(crate) fn from_steps(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

/// The keys, joined by slashes. For people: a key may hold a slash itself.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let slash = if index > 0 { "/" } else { "" };
            write!(f, "{slash}{}", String::from_utf8_lossy(&step.name))?;
        }
        Ok(())
    }
}

impl Encode for Path {
    /// The number of steps, then the kind and the name of each.
    fn encode(&self, out: &mut Writer) {
        out.count(self.0.len());
        for step in &self.0 {
            step.kind.encode(out);
            out.bytes(&step.name);
        }
    }
}

impl Decode for Path {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut steps = Vec::new();
        Self::read(input, |kind, name| steps.push(Step { name: name.into(), kind }))?;
        Ok(Self(steps))
    }
}

impl Path {
    /// Reads over a path, checking that it is well formed, and returns its kind.
    pub(crate) fn skip(input: &mut Reader<'_>) -> Result<Kind, DecodeError> {
        let mut last = Kind::Map;
        Self::read(input, |kind, _| last = kind)?;
        Ok(last)
    }

    fn read<'a>(
        input: &mut Reader<'a>,
        mut step: impl FnMut(Kind, &'a [u8]),
    ) -> Result<(), DecodeError> {
        let at = input.position();
        let count = input.count(2)?;
        if count > PATH_STEPS_MAX {
            return Err(DecodeErrorKind::TooDeep.at(at));
        }
        let mut parent = Kind::Map;
        for _ in 0..count {
            let at = input.position();
            let kind = Kind::decode(input)?;
            let name = match parent {
                Kind::Map => input.string()?.as_bytes(),
                Kind::Unknown(_) => input.bytes()?,
                Kind::Set | Kind::Counter | Kind::Text => {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
            };
            step(kind, name);
            parent = kind;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn decoded(bytes: &[u8]) -> Result<Path, DecodeErrorKind> {
        Path::decode(&mut Reader::new(bytes)).map_err(|error| error.kind)
    }

    #[test]
    fn encoding_is_the_identity() {
        let path = Path::root().map("a").step("b", Kind::Unknown(77)).text("c");
        let mut out = Writer::new();
        path.encode(&mut out);
        assert_eq!(decoded(out.as_bytes()), Ok(path));
    }

    #[test]
    fn hostile_paths_are_refused() {
        assert_eq!(
            decoded(&[1, 0, 0]),
            Err(DecodeErrorKind::UnknownTag),
            "kind 0 is a plain value"
        );
        assert_eq!(
            decoded(&[2, 4, 0, 4, 0]),
            Err(DecodeErrorKind::OutOfRange),
            "text has no children"
        );
        assert_eq!(decoded(&[1, 1, 1, 0xff]), Err(DecodeErrorKind::NotUtf8));
        assert_eq!(decoded(&[2, 9, 0, 4, 1, 0xff]).map(|path| path.key().is_none()), Ok(true));
        let mut deep = vec![33];
        deep.extend([1, 0].repeat(33));
        assert_eq!(decoded(&deep), Err(DecodeErrorKind::TooDeep));
    }
}
