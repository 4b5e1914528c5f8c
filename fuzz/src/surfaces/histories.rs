//! Histories of other systems, as text of Plume and as JSON of dbcop, and what the checker says of them.

use crdt_sim::history::{Criterion, History, check_all, dbcop, plume};

use crate::memory::bounded;

/// A fuzzer learns nothing from judging more than so many events, but to wait.
const JUDGED_MAX: usize = 200;

/// The first byte chooses the format. What is read is judged by every criterion, and is the same history
/// when it was written and read.
pub fn run(bytes: &[u8]) {
    let Some((format, text)) = bytes.split_first() else { return };
    match format % 2 {
        0 => {
            let read = bounded(text.len(), || plume::read(text).ok());
            judged(
                read,
                |history, out| plume::write(history, out).is_ok(),
                |text| plume::read(text).ok(),
            );
        }
        _ => {
            let read = bounded(text.len(), || dbcop::read(text).ok());
            judged(
                read,
                |history, out| dbcop::write(history, out).is_ok(),
                |text| dbcop::read(text).ok(),
            );
        }
    }
}

fn judged(
    read: Option<History>,
    write: fn(&History, &mut Vec<u8>) -> bool,
    again: fn(&[u8]) -> Option<History>,
) {
    let Some(history) = read else { return };
    if history.events().len() > JUDGED_MAX {
        return;
    }
    let verdicts = check_all(&history, &Criterion::NAMED);
    assert_eq!(verdicts.len(), Criterion::NAMED.len());
    let mut text = Vec::new();
    // A format may lack words for something.
    if write(&history, &mut text) {
        let history = again(&text).expect("what was written can be read");
        let mut same = Vec::new();
        assert!(write(&history, &mut same) && same == text, "one text for one history");
    }
}

/// A message that is answered, one that is lost, and one that was never sent, in both formats.
pub fn seeds() -> Vec<Vec<u8>> {
    let history = |play: fn(&mut History)| {
        let mut history = History::new();
        play(&mut history);
        history
    };
    let histories = [
        history(|history| {
            for session in 0..2 {
                history.begin_session();
                history.begin_transaction(true);
                history.read(1, (session > 0).then_some(1));
                history.write(1, session + 1);
            }
        }),
        history(|history| {
            history.begin_session();
            history.begin_transaction(false);
            history.write(7, 3);
            history.begin_transaction(true);
            history.read(7, Some(3));
        }),
    ];
    let mut seeds = Vec::new();
    for history in histories {
        let (mut text, mut json) = (vec![0], vec![1]);
        plume::write(&history, &mut text).expect("no zero is written");
        dbcop::write(&history, &mut json).expect("no zero is written");
        seeds.extend([text, json]);
    }
    seeds.push(b"\0r(0,0,0,0)\nw(18446744073709551615,1,0,-1)".to_vec());
    // A transaction that does nothing, before a session.
    seeds.push(b"\0w(0,1,1,2)\nw(2,0,1,19)\nr(2,2,0,0)".to_vec());
    seeds
}
