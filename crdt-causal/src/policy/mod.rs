//! Which level for which operation, and what to do when it cannot be had.
//!
//! [`level`](crate::level) decides whether one server may answer one request at a level. This module is what stands
//! before it and after it, in the words of an application:
//!
//! * [`Policy`]: rules from (data class, operation, region, deadline, health) to a level with a floor, as a table.
//! * [`Degrade`]: which level the system can keep at the moment, weaker under faults and stronger
//!   again afterwards, without flapping, and without anybody seeing time go backwards.
//! * [`Gate`]: what depends on something in a stronger layer waits for it, wherever it arrives.
//! * [`Batcher`]: operations of a window of time, strongest first, each session in its own order.
//! * [`OfflineQueue`]: what a client does while it is offline, critical operations first, the others coalesced.
//! * [`Saga`]: several strong steps, taken back in reverse order if one of them is refused.
//! * [`Outbox`]: weak effects of a strong operation, which nobody sees if that aborts, nor before it commits.
//!
//! All are machines without I/O: `now`, in milliseconds, is an argument; what has to survive a crash is a value that
//! is encoded and saved before anything that relies on it is sent. `docs/policies.md` is the guide.

mod batch;
mod context;
mod degrade;
mod gate;
mod ladder;
mod offline;
mod outbox;
mod presets;
mod rules;
mod saga;

pub use batch::Batcher;
pub use context::{Circumstance, OpContext, Operation, Urgency};
pub use degrade::{Degrade, DegradeConfig, Reply, Sample, Transition};
pub use gate::{Gate, GateFull, Past};
pub use ladder::Ladder;
pub use offline::{
    OfflineLimits, OfflineOp, OfflineQueue, OfflineReply, QueueError, Request, Resolution,
};
pub use outbox::{Effect, EffectId, Outbox, OutboxError};
pub use presets::{
    DEADLINES, MONSOON, ORDER_PLATFORM, ReplicationPreset, URGENCIES, order_platform,
};
pub use rules::{Choice, DeadlineRule, LevelRange, Limit, Policy, Rule};
pub use saga::{Saga, SagaCommand, SagaKey, SagaReply, SagaState, SavedError};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/policies.md")]
struct Guide;
