use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::{Store, StoreError, StoredDocument, Write};

/// Resolves once what was written is durable; to an error if it never will be.
pub type Durable = oneshot::Receiver<()>;

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
    /// `None` only waits for what is before it.
    write: Option<Write>,
    done: oneshot::Sender<()>,
}

#[derive(Default)]
struct Shared {
    failed: CancellationToken,
    failure: Mutex<Option<StoreError>>,
    commits: AtomicU64,
    writes: AtomicU64,
    bytes: AtomicU64,
}

impl StoreWriter {
    /// Starts the thread. It ends when the last clone of the writer is dropped; the handle
    /// then tells whether everything was committed.
    pub fn start(store: Arc<dyn Store>) -> (Self, thread::JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let worker = Worker { store: Arc::clone(&store), queue, shared: Arc::clone(&shared) };
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.run())
            .expect("a process can start its threads");
        (Self { store, jobs, shared }, thread)
    }

    /// Hands over a write, without waiting.
    pub fn write(&self, write: Write) -> Durable {
        self.submit(Some(write))
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
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || store.load(&document)).await {
            Ok(loaded) => Some(loaded),
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        }
    }

    /// Waits until everything that was handed over is durable; `false` if it never will be.
    pub async fn flush(&self) -> bool {
        self.submit(None).await.is_ok()
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

    fn submit(&self, write: Option<Write>) -> Durable {
        let (done, durable) = oneshot::channel();
        // A closed queue drops the job, and `durable` resolves to an error.
        let _ = self.jobs.send(Job { write, done });
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
        while let Ok(first) = self.queue.recv() {
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(job) = next {
                if let Some(write) = job.write {
                    bytes += write.content.len();
                    group.push(write);
                }
                waiting.push(job.done);
                next = if bytes < COMMIT_BYTES_MAX { self.queue.try_recv().ok() } else { None };
            }
            if let Err(failure) = self.commit(&group, bytes) {
                error!(error = %failure, "the store failed; nothing is acknowledged from here on");
                let mut slot = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
                *slot = Some(failure);
                return;
            }
            group.clear();
            for done in waiting.drain(..) {
                // A room that is gone does not wait.
                let _ = done.send(());
            }
        }
        failed_unless_done.disarm();
    }

    fn commit(&self, group: &[Write], bytes: usize) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        self.store.commit(group)?;
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        self.shared.writes.fetch_add(group.len() as u64, Ordering::Relaxed);
        self.shared.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        debug!(writes = group.len(), bytes, "committed");
        Ok(())
    }
}
