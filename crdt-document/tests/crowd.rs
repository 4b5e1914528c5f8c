//! A document that a hundred thousand short-lived browsers have written: what it costs to find out that
//! nothing is new, and what is left of their names when the history is trimmed.

use crdt_causal::sync::{Config, Event, Session};
use crdt_document::{Document, EditError, ReplicaId};

const CROWD: u128 = 100_000;

/// The same text and number, typed by so many writers, each with what the others typed before in sight.
fn written(writers: u128) -> Result<Document, EditError> {
    let mut doc = Document::reader();
    doc.record_events(false);
    let mut id = 0x0123_4567_89ab_cdef_u128;
    for char in 0..CROWD {
        if char % (CROWD / writers) == 0 {
            // Random ids, as browsers have: neighbours would share most of their bytes.
            id = id.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
            doc.set_replica(ReplicaId::from_u128(id))?;
        }
        doc.transact(|tx| {
            if char % 100 == 0 {
                tx.counter("views").increment(1);
            }
            tx.text("body").push("x").map(drop)
        })?;
    }
    assert_eq!(doc.version().len() as u128, writers);
    Ok(doc)
}

/// How many bytes each of two sessions sends, the client and the server, until both say that they are up to
/// date.
fn said(client: &mut Document, server: &mut Document) -> [usize; 2] {
    let mine = ReplicaId::from_u128(u128::MAX / 3);
    // A client that was up to date says by which heads the server made it out then.
    let config = Config::new().with_writers([mine]).with_base(client.frontier());
    let mut sessions = [config, Config::new()].map(|config| Session::new(config, 1, 0));
    let docs = [client, server];
    let (mut bytes, mut up_to_date) = ([0; 2], [false; 2]);
    for turn in 0..8 {
        let (side, other) = (turn % 2, 1 - turn % 2);
        sessions[side].set_durable(docs[side].version());
        while let Some(message) = sessions[side].poll_transmit(&*docs[side], 0) {
            bytes[side] += message.len();
            sessions[other].handle(&message, docs[other], 0).expect("they are honest");
        }
        for (session, up_to_date) in sessions.iter_mut().zip(&mut up_to_date) {
            let mut events = std::iter::from_fn(|| session.poll_event());
            *up_to_date |= events.any(|event| event == Event::UpToDate);
        }
    }
    assert_eq!(up_to_date, [true; 2]);
    bytes
}

#[test]
fn an_up_to_date_client_greets_in_a_hundred_bytes() -> Result<(), EditError> {
    let mut whole = written(CROWD)?;
    let mut client = Document::decode(&whole.encode()).expect("own bytes");
    let mut server = Document::decode(&whole.encode()).expect("own bytes");
    let stable = whole.version().clone();
    // Nobody has trimmed, one of them, and both.
    for trims in 0..3 {
        if let Some(doc) =
            [&mut server, &mut client].into_iter().nth(trims.max(1) - 1).filter(|_| trims > 0)
        {
            doc.trim(&stable, |_| false).expect("it can be").expect("there is history");
        }
        for other in [&mut server, &mut whole] {
            let bytes = said(&mut client, other);
            println!("{CROWD} writers, trimmed {trims} times: {bytes:?} bytes to be up to date");
            assert!(bytes.iter().all(|bytes| *bytes <= 100), "{bytes:?}");
        }
    }
    Ok(())
}

#[test]
fn names_below_the_trim_cut_cost_nothing() -> Result<(), EditError> {
    let sizes = |writers: u128| {
        let mut doc = written(writers)?;
        let before = doc.encode().len();
        let stable = doc.version().clone();
        let trimmed = doc.trim(&stable, |_| false).expect("it can be").expect("there is history");
        assert_eq!(trimmed.forgotten as u128, writers - 1, "all but that of the last event");
        assert_eq!(doc.version().len(), 1);
        Ok::<_, EditError>((before, [doc.encode().len(), doc.save().len()]))
    };
    let (few, many) = (sizes(10)?, sizes(CROWD)?);
    println!(
        "encoded, then trimmed and encoded or saved: {few:?} bytes of ten, {many:?} of {CROWD}"
    );
    assert!(many.0 > few.0 + 16 * (CROWD as usize - 10), "each had a name");
    // Ten are few enough to be remembered by what they counted, but for the last one of them.
    assert!(many.1.iter().zip(&few.1).all(|(many, few)| many <= few), "nobody has one");
    Ok(())
}
