use crdt_core::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Limits, Reader, ReceiveTable, SendTable, Writer,
    checksum,
};

use crdt_core::register::{MultiValueStore, Payload};
use crdt_core::set::{AddWinsSetDelta, AddWinsStore};
use crdt_core::{AddWinsSet, EnableWinsFlag, ObservedRemoveMap, TwoPhaseSet, WriteError};

use super::MUMBAI;
use crate::support::{bytes, parse, reload};

/// What a value is beside a neighbour, and what is read from that.
fn beside<T: Encode + Decode>(value: &T, near: &T) -> (Vec<u8>, Result<T, DecodeError>) {
    let mut out = Writer::new();
    value.encode_near(near, &mut out);
    let said = out.into_bytes();
    let mut input = Reader::new(&said);
    let read = T::decode_near(near, &mut input).and_then(|value| input.finish().map(|()| value));
    (said, read)
}

#[test]
fn values_are_what_their_bytes_say() {
    assert_eq!((bytes(&()), reload(&())), (vec![], ()));
    let mut out = Writer::new();
    "ab".encode(&mut out);
    assert_eq!((out.as_bytes(), bytes(&"ab")), (&[2, b'a', b'b'][..], vec![2, b'a', b'b']));
    assert_eq!(reload(&String::from("ab")), "ab");
    assert_eq!((bytes(&vec![7_u8, 9]), reload(&vec![7_u8, 9])), (vec![2, 7, 9], vec![7, 9]));
    assert_eq!((bytes(&Some(5_u64)), bytes(&None::<u64>)), (vec![1, 5], vec![0]));
    assert_eq!((reload(&Some(5_u64)), reload(&None::<u64>)), (Some(5), None));
    assert_eq!((reload(&[1_u8, 2]), reload(&(3_u64, true))), ([1, 2], (3, true)));
}

/// By that many bytes a count is held against what is left.
#[test]
fn a_value_has_so_many_bytes_at_least() {
    assert_eq!((<(u8, u64)>::BYTES_MIN, <(bool, (u8, String))>::BYTES_MIN), (2, 3));
    assert_eq!((<()>::BYTES_MIN, <(u8, ())>::BYTES_MIN, <[u8; 4]>::BYTES_MIN), (0, 1, 4));
    assert_eq!((<Payload<u16, u8>>::BYTES_MIN, <Payload<u8, (u8, u8)>>::BYTES_MIN), (2, 2));
    assert_eq!(<Payload<[u8; 3], [u8; 4]>>::BYTES_MIN, 4);
    // Nothing is shorter than what is empty; versions, contexts and counts are told apart.
    let (set, flag) = (AddWinsSet::<u8>::new(), EnableWinsFlag::new());
    assert!((3..=bytes(&set).len()).contains(&AddWinsSet::<u8>::BYTES_MIN));
    assert!((2..=bytes(&flag).len()).contains(&EnableWinsFlag::BYTES_MIN));
    let empty = bytes(&AddWinsSetDelta::<u8>::default());
    assert!((4..=empty.len()).contains(&AddWinsSetDelta::<u8>::BYTES_MIN));
}

#[test]
fn values_are_shorter_beside_a_neighbour() {
    let text = String::from;
    let near = text("key-000007");
    let (said, read) = beside(&text("key-000018"), &near);
    assert_eq!((said.len(), read), (3, Ok(text("key-000018"))));
    assert_eq!(beside(&near, &near).1, Ok(near.clone()));
    // The bytes that ö and ø share are no text of their own.
    assert_eq!(beside(&text("aø"), &text("aö")).1, Ok(text("aø")));
    assert_eq!(beside(&text(""), &near).1, Ok(text("")));

    let near = vec![1_u8, 2, 3];
    let (said, read) = beside(&vec![1, 2, 4, 5], &near);
    assert_eq!((said.len(), read), (3, Ok(vec![1, 2, 4, 5])));
    assert_eq!(beside(&near, &near).1, Ok(near));

    for value in [None, Some(text("ab")), Some(text("ac"))] {
        for near in [None, Some(text("ab"))] {
            assert_eq!(beside(&value, &near).1.as_ref(), Ok(&value), "beside {near:?}");
        }
    }
    let (said, _) = beside(&Some(text("key-1")), &Some(text("key-2")));
    assert_eq!(said.len(), 3, "{said:?}");
    let mut out = Writer::new();
    <&str as Encode>::encode_near(&"key-1", &"key-2", &mut out);
    assert_eq!(out.len(), 2);
}

