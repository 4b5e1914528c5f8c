use super::{exists, is_supported};
use crate::Value;
use crate::container::{Content, ResetCounter};
use crate::state::State;

/// A counter, for reading. One that was never used is zero.
#[derive(Clone, Copy, Debug)]
pub struct CounterView<'a> {
    state: &'a State,
    number: Option<u32>,
}

impl<'a> CounterView<'a> {
    pub(crate) const fn new(state: &'a State, number: Option<u32>) -> Self {
        Self { state, number }
    }

    /// The sum of all increments that no reset has cancelled. O(replicas that counted).
    pub fn value(&self) -> i128 {
        self.content().map_or(0, ResetCounter::value)
    }

    /// Whether the counter has an increment, or was created explicitly.
    pub fn exists(&self) -> bool {
        exists(self.state, self.number)
    }

    /// Whether this release can read it; one that it cannot reads as zero.
    pub fn is_supported(&self) -> bool {
        is_supported(self.state, self.number)
    }

    /// The value as an integer, or as a float where it is beyond 64 bits.
    pub fn to_value(&self) -> Value {
        let value = self.value();
        i64::try_from(value).map_or(Value::Float(value as f64), Value::Int)
    }

    fn content(&self) -> Option<&'a ResetCounter> {
        let container = &self.state.containers[self.number?];
        match &container.content {
            Content::Counter(counter) if !container.unsupported => Some(counter),
            _ => None,
        }
    }
}
