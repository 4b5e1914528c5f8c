//! Tokens: the laws of merging, how long they are, and what becomes of those that mean harm.

use alloc::format;

use crdt_core::ReplicaId;
use crdt_core::codec::{DecodeErrorKind, checksum};
use crdt_core::laws::trials;
use quickcheck::{Arbitrary, Gen};

use super::footprint::Footprint;
use super::*;
use crate::clock::HybridTime;
use crate::cut::{Admission, Cut, Epoch, Slot};

pub(super) const REALM: Realm = Realm(0xfeed_0001);
pub(super) const EPOCH: Epoch = Epoch(3);

/// Keys 1 and 2, of which one is the newest.
pub(super) struct Keys {
    pub(super) newest: KeyId,
}

pub(super) const KEYS: Keys = Keys { newest: KeyId(2) };

impl Authenticator for Keys {
    fn newest(&self) -> KeyId {
        self.newest
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac> {
        let secret: &[u8] = match key.0 {
            1 => b"the first key of the realm",
            2 => b"the second key of the realm",
            _ => return None,
        };
        let code = hmac_sha256::HMAC::mac(message, secret);
        code.first_chunk().copied()
    }
}

fn replica(number: u8) -> ReplicaId {
    ReplicaId::from_u128(u128::from(number) + 1)
}

fn verified(token: &SessionToken) -> Result<VerifiedToken, TokenError> {
    token.verify(REALM, EPOCH, &KEYS, |_| true)
}

/// A token as some server of the realm would attest it, or several merged, with offline writes.
impl Arbitrary for SessionToken {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut token = Self::new();
        for _ in 0..u8::arbitrary(g) % 3 {
            let mut session = VerifiedToken::new(EPOCH);
            let footprint = Footprint::arbitrary(g);
            session.observe_read(footprint.read());
            for (slot, position) in footprint.written() {
                session.observe_write(Admission::new(slot, position));
            }
            session.observe_strong(u64::from(u8::arbitrary(g) % 3));
            let time = HybridTime::new(u64::from(u8::arbitrary(g) % 3), 0).unwrap();
            let keys = Keys { newest: KeyId(1 + u32::from(bool::arbitrary(g))) };
            token.merge(&session.attest(REALM, time, &keys).unwrap()).unwrap();
        }
        for _ in 0..u8::arbitrary(g) % 3 {
            let [who, log, seq] = [(); 3].map(|()| u8::arbitrary(g) % 4);
            let tag = LogTag(u32::from(log));
            token.record_write(replica(who % 2), tag, u64::from(seq)).unwrap();
        }
        token
    }
}

fn merged(a: &SessionToken, b: &SessionToken) -> SessionToken {
    let mut merged = a.clone();
    merged.merge(b).unwrap();
    merged
}

#[test]
fn merging_is_a_join() {
    fn law(a: SessionToken, b: SessionToken, c: SessionToken) -> bool {
        let ab = merged(&a, &b);
        ab == merged(&b, &a)
            && merged(&a, &a) == a
            && merged(&ab, &a) == ab
            && merged(&ab, &c) == merged(&a, &merged(&b, &c))
            && ab.to_bytes() == merged(&b, &a).to_bytes()
    }
    trials().quickcheck(law as fn(_, _, _) -> _);
}

