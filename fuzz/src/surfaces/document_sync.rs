//! A sync session of two documents: an honest peer's messages with a stranger's among them.

use crdt_causal::sync::{Config, Session};
use crdt_document::Document;

use super::replicas;
use crate::memory::bounded_building;

/// A step of the script that the input is.
enum Step<'a> {
    /// The honest peer's next message arrives.
    Honest,
    /// What is waiting here is sent, and the honest peer takes it in.
    Answer,
    /// Time passes.
    Wait(u64),
    /// Some bytes arrive.
    Strange(&'a [u8]),
}

/// Plays the script. Whatever arrives, the session neither panics nor holds more than the
/// bytes that came pay for, and the log stays whole.
pub fn run(bytes: &[u8]) {
    let (mut here, mut there) = (document(0), document(1));
    let config = || Config::new().with_writers([replicas()[2]]);
    let (mut session, mut honest) = (Session::new(config(), 1, 0), Session::new(config(), 2, 0));
    session.set_durable(here.version());
    honest.set_durable(there.version());
    let (mut now, mut received, mut rest) = (0, 0, bytes);
    while let Some((step, behind)) = step(rest) {
        rest = behind;
        match step {
            Step::Honest => {
                let Some(message) = honest.poll_transmit(&there, now) else { continue };
                received += message.len();
                handle(&mut session, &message, &mut here, now, received);
            }
            Step::Answer => {
                while let Some(message) = session.poll_transmit(&here, now) {
                    // A stranger may have made the session say what the honest peer refuses.
                    let _ = honest.handle(&message, &mut there, now);
                    honest.set_durable(there.version());
                }
            }
            Step::Wait(ms) => now += ms,
            Step::Strange(message) => {
                received += message.len();
                handle(&mut session, message, &mut here, now, received);
            }
        }
        session.check_invariants();
    }
    here.check_invariants();
    there.check_invariants();
}

/// Honest exchanges, with repeated, mixed up and invented messages.
pub fn seeds() -> Vec<Vec<u8>> {
    let strange = |bytes: &[u8]| [&[STRANGE, bytes.len() as u8], bytes].concat();
    let hello = {
        let document = document(1);
        let mut session = Session::new(Config::new(), 3, 0);
        session.set_durable(document.version());
        session.poll_transmit(&document, 0).expect("a session greets")
    };
    let both = [HONEST, ANSWER];
    vec![
        both.repeat(6),
        [&both.repeat(3)[..], &[WAIT, 200], &both.repeat(3)].concat(),
        [&strange(&hello)[..], &both.repeat(4)].concat(),
        [&both.repeat(2)[..], &strange(b"\x01\x01\x00"), &both.repeat(2)].concat(),
        [&both.repeat(2)[..], &strange(b"\x05\x02\x00"), &strange(b"\x08state"), &both.repeat(2)]
            .concat(),
        [&both.repeat(2)[..], &strange(b"\x03\x01part"), &strange(b"\x01\x02part"), &both].concat(),
    ]
}

const HONEST: u8 = 0;
const ANSWER: u8 = 1;
const WAIT: u8 = 2;
const STRANGE: u8 = 3;

fn step(bytes: &[u8]) -> Option<(Step<'_>, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    match kind {
        HONEST => Some((Step::Honest, rest)),
        ANSWER => Some((Step::Answer, rest)),
        WAIT => {
            rest.split_first().map(|(&tenths, rest)| (Step::Wait(u64::from(tenths) * 100), rest))
        }
        _ => {
            let (&len, rest) = rest.split_first()?;
            let (message, rest) = rest.split_at_checked(usize::from(len))?;
            Some((Step::Strange(message), rest))
        }
    }
}

fn handle(
    session: &mut Session,
    message: &[u8],
    document: &mut Document,
    now: u64,
    received: usize,
) {
    // Events that wait for the application are the application's to take.
    while session.poll_event().is_some() {}
    document.drain_events();
    // A refused message ends the session, and that is all it does.
    let _ = bounded_building(received, || session.handle(message, document, now));
    session.set_durable(document.version());
}

/// Two replicas that share a past and have written since.
fn document(writer: usize) -> Document {
    let mut document = Document::reader();
    for replica in [replicas()[2], replicas()[writer]] {
        document.set_replica(replica).expect("no transaction is open");
        document
            .transact(|tx| {
                tx.text("body").insert(0, "typed")?;
                tx.map("settings").set("theme", "dark");
                Ok(())
            })
            .expect("the edits are valid");
    }
    document
}
