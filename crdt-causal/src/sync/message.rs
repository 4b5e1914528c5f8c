//! The messages of a sync session and their bytes.
//!
//! One byte of kind, then the fields; a message ends where its bytes end. Only canonical
//! varints are accepted, nothing is reserved on the word of a declared count, and whatever is
//! left over at the end of a message is an error.
//!
//! | kind | message | fields |
//! |---|---|---|
//! | 0 | [`Hello`] | protocol, then as there |
//! | 1 | changes: the last or only fragment of a body | number, bytes |
//! | 2 | the same, of a body that begins with empty tables | number, bytes |
//! | 3 | changes: a fragment of a body, with more to come | number, bytes |
//! | 4 | claim of a writer | number, replica id |
//! | 5 | acknowledgement | number received, how many of these are not durable yet |
//! | 6 | acknowledgement after a gap: the next number is missing here | as 5 |
//! | 7 | request for an acknowledgement | |
//! | 8 | presence | bytes |
//! | 9 | [`Refusal`] | code, argument |
//! | 10 | check of running hashes | number, dots as a frontier, 8 bytes for each |
//!
//! Kinds 1 to 4 and 10 are *numbered*, from 1 on: they are taken in once and in order, whatever the
//! network does.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use crdt_core::{Frontier, ReplicaId};

use super::chain::{self, ChainHash};
use super::hello::{FRONTIER_DOTS_MAX, Hello};
use super::refusal::Refusal;

/// A message of a sync session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// The greeting, in both directions at once.
    Hello(Box<Hello>),
    /// The greeting of a peer that speaks another version of the protocol, unread.
    OtherProtocol {
        /// The version that it speaks.
        protocol: u64,
    },
    /// A numbered message.
    Numbered {
        /// Its number among the numbered messages of its sender, from 1.
        number: u64,
        /// What it brings.
        content: Content<'a>,
    },
    /// What arrived at the sender of this message.
    Acknowledge(Acknowledgement),
    /// Asks for an [`Acknowledge`](Self::Acknowledge).
    RequestAcknowledgement,
    /// Something that passes, such as where a cursor is. It may be lost.
    Presence(&'a [u8]),
    /// The end of the session.
    Refuse(Refusal),
}

/// What a numbered message brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A part of an encoded body of changes.
    Fragment {
        /// The part.
        bytes: &'a [u8],
        /// Whether it is the last part.
        last: Last,
    },
    /// The sender writes in the name of a replica from now on.
    Claim(ReplicaId),
    /// The running hashes of what the sender's next changes build on.
    Check {
        /// Where they are.
        dots: Frontier,
        /// One for each dot.
        chains: Vec<ChainHash>,
    },
}

/// Whether a fragment ends its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// There is more to come.
    No,
    /// It does; the body goes on with the tables of the one before.
    Yes,
    /// It does; the body begins with empty tables.
    YesFreshTables,
}

/// How far numbered messages have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// All up to this number were received: they need not be sent again in this session.
    pub received: u64,
    /// What came with those up to this number is durable: it survives a crash of the receiver.
    pub durable: u64,
    /// Whether a later one arrived before the next one.
    pub gap: bool,
}

const HELLO: u8 = 0;
const LAST: u8 = 1;
const LAST_FRESH: u8 = 2;
const MORE: u8 = 3;
const CLAIM: u8 = 4;
const ACKNOWLEDGE: u8 = 5;
const ACKNOWLEDGE_GAP: u8 = 6;
const REQUEST: u8 = 7;
const PRESENCE: u8 = 8;
const REFUSE: u8 = 9;
const CHECK: u8 = 10;

/// The most that a numbered message adds to its fragment: kind and number.
pub(super) const NUMBERED_OVERHEAD: usize = 1 + crdt_core::codec::VARINT_LEN_MAX;

impl<'a> Message<'a> {
    /// The protocol version of this release.
    pub const PROTOCOL: u64 = 1;

