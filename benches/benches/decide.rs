//! What it costs to decide whether a server may answer, with eight servers.

use std::hint::black_box;

use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::level::{
    Decision, Level, NodeView, Peer, Progress, ProgressConfig, Spec, decide, decide_write,
};
use crdt_causal::session::{Authenticator, KeyId, Mac, Realm, VerifiedToken};
use criterion::{Criterion, criterion_group, criterion_main};

const SERVERS: u16 = 8;
const NOW: u64 = 1_790_000_000_000;

fn cut(position: u64) -> Cut {
    (0..SERVERS).map(|slot| (Slot(slot), position + u64::from(slot))).collect()
}

/// A server that is up to date but for the last one, of which it lacks a thousand events.
fn progress() -> Progress {
    let slots = (0..SERVERS).map(Slot);
    let mut progress = Progress::new(Slot(0), slots, ProgressConfig::default());
    for (slot, position) in &cut(1 << 30) {
        progress.apply(slot, position);
        progress.heard(slot, position, NOW, NOW);
    }
    progress.heard(Slot(7), (1 << 30) + 1_007, NOW + 1, NOW + 1);
    progress
}

/// A session that has read at all servers and written at three.
fn session(position: u64) -> VerifiedToken {
    let mut session = VerifiedToken::new(Epoch(1));
    session.observe_read(&cut(position));
    for slot in [0, 3, 6] {
        session.observe_write(Admission::new(Slot(slot), position));
    }
    session
}

fn decisions(c: &mut Criterion) {
    let progress = progress();
    let peers = [1, 2, 3].map(|slot| Peer { slot: Slot(slot), applied: cut(1 << 30) });
    let mut node = NodeView::new(Epoch(1), &progress);
    node.peers = &peers;
    let (known, unknown) = (session(1 << 29), session((1 << 30) + 500));
    let causal = Spec::new(Level::CAUSAL);
    let bounded = causal.level().join(Level::bounded(100, 300_000));
    let mut group = c.benchmark_group("decide, 8 servers");
    let mut case =
        |name: &str, spec: Spec, token: &VerifiedToken, expected: fn(&Decision<'_>) -> bool| {
            let decision = decide(&spec, token, &node, NOW + 2);
            assert!(expected(&decision), "{name}: {decision:?}");
            group.bench_function(name, |b| {
                b.iter(|| decide(black_box(&spec), black_box(token), black_box(&node), NOW + 2));
            });
        };
    let served = |decision: &Decision<'_>| matches!(decision, Decision::Serve(_));
    let refused = |decision: &Decision<'_>| matches!(decision, Decision::Refuse(_));
    case("serve eventual", Spec::new(Level::EVENTUAL), &known, served);
    case("serve causal", causal, &known, served);
    case("wait", causal.until(NOW + 500), &unknown, |decision| {
        matches!(decision, Decision::WaitFor { .. })
    });
    case("refuse: nobody has it", causal, &unknown, refused);
    case("refuse: too stale", Spec::new(bounded), &known, refused);
    group.bench_function("admit a write", |b| {
        b.iter(|| decide_write(black_box(&causal), black_box(&known), black_box(&node), NOW + 2));
    });
    group.finish();
}

/// What stands for the servers' keyed hash, which is theirs to choose and to pay for.
struct NoKeys;

impl Authenticator for NoKeys {
    fn newest(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, _: KeyId, message: &[u8]) -> Option<Mac> {
        message.first_chunk().copied()
    }
}

fn tokens(c: &mut Criterion) {
    let mut group = c.benchmark_group("token, 8 servers, without the keyed hash");
    let session = session(1 << 30);
    let time = HybridTime::new(NOW, 0).expect("this millennium");
    let attest = || session.attest(Realm(1), time, &NoKeys).expect("short").to_base64url();
    group.bench_function("attest, as text", |b| b.iter(attest));
    let text = attest();
    println!("a token of {} characters", text.len());
    group.bench_function("read text, verify", |b| {
        b.iter(|| {
            let token: crdt_causal::session::SessionToken =
                black_box(text.as_str()).parse().expect("it is one");
            token.verify(Realm(1), Epoch(1), &NoKeys, |_| true).expect("it is authentic")
        });
    });
    group.finish();
}

criterion_group!(benches, decisions, tokens);
criterion_main!(benches);
