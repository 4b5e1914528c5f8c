//! Tokens, and what becomes of them, for other implementations of the client's half: the npm package has
//! one. Each line of `tests/golden/session_tokens.txt` is a case of tokens as text: `a`, `b`, the two
//! merged, an answer to a request with `a`, and the merged one after that answer took the place of `a`.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use crdt_core::ReplicaId;

use super::tests::{EPOCH, KEYS, Keys, REALM};
use super::*;
use crate::clock::HybridTime;
use crate::cut::{Admission, Cut, Epoch, Slot};

const CASES: usize = 64;

/// A linear congruential generator (Knuth's MMIX), whose high bits are good enough here.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Numbers of all lengths.
    fn position(&mut self) -> u64 {
        let bits = self.below(62);
        1 + ((self.below(1 << 31) << 31 | self.below(1 << 31)) & ((1 << bits) - 1))
    }

    fn token(&mut self) -> SessionToken {
        let mut token = SessionToken::new();
        for _ in 0..self.below(4) {
            // Of an earlier epoch too, which is compared with none of another.
            let mut session = VerifiedToken::new(Epoch(EPOCH.0 - u32::from(self.below(8) == 0)));
            for slot in [0, 1, 7, 300] {
                let slot = Slot(slot);
                // Few positions, so that many attestations are comparable, and great ones.
                let position = |draws: &mut Self| match draws.below(4) {
                    0 => draws.position(),
                    _ => 1 + draws.below(2),
                };
                if self.below(2) == 0 {
                    let read = position(self);
                    session.observe_read(&Cut::from_iter([(slot, read)]));
                }
                if self.below(3) == 0 {
                    session.observe_write(Admission::new(slot, position(self)));
                }
            }
            session.observe_strong(self.below(2));
            let time = HybridTime::new(1_790_000_000_000 + self.below(2), self.below(2) as u16);
            let keys = Keys { newest: KeyId(1 + self.below(2) as u32) };
            let attested = session.attest(REALM, time.expect("in its range"), &keys);
            token.merge(&attested.expect("it has the keys")).expect("it is short");
        }
        for _ in 0..self.below(4) {
            let replica = ReplicaId::from_u128(u128::from(1 + self.below(2)) << 100);
            let log = LogTag(self.below(2) as u32 + 0xfeff);
            token.record_write(replica, log, self.position()).expect("it is short");
        }
        token
    }
}

#[test]
fn what_others_have_to_make_of_tokens() {
    let mut draws = Draws(1);
    let mut lines = String::new();
    for _ in 0..CASES {
        let (a, b) = (draws.token(), draws.token());
        let mut merged = a.clone();
        merged.merge(&b).expect("they are short");
        let asked = a.verify_across(REALM, EPOCH, &KEYS, |_| true, |_, cut| Some(cut.clone()));
        let mut asked = asked.expect("it is of this realm");
        for (log, dot) in a.offline().iter().take(1) {
            assert!(asked.settle(
                dot.replica,
                log,
                dot.seq,
                Admission::new(Slot(7), draws.position())
            ));
        }
        let time = HybridTime::new(1_790_000_000_003, 0).expect("in its range");
        let answer = asked.attest(REALM, time, &KEYS).expect("it is short");
        let mut replaced = merged.clone();
        replaced.replace(&a, &answer).expect("they are short");
        writeln!(lines, "{a} {b} {merged} {answer} {replaced}").expect("memory suffices");
    }
    let path = format!("{}/tests/golden/session_tokens.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("CRDT_BLESS").is_some() {
        std::fs::write(&path, &lines).expect("the golden file can be written");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("the golden file is there"), lines);
}
