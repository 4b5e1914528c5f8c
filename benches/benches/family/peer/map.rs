use std::any::Any;
use std::hint::black_box;

use crdts::{CmRDT, CvRDT, MVReg, Map};

use super::{WRITERS, keys};
use crate::rows::Run;

const KEYS: u64 = 100_000;

type Registers = Map<String, MVReg<u64, u64>, u64>;

fn put(map: &mut Registers, key: String, value: u64, writer: u64) {
    let context = map.read_ctx().derive_add_ctx(writer);
    let operation = map.update(key, context, |register, context| register.write(value, context));
    map.apply(black_box(operation));
}

fn of_all() -> Registers {
    let mut map = Registers::new();
    for (number, key) in (0..).zip(keys(KEYS)) {
        put(&mut map, key, number, number % WRITERS);
    }
    map
}

pub(crate) fn update() -> Run {
    let mut map = Registers::new();
    let keys = keys(KEYS);
    Box::new(move || {
        for (number, key) in (0..).zip(keys) {
            put(&mut map, key, number, number % WRITERS);
        }
        assert_eq!(map.len().val as u64, KEYS);
        (KEYS, Box::new(map))
    })
}

pub(crate) fn join() -> Run {
    let both = of_all();
    let overwritten = |writer| {
        let mut map = both.clone();
        for (number, key) in (0..).zip(keys(KEYS)) {
            put(&mut map, key, number + writer, writer);
        }
        map
    };
    let (mut here, there) = (overwritten(90), overwritten(91));
    Box::new(move || {
        here.merge(there);
        let register = here.get(&"key-000007".to_owned()).val;
        let values = register.map(|register| register.read().val.len());
        assert_eq!((here.len().val as u64, values), (KEYS, Some(2)));
        (KEYS, Box::new(here))
    })
}

pub(crate) fn heap() -> Box<dyn Any> {
    Box::new(of_all())
}
