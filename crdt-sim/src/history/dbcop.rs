//! Histories as JSON, in the format of dbcop.
//!
//! An array of sessions, each an array of transactions `{"events": […], "committed": true}`, or an object that
//! has this array as its `data`. An event is `{"Read": {"variable": 0, "version": 1}}` or
//! `{"Write": {"variable": 0, "version": 1}}`, or in short `["r", 0, 1]` or `["w", 0, 1]`; what was read is `null` where it
//! is the initial value, and 0 is that too where nobody writes it.
//!
//! Biswas and Enea, *On the complexity of checking transactional consistency* (2019).

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{Event, History};

/// What is wrong with a text, and where.
#[derive(Debug)]
pub struct DbcopError(serde_json::Error);

impl DbcopError {
    /// In which line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// At which byte of it, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column()
    }

    /// Whether it is JSON, but not a history.
    #[must_use]
    pub fn is_no_history(&self) -> bool {
        self.0.is_data()
    }
}

impl fmt::Display for DbcopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for DbcopError {}

/// Reads a history. O(n log n) for n events.
///
/// # Errors
///
/// [`DbcopError`] with the first place that is not as it should be.
pub fn read(text: &[u8]) -> Result<History, DbcopError> {
    let mut input = serde_json::Deserializer::from_slice(text);
    let mut history = History::new();
    File(&mut history).deserialize(&mut input).and_then(|()| input.end()).map_err(DbcopError)?;
    name_initial_values(&mut history);
    Ok(history)
}

/// A read of 0 that nobody wrote is one of the initial value.
fn name_initial_values(history: &mut History) {
    let zeros: BTreeSet<u64> = history.events.iter().filter_map(zero_written).collect();
    for event in &mut history.events {
        if let Event::Read { key, value } = event
            && *value == Some(0)
            && !zeros.contains(key)
        {
            *value = None;
        }
    }
}

const fn zero_written(event: &Event) -> Option<u64> {
    match *event {
        Event::Write { key, value: 0 } => Some(key),
        _ => None,
    }
}

/// The array of sessions, or what it is in.
struct File<'h>(&'h mut History);

impl<'de> DeserializeSeed<'de> for File<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of sessions, or an object with it as data")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sessions: A) -> Result<(), A::Error> {
        while sessions.next_element_seed(Session(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut has_data = false;
        while let Some(name) = fields.next_key::<String>()? {
            if name != "data" {
                fields.next_value::<IgnoredAny>()?;
            } else if has_data {
                return Err(A::Error::duplicate_field("data"));
            } else {
                fields.next_value_seed(File(self.0))?;
                has_data = true;
            }
        }
        if has_data { Ok(()) } else { Err(A::Error::missing_field("data")) }
    }
}

struct Session<'h>(&'h mut History);

impl<'de> DeserializeSeed<'de> for Session<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        self.0.begin_session();
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Session<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session: an array of transactions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut transactions: A) -> Result<(), A::Error> {
        while let Some(transaction) = transactions.next_element::<Transaction>()? {
            self.0.begin_transaction(transaction.committed);
            self.0.events.extend(transaction.events.into_iter().map(|event| event.0));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Transaction {
    events: Vec<AnyEvent>,
    committed: bool,
}

#[derive(Deserialize)]
struct ReadFields {
    variable: u64,
    version: Option<u64>,
}

#[derive(Deserialize)]
struct WriteFields {
    variable: u64,
    version: u64,
}

/// An event, in the long or the short form.
struct AnyEvent(Event);

impl<'de> Deserialize<'de> for AnyEvent {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(EventVisitor).map(Self)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: an object with Read or Write, or an array of three")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Event, A::Error> {
        let event = match fields.next_key::<String>()?.as_deref() {
            Some("Read") => {
                let ReadFields { variable, version } = fields.next_value()?;
                Event::Read { key: variable, value: version }
            }
            Some("Write") => {
                let WriteFields { variable, version } = fields.next_value()?;
                Event::Write { key: variable, value: version }
            }
            Some(other) => return Err(A::Error::unknown_variant(other, &["Read", "Write"])),
            None => return Err(A::Error::invalid_length(0, &self)),
        };
        match fields.next_key::<IgnoredAny>()? {
            None => Ok(event),
            Some(_) => Err(A::Error::invalid_length(2, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Event, A::Error> {
        fn part<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
            parts: &mut A,
            at: usize,
        ) -> Result<T, A::Error> {
            parts.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &EventVisitor))
        }
        let operation: String = part(&mut parts, 0)?;
        let key = part(&mut parts, 1)?;
        let event = match operation.as_str() {
            "r" => Event::Read { key, value: part(&mut parts, 2)? },
            "w" => Event::Write { key, value: part(&mut parts, 2)? },
            other => return Err(A::Error::unknown_variant(other, &["r", "w"])),
        };
        match parts.next_element::<IgnoredAny>()? {
            None => Ok(event),
            Some(_) => Err(A::Error::invalid_length(4, &self)),
        }
    }
}

/// Writes a history, with the frame that dbcop's command reads. Nobody knows when it began and ended, so that
/// it says 1970.
///
/// # Errors
///
/// What `out` fails with.
pub fn write(history: &History, out: &mut impl io::Write) -> io::Result<()> {
    let keys: BTreeSet<u64> = history
        .events()
        .iter()
        .map(|event| match *event {
            Event::Read { key, .. } | Event::Write { key, .. } => key,
        })
        .collect();
    let transactions = (0..history.sessions()).map(|s| history.transactions_of(s).len()).max();
    let events = (0..history.transactions()).map(|t| history.events_of(t).len()).max();
    write!(
        out,
        "{{\"params\":{{\"id\":0,\"n_node\":{},\"n_variable\":{},\"n_transaction\":{},\"n_event\":{}}},\
         \"info\":\"crdt-sim\",\"start\":\"1970-01-01T00:00:00Z\",\"end\":\"1970-01-01T00:00:00Z\",\"data\":[",
        history.sessions(),
        keys.len(),
        transactions.unwrap_or(0),
        events.unwrap_or(0),
    )?;
    for session in 0..history.sessions() {
        out.write_all(if session == 0 { b"\n[" } else { b",\n[" })?;
        let of_session = history.transactions_of(session);
        for transaction in of_session.clone() {
            if transaction > of_session.start {
                out.write_all(b",\n ")?;
            }
            out.write_all(b"{\"events\":[")?;
            let range = history.events_of(transaction);
            for at in range.clone() {
                if at > range.start {
                    out.write_all(b",")?;
                }
                let (name, key, value) = match history.events()[at] {
                    Event::Read { key, value } => ("Read", key, value),
                    Event::Write { key, value } => ("Write", key, Some(value)),
                };
                write!(out, "{{\"{name}\":{{\"variable\":{key},\"version\":")?;
                match value {
                    Some(value) => write!(out, "{value}}}}}")?,
                    None => out.write_all(b"null}}")?,
                }
            }
            write!(out, "],\"committed\":{}}}", history.is_committed(transaction))?;
        }
        out.write_all(b"]")?;
    }
    out.write_all(b"]}\n")
}
