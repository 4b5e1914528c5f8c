//! Reading: views of containers, which borrow the document.

mod counter;
mod map;
mod set;
mod text;

use alloc::string::ToString;

pub use counter::CounterView;
pub use map::{Ambiguous, Conflict, Entry, MapView};
pub use set::SetView;
pub use text::TextView;
pub(crate) use text::out_of_bounds;

use crate::container::Content;
use crate::state::State;
use crate::{Kind, Value};

/// A container of any kind, for reading.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum View<'a> {
    /// A map.
    Map(MapView<'a>),
    /// A set.
    Set(SetView<'a>),
    /// A counter.
    Counter(CounterView<'a>),
    /// A text.
    Text(TextView<'a>),
    /// A container that this release cannot read: its kind is unknown, or it holds an
    /// operation that is.
    Unsupported(Kind),
}

impl<'a> View<'a> {
    pub(crate) fn new(state: &'a State, number: u32) -> Self {
        let container = &state.containers[number];
        if container.unsupported {
            return Self::Unsupported(container.kind());
        }
        match &container.content {
            Content::Map(_) => Self::Map(MapView::new(state, Some(number))),
            Content::Set(_) => Self::Set(SetView::new(state, Some(number))),
            Content::Counter(_) => Self::Counter(CounterView::new(state, Some(number))),
            Content::Text(_) => Self::Text(TextView::new(state, Some(number))),
            Content::Unknown => Self::Unsupported(container.kind()),
        }
    }

    /// The kind of container.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Map(_) => Kind::Map,
            Self::Set(_) => Kind::Set,
            Self::Counter(_) => Kind::Counter,
            Self::Text(_) => Kind::Text,
            Self::Unsupported(kind) => *kind,
        }
    }

    /// The content as a plain value; `Null` where it cannot be read.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Map(map) => map.to_value(),
            Self::Set(set) => set.to_value(),
            Self::Counter(counter) => counter.to_value(),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Unsupported(_) => Value::Null,
        }
    }
}

/// Whether a container can be read: it is not there, or of a kind and content that this
/// release knows.
fn is_supported(state: &State, number: Option<u32>) -> bool {
    number.is_none_or(|number| !state.containers[number].unsupported)
}

fn exists(state: &State, number: Option<u32>) -> bool {
    number.is_some_and(|number| state.containers[number].live)
}
