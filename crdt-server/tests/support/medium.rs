//! A storage medium that loses power.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// A medium in memory that forgets, and tears, what was not synced when the power went.
///
/// Reads see every write at once, as through a page cache. Of the writes since the last
/// sync a crash keeps an arbitrary subset, one of them in part. The power goes at a chosen
/// operation: that one, and all later ones, fail.
#[derive(Clone, Debug, Default)]
pub struct Medium(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What reads see.
    cached: Vec<u8>,
    /// What a crash cannot take away.
    synced: Vec<u8>,
    unsynced: Vec<Change>,
    operations_until_crash: Option<u64>,
    sync_lies: bool,
    syncs: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl Medium {
    /// Lets the power go at the operation after `operations` more writes and syncs.
    pub fn crash_after(&self, operations: u64) {
        self.state().operations_until_crash = Some(operations);
    }

    /// From now on a sync says that it is done and does nothing.
    pub fn let_sync_lie(&self) {
        self.state().sync_lies = true;
    }

    /// How often it was synced.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Whether the power is gone.
    pub fn is_dead(&self) -> bool {
        self.state().operations_until_crash == Some(0)
    }

    /// What is found on the medium when the power comes back.
    pub fn after_the_crash(&self, rng: &mut fastrand::Rng) -> Self {
        let state = self.state();
        let mut image = state.synced.clone();
        let torn = rng.usize(..state.unsynced.len().max(1));
        // Sometimes nearly all gets through, sometimes nearly nothing.
        let kept = rng.f64();
        for (index, change) in state.unsynced.iter().enumerate() {
            if index == torn {
                change.tear(rng).apply(&mut image);
            } else if rng.f64() < kept {
                change.apply(&mut image);
            }
        }
        let state = State {
            cached: image.clone(),
            synced: image,
            sync_lies: state.sync_lies,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic under the lock")
    }
}

impl State {
    fn operate(&mut self) -> io::Result<()> {
        match &mut self.operations_until_crash {
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                if *left == 0 { Err(io::Error::other("the power goes")) } else { Ok(()) }
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        let result = self.operate();
        // The operation at which the power goes may still have got somewhere.
        if result.is_ok() {
            change.apply(&mut self.cached);
        }
        self.unsynced.push(change);
        result
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::SetLen(len) => image.resize(*len, 0),
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*at..end].copy_from_slice(bytes);
            }
        }
    }

    /// Its beginning, its end, or some sectors of it.
    fn tear(&self, rng: &mut fastrand::Rng) -> Self {
        let Self::Write { at, bytes } = self else { return self.clone() };
        let from = if rng.bool() { 0 } else { rng.usize(..=bytes.len()) };
        let to = if rng.bool() { bytes.len() } else { rng.usize(from..=bytes.len()) };
        Self::Write { at: at + from, bytes: bytes[from..to].to_vec() }
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let found = at.checked_add(out.len()).and_then(|end| state.cached.get(at..end));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.state().change(Change::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.syncs += 1;
        if !state.sync_lies {
            for change in std::mem::take(&mut state.unsynced) {
                change.apply(&mut state.synced);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        self.state().change(Change::Write { at, bytes: data.to_vec() })
    }
}
