//! A sync session, fed one message after the other by a peer that may say anything.

use std::collections::BTreeMap;

use crdt_causal::sync::{
    ChainHash, ChangeLog, Config, Limits, Message, ReceiveTables, Refusal, SendTables, Session,
};
use crdt_core::codec::{DecodeError, DecodeErrorKind, Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, ReplicaId, VersionVector};

use super::replicas;
use crate::memory::bounded;

/// Lines of text, those of different replicas concurrent.
#[derive(Clone, Debug, Default, PartialEq)]
struct Notebook {
    lines: BTreeMap<ReplicaId, Vec<String>>,
    version: VersionVector,
}

impl Notebook {
    fn write(&mut self, replica: ReplicaId, line: &str) {
        self.lines.entry(replica).or_default().push(line.to_owned());
        self.version.observe(replica, self.version.get(replica) + 1);
    }
}

impl ChangeLog for Notebook {
    type Error = DecodeError;

    fn genesis(&self) -> [u8; 16] {
        [0; 16]
    }

    fn version(&self) -> &VersionVector {
        &self.version
    }

    fn frontier(&self) -> Frontier {
        self.version.iter().map(|(replica, seq)| Dot::new(replica, seq)).collect()
    }

    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
        (version == self.version()).then(|| self.frontier())
    }

    fn knows(&self, frontier: &Frontier) -> bool {
        frontier.iter().all(|dot| self.version().contains(dot))
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        let dots = frontier.iter().map(|dot| (dot.replica, dot.seq));
        self.knows(frontier).then(|| dots.collect())
    }

    // Nothing is ever trimmed here, and there are no running hashes.
    fn closed(&self, claimed: VersionVector) -> VersionVector {
        claimed
    }

    fn serves(&self, _known: &VersionVector) -> bool {
        true
    }

    fn chain(&self, _dot: Dot) -> Option<ChainHash> {
        None
    }

    fn follows(&self, _ranges: &[DotRange]) -> Vec<Dot> {
        Vec::new()
    }

    fn encode_changes(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
        bytes_max: usize,
        tables: &mut SendTables,
        body: &mut Writer,
    ) -> Vec<DotRange> {
        let mut sent = Vec::new();
        for range in upto.missing_from(known) {
            if body.len() >= bytes_max {
                break;
            }
            tables.replicas.write(&range.replica, 0, 0, body);
            body.varint(range.first);
            body.varint(range.len());
            for seq in range.first..=range.last {
                body.string(&self.lines[&range.replica][seq as usize - 1]);
            }
            sent.push(range);
        }
        sent
    }

    fn import_changes(
        &mut self,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, DecodeError> {
        let mut taken = BTreeMap::new();
        let mut ranges = Vec::new();
        while !body.is_empty() {
            let (number, _) = tables.replicas.read(0, body)?;
            let replica = *tables.replicas.get(number).expect("it was just read");
            let first = body.seq()?;
            let count = body.count(1)? as u64;
            let lines: &mut Vec<String> = taken.entry(replica).or_default();
            let next = self.version.get(replica) + lines.len() as u64 + 1;
            if first != next || count == 0 {
                return Err(body.error(DecodeErrorKind::OutOfRange));
            }
            for _ in 0..count {
                lines.push(body.string()?.to_owned());
            }
            ranges.push(DotRange::new(replica, first, first + count - 1));
        }
        for (replica, lines) in taken {
            lines.iter().for_each(|line| self.write(replica, line));
        }
        Ok(ranges)
    }

    fn refusal(_error: &DecodeError) -> Refusal {
        Refusal::InvalidChanges
    }
}

fn listening(log: &Notebook) -> Session {
    let limits = Limits::default().with_message_bytes_max(4_096).with_body_bytes_max(16_384);
    let mut session = Session::new(Config::new().with_limits(limits), 1, 0);
    session.set_durable(&log.version);
    session
}

fn written() -> Notebook {
    let [a, b, _] = replicas();
    let mut log = Notebook::default();
    for line in ["one", "two", "three"] {
        log.write(a, line);
        log.write(b, line);
    }
    log
}

/// The input is a list of messages, each after a byte of time and a length. A session that
/// ends leaves its log as it was before the message, talks to an end, and says nothing more.
pub fn run(bytes: &[u8]) {
    bounded(bytes.len(), || {
        let mut log = written();
        let mut session = listening(&log);
        let mut input = Reader::new(bytes);
        let mut now = 0;
        while let Ok(wait) = input.u8() {
            now += u64::from(wait) * 100;
            let Ok(message) = input.bytes() else { return };
            let before = log.version.clone();
            let result = session.handle(message, &mut log, now);
            if result.is_err() {
                assert_eq!(log.version, before, "an error left something behind");
                assert!(session.is_over());
            }
            session.set_durable(&log.version);
            session.check_invariants();
            let said = std::iter::from_fn(|| session.poll_transmit(&log, now)).take(1_000).count();
            assert!(said < 1_000, "it talks for ever");
            while session.poll_event().is_some() {}
        }
    });
}

/// The messages of whole conversations with a peer that has other lines.
pub fn seeds() -> Vec<Vec<u8>> {
    let [a, _, c] = replicas();
    let empty = Notebook::default();
    let mut ahead = written();
    ahead.write(a, "four");
    ahead.write(c, "of another one");
    let mut apart = Notebook::default();
    apart.write(c, &"long".repeat(2_000));
    let talk = |mut there: Notebook| {
        let mut here = written();
        let (mut session, mut peer) = (listening(&here), listening(&there));
        let mut script = Writer::new();
        for _ in 0..10 {
            peer.set_durable(&there.version);
            session.set_durable(&here.version);
            for message in std::iter::from_fn(|| peer.poll_transmit(&there, 0)) {
                script.u8(0);
                script.bytes(&message);
                session.handle(&message, &mut here, 0).expect("an honest peer");
            }
            for message in std::iter::from_fn(|| session.poll_transmit(&here, 0)) {
                peer.handle(&message, &mut there, 0).expect("an honest peer");
            }
        }
        assert_eq!(here, there, "they are in step");
        script.into_bytes()
    };
    let mut rude = Writer::new();
    for message in [Message::RequestAcknowledgement, Message::Presence(b"x")] {
        rude.u8(200);
        rude.bytes(&message.to_bytes());
    }
    vec![talk(empty), talk(ahead), talk(apart), rude.into_bytes()]
}
