//! The codec's own values: integers, strings, options, columns of runs, checksums.

use crdt_core::Dot;
use crdt_core::codec::{Reader, RunReader, RunWriter, Writer, open, seal};

use crate::memory::bounded;
use crate::values::{decode, encode};

/// The first byte chooses what the rest is read as.
pub fn run(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    match choice % 10 {
        0 => drop(decode::<u64>(bytes)),
        1 => drop(decode::<(u8, (u16, u32))>(bytes)),
        2 => drop(decode::<(i8, (i16, (i32, i64)))>(bytes)),
        3 => drop(decode::<(bool, Option<Option<()>>)>(bytes)),
        4 => drop(decode::<(String, String)>(bytes)),
        5 => drop(decode::<(Vec<u8>, Vec<u8>)>(bytes)),
        6 => drop(decode::<Option<(Dot, u64)>>(bytes)),
        7 => column(bytes),
        8 => sealed(bytes),
        _ => sections(bytes),
    }
}

/// One of each.
pub fn seeds() -> Vec<Vec<u8>> {
    let dot = Dot::new(super::replicas()[2], 1 << 40);
    let mut runs = Writer::new();
    runs.varint(1000);
    let mut writer = RunWriter::new(1000);
    for (value, len) in [(7, 500), (1 << 33, 499), (0, 1)] {
        writer.push(value, len, &mut runs);
    }
    writer.finish(&mut runs);
    let bodies = [
        encode(&u64::MAX),
        encode(&(255u8, (300u16, u32::MAX))),
        encode(&(-1i8, (i16::MIN, (i32::MAX, i64::MIN)))),
        encode(&(true, Some(Some(())))),
        encode(&("ünïcode".to_owned(), String::new())),
        encode(&(vec![0u8; 200], vec![1u8])),
        encode(&Some((dot, 1u64))),
        runs.into_bytes(),
        b"a body".to_vec(),
        vec![4, 2, 1, 0, 7],
    ];
    (0u8..).zip(bodies).map(|(choice, body)| [vec![choice], body].concat()).collect()
}

/// A column of runs: the work is per run, never per element, and the runs write back.
fn column(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let Ok(total) = input.varint() else { return };
    let start = input.position();
    let runs = bounded(bytes.len(), || {
        let (mut runs, mut reader) = (Vec::new(), RunReader::new(total));
        while let Ok(Some(run)) = reader.next_run(&mut input) {
            runs.push(run);
        }
        runs
    });
    let elements: u64 = runs.iter().map(|&(_, len)| len).sum();
    assert!(elements <= total, "a column has no more elements than were declared");
    if elements == total {
        let mut out = Writer::new();
        let mut writer = RunWriter::new(total);
        for &(value, len) in &runs {
            writer.push(value, len, &mut out);
        }
        writer.finish(&mut out);
        assert_eq!(out.as_bytes(), &bytes[start..input.position()]);
    }
}

/// A checksum is found wrong, or guards exactly the body.
fn sealed(bytes: &[u8]) {
    const MAGIC: [u8; 4] = *b"FUZZ";
    if let Ok(body) = open(MAGIC, Reader::new(bytes)) {
        assert_eq!(seal(MAGIC, body.rest()), bytes);
    }
    let sealed = seal(MAGIC, bytes);
    assert_eq!(open(MAGIC, Reader::new(&sealed)).map(|body| body.rest()), Ok(bytes));
}

/// Sections in sections, down to the limit of depth and no further.
fn sections(bytes: &[u8]) {
    fn descend(input: &mut Reader<'_>, depth: u32) -> u32 {
        let Ok(mut section) = input.section() else { return depth };
        section.nested(|section| Ok(descend(section, depth + 1))).unwrap_or(depth)
    }
    let depth = descend(&mut Reader::new(bytes), 0);
    assert!(depth <= crdt_core::codec::Limits::DEFAULT.depth_max, "{depth} is too deep");
}
