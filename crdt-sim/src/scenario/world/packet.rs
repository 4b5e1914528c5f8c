//! What machines of a scenario say to each other.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::Level;
use crdt_causal::policy::Operation;
use crdt_core::VersionVector;

use crate::scenario::stock::StockState;

/// What somebody says of a server: relayed by others, who need not understand it.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) slot: Slot,
    /// How many events were visible there, and which: whoever has these has applied the position.
    pub(super) position: u64,
    pub(super) version: VersionVector,
    /// When, on the server's clock.
    pub(super) at: u64,
    pub(super) applied: Cut,
    /// Up to where it has heard of strong operations.
    pub(super) strong: u64,
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The value of a register.
    Read(u64),
    /// A register gets this value, which no other write uses.
    Write(u64, u64),
    /// An order is paid for.
    Pay(u64),
    /// A unit of the stock is taken.
    Buy,
}

impl What {
    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::Read(_) => Operation::Read,
            Self::Write(..) | Self::Pay(_) | Self::Buy => Operation::Write,
        }
    }
}

/// A client's request, the same each time that it is sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) client: usize,
    /// The how-many-th of the client.
    pub(super) number: u64,
    pub(super) class: &'static str,
    pub(super) what: What,
    /// When it was made, and when an answer is of no use any more.
    pub(super) made_at: u64,
    pub(super) due: u64,
    /// The client's token, as text.
    pub(super) token: String,
}

/// What a server answers.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It was done at this level.
    Done {
        level: Level,
        value: Option<u64>,
        /// How old the oldest event is that was not shown, and how many there are: the truth, from above.
        staleness: Option<(u64, u64)>,
    },
    /// It was not done, and not for lack of time.
    Refused,
    /// Another server knows enough.
    Elsewhere(usize),
    /// It may have been done: to be asked again under the same name.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) number: u64,
    pub(super) outcome: Outcome,
    pub(super) token: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Packet {
    /// A message of a sync session.
    Sync(Vec<u8>),
    /// What is known of all servers, and the stock if there is one.
    Words {
        words: Vec<Word>,
        stock: Option<StockState>,
        sent_at: u64,
    },
    /// The answer to words, for whoever measures the time.
    Echo {
        sent_at: u64,
    },
    /// A server that has few rights to sell asks for some.
    Rights(u64),
    Ask(Request),
    Reply(Reply),
}

impl Packet {
    /// How long it is, as far as bandwidth is concerned: messages of sessions as they are, the rest as
    /// so many bytes as a frame of the server's protocol of its kind has, roughly.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sync(bytes) => bytes.len(),
            Self::Words { words, .. } => 60 * words.len(),
            Self::Ask(request) => 40 + request.token.len(),
            Self::Reply(reply) => 40 + reply.token.as_ref().map_or(0, String::len),
            Self::Echo { .. } | Self::Rights(_) => 16,
        }
    }
}
