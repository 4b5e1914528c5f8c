//! What the protocol promises, one promise at a time.

use crdt_causal::sync::{
    ChainHash, ChangeLog, Config, Content, Event, HELLO_BYTES_MAX, Limits, Message, Refusal, Retry,
    Session, SessionError,
};
use crdt_core::{Dot, Frontier, ReplicaId, VersionVector};

use crate::log::TestLog;
use crate::network::{Faults, World};

const A: ReplicaId = ReplicaId::from_u128(1);
const B: ReplicaId = ReplicaId::from_u128(2);

fn slow() -> Faults {
    Faults { latency_ms: 100, ..Faults::default() }
}

fn default_configs() -> [Config; 2] {
    [Config::new(), Config::new()]
}

fn written(replica: ReplicaId, texts: &[&str]) -> TestLog {
    let mut log = TestLog::default();
    texts.iter().for_each(|text| log.write(replica, text));
    log
}

/// Two sessions that a test drives by hand.
struct Pair {
    logs: [TestLog; 2],
    sessions: [Session; 2],
    now: u64,
}

impl Pair {
    fn new(logs: [TestLog; 2], configs: [Config; 2]) -> Self {
        let [first, second] = configs;
        let mut sessions = [Session::new(first, 1, 0), Session::new(second, 2, 0)];
        for (session, log) in sessions.iter_mut().zip(&logs) {
            session.set_durable(log.version());
        }
        Self { logs, sessions, now: 0 }
    }

    fn transmit(&mut self, from: usize) -> Vec<Vec<u8>> {
        let Self { logs, sessions, now } = self;
        core::iter::from_fn(|| sessions[from].poll_transmit(&logs[from], *now)).collect()
    }

    fn deliver(&mut self, to: usize, messages: &[Vec<u8>]) {
        for bytes in messages {
            self.sessions[to].handle(bytes, &mut self.logs[to], self.now).unwrap();
        }
    }

    fn save(&mut self, end: usize) {
        self.sessions[end].set_durable(self.logs[end].version());
    }

    /// Until nobody has anything to say at this time.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for from in 0..2 {
                self.save(from);
                let messages = self.transmit(from);
                quiet &= messages.is_empty();
                self.deliver(1 - from, &messages);
            }
            if quiet {
                return;
            }
        }
    }

    fn events(&mut self, end: usize) -> Vec<Event> {
        core::iter::from_fn(|| self.sessions[end].poll_event()).collect()
    }
}

fn established() -> Pair {
    let mut pair = Pair::new([TestLog::default(), TestLog::default()], default_configs());
    pair.settle();
    pair.events(0);
    pair.events(1);
    pair
}

/// Both sides changed while apart: one round trip after they meet, each has what the other did.
#[test]
fn a_common_past_needs_one_round_trip() {
    for writers in [1, 10, 500] {
        let mut world = World::new(7, slow(), 2);
        for writer in 0..writers {
            world.nodes[0].log.write(ReplicaId::from_u128(1_000 + writer), "before");
        }
        let past = world.nodes[0].log.clone();
        world.nodes[1].log = past.clone();
        for node in &mut world.nodes {
            let id = node.id;
            for _ in 0..20 {
                node.log.write(id, "while apart");
            }
            node.stored = node.log.len();
        }
        let client = Config::new().with_base(past.frontier());
        let base = if writers > 64 { past.frontier() } else { Frontier::new() };
        let start = world.now;
        world.connect([1, 0], [client, Config::new().with_base(base)]);
        assert!(world.run_for(60_000));
        let connection = &world.connections[0];
        assert_eq!(connection.changed_at, [start + 200; 2], "a round trip is 200 ms");
        assert_eq!(world.nodes[0].log.contents(), world.nodes[1].log.contents());
        // A greeting, the changes, an acknowledgement; and where the server names no base, the
        // client says which events of that name it builds on.
        let checks = u64::from(writers <= 64);
        assert_eq!(connection.sent.map(|(messages, _)| messages), [3 + checks, 3]);
    }
}

