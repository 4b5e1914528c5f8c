//! Registers.

mod lww;
mod max_min;
mod multi_value;

pub use lww::{LwwRegister, LwwRegisterDelta};
pub use max_min::{MaxRegister, MaxRegisterDelta, MinRegister, MinRegisterDelta};
pub use multi_value::{MultiValueRegister, MultiValueRegisterDelta, MultiValueStore};