/// A neighbour's beginning is named once and as far as it goes.
#[test]
fn what_is_beside_a_neighbour_has_one_form() {
    let parse = |said: &[u8]| String::decode_near(&String::from("ab"), &mut Reader::new(said));
    // Both lengths are in one byte.
    let said = |shared: &str, rest: &str| {
        [&[(rest.len() * 12 + shared.len()) as u8], rest.as_bytes()].concat()
    };
    let (own, _) = beside(&String::from("ac"), &String::from("ab"));
    assert_eq!(own, said("a", "c"));
    assert_eq!(parse(&said("a", "c")), Ok("ac".into()));
    for wrong in [said("", "ac"), said("a", "b"), said("abc", "d")] {
        assert!(parse(&wrong).is_err(), "{wrong:?}");
        let near = b"ab".to_vec();
        assert!(Vec::<u8>::decode_near(&near, &mut Reader::new(&wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn text_that_is_none_is_found_where_it_is() {
    let wrong = [4, b'a', b'b', 0xff, b'c'];
    let error = parse::<String>(&wrong).expect_err("it is not UTF-8");
    assert_eq!((error.kind, error.at), (DecodeErrorKind::NotUtf8, 3));
}

#[test]
fn an_input_may_be_as_long_as_its_limit() {
    let limits = Limits::DEFAULT.with_input_bytes_max(3);
    assert!(Reader::with_limits(&[1, 2], limits).is_ok());
    assert!(Reader::with_limits(&[1, 2, 3], limits).is_ok());
    let refused = Reader::with_limits(&[1, 2, 3, 4], limits).map(|_| ());
    assert_eq!(refused, Err(DecodeErrorKind::InputTooLong.at(3)));
}

/// Memory for so many elements may be taken before they have come.
#[test]
fn eight_times_what_is_left_may_be_reserved() {
    let input = Reader::new(&[0; 10]);
    assert_eq!(
        [0, 9, 10, 11, usize::MAX].map(|count| input.capacity(count, 8)),
        [0, 9, 10, 10, 10]
    );
    assert_eq!([1, 3, 160].map(|size| input.capacity(100, size)), [80, 26, 0]);
    assert_eq!([79, 80, 81].map(|count| input.capacity(count, 0)), [79, 80, 80]);
}

#[test]
fn values_are_nested_so_deep_and_no_deeper() {
    fn dive(input: &mut Reader<'_>, levels: u32) -> Result<u32, DecodeError> {
        if levels == 0 {
            Ok(0)
        } else {
            input.nested(|input| dive(input, levels - 1)).map(|n| n + 1)
        }
    }
    let mut limits = Limits::default();
    limits.depth_max = 3;
    let mut input = Reader::with_limits(&[], limits).expect("nothing is short enough");
    // Beside each other there may be any number.
    for _ in 0..4 {
        assert_eq!(dive(&mut input, 3), Ok(3));
        assert_eq!(dive(&mut input, 4).map_err(|error| error.kind), Err(DecodeErrorKind::TooDeep));
    }
}

#[test]
fn a_table_names_each_key_once() -> Result<(), DecodeError> {
    let text = String::from;
    let (mut out, mut sent) = (Writer::new(), SendTable::new());
    assert_eq!((sent.is_empty(), sent.len()), (true, 0));
    for (key, flags) in [("a", 1), ("b", 2), ("a", 3), ("c", 0)] {
        sent.write(&text(key), flags, 2, &mut out);
    }
    assert!(!sent.is_empty() && sent.len() == 3);
    assert_eq!(out.as_bytes(), [1, 1, b'a', 6, 1, b'b', 3, 8, 1, b'c']);

    let mut input = Reader::new(out.as_bytes());
    let mut received = ReceiveTable::<String>::new();
    assert_eq!((received.is_empty(), received.len()), (true, 0));
    for expected in [(0, 1), (1, 2), (0, 3), (2, 0)] {
        assert_eq!(received.read(2, &mut input)?, expected);
    }
    assert!(!received.is_empty() && received.len() == 3);
    assert_eq!((received.get(2), received.get(3)), (Some(&text("c")), None));

    // What is forgotten is named anew, and gets the same number.
    for (len, left) in [(5, 3), (3, 3), (1, 1)] {
        sent.truncate(len);
        assert_eq!(sent.len(), left);
    }
    let mut out = Writer::new();
    assert_eq!(
        (sent.write(&text("a"), 0, 0, &mut out), sent.write(&text("z"), 0, 0, &mut out)),
        (0, 1)
    );
    assert_eq!(out.as_bytes(), [0, 1, 1, b'z']);
    Ok(())
}

#[test]
fn a_table_has_room_for_so_many_keys() {
    let named = [0, 1, b'a', 1, 1, b'b', 0, 2, 1, b'c'];
    let mut input = Reader::new(&named);
    let mut table = ReceiveTable::<String>::with_keys_max(2);
    let read = [(); 4].map(|()| table.read(0, &mut input).map(|(number, _)| number));
    assert_eq!(read, [Ok(0), Ok(1), Ok(0), Err(DecodeErrorKind::OutOfRange.at(7))]);
    assert_eq!(table.len(), 2);
}

#[test]
fn a_table_of_known_keys_writes_none() {
    let keys = || vec![String::from("a"), String::from("b")];
    let (mut sent, mut out) = (SendTable::of_known(keys()), Writer::new());
    sent.write(&String::from("b"), 0, 0, &mut out);
    assert_eq!(out.as_bytes(), [1]);
    let mut received = ReceiveTable::of_known(keys()).expect("they ascend");
    assert_eq!(received.read_key(&mut Reader::new(out.as_bytes())), Ok("b".into()));
    // A known key is not introduced again.
    let again = received.read(0, &mut Reader::new(&[2, 1, b'b']));
    assert_eq!(again, Err(DecodeErrorKind::NotCanonical.at(1)));
    let descending = vec![String::from("b"), String::from("a")];
    assert!(ReceiveTable::of_known(descending).is_none());
}

/// CRC-32C by the bit, of every length up to a few words.
#[test]
fn a_checksum_is_that_of_the_standard() {
    let mut state = 1_u32;
    let mut body = Vec::new();
    for _ in 0..80 {
        let by_bits = |bytes: &[u8]| {
            let fold = |sum: u32, byte: &u8| {
                (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                    if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 }
                })
            };
            !bytes.iter().fold(!0, fold)
        };
        assert_eq!(checksum(&body), by_bits(&body), "{} bytes", body.len());
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        body.push((state >> 24) as u8);
    }
}

#[test]
fn errors_say_what_and_where() {
    let error = DecodeErrorKind::CountTooLarge.at(17);
    assert_eq!(error.to_string(), "a count exceeds what the input can hold (at byte 17)");
    assert_eq!(error.kind.to_string(), "a count exceeds what the input can hold");
}

#[test]
fn a_writer_takes_back_what_it_wrote() {
    let mut out = Writer::new();
    assert_eq!((out.is_empty(), out.len()), (true, 0));
    out.raw(&[1, 2, 3, 4]);
    assert!(!out.is_empty() && out.len() == 4);
    out.truncate(2);
    assert_eq!((out.as_bytes(), out.len()), (&[1, 2][..], 2));
}

/// What stands under one key is said beside what stands under the key before.
#[test]
fn values_under_keys_are_shorter_beside_each_other() -> Result<(), WriteError> {
    let mut lines = ObservedRemoveMap::<u8, MultiValueStore<String>>::new();
    let mut writer = lines.writer(MUMBAI);
    for key in 0..10_u8 {
        let value = format!("beginnings {key}");
        let _delta = lines.edit(&mut writer, |lines| lines.update(key, |line| line.set(value)))?;
    }
    assert!(bytes(&lines).len() < 100, "{}", bytes(&lines).len());
    assert_eq!(reload(&lines), lines);

    let mut tags = ObservedRemoveMap::<u8, AddWinsStore<String>>::new();
    let mut writer = tags.writer(MUMBAI);
    for key in 0..10_u8 {
        let _delta = tags.edit(&mut writer, |tags| {
            tags.update(key, |tags| tags.add("a tag of all".to_owned()));
        })?;
    }
    assert!(bytes(&tags).len() < 100, "{}", bytes(&tags).len());
    assert_eq!(reload(&tags), tags);
    Ok(())
}

#[test]
fn a_count_is_held_against_what_is_left() {
    // Three elements are said to come, of two bytes at least, and two come.
    let refused = parse::<TwoPhaseSet<u8>>(&[0, 3, 1, 0, 2, 0]).map_err(|error| error.kind);
    assert_eq!(refused, Err(DecodeErrorKind::CountTooLarge));
}
