//! Two sides find out how their collections differ.

use alloc::vec::Vec;
use core::fmt;

use crdt_core::codec::DecodeError;

use super::collection::Collection;
use super::indices::SYMBOLS_MAX;
use super::limits::Limits;
use super::message::{Answer, Offer};
use super::salt::{Entry, Salt};
use super::sketch::{Peeled, Sketch};

/// The side that asks: how does what is here differ from what is there?
///
/// It offers a sketch; the other side, which remembers nothing, [answers](answer) with the
/// difference, or that the sketch is too short, and then a longer one is offered. Most often
/// that is one round trip; differences of hundreds take one more, rarely two. Nothing is taken from
/// the peer but names: what is under them is for sync sessions to find out.
///
/// Lost messages are the business of the connection: offer the same one again, or begin anew.
///
/// ```
/// use crdt_causal::reconcile::{Collection, Exchange, Limits, Salt, answer};
///
/// let here: Collection = [("a", 1), ("b", 2), ("c", 3)].into_iter().collect();
/// let there: Collection = [("a", 1), ("b", 7), ("d", 4)].into_iter().collect();
///
/// // The salt comes from a random source.
/// let mut exchange = Exchange::new(here, Salt(*b"some random bits"), Limits::default());
/// while let Some(offer) = exchange.poll_transmit() {
///     let answered = answer(&there, &offer, &Limits::default())?;
///     exchange.handle(&answered)?;
/// }
/// let difference = exchange.difference().expect("it was answered");
/// assert_eq!(difference.only_here, [b"c"]);
/// assert_eq!(difference.only_there, [b"d"]);
/// assert_eq!(difference.different, [b"b"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exchange {
    here: Collection,
    salt: Salt,
    limits: Limits,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// An offer of so many symbols, or of everything, is to be sent.
    Due(Size),
    Sent(Size),
    Done(Difference),
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Symbols(usize),
    Whole,
}

/// How two collections differ, by names in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Names that this side has alone.
    pub only_here: Vec<Vec<u8>>,
    /// Names that the other side has alone.
    pub only_there: Vec<Vec<u8>>,
    /// Names that both have, for things with different fingerprints.
    pub different: Vec<Vec<u8>>,
    /// Whether that is all. If not, an exchange after these were dealt with tells more.
    pub is_complete: bool,
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The message cannot be read.
    Decode(DecodeError),
    /// It is longer than the limit.
    MessageTooLong {
        /// Its length.
        bytes: usize,
    },
    /// An answer came that was not asked for, or that does not fit.
    Unexpected,
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => write!(f, "a message cannot be read: {error}"),
            Self::MessageTooLong { bytes } => write!(f, "a message of {bytes} bytes is too long"),
            Self::Unexpected => f.write_str("the answer fits no question"),
        }
    }
}

impl core::error::Error for ExchangeError {}

impl From<DecodeError> for ExchangeError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// What a symbol and an entry take at most.
const SYMBOL_BYTES: usize = 22;
const ENTRY_BYTES: usize = 16;
/// Beside the symbols or entries.
const HEAD_BYTES: usize = 48;

impl Exchange {
    /// Asks about what is `here`. `salt` is random: see [`Salt`].
    #[must_use]
    pub fn new(here: Collection, salt: Salt, limits: Limits) -> Self {
        let mut exchange = Self { here, salt, limits, state: State::Due(Size::Whole) };
        exchange.state = State::Due(exchange.size(limits.first_symbols));
        exchange
    }

