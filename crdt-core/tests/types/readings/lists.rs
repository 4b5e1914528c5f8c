use crdt_core::{List, WriteError};

use super::{DELHI, MUMBAI};

/// The end is right behind the last element, and before what was removed there: so whoever wrote
/// behind that comes later, for all of them.
#[test]
fn the_end_of_a_list_is_behind_what_it_shows() -> Result<(), WriteError> {
    for [remover, other] in [[MUMBAI, DELHI], [DELHI, MUMBAI]] {
        // With few nodes, which have no tree, and with many.
        for first in [2, 100] {
            let mut here = List::new();
            let mut writer = here.writer(remover);
            let _delta = here.extend(0..first, &mut writer)?;
            let mut there = here.clone();
            let _delta = here.insert(0, -1, &mut writer)?;
            let _delta = here.remove(first as usize, &mut writer);
            let _delta = here.push(1001, &mut writer)?;
            let _delta = there.push(1002, &mut there.writer(other))?;
            here.join(there.clone());
            there.join(here.clone());
            assert!(here == there);
            let expected = (-1..first - 1).chain([1001, 1002]);
            assert!(here.iter().copied().eq(expected), "{here:?}");
        }
    }
    Ok(())
}
