//! Writing: handles on containers inside of a transaction.

mod counter;
mod map;
mod set;
mod text;

pub use counter::CounterEdit;
pub use map::MapEdit;
pub use set::SetEdit;
pub use text::TextEdit;

use alloc::sync::Arc;

use crate::op::Op;
use crate::transaction::Transaction;
use crate::{Kind, Path};

/// Makes a container exist although it has no content: an event of the map above.
fn create(tx: &mut Transaction<'_>, path: &Path) {
    let Some((last, above)) = path.steps().split_last() else { return };
    let created = tx.find(path).is_some_and(|number| tx.state().containers.is_created(number));
    if created {
        return;
    }
    let key: Arc<str> = last.key().expect("a path that was made here has keys").into();
    tx.apply(&Path::from_steps(above.to_vec()), Op::Create { key, kind: last.kind() });
}

fn expect(path: &Path, kind: Kind) {
    assert_eq!(path.kind(), kind, "the path ends at a {kind}");
}
