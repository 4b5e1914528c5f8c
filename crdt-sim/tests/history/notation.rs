//! Small histories as text: `x=1 ; y?2 | x?0 y=1 !`.
//!
//! Sessions are divided by `|`, transactions by `;`. `x=1` writes 1 to `x`, `x?1` reads it, `x?0` reads the initial value. A
//! transaction with `!` was aborted.

use crdt_sim::history::History;

/// The history that the text means.
pub(crate) fn history(text: &str) -> History {
    let mut history = History::new();
    if text.is_empty() {
        return history;
    }
    for session in text.split('|') {
        history.begin_session();
        for transaction in session.split(';') {
            history.begin_transaction(!transaction.contains('!'));
            for event in transaction.split_whitespace().filter(|word| *word != "!") {
                let key = u64::from(event.as_bytes()[0]);
                let value: u64 = event[2..].parse().expect("a number");
                match event.as_bytes()[1] {
                    b'=' => history.write(key, value),
                    b'?' => history.read(key, (value != 0).then_some(value)),
                    other => panic!("{other} is neither = nor ?"),
                }
            }
        }
    }
    history
}
