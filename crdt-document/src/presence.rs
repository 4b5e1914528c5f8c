use alloc::boxed::Box;
use alloc::vec::Vec;

use crdt_core::codec::{DecodeError, DecodeErrorKind, Reader, VARINT_LEN_MAX, Writer};
use crdt_core::collections::OrderedMap;

/// Who else is here: a small state per client, such as a name and a selection, that is sent
/// and shown, never saved, and gone when its client stays silent.
///
/// It is no part of the document and no CRDT of it: each client alone writes its own state
/// and numbers its updates; the greater number wins. A client id is drawn at random for each
/// session (a tab, a connection), never reused. The machine does no I/O and reads no clock:
/// the bytes it returns are to be sent to the others, and time is an argument, in
/// milliseconds of any monotonic clock.
///
/// Everything is bounded by [`PresenceLimits`]: a client beyond the greatest number is
/// ignored until another one has left.
///
/// ```
/// use crdt_document::{Presence, PresenceEvent};
///
/// let (mut mumbai, mut delhi) = (Presence::default(), Presence::default());
/// let update = mumbai.set(1, b"cursor at 7", 0)?;
/// assert_eq!(delhi.apply(&update, 0)?, [PresenceEvent::Changed(1)]);
/// assert_eq!(delhi.get(1), Some(&b"cursor at 7"[..]));
///
/// // Nothing is heard of the client for half a minute.
/// assert_eq!(delhi.expire(30_000), [PresenceEvent::Left(1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Presence {
    entries: OrderedMap<u64, Entry>,
    limits: PresenceLimits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    clock: u64,
    /// `None` after the client has left: kept until it expires, so that a late, older
    /// update does not bring a ghost back.
    state: Option<Box<[u8]>>,
    expires_at_ms: u64,
}

/// The bounds of a [`Presence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresenceLimits {
    /// How long a client is shown after its last update, in milliseconds. 30,000 by default;
    /// renew at half of it.
    pub lifetime_ms: u64,
    /// How many clients are held. 1,024 by default.
    pub clients_max: usize,
    /// The longest state, in bytes. 4,096 by default.
    pub state_bytes_max: usize,
}

impl Default for PresenceLimits {
    fn default() -> Self {
        Self { lifetime_ms: 30_000, clients_max: 1_024, state_bytes_max: 4_096 }
    }
}

/// What changed among the clients that are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresenceEvent {
    /// The client came, or its state is another one.
    Changed(u64),
    /// The client left, or was silent for too long.
    Left(u64),
}

/// A state that is longer than [`PresenceLimits::state_bytes_max`], or a client too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceFull;

impl core::fmt::Display for PresenceFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the presence state is too long, or there are too many clients")
    }
}

impl core::error::Error for PresenceFull {}

/// The clock's greatest value: far enough below the type's that `+ 1` is safe.
const CLOCK_MAX: u64 = 1 << 62;
const FORMAT: u8 = 0;

impl Presence {
    /// Nobody, with these limits.
    pub const fn new(limits: PresenceLimits) -> Self {
        Self { entries: OrderedMap::new(), limits }
    }

    /// Sets the state of a client of one's own and returns the update to send.
    ///
    /// # Errors
    ///
    /// [`PresenceFull`] if the state or the number of clients exceeds the limits.
    pub fn set(&mut self, client: u64, state: &[u8], now_ms: u64) -> Result<Vec<u8>, PresenceFull> {
        let known = self.entries.contains_key(&client);
        if state.len() > self.limits.state_bytes_max
            || (!known && self.entries.len() >= self.limits.clients_max)
        {
            return Err(PresenceFull);
        }
        Ok(self.advance(client, Some(state.into()), now_ms))
    }

    /// Says that a client of one's own is still here, and returns the update to send;
    /// `None` if it has no state.
    pub fn renew(&mut self, client: u64, now_ms: u64) -> Option<Vec<u8>> {
        let state = self.entries.get(&client)?.state.clone()?;
        Some(self.advance(client, Some(state), now_ms))
    }

    /// Takes a client of one's own away and returns the update to send, `None` if it is not
    /// here.
    pub fn leave(&mut self, client: u64, now_ms: u64) -> Option<Vec<u8>> {
        self.entries.get(&client)?.state.as_ref()?;
        Some(self.advance(client, None, now_ms))
    }

