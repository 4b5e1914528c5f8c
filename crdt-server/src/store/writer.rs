use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use crdt_core::canary::is_planted;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::admission::Tail;
use super::{
    Held, LogEntry, RealmNote, RealmState, Store, StoreError, StoredDocument, VersionDigest, Write,
};

/// Resolves once what was written is durable, to a position that what it admitted does not go
/// beyond; to an error if it never will be.
pub type Durable = oneshot::Receiver<u64>;

/// Commits are cut at this many bytes of content, so that one does not grow for ever.
const COMMIT_BYTES_MAX: usize = 16 << 20;

/// The single writer of a store: a thread that commits in groups.
///
/// While one commit is being synced the next writes queue up; they are then committed
/// together, for the price of one sync (group commit). The queue has no bound of its own:
/// a room has at most one write under way, so it is as long as there are rooms.
///
/// The first error ends the thread: nothing is acknowledged from then on, every waiting and
/// later write resolves to an error, and [`StoreWriter::failed`] is cancelled, upon which the
/// server exits. A failed sync is never tried again; the process that comes next reads from
/// the medium what is really there.
#[derive(Clone)]
pub struct StoreWriter {
    store: Arc<dyn Store>,
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

/// How much was written, since the start of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreStatistics {
    /// Commits, each of which is one sync.
    pub commits: u64,
    /// Writes, of which a commit holds many.
    pub writes: u64,
    /// Bytes of content.
    pub bytes: u64,
}

struct Job {
    what: What,
    done: oneshot::Sender<u64>,
}

enum What {
    Write(Write),
    Note(RealmNote),
    /// What is written later belongs to another stratum than what is before it.
    Stratum,
    /// Only waits for what is before it.
    Nothing,
}

struct Shared {
    tail: Tail,
    log_id: u64,
    failed: CancellationToken,
    failure: Mutex<Option<StoreError>>,
    commits: AtomicU64,
    writes: AtomicU64,
    bytes: AtomicU64,
}

impl StoreWriter {
    /// Starts the thread. It ends when the last clone of the writer is dropped; the handle
    /// then tells whether everything was committed. `keeps_held`: whether to keep track of since
    /// when events are [held](Held).
    ///
    /// # Errors
    ///
    /// If the store cannot tell where its admission log ends.
    pub fn start(
        store: Arc<dyn Store>,
        keeps_held: bool,
    ) -> Result<(Self, thread::JoinHandle<()>), StoreError> {
        let (jobs, queue) = mpsc::channel();
        store.keep_held(keeps_held)?;
        let realm = store.realm()?;
        let shared = Arc::new(Shared {
            tail: Tail::new(realm.head),
            log_id: realm.log_id,
            failed: CancellationToken::new(),
            failure: Mutex::default(),
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        });
        if keeps_held {
            shared.tail.begin_stratum();
        }
        let worker = Worker { store: Arc::clone(&store), queue, shared: Arc::clone(&shared) };
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.run())
            .expect("a process can start its threads");
        Ok((Self { store, jobs, shared }, thread))
    }

    /// Hands over a write, without waiting.
    pub fn write(&self, write: Write) -> Durable {
        self.submit(What::Write(write))
    }

    /// Hands over what is to be kept of the realm, without waiting.
    pub fn note(&self, note: RealmNote) -> Durable {
        self.submit(What::Note(note))
    }

    /// Begins another stratum, after everything that was handed over before; resolves to its name,
    /// the last position that was given out before it.
    pub fn begin_stratum(&self) -> Durable {
        self.submit(What::Stratum)
    }

    /// Since when a document's events are held, as [`Store::held`].
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn held(&self, document: Arc<str>) -> Result<Vec<Held>, StoreError> {
        self.read(move |store| store.held(&document)).await
    }

    /// Documents to be trimmed, as [`Store::older_documents`].
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn older_documents(
        &self,
        after: Arc<str>,
        position: u64,
        max: usize,
    ) -> Result<Vec<Arc<str>>, StoreError> {
        self.read(move |store| store.older_documents(&after, position, max)).await
    }

    /// The last position that was given out and is durable.
    pub fn head(&self) -> u64 {
        *self.shared.tail.head().borrow()
    }

    /// Tells the store's admission log from any other.
    pub fn log_id(&self) -> u64 {
        self.shared.log_id
    }

    /// Tells of each change of the [head](Self::head).
    pub fn head_changes(&self) -> watch::Receiver<u64> {
        self.shared.tail.head().subscribe()
    }

    /// What was stored of the realm when the store was last [noted](Self::note) to.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub fn realm(&self) -> Result<RealmState, StoreError> {
        self.store.realm()
    }

    /// The entries of the admission log with events beyond the position `after`, `max` at most:
    /// from memory, where they are recent.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn admissions(&self, after: u64, max: usize) -> Result<Vec<LogEntry>, StoreError> {
        match self.shared.tail.since(after, max) {
            Some(entries) => Ok(entries),
            None => self.read(move |store| store.admissions(after, max)).await,
        }
    }

    /// Documents by name, as [`Store::documents`].
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn documents(
        &self,
        after: Arc<str>,
        max: usize,
    ) -> Result<Vec<(Arc<str>, VersionDigest)>, StoreError> {
        self.read(move |store| store.documents(&after, max)).await
    }

    /// Those of `documents` whose digests are not these.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn differing(
        &self,
        documents: Vec<(Arc<str>, VersionDigest)>,
    ) -> Result<Vec<Arc<str>>, StoreError> {
        let differing = move |store: &dyn Store| {
            let mut differing = Vec::new();
            for (document, digest) in documents {
                if store.digest(&document)? != Some(digest) {
                    differing.push(document);
                }
            }
            Ok(differing)
        };
        self.read(differing).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || read(&*store)).await {
            Ok(result) => result,
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        }
    }

    /// Reads a document, after everything that was handed over for it before.
    ///
    /// # Errors
    ///
    /// `None` if an earlier write failed, so that the stored state is not known.
    ///
    /// # Panics
    ///
    /// Where the store does.
    pub async fn load(&self, document: Arc<str>) -> Option<Result<StoredDocument, StoreError>> {
        if !self.flush().await {
            return None;
        }
        Some(self.read(move |store| store.load(&document)).await)
    }

    /// Waits until everything that was handed over is durable; `false` if it never will be.
    pub async fn flush(&self) -> bool {
        self.submit(What::Nothing).await.is_ok()
    }

    /// Cancelled once a commit has failed.
    pub fn failed(&self) -> &CancellationToken {
        &self.shared.failed
    }

    /// Takes the error that ended the thread.
    pub fn take_failure(&self) -> Option<StoreError> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How much was written.
    pub fn statistics(&self) -> StoreStatistics {
        StoreStatistics {
            commits: self.shared.commits.load(Ordering::Relaxed),
            writes: self.shared.writes.load(Ordering::Relaxed),
            bytes: self.shared.bytes.load(Ordering::Relaxed),
        }
    }

    fn submit(&self, what: What) -> Durable {
        let (done, durable) = oneshot::channel();
        // A closed queue drops the job, and `durable` resolves to an error.
        let _ = self.jobs.send(Job { what, done });
        durable
    }
}

