//! Flags.

use crdt_core::flag::{DisableWinsFlagDelta, EnableWinsFlagDelta};
use crdt_core::laws::{Event, Subject, Version};
use crdt_core::{DisableWinsFlag, EnableWinsFlag, ReplicaId, Writer};

use super::super::nest::{DisableWinsAt, EnableWinsAt, FlagOp, Nest, Toggled, all_here};

pub(crate) struct EnableWins;

impl Subject for EnableWins {
    type Op = FlagOp;
    type Root = EnableWinsFlag;
    type Delta = EnableWinsFlagDelta;
    type Writer = Writer;
    type Value = Vec<ReplicaId>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &FlagOp, writer: &mut Writer) -> Self::Delta {
        match op {
            FlagOp::Enable => root.enable(writer).expect("numbers are left"),
            FlagOp::Disable => root.disable(writer),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.is_enabled(), !root.dots().is_empty());
        EnableWinsAt::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<FlagOp>], version: Version) -> Self::Value {
        EnableWinsAt::specified(&all_here(events), version).unwrap_or_default()
    }
}

pub(crate) struct DisableWins;

impl Subject for DisableWins {
    type Op = FlagOp;
    type Root = DisableWinsFlag;
    type Delta = DisableWinsFlagDelta;
    type Writer = Writer;
    type Value = Toggled;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &FlagOp, writer: &mut Writer) -> Self::Delta {
        let delta = match op {
            FlagOp::Enable => root.enable(writer),
            FlagOp::Disable => root.disable(writer),
        };
        delta.expect("numbers are left")
    }

    fn value(root: &Self::Root) -> Toggled {
        (root.is_enabled(), root.conflicts().map(|dot| dot.replica).collect())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<FlagOp>], version: Version) -> Toggled {
        DisableWinsAt::specified(&all_here(events), version).unwrap_or_default()
    }
}