/// A server waits for the greeting of its client, and describes itself by what the client
/// named: neither has to remember the other.
#[test]
fn the_side_that_answers_needs_no_base() {
    let mut log = TestLog::default();
    for writer in 0..500 {
        log.write(ReplicaId::from_u128(1_000 + writer), "before");
    }
    let mut client_log = log.clone();
    client_log.write(A, "client");
    log.write(B, "server");
    let config = Config::new().with_base(client_log.version_before(A));
    let mut pair = Pair::new([client_log, log], [config, Config::new()]);
    let hello = pair.transmit(0);
    assert_eq!(hello.len(), 1);
    assert!(hello[0].len() <= 160, "{} bytes for 500 writers", hello[0].len());
    pair.deliver(1, &hello);
    let answer = pair.transmit(1);
    assert!(answer[0].len() <= 160, "{} bytes for 500 writers", answer[0].len());
    assert_eq!(answer.len(), 2, "the changes come with the greeting");
    pair.deliver(0, &answer);
    pair.settle();
    assert_eq!(pair.logs[0].contents(), pair.logs[1].contents());
}

/// Neither knows the other's frontier, and the vectors are too long to give unasked.
#[test]
fn without_a_common_base_a_vector_is_asked_for() {
    let mut world = World::new(7, slow(), 2);
    for (node, first) in [(0, 1_000), (1, 2_000)] {
        for writer in 0..300 {
            world.nodes[node].log.write(ReplicaId::from_u128(first + writer), "text");
        }
    }
    world.connect([0, 1], default_configs());
    let start = world.now;
    assert!(world.run_for(60_000));
    assert_eq!(world.nodes[0].log.contents(), world.nodes[1].log.contents());
    assert_eq!(world.nodes[0].log.len(), 600);
    assert!(world.connections[0].changed_at.iter().all(|at| *at <= start + 400));
}

/// Two sides that have nothing to say still tell each other that the greetings came.
#[test]
fn a_greeting_that_came_is_not_repeated() {
    let pair = established();
    for session in &pair.sessions {
        assert_eq!(session.poll_timeout(), None);
    }
}

#[test]
fn a_typed_character_costs_sixteen_bytes_at_most() {
    let mut pair = established();
    let mut sizes = Vec::new();
    for count in 0..2_000 {
        pair.logs[0].write(A, "x");
        pair.save(0);
        let messages = pair.transmit(0);
        assert_eq!(messages.len(), 1);
        let body = match Message::decode(&messages[0]).unwrap() {
            Message::Numbered {
                content: crdt_causal::sync::Content::Fragment { bytes, .. },
                ..
            } => bytes.len(),
            other => panic!("{other:?}"),
        };
        assert!(messages[0].len() - body <= 3, "what the session adds");
        if count > 0 {
            sizes.push(messages[0].len());
        }
        pair.deliver(1, &messages);
        pair.settle();
    }
    assert!(sizes.iter().all(|size| *size <= 16), "{:?}", sizes.iter().max());
    assert_eq!(pair.logs[1].len(), 2_000);
}

#[test]
fn what_is_not_durable_is_neither_sent_nor_acknowledged() {
    let mut pair = established();
    pair.logs[0].write(A, "volatile");
    assert_eq!(pair.transmit(0), Vec::<Vec<u8>>::new());
    assert_eq!(pair.sessions[0].unacknowledged(pair.logs[0].version()), Some(1));

    pair.save(0);
    let messages = pair.transmit(0);
    pair.deliver(1, &messages);
    // The receiver does not save. What it says until an hour has passed acknowledges nothing.
    for _ in 0..100 {
        pair.now += 36_000;
        let messages = pair.transmit(1);
        pair.deliver(0, &messages);
        let messages = pair.transmit(0);
        pair.deliver(1, &messages);
    }
    assert_eq!(pair.sessions[0].acknowledged(), Some(&VersionVector::new()));
    assert_eq!(pair.sessions[0].unacknowledged(pair.logs[0].version()), Some(1));
    assert!(!pair.events(0).contains(&Event::PeerDurable));

    pair.settle();
    assert_eq!(pair.sessions[0].unacknowledged(pair.logs[0].version()), Some(0));
    let events = pair.events(0);
    assert!(events.contains(&Event::PeerDurable) && events.contains(&Event::UpToDate));
}