    /// Takes in an update from elsewhere. A repeated or overtaken one changes nothing.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for bytes that are no update; then nothing has changed.
    pub fn apply(&mut self, update: &[u8], now_ms: u64) -> Result<Vec<PresenceEvent>, DecodeError> {
        let mut events = Vec::new();
        for (client, entry) in self.decode(update, now_ms)? {
            let held = self.entries.get(&client);
            if held.is_some_and(|held| held.clock >= entry.clock)
                || (held.is_none() && self.entries.len() >= self.limits.clients_max)
            {
                continue;
            }
            let before = held.and_then(|held| held.state.as_deref());
            match (before, entry.state.as_deref()) {
                (Some(_), None) => events.push(PresenceEvent::Left(client)),
                (before, Some(after)) if before != Some(after) => {
                    events.push(PresenceEvent::Changed(client));
                }
                _ => {}
            }
            self.entries.insert(client, entry);
        }
        Ok(events)
    }

    /// Forgets the clients whose time is up.
    pub fn expire(&mut self, now_ms: u64) -> Vec<PresenceEvent> {
        let mut events = Vec::new();
        self.entries.retain(|&client, entry| {
            let stays = entry.expires_at_ms > now_ms;
            if !stays && entry.state.is_some() {
                events.push(PresenceEvent::Left(client));
            }
            stays
        });
        events
    }

    /// When [`expire`](Self::expire) will next have something to do.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.entries.values().map(|entry| entry.expires_at_ms).min()
    }

    /// Everyone who is here, as one update for a newcomer. Each keeps the time it has left.
    pub fn encode(&self, now_ms: u64) -> Vec<u8> {
        encode(&self.here(now_ms), now_ms)
    }

    /// As [`encode`](Self::encode), in several updates of at most `bytes_max` bytes each. A
    /// state that alone exceeds that is left out.
    pub fn encode_split(&self, now_ms: u64, bytes_max: usize) -> Vec<Vec<u8>> {
        let mut updates = Vec::new();
        let mut part: Vec<(&u64, &Entry)> = Vec::new();
        let mut part_bytes = 0;
        for entry in self.here(now_ms) {
            // Alone it takes two bytes more than beside others: the version and the count.
            let bytes = encode(&[entry], now_ms).len();
            if bytes > bytes_max {
                continue;
            }
            let full = part_bytes + bytes + VARINT_LEN_MAX > bytes_max;
            if full && !part.is_empty() {
                updates.push(encode(&core::mem::take(&mut part), now_ms));
                part_bytes = 0;
            }
            part.push(entry);
            part_bytes += bytes;
        }
        if !part.is_empty() {
            updates.push(encode(&part, now_ms));
        }
        updates
    }

    fn here(&self, now_ms: u64) -> Vec<(&u64, &Entry)> {
        self.entries.iter().filter(|(_, entry)| entry.expires_at_ms > now_ms).collect()
    }

    /// The state of a client, if it is here.
    pub fn get(&self, client: u64) -> Option<&[u8]> {
        self.entries.get(&client)?.state.as_deref()
    }

    /// The clients that are here, in ascending order of ids, with their states.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.entries.iter().filter_map(|(&client, entry)| Some((client, entry.state.as_deref()?)))
    }

    fn advance(&mut self, client: u64, state: Option<Box<[u8]>>, now_ms: u64) -> Vec<u8> {
        let clock = self.entries.get(&client).map_or(0, |entry| entry.clock);
        // Only a peer that writes under this client's id can have brought it to the end.
        let clock = (clock + 1).min(CLOCK_MAX);
        let expires_at_ms = now_ms.saturating_add(self.limits.lifetime_ms);
        let entry = Entry { clock, state, expires_at_ms };
        let update = encode(&[(&client, &entry)], now_ms);
        self.entries.insert(client, entry);
        update
    }

    fn decode(&self, update: &[u8], now_ms: u64) -> Result<OrderedMap<u64, Entry>, DecodeError> {
        let mut input = Reader::new(update);
        if input.u8()? != FORMAT {
            return Err(DecodeErrorKind::UnknownVersion.at(0));
        }
        let count = input.count(4)?;
        let mut entries = OrderedMap::new();
        let mut last = None;
        for _ in 0..count {
            let at = input.position();
            let client = input.varint()?;
            if last.replace(client).is_some_and(|last| last >= client) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            let clock = input.varint_max(CLOCK_MAX)?;
            let left_ms = input.varint()?.min(self.limits.lifetime_ms);
            let at = input.position();
            let state = match input.u8()? {
                0 => None,
                1 => Some(input.bytes()?),
                _ => return Err(DecodeErrorKind::UnknownTag.at(at)),
            };
            if state.is_some_and(|state| state.len() > self.limits.state_bytes_max) {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            // No more than fit here are kept, however many a peer lists.
            if entries.len() < self.limits.clients_max {
                let expires_at_ms = now_ms.saturating_add(left_ms);
                entries
                    .insert(client, Entry { clock, state: state.map(Into::into), expires_at_ms });
            }
        }
        input.finish()?;
        Ok(entries)
    }
}

