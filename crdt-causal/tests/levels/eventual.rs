//! C9: retries make it quicker, and nothing depends on them.

use crdt_causal::sync::{Config, Event, Session};
use crdt_core::ReplicaId;

use crate::log::TestLog;

const LATENCY_MS: u64 = 100;

/// A connection between two logs that carries everything, or nothing.
struct Connection {
    sessions: [Session; 2],
    /// When it arrives, at which side, and what.
    under_way: Vec<(u64, usize, Vec<u8>)>,
    sent: u32,
    lost: u32,
}

impl Connection {
    fn new(now: u64) -> Self {
        let sessions = [1, 2].map(|nonce| Session::new(Config::new(), nonce, now));
        Self { sessions, under_way: Vec::new(), sent: 0, lost: 0 }
    }

    /// Lets everything happen that is due, and whether both sides said that they are up to date.
    fn step(&mut self, logs: &mut [TestLog; 2], carries: bool, now: u64) -> bool {
        let due: Vec<_> = self.under_way.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, side, message) in due {
            self.sessions[side].handle(&message, &mut logs[side], now).expect("honest");
        }
        let mut news = false;
        for side in [0, 1] {
            let session = &mut self.sessions[side];
            session.set_durable(&logs[side].version_at(logs[side].len()));
            while let Some(message) = session.poll_transmit(&logs[side], now) {
                self.sent += 1;
                if carries {
                    self.under_way.push((now + LATENCY_MS, 1 - side, message.to_vec()));
                } else {
                    self.lost += 1;
                }
            }
            while let Some(event) = session.poll_event() {
                news |= event == Event::UpToDate;
            }
        }
        news
    }

    /// As long as it is `carries`, until a time.
    fn run(&mut self, logs: &mut [TestLog; 2], carries: bool, from: u64, until: u64) {
        for now in (from..=until).step_by(10) {
            self.step(logs, carries, now);
        }
    }
}

#[test]
fn with_all_retries_lost_one_round_converges() {
    let mut logs = [TestLog::default(), TestLog::default()];
    let replicas = [1, 2].map(ReplicaId::from_u128);
    let mut connection = Connection::new(0);
    logs[0].write(replicas[0], "before");
    connection.run(&mut logs, true, 0, 2_000);
    assert_eq!(logs[0].contents(), logs[1].contents());

    // The connection stays open and carries nothing any more. Both write; every message is lost, and
    // every time that it is repeated, with growing pauses.
    for round in 0..20 {
        for side in [0, 1] {
            logs[side].write(replicas[side], &format!("apart {round}"));
        }
        let from = 2_000 + round * 30_000;
        connection.run(&mut logs, false, from, from + 29_990);
    }
    assert_eq!((logs[0].len(), logs[1].len()), (21, 21));
    let (lost, repeated) = (connection.lost, connection.lost - 40);
    assert!(lost > 3 * 2, "each side tried more than three times: {lost}");

    // They meet again, with nothing left of the old connection: one way for what each has, one for
    // what the other lacks.
    let start = 602_000;
    let mut connection = Connection::new(start);
    connection.run(&mut logs, true, start, start + 2 * LATENCY_MS - 10);
    assert_ne!(logs[0].contents(), logs[1].contents(), "not before there was time for a round");
    connection.run(&mut logs, true, start + 2 * LATENCY_MS, start + 2 * LATENCY_MS);
    assert_eq!(logs[0].contents(), logs[1].contents());
    assert_eq!((logs[0].len(), logs[1].len()), (41, 41));
    println!(
        "C9 {lost} messages lost ({repeated} of them repetitions); then one round trip of {} ms and \
         {} messages",
        2 * LATENCY_MS,
        connection.sent
    );
}
