//! What one server tells another, beside the sync sessions of documents: in frames of the kind
//! [`Peer`](crate::frame::FrameBody::Peer), described in `docs/protocol.md`.

use std::sync::Arc;

use crdt_causal::cut::{Cut, Epoch, POSITION_MAX, Slot};
use crdt_causal::session::Realm;
use crdt_causal::stability::Report;
use crdt_core::ReplicaId;
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use crate::frame::{DOCUMENT_NAME_BYTES_MAX, Frame, FrameBody, is_valid_document_name};

/// The version of what servers say to each other.
pub const PROTOCOL: u32 = 2;

/// What one server tells another, beside the sessions of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerMessage {
    /// The first of each side.
    Greeting(Greeting),
    /// The last: the link is not to be.
    Refusal {
        /// Why, for programs.
        code: u32,
        /// Why, for people.
        text: String,
    },
    /// You hold everything in this, durably.
    Holds(Cut),
    /// The last positions of servers, each with the time, by the clock of that server, at which
    /// it was that.
    Heads(Vec<(Slot, u64, u64)>),
    /// How do our collections of documents differ? An offer of [`crdt_causal::reconcile`].
    Offer(Vec<u8>),
    /// The answer to an offer.
    Answer(Vec<u8>),
    /// Documents of the receiver's that came out as different, or as not known to the sender;
    /// with whether these were the last.
    Differing {
        /// Their names.
        documents: Vec<Arc<str>>,
        /// Whether the comparison is complete with them.
        is_last: bool,
    },
    /// Digests of the tokens that replica ids belong to, in the document of the channel.
    Owners(Vec<(ReplicaId, [u8; 32])>),
    /// How far a server has got with forgetting history: the sender, or one that the receiver may have no
    /// link with.
    Report(Statement),
}

/// What a server has said of itself, passed on as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Whose it is.
    pub slot: Slot,
    /// The admission log of that server.
    pub log_id: u64,
    /// Greater than that of all that it has said before.
    pub number: u64,
    /// What it says.
    pub report: Report,
}

/// Who a server is, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The version of what servers say to each other: [`PROTOCOL`].
    pub protocol: u32,
    /// The sender's realm.
    pub realm: Realm,
    /// The membership that the cuts are of.
    pub epoch: Epoch,
    /// The sender's slot.
    pub slot: Slot,
    /// Tells the sender's admission log from any other.
    pub log_id: u64,
    /// The cut that the sender has applied, its own last position included.
    pub applied: Cut,
    /// The admission logs that the positions in `applied` are of, for those known.
    pub logs: Vec<(Slot, u64)>,
    /// Entries of the sender's admission log up to this position are no longer there.
    pub forgotten: u64,
    /// For how long the sender keeps history, in milliseconds; 0 for ever.
    pub horizon_ms: u64,
    /// The slot of the server that decides strong operations, if the sender knows of one.
    pub authority: Option<Slot>,
    /// Where clients reach the sender; empty if it does not say.
    pub url: String,
}

/// The longest address, in bytes.
pub const URL_BYTES_MAX: usize = 512;

/// How many servers one message tells of, at most.
const SERVERS_MAX: usize = 1024;

/// How many documents a message names, at most.
pub const NAMES_MAX: usize = 256;

/// How many owners a message has, at most.
pub const OWNERS_MAX: usize = 1024;

mod kind {
    pub(super) const GREETING: u8 = 0;
    pub(super) const REFUSAL: u8 = 1;
    pub(super) const HOLDS: u8 = 2;
    pub(super) const HEADS: u8 = 3;
    pub(super) const OFFER: u8 = 4;
    pub(super) const ANSWER: u8 = 5;
    pub(super) const DIFFERING: u8 = 6;
    pub(super) const OWNERS: u8 = 7;
    pub(super) const REPORT: u8 = 8;
}

