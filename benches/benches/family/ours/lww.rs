use std::hint::black_box;

use crdt_core::LwwMap;

use super::{WRITERS, keys, replica, writers};
use crate::rows::Run;

const KEYS: u64 = 100_000;

pub(crate) fn put() -> Run {
    let mut map: LwwMap<String, u64> = LwwMap::new();
    let mut writers = writers(|id| map.writer(id));
    let keys = keys(KEYS);
    Box::new(move || {
        for (number, key) in (0..).zip(keys) {
            let writer = &mut writers[(number % WRITERS) as usize];
            let _delta = black_box(map.set(key, number, number, writer).expect("numbers are left"));
        }
        assert_eq!(map.len() as u64, KEYS);
        (KEYS, Box::new(map))
    })
}

pub(crate) fn join() -> Run {
    let written = |id: u64| {
        let mut map: LwwMap<String, u64> = LwwMap::new();
        let mut writer = map.writer(replica(id));
        for (number, key) in (0..).zip(keys(KEYS)) {
            let _delta = map.set(key, number, number + id, &mut writer).expect("numbers are left");
        }
        map
    };
    let (mut here, there) = (written(90), written(91));
    Box::new(move || {
        assert!(here.join(there));
        assert_eq!((here.len() as u64, here.get("key-000007")), (KEYS, Some(&7)));
        (KEYS, Box::new(here))
    })
}
