//! Registers.

mod lww;

pub use lww::{LwwRegister, LwwRegisterDelta};
