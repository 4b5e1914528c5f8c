//! What was done without knowledge of history that is gone elsewhere, made anew as edits.

mod deeds;
mod text;

use alloc::string::ToString;

use crdt_core::canary::is_planted;
use crdt_core::collections::OrderedSet;
use crdt_core::{DotRange, VersionVector};

pub use deeds::Deed;

use crate::base;
use crate::history;
use crate::{Document, EditError, Kind, MapView, Path, Transaction, View};

impl Document {
    /// Makes anew in `onto` what this document did that `acknowledged` lacks, as one transaction
    /// there, and returns its events; `None` if there was nothing to do.
    ///
    /// This is for who comes back after history was [trimmed](Self::trim) that they had not seen,
    /// and is told so ([`ImportError::BeforeTrim`](crate::ImportError::BeforeTrim)): take the
    /// document as it is elsewhere, with a new replica id, and rebase onto it. `acknowledged` is
    /// what is known to be there, such as
    /// [`Session::acknowledged`](crdt_causal::sync::Session::acknowledged).
    ///
    /// **It is an edit and no merge.** The difference between what stood here at `acknowledged` and
    /// what stands here now is written again, by the writer of `onto` and after everything in it:
    ///
    /// | here, since `acknowledged` | there |
    /// |---|---|
    /// | a text was changed | the same insertions and deletions, at the places that are found by comparing the text of then with the one there; between two insertions at one place that one comes later |
    /// | a key was written or removed | the same, whatever stands there by now |
    /// | an element was added or removed | the same |
    /// | a counter was counted or reset | it goes up or down by the difference of the values |
    /// | a container came to exist, or ceased to | it is made; or what was in it here goes, and the container too if nothing else is in it |
    ///
    /// O(history) for what stood here then, and for each text that was changed the time of two
    /// differences of texts (Myers, *An O(ND) difference algorithm and its variations*, 1986), which
    /// are taken by lines where they are large.
    ///
    /// ```
    /// use crdt_document::{Document, ReplicaId};
    ///
    /// let mut server = Document::new(ReplicaId::from_u128(1));
    /// server.transact(|tx| tx.text("body").insert(0, "Hello world").map(drop))?;
    /// let mut browser = Document::new(ReplicaId::from_u128(2));
    /// browser.import(&server.encode())?;
    /// let acknowledged = browser.version().clone();
    ///
    /// // Months apart, and the server has forgotten how it came to its text.
    /// browser.transact(|tx| tx.text("body").push("!").map(drop))?;
    /// server.transact(|tx| tx.text("body").splice(0..5, "Goodbye").map(drop))?;
    /// let stable = server.version().clone();
    /// server.trim(&stable, |_| false)?;
    /// assert!(server.import(&browser.changes_since(server.version())).is_err());
    ///
    /// let mut again = Document::new(ReplicaId::from_u128(3));
    /// again.import(&server.encode())?;
    /// browser.rebase(&mut again, &acknowledged)?;
    /// server.import(&again.changes_since(server.version()))?;
    /// assert_eq!(server.text("body"), "Goodbye world!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EditError`], and `onto` is as it was: [`EditError::TransactionOpen`] for one that is open in
    /// either document, [`EditError::NoReplica`].
    pub fn rebase(
        &self,
        onto: &mut Self,
        acknowledged: &VersionVector,
    ) -> Result<Option<DotRange>, EditError> {
        // A planted bug: what is there already is done once more.
        let then = if is_planted("rebase-from-nothing") {
            self.before(&VersionVector::new())?
        } else {
            self.before(acknowledged)?
        };
        onto.begin()?;
        let mut tx = onto.transaction()?;
        if let Err(error) = map(&Path::root(), then.root(), self.root(), &mut tx) {
            onto.rollback();
            return Err(error);
        }
        onto.commit()
    }