impl PeerMessage {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Greeting(greeting) => {
                out.u8(kind::GREETING);
                greeting.encode(&mut out);
            }
            Self::Refusal { code, text } => {
                out.u8(kind::REFUSAL);
                out.varint(u64::from(*code));
                out.string(text);
            }
            Self::Holds(cut) => {
                out.u8(kind::HOLDS);
                cut.encode(&mut out);
            }
            Self::Heads(heads) => {
                out.u8(kind::HEADS);
                out.count(heads.len());
                for &(slot, position, age) in heads {
                    slot.encode(&mut out);
                    out.varint(position);
                    out.varint(age);
                }
            }
            Self::Offer(offer) => {
                out.u8(kind::OFFER);
                out.raw(offer);
            }
            Self::Answer(answer) => {
                out.u8(kind::ANSWER);
                out.raw(answer);
            }
            Self::Differing { documents, is_last } => {
                out.u8(kind::DIFFERING);
                out.u8(u8::from(*is_last));
                out.count(documents.len());
                documents.iter().for_each(|name| out.string(name));
            }
            Self::Owners(owners) => {
                out.u8(kind::OWNERS);
                out.count(owners.len());
                for (replica, owner) in owners {
                    out.raw(&replica.to_bytes());
                    out.raw(owner);
                }
            }
            Self::Report(Statement { slot, log_id, number, report }) => {
                out.u8(kind::REPORT);
                slot.encode(&mut out);
                out.raw(&log_id.to_le_bytes());
                out.varint(*number);
                report.encode(&mut out);
            }
        }
        out.into_bytes()
    }

    /// Whether the frame only says where servers are.
    pub fn is_heartbeat(frame: &Frame<'_>) -> bool {
        matches!(frame.body, FrameBody::Peer([kind::HEADS, ..]))
    }

    /// Reads one message.
    ///
    /// # Errors
    ///
    /// Where the bytes are not a message, or something in it is longer than it may be.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let message = match input.u8()? {
            kind::GREETING => Self::Greeting(Greeting::decode(&mut input)?),
            kind::REFUSAL => {
                let code = input.varint_u32()?;
                Self::Refusal { code, text: bounded(&mut input, URL_BYTES_MAX)?.to_owned() }
            }
            kind::HOLDS => Self::Holds(decode_cut(&mut input)?),
            kind::HEADS => Self::Heads(list(&mut input, 3, SERVERS_MAX, |input| {
                let slot = Slot::decode(input)?;
                Ok((slot, input.varint_max(POSITION_MAX)?, input.varint()?))
            })?),
            kind::OFFER => return Ok(Self::Offer(input.rest().to_vec())),
            kind::ANSWER => return Ok(Self::Answer(input.rest().to_vec())),
            kind::DIFFERING => {
                let is_last = match input.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(DecodeErrorKind::UnknownTag.at(1)),
                };
                let documents = list(&mut input, 2, NAMES_MAX, decode_name)?;
                Self::Differing { documents, is_last }
            }
            kind::OWNERS => Self::Owners(list(&mut input, 48, OWNERS_MAX, |input| {
                let replica = ReplicaId::from_bytes(input.array()?);
                Ok((replica, input.array()?))
            })?),
            kind::REPORT => Self::Report(Statement {
                slot: Slot::decode(&mut input)?,
                log_id: u64::from_le_bytes(input.array()?),
                number: input.varint()?,
                report: decode_report(&mut input)?,
            }),
            _ => return Err(DecodeErrorKind::UnknownTag.at(0)),
        };
        input.finish()?;
        Ok(message)
    }
}

impl Greeting {
    fn encode(&self, out: &mut Writer) {
        out.varint(u64::from(self.protocol));
        self.realm.encode(out);
        self.epoch.encode(out);
        self.slot.encode(out);
        out.raw(&self.log_id.to_le_bytes());
        self.applied.encode(out);
        out.count(self.logs.len());
        for (slot, log) in &self.logs {
            slot.encode(out);
            out.raw(&log.to_le_bytes());
        }
        out.varint(self.forgotten);
        out.varint(self.horizon_ms);
        out.varint(self.authority.map_or(0, |slot| u64::from(slot.0) + 1));
        out.string(&self.url);
    }

    /// What follows another version of the protocol is left unread.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let protocol = input.varint_u32()?;
        if protocol != PROTOCOL {
            input.take(input.remaining())?;
            return Ok(Self {
                protocol,
                realm: Realm::default(),
                epoch: Epoch::default(),
                slot: Slot::default(),
                log_id: 0,
                applied: Cut::new(),
                logs: Vec::new(),
                forgotten: 0,
                horizon_ms: 0,
                authority: None,
                url: String::new(),
            });
        }
        Ok(Self {
            protocol,
            realm: Realm::decode(input)?,
            epoch: Epoch::decode(input)?,
            slot: Slot::decode(input)?,
            log_id: u64::from_le_bytes(input.array()?),
            applied: decode_cut(input)?,
            logs: list(input, 9, SERVERS_MAX, |input| {
                Ok((Slot::decode(input)?, u64::from_le_bytes(input.array()?)))
            })?,
            forgotten: input.varint_max(POSITION_MAX)?,
            horizon_ms: input.varint()?,
            authority: decode_authority(input)?,
            url: bounded(input, URL_BYTES_MAX)?.to_owned(),
        })
    }
}

fn decode_authority(input: &mut Reader<'_>) -> Result<Option<Slot>, DecodeError> {
    let at = input.position();
    let slot = input.varint_max(u64::from(u16::MAX) + 1)?.checked_sub(1);
    let slot = slot.map(|slot| u16::try_from(slot).map_err(|_| DecodeErrorKind::OutOfRange.at(at)));
    Ok(slot.transpose()?.map(Slot))
}

fn list<T>(
    input: &mut Reader<'_>,
    element_bytes_min: usize,
    max: usize,
    element: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let at = input.position();
    let count = input.count(element_bytes_min)?;
    if count > max {
        return Err(DecodeErrorKind::CountTooLarge.at(at));
    }
    (0..count).map(|_| element(input)).collect()
}

