//! What it costs to watch: a server's requests with and without a monitor that is told of each.
//!
//! A request is what a server does for one but for HTTP and the disk: it reads and verifies the session's token
//! (HMAC-SHA-256), decides, reads a page of text or admits a write and encodes it for the others, and attests the token of
//! the answer. One of ten is a write. Two servers answer the same requests, some hundred each in turns; of each the time in the
//! middle is printed, in processor time.

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
/// So many requests are timed at once…
const REQUESTS: usize = 500;
/// …and so many times, with and without a monitor in turns.
const BLOCKS: usize = 400;
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

fn main() {
    let mut servers = [None, Some(Monitor::new(MonitorConfig::default()))].map(Server::new);
    let mut times = [Vec::new(), Vec::new()];
    for block in 0..BLOCKS {
        let requests = block * REQUESTS..(block + 1) * REQUESTS;
        // In turns, and neither always after the other: a neighbour's noise meets both.
        let mut bytes = [0; 2];
        for watched in if block % 2 == 0 { [0, 1] } else { [1, 0] } {
            let server = &mut servers[watched];
            let (ms, answered) = timed(|| requests.clone().map(|n| server.answer(n)).sum());
            bytes[watched] = answered;
            times[watched].push(ms * 1e6 / REQUESTS as f64);
        }
        assert_eq!(bytes[0], bytes[1], "watching changes nothing");
    }
    let monitor = servers[1].monitor.as_mut().expect("it has one");
    assert_eq!(monitor.poll_alert(), None, "nothing is wrong");
    let [without, with] = times.map(middle);
    println!("a request of a server among {SERVERS}, {SESSIONS} sessions, one of ten writes");
    println!("without a monitor {without:>8.0} ns");
    println!("with one          {with:>8.0} ns  {:+.1} %", (with / without - 1.0) * 100.0);
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