    /// The document with those of its events that happened before, or in, a version.
    fn before(&self, version: &VersionVector) -> Result<Self, EditError> {
        if self.is_open() {
            return Err(EditError::TransactionOpen);
        }
        let whole = self.state.awake();
        let known = whole.graph.closed(version);
        let ranges = history::missing(whole, &VersionVector::new(), &known);
        let state = base::replay(whole, whole.base.clone(), &ranges);
        Ok(Self::of_state(state, self.genesis()))
    }
}

/// Does in the map at `path` what makes `now` of `then`.
fn map(
    path: &Path,
    then: MapView<'_>,
    now: MapView<'_>,
    tx: &mut Transaction<'_>,
) -> Result<(), EditError> {
    for (key, value) in now.iter().filter(|&(key, value)| then.get(key) != Some(value)) {
        tx.at_map(path.clone()).set(key, value.clone());
    }
    let both = then.containers().chain(now.containers());
    let containers: OrderedSet<(&str, Kind)> = both.map(|(key, view)| (key, view.kind())).collect();
    let mut gone: OrderedSet<&str> =
        then.iter().map(|(key, _)| key).filter(|key| now.get(key).is_none()).collect();
    for &(key, kind) in &containers {
        let path = path.clone().step(key, kind);
        let (was, is) = match kind {
            Kind::Map => {
                let (then, now) = (then.map(key), now.map(key));
                map(&path, then, now, tx)?;
                (then.exists(), now.exists() && now.is_empty())
            }
            Kind::Set => {
                let (then, now) = (then.set(key), now.set(key));
                let mut set = tx.at_set(path.clone());
                for element in now.iter().filter(|&element| !then.contains(element.clone())) {
                    set.add(element.clone());
                }
                for element in then.iter().filter(|&element| !now.contains(element.clone())) {
                    set.remove(element.clone());
                }
                (then.exists(), now.exists() && now.is_empty())
            }
            Kind::Counter => {
                let (then, now) = (then.counter(key), now.counter(key));
                let mut left = now.value() - then.value();
                while left != 0 {
                    let step = left.clamp(-i128::from(i64::MAX), i128::from(i64::MAX));
                    tx.at_counter(path.clone()).increment(step as i64);
                    left -= step;
                }
                (then.exists(), now.exists() && now.value() == 0)
            }
            Kind::Text => {
                let (then, now) = (then.text(key), now.text(key));
                let texts = [then.to_string(), now.to_string()];
                if texts[0] != texts[1] {
                    text::edit(&texts[0], &texts[1], &mut tx.at_text(path.clone()))?;
                }
                (then.exists(), now.exists() && now.is_empty())
            }
            Kind::Unknown(_) => continue,
        };
        if is && !was {
            create(path, tx);
        } else if was && now.containers().all(|(held, view)| (held, view.kind()) != (key, kind)) {
            gone.insert(key);
        }
    }
    // Where nothing else stands there by now the key goes too.
    for &key in &gone {
        let mut there = tx.at_map(path.clone());
        let holds = |view: &View<'_>| match view {
            View::Map(map) => !map.is_empty(),
            View::Set(set) => !set.is_empty(),
            View::Counter(counter) => counter.value() != 0,
            View::Text(text) => !text.is_empty(),
            View::Unsupported(_) => true,
        };
        let view = there.view();
        let others = view.containers().any(|(held, view)| held == key && holds(&view));
        let written_here = now.get(key).is_some();
        let stays = now.containers().any(|(held, _)| held == key);
        if !others && !written_here && !stays {
            there.remove(key);
        }
    }
    Ok(())
}

fn create(path: Path, tx: &mut Transaction<'_>) {
    match path.kind() {
        Kind::Map => drop(tx.at_map(path).create()),
        Kind::Set => drop(tx.at_set(path).create()),
        Kind::Counter => drop(tx.at_counter(path).create()),
        Kind::Text => drop(tx.at_text(path).create()),
        Kind::Unknown(_) => unreachable!("nothing of that kind is made here"),
    }
}