struct Worker {
    store: Arc<dyn Store>,
    queue: mpsc::Receiver<Job>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(self) {
        // However the thread ends before its queue does, a panic included: it failed.
        let failed_unless_done = self.shared.failed.clone().drop_guard();
        let mut group = Vec::new();
        let mut waiting = Vec::new();
        let mut note = None;
        while let Ok(first) = self.queue.recv() {
            let mut bytes = 0;
            let mut next = Some(first);
            let mut begins_stratum = false;
            while let Some(job) = next {
                match job.what {
                    What::Write(write) => {
                        bytes += write.content.len();
                        group.push(write);
                    }
                    // The last one says it all, but for what only some say.
                    What::Note(mut latest) => {
                        let former = note.take().and_then(|note: RealmNote| note.stability);
                        latest.stability = latest.stability.or(former);
                        note = Some(latest);
                    }
                    What::Stratum => begins_stratum = true,
                    What::Nothing => {}
                }
                waiting.push(job.done);
                // What comes after the beginning of a stratum is committed by itself.
                let goes_on = bytes < COMMIT_BYTES_MAX && !begins_stratum;
                next = if goes_on { self.queue.try_recv().ok() } else { None };
            }
            // A planted bug: a position is told, and so acknowledged, that a crash may take back.
            if is_planted("position-before-sync") {
                let early = self.shared.tail.number(&group, unix_ms());
                let head = *self.shared.tail.head().borrow();
                tell(&mut waiting, early.last().map_or(head, LogEntry::last));
            }
            if let Err(failure) = self.commit(&group, bytes, note.take()) {
                error!(error = %failure, "the store failed; nothing is acknowledged from here on");
                let mut slot = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *slot = Some(failure);
                return;
            }
            group.clear();
            if begins_stratum {
                self.shared.tail.begin_stratum();
            }
            tell(&mut waiting, *self.shared.tail.head().borrow());
        }
        failed_unless_done.disarm();
    }

    fn commit(
        &self,
        group: &[Write],
        bytes: usize,
        note: Option<RealmNote>,
    ) -> Result<(), StoreError> {
        if let Some(note) = note {
            self.store.note(&note)?;
        }
        if group.is_empty() {
            return Ok(());
        }
        let entries = self.shared.tail.number(group, unix_ms());
        self.store.commit(group, &entries, self.shared.tail.stratum())?;
        self.shared.tail.append(entries);
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        self.shared.writes.fetch_add(group.len() as u64, Ordering::Relaxed);
        self.shared.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        debug!(writes = group.len(), bytes, "committed");
        Ok(())
    }
}

fn tell(waiting: &mut Vec<oneshot::Sender<u64>>, position: u64) {
    for done in waiting.drain(..) {
        // A room that is gone does not wait.
        let _ = done.send(position);
    }
}

/// Milliseconds since 1970, by the clock of this machine.
pub(crate) fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