    /// The offer to send now, if one is due.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let State::Due(size) = self.state else { return None };
        self.state = State::Sent(size);
        let entries = self.here.entries(self.salt);
        let offer = match size {
            Size::Symbols(symbols) => {
                Offer::Sketch(self.salt, Sketch::of(self.salt, entries, symbols))
            }
            Size::Whole => {
                let mut entries: Vec<Entry> = entries.collect();
                entries.sort_unstable();
                // As many as fit: another exchange, with another salt, is about others.
                let room = self.room();
                let upto = if entries.len() > room {
                    let upto = entries[room].key.saturating_sub(1);
                    entries.truncate(entries.partition_point(|entry| entry.key <= upto));
                    upto
                } else {
                    u64::MAX
                };
                Offer::Whole { salt: self.salt, entries, upto }
            }
        };
        Some(offer.to_bytes())
    }

    /// Takes in an answer.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; the exchange goes on waiting.
    pub fn handle(&mut self, bytes: &[u8]) -> Result<(), ExchangeError> {
        if bytes.len() > self.limits.message_bytes_max {
            return Err(ExchangeError::MessageTooLong { bytes: bytes.len() });
        }
        let State::Sent(size) = self.state else { return Err(ExchangeError::Unexpected) };
        match (Answer::decode(bytes)?, size) {
            (Answer::TooShort(_), Size::Whole) => Err(ExchangeError::Unexpected),
            (Answer::TooShort(too_short), Size::Symbols(symbols)) => {
                self.state = State::Due(self.size(too_short.symbols(symbols)));
                Ok(())
            }
            (Answer::Difference { names, unknown, complete }, _) => {
                let offered_all =
                    matches!(size, Size::Symbols(_)) || self.here.len() <= self.room();
                let mut difference =
                    Difference { is_complete: complete && offered_all, ..Difference::default() };
                let only_here = self.here.named(self.salt, &unknown);
                difference.only_here = only_here.map(|(_, name)| name.to_vec()).collect();
                if difference.only_here.len() != unknown.len() {
                    return Err(ExchangeError::Unexpected);
                }
                for name in names {
                    match self.here.get(&name) {
                        Some(_) => difference.different.push(name),
                        None => difference.only_there.push(name),
                    }
                }
                self.state = State::Done(difference);
                Ok(())
            }
        }
    }

    /// How the two differ, once that is known.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        match &self.state {
            State::Done(difference) => Some(difference),
            _ => None,
        }
    }

    /// How many entries an offer has room for.
    fn room(&self) -> usize {
        self.limits.message_bytes_max.saturating_sub(HEAD_BYTES) / ENTRY_BYTES
    }

    /// What to offer where so many symbols are wanted: everything, if that is shorter.
    fn size(&self, symbols: usize) -> Size {
        let bytes = symbols.saturating_mul(SYMBOL_BYTES);
        let longer = bytes >= self.here.len().saturating_mul(ENTRY_BYTES);
        let too_long = bytes.saturating_add(HEAD_BYTES) > self.limits.message_bytes_max;
        if longer || too_long || symbols > SYMBOLS_MAX {
            Size::Whole
        } else {
            Size::Symbols(symbols)
        }
    }
}

/// What the side that holds `here` answers to an offer. It remembers nothing between two calls.
///
/// O(entries · log symbols): who may ask how often is for the caller to decide.
///
/// # Errors
///
/// If the offer cannot be read, or is longer than the limit.
pub fn answer(here: &Collection, offer: &[u8], limits: &Limits) -> Result<Vec<u8>, ExchangeError> {
    if offer.len() > limits.message_bytes_max {
        return Err(ExchangeError::MessageTooLong { bytes: offer.len() });
    }
    let (salt, peeled) = match Offer::decode(offer)? {
        Offer::Sketch(salt, sketch) => match sketch.peel(salt, here.entries(salt)) {
            Ok(peeled) => (salt, peeled),
            Err(too_short) => return Ok(Answer::TooShort(too_short).to_bytes()),
        },
        Offer::Whole { salt, entries, upto } => (salt, compare(here, salt, &entries, upto)),
    };
    let mut keys: Vec<u64> = peeled.ours.iter().chain(&peeled.theirs).map(|e| e.key).collect();
    keys.sort_unstable();
    keys.dedup();
    // A key that has a name here is of something that is here alone, or different.
    let mut is_named: Vec<bool> = keys.iter().map(|_| false).collect();
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut room = limits.message_bytes_max.saturating_sub(HEAD_BYTES);
    let mut complete = true;
    for (place, name) in here.named(salt, &keys) {
        is_named[place] = true;
        let bytes = name.len() + crdt_core::codec::VARINT_LEN_MAX;
        if bytes > room {
            complete = false;
            continue;
        }
        room -= bytes;
        names.push(name.to_vec());
    }
    let mut unknown: Vec<u64> =
        keys.iter().zip(is_named).filter(|(_, named)| !named).map(|(key, _)| *key).collect();
    complete &= unknown.len() <= room / 8;
    unknown.truncate(room / 8);
    Ok(Answer::Difference { names, unknown, complete }.to_bytes())
}

/// How their entries, which ascend, differ from what is here, up to a key.
fn compare(here: &Collection, salt: Salt, theirs: &[Entry], upto: u64) -> Peeled {
    let mut ours: Vec<Entry> = here.entries(salt).filter(|entry| entry.key <= upto).collect();
    ours.sort_unstable();
    let only = |of: &[Entry], than: &[Entry]| {
        of.iter().filter(|entry| than.binary_search(entry).is_err()).copied().collect()
    };
    Peeled { theirs: only(theirs, &ours), ours: only(&ours, theirs) }
}
