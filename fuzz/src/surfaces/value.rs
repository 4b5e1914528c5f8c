//! Plain values: what maps hold and sets are made of; and paths, which name where.

use crdt_document::{PATH_STEPS_MAX, Path, Value, ValueMap};

use crate::values::{decode, encode};

/// Decodes a path, then values until one is wrong.
pub fn run(bytes: &[u8]) {
    if let Some((path, _)) = decode::<Path>(bytes) {
        assert!(path.to_string().matches('/').count() + 1 >= path.steps().len());
        assert!(path.steps().len() <= PATH_STEPS_MAX);
    }
    let mut rest = bytes;
    while let Some((value, behind)) = decode::<Value>(rest) {
        // Whatever a value holds, it can be shown and compared.
        assert!(!value.to_string().is_empty());
        assert_eq!(value.cmp(&value), std::cmp::Ordering::Equal);
        rest = behind;
    }
}

/// One of each kind, and all of them nested.
pub fn seeds() -> Vec<Vec<u8>> {
    let plain = [
        Value::Null,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::from(-0.0),
        Value::from(f64::NAN),
        Value::from("ünïcode"),
        Value::from(vec![0u8, 255]),
    ];
    let list = Value::from(plain.to_vec());
    let map: ValueMap =
        [("list".to_owned(), list.clone()), (String::new(), Value::Null)].into_iter().collect();
    let mut deep = Value::Map(map);
    for _ in 0..24 {
        deep = Value::from(vec![deep]);
    }
    let path = Path::root().map("chapters").map("one").text("body");
    let paths = [Path::root(), path].map(|path| encode(&path));
    plain.iter().chain([&list, &deep]).map(encode).chain(paths).collect()
}
