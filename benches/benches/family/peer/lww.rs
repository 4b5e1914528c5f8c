use std::collections::BTreeMap;

use crdts::{CvRDT, LWWReg};

use super::keys;
use crate::rows::Run;

const KEYS: u64 = 100_000;

/// Its registers cannot stand in its maps, which reset what they hold.
type Registers = BTreeMap<String, LWWReg<u64, u64>>;

pub(crate) fn put() -> Run {
    let mut map = Registers::new();
    let keys = keys(KEYS);
    Box::new(move || {
        for (number, key) in (0..).zip(keys) {
            map.entry(key).or_default().update(number, number + 1);
        }
        assert_eq!(map.len() as u64, KEYS);
        (KEYS, Box::new(map))
    })
}

pub(crate) fn join() -> Run {
    let written = |by: u64| -> Registers {
        let register = |number| LWWReg { val: number, marker: number + by };
        (0..).zip(keys(KEYS)).map(|(number, key)| (key, register(number))).collect()
    };
    let (mut here, there) = (written(90), written(91));
    Box::new(move || {
        for (key, register) in there {
            here.entry(key).or_default().merge(register);
        }
        assert_eq!((here.len() as u64, here["key-000007"].val), (KEYS, 7));
        (KEYS, Box::new(here))
    })
}
