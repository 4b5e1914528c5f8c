//! The bytes of a document, frozen: a change of them is a change of the format.
//!
//! `CRDT_BLESS=1` writes the files anew.

use std::path::{Path, PathBuf};

use crdt_causal::sync::ChangeLog;
use crdt_document::{Document, Genesis, ReplicaId, Value};

fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = path(name);
    let hex: String = bytes
        .chunks(32)
        .flat_map(|line| line.iter().map(|byte| format!("{byte:02x}")).chain(["\n".into()]))
        .collect();
    if std::env::var_os("CRDT_BLESS").is_some() {
        std::fs::write(&path, &hex).expect("the golden file can be written");
    }
    let frozen = std::fs::read_to_string(&path).expect("the golden file is there");
    assert_eq!(hex, frozen, "{name}");
    self::frozen(name)
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The bytes of a golden file.
fn frozen(name: &str) -> Vec<u8> {
    let frozen = std::fs::read_to_string(path(name)).expect("the golden file is there");
    let digits: Vec<u8> = frozen.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Two writers, every kind of container, every kind of plain value, and all operations.
fn document() -> Document {
    let mut mumbai = Document::new(ReplicaId::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8));
    let mut delhi = Document::new(ReplicaId::from_u128(2));
    mumbai
        .transact(|tx| {
            tx.text("body").insert(0, "Monsoon 🌧 plan")?;
            tx.counter("views").increment(5);
            tx.set("tags").add("crdt").add(7).add(Value::Null);
            tx.map("settings").set("theme", "dark").set("zoom", 1.5).set("beta", true);
            tx.map("settings").set("sizes", [Value::from(-1), Value::from(i64::MAX)]);
            tx.map("settings").set("raw", vec![0u8, 255]);
            tx.map("a").map("b").text("c").insert(0, "deep")?;
            tx.map("empty").create();
            Ok(())
        })
        .unwrap();
    delhi.import(&mumbai.encode()).unwrap();
    for char in ["o", "n", "e"] {
        mumbai.transact(|tx| tx.text("body").push(char).map(drop)).unwrap();
    }
    delhi
        .transact(|tx| {
            tx.text("body").delete(8..10)?;
            tx.counter("views").reset().increment(-2);
            tx.set("tags").remove("crdt");
            tx.map("settings").remove("zoom").set("theme", "light");
            tx.root().remove("a");
            Ok(())
        })
        .unwrap();
    mumbai.import(&delhi.changes_since(mumbai.version())).unwrap();
    mumbai
        .transact(|tx| {
            tx.map("a").map("b").text("c").clear();
            tx.map("settings").map("editor").set("tabs", 4);
            tx.map("settings").map("editor").clear();
            tx.set("tags").clear();
            Ok(())
        })
        .unwrap();
    mumbai
}

#[test]
fn a_document() {
    let doc = document();
    let frozen = golden("document.hex", &doc.encode());
    let read = Document::decode(&frozen).unwrap();
    assert_eq!(read.to_value(), doc.to_value());
    assert_eq!(read.encode(), frozen);
    let json = concat!(
        r#"{"body":"Monsoon planone","empty":{},"settings":{"beta":true,"raw":"00ff","#,
        r#""sizes":[-1,9223372036854775807],"theme":"light"},"views":-2}"#,
    );
    assert_eq!(doc.to_string(), json);
}

/// What one of the two wrote is forgotten, some changes came after the base.
#[test]
fn a_trimmed_document() {
    let mut doc = document();
    let stable = doc.version().clone();
    let mumbai = doc.replica();
    doc.transact(|tx| {
        tx.counter("views").increment(7);
        tx.set("tags").add("later");
        tx.text("body").push("!").map(drop)
    })
    .unwrap();
    let trimmed = doc.trim(&stable, |_| false).unwrap().expect("there is history");
    assert_eq!(trimmed.forgotten, 1);
    assert_eq!(
        doc.version().iter().map(|(replica, _)| Some(replica)).collect::<Vec<_>>(),
        [mumbai]
    );
    let frozen = golden("trimmed.hex", &doc.encode());
    let read = Document::decode(&frozen).unwrap();
    read.check_invariants();
    assert_eq!(read.to_value(), doc.to_value());
    assert_eq!(read.encode(), frozen);
    let json = concat!(
        r#"{"body":"Monsoon planone!","empty":{},"settings":{"beta":true,"raw":"00ff","#,
        r#""sizes":[-1,9223372036854775807],"theme":"light"},"tags":["later"],"views":5}"#,
    );
    assert_eq!(doc.to_string(), json);
}

/// A base of before there were hashes in it is read, kept as it is, and known to say nothing of them.
#[test]
fn a_base_without_hashes() {
    let frozen = frozen("trimmed_without_hashes.hex");
    let [old, new] = [frozen, self::frozen("trimmed.hex")].map(|bytes| {
        let read = Document::decode(&bytes).unwrap();
        assert_eq!(read.encode(), bytes);
        read
    });
    assert_eq!(old.to_value(), new.to_value());
    let last = new.frontier().iter().next().unwrap();
    assert_eq!((old.chain(last), new.chain(last).is_some()), (None, true));
}

/// What is visible first; its history, and the changes behind a base.
#[test]
fn saved_documents() {
    let mut doc = document();
    for name in ["saved.hex", "saved_trimmed.hex"] {
        let frozen = golden(name, &doc.save());
        let opened = Document::open(&frozen[..]).unwrap();
        assert_eq!(opened.to_value(), doc.to_value());
        assert_eq!(opened.save(), frozen);
        assert!(!opened.has_history());
        assert_eq!(opened.encode(), doc.encode());
        let stable = doc.version().clone();
        doc.transact(|tx| {
            tx.counter("views").increment(7);
            tx.text("body").push("!").map(drop)
        })
        .unwrap();
        doc.trim(&stable, |_| false).unwrap().expect("there is history");
    }
    golden("saved_empty.hex", &Document::reader().save());
}

#[test]
fn an_empty_document() {
    golden("empty.hex", &Document::reader().encode());
    let named = Document::with_genesis(Genesis::named("notes"));
    golden("named.hex", &named.encode());
}

#[test]
fn a_template() {
    let start =
        Document::from_template("minutes", |tx| tx.text("body").push("Present: ").map(drop));
    golden("template.hex", &start.unwrap().encode());
}
