//! The server as a whole: what is started, in which order, and how it ends.

use core::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::{io, thread};

use crdt_core::codec::DecodeError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::gate::Gate;
use crate::http;
use crate::listener;
use crate::outbound::Peak;
use crate::peer::{Links, keep_dialling};
use crate::realm::{Attester, KeyError, KeyRing, Realm, others_of};
use crate::rooms::Rooms;
use crate::store::{EmbeddedStore, Store, StoreError, StoreWriter};
use crate::trimming::{self, Trimming};
use crate::watching::Watching;

/// A server that listens, and serves once it [`run`](Self::run)s.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use crdt_server::{auth::Authorization, config::Config, server::Server, shutdown};
///
/// let address = "127.0.0.1:8080".parse()?;
/// let config = Config::new(address, "crdt-data".into(), Authorization::Open, &[])?;
/// let server = Server::bind(config).await?;
/// println!("listening on http://{}", server.address());
/// server.run(async { shutdown::requested().await.unwrap_or_default() }).await?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    store_thread: thread::JoinHandle<()>,
}

/// What every connection and room has access to.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) gate: Arc<Gate>,
    pub(crate) rooms: Rooms,
    pub(crate) store: StoreWriter,
    pub(crate) realm: Arc<Realm>,
    pub(crate) links: Links,
    pub(crate) watching: Arc<Watching>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) outbound_peak: Arc<Peak>,
    /// HTTP connections and WebSockets.
    pub(crate) connections: TaskTracker,
    /// Cancelled when the server is to end: nobody comes in any more.
    pub(crate) stopping: CancellationToken,
    /// Cancelled once all documents are stored: WebSockets close.
    pub(crate) closing: CancellationToken,
}

/// Why a server could not start, or had to stop.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store cannot be opened.
    Open(StoreError),
    /// What was stored of how far history was forgotten cannot be read.
    Stability(DecodeError),
    /// The keys of session tokens can neither be read nor made.
    TokenKeys(KeyError),
    /// The store failed while the server ran. What it has acknowledged is stored; start it
    /// again to see the rest.
    StoreFailed(Option<StoreError>),
}

/// The name of the file with the keys of session tokens, in the folder of the store.
const KEYS_FILE: &str = "token-keys";

impl Server {
    /// Opens the embedded store in the configured folder and starts to listen.
    ///
    /// # Errors
    ///
    /// If the store cannot be opened, the address cannot be listened on, or the keys of session
    /// tokens can neither be read nor made.
    pub async fn bind(mut config: Config) -> Result<Self, ServerError> {
        let directory = config.data.clone();
        let needs_keys = config.keys.is_none();
        let keys_file = config.keys_file.clone().unwrap_or_else(|| directory.join(KEYS_FILE));
        let open = move || {
            let store = EmbeddedStore::open(&directory).map_err(ServerError::Open)?;
            let make = || KeyRing::read_or_make(&keys_file);
            let keys = needs_keys.then(make).transpose().map_err(ServerError::TokenKeys)?;
            Ok((store, keys))
        };
        let (store, keys) = tokio::task::spawn_blocking(open)
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        config.keys = config.keys.or(keys);
        Self::bind_with_store(config, Arc::new(store)).await
    }

