use std::cmp::Ordering;
use std::fmt;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// How deep a plain value may be nested: lists and maps inside one another.
pub const VALUE_DEPTH_MAX: u32 = 32;

/// A plain value: what a map holds under a key, and what a set holds as an element.
///
/// A value is written and replaced as a whole. Where two replicas shall edit *inside*, use
/// a container (map, set, counter, text) instead.
///
/// Values are totally ordered, first by type in the order below, then as one expects;
/// floats by [`f64::total_cmp`], so that `-0.0` and `0.0` are two values and so are
/// `Int(1)` and `Float(1.0)`. All NaNs are one value.
///
/// ```
/// use crdt_document::Value;
///
/// let value = Value::from([Value::from("a"), Value::from(1), Value::Null]);
/// assert_eq!(value.to_string(), r#"["a",1,null]"#);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text that is replaced as a whole.
    String(String),
    /// Bytes.
    Bytes(Box<[u8]>),
    /// Values in an order.
    List(Box<[Self]>),
    /// Values by name.
    Map(ValueMap),
}

/// The map among the plain [`Value`]s: names in ascending order, each with a value.
///
/// ```
/// use crdt_document::{Value, ValueMap};
///
/// let map: ValueMap = [("b", Value::from(2)), ("a", Value::from(1))].into_iter().collect();
/// assert_eq!(map.get("b"), Some(&Value::Int(2)));
/// assert_eq!(map.to_string(), r#"{"a":1,"b":2}"#);
/// ```
// A sorted slice: a tree node would reserve eleven entries for the one that a short input
// declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueMap(Box<[(Box<str>, Value)]>);

impl Value {
    /// The boolean, if it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The whole number, if it is one.
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is one of either kind.
    pub const fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The bytes, if they are bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    /// The list's values, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(value) = self { Some(value) } else { None }
    }

    /// The map, if it is one.
    pub const fn as_map(&self) -> Option<&ValueMap> {
        if let Self::Map(value) = self { Some(value) } else { None }
    }

    /// Whether lists and maps are nested at most [`VALUE_DEPTH_MAX`] deep.
    pub(crate) fn is_shallow(&self) -> bool {
        fn within(value: &Value, left: u32) -> bool {
            match value {
                Value::List(items) => left > 0 && items.iter().all(|item| within(item, left - 1)),
                Value::Map(map) => left > 0 && map.iter().all(|(_, item)| within(item, left - 1)),
                _ => true,
            }
        }
        within(self, VALUE_DEPTH_MAX)
    }

    /// About how many bytes the encoded value has.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 9,
            Self::String(value) => 4 + value.len(),
            Self::Bytes(value) => 4 + value.len(),
            Self::List(items) => 4 + items.iter().map(Self::size).sum::<usize>(),
            Self::Map(map) => {
                4 + map.iter().map(|(key, value)| 4 + key.len() + value.size()).sum::<usize>()
            }
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Float(_) => 3,
            Self::String(_) => 4,
            Self::Bytes(_) => 5,
            Self::List(_) => 6,
            Self::Map(_) => 7,
        }
    }
}

impl ValueMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let index = self.0.binary_search_by(|(held, _)| held.as_ref().cmp(key)).ok()?;
        Some(&self.0[index].1)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the names, in ascending order, and their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }
}

/// Of entries with the same name the last one counts.
impl<K: Into<Box<str>>> FromIterator<(K, Value)> for ValueMap {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries: std::collections::BTreeMap<Box<str>, Value> =
            entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self(entries.into_iter().collect())
    }
}

/// The one NaN that is ever written.
const NAN_BITS: u64 = 0x7ff8_0000_0000_0000;

