//! A document whose history was not decoded: it is what its snapshot shows, and what was written
//! since, as one that was trimmed at that version.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_causal::sync::{ReceiveTables, SendTables};
use crdt_core::causality::{Base, Lv};
use crdt_core::codec::{Reader, Writer};
use crdt_core::{Frontier, ReplicaId};
use once_cell::race::OnceBox;

use super::error::SavedError;
use super::file::File;
use super::snapshot::{self, Snapshot};
use crate::ImportError;
use crate::base::{self, BaseBytes};
use crate::codec::body::{self, Body};
use crate::container::Content;
use crate::import::{self, PIECE_ROWS_MIN};
use crate::state::State;
use crate::{ChangeSet, Document};

/// What a [`State`] has in place of its history.
#[derive(Debug)]
pub(crate) struct Asleep {
    file: File,
    /// How many events the snapshot stands for, and for how many more there was room.
    events: Lv,
    room: Lv,
    /// The state with its history, once somebody has asked for that and nothing was written since.
    woken: OnceBox<Arc<Woken>>,
}

/// A state with its history; or, if that cannot be decoded, one that begins with the snapshot.
#[derive(Debug)]
pub(crate) struct Woken {
    pub(super) state: State,
    pub(super) lost: Option<SavedError>,
}

/// The state that a file shows; with its history, if it has no snapshot.
pub(super) fn open(file: File) -> Result<State, SavedError> {
    let Some(bytes) = file.snapshot()? else {
        return history(&file, None);
    };
    let Snapshot { mut state, events, room } = Snapshot::read(&bytes)?;
    let woken = OnceBox::new();
    state.asleep = Some(Box::new(Asleep { file, events, room, woken }));
    Ok(state)
}

impl State {
    /// The state with its history, which is decoded if that was not done yet. O(history) once.
    pub(crate) fn awake(&self) -> &Self {
        match &self.asleep {
            None => self,
            Some(asleep) => &asleep.woken(self).state,
        }
    }

    /// As [`awake`](Self::awake), to be put in this one's place; `None` if this one is awake.
    pub(super) fn wake(&mut self) -> Option<Woken> {
        let mut asleep = self.asleep.take()?;
        asleep.woken(self);
        let woken = core::mem::take(&mut asleep.woken).get().cloned();
        woken.and_then(Arc::into_inner)
    }

    /// Why there is no history, if there should be one.
    pub(super) fn lost(&self) -> Option<&SavedError> {
        self.asleep.as_ref().and_then(|asleep| asleep.woken(self).lost.as_ref())
    }

    /// Whether somebody has asked for the history, so that it is at hand.
    pub(super) fn is_woken(&self) -> bool {
        self.asleep.as_ref().is_some_and(|asleep| asleep.woken.get().is_some())
    }

    /// To be called before something is written: what is at hand will not have it.
    pub(crate) fn forget_woken(&mut self) {
        if let Some(asleep) = &mut self.asleep {
            asleep.woken = OnceBox::new();
        }
    }

    /// The file that was opened, if nothing has happened since.
    pub(super) fn saved(&self) -> Option<&[u8]> {
        let asleep = self.asleep.as_ref().filter(|_| self.graph.len() == self.graph.first())?;
        Some(asleep.file.bytes())
    }