    /// Whether `bytes` begin as a greeting does.
    pub(super) fn is_hello(bytes: &[u8]) -> bool {
        bytes.first() == Some(&HELLO)
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Writer) {
        match self {
            Self::Hello(hello) => {
                out.u8(HELLO);
                out.varint(Self::PROTOCOL);
                hello.encode(out);
            }
            Self::OtherProtocol { protocol } => {
                out.u8(HELLO);
                out.varint(*protocol);
            }
            Self::Numbered { number, content } => match content {
                Content::Fragment { bytes, last } => {
                    out.u8(match last {
                        Last::No => MORE,
                        Last::Yes => LAST,
                        Last::YesFreshTables => LAST_FRESH,
                    });
                    out.varint(*number);
                    out.raw(bytes);
                }
                Content::Claim(replica) => {
                    out.u8(CLAIM);
                    out.varint(*number);
                    replica.encode(out);
                }
                Content::Check { dots, chains } => {
                    out.u8(CHECK);
                    out.varint(*number);
                    dots.encode(out);
                    chain::encode(chains, out);
                }
            },
            Self::Acknowledge(Acknowledgement { received, durable, gap }) => {
                out.u8(if *gap { ACKNOWLEDGE_GAP } else { ACKNOWLEDGE });
                out.varint(*received);
                out.varint(received - durable);
            }
            Self::RequestAcknowledgement => out.u8(REQUEST),
            Self::Presence(bytes) => {
                out.u8(PRESENCE);
                out.raw(bytes);
            }
            Self::Refuse(refusal) => {
                out.u8(REFUSE);
                refusal.encode(out);
            }
        }
    }

    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.encode(&mut out);
        out.into_bytes()
    }

    /// Reads a message that fills `bytes`.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let message = match input.u8()? {
            HELLO => match input.varint()? {
                Self::PROTOCOL => Self::Hello(Box::new(Hello::decode(&mut input)?)),
                protocol => {
                    input.take(input.remaining())?;
                    Self::OtherProtocol { protocol }
                }
            },
            MORE => fragment(&mut input, Last::No)?,
            LAST => fragment(&mut input, Last::Yes)?,
            LAST_FRESH => fragment(&mut input, Last::YesFreshTables)?,
            CLAIM => Self::Numbered {
                number: number(&mut input)?,
                content: Content::Claim(ReplicaId::decode(&mut input)?),
            },
            CHECK => {
                let number = number(&mut input)?;
                let at = input.position();
                let dots = Frontier::decode(&mut input)?;
                if !(1..=FRONTIER_DOTS_MAX).contains(&dots.len()) {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
                let chains = chain::decode(dots.len(), &mut input)?;
                Self::Numbered { number, content: Content::Check { dots, chains } }
            }
            kind @ (ACKNOWLEDGE | ACKNOWLEDGE_GAP) => {
                let received = input.varint_max(NUMBER_MAX)?;
                let durable = received - input.varint_max(received)?;
                Self::Acknowledge(Acknowledgement {
                    received,
                    durable,
                    gap: kind == ACKNOWLEDGE_GAP,
                })
            }
            REQUEST => Self::RequestAcknowledgement,
            PRESENCE => Self::Presence(input.take(input.remaining())?),
            REFUSE => Self::Refuse(Refusal::decode(&mut input)?),
            _ => return Err(DecodeErrorKind::UnknownTag.at(0)),
        };
        input.finish()?;
        Ok(message)
    }
}

/// The greatest number of a message. No connection gets there; no addition overflows before.
const NUMBER_MAX: u64 = 1 << 62;

fn number(input: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let at = input.position();
    match input.varint_max(NUMBER_MAX)? {
        0 => Err(DecodeErrorKind::OutOfRange.at(at)),
        number => Ok(number),
    }
}

fn fragment<'a>(input: &mut Reader<'a>, last: Last) -> Result<Message<'a>, DecodeError> {
    let number = number(input)?;
    let bytes = input.take(input.remaining())?;
    Ok(Message::Numbered { number, content: Content::Fragment { bytes, last } })
}