fn float_bits(value: f64) -> u64 {
    if value.is_nan() { NAN_BITS } else { value.to_bits() }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => {
                f64::from_bits(float_bits(*a)).total_cmp(&f64::from_bits(float_bits(*b)))
            }
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Map(a), Self::Map(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl std::hash::Hash for Value {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u8(self.rank());
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(state),
            Self::Int(value) => value.hash(state),
            Self::Float(value) => float_bits(*value).hash(state),
            Self::String(value) => value.hash(state),
            Self::Bytes(value) => value.hash(state),
            Self::List(value) => value.hash(state),
            Self::Map(value) => value.0.hash(state),
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}
from! {
    () => |_value| Self::Null;
    bool => |value| Self::Bool(value);
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    u32 => |value| Self::Int(value.into());
    f64 => |value| Self::Float(value);
    &str => |value| Self::String(value.into());
    String => |value| Self::String(value);
    &String => |value| Self::String(value.clone());
    &[u8] => |value| Self::Bytes(value.into());
    Vec<u8> => |value| Self::Bytes(value.into());
    Vec<Value> => |value| Self::List(value.into());
    &[Value] => |value| Self::List(value.into());
    ValueMap => |value| Self::Map(value);
}

impl<const N: usize> From<[Self; N]> for Value {
    fn from(value: [Self; N]) -> Self {
        Self::List(value.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

/// As JSON. Bytes are written as a string of hexadecimal digits and a float that JSON does
/// not know as `null`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) if value.is_finite() => write!(f, "{value:?}"),
            Self::Float(_) => f.write_str("null"),
            Self::String(value) => json_string(value, f),
            Self::Bytes(bytes) => {
                f.write_str("\"")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("\"")
            }
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(map) => map.fmt(f),
        }
    }
}

impl fmt::Display for ValueMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (key, value)) in self.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            json_string(key, f)?;
            write!(f, ":{value}")?;
        }
        f.write_str("}")
    }
}

fn json_string(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    f.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\u{0}'..='\u{1f}' => write!(f, "\\u{:04x}", u32::from(char))?,
            _ => f.write_char(char)?,
        }
    }
    f.write_char('"')
}

mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const STRING: u8 = 5;
    pub(super) const BYTES: u8 = 6;
    pub(super) const LIST: u8 = 7;
    pub(super) const MAP: u8 = 8;
}

impl Encode for Value {
    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Null => out.u8(tag::NULL),
            Self::Bool(false) => out.u8(tag::FALSE),
            Self::Bool(true) => out.u8(tag::TRUE),
            Self::Int(value) => {
                out.u8(tag::INT);
                out.signed(*value);
            }
            Self::Float(value) => {
                out.u8(tag::FLOAT);
                out.raw(&float_bits(*value).to_le_bytes());
            }
            Self::String(value) => {
                out.u8(tag::STRING);
                out.string(value);
            }
            Self::Bytes(value) => {
                out.u8(tag::BYTES);
                out.bytes(value);
            }
            Self::List(items) => {
                out.u8(tag::LIST);
                out.count(items.len());
                items.iter().for_each(|item| item.encode(out));
            }
            Self::Map(map) => {
                out.u8(tag::MAP);
                out.count(map.len());
                for (key, value) in map.iter() {
                    out.string(key);
                    value.encode(out);
                }
            }
        }
    }
}

impl Value {
    /// Reads over a value, checking that it is well formed. Allocates nothing.
    pub(crate) fn skip(input: &mut Reader<'_>) -> Result<(), DecodeError> {
        let at = input.position();
        match input.u8()? {
            tag::NULL | tag::FALSE | tag::TRUE => Ok(()),
            tag::INT => input.signed().map(drop),
            tag::FLOAT => {
                let value = f64::from_le_bytes(input.array()?);
                let canonical = value.to_bits() == float_bits(value);
                if canonical { Ok(()) } else { Err(DecodeErrorKind::NotCanonical.at(at)) }
            }
            tag::STRING => input.string().map(drop),
            tag::BYTES => input.bytes().map(drop),
            tag::LIST => input.nested(|input| {
                let count = input.count(Self::BYTES_MIN)?;
                (0..count).try_for_each(|_| Self::skip(input))
            }),
            tag::MAP => input.nested(|input| {
                let mut last = None;
                for _ in 0..input.count(2)? {
                    let at = input.position();
                    let key = input.string()?;
                    if last.is_some_and(|last| last >= key) {
                        return Err(DecodeErrorKind::NotAscending.at(at));
                    }
                    last = Some(key);
                    Self::skip(input)?;
                }
                Ok(())
            }),
            _ => Err(DecodeErrorKind::UnknownTag.at(at)),
        }
    }

