use alloc::string::ToString;

use super::codec::tag;
use super::*;
use crdt_core::codec::{Decode, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::laws::trials;
use quickcheck::{Arbitrary, Gen};

impl Arbitrary for Value {
    fn arbitrary(g: &mut Gen) -> Self {
        fn value(g: &mut Gen, depth: u32) -> Value {
            match u8::arbitrary(g) % if depth == 0 { 6 } else { 8 } {
                0 => Value::Null,
                1 => Value::Bool(Arbitrary::arbitrary(g)),
                2 => Value::Int(Arbitrary::arbitrary(g)),
                3 => Value::Float(Arbitrary::arbitrary(g)),
                4 => Value::String(Arbitrary::arbitrary(g)),
                5 => Vec::<u8>::arbitrary(g).into(),
                6 => (0..u8::arbitrary(g) % 4)
                    .map(|_| value(g, depth - 1))
                    .collect::<Vec<_>>()
                    .into(),
                _ => Value::Map(
                    (0..u8::arbitrary(g) % 4)
                        .map(|_| (String::arbitrary(g), value(g, depth - 1)))
                        .collect(),
                ),
            }
        }
        value(g, 3)
    }
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Writer::new();
    value.encode(&mut out);
    out.into_bytes()
}

#[test]
fn encoding_is_the_identity_and_injective() {
    fn law(a: Value, b: Value) -> bool {
        let bytes = encoded(&a);
        let mut input = Reader::new(&bytes);
        Value::decode(&mut input).as_ref() == Ok(&a)
            && input.is_empty()
            && (a == b) == (bytes == encoded(&b))
            && (a.cmp(&b) == b.cmp(&a).reverse())
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

#[test]
fn a_value_is_three_words() {
    assert_eq!(size_of::<Value>(), 24, "decoding allows 32 bytes of memory for each byte");
}

#[test]
fn every_nan_is_one_value() {
    let odd = Value::Float(f64::from_bits(0xfff8_0000_0000_0001));
    assert_eq!(odd, Value::Float(f64::NAN));
    assert_eq!(encoded(&odd), encoded(&Value::Float(f64::NAN)));
    let mut bytes = encoded(&odd);
    bytes[1] = 1;
    let error = Value::decode(&mut Reader::new(&bytes)).map_err(|error| error.kind);
    assert_eq!(error, Err(DecodeErrorKind::NotCanonical));
}

#[test]
fn deep_nesting_is_refused_on_a_small_stack() {
    let bytes = [tag::LIST, 1].repeat(1 << 19);
    let decode = move || Value::decode(&mut Reader::new(&bytes)).map_err(|error| error.kind);
    let small = std::thread::Builder::new().stack_size(256 << 10).spawn(decode);
    assert_eq!(small.unwrap().join().unwrap(), Err(DecodeErrorKind::TooDeep));
    let mut deep = Value::Null;
    for depth in 0..=VALUE_DEPTH_MAX {
        assert_eq!(deep.is_shallow(), depth <= VALUE_DEPTH_MAX);
        deep = Value::from([deep]);
    }
    assert!(!deep.is_shallow());
}

#[test]
fn json_escapes() {
    assert_eq!(Value::from("a\"b\\\n\u{1}").to_string(), r#""a\"b\\\n\u0001""#);
}
