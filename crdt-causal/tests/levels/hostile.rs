//! What someone without keys may do to a token, and to a clock, at random.

use crdt_causal::clock::{HybridClock, HybridTime};
use crdt_causal::cut::{Admission, Cut, Slot};
use crdt_causal::session::{Authenticator, KeyId, LogTag, Mac, SessionToken, VerifiedToken};
use crdt_core::ReplicaId;

use crate::client::{EPOCH, Keys, REALM};
use crate::histories;
use crate::random::Random;

/// Keys that someone has made up.
struct Guess(u64);

impl Authenticator for Guess {
    fn newest(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, _: KeyId, message: &[u8]) -> Option<Mac> {
        hmac_sha256::HMAC::mac(message, self.0.to_le_bytes()).first_chunk().copied()
    }
}

const ME: ReplicaId = ReplicaId::from_u128(1);
const SOMEONE: ReplicaId = ReplicaId::from_u128(2);

fn session(random: &mut Random, position_max: u64) -> VerifiedToken {
    let mut session = VerifiedToken::new(EPOCH);
    for _ in 0..1 + random.pick(4) {
        let (slot, position) = (Slot(random.pick(8) as u16), 1 + random.below(position_max));
        session.observe_read(&Cut::from_iter([(slot, position)]));
        session.observe_write(Admission::new(slot, 1 + random.below(position_max)));
    }
    session
}

/// Makes a token that is wrong in one way, and says what was believed of it that should not be.
pub(crate) fn what_is_believed(seed: u64) -> Option<&'static str> {
    let mut random = Random(seed);
    let now = HybridTime::new(1_790_000_000_000, 0).expect("this century");
    let honest = session(&mut random, 1_000);
    let mut token = honest.attest(REALM, now, &Keys).expect("short");
    let verify = |token: &SessionToken| token.verify(REALM, EPOCH, &Keys, |id| id == ME);
    match random.below(4) {
        // A future that no server has seen, by itself or beside what is true.
        0 => {
            let future = session(&mut random, 1 << 60);
            let guess = Guess(random.next());
            let forged = future.attest(REALM, now, &guess).expect("short");
            let mut both = token.clone();
            both.merge(&forged).expect("short");
            let believed = verify(&forged).is_ok() || verify(&both).is_ok();
            believed.then_some("forged future")
        }
        // Writes of someone else, for which a server would have to wait.
        1 => {
            token.record_write(SOMEONE, LogTag(1), 1 + random.below(1 << 60)).expect("short");
            let session = verify(&token).expect("what was attested is true");
            (!session.offline().is_empty()).then_some("forged tail")
        }
        // Some bits are others, and the checksum fits.
        2 => {
            let mut bytes = token.to_bytes();
            let body = bytes.len() - 4;
            // Behind the attested part there is only the count of replicas with offline writes.
            for _ in 0..1 + random.pick(3) {
                let bit = random.pick((body - 1) * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            let sum = crdt_core::codec::checksum(&bytes[..body]);
            bytes[body..].copy_from_slice(&sum.to_le_bytes());
            match SessionToken::from_bytes(&bytes) {
                Ok(changed) if changed != token => {
                    verify(&changed).is_ok().then_some("flipped bits")
                }
                _ => None,
            }
        }
        // A stamp that would win for years.
        _ => {
            let mut clock = HybridClock::new(60_000);
            let ahead = now.ms() + 60_001 + random.below(10 * 365 * 86_400_000);
            let stamp = HybridTime::new(ahead, 0).expect("this millennium");
            let believed = clock.observe(stamp, now.ms()).is_ok() || clock.last() >= stamp;
            believed.then_some("stamp ahead of time")
        }
    }
}

#[test]
fn nothing_hostile_is_believed() {
    for seed in 0..histories() * 20 {
        assert_eq!(what_is_believed(seed), None, "seed {seed}");
    }
}
