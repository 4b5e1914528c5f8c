use std::any::Any;

use crate::ours;
#[cfg(feature = "peers")]
use crate::peer;

/// A run: does the work, checks what came of it, and says how many operations that were. What
/// it returns beside is dropped after the clock has stopped.
pub(crate) type Run = Box<dyn FnOnce() -> (u64, Box<dyn Any>)>;

/// How a figure is come by.
pub(crate) enum Work {
    /// What prepares a run, not timed.
    Time(fn() -> Run),
    /// What makes a value whose heap is counted.
    Heap(fn() -> Box<dyn Any>),
    /// Bytes of an encoding.
    Bytes(fn() -> f64),
}

/// Numbers below another one, the same in each run.
pub(crate) fn scattered(below: usize, seed: u64) -> impl Iterator<Item = usize> {
    let next = |state: &u64| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    std::iter::successors(Some(seed), next).skip(1).map(move |state| (state >> 33) as usize % below)
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) goal: &'static str,
    pub(crate) ours: Work,
    pub(crate) peer: Option<Work>,
}

/// The peer's side of a row, if it is built.
macro_rules! peer {
    ($kind:ident, $work:expr) => {{
        #[cfg(feature = "peers")]
        let work = Some(Work::$kind($work));
        #[cfg(not(feature = "peers"))]
        let work = None;
        work
    }};
}

macro_rules! row {
    ($kind:ident, $name:literal, $goal:literal, $ours:expr) => {
        Row { name: $name, goal: $goal, ours: Work::$kind($ours), peer: None }
    };
    ($kind:ident, $name:literal, $goal:literal, $ours:expr, $peer:expr) => {
        Row { name: $name, goal: $goal, ours: Work::$kind($ours), peer: peer!($kind, $peer) }
    };
}

pub(crate) static ROWS: &[Row] = &[
    row!(
        Time,
        "grow-only counter: increment and apply, 10 writers",
        "≤ 10 ns",
        ours::counter::increment,
        peer::counter::increment
    ),
    row!(
        Time,
        "grow-only counter: join, 1,000 writers, per writer",
        "≤ 6 ns",
        ours::counter::join,
        peer::counter::join
    ),
    row!(
        Time,
        "add-wins set: add and apply, 10,000 elements, 10 writers",
        "≤ 110 ns",
        ours::set::add::<10_000>,
        peer::set::add::<10_000>
    ),
    row!(
        Time,
        "add-wins set: add and apply, 100,000 elements, 10 writers",
        "≤ 180 ns",
        ours::set::add::<100_000>,
        peer::set::add::<100_000>
    ),
    row!(
        Time,
        "add-wins set: apply another's add, 10,000 elements",
        "",
        ours::set::join_deltas::<10_000>,
        peer::set::apply_others::<10_000>
    ),
    row!(
        Time,
        "add-wins set: remove and apply, 10,000 elements",
        "≤ 100 ns",
        ours::set::remove,
        peer::set::remove
    ),
    row!(
        Time,
        "add-wins set: join of two of 9,500, per element",
        "≤ 80 ns",
        ours::set::join,
        peer::set::join
    ),
    row!(
        Heap,
        "add-wins set: live heap, 100,000 numbers",
        "≤ 6 MiB",
        ours::set::heap,
        peer::set::heap
    ),
    row!(
        Bytes,
        "add-wins set: encoded, 10,000 texts of 20 bytes, beside these, per element",
        "≤ 3 B",
        ours::set::encoded
    ),
    row!(
        Time,
        "observed-remove map of registers: update and apply, 100,000 keys",
        "≤ 300 ns",
        ours::map::update,
        peer::map::update
    ),
    row!(
        Time,
        "observed-remove map of registers: join of two that overwrote all, per key",
        "≤ 250 ns",
        ours::map::join,
        peer::map::join
    ),
    row!(
        Heap,
        "observed-remove map of registers: live heap, 100,000 keys",
        "≤ 12 MiB",
        ours::map::heap,
        peer::map::heap
    ),
    row!(
        Bytes,
        "observed-remove map of registers: encoded, 100,000 keys, per key",
        "≤ 4.5 B",
        ours::map::encoded
    ),
    row!(
        Time,
        "last-writer-wins map: put, 100,000 keys",
        "≤ 100 ns",
        ours::lww::put,
        peer::lww::put
    ),
    row!(
        Time,
        "last-writer-wins map: join of two that overwrote all, per key",
        "≤ 100 ns",
        ours::lww::join,
        peer::lww::join
    ),
    row!(Time, "list: append, 10,000 elements", "≤ 0.2 µs", ours::list::append, peer::list::append),
    row!(
        Time,
        "list: insert in the middle, 10,000 elements",
        "≤ 0.4 µs",
        ours::list::insert_in_the_middle,
        peer::list::insert_in_the_middle
    ),
    row!(
        Time,
        "tree (Loro): create the last of 10,000 siblings",
        "",
        ours::tree::create_last,
        peer::tree::create_last
    ),
    row!(
        Time,
        "tree (Loro): create the first of 10,000 siblings",
        "",
        ours::tree::create_first,
        peer::tree::create_first
    ),
    row!(
        Time,
        "tree (Loro): move a node, of 10,000",
        "",
        ours::tree::move_nodes,
        peer::tree::move_nodes
    ),
    row!(
        Time,
        "tree (Loro): join another's 1,000 moves beside as many, per move",
        "",
        ours::tree::join,
        peer::tree::join
    ),
    row!(
        Time,
        "tree (Loro): the same, one by one",
        "",
        ours::tree::join_one_by_one,
        peer::tree::join_one_by_one
    ),
    row!(Heap, "tree (Loro): live heap, 10,000 nodes", "", ours::tree::heap, peer::tree::heap),
];