    /// Starts to listen, with a store of the caller's. Without configured keys the session tokens
    /// that it gives out are good until it stops.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or the store cannot be read.
    pub async fn bind_with_store(
        config: Config,
        store: Arc<dyn Store>,
    ) -> Result<Self, ServerError> {
        let address = config.listen;
        let listen = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let keeps_held = config.stability.is_some();
        let (store, store_thread) =
            StoreWriter::start(store, keeps_held).map_err(ServerError::Open)?;
        let stored = store.realm().map_err(ServerError::Open)?;
        let trimming = config.stability.as_ref().map(|stability| {
            let others = others_of(&stored, &config.place, &config.retired).map(|(slot, _)| slot);
            Trimming::new(
                config.place.slot,
                stored.log_id,
                &others.collect::<Vec<_>>(),
                &config.retired,
                stability,
                config.clock.clone(),
                stored.stability.as_deref(),
                stored.held_since.unwrap_or(stored.head),
            )
        });
        let trimming = trimming.transpose().map_err(ServerError::Stability)?;
        let realm = Realm::new(
            config.place.clone(),
            store.clone(),
            &stored,
            config.peers.len(),
            config.limits.positions_kept_max,
            config.retired.clone(),
            trimming,
        );
        let realm = Arc::new(realm);
        let keys = Arc::new(config.keys.clone().unwrap_or_else(KeyRing::random));
        let attester = Arc::new(Attester { realm: Arc::clone(&realm), keys: Arc::clone(&keys) });
        let watching = Arc::new(Watching::new(config.place.slot, config.monitor));
        let shared = Arc::new(Shared {
            realm,
            keys,
            links: Links::default(),
            gate: Gate::new(&config.limits),
            rooms: Rooms::new(store.clone(), attester, Arc::clone(&watching), &config.limits),
            watching,
            store,
            outbound_peak: Arc::default(),
            connections: TaskTracker::new(),
            stopping: CancellationToken::new(),
            closing: CancellationToken::new(),
            config,
        });
        Ok(Self { listener, address, shared, store_thread })
    }

    /// The address listened on, with the port that the system chose if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves or the store fails, then ends in order: connections
    /// are closed, what was received is committed, the store is closed.
    ///
    /// # Errors
    ///
    /// [`ServerError::StoreFailed`] if the store failed. Nothing is tried again then: what
    /// was not acknowledged may or may not be stored.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Self { listener, address, shared, store_thread } = self;
        info!(%address, data = %shared.config.data.display(), "listening");
        let router = http::router(Arc::clone(&shared));
        let accepting = tokio::spawn(listener::accept(listener, router, Arc::clone(&shared)));
        for peer in shared.config.peers.clone() {
            shared.connections.spawn(keep_dialling(Arc::clone(&shared), peer));
        }
        let keeping = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                tokio::select! {
                    () = shared.realm.keep() => {}
                    () = trimming::keep(Arc::clone(&shared)), if shared.realm.trimming().is_some() => {}
                    () = Watching::keep(Arc::clone(&shared)) => {}
                    () = shared.stopping.cancelled() => {}
                }
            }
        });
        tokio::select! {
            () = shutdown => {}
            () = shared.store.failed().cancelled() => {}
        }
        shared.stopping.cancel();
        let orderly = async {
            let _ = accepting.await;
            let _ = keeping.await;
            shared.realm.note_once().await;
            shared.rooms.stop().await;
            shared.closing.cancel();
            shared.connections.close();
            shared.connections.wait().await;
        };
        let in_time = tokio::time::timeout(shared.config.limits.shutdown_timeout, orderly).await;
        if in_time.is_err() {
            warn!("connections did not close in time");
        }
        let store = shared.store.clone();
        drop(shared);
        let flushed = store.flush().await && !store.failed().is_cancelled();
        if !flushed {
            let failure = store.take_failure();
            error!(error = failure.as_ref().map(tracing::field::display), "the store failed");
            return Err(ServerError::StoreFailed(failure));
        }
        drop(store);
        if in_time.is_ok() {
            // No one else holds the store: the thread ends, and the file is closed.
            let _ = tokio::task::spawn_blocking(move || store_thread.join()).await;
        }
        info!("stopped");
        Ok(())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Self::Open(error) => write!(f, "cannot open the store: {error}"),
            Self::Stability(error) => {
                write!(f, "what is stored of how far history was forgotten: {error}")
            }
            Self::TokenKeys(error) => write!(f, "the keys of session tokens: {error}"),
            Self::StoreFailed(Some(error)) => write!(f, "the store failed: {error}"),
            Self::StoreFailed(None) => f.write_str("the store failed"),
        }
    }
}

impl core::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } => Some(source),
            Self::Open(error) | Self::StoreFailed(Some(error)) => Some(error),
            Self::TokenKeys(error) => Some(error),
            Self::Stability(error) => Some(error),
            Self::StoreFailed(None) => None,
        }
    }
}
