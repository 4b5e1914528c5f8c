//! What is going to happen in a run.

/// Something that is going to happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A step of the plan.
    Step(usize),
    /// What a step began is over.
    StepEnds(usize),
    /// A packet comes to one end of a link.
    Arrive { link: usize, connection: u64, end: usize, bytes: Vec<u8> },
    /// A node has to go on by itself.
    Wake { node: usize },
    /// A write is durable, unless there was a crash since.
    Synced { node: usize, boot: u64 },
    /// The middle of a write.
    MidWrite { node: usize, boot: u64 },
    /// A pause is over, if no longer one has begun.
    Resume { node: usize },
    /// A process starts again.
    Boot { node: usize, boot: u64 },
    /// Someone tries to connect.
    Connect { link: usize },
    /// One round after two met who hold different events under one name.
    RoundEnds { link: usize, connection: u64, forks_seen: u64 },
    /// A server looks at what of its history may be forgotten.
    Trim { node: usize },
    /// A server asks the others how far they are.
    Ask { node: usize },
    /// A client that waits at a server waits no longer.
    Deadline { node: usize },
    /// The faults end.
    Calm,
}
