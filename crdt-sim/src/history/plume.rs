//! Histories as text, in the format of Plume: one event a line.
//!
//! `r(KEY,VALUE,SESSION,TRANSACTION)` or `w(KEY,VALUE,SESSION,TRANSACTION)`, all of them numbers. Sessions are those
//! that are named, and their transactions are in the order in which they are first named; events of a
//! transaction are in the order of their lines, which need not be together. The value 0 is the
//! initial one: writing it changes nothing, and is left out. Transaction −1 stands for all that were aborted.
//!
//! Liu, Gu, Wei and Basin, *Plume: efficient and complete black-box checking of weak isolation levels* (2024).

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use super::{Event, History};

/// What is wrong with a text, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlumeError {
    /// In which line, from 1.
    pub line: usize,
    /// At which byte of it, from 1.
    pub column: usize,
    /// What it is.
    pub kind: PlumeErrorKind,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlumeErrorKind {
    /// Something else should stand there.
    Expected(&'static str),
    /// A number that has more than 64 bits.
    NumberTooLarge,
    /// A transaction that an earlier line has in another session.
    InTwoSessions,
}

impl fmt::Display for PlumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        match self.kind {
            PlumeErrorKind::Expected(what) => write!(f, "expected {what}"),
            PlumeErrorKind::NumberTooLarge => f.write_str("a number with more than 64 bits"),
            PlumeErrorKind::InTwoSessions => {
                f.write_str("the transaction is in another session above")
            }
        }
    }
}

impl std::error::Error for PlumeError {}

/// Reads a history. O(n log n) for n lines.
///
/// # Errors
///
/// [`PlumeError`] with the first place that is not as it should be.
pub fn read(text: &[u8]) -> Result<History, PlumeError> {
    let mut placed: Vec<Placed> = Vec::new();
    let mut sessions: BTreeMap<u64, u32> = BTreeMap::new();
    let mut transactions: BTreeMap<(u64, u64), (u32, u32)> = BTreeMap::new();
    for (bytes, line) in text.split(|&byte| byte == b'\n').zip(1..) {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.is_empty() {
            continue;
        }
        let mut parser = Line { bytes, at: 0, line };
        let (event, session, name, name_at) = parser.event()?;
        let count = sessions.len() as u32;
        let session_at = *sessions.entry(session).or_insert(count);
        // Aborted ones are told apart by their session alone.
        let place = name.map_or((1, session), |name| (0, name));
        let count = transactions.len() as u32;
        let (transaction, of) = *transactions.entry(place).or_insert((count, session_at));
        if of != session_at {
            return Err(PlumeError {
                line,
                column: name_at + 1,
                kind: PlumeErrorKind::InTwoSessions,
            });
        }
        let is_nothing = matches!(event, Event::Write { value: 0, .. });
        placed.push(Placed {
            session: session_at,
            transaction,
            is_committed: name.is_some(),
            event: (!is_nothing).then_some(event),
        });
    }
    placed.sort_by_key(|placed| (placed.session, placed.transaction));
    let mut history = History::new();
    let mut last = None;
    for placed in placed {
        let (session, transaction) = (placed.session, placed.transaction);
        if last.is_none_or(|(before, _)| before != session) {
            history.begin_session();
        }
        if last != Some((session, transaction)) {
            history.begin_transaction(placed.is_committed);
        }
        last = Some((session, transaction));
        placed.event.into_iter().for_each(|event| history.push(event));
    }
    Ok(history)
}

/// A line, and where it belongs.
struct Placed {
    session: u32,
    transaction: u32,
    is_committed: bool,
    /// `None` for a write of the initial value.
    event: Option<Event>,
}

struct Line<'t> {
    bytes: &'t [u8],
    at: usize,
    line: usize,
}

impl Line<'_> {
    /// The event, its session, its transaction and where that stands.
    fn event(&mut self) -> Result<(Event, u64, Option<u64>, usize), PlumeError> {
        let is_write = match self.bytes.first() {
            Some(b'r') => false,
            Some(b'w') => true,
            _ => return Err(self.error(PlumeErrorKind::Expected("r or w"))),
        };
        self.at += 1;
        self.expect(b'(', "(")?;
        let key = self.number()?;
        self.expect(b',', ",")?;
        let value = self.number()?;
        self.expect(b',', ",")?;
        let session = self.number()?;
        self.expect(b',', ",")?;
        let name_at = self.at;
        let name = if self.bytes[self.at..].starts_with(b"-1") {
            self.at += 2;
            None
        } else {
            Some(self.number()?)
        };
        self.expect(b')', ")")?;
        if self.at < self.bytes.len() {
            return Err(self.error(PlumeErrorKind::Expected("the end of the line")));
        }
        let event = if is_write {
            Event::Write { key, value }
        } else {
            Event::Read { key, value: (value != 0).then_some(value) }
        };
        Ok((event, session, name, name_at))
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), PlumeError> {
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(self.error(PlumeErrorKind::Expected(what)));
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<u64, PlumeError> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.error(PlumeErrorKind::Expected("a number")));
        }
        let mut number = 0_u64;
        for byte in &self.bytes[self.at..self.at + digits] {
            let next = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(byte - b'0')));
            number = next.ok_or_else(|| self.error(PlumeErrorKind::NumberTooLarge))?;
        }
        self.at += digits;
        Ok(number)
    }

    const fn error(&self, kind: PlumeErrorKind) -> PlumeError {
        PlumeError { line: self.line, column: self.at + 1, kind }
    }
}

/// Writes a history. Sessions and transactions without events are not in it, and the others are numbered, transactions
/// through all sessions. Those that were aborted become one in each session, which is all that the format can say.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidInput`] if the history writes the value 0, which is the initial one here; and
/// what `out` fails with.
pub fn write(history: &History, out: &mut impl io::Write) -> io::Result<()> {
    let (mut sessions, mut transactions) = (0, 0);
    for session in 0..history.sessions() {
        let before = transactions;
        for transaction in history.transactions_of(session) {
            let events = history.events_of(transaction);
            let is_committed = history.is_committed(transaction);
            let is_empty = events.is_empty();
            for at in events {
                let (operation, key, value) = match history.events()[at] {
                    Event::Read { key, value } => ('r', key, value.unwrap_or(0)),
                    Event::Write { value: 0, .. } => {
                        let what = "the value 0 cannot be written: it is the initial one";
                        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
                    }
                    Event::Write { key, value } => ('w', key, value),
                };
                if is_committed {
                    writeln!(out, "{operation}({key},{value},{sessions},{transactions})")?;
                } else {
                    writeln!(out, "{operation}({key},{value},{sessions},-1)")?;
                }
            }
            transactions += u64::from(!is_empty);
        }
        sessions += u64::from(transactions > before);
    }
    Ok(())
}
