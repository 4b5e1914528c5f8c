//! Coming back after the history that one left with is gone.
#![cfg(feature = "rebase")]

use crdt_document::{Document, EditError, ImportError, ReplicaId, VersionVector};

fn id(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

/// A document that is written, and one that has all of it under another id.
fn pair() -> (Document, Document) {
    let mut server = Document::new(id(1));
    server
        .transact(|tx| {
            tx.text("body").insert(0, "Meeting notes\nPresent: Anna\nDecided: nothing\n")?;
            tx.map("settings").set("theme", "dark").set("zoom", 2).set("gone", 1);
            tx.map("settings").map("deep").set("a", 1);
            tx.set("tags").add("crdt").add("old");
            tx.counter("views").increment(5);
            tx.text("scratch").insert(0, "to be thrown away")?;
            Ok(())
        })
        .expect("valid edits");
    let mut browser = Document::new(id(2));
    browser.import(&server.encode()).expect("it is new");
    (server, browser)
}

fn write_apart(server: &mut Document, browser: &mut Document) -> VersionVector {
    let acknowledged = browser.version().clone();
    browser
        .transact(|tx| {
            tx.text("body").insert(27, ", Bela")?;
            tx.map("settings").set("theme", "light").remove("gone");
            tx.map("settings").map("deep").set("b", 2);
            tx.map("made").create();
            tx.set("tags").add("mine").remove("old");
            tx.counter("views").increment(3);
            tx.root().remove("scratch");
            Ok(())
        })
        .expect("valid edits");
    server
        .transact(|tx| {
            tx.text("body").push("Next: Friday\n")?;
            tx.text("body").splice(0..7, "Team meeting")?;
            tx.map("settings").set("zoom", 3);
            tx.set("tags").add("theirs");
            tx.counter("views").increment(10);
            Ok(())
        })
        .expect("valid edits");
    acknowledged
}

#[test]
fn what_was_done_while_away_is_done_again() -> Result<(), EditError> {
    let (mut server, mut browser) = pair();
    let acknowledged = write_apart(&mut server, &mut browser);
    let mut merged = Document::decode(&server.encode()).expect("own bytes");
    merged.import(&browser.encode()).expect("nothing is missing");

    let stable = server.version().clone();
    server.trim(&stable, |_| false)?;
    let refused = server.import(&browser.changes_since(server.version()));
    assert!(matches!(refused, Err(ImportError::BeforeTrim(dot)) if dot.replica == id(2)));

    let mut again = Document::new(id(3));
    again.import(&server.encode()).expect("it is empty");
    let before = again.encode();
    let done = browser.rebase(&mut again, &acknowledged)?.expect("there was something");
    assert_eq!(done.replica, id(3));
    again.check_invariants();
    server.import(&again.changes_since(server.version())).expect("it follows the base");
    assert_eq!(server.to_value(), merged.to_value(), "where nothing overlaps it is as if merged");
    assert_eq!(
        server.text("body"),
        "Team meeting notes\nPresent: Anna, Bela\nDecided: nothing\nNext: Friday\n"
    );

    // Nothing to do is nothing done.
    let mut idle = Document::new(id(4));
    idle.import(&before).expect("it is empty");
    let everything = browser.version().clone();
    assert_eq!(browser.rebase(&mut idle, &everything), Ok(None));
    assert_eq!(idle.encode(), before);
    Ok(())
}

#[test]
fn it_is_one_transaction_or_none() {
    let (mut server, mut browser) = pair();
    let acknowledged = write_apart(&mut server, &mut browser);
    let mut reader = Document::reader();
    reader.import(&server.encode()).expect("it is empty");
    assert_eq!(browser.rebase(&mut reader, &acknowledged), Err(EditError::NoReplica));
    browser.begin().expect("none is open");
    assert_eq!(browser.rebase(&mut server, &acknowledged), Err(EditError::TransactionOpen));
    browser.rollback();
    server.begin().expect("none is open");
    assert_eq!(browser.rebase(&mut server, &acknowledged), Err(EditError::TransactionOpen));
    server.rollback();
    // Everything of the other is unknown there: that too can be said.
    let mut empty = Document::new(id(5));
    browser.rebase(&mut empty, &VersionVector::new()).expect("valid edits");
    assert_eq!(empty.to_value(), browser.to_value());
}
