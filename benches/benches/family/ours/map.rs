use std::any::Any;
use std::hint::black_box;

use crdt_core::codec::{Encode, Writer as Out};
use crdt_core::register::MultiValueStore;
use crdt_core::{ObservedRemoveMap, Writer};

use super::{WRITERS, keys, replica, writers};
use crate::rows::Run;

const KEYS: u64 = 100_000;

type Registers = ObservedRemoveMap<String, MultiValueStore<u64>>;

fn put(map: &mut Registers, key: String, value: u64, writer: &mut Writer) {
    let delta = map.update(key, writer, |register| register.set(value));
    let _delta = black_box(delta.expect("numbers are left"));
}

fn of_all() -> Registers {
    let mut map = Registers::new();
    let mut writers = writers(|id| map.writer(id));
    for (number, key) in (0..).zip(keys(KEYS)) {
        put(&mut map, key, number, &mut writers[(number % WRITERS) as usize]);
    }
    map
}

pub(crate) fn update() -> Run {
    let mut map = Registers::new();
    let mut writers = writers(|id| map.writer(id));
    let keys = keys(KEYS);
    Box::new(move || {
        for (number, key) in (0..).zip(keys) {
            put(&mut map, key, number, &mut writers[(number % WRITERS) as usize]);
        }
        assert_eq!(map.len() as u64, KEYS);
        (KEYS, Box::new(map))
    })
}

pub(crate) fn join() -> Run {
    let both = of_all();
    let overwritten = |id| {
        let mut map = both.clone();
        let mut writer = map.writer(replica(id));
        for (number, key) in (0..).zip(keys(KEYS)) {
            put(&mut map, key, number + id, &mut writer);
        }
        map
    };
    let (mut here, there) = (overwritten(90), overwritten(91));
    Box::new(move || {
        assert!(here.join(there));
        let values = here.get("key-000007").map(|register| register.entries().len());
        assert_eq!((here.len() as u64, values), (KEYS, Some(2)));
        (KEYS, Box::new(here))
    })
}

pub(crate) fn heap() -> Box<dyn Any> {
    Box::new(of_all())
}

pub(crate) fn encoded() -> f64 {
    let mut out = Out::new();
    of_all().encode(&mut out);
    out.len() as f64 / KEYS as f64
}