    /// Builds a value that [`skip`](Self::skip) has read over, with exact reservations.
    fn build(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match input.u8()? {
            tag::NULL => Self::Null,
            tag::FALSE => Self::Bool(false),
            tag::TRUE => Self::Bool(true),
            tag::INT => Self::Int(input.signed()?),
            tag::FLOAT => Self::Float(f64::from_le_bytes(input.array()?)),
            tag::STRING => Self::String(input.string()?.into()),
            tag::BYTES => Self::Bytes(input.bytes()?.into()),
            tag::LIST => {
                let count = input.count(Self::BYTES_MIN)?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(Self::build(input)?);
                }
                Self::List(items.into())
            }
            _ => {
                let count = input.count(2)?;
                let mut entries: Vec<(Box<str>, Self)> = Vec::with_capacity(count);
                for _ in 0..count {
                    entries.push((input.string()?.into(), Self::build(input)?));
                }
                Self::Map(ValueMap(entries.into()))
            }
        })
    }
}

impl Decode for Value {
    const BYTES_MIN: usize = 1;

    // Twice over the bytes: what a nested count declares is believed only after everything
    // that it counts has been seen, since declarations can be nested 32 deep.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::skip(&mut input.clone())?;
        Self::build(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::{Arbitrary, Gen, QuickCheck};

    impl Arbitrary for Value {
        fn arbitrary(g: &mut Gen) -> Self {
            fn value(g: &mut Gen, depth: u32) -> Value {
                match u8::arbitrary(g) % if depth == 0 { 6 } else { 8 } {
                    0 => Value::Null,
                    1 => Value::Bool(Arbitrary::arbitrary(g)),
                    2 => Value::Int(Arbitrary::arbitrary(g)),
                    3 => Value::Float(Arbitrary::arbitrary(g)),
                    4 => Value::String(Arbitrary::arbitrary(g)),
                    5 => Vec::<u8>::arbitrary(g).into(),
                    6 => (0..u8::arbitrary(g) % 4)
                        .map(|_| value(g, depth - 1))
                        .collect::<Vec<_>>()
                        .into(),
                    _ => Value::Map(
                        (0..u8::arbitrary(g) % 4)
                            .map(|_| (String::arbitrary(g), value(g, depth - 1)))
                            .collect(),
                    ),
                }
            }
            value(g, 3)
        }
    }

    fn encoded(value: &Value) -> Vec<u8> {
        let mut out = Writer::new();
        value.encode(&mut out);
        out.into_bytes()
    }

    #[test]
    fn encoding_is_the_identity_and_injective() {
        fn law(a: Value, b: Value) -> bool {
            let bytes = encoded(&a);
            let mut input = Reader::new(&bytes);
            Value::decode(&mut input).as_ref() == Ok(&a)
                && input.is_empty()
                && (a == b) == (bytes == encoded(&b))
                && (a.cmp(&b) == b.cmp(&a).reverse())
        }
        QuickCheck::new().tests(crate::test_support::cases()).quickcheck(law as fn(_, _) -> _);
    }

    #[test]
    fn a_value_is_three_words() {
        assert_eq!(size_of::<Value>(), 24, "decoding allows 32 bytes of memory for each byte");
    }

    #[test]
    fn every_nan_is_one_value() {
        let odd = Value::Float(f64::from_bits(0xfff8_0000_0000_0001));
        assert_eq!(odd, Value::Float(f64::NAN));
        assert_eq!(encoded(&odd), encoded(&Value::Float(f64::NAN)));
        let mut bytes = encoded(&odd);
        bytes[1] = 1;
        let error = Value::decode(&mut Reader::new(&bytes)).map_err(|error| error.kind);
        assert_eq!(error, Err(DecodeErrorKind::NotCanonical));
    }

    #[test]
    fn deep_nesting_is_refused_on_a_small_stack() {
        let bytes = [tag::LIST, 1].repeat(1 << 19);
        let decode = move || Value::decode(&mut Reader::new(&bytes)).map_err(|error| error.kind);
        let small = std::thread::Builder::new().stack_size(256 << 10).spawn(decode);
        assert_eq!(small.unwrap().join().unwrap(), Err(DecodeErrorKind::TooDeep));
        let mut deep = Value::Null;
        for depth in 0..=VALUE_DEPTH_MAX {
            assert_eq!(deep.is_shallow(), depth <= VALUE_DEPTH_MAX);
            deep = Value::from([deep]);
        }
        assert!(!deep.is_shallow());
    }

    #[test]
    fn json_escapes() {
        assert_eq!(Value::from("a\"b\\\n\u{1}").to_string(), r#""a\"b\\\n\u0001""#);
    }
}