fn encode(entries: &[(&u64, &Entry)], now_ms: u64) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(FORMAT);
    out.count(entries.len());
    for (client, entry) in entries {
        out.varint(**client);
        out.varint(entry.clock);
        out.varint(entry.expires_at_ms.saturating_sub(now_ms));
        out.u8(u8::from(entry.state.is_some()));
        if let Some(state) = &entry.state {
            out.bytes(state);
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crdt_core::laws::trials;

    #[test]
    fn an_overtaken_update_brings_no_ghost_back() {
        let (mut here, mut there) = (Presence::default(), Presence::default());
        let first = here.set(7, b"typing", 0).unwrap();
        let gone = here.leave(7, 1).unwrap();
        assert_eq!(there.apply(&gone, 1), Ok(vec![]));
        assert_eq!(there.apply(&first, 2), Ok(vec![]));
        assert_eq!(there.get(7), None);
        assert_eq!(here.leave(7, 2), None, "it left already");
        assert_eq!(there.expire(30_001), [], "a client that had left does not leave again");
        assert_eq!(there.poll_timeout(), None);
    }

    #[test]
    fn a_newcomer_does_not_prolong_a_life() {
        let mut here = Presence::default();
        here.set(1, b"a", 0).unwrap();
        let mut newcomer = Presence::default();
        newcomer.apply(&here.encode(29_000), 29_000).unwrap();
        assert_eq!(newcomer.poll_timeout(), Some(30_000));
        assert_eq!(newcomer.expire(30_000), [PresenceEvent::Left(1)]);
        here.renew(1, 15_000).unwrap();
        assert_eq!(here.poll_timeout(), Some(45_000));
    }

    #[test]
    fn parts_for_a_newcomer_are_short_and_complete() {
        let mut here = Presence::default();
        for client in 0..200 {
            here.set(client << 40, &vec![7; client as usize], 0).unwrap();
        }
        for bytes_max in [230, 300, 1_000, 100_000] {
            let parts = here.encode_split(0, bytes_max);
            assert!(parts.iter().all(|part| part.len() <= bytes_max));
            let mut newcomer = Presence::default();
            for part in parts {
                newcomer.apply(&part, 0).unwrap();
            }
            assert!(newcomer.iter().eq(here.iter()));
        }
    }

    #[test]
    fn limits_hold_against_a_flood() {
        let limits = PresenceLimits { clients_max: 8, state_bytes_max: 16, ..Default::default() };
        let mut flood = Presence::new(PresenceLimits { clients_max: 1000, ..limits });
        for client in 0..1000 {
            flood.set(client, b"here", 0).unwrap();
        }
        let mut victim = Presence::new(limits);
        victim.apply(&flood.encode(0), 0).unwrap();
        assert_eq!(victim.iter().count(), 8);
        assert_eq!(victim.set(5000, b"", 0), Err(PresenceFull));
        assert_eq!(victim.set(1, &[0; 17], 0), Err(PresenceFull));
    }

    /// Whatever order and however often updates arrive, the last of each client stays.
    #[test]
    fn any_delivery_ends_the_same() {
        fn law(script: Vec<(u8, Option<u8>)>, order: Vec<u16>) -> bool {
            let mut source = Presence::default();
            let updates: Vec<Vec<u8>> = script
                .iter()
                .filter_map(|&(client, state)| match state {
                    Some(state) => source.set(u64::from(client % 4), &[state], 0).ok(),
                    None => source.leave(u64::from(client % 4), 0),
                })
                .collect();
            let mut target = Presence::default();
            for index in &order {
                if !updates.is_empty() {
                    target.apply(&updates[*index as usize % updates.len()], 0).unwrap();
                }
            }
            for update in updates.iter().rev() {
                target.apply(update, 0).unwrap();
            }
            target.iter().eq(source.iter())
        }
        trials().quickcheck(law as fn(_, _) -> _);
    }

    #[test]
    fn foreign_bytes_change_nothing_when_refused() {
        fn law(bytes: Vec<u8>) -> bool {
            let mut presence = Presence::default();
            let mut framed = vec![FORMAT, 1];
            framed.extend(&bytes);
            for bytes in [&bytes, &framed] {
                if presence.apply(bytes, 0).is_err() && presence.iter().next().is_some() {
                    return false;
                }
                presence = Presence::default();
            }
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }
}
