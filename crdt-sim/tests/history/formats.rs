//! The two published formats: what is read and written, and what is refused where.

use crdt_sim::history::plume::PlumeErrorKind;
use crdt_sim::history::{Criterion, Event, History, Shape, check, dbcop, generate, plume};
use crdt_sim::random::Random;

use crate::notation::history;

fn as_plume(history: &History) -> String {
    let mut out = Vec::new();
    plume::write(history, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn as_dbcop(history: &History) -> String {
    let mut out = Vec::new();
    dbcop::write(history, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn plume_is_written_as_it_is_published() {
    let text = as_plume(&history("x=1 ; y?0 | x?1 x=2 | x=3 !"));
    assert_eq!(text, "w(120,1,0,0)\nr(121,0,0,1)\nr(120,1,1,2)\nw(120,2,1,2)\nw(120,3,2,-1)\n");
    assert_eq!(plume::read(text.as_bytes()), Ok(history("x=1 ; y?0 | x?1 x=2 | x=3 !")));
}

/// Lines of a transaction may stand apart; names of sessions and transactions are any numbers; what is written as 0 is
/// what was there before.
#[test]
fn plume_is_read_as_others_write_it() {
    let text = "w(1,0,9,400)\nw(1,5,7,30)\r\nr(1,5,8,2)\n\nw(2,6,7,30)\nr(2,0,8,1)\nw(3,1,7,-1)\nw(3,2,8,-1)";
    let mut expected = History::new();
    expected.begin_session();
    expected.begin_transaction(true);
    expected.begin_session();
    expected.begin_transaction(true);
    expected.write(1, 5);
    expected.write(2, 6);
    expected.begin_transaction(false);
    expected.write(3, 1);
    expected.begin_session();
    expected.begin_transaction(true);
    expected.read(1, Some(5));
    expected.begin_transaction(true);
    expected.read(2, None);
    expected.begin_transaction(false);
    expected.write(3, 2);
    assert_eq!(plume::read(text.as_bytes()), Ok(expected));
}

/// What has no events has no number either, so that what was written is written the same when it was read.
#[test]
fn what_plume_cannot_say_takes_no_number() {
    let text = "w(1,0,5,3)\nw(0,1,1,2)\nw(2,0,1,19)\nr(2,2,0,0)";
    let written = as_plume(&plume::read(text.as_bytes()).unwrap());
    assert_eq!(written, "w(0,1,0,0)\nr(2,2,1,1)\n");
    assert_eq!(as_plume(&plume::read(written.as_bytes()).unwrap()), written);
}

#[test]
fn what_is_wrong_with_a_line_is_named_with_its_place() {
    use PlumeErrorKind::{Expected, InTwoSessions, NumberTooLarge};
    let error = |text: &str| {
        let error = plume::read(text.as_bytes()).unwrap_err();
        (error.line, error.column, error.kind)
    };
    assert_eq!(error("x(1,2,3,4)"), (1, 1, Expected("r or w")));
    assert_eq!(error("w(1,1,1,1)\nw1,2,3,4)"), (2, 2, Expected("(")));
    assert_eq!(error("r(1,,3,4)"), (1, 5, Expected("a number")));
    assert_eq!(error("r(1,2,3)"), (1, 8, Expected(",")));
    assert_eq!(error("r(1,2,3,4"), (1, 10, Expected(")")));
    assert_eq!(error("r(1,2,3,-2)"), (1, 9, Expected("a number")));
    assert_eq!(error("r(1,2,3,4) "), (1, 11, Expected("the end of the line")));
    assert_eq!(error("r(1,18446744073709551616,3,4)"), (1, 5, NumberTooLarge));
    assert_eq!(error("r(1,2,3,4)\nr(1,2,4,4)"), (2, 9, InTwoSessions));
    let text = plume::read(b"w(1,1,1,1)\nw1").unwrap_err().to_string();
    assert_eq!(text, "line 2, column 2: expected (");
    let zero = plume::write(&history("x=0"), &mut Vec::new()).unwrap_err();
    assert_eq!(zero.kind(), std::io::ErrorKind::InvalidInput);
}

/// The first example of dbcop's documentation, and the second, in both forms of an event.
#[test]
fn dbcop_is_read_as_it_is_published() {
    let text = r#"[[{"events": [{ "Write": { "variable": 0, "version": 1 } }], "committed": true}],
        [{"events": [{ "Read": { "variable": 0, "version": 1 } }], "committed": true}]]"#;
    let mut expected = History::new();
    expected.begin_session();
    expected.begin_transaction(true);
    expected.write(0, 1);
    expected.begin_session();
    expected.begin_transaction(true);
    expected.read(0, Some(1));
    assert_eq!(dbcop::read(text.as_bytes()).unwrap(), expected);
    let skew = r#"{"params": {"id": 0}, "info": "generated", "data": [
        [{"events": [["w", 0, 1], ["w", 1, 2]], "committed": true},
         {"events": [["r", 1, 2], ["w", 0, 3]], "committed": true}],
        [{"committed": true, "events": [["r", 0, 1], ["w", 1, 4]]}]]}"#;
    let skew = dbcop::read(skew.as_bytes()).unwrap();
    assert_eq!((skew.sessions(), skew.transactions(), skew.events().len()), (2, 3, 6));
    assert_eq!(check(&skew, Criterion::ConsistentPrefix).unwrap().violation, None);
}

#[test]
fn a_zero_that_nobody_wrote_is_the_initial_value() {
    let read = |text: &str| dbcop::read(text.as_bytes()).unwrap().events().to_vec();
    let initial = Event::Read { key: 5, value: None };
    assert_eq!(read(r#"[[{"events":[["r",5,0],["r",5,null]],"committed":true}]]"#), [initial; 2]);
    let written = read(r#"[[{"events":[["w",5,0],["r",5,0]],"committed":true}]]"#);
    assert_eq!(written[1], Event::Read { key: 5, value: Some(0) });
}

#[test]
fn what_is_no_history_is_refused_with_its_place() {
    let error = |text: &str| {
        let error = dbcop::read(text.as_bytes()).unwrap_err();
        (error.line(), error.is_no_history())
    };
    assert_eq!(error(""), (1, false));
    assert_eq!(error("[[{\n\"events\": [}"), (2, false));
    assert_eq!(error("7"), (1, true));
    assert_eq!(error("{\"info\": 1}"), (1, true));
    assert_eq!(error("{\"data\": [],\n\"data\": []}"), (2, true));
    assert_eq!(error("[[{\"events\": []}]]"), (1, true));
    for event in [
        "[\"x\",1,1]",
        "[\"w\",1]",
        "[\"w\",1,null]",
        "[\"w\",-1,1]",
        "[\"r\",1,1,1]",
        "{\"Read\":{\"variable\":1}} , 5",
        "{\"Look\":{}}",
        "{}",
        "{\"Read\":{\"variable\":1,\"version\":1},\"Write\":{}}",
    ] {
        let text = format!("[[{{\"committed\":true,\n\"events\":[{event}]}}]]");
        assert!(error(&text).1, "{text}");
    }
    for deep in ["{\"data\":", "{\"info\":["] {
        assert!(!error(&deep.repeat(100_000)).1, "it is too deep to be read");
    }
}

/// What is written is what is read, whatever the history.
#[test]
fn formats_keep_what_they_can_say() {
    for seed in 0..50 {
        let shape = Shape { sessions: 4, events: 200, keys: 9, ..Shape::default() };
        let mut history = generate(&shape, seed);
        assert_eq!(dbcop::read(as_dbcop(&history).as_bytes()).unwrap(), history);
        assert_eq!(plume::read(as_plume(&history).as_bytes()), Ok(history.clone()));
        history.begin_session();
        history.begin_transaction(false);
        history.write(3, 100_000);
        assert_eq!(dbcop::read(as_dbcop(&history).as_bytes()).unwrap(), history);
        assert_eq!(plume::read(as_plume(&history).as_bytes()), Ok(history));
    }
}

/// Texts with something changed in them: they are read or refused, and what is read can be judged.
#[test]
fn spoilt_texts_do_no_harm() {
    let shape = Shape { sessions: 3, events: 40, keys: 4, ..Shape::default() };
    let texts = [as_plume(&generate(&shape, 1)), as_dbcop(&generate(&shape, 1))];
    let mut random = Random::new(1, 77);
    let (mut read, mut refused) = (0, 0);
    for case in 0..8_192 {
        let mut text = texts[case % 2].clone().into_bytes();
        for _ in 0..random.between(1, 2) {
            let at = random.below(text.len() as u64) as usize;
            match random.below(8) {
                0..5 => {
                    text[at] =
                        *random.pick(b"0123456789012345678901234567890123456789,()[]{}rw-\n\"e")
                }
                5 => drop(text.remove(at)),
                6 => text.truncate(at.max(1)),
                _ => text.insert(at, *random.pick(b"019,-\n")),
            }
        }
        let history = if case % 2 == 0 { plume::read(&text).ok() } else { dbcop::read(&text).ok() };
        match history {
            Some(history) => {
                read += 1;
                for criterion in Criterion::NAMED {
                    let _ = check(&history, criterion);
                }
            }
            None => refused += 1,
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 500 && refused > 500);
}