fn decode_cut(input: &mut Reader<'_>) -> Result<Cut, DecodeError> {
    let at = input.position();
    let cut = Cut::decode(input)?;
    if cut.len() > SERVERS_MAX { Err(DecodeErrorKind::CountTooLarge.at(at)) } else { Ok(cut) }
}

fn decode_report(input: &mut Reader<'_>) -> Result<Report, DecodeError> {
    let at = input.position();
    let report = Report::decode(input)?;
    let len = report.applied.len().max(report.floor.len()).max(report.trusted.len());
    if len > SERVERS_MAX { Err(DecodeErrorKind::CountTooLarge.at(at)) } else { Ok(report) }
}

fn decode_name(input: &mut Reader<'_>) -> Result<Arc<str>, DecodeError> {
    let at = input.position();
    let name = bounded(input, DOCUMENT_NAME_BYTES_MAX)?;
    if is_valid_document_name(name) {
        Ok(name.into())
    } else {
        Err(DecodeErrorKind::OutOfRange.at(at))
    }
}

fn bounded<'a>(input: &mut Reader<'a>, bytes_max: usize) -> Result<&'a str, DecodeError> {
    let at = input.position();
    let text = input.string()?;
    if text.len() > bytes_max { Err(DecodeErrorKind::InputTooLong.at(at)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<PeerMessage> {
        let cut = Cut::from_iter([(Slot(0), 7), (Slot(3), 1 << 40)]);
        let name = || Arc::<str>::from("teams/ä");
        let owner = (ReplicaId::from_u128(1), [7; 32]);
        let report = Report {
            epoch: Epoch(2),
            applied: cut.clone(),
            floor: Cut::from_iter([(Slot(0), 2)]),
            trusted: [Slot(0), Slot(3)].into(),
        };
        vec![
            PeerMessage::Greeting(Greeting {
                protocol: PROTOCOL,
                realm: Realm(9),
                epoch: Epoch(2),
                slot: Slot(1),
                log_id: u64::MAX,
                applied: cut.clone(),
                logs: vec![(Slot(0), 5), (Slot(3), 6)],
                forgotten: 3,
                horizon_ms: 30 * 24 * 3_600_000,
                authority: Some(Slot(u16::MAX)),
                url: "http://b.example".to_owned(),
            }),
            PeerMessage::Refusal { code: 3, text: "no".to_owned() },
            PeerMessage::Holds(cut),
            PeerMessage::Heads(vec![(Slot(0), 9, 0), (Slot(9), 1, 1000)]),
            PeerMessage::Offer(b"an offer".to_vec()),
            PeerMessage::Answer(Vec::new()),
            PeerMessage::Differing { documents: vec![name()], is_last: true },
            PeerMessage::Differing { documents: Vec::new(), is_last: false },
            PeerMessage::Owners(vec![owner]),
            PeerMessage::Report(Statement {
                slot: Slot(3),
                log_id: 1 << 60,
                number: 1 << 33,
                report,
            }),
        ]
    }

    #[test]
    fn each_message_comes_back_and_no_part_of_it_is_one() {
        for message in examples() {
            let bytes = message.to_bytes();
            let is_open_ended = matches!(message, PeerMessage::Offer(_) | PeerMessage::Answer(_));
            assert_eq!(PeerMessage::decode(&bytes), Ok(message));
            for len in 0..if is_open_ended { 1 } else { bytes.len() } {
                assert!(PeerMessage::decode(&bytes[..len]).is_err());
            }
        }
    }

    #[test]
    fn damaged_messages_are_refused_or_read_without_harm() {
        let mut rng = fastrand::Rng::with_seed(3);
        for message in examples() {
            for _ in 0..2000 {
                let mut bytes = message.to_bytes();
                for _ in 0..rng.usize(1..4) {
                    let at = rng.usize(..bytes.len());
                    bytes[at] = rng.u8(..);
                }
                match PeerMessage::decode(&bytes) {
                    // Of another version nothing but its number is read.
                    Ok(PeerMessage::Greeting(greeting)) if greeting.protocol != PROTOCOL => {}
                    Ok(read) => assert_eq!(read.to_bytes(), bytes),
                    Err(_) => {}
                }
            }
        }
    }

    #[test]
    fn counts_are_bounded() {
        let names = |count| (0..count).map(|i: usize| Arc::from(i.to_string())).collect();
        let long = PeerMessage::Differing { documents: names(NAMES_MAX + 1), is_last: true };
        assert!(PeerMessage::decode(&long.to_bytes()).is_err());
        let fits = PeerMessage::Differing { documents: names(NAMES_MAX), is_last: true };
        assert_eq!(PeerMessage::decode(&fits.to_bytes()), Ok(fits));
    }

    #[test]
    fn another_version_is_understood_as_far_as_its_number() {
        let message = PeerMessage::decode(&[0, 9, 0xff, 0xff]).expect("the version is readable");
        assert!(matches!(message, PeerMessage::Greeting(Greeting { protocol: 9, .. })));
    }
}
