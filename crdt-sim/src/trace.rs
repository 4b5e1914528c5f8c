//! What happened, as one number, and in full where someone wants to see it.

use crate::faults::Fault;

/// What a trace tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A user's change; how many events it was.
    Edit(u64),
    /// A packet left for another node, or for nowhere.
    Sent {
        /// The other end.
        to: usize,
        /// When it arrives, each time.
        arrivals: Vec<u64>,
        /// What befell it.
        fault: Option<Fault>,
    },
    /// A packet came; how many events it brought.
    Received {
        /// The other end.
        from: usize,
        /// How many events were applied.
        applied: u64,
    },
    /// A write is durable.
    Synced,
    /// Something befell the node, which the text says.
    Fault(String),
    /// The node came back.
    Back,
    /// A connection to another node was made.
    Connected(usize),
    /// The connection to another node was given up.
    Refused(usize, String),
    /// What the story says.
    Announced(String),
    /// What is wrong.
    Violation(String),
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The virtual time.
    pub at_ms: u64,
    /// Where.
    pub node: usize,
    /// What.
    pub what: Happening,
}

/// What happened in a run.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    steps: u64,
    /// All of it, if it is kept.
    pub lines: Option<Vec<Line>>,
}

impl Trace {
    /// A trace of nothing, that keeps lines or not.
    #[must_use]
    pub fn new(keeps_lines: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, steps: 0, lines: keeps_lines.then(Vec::new) }
    }

    /// Adds what decides whether two runs are one: numbers and bytes, eight of which are one number.
    pub fn add(&mut self, numbers: &[u64], bytes: &[u8]) {
        self.steps += 1;
        numbers.iter().for_each(|number| self.mix(*number));
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last));
        self.mix(bytes.len() as u64);
    }

    /// FNV-1a (Fowler, Noll, Vo) with words for bytes, and turned, so that high bits reach low ones.
    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
    }

    /// Keeps a line, if lines are kept.
    pub fn line(&mut self, at_ms: u64, node: usize, what: impl FnOnce() -> Happening) {
        if let Some(lines) = &mut self.lines {
            lines.push(Line { at_ms, node, what: what() });
        }
    }

    /// Everything that happened, as one number.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How much happened.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }
}
