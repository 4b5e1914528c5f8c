//! What it costs to watch: a server's requests with and without a monitor that is told of each.
//!
//! A request is what a server does for one but for HTTP and the disk: it reads and verifies the session's token
//! (HMAC-SHA-256), decides, reads a page of text or admits a write and encodes it for the others, and attests the token of
//! the answer. One of ten is a write. Both kinds of run answer the same requests in turns; of each the run in the middle
//! is printed, in processor time.

use benches::timed;
use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Epoch, Slot};
use crdt_causal::level::{
    Decision, Level, NodeView, Progress, ProgressConfig, Spec, decide, decide_write,
};
use crdt_causal::observe::{Monitor, MonitorConfig};
use crdt_causal::session::{Authenticator, KeyId, Mac, Realm, SessionToken, VerifiedToken};
use crdt_document::{Document, ReplicaId};
use hmac_sha256::HMAC;

const SERVERS: u16 = 8;
const SESSIONS: usize = 1_000;
const REQUESTS: usize = 20_000;
const RUNS: usize = 9;
const NOW: u64 = 1_790_000_000_000;

struct Keys;

impl Authenticator for Keys {
    fn newest(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, _: KeyId, message: &[u8]) -> Option<Mac> {
        HMAC::mac(message, b"thirty-two bytes that are secret").first_chunk().copied()
    }
}

/// A server that knows of seven others, and the sessions that come to it.
struct Server {
    document: Document,
    progress: Progress,
    position: u64,
    tokens: Vec<String>,
    monitor: Option<Monitor>,
}

impl Server {
    fn new(monitor: Option<Monitor>) -> Self {
        let mut progress =
            Progress::new(Slot(0), (0..SERVERS).map(Slot), ProgressConfig::default());
        for slot in 1..SERVERS {
            progress.apply(Slot(slot), 1 << 20);
            progress.heard(Slot(slot), 1 << 20, NOW, NOW);
        }
        let mut document = Document::new(ReplicaId::from_u128(1));
        document
            .transact(|tx| tx.text("body").insert(0, &"Monsoon plan. ".repeat(100)).map(drop))
            .expect("there is room");
        document.record_events(false);
        let mut first = VerifiedToken::new(Epoch(1));
        first.observe_read(progress.applied());
        let tokens = vec![attested(&first); SESSIONS];
        Self { document, progress, position: 0, tokens, monitor }
    }

    /// Answers a request, and says how long the answer is.
    fn answer(&mut self, request: usize) -> usize {
        let who = request * 7 % SESSIONS;
        let token: SessionToken = self.tokens[who].parse().expect("it was attested");
        let mut session = token.verify(Realm(1), Epoch(1), &Keys, |_| true).expect("here");
        let node = NodeView::new(Epoch(1), &self.progress);
        let causal = Spec::new(Level::CAUSAL);
        let bytes = if request.is_multiple_of(10) {
            let Decision::Serve(_) = decide_write(&causal, &session, &node, NOW) else {
                panic!("it has everything")
            };
            let before = self.document.version().clone();
            self.document
                .transact(|tx| {
                    tx.map("settings").set("theme", request as i64);
                    Ok(())
                })
                .expect("there is room");
            self.position += 1;
            self.progress.apply(Slot(0), self.position);
            let admission = Admission::new(Slot(0), self.position);
            session.observe_write(admission);
            if let Some(monitor) = &mut self.monitor {
                monitor.wrote(who as u64, admission, NOW);
            }
            self.document.changes_since(&before).len()
        } else {
            let Decision::Serve(achieved) = decide(&causal, &session, &node, NOW) else {
                panic!("it has everything")
            };
            session.observe_read(achieved.at);
            if let Some(monitor) = &mut self.monitor {
                monitor.answered(who as u64, Slot(0), achieved.at, NOW);
            }
            self.document.text("body").to_string().len()
        };
        self.tokens[who] = attested(&session);
        bytes
    }
}

fn attested(session: &VerifiedToken) -> String {
    let time = HybridTime::new(NOW, 0).expect("this millennium");
    session.attest(Realm(1), time, &Keys).expect("short").to_string()
}

/// Nanoseconds a request, and what was answered.
fn run(monitor: Option<Monitor>) -> (f64, usize) {
    let mut server = Server::new(monitor);
    let (ms, bytes) = timed(|| (0..REQUESTS).map(|request| server.answer(request)).sum());
    if let Some(monitor) = &mut server.monitor {
        assert_eq!(monitor.poll_alert(), None, "nothing is wrong");
    }
    (ms * 1e6 / REQUESTS as f64, bytes)
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (alone, bytes) = run(None);
        let (watched, same) = run(Some(Monitor::new(MonitorConfig::default())));
        assert_eq!(bytes, same, "watching changes nothing");
        without.push(alone);
        with.push(watched);
    }
    let (without, with) = (middle(without), middle(with));
    println!("a request of a server among {SERVERS}, {SESSIONS} sessions, one of ten writes");
    println!("without a monitor {without:>8.0} ns");
    println!("with one          {with:>8.0} ns  {:+.1} %", (with / without - 1.0) * 100.0);
}