/// A crash would take back the second change alone: the first may go, and only the first.
#[test]
fn what_is_durable_goes_without_what_is_not() {
    let mut pair = established();
    pair.logs[0].write(A, "on disk");
    let stored = pair.logs[0].version().clone();
    pair.logs[0].write(A, "volatile");
    pair.sessions[0].set_durable(&stored);
    let messages = pair.transmit(0);
    pair.deliver(1, &messages);
    assert_eq!(pair.logs[1].version(), &stored);
    assert_eq!(pair.sessions[0].unacknowledged(pair.logs[0].version()), Some(2));
}

#[test]
fn nothing_is_said_before_it_is_known_what_is_durable() {
    let log = written(A, &["text"]);
    let mut session = Session::new(Config::new(), 1, 0);
    assert_eq!((session.poll_transmit(&log, 0), session.poll_timeout()), (None, None));
    session.set_durable(&VersionVector::new());
    let hello = session.poll_transmit(&log, 0).unwrap();
    match Message::decode(&hello).unwrap() {
        Message::Hello(hello) => {
            let vector = hello.holds.vector.unwrap();
            assert!(vector.base.is_empty() && vector.beyond.is_empty());
            assert_eq!(hello.holds.frontier, None, "the log's own frontier is not durable");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_are_split_at_the_limit_of_the_peer() {
    let small = Limits::default().with_message_bytes_max(64).with_in_flight_max(150, 3);
    let texts: Vec<String> = (0..200).map(|number| format!("{number:020}")).collect();
    let mut log = written(A, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    // One transaction that no message holds.
    log.change(A, &texts.iter().map(|text| (text.clone(), text.clone())).collect::<Vec<_>>());
    let configs = [Config::new(), Config::new().with_limits(small)];
    let mut pair = Pair::new([log, TestLog::default()], configs);
    let hello = pair.transmit(0);
    pair.deliver(1, &hello);
    let hello = pair.transmit(1);
    pair.deliver(0, &hello);
    loop {
        let messages = pair.transmit(0);
        if messages.is_empty() {
            break;
        }
        assert!(messages.iter().all(|message| message.len() <= 64));
        assert!(messages.len() <= 3 && messages.iter().map(Vec::len).sum::<usize>() <= 150);
        assert_eq!(pair.transmit(0), Vec::<Vec<u8>>::new(), "the window is full");
        pair.deliver(1, &messages);
        pair.save(1);
        let messages = pair.transmit(1);
        pair.deliver(0, &messages);
    }
    assert_eq!(pair.logs[0].contents(), pair.logs[1].contents());
}

#[test]
fn a_message_beyond_the_limit_is_an_error_and_said_to_be_one() {
    let small = Limits::default().with_message_bytes_max(64);
    let configs = [Config::new(), Config::new().with_limits(small)];
    let mut pair = Pair::new([TestLog::default(), TestLog::default()], configs);
    let bytes = vec![1; 65];
    let error = SessionError::MessageTooLarge { bytes: 65, bytes_max: 64 };
    let [_, log] = &mut pair.logs;
    assert_eq!(pair.sessions[1].handle(&bytes, log, 0), Err(error));
    let refusal = pair.transmit(1);
    assert_eq!(refusal.len(), 1);
    pair.deliver(0, &refusal);
    assert_eq!(pair.events(0), [Event::Refused(Refusal::MessageTooLarge { bytes_max: 64 })]);
    assert!(pair.sessions[0].is_over() && pair.transmit(0).is_empty());
    let [_, log] = &mut pair.logs;
    assert_eq!(pair.sessions[1].handle(&bytes, log, 0), Err(SessionError::Over));
}

/// A greeting comes before its sender can know what is accepted.
#[test]
fn a_greeting_has_a_limit_of_its_own() {
    let mut log = TestLog::default();
    for writer in 0..5_000 {
        log.write(ReplicaId::from_u128(1 << 100 | writer), "");
    }
    let small = Limits::default().with_message_bytes_max(64);
    let configs = [Config::new(), Config::new().with_limits(small)];
    let mut pair = Pair::new([log, written(A, &["something unknown"])], configs);
    for _ in 0..4 {
        for from in 0..2 {
            let messages = pair.transmit(from);
            assert!(messages.iter().all(|bytes| bytes.len() <= HELLO_BYTES_MAX));
            pair.deliver(1 - from, &messages);
        }
    }
    pair.settle();
    assert_eq!(pair.logs[0].contents(), pair.logs[1].contents());
}

#[test]
fn a_transaction_that_the_peer_never_takes_ends_the_session() {
    let small = Limits::default().with_body_bytes_max(64);
    let mut log = TestLog::default();
    log.write(A, &"long".repeat(100));
    let configs = [Config::new(), Config::new().with_limits(small)];
    let mut pair = Pair::new([log, TestLog::default()], configs);
    pair.settle();
    let refused = Event::Refused(Refusal::BodyTooLarge { bytes_max: 64 });
    assert!(pair.events(0).contains(&refused) && pair.events(1).contains(&refused));
    assert!(pair.sessions[0].is_over() && pair.logs[1].len() == 0);
}

#[test]
fn a_gap_is_answered_at_once_and_once() {
    let mut pair = established();
    for text in ["one", "two", "three"] {
        pair.logs[0].write(A, text);
        pair.save(0);
        let messages = pair.transmit(0);
        if text != "one" {
            // The second overtakes the lost first, and so does the third.
            pair.deliver(1, &messages);
        }
    }
    let complaint = pair.transmit(1);
    assert_eq!(complaint.len(), 1);
    pair.deliver(0, &complaint);
    let again = pair.transmit(0);
    assert_eq!(again.len(), 3, "go back to the first one, without waiting");
    pair.deliver(0, &complaint);
    assert!(pair.transmit(0).is_empty(), "an old complaint changes nothing");
    pair.deliver(1, &again);
    pair.settle();
    assert_eq!(pair.logs[0].contents(), pair.logs[1].contents());
}

#[test]
fn what_is_sent_again_has_identical_bytes_and_waits_longer_each_time() {
    let mut pair = established();
    pair.logs[0].write(A, "into the void");
    pair.save(0);
    let first = pair.transmit(0);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let deadline = pair.sessions[0].poll_timeout().unwrap();
        pair.now = deadline - 1;
        assert!(pair.transmit(0).is_empty());
        waits.push(deadline);
        pair.now = deadline;
        assert_eq!(pair.transmit(0), first);
    }
    let waits: Vec<u64> = waits.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
}

/// The acknowledgement of what is durable is lost, and nothing else would bring another one.
#[test]
fn a_lost_acknowledgement_is_asked_for() {
    let mut pair = established();
    pair.logs[0].write(A, "text");
    pair.save(0);
    let messages = pair.transmit(0);
    pair.deliver(1, &messages);
    pair.now += 25;
    let received = pair.transmit(1);
    assert_eq!(received.len(), 1, "it was received, and is not durable after 25 ms");
    pair.deliver(0, &received);
    pair.save(1);
    assert_eq!(pair.transmit(1).len(), 1);
    pair.now = pair.sessions[0].poll_timeout().unwrap();
    let request = pair.transmit(0);
    assert_eq!(Message::decode(&request[0]), Ok(Message::RequestAcknowledgement));
    pair.deliver(1, &request);
    let answer = pair.transmit(1);
    pair.deliver(0, &answer);
    assert_eq!(pair.sessions[0].unacknowledged(pair.logs[0].version()), Some(0));
    assert_eq!(pair.sessions[0].poll_timeout(), None);
}

/// Each other message of a long session is lost, and so is each other answer.
#[test]
fn a_session_survives_a_terrible_network() {
    let faults = Faults { loss: 60, duplication: 50, latency_ms: 30, jitter_ms: 500 };
    let mut world = World::new(3, faults, 2);
    let config = Config::new().with_retry(Retry::default().with_interval_ms(100, 1_000));
    world.connect([0, 1], [config.clone(), config]);
    for round in 0..200 {
        for node in &mut world.nodes {
            let id = node.id;
            node.log.write(id, &format!("{round}"));
        }
        world.run_for(50);
        world.check();
    }
    assert!(world.run_for(600_000));
    assert_eq!(world.nodes[0].log.contents(), world.nodes[1].log.contents());
}

#[test]
fn unrelated_documents_refuse_each_other() {
    let mut pair = Pair::new([written(A, &["a"]), written(B, &["b"])], default_configs());
    pair.logs[1].genesis = [7; 16];
    let hello = pair.transmit(0);
    let [_, log] = &mut pair.logs;
    let error = SessionError::UnrelatedGenesis { theirs: [0; 16] };
    assert_eq!(pair.sessions[1].handle(&hello[0], log, 0), Err(error));
    let refusal = pair.transmit(1);
    pair.deliver(0, &refusal);
    assert_eq!(pair.events(0), [Event::Refused(Refusal::UnrelatedGenesis)]);
    assert_eq!((pair.logs[0].len(), pair.logs[1].len()), (1, 1));
}

#[test]
fn another_protocol_version_is_refused_by_name() {
    let mut pair = established();
    let hello = Message::OtherProtocol { protocol: 9 }.to_bytes();
    let [log, _] = &mut pair.logs;
    let error = SessionError::ProtocolVersion { theirs: 9 };
    assert_eq!(pair.sessions[0].handle(&hello, log, 0), Err(error));
    let refusal = pair.transmit(0);
    pair.deliver(1, &refusal);
    let refusal = Refusal::ProtocolVersion { supported: Message::PROTOCOL };
    assert_eq!(pair.events(1), [Event::Refused(refusal)]);
}

#[test]
fn a_peer_that_begins_anew_ends_the_session() {
    let mut pair = established();
    let mut anew = Session::new(Config::new(), 99, 0);
    anew.set_durable(&VersionVector::new());
    let hello = anew.poll_transmit(&pair.logs[0], 0).unwrap();
    let [_, log] = &mut pair.logs;
    assert_eq!(pair.sessions[1].handle(&hello, log, 0), Err(SessionError::PeerRestarted));
}

#[test]
fn presence_passes_and_is_bounded() {
    let limits = Limits::default().with_presence_bytes_max(10);
    let configs = [Config::new(), Config::new().with_limits(limits)];
    let mut pair = Pair::new([TestLog::default(), TestLog::default()], configs);
    pair.sessions[0].send_presence(&[7; 11]).unwrap();
    for number in 0..100 {
        pair.sessions[0].send_presence(&[number; 10]).unwrap();
    }
    pair.settle();
    let presence: Vec<u8> = pair
        .events(1)
        .into_iter()
        .filter_map(|event| match event {
            Event::Presence(bytes) => Some(bytes[0]),
            _ => None,
        })
        .collect();
    assert_eq!(presence, (36..100).collect::<Vec<u8>>(), "the newest 64");
    let error = pair.sessions[0].send_presence(&[0; 11]).unwrap_err();
    assert_eq!((error.bytes, error.bytes_max), (11, 10));
    let [_, log] = &mut pair.logs;
    let forged = Message::Presence(&[0; 11]).to_bytes();
    let error = SessionError::MessageTooLarge { bytes: 11, bytes_max: 10 };
    assert_eq!(pair.sessions[1].handle(&forged, log, 0), Err(error));
}

/// A tab that wins the lock of another one writes under that one's id: the server has to know
/// before the first event comes.
#[test]
fn a_claim_comes_before_the_changes() {
    let config = Config::new().with_writers([A]);
    let mut pair = Pair::new([TestLog::default(), TestLog::default()], [config, Config::new()]);
    pair.settle();
    assert_eq!(pair.events(1)[0], Event::Established { writers: vec![A] });
    pair.sessions[0].claim_writer(B);
    pair.sessions[0].claim_writer(A);
    pair.logs[0].write(B, "text");
    pair.settle();
    assert_eq!(pair.sessions[1].peer_writers(), [A, B]);
    let events = pair.events(1);
    let claimed = events.iter().position(|event| *event == Event::WriterClaimed { replica: B });
    let changed = events.iter().position(|event| matches!(event, Event::Changed { .. }));
    assert!(claimed.unwrap() < changed.unwrap());
}

#[test]
fn claims_are_bounded() {
    let mut pair = established();
    for number in 0..2_000_u128 {
        let claimed = pair.sessions[0].claim_writer(ReplicaId::from_u128(number));
        assert_eq!(claimed, number < 1_024);
    }
    pair.settle();
    assert_eq!(pair.sessions[1].peer_writers().len(), 1_024);
}

/// Limits that make no sense are not kept to: a session of two of these still works.
#[test]
fn limits_and_waits_of_zero_are_raised() {
    let mut limits = Limits::default();
    limits.message_bytes_max = 0;
    limits.body_bytes_max = 0;
    limits.in_flight_bytes_max = 0;
    limits.in_flight_messages_max = 0;
    let mut retry = Retry::default();
    (retry.interval_ms, retry.interval_ms_max) = (0, 0);
    let config = Config::new().with_limits(limits).with_retry(retry);
    let logs = [written(A, &["a"]), written(B, &["b"])];
    let mut pair = Pair::new(logs, [config.clone(), config]);
    pair.settle();
    assert_eq!(pair.logs[0].contents(), pair.logs[1].contents());
    assert_eq!(pair.logs[0].len(), 2);
}

/// A hundred thousand names over one connection: the tables start anew, on both sides at once.
#[test]
fn tables_stay_bounded() {
    let mut pair = established();
    for round in 0..25 {
        let payloads: Vec<_> =
            (0..4_000).map(|key| (format!("{round} {key}"), String::new())).collect();
        pair.logs[0].change(A, &payloads);
        pair.settle();
    }
    assert_eq!(pair.logs[1].len(), 100_000);
    assert_eq!(pair.logs[0].contents(), pair.logs[1].contents());
}

#[test]
fn a_failed_import_leaves_the_log_and_ends_the_session() {
    let mut pair = established();
    // The same dot, twice.
    pair.logs[0].write(A, "one");
    pair.logs[1].write(A, "two");
    pair.save(0);
    let changes = pair.transmit(0);
    let before = pair.logs[1].contents();
    let [_, log] = &mut pair.logs;
    let error = SessionError::Import(crate::log::TestError::Equivocation(Dot::new(A, 1)));
    assert_eq!(pair.sessions[1].handle(&changes[0], log, 0), Err(error));
    assert_eq!(pair.logs[1].contents(), before);
    let refusal = pair.transmit(1);
    pair.deliver(0, &refusal);
    assert_eq!(pair.events(0).last(), Some(&Event::Refused(Refusal::Equivocation { replica: A })));
}

/// The bytes of a greeting and of a check, frozen for version 1.
#[test]
fn the_bytes_of_version_1_are_these() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let log = written(A, &["one", "two"]);
    let config = Config::new().with_writers([A]);
    let mut session = Session::new(config, 0x0102_0304_0506_0708, 0);
    session.set_durable(log.version());
    assert_eq!(hex(&session.poll_transmit(&log, 0).unwrap()), GOLDEN_HELLO);
    let dots = [Dot::new(A, 300)].into_iter().collect();
    let content = Content::Check { dots, chains: vec![ChainHash(0x1122_3344_5566_7788)] };
    let check = Message::Numbered { number: 5, content };
    assert_eq!(hex(&check.to_bytes()), GOLDEN_CHECK);
    assert_eq!(Message::decode(&check.to_bytes()), Ok(check));
}

const GOLDEN_HELLO: &str = "00011600000000000000000000000000000000080706050403020180801080808008\
    80800180804040010000000000000000000000000000000102e13fc9bd08f8dc2a\
    000100000000000000000000000000000001020100000000000000000000000000000001";
const GOLDEN_CHECK: &str = "0a050100000000000000000000000000000001ac028877665544332211";
