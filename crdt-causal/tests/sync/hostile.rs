//! Peers that lie, and bytes that mean nothing.

use crdt_causal::sync::{
    Acknowledgement, ChangeLog, Config, Content, Hello, Last, Limits, Message, Reconciling,
    Refusal, RelativeVector, Session, SessionError, Summary,
};
use crdt_core::laws::trials;
use crdt_core::{Dot, Frontier, ReplicaId, SEQ_MAX, VersionVector};
use quickcheck::{Arbitrary, Gen};

use crate::cases;
use crate::log::TestLog;
use crate::network::Random;

const A: ReplicaId = ReplicaId::from_u128(1);
const B: ReplicaId = ReplicaId::from_u128(2);

fn hello(holds: Summary) -> Hello {
    Hello {
        genesis: [0; 16],
        nonce: 5,
        echo: None,
        limits: Limits::default(),
        holds,
        wants_vector: false,
        writers: Vec::new(),
        reconciling: Reconciling::default(),
    }
}

fn greeted(log: &mut TestLog, holds: Summary) -> Session {
    let mut session = Session::new(Config::new(), 1, 0);
    session.set_durable(log.version());
    session.poll_transmit(log, 0).unwrap();
    session.handle(&Message::Hello(hello(holds).into()).to_bytes(), log, 0).unwrap();
    session
}

#[test]
fn a_boast_changes_nothing_here() {
    let mut log = TestLog::default();
    log.write(A, "mine");
    let version = log.version().clone();
    let boasts = [
        Summary {
            chains: Vec::new(),
            frontier: Some([Dot::new(A, SEQ_MAX), Dot::new(B, SEQ_MAX)].into_iter().collect()),
            vector: Some(RelativeVector {
                chains: Vec::new(),
                base: Frontier::new(),
                beyond: [(A, SEQ_MAX), (B, SEQ_MAX)].into_iter().collect(),
            }),
        },
        Summary {
            chains: Vec::new(),
            frontier: None,
            vector: Some(RelativeVector {
                chains: Vec::new(),
                base: [Dot::new(A, 1)].into_iter().collect(),
                beyond: [(B, SEQ_MAX)].into_iter().collect(),
            }),
        },
    ];
    for boast in boasts {
        let mut session = greeted(&mut log, boast);
        while session.poll_transmit(&log, 0).is_some() {}
        session.check_invariants();
        assert_eq!(log.version(), &version, "the own version is what was imported");
        assert_eq!(session.unacknowledged(&version), Some(0), "its loss, not ours");
        // Another session, with an honest peer, knows nothing of the boast.
        let mut honest = greeted(&mut log, Summary::default().with_nothing());
        assert_eq!(honest.unacknowledged(&version), Some(1));
        assert!(honest.poll_transmit(&log, 0).is_some());
    }
}

trait WithNothing {
    fn with_nothing(self) -> Self;
}

impl WithNothing for Summary {
    fn with_nothing(mut self) -> Self {
        self.vector = Some(RelativeVector::default());
        self
    }
}

/// The greeting can name a past that does not exist; what is sent after it is still what the
/// own log makes of it.
#[test]
fn a_peer_may_claim_a_part_of_the_past_only() {
    let mut log = TestLog::default();
    log.write(A, "one");
    log.write(B, "two");
    log.write(A, "three");
    let holds = Summary {
        chains: Vec::new(),
        frontier: None,
        vector: Some(RelativeVector {
            chains: Vec::new(),
            base: Frontier::new(),
            beyond: [(A, 2)].into_iter().collect(),
        }),
    };
    let mut session = greeted(&mut log, holds);
    assert!(session.poll_transmit(&log, 0).is_some());
    assert_eq!(session.unacknowledged(log.version()), Some(1));
}

