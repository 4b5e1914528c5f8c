//! The crate `crdts`, used as its documentation does; and for trees, which it has not, `loro`.

pub(crate) mod counter;
pub(crate) mod list;
pub(crate) mod lww;
pub(crate) mod map;
pub(crate) mod set;
pub(crate) mod tree;

const WRITERS: u64 = 10;

fn keys(count: u64) -> Vec<String> {
    (0..count).map(|number| format!("key-{number:06}")).collect()
}
