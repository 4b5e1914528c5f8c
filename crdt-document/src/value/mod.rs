mod codec;
mod json;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use core::cmp::Ordering;
use crdt_core::collections::OrderedMap;

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
        let entries: OrderedMap<Box<str>, Value> =
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

impl core::hash::Hash for Value {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
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