/// What a peer does not acknowledge is held here, so it is not for the peer to say how much.
#[test]
fn a_peer_that_accepts_anything_does_not_fill_the_memory() {
    let mut log = TestLog::default();
    for _ in 0..100_000 {
        log.write(A, "forty bytes of text that nobody will take");
    }
    let mut session = Session::new(Config::new(), 1, 0);
    session.set_durable(log.version());
    let mut greedy = hello(Summary::default().with_nothing());
    greedy.limits = Limits::default()
        .with_message_bytes_max(1 << 62)
        .with_body_bytes_max(1 << 62)
        .with_in_flight_max(1 << 62, 1 << 62);
    session.handle(&Message::Hello(greedy.into()).to_bytes(), &mut log, 0).unwrap();
    let mut bytes = 0;
    while let Some(message) = session.poll_transmit(&log, 0) {
        bytes += message.len();
        session.check_invariants();
    }
    assert!((1 << 19..=1 << 20).contains(&bytes), "{bytes} bytes on their way");
}

#[test]
fn lies_about_what_was_received_are_noticed() {
    let mut log = TestLog::default();
    log.write(A, "one");
    let mut session = greeted(&mut log, Summary::default().with_nothing());
    assert!(session.poll_transmit(&log, 0).is_some(), "number 1 is on its way");
    let lie = Acknowledgement { received: 2, durable: 2, gap: false };
    let bytes = Message::Acknowledge(lie).to_bytes();
    assert_eq!(session.handle(&bytes, &mut log, 0), Err(SessionError::NeverSent));
    assert_eq!(session.unacknowledged(log.version()), Some(1));
}

#[test]
fn a_window_that_is_exceeded_ends_the_session() {
    let mut log = TestLog::default();
    let mut session = greeted(&mut log, Summary::default().with_nothing());
    let content = || Content::Claim(A);
    let message = |number| Message::Numbered { number, content: content() }.to_bytes();
    assert_eq!(session.handle(&message(64), &mut log, 0), Ok(()), "after a gap, to be repeated");
    let error = Err(SessionError::WindowExceeded);
    assert_eq!(session.handle(&message(65), &mut log, 0), error);
}

/// Fragments of a body that never ends.
#[test]
fn a_body_beyond_the_limit_ends_the_session() {
    let mut log = TestLog::default();
    let config = Config::new().with_limits(Limits::default().with_body_bytes_max(1_000));
    let mut session = Session::new(config, 1, 0);
    session.set_durable(log.version());
    let greeting = Message::Hello(hello(Summary::default().with_nothing()).into()).to_bytes();
    session.handle(&greeting, &mut log, 0).unwrap();
    let mut results = (1..).map(|number| {
        let content = Content::Fragment { bytes: &[0; 100], last: Last::No };
        session.handle(&Message::Numbered { number, content }.to_bytes(), &mut log, 0)
    });
    assert!(results.by_ref().take(10).all(|result| result == Ok(())));
    assert_eq!(results.next(), Some(Err(SessionError::BodyTooLarge { bytes_max: 1_000 })));
}

/// Whoever asks for the whole vector again and again gets it now and then.
#[test]
fn a_vector_is_not_given_as_often_as_it_is_asked_for() {
    let mut log = TestLog::default();
    for writer in 0..500 {
        log.write(ReplicaId::from_u128(writer), "");
    }
    let mut session = greeted(&mut log, Summary::default().with_nothing());
    while session.poll_transmit(&log, 0).is_some() {}
    let mut asking = hello(Summary::default().with_nothing());
    asking.wants_vector = true;
    let mut bytes = 0;
    for now in 0..1_000 {
        session.handle(&Message::Hello(asking.clone().into()).to_bytes(), &mut log, now).unwrap();
        while let Some(message) = session.poll_transmit(&log, now) {
            bytes += message.len();
        }
    }
    let vector = 500 * 17;
    assert!((vector..4 * vector).contains(&bytes), "{bytes} bytes");
}

#[derive(Clone, Debug)]
struct AnyMessage(Vec<u8>);

fn any_vector(random: &mut Random) -> VersionVector {
    let count = random.below(4);
    (0..count)
        .map(|_| (ReplicaId::from_u128(u128::from(random.below(5))), random.below(300)))
        .collect()
}

fn any_frontier(random: &mut Random) -> Frontier {
    any_vector(random).iter().map(|(replica, seq)| Dot::new(replica, seq)).collect()
}

