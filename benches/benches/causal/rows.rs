//! The rows: order of arrival by history, ours and others.

use benches::timed;
use crdt_causal::delivery::Message;
use delivery_loads::{ARRIVALS, Load, Payload, history};

use super::rescanning::Rescanning;

/// More messages would take it minutes.
const RESCANNED_MAX: usize = 16_000;

/// Runs of each row, of which the one in the middle is printed.
const RUNS: usize = 5;

/// Delivers everything; returns how many messages a second, and looks for each message.
fn ours(load: Load, count: usize) -> (f64, f64) {
    let (ms, delivered) = timed(|| load.deliver());
    assert_eq!(delivered.messages, count, "everything is delivered once");
    (count as f64 / ms / 1e3, delivered.examined as f64 / count as f64)
}

fn rescanning(messages: Vec<Message<Payload>>) -> (f64, f64) {
    let count = messages.len();
    let mut buffer = Rescanning::default();
    let (ms, delivered) = timed(|| {
        let mut delivered = 0;
        for message in messages {
            buffer.insert(message, &mut |_| delivered += 1);
        }
        delivered
    });
    assert_eq!(delivered, count, "everything is delivered once");
    (count as f64 / ms / 1e3, buffer.examined as f64 / count as f64)
}

/// Prints all rows.
pub(crate) fn print() {
    let count = std::env::var("CRDT_MESSAGES").ok().and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(1_000_000);
    println!(
        "{count} messages of 16 bytes; a plain buffer gets {RESCANNED_MAX} where it has to look again"
    );
    println!(
        "{:<23} {:<20} {:>10} {:>10} {:>14} {:>14}",
        "history", "arrival", "M/s", "looks each", "plain M/s", "plain looks"
    );
    for (name, replicas, mixed) in [
        ("1 writer", 1, 0),
        ("8 writers, apart", 8, 0),
        // One and a half dependencies each, their own predecessors among them.
        ("8 writers, half mixing", 8, 57),
        ("8 writers, mixing", 8, 100),
        ("1,000 writers, mixing", 1_000, 100),
    ] {
        let told = history(count, replicas, mixed);
        let fewer = history(RESCANNED_MAX.min(count), replicas, mixed);
        for arrival in &ARRIVALS {
            let mut runs: Vec<_> =
                (0..RUNS).map(|_| ours(Load::new(&told, arrival), told.len())).collect();
            runs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (speed, looks) = runs[RUNS / 2];
            let mut few = fewer.clone();
            arrival.arrange(&mut few);
            let (plain, plain_looks) = rescanning(few);
            println!(
                "{name:<23} {:<20} {speed:>10.2} {looks:>10.3} {plain:>14.3} {plain_looks:>14.1}",
                arrival.name
            );
        }
    }
}
