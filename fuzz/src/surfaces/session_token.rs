//! Session tokens, as text or as bytes, from whoever carries them.

use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::level::{Level, NodeView, Progress, ProgressConfig, Spec, decide};
use crdt_causal::session::{
    Authenticator, KeyId, LogTag, Mac, Realm, SessionToken, TOKEN_BYTES_MAX, VerifiedToken,
};

use super::replicas;

const REALM: Realm = Realm(1);
const EPOCH: Epoch = Epoch(1);

/// Keys under which everything fits, so that what is inside gets as far as a decision.
struct Open;

impl Authenticator for Open {
    fn newest(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, _: KeyId, _: &[u8]) -> Option<Mac> {
        Some([7; 16])
    }
}

/// Decodes a token, merges it, and lets a server verify it, decide by it and attest it anew. Bytes
/// that begin with a letter are read as text too.
pub fn run(bytes: &[u8]) {
    if let Some(text) = std::str::from_utf8(bytes).ok()
        && let Ok(token) = text.parse::<SessionToken>()
    {
        assert_eq!(token.to_base64url(), text, "one text for one token");
    }
    let Ok(token) = SessionToken::from_bytes(bytes) else { return };
    assert!(bytes.len() <= TOKEN_BYTES_MAX);
    assert_eq!(token.to_bytes(), bytes, "one form for one token");
    let mut merged = token.clone();
    merged.merge(&token).expect("with itself");
    assert_eq!(merged, token);
    let Ok(session) = token.verify(REALM, EPOCH, &Open, |id| id == replicas()[0]) else { return };
    let mut progress = Progress::new(Slot(0), [Slot(1)], ProgressConfig::default());
    progress.apply(Slot(0), 1 << 20);
    let node = NodeView::new(EPOCH, &progress);
    for level in [Level::EVENTUAL, Level::CAUSAL, Level::STRONG] {
        let _decision = decide(&Spec::new(level).until(5), &session, &node, 4);
    }
    if let Ok(answer) = session.attest(REALM, HybridTime::default(), &Open) {
        let again = answer.verify(REALM, EPOCH, &Open, |id| id == replicas()[0]);
        assert_eq!(again, Ok(session), "nothing is lost or made up");
    }
}

/// Nothing, one attestation, two beside each other, and offline writes; one of them as text.
pub fn seeds() -> Vec<Vec<u8>> {
    let attested = |slot: u16, position| {
        let mut session = VerifiedToken::new(EPOCH);
        session.observe_read(&Cut::from_iter([(Slot(slot), position), (Slot(9), 1)]));
        session.observe_write(Admission::new(Slot(slot), position + 3));
        let time = HybridTime::new(1_790_000_000_000, 1).expect("this century");
        session.attest(REALM, time, &Open).expect("short")
    };
    let one = attested(0, 300);
    let mut two = one.clone();
    two.merge(&attested(1, 1 << 40)).expect("short");
    for (replica, log) in [(0, 1), (0, 2), (1, 1)] {
        two.record_write(replicas()[replica], LogTag(log), 70_000).expect("short");
    }
    let text = two.to_base64url().into_bytes();
    vec![SessionToken::new().to_bytes(), one.to_bytes(), two.to_bytes(), text]
}
