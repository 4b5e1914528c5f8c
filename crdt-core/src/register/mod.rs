//! Registers.

mod lww;
mod max_min;
mod multi_value;
mod redactable;

pub use lww::{LwwRegister, LwwRegisterDelta};
pub use max_min::{MaxRegister, MaxRegisterDelta, MinRegister, MinRegisterDelta};
pub use multi_value::{MultiValueRegister, MultiValueRegisterDelta, MultiValueStore};
pub use redactable::{RedactableRegister, RedactableRegisterDelta};

pub use crate::dot_store::{Payload, RedactableStore};