fn any_message(random: &mut Random) -> Vec<u8> {
    let bytes: Vec<u8> = (0..random.below(20)).map(|_| random.next() as u8).collect();
    let magnitude = 1 + random.below(40);
    let number = 1 + random.below(1 << magnitude);
    let replica = ReplicaId::from_u128(u128::from(random.below(5)));
    let some = |random: &mut Random| random.percent(50);
    let message = match random.below(8) {
        0 => {
            let frontier = some(random).then(|| any_frontier(random));
            let vector = some(random).then(|| RelativeVector {
                chains: Vec::new(),
                base: any_frontier(random),
                beyond: any_vector(random),
            });
            let mut hello = hello(Summary { frontier, chains: Vec::new(), vector });
            hello.echo = some(random).then(|| random.next());
            hello.wants_vector = some(random);
            hello.writers = (0..random.below(3)).map(|_| replica).collect();
            Message::Hello(hello.into())
        }
        1 | 2 => {
            let last = [Last::No, Last::Yes, Last::YesFreshTables][random.below(3) as usize];
            Message::Numbered { number, content: Content::Fragment { bytes: &bytes, last } }
        }
        3 => Message::Numbered { number, content: Content::Claim(replica) },
        4 => Message::Acknowledge(Acknowledgement {
            received: number,
            durable: random.below(number + 1),
            gap: some(random),
        }),
        5 => Message::RequestAcknowledgement,
        6 => Message::Presence(&bytes),
        _ => Message::Refuse(match random.below(6) {
            0 => Refusal::ProtocolVersion { supported: number },
            1 => Refusal::ForeignReplica { replica },
            2 => Refusal::BodyTooLarge { bytes_max: number },
            3 => Refusal::Trimmed,
            4 => Refusal::Overloaded,
            _ => Refusal::Unknown { code: 100 + number },
        }),
    };
    let encoded = message.to_bytes();
    assert_eq!(Message::decode(&encoded), Ok(message.clone()));
    encoded
}

impl Arbitrary for AnyMessage {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut random = Random(u64::arbitrary(g));
        let mut bytes = any_message(&mut random);
        match random.below(4) {
            0 => bytes.truncate(random.below(bytes.len() as u64 + 1) as usize),
            1 => {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.next() as u8;
            }
            2 => bytes = (0..random.below(60)).map(|_| random.next() as u8).collect(),
            _ => {}
        }
        Self(bytes)
    }
}

/// The decoder is total, and no message has two encodings.
#[test]
fn what_decodes_encodes_to_the_same_bytes() {
    fn property(AnyMessage(bytes): AnyMessage) -> bool {
        Message::decode(&bytes).map_or(true, |message| {
            matches!(
                message,
                Message::OtherProtocol { .. } | Message::Refuse(Refusal::Unknown { .. })
            ) || message.to_bytes() == bytes
        })
    }
    trials().tests(4 * cases()).quickcheck(property as fn(_) -> _);
}

/// Whatever comes, in whatever state: no panic, and a log that only grows by what it accepts.
#[test]
fn a_session_is_total() {
    fn property(messages: Vec<AnyMessage>, greeted_first: bool, seed: u64) -> bool {
        let mut random = Random(seed);
        let mut log = TestLog::default();
        log.write(A, "one");
        let mut session = Session::new(Config::new(), 1, 0);
        session.set_durable(log.version());
        if greeted_first {
            session = greeted(&mut log, Summary::default().with_nothing());
        }
        let mut now = 0;
        for AnyMessage(bytes) in messages {
            now += random.below(2_000);
            let before = log.contents();
            if session.handle(&bytes, &mut log, now).is_err() {
                assert_eq!(log.contents(), before);
                assert!(session.is_over());
            }
            session.check_invariants();
            for _ in 0..100 {
                if session.poll_transmit(&log, now).is_none() {
                    break;
                }
            }
            assert_eq!(session.poll_transmit(&log, now), None, "it does not talk for ever");
            while session.poll_event().is_some() {}
        }
        true
    }
    trials().quickcheck(property as fn(_, _, _) -> _);
}