    /// The number of a replica's last event, 0 if none is held. O(log replicas).
    pub(crate) fn last_of(&self, replica: ReplicaId) -> u64 {
        let saved = self.asleep.as_ref().map_or(0, |asleep| asleep.file.last_of(replica));
        self.graph.version().get(replica).max(saved)
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> Lv {
        let events = self.asleep.as_ref().map_or(self.graph.first(), |asleep| asleep.events);
        events + (self.graph.len() - self.graph.first())
    }

    /// For how many more events there is room.
    pub(crate) fn room(&self) -> Lv {
        let since = self.graph.len() - self.graph.first();
        let room = self.asleep.as_ref().map_or(Lv::MAX, |asleep| asleep.room.saturating_sub(since));
        room.min(self.graph.room())
    }

    /// Whether the past of a version is known without what is asleep.
    pub(crate) fn reaches(&self, version: &Frontier) -> bool {
        let follows = |local: &[Lv]| self.graph.follows_base(local);
        self.asleep.is_none() || self.graph.local(version).is_ok_and(|local| follows(&local))
    }

    /// This state for a writer that has written before and was forgotten with the history; `None` if
    /// only the history can tell what it did.
    pub(super) fn remembering(&self, replica: ReplicaId) -> Option<Self> {
        let asleep = self.asleep.as_ref()?;
        // How much of a counter is its own is in the history.
        let counts = |number: u32| matches!(self.containers[number].content, Content::Counter(_));
        if (0..self.containers.len()).any(counts) {
            return None;
        }
        let base = self.graph.base().expect("it begins with the snapshot");
        let mut writers = base.writers().clone();
        writers.observe(replica, asleep.file.last_of(replica));
        let base = Base::new(base.heads().clone(), base.lamport(), writers).ok()?;
        asleep.begin(self, &base).ok()
    }

    /// Takes in what was written on a snapshot since.
    fn write_on(&mut self, snapshot: &Self) -> Result<(), ImportError> {
        let graph = &snapshot.graph;
        let since = graph.first()..graph.len();
        if since.is_empty() {
            return Ok(());
        }
        let mut out = Writer::new();
        body::write(snapshot, None, &[since], &mut SendTables::new(), &mut out);
        let body = Body::read(&mut Reader::new(out.as_bytes()), &mut ReceiveTables::new());
        for piece in ChangeSet::pieces(body.expect("it was just written"), PIECE_ROWS_MIN) {
            import::import(self, &piece, &mut |_| true, None, None)?;
        }
        Ok(())
    }
}

impl Asleep {
    fn woken(&self, state: &State) -> &Woken {
        self.woken.get_or_init(|| Box::new(Arc::new(self.wake(state))))
    }

    fn wake(&self, state: &State) -> Woken {
        let history = || {
            let mut whole = history(&self.file, self.file.snapshot()?)?;
            whole.write_on(state)?;
            Ok(whole)
        };
        match history() {
            Ok(state) => Woken { state, lost: None },
            Err(lost) => Woken { state: self.without_history(state), lost: Some(lost) },
        }
    }

    /// The snapshot and what was written since. All writers are remembered, so that nobody who
    /// returns uses a number again; unless what is said of them is wrong, too.
    fn without_history(&self, state: &State) -> State {
        let base = state.graph.base().expect("it begins with the snapshot");
        let mut writers = self.file.version();
        writers.join(base.writers());
        let everyone = Base::new(base.heads().clone(), base.lamport(), writers);
        let begun = everyone.ok().and_then(|everyone| self.begin(state, &everyone).ok());
        // What was written since must not seem to be trimmed.
        let begun = begun.filter(|begun| begun.graph.len() == state.graph.len());
        begun.unwrap_or_else(|| self.begin(state, base).expect("it was begun so before"))
    }

    /// The snapshot and what was written since in `state`, as a document that was trimmed to `base`,
    /// which is the snapshot's but for the writers that it remembers.
    fn begin(&self, state: &State, base: &Base) -> Result<State, SavedError> {
        let snapshot = self.file.snapshot()?.unwrap_or_default();
        let (silent, shown) = snapshot::silent_and_base(&snapshot);
        let shown = base::begin(shown)?.state;
        let bytes = base::write(&shown, base).into();
        let mut begun = BaseBytes { bytes, at: 0 }.begin()?.state;
        for path in &silent {
            begun.containers.enter(path);
        }
        begun.write_on(state)?;
        Ok(begun)
    }
}

/// The state that the history of a file leads to, which has to be the one that its snapshot shows.
fn history(file: &File, snapshot: Option<Vec<u8>>) -> Result<State, SavedError> {
    let (body, bytes) = file.history()?;
    let state = Document::of_history(file.genesis(), body, bytes)?.state;
    let fits = file.is_of(state.graph.version()) && snapshot::write(&state) == snapshot;
    if fits { Ok(state) } else { Err(SavedError::DoesNotFit) }
}