/// What a server makes of a merged token is the join of what it makes of each.
#[test]
fn a_merged_token_says_what_both_said() {
    fn law(a: SessionToken, b: SessionToken) -> bool {
        let (one, other) = (verified(&a).unwrap(), verified(&b).unwrap());
        let both = verified(&merged(&a, &b)).unwrap();
        let (mut read, mut footprint) = (one.read().clone(), Footprint::default());
        read.join(other.read());
        footprint.observe_read(&read);
        for session in [&one, &other] {
            for (slot, position) in session.written() {
                footprint.observe_write(slot, position);
            }
        }
        let all = |log, dot: crdt_core::Dot| both.offline().get(dot.replica, log) >= dot.seq;
        *both.read() == read
            && both.written() == footprint.written()
            && both.time() == one.time().max(other.time())
            && both.strong() == one.strong().max(other.strong())
            && one.offline().iter().chain(other.offline().iter()).all(|(log, dot)| all(log, dot))
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

#[test]
fn a_token_is_what_it_is_written_as() {
    fn law(token: SessionToken) -> bool {
        SessionToken::from_bytes(&token.to_bytes()) == Ok(token.clone())
            && format!("{token}").parse() == Ok(token)
    }
    trials().quickcheck(law as fn(_) -> _);
}

/// A server attests anew what it has verified: one attestation that says the same, and nothing of
/// what it did not believe is lost.
#[test]
fn attesting_anew_keeps_everything() {
    fn law(token: SessionToken) -> bool {
        let session = token.verify(REALM, EPOCH, &KEYS, |id| id == replica(0)).unwrap();
        let again = session.attest(REALM, session.time(), &KEYS).unwrap();
        assert!(session.offline().iter().all(|(_, write)| write.replica == replica(0)));
        again.offline() == token.offline()
            && verified(&again).unwrap() == verified(&token).unwrap()
            && again.attestations() == 1
    }
    trials().quickcheck(law as fn(_) -> _);
}

/// Answers replace what was sent, in whatever order they come, and keep what came in between.
#[test]
fn answers_may_overtake_each_other() {
    let (log, me) = (LogTag::of_name(b"notes"), replica(0));
    let answer = |sent: &SessionToken, slot, settled| {
        let mut session = verified(sent).unwrap();
        session.settle(me, log, settled, Admission::new(Slot(slot), 10));
        session.observe_read(&Cut::from_iter([(Slot(slot), 10)]));
        session.attest(REALM, HybridTime::new(u64::from(slot), 0).unwrap(), &KEYS).unwrap()
    };
    let mut sent = SessionToken::new();
    sent.record_write(me, log, 5).unwrap();
    let (first, second) = (answer(&sent, 0, 5), answer(&sent, 1, 4));
    for order in [[&first, &second], [&second, &first]] {
        let mut token = sent.clone();
        // Written while both requests are under way.
        token.record_write(me, log, 6).unwrap();
        for answer in order {
            token.replace(&sent, answer).unwrap();
        }
        assert_eq!(token.offline().get(me, log), 6, "it was not in what was sent");
        let session = verified(&token).unwrap();
        assert_eq!(*session.read(), Cut::from_iter([(Slot(0), 10), (Slot(1), 10)]));
        assert_eq!(*session.written(), Cut::from_iter([(Slot(0), 10)]), "the first had them all");
    }
    let mut token = sent.clone();
    token.replace(&sent, &first).unwrap();
    assert!(token.offline().is_empty(), "attested, and no longer carried");
}

/// A session with as many servers, each far on, that has written at some of them.
fn of_servers(servers: u16, positions: u64) -> VerifiedToken {
    let mut session = VerifiedToken::new(EPOCH);
    session.observe_read(
        &(0..servers).map(|slot| (Slot(slot), positions - u64::from(slot))).collect(),
    );
    for slot in (0..servers).step_by(3) {
        session.observe_write(Admission::new(Slot(slot), positions / 2));
    }
    session.observe_strong(1 << 20);
    session
}

fn noon() -> HybridTime {
    HybridTime::new(1_790_000_000_000, 3).unwrap()
}

#[test]
fn tokens_are_short() {
    // Eight servers that have each admitted 34 thousand million events.
    let session = of_servers(8, (1 << 35) - 1);
    let mut token = session.attest(REALM, noon(), &KEYS).unwrap();
    let attested = token.to_bytes().len();
    assert!(attested <= 96, "{attested} bytes");
    for (log, seq) in [(b"one", 12), (b"two", 1_000), (b"six", 100_000)] {
        token.record_write(replica(0), LogTag::of_name(log), seq).unwrap();
    }
    let with_offline = token.to_bytes().len();
    assert!(with_offline <= 128, "{with_offline} bytes");
    assert!(token.to_base64url().len() <= 176);
    // All that the goals leave open, measured: these are what the documentation says.
    assert_eq!((attested, with_offline, SessionToken::new().to_bytes().len()), (88, 123, 7));
}

#[test]
fn golden_bytes() {
    let mut session = VerifiedToken::new(Epoch(1));
    session.observe_read(&Cut::from_iter([(Slot(0), 300), (Slot(2), 7)]));
    session.observe_write(Admission::new(Slot(2), 9));
    session.observe_strong(4);
    let mut token = session.attest(Realm(7), noon(), &KEYS).unwrap();
    token.record_write(replica(0), LogTag(0x0403_0201), 12).unwrap();
    // Computed from the description of the format by a few lines in another language.
    let expected = "AAEHAAAAAgGA2MGijDQDBAIArAIGBwI6LvKIA8XMXFzwi779_0rk\
                    AQAAAAAAAAAAAAAAAAAAAAEBAQIDBAzoKktT";
    assert_eq!(token.to_base64url(), expected);
    assert_eq!(SessionToken::new().to_bytes()[..3], [0, 0, 0]);
}

#[test]
fn no_flipped_bit_is_accepted() {
    let mut token = of_servers(3, 1000).attest(REALM, noon(), &KEYS).unwrap();
    token.record_write(replica(0), LogTag(1), 9).unwrap();
    let bytes = token.to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(SessionToken::from_bytes(&flipped).is_err(), "damage, bit {bit}");
        // Someone who means it makes the checksum fit.
        let body = flipped.len() - 4;
        let sum = checksum(&flipped[..body]).to_le_bytes();
        flipped[body..].copy_from_slice(&sum);
        let Ok(forged) = SessionToken::from_bytes(&flipped) else { continue };
        match forged.verify(REALM, EPOCH, &KEYS, |id| id == replica(0)) {
            Err(_) => {}
            // Nothing changed but the tail, and the checksum itself.
            Ok(session) => {
                let honest = verified(&token).unwrap();
                assert!(bit / 8 >= bytes.len() - 4 - 23, "bit {bit}");
                assert_eq!((session.read(), session.written()), (honest.read(), honest.written()));
                assert!(session.offline().iter().all(|(_, write)| write.replica == replica(0)));
            }
        }
    }
    for len in 0..bytes.len() {
        assert!(SessionToken::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
    }
}

/// A future that no server attested would make every node wait for it.
#[test]
fn a_forged_future_is_not_believed() {
    struct Guess;
    impl Authenticator for Guess {
        fn newest(&self) -> KeyId {
            KeyId(2)
        }
        fn mac(&self, _: KeyId, message: &[u8]) -> Option<Mac> {
            hmac_sha256::HMAC::mac(message, b"a key that someone guessed").first_chunk().copied()
        }
    }
    let mut future = VerifiedToken::new(EPOCH);
    future.observe_read(&Cut::from_iter([(Slot(0), 1 << 60)]));
    let forged = future.attest(REALM, noon(), &Guess).unwrap();
    assert_eq!(verified(&forged), Err(TokenError::NotAuthentic));
    // Nor beside an honest one.
    let honest = of_servers(3, 1000).attest(REALM, noon(), &KEYS).unwrap();
    let mut both = honest.clone();
    both.merge(&forged).unwrap();
    assert_eq!(verified(&both), Err(TokenError::NotAuthentic));
    // An honest code from another context does not fit.
    let other_realm = future.attest(Realm(9), noon(), &KEYS).unwrap();
    let error = TokenError::WrongRealm { token: Realm(9), here: REALM };
    assert_eq!(verified(&other_realm), Err(error));
    let mut bytes = other_realm.to_bytes();
    bytes[2..6].copy_from_slice(&REALM.0.to_le_bytes());
    let body = bytes.len() - 4;
    let sum = checksum(&bytes[..body]).to_le_bytes();
    bytes[body..].copy_from_slice(&sum);
    let renamed = SessionToken::from_bytes(&bytes).unwrap();
    assert_eq!(verified(&renamed), Err(TokenError::NotAuthentic));
}

#[test]
fn offline_writes_are_believed_of_oneself() {
    let mut token = SessionToken::new();
    token.record_write(replica(0), LogTag(1), 1 << 60).unwrap();
    token.record_write(replica(1), LogTag(1), 4).unwrap();
    let session = token.verify(REALM, EPOCH, &KEYS, |id| id == replica(1)).unwrap();
    assert_eq!(session.offline().iter().len(), 1);
    assert_eq!(session.offline().get(replica(1), LogTag(1)), 4);
    // It is carried along all the same, for whoever's it is.
    let answer = session.attest(REALM, noon(), &KEYS).unwrap();
    assert_eq!(answer.offline(), token.offline());
}

#[test]
fn epochs_and_keys_end() {
    let token = of_servers(3, 1000).attest(REALM, noon(), &Keys { newest: KeyId(1) }).unwrap();
    assert!(verified(&token).is_ok(), "the key before the newest is still known");
    let at = |epoch| token.verify(REALM, Epoch(epoch), &KEYS, |_| true).map(|_| ());
    assert_eq!(at(4), Err(TokenError::EpochExpired { token: EPOCH, here: Epoch(4) }));
    assert_eq!(at(2), Err(TokenError::EpochUnknown { token: EPOCH, here: Epoch(2) }));
    struct Later;
    impl Authenticator for Later {
        fn newest(&self) -> KeyId {
            KeyId(2)
        }
        fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac> {
            (key.0 == 2).then(|| KEYS.mac(key, message)).flatten()
        }
    }
    let gone = token.verify(REALM, EPOCH, &Later, |_| true);
    assert_eq!(gone, Err(TokenError::UnknownKey(KeyId(1))));
    // Tokens of two epochs merge, for the client knows nothing of epochs, and the server says it.
    let mut session = VerifiedToken::new(Epoch(4));
    session.observe_read(&Cut::from_iter([(Slot(0), 5000)]));
    let mut both = session.attest(REALM, noon(), &KEYS).unwrap();
    both.merge(&token).unwrap();
    let error = both.verify(REALM, Epoch(4), &KEYS, |_| true);
    assert_eq!(error, Err(TokenError::EpochExpired { token: EPOCH, here: Epoch(4) }));
}

/// Where the servers know what slots were before, a session goes on in the slots of today.
#[test]
fn a_session_may_outlive_an_epoch() {
    let mut session = VerifiedToken::new(EPOCH);
    session.observe_read(&Cut::from_iter([(Slot(0), 9), (Slot(1), 4)]));
    session.observe_write(Admission::new(Slot(1), 6));
    session.observe_strong(2);
    let token = session.attest(REALM, noon(), &KEYS).unwrap();
    // Slot 1 is slot 5 now, and slot 0 is gone, which is known of everything up to 9.
    let renamed = |epoch, cut: &Cut| {
        assert_eq!(epoch, EPOCH);
        (cut.get(Slot(0)) <= 9).then(|| Cut::from_iter([(Slot(5), cut.get(Slot(1)))]))
    };
    let across =
        |token: &SessionToken| token.verify_across(REALM, Epoch(4), &KEYS, |_| true, renamed);
    let today = across(&token).unwrap();
    assert_eq!((today.epoch(), today.time(), today.strong()), (Epoch(4), noon(), 2));
    assert_eq!(*today.read(), Cut::from_iter([(Slot(5), 4)]));
    assert_eq!(*today.written(), Cut::from_iter([(Slot(5), 6)]));
    // Beside what is of today.
    let mut both = today.attest(REALM, noon(), &KEYS).unwrap();
    both.merge(&token).unwrap();
    assert_eq!(across(&both), Ok(today));
    session.observe_read(&Cut::from_iter([(Slot(0), 10)]));
    let token = session.attest(REALM, noon(), &KEYS).unwrap();
    let error = TokenError::EpochExpired { token: EPOCH, here: Epoch(4) };
    assert_eq!(across(&token), Err(error));
}

#[test]
fn realms_do_not_mix() {
    let here = of_servers(1, 5).attest(REALM, noon(), &KEYS).unwrap();
    let there = of_servers(1, 5).attest(Realm(9), noon(), &KEYS).unwrap();
    let mut token = here.clone();
    let error = Err(TokenError::WrongRealm { token: Realm(9), here: REALM });
    assert_eq!((token.merge(&there), token.replace(&here, &there)), (error, Ok(())));
    assert_eq!(token, there, "replaced by what came for it");
}

#[test]
fn nothing_grows_beyond_four_kilobytes() {
    let mut token = SessionToken::new();
    let mut logs = 0;
    let error = loop {
        let before = token.clone();
        match token.record_write(replica(0), LogTag(logs), 1) {
            Ok(()) => logs += 1,
            Err(error) => {
                assert_eq!(token, before);
                break error;
            }
        }
    };
    assert!(matches!(error, TokenError::TooLong { bytes: 4097.. }) && logs > 800, "{logs}");
    assert!(token.to_bytes().len() <= TOKEN_BYTES_MAX);
    let text = format!("{token}");
    assert_eq!(text.parse(), Ok(token));
    let long = alloc::vec![0; TOKEN_BYTES_MAX + 1];
    let error = TokenError::TooLong { bytes: TOKEN_BYTES_MAX + 1 };
    assert_eq!(SessionToken::from_bytes(&long), Err(error));
    let long = "A".repeat(1 << 20);
    let error = SessionToken::from_base64url(&long);
    assert_eq!(error, Err(TokenError::TooLong { bytes: 3 << 18 }));

    // Attestations that do not cover each other pile up, and stop there too.
    let mut token = SessionToken::new();
    let merged = (0..1000u16).find(|&number| {
        let mut session = VerifiedToken::new(EPOCH);
        session.observe_read(&Cut::from_iter([(Slot(number), 1)]));
        token.merge(&session.attest(REALM, noon(), &KEYS).unwrap()).is_err()
    });
    assert!(merged.is_some_and(|merged| merged > 100), "{merged:?}");
    assert!(verified(&token).unwrap().read().len() > 100);
}

/// Each of these would be a second form of a token, or none.
#[test]
fn other_forms_are_refused() {
    let sealed = |body: &[u8]| {
        let mut bytes = body.to_vec();
        bytes.extend(checksum(body).to_le_bytes());
        SessionToken::from_bytes(&bytes)
    };
    let malformed = |kind: DecodeErrorKind, at| Err(TokenError::Malformed(kind.at(at)));
    assert_eq!(sealed(&[0, 0, 0]), Ok(SessionToken::new()));
    assert_eq!(sealed(&[1, 0, 0]), malformed(DecodeErrorKind::UnknownVersion, 0));
    assert_eq!(sealed(&[0, 0, 0, 0]), malformed(DecodeErrorKind::TrailingBytes, 3));
    // An attestation that another covers, and two in the wrong order.
    let part = |positions: &[(Slot, u64)]| {
        let mut session = VerifiedToken::new(EPOCH);
        session.observe_read(&positions.iter().copied().collect());
        let bytes = session.attest(REALM, noon(), &KEYS).unwrap().to_bytes();
        bytes[6..bytes.len() - 5].to_vec()
    };
    let two = |a: &[(Slot, u64)], b: &[(Slot, u64)]| {
        let mut body = [&[0, 2][..], &REALM.0.to_le_bytes(), &part(a), &part(b)].concat();
        body.push(0);
        sealed(&body)
    };
    let (a, b) = ([(Slot(0), 1)], [(Slot(1), 1)]);
    assert!(two(&a, &b).is_ok());
    assert_eq!(two(&b, &a), malformed(DecodeErrorKind::NotCanonical, 6));
    assert_eq!(two(&a, &a), malformed(DecodeErrorKind::NotCanonical, 6));
    assert_eq!(two(&a, &[(Slot(0), 2)]), malformed(DecodeErrorKind::NotCanonical, 6));
    // Offline writes of a replica twice, of a log twice, of no log.
    let id = replica(0).to_bytes();
    let tail = |parts: &[&[u8]]| sealed(&[&[0, 0][..], &parts.concat()].concat());
    let one = [1, 1, 0, 0, 0, 5];
    assert!(tail(&[&[1], &id, &one]).is_ok());
    assert!(tail(&[&[2], &id, &one, &id, &one]).is_err());
    assert!(tail(&[&[1], &id, &[2], &one[1..], &one[1..]]).is_err());
    assert!(tail(&[&[1], &id, &[0], &[0; 5]]).is_err());
}
